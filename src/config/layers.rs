//! Settings in layers: flag, environment, job file, account, `[limits]` and `[guard]` of the configuration, default. The
//! first layer that names a value wins, value by value.

use std::path::PathBuf;
use std::time::Duration;

use super::document::Section;
use super::error::ConfigError;
use crate::model::settings::{Guard, Limits, MaxFailures, Rate, parse_duration};

/// What the command line and the environment say over everything that is written in files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// The input, in place of the job's own.
    pub input: Option<PathBuf>,
    /// The configuration file.
    pub config: Option<PathBuf>,
    /// The journal.
    pub journal: Option<PathBuf>,
    /// The folder for result folders.
    pub results: Option<PathBuf>,
    /// The operation of rows that name none.
    pub operation: Option<String>,
    /// The account of rows that name none.
    pub account: Option<String>,
    /// The encoding of the input: a label of the Encoding Standard.
    pub encoding: Option<String>,
    /// The delimiter of a CSV input.
    pub delimiter: Option<u8>,
    /// Leave bad rows out.
    pub skip_invalid: bool,
    /// How fast, for every account.
    pub limits: LimitLayer,
    /// When to stop.
    pub guard: GuardLayer,
}

/// One layer's limits: what it says nothing about is for the layer below.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LimitLayer {
    /// Calls that may start in a time.
    pub rate: Option<Rate>,
    /// Calls that may be under way at once.
    pub concurrency: Option<usize>,
    /// The longest that one call may take.
    pub timeout: Option<Duration>,
    /// The longest that connecting may take.
    pub connect_timeout: Option<Duration>,
}

impl LimitLayer {
    pub(crate) const KEYS: [&'static str; 4] = ["rate", "concurrency", "timeout", "connect_timeout"];

    /// This layer, with `below` where it says nothing.
    #[must_use]
    pub fn over(self, below: Self) -> Self {
        Self {
            rate: self.rate.or(below.rate),
            concurrency: self.concurrency.or(below.concurrency),
            timeout: self.timeout.or(below.timeout),
            connect_timeout: self.connect_timeout.or(below.connect_timeout),
        }
    }

    /// What holds, with the defaults below.
    pub fn resolve(self) -> Limits {
        let default = Limits::default();
        Limits {
            rate: self.rate.unwrap_or(default.rate),
            concurrency: self.concurrency.unwrap_or(default.concurrency),
            timeout: self.timeout.unwrap_or(default.timeout),
            connect_timeout: self.connect_timeout.unwrap_or(default.connect_timeout),
        }
    }

    pub(crate) fn read(section: &Section<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            rate: section.parsed("rate", RATE, parse_rate)?,
            concurrency: section.parsed("concurrency", CONCURRENCY, parse_concurrency)?,
            timeout: section.parsed("timeout", TIMEOUT, parse_timeout)?,
            connect_timeout: section.parsed("connect_timeout", TIMEOUT, parse_timeout)?,
        })
    }
}

/// One layer's guards.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GuardLayer {
    /// Refused and failed rows that halt the run.
    pub max_failures: Option<MaxFailures>,
    /// Rows in doubt since this start that halt the run.
    pub max_in_doubt: Option<u64>,
}

impl GuardLayer {
    pub(crate) const KEYS: [&'static str; 2] = ["max_failures", "max_in_doubt"];

    /// This layer, with `below` where it says nothing.
    #[must_use]
    pub fn over(self, below: Self) -> Self {
        Self {
            max_failures: self.max_failures.or(below.max_failures),
            max_in_doubt: self.max_in_doubt.or(below.max_in_doubt),
        }
    }

    /// What holds, with the defaults below.
    pub fn resolve(self) -> Guard {
        let default = Guard::default();
        Guard {
            max_failures: self.max_failures.unwrap_or(default.max_failures),
            max_in_doubt: self.max_in_doubt.unwrap_or(default.max_in_doubt),
        }
    }

    pub(crate) fn read(section: &Section<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            max_failures: section.parsed("max_failures", MAX_FAILURES, MaxFailures::parse)?,
            max_in_doubt: section.parsed("max_in_doubt", MAX_IN_DOUBT, parse_count)?,
        })
    }
}

/// What a rate looks like.
pub const RATE: &str = "a rate such as `10/s`, `600/min` or `5000/h`";
/// What a concurrency looks like.
pub const CONCURRENCY: &str = "a whole number from 1 to 256";
/// What a time limit looks like.
pub const TIMEOUT: &str = "a time with its unit, such as `30s`, `2m` or `250ms`";
/// What the limit of failures looks like.
pub const MAX_FAILURES: &str = "a number of rows such as `20`, or a share such as `5%`";
/// What the limit of doubts looks like.
pub const MAX_IN_DOUBT: &str = "a number of rows such as `10`";
/// What a delimiter looks like.
pub const DELIMITER: &str = "one character such as `,` or `;` or `|`, or `tab`";
/// What an encoding looks like.
pub const ENCODING: &str = "the name of an encoding, such as `utf-8`, `windows-1252` or `utf-16le`";

/// Parses a rate of at most one call in a microsecond: a finer one cannot be paced.
pub fn parse_rate(text: &str) -> Option<Rate> {
    Rate::parse(text).filter(|rate| rate.interval() >= Duration::from_micros(1))
}

/// Parses a number of calls under way at once.
pub fn parse_concurrency(text: &str) -> Option<usize> {
    text.parse().ok().filter(|calls| (1..=256).contains(calls))
}

/// Parses a time limit, more than zero.
pub fn parse_timeout(text: &str) -> Option<Duration> {
    parse_duration(text).filter(|time| !time.is_zero())
}

/// Parses a number of rows.
pub fn parse_count(text: &str) -> Option<u64> {
    text.parse().ok()
}

/// Parses a delimiter: printable ASCII that is no letter, digit, quote or blank; or a tab.
pub fn parse_delimiter(text: &str) -> Option<u8> {
    match text.as_bytes() {
        b"tab" | b"\\t" | b"\t" => Some(b'\t'),
        [b'"' | b'\''] => None,
        [one] if one.is_ascii_punctuation() => Some(*one),
        _ => None,
    }
}

/// Takes the name of an encoding that is known.
pub fn parse_encoding(text: &str) -> Option<String> {
    encoding_rs::Encoding::for_label(text.as_bytes()).map(|encoding| encoding.name().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_as_people_write_them() {
        assert_eq!(parse_rate("10/s").map(|rate| rate.to_string()).as_deref(), Some("10/s"));
        assert!(parse_rate("1000000/s").is_some() && parse_rate("4000000000/s").is_none());
        assert_eq!(
            ["0", "1", "256", "257", "-1", "x"].map(parse_concurrency),
            [None, Some(1), Some(256), None, None, None]
        );
        assert_eq!(parse_timeout("0s"), None);
        let delimiters = [",", ";", "|", "tab", "\t", "\\t", "a", "\"", "", ",,", " ", "é"];
        let expected = [Some(b','), Some(b';'), Some(b'|'), Some(b'\t'), Some(b'\t'), Some(b'\t')];
        for (text, expected) in delimiters.iter().zip(expected.into_iter().chain([None; 6])) {
            assert_eq!(parse_delimiter(text), expected, "{text:?}");
        }
        assert_eq!(parse_encoding("latin1").as_deref(), Some("windows-1252"));
        assert_eq!(parse_encoding("klingon"), None);
    }

    #[test]
    fn each_value_comes_from_the_first_layer_that_names_it() {
        let rate = |text| LimitLayer { rate: parse_rate(text), ..LimitLayer::default() };
        let calls = |calls| LimitLayer { concurrency: Some(calls), ..LimitLayer::default() };
        let limits = rate("9/s").over(calls(2)).over(rate("8/s").over(calls(3))).resolve();
        assert_eq!((limits.rate.to_string().as_str(), limits.concurrency), ("9/s", 2));
        assert_eq!(LimitLayer::default().resolve(), Limits::default());
        let guard = GuardLayer { max_in_doubt: Some(3), ..GuardLayer::default() };
        assert_eq!(
            guard.over(GuardLayer { max_failures: MaxFailures::parse("1"), max_in_doubt: Some(9) }).resolve(),
            Guard { max_failures: MaxFailures::Rows(1), max_in_doubt: 3 }
        );
        assert_eq!(GuardLayer::default().resolve(), Guard::default());
    }
}
