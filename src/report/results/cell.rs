//! One cell: guarded against spreadsheets, and masked where it is a payment card. Pure.

use std::borrow::Cow;

/// What a column of the input is for, as far as its cells in the result files go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Carried through; never sent.
    Carried,
    /// Sent, or otherwise read by the program (`operation`, `account`, an amount).
    Sent,
    /// A payment card's number: the last four digits are shown.
    CardNumber,
    /// A card's security code: not shown at all.
    SecurityCode,
}

/// The cell as a spreadsheet will not take it for a formula: with an apostrophe before it where it would. A plain number
/// with a sign is no formula.
pub fn guarded(cell: &str) -> Cow<'_, str> {
    if would_calculate(cell) { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) }
}

fn would_calculate(cell: &str) -> bool {
    match cell.chars().next() {
        Some('+' | '-') => !is_number(&cell[1..]),
        // The wide forms are what some spreadsheets make the narrow ones of.
        Some('=' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠') => true,
        _ => false,
    }
}

/// Digits, and optionally a point and more digits.
fn is_number(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && digits(fraction)
}

/// A card's number with all but the last four digits hidden. What is too short for that is hidden whole. It passes no
/// check as a card's number, so that a row with it cannot be sent by mistake.
pub fn masked(number: &str) -> String {
    let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
    match digits.len() {
        0 if number.is_empty() => String::new(),
        0..12 => "••••".to_owned(),
        all => format!("•••• {}", digits[all - 4..].iter().collect::<String>()),
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "what a test stands on must be there")]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_guarded_and_numbers_are_not() {
        for cell in
            ["=1+1", "@SUM(A1)", "+1 555 0100", "-x", "-", "+", "-1-1", "-1e5", "\tx", "\rx", "\nx", "＝1", "-٣"]
        {
            assert_eq!(guarded(cell), format!("'{cell}"), "{cell:?}");
        }
        for cell in ["", "-5", "+5", "-19.90", "0", "a=b", "'=x", " =x", "80012345", "–5"] {
            assert_eq!(guarded(cell), cell, "{cell:?}");
        }
    }

    #[test]
    fn a_guarded_cell_is_not_guarded_again() {
        assert_eq!(guarded(&guarded("=x")), "'=x");
    }

    #[test]
    fn only_the_last_four_digits_of_a_card_are_left() {
        assert_eq!(masked("4111 1111-1111 1234"), "•••• 1234");
        assert_eq!(masked("41111"), "••••");
        assert_eq!(masked("unreadable"), "••••");
        assert_eq!(masked(""), "");
    }
}
