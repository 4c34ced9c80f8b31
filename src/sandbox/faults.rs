//! What can go wrong between a client and a provider, on purpose.
//!
//! Each fault says two things: whether the provider did the work (`applied`), and what the client gets to see. The pair
//! is the point: the same reset can hide a refund that happened and one that did not, and only the ledger knows.
//! A request's fault depends on the seed and on the request's number alone, so a run can be repeated.

use std::fmt;
use std::str::FromStr;

/// What the client gets to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Symptom {
    /// The connection is reset (TCP RST).
    Reset,
    /// The connection is closed in good order, without a reply.
    Close,
    /// Nothing, for as long as the client waits.
    Hang,
    /// Half of the reply, then the end of the connection.
    Truncate,
    /// A reply in the provider's usual form, with a word that is in no documentation.
    Garbage,
    /// A reply about another id, where the reply names one.
    WrongId,
    /// This status, with an HTML page as a web server or a proxy shows it.
    Status(u16),
    /// 429 with `Retry-After: 1`.
    Throttle,
    /// 200 with a maintenance page in HTML.
    Html,
    /// 302 to another path.
    Redirect,
    /// The right reply, late.
    Slow,
}

/// One kind of fault.
#[derive(Debug)]
pub(super) struct Fault {
    /// Its name in `--faults`.
    pub(super) name: &'static str,
    /// Other names that are understood.
    aliases: &'static [&'static str],
    /// Whether the provider does the work.
    pub(super) applied: bool,
    /// What the client sees.
    pub(super) symptom: Symptom,
}

const fn fault(name: &'static str, aliases: &'static [&'static str], applied: bool, symptom: Symptom) -> Fault {
    Fault { name, aliases, applied, symptom }
}

/// All of them. Where several are drawn for one request, the first in this order happens.
pub(super) static FAULTS: [Fault; 21] = [
    fault("reset_before", &[], false, Symptom::Reset),
    fault("reset_after", &[], true, Symptom::Reset),
    fault("close_before", &[], false, Symptom::Close),
    fault("close_after", &[], true, Symptom::Close),
    fault("hang_before", &[], false, Symptom::Hang),
    fault("hang_after", &[], true, Symptom::Hang),
    fault("http_500_before", &[], false, Symptom::Status(500)),
    fault("http_500_after", &[], true, Symptom::Status(500)),
    fault("http_502_after", &[], true, Symptom::Status(502)),
    fault("http_503", &["http_503_before"], false, Symptom::Status(503)),
    fault("http_503_after", &[], true, Symptom::Status(503)),
    fault("http_409_after", &[], true, Symptom::Status(409)),
    fault("throttle", &[], false, Symptom::Throttle),
    fault("truncate_after", &["truncate"], true, Symptom::Truncate),
    fault("garbage_after", &["garbage"], true, Symptom::Garbage),
    fault("html", &["html_before"], false, Symptom::Html),
    fault("html_after", &[], true, Symptom::Html),
    fault("redirect", &["redirect_before"], false, Symptom::Redirect),
    fault("redirect_after", &[], true, Symptom::Redirect),
    fault("wrong_id", &["wrong_id_after"], true, Symptom::WrongId),
    fault("slow", &[], true, Symptom::Slow),
];

/// How likely each fault is, from 0 (never) to 1 (always). Read from `reset_after=0.01,html=0.002`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Faults {
    probabilities: [f64; FAULTS.len()],
}

impl Faults {
    /// The fault that happens to a request, if any.
    pub(super) fn draw(&self, random: &mut fastrand::Rng) -> Option<&'static Fault> {
        // Every fault is drawn even when an earlier one has hit: one probability must not shift the others' draws.
        let mut drawn = None;
        for (fault, probability) in FAULTS.iter().zip(self.probabilities) {
            let hit = random.f64() < probability;
            if hit && drawn.is_none() {
                drawn = Some(fault);
            }
        }
        drawn
    }
}

/// The position of a fault in [`FAULTS`], by name or alias.
fn position(name: &str) -> Option<usize> {
    FAULTS.iter().position(|fault| fault.name == name || fault.aliases.contains(&name))
}

impl FromStr for Faults {
    type Err = FaultsError;

    fn from_str(text: &str) -> Result<Self, FaultsError> {
        let mut faults = Self::default();
        let mut seen = [false; FAULTS.len()];
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').ok_or_else(|| FaultsError::Form { given: part.to_owned() })?;
            let (name, value) = (name.trim(), value.trim());
            let at = position(name).ok_or_else(|| FaultsError::Unknown { given: name.to_owned() })?;
            if std::mem::replace(&mut seen[at], true) {
                return Err(FaultsError::Twice { name: FAULTS[at].name });
            }
            faults.probabilities[at] = value
                .parse()
                .ok()
                .filter(|probability| (0.0..=1.0).contains(probability))
                .ok_or_else(|| FaultsError::Probability { name: FAULTS[at].name, given: value.to_owned() })?;
        }
        Ok(faults)
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (fault, probability) in FAULTS.iter().zip(self.probabilities) {
            if probability > 0.0 {
                write!(f, "{separator}{}={probability}", fault.name)?;
                separator = ",";
            }
        }
        Ok(())
    }
}

/// Why a list of faults could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultsError {
    /// Not `name=probability`.
    #[error("`{given}` is not a fault with its probability\nhint: write it as `reset_after=0.01`")]
    Form {
        /// What was given.
        given: String,
    },
    /// A name that is not known.
    #[error("there is no fault `{given}`\nhint: the faults are {}", known_names())]
    Unknown {
        /// What was given.
        given: String,
    },
    /// The same fault twice, possibly under two names.
    #[error("the fault `{name}` is given twice")]
    Twice {
        /// Its name.
        name: &'static str,
    },
    /// Not a number from 0 to 1.
    #[error("the probability of `{name}` is `{given}`, and must be a number from 0 to 1")]
    Probability {
        /// The fault's name.
        name: &'static str,
        /// What was given.
        given: String,
    },
}

fn known_names() -> String {
    FAULTS.iter().map(|fault| fault.name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test may say why a value must be there")]
    use super::*;

    fn parse(text: &str) -> Result<String, String> {
        text.parse::<Faults>().map(|faults| faults.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn faults_as_people_write_them() {
        assert_eq!(parse(""), Ok(String::new()));
        assert_eq!(parse("reset_after=0.01, html=1"), Ok("reset_after=0.01,html=1".to_owned()));
        assert_eq!(parse("garbage=0.5,truncate=0.25"), Ok("truncate_after=0.25,garbage_after=0.5".to_owned()));
    }

    #[test]
    fn what_is_wrong_is_said_in_full() {
        let message = parse("rest_after=0.1").expect_err("a misspelt name");
        assert!(message.starts_with("there is no fault `rest_after`\nhint: the faults are reset_before, reset_after,"));
        assert!(message.contains("wrong_id") && message.contains("slow"));
        for value in ["1.1", "-0.1", "NaN", "5%", ""] {
            let message = parse(&format!("throttle={value}")).expect_err("no probability");
            assert_eq!(
                message,
                format!("the probability of `throttle` is `{value}`, and must be a number from 0 to 1")
            );
        }
        assert!(parse("throttle").is_err());
        assert!(parse("garbage=0.1,garbage_after=0.1").is_err());
    }

    #[test]
    fn names_and_aliases_name_one_fault_each() {
        let mut names: Vec<_> =
            FAULTS.iter().flat_map(|fault| fault.aliases.iter().copied().chain([fault.name])).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn draws_follow_the_probabilities_and_the_seed() {
        let faults: Faults = "reset_after=0.1,slow=0.5".parse().expect("faults");
        let draw = |seed| {
            let mut random = fastrand::Rng::with_seed(seed);
            (0..10_000).map(|_| faults.draw(&mut random).map(|fault| fault.name)).collect::<Vec<_>>()
        };
        let drawn = draw(1);
        assert_eq!(drawn, draw(1));
        assert_ne!(drawn, draw(2));
        let count = |name| drawn.iter().filter(|drawn| **drawn == Some(name)).count();
        assert!((900..1_100).contains(&count("reset_after")), "{}", count("reset_after"));
        assert!((4_200..4_800).contains(&count("slow")), "{}", count("slow"));
    }
}
