//! What 2Checkout said, whichever wire form it came in.

use super::value::Value;

/// The one thing that a reply's body says.
pub(super) enum Said {
    /// The method's result.
    Result(Value<'static>),
    /// An error object, or a SOAP fault.
    Complaint(Complaint),
    /// Neither, and why.
    Unclear(&'static str),
}

/// An error as the provider words it. Not yet free of secrets: it may repeat what it was sent.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Complaint {
    /// Its code: a number or a word.
    pub(super) code: String,
    /// The word beside the number (`data.error_code`), where there is one.
    pub(super) word: String,
    /// What it says.
    pub(super) message: String,
}

/// The numbers with their words, as the vendor's own client has them. Everything else is unknown.
const NUMBERS: &[(&str, &str)] = &[
    ("10000", "FORBIDDEN"),
    ("10001", "INVALID_SESSION"),
    ("10002", "SESSION_EXPIRED"),
    ("10004", "NOT_ALLOWED"),
    ("11000", "DEPRECATED"),
];

/// Said before the method runs: the session or the login is not accepted.
const SESSION_WORDS: &[&str] = &["FORBIDDEN", "INVALID_SESSION", "SESSION_EXPIRED", "AUTHENTICATION_FAILED"];

/// The text that comes with 10000, for a fault whose code says nothing.
const SESSION_TEXT: &str = "Invalid hash provided or session expired";

impl Complaint {
    /// The word for it that the documentation knows; none where it knows none.
    pub(super) fn known_word(&self) -> Option<&'static str> {
        let is = |text: &str, known: &str| text.trim().eq_ignore_ascii_case(known);
        let by_number = NUMBERS.iter().find(|(number, _)| is(&self.code, number)).map(|(_, word)| *word);
        let words = || SESSION_WORDS.iter().chain(NUMBERS.iter().map(|(_, word)| word)).copied();
        let by_word = || words().find(|word| is(&self.word, word) || is(&self.code, word));
        let by_text = || is(self.message.trim_end_matches('.'), SESSION_TEXT).then_some("FORBIDDEN");
        by_number.or_else(by_word).or_else(by_text)
    }

    /// Whether it says that the session or the login was not accepted, which is said before a method runs.
    pub(super) fn is_about_the_session(&self) -> bool {
        self.known_word().is_some_and(|word| SESSION_WORDS.contains(&word))
    }

    /// Whether the account's setting `refusals` names it.
    pub(super) fn is_one_of(&self, codes: &[String]) -> bool {
        codes.iter().any(|known| known.eq_ignore_ascii_case(&self.code) || known.eq_ignore_ascii_case(&self.word))
    }

    /// A short word for counting.
    pub(super) fn short(&self) -> String {
        let fit = |text: &&str| {
            (1..=60).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
        };
        [self.word.trim(), self.code.trim()].iter().copied().find(fit).unwrap_or("error").to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(code: &str, word: &str, message: &str) -> Complaint {
        Complaint { code: code.to_owned(), word: word.to_owned(), message: message.to_owned() }
    }

    #[test]
    fn the_session_is_blamed_only_by_what_is_known() {
        for (code, word, message) in [
            ("10000", "FORBIDDEN", "Invalid hash provided or session expired"),
            ("10001", "", ""),
            ("10002", "", "x"),
            ("-32000", "SESSION_EXPIRED", ""),
            ("forbidden", "", ""),
            ("Server", "", "Invalid hash provided or session expired."),
            ("", "AUTHENTICATION_FAILED", ""),
        ] {
            assert!(complaint(code, word, message).is_about_the_session(), "{code} {word} {message}");
        }
        for (code, word, message) in [
            ("10004", "NOT_ALLOWED", ""),
            ("10003", "", ""),
            ("100000", "", ""),
            ("Server", "", "session expired on order 10000"),
            ("", "", ""),
        ] {
            assert!(!complaint(code, word, message).is_about_the_session(), "{code} {word} {message}");
        }
    }

    #[test]
    fn codes_for_counting_are_short_words() {
        assert_eq!(complaint("10000", "FORBIDDEN", "").short(), "FORBIDDEN");
        assert_eq!(complaint("10000", "", "").short(), "10000");
        assert_eq!(complaint("a b", "<x>", "").short(), "error");
    }
}
