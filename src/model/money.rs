//! Amounts of money: exact, never through floating point.
//!
//! Every amount is text until [`parse_amount`]. Serde and the CSV reader would otherwise round it without a word.

use std::fmt;
use std::str::FromStr;

use iso_currency::Currency as Iso;
use rust_decimal::Decimal;

/// An ISO 4217 currency, or `XXX` where none is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency(Iso);

impl Currency {
    /// The code that stands for "no currency is known".
    pub const UNKNOWN: Currency = Currency(Iso::XXX);

    /// Parses a three-letter code; case is ignored.
    pub fn parse(code: &str) -> Option<Self> {
        let mut upper = [0_u8; 3];
        if code.len() != 3 {
            return None;
        }
        for (to, from) in upper.iter_mut().zip(code.bytes()) {
            *to = from.to_ascii_uppercase();
        }
        Iso::from_code(std::str::from_utf8(&upper).ok()?).map(Currency)
    }

    /// The code, in capitals.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// How many decimals its amounts have; none where the standard names none.
    pub fn decimals(self) -> Option<u32> {
        self.0.exponent().map(u32::from)
    }
}

impl PartialOrd for Currency {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Currency {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.code().cmp(other.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount with its currency. The scale is kept as it was written: `19.90` stays `19.90`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Money {
    /// The exact amount.
    pub amount: Decimal,
    /// Its currency.
    pub currency: Currency,
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.currency, self.amount)
    }
}

/// Why a text is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not of the form `123.45`.
    #[error("an amount such as 19.90 (digits, at most one point, no exponent, no spaces, no comma)")]
    Form,
    /// More digits than an exact amount can hold.
    #[error("an amount of at most 28 digits")]
    TooLong,
    /// More decimals than the currency has.
    #[error("an amount with at most {allowed} decimals ({currency})")]
    Decimals {
        /// The decimals that the currency has.
        allowed: u32,
        /// The currency.
        currency: Currency,
    },
}

/// Parses an amount: an optional minus, digits, and optionally a point with more digits. Nothing else.
pub fn parse_amount(text: &str) -> Result<Decimal, AmountError> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) {
        return Err(AmountError::Form);
    }
    Decimal::from_str_exact(text).map_err(|_| AmountError::TooLong)
}

/// Checks that an amount has no more decimals than its currency allows; trailing zeros do not count.
pub fn check_decimals(amount: Decimal, currency: Currency) -> Result<Money, AmountError> {
    if let Some(allowed) = currency.decimals()
        && amount.normalize().scale() > allowed
    {
        return Err(AmountError::Decimals { allowed, currency });
    }
    Ok(Money { amount, currency })
}

/// Parses a sum that this program wrote itself (in the journal or a summary).
pub fn parse_own(text: &str) -> Option<Decimal> {
    Decimal::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_keep_every_digit_and_the_scale() {
        for text in ["1234567890123456.78", "19.90", "0.01", "-1", "100", "79228162514264337593543950335"] {
            assert_eq!(parse_amount(text).map(|amount| amount.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", "1e3", "5,00", "1 000", " 1", "+1", ".5", "5.", "1.2.3", "0x10", "NaN", "--1", "١"] {
            assert_eq!(parse_amount(text), Err(AmountError::Form), "{text:?}");
        }
        assert_eq!(parse_amount("79228162514264337593543950336"), Err(AmountError::TooLong));
    }

    #[test]
    fn decimals_are_those_of_the_currency() {
        let check = |amount: &str, code: &str| {
            let currency = Currency::parse(code).expect("a currency");
            check_decimals(parse_amount(amount).expect("an amount"), currency).map(|money| money.to_string())
        };
        assert_eq!(check("19.90", "usd"), Ok("USD 19.90".to_owned()));
        assert_eq!(check("19.900", "USD"), Ok("USD 19.900".to_owned()));
        assert!(matches!(check("19.905", "USD"), Err(AmountError::Decimals { allowed: 2, .. })));
        assert!(matches!(check("19.5", "JPY"), Err(AmountError::Decimals { allowed: 0, .. })));
        assert_eq!(check("1.234", "KWD"), Ok("KWD 1.234".to_owned()));
        assert_eq!(check("1.23456", "XXX"), Ok("XXX 1.23456".to_owned()));
    }

    #[test]
    fn only_codes_are_currencies() {
        assert_eq!(Currency::parse("eur").map(Currency::code), Some("EUR"));
        for text in ["", "EU", "EURO", "ZZZ", "€€€", "1.0"] {
            assert_eq!(Currency::parse(text), None, "{text:?}");
        }
    }
}
