//! Recognises card data, and masks it.
//!
//! A card number in a file for an operation that takes none would end up in results and logs, so such a file is refused
//! as a whole. What looks like one: digits of a card network's range, of a length that the network issues, with a
//! valid check digit. An ordinary long id rarely does.

/// What stands for a secret of which nothing may be shown.
pub(super) const HIDDEN: &str = "•••";

/// Names of columns that hold a card's security code: lower case, letters and digits only.
const CODE_NAMES: [&str; 17] = [
    "cvv",
    "cvv2",
    "cvc",
    "cvc2",
    "cvn",
    "cvn2",
    "cvd",
    "csc",
    "ccid",
    "cid2",
    "cardcvv",
    "cardcvc",
    "cardcode",
    "securitycode",
    "cardsecuritycode",
    "cardverificationcode",
    "cardverificationvalue",
];

/// Whether a column of this name holds security codes. In a dotted name the last part counts.
pub(super) fn is_code_name(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    if last.len() > 40 {
        return false;
    }
    let letters = || last.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase());
    CODE_NAMES.iter().any(|known| letters().eq(known.chars()))
}

/// Whether a text is, or holds, what looks like a card number. Single spaces and hyphens between digits are ignored.
pub(super) fn holds_card_number(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() < 13 {
        return false;
    }
    // Digits without a gap, and digits with gaps: `4111111111111111 30` is a card and a number.
    let (mut run, mut joined) = (Digits::default(), Digits::default());
    let mut before = b' ';
    for (at, &byte) in bytes.iter().enumerate() {
        let next = bytes.get(at + 1).copied().unwrap_or(b' ');
        if byte.is_ascii_digit() {
            if joined.count == 0 && (before.is_ascii_alphabetic() || before == b'_') {
                (run.spoiled, joined.spoiled) = (true, true);
            }
            run.push(byte - b'0');
            joined.push(byte - b'0');
        } else {
            let word_goes_on = byte.is_ascii_alphabetic() || byte == b'_';
            if !word_goes_on && (run.look_like_a_card() || joined.look_like_a_card()) {
                return true;
            }
            run = Digits::default();
            if !(joined.count > 0 && matches!(byte, b' ' | b'-') && next.is_ascii_digit()) {
                joined = Digits::default();
            }
        }
        before = byte;
    }
    run.look_like_a_card() || joined.look_like_a_card()
}

/// Whether digits alone make a card number as such: 12 to 19 of them with a valid check digit.
pub(super) fn is_card_number(text: &str) -> bool {
    (12..=19).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) && {
        let mut digits = Digits::default();
        text.bytes().for_each(|byte| digits.push(byte - b'0'));
        digits.have_check_digit()
    }
}

/// Masks a secret: of a card number the last four digits stay, of anything else nothing.
pub(super) fn mask(value: &str) -> String {
    let plain = value.len() >= 12 && value.bytes().all(|byte| byte.is_ascii_digit());
    match plain.then(|| value.get(value.len() - 4..)).flatten() {
        Some(last) => format!("{HIDDEN}{last}"),
        None => HIDDEN.to_owned(),
    }
}

/// A run of digits, of which at most 20 are kept: no card number has more than 19.
#[derive(Default)]
struct Digits {
    kept: [u8; 20],
    count: usize,
    spoiled: bool,
}

impl Digits {
    fn push(&mut self, digit: u8) {
        if let Some(slot) = self.kept.get_mut(self.count) {
            *slot = digit;
            self.count += 1;
        }
    }

    fn look_like_a_card(&self) -> bool {
        !self.spoiled && (13..=19).contains(&self.count) && self.are_issued() && self.have_check_digit()
    }

    /// The check digit of ISO/IEC 7812-1.
    fn have_check_digit(&self) -> bool {
        let sum: u32 = self.kept[..self.count]
            .iter()
            .rev()
            .enumerate()
            .map(|(place, digit)| match u32::from(*digit) * (1 + u32::from(place % 2 == 1)) {
                doubled @ 10.. => doubled - 9,
                single => single,
            })
            .sum();
        sum.is_multiple_of(10) && self.kept[..self.count].iter().any(|digit| *digit != 0)
    }

    /// Whether a card network issues numbers that start so and are so long.
    fn are_issued(&self) -> bool {
        let start = self.kept[..6].iter().fold(0_u32, |number, digit| number * 10 + u32::from(*digit));
        let (two, three, four) = (start / 10_000, start / 1_000, start / 100);
        match self.count {
            // Visa
            13 if two / 10 == 4 => true,
            // Diners Club
            14 => matches!(three, 300..=305 | 309) || matches!(two, 36 | 38 | 39),
            // American Express
            15 => matches!(two, 34 | 37),
            16 => {
                let mastercard = matches!(two, 51..=55) || matches!(four, 2221..=2720);
                two / 10 == 4 || mastercard || issued_up_to_19(two, three, four)
            }
            17 | 18 => issued_up_to_19(two, three, four),
            19 => two / 10 == 4 || issued_up_to_19(two, three, four),
            _ => matches!(four, 5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763),
        }
    }
}

/// Discover, JCB, UnionPay and Maestro.
fn issued_up_to_19(two: u32, three: u32, four: u32) -> bool {
    two == 65
        || two == 62
        || matches!(three, 644..=649)
        || matches!(four, 6011 | 3528..=3589 | 5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn card_numbers_are_seen_however_they_are_written() {
        for text in [
            "4111111111111111",
            "4111 1111 1111 1111",
            "4111-1111-1111-1111",
            "378282246310005",
            "5555555555554444",
            "2223003122003222",
            "6011111111111117",
            "30569309025904",
            "3530111333300000",
            "4222222222222",
            "card 4111111111111111 was declined",
            "(4111111111111111)",
            "4111111111111111 30",
            "30 4111111111111111",
        ] {
            assert!(holds_card_number(text), "{text}");
        }
    }

    #[test]
    fn what_only_has_many_digits_is_no_card() {
        for text in [
            "4111111111111112",
            "1234567890123456789",
            "0000000000000000",
            "1716239022123",
            "80012345",
            "41111111111111111111111",
            "ref4111111111111111",
            "4111111111111111a",
            "2026-11-23T02:14:10Z",
            "",
            "411111111111",
        ] {
            assert!(!holds_card_number(text), "{text}");
        }
    }

    #[test]
    fn names_of_security_codes() {
        for name in ["cvv", "CVV2", "Card CVC", "security_code", "CCID", "BillingDetails.CardSecurityCode", "csc"] {
            assert!(is_code_name(name), "{name}");
        }
        for name in ["code", "ProductCode", "cid", "country", "scv", ""] {
            assert!(!is_code_name(name), "{name}");
        }
    }

    #[test]
    fn a_mask_shows_four_digits_at_most() {
        assert_eq!(mask("4111111111111111"), "•••1111");
        assert_eq!(mask("123"), HIDDEN);
        assert_eq!(mask("4111x111111111111"), HIDDEN);
        assert!(is_card_number("4111111111111111") && !is_card_number("4111111111111112") && !is_card_number("18"));
    }
}
