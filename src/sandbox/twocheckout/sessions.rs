//! Logins and sessions.
//!
//! A login is signed: HMAC over the merchant's code and the time, each with its length in bytes before it. The digest is
//! MD5, and from version 6.0 on a fourth parameter may name SHA-256 or SHA3-256.

use std::collections::HashMap;

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::super::credentials::{TWOCHECKOUT_MERCHANT_CODE, TWOCHECKOUT_SECRET_KEY};
use super::methods::Arguments;
use super::value::Value;
use super::{Call, Exception, Version};

/// How long a session lives from its login.
const LIFETIME: SignedDuration = SignedDuration::from_mins(10);

/// How far the time of a login may be from ours.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(15);

/// The sessions, by their identifiers, with the times of their ends.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    ends: HashMap<String, Timestamp>,
}

impl Sessions {
    fn open(&mut self, now: Timestamp) -> String {
        let id = format!("{:032x}", fastrand::u128(..));
        self.ends.insert(id.clone(), now + LIFETIME);
        id
    }

    /// Whether a session is open at this time.
    pub(super) fn check(&self, id: &str, now: Timestamp) -> Result<(), Exception> {
        match self.ends.get(id) {
            Some(end) if now < *end => Ok(()),
            Some(_) => Err(Exception::new(10_002, "SESSION_EXPIRED", "Session expired")),
            None => Err(Exception::new(10_001, "INVALID_SESSION", "Invalid session")),
        }
    }

    /// Ends them all.
    pub(super) fn expire(&mut self) {
        self.ends.values_mut().for_each(|end| *end = Timestamp::MIN);
    }
}

/// Opens a session for a login that is signed rightly and in time.
pub(super) fn login(call: &mut Call<'_>, arguments: &Arguments) -> Result<Value, Exception> {
    let [code, date, hash] = ["vendorCode", "date", "hash"].map(|name| arguments.text(name));
    let digest = Digest::named(arguments.optional_text("algo"), call.version);
    let expected = digest.map(|digest| digest.sign(code, date, TWOCHECKOUT_SECRET_KEY));
    if code != TWOCHECKOUT_MERCHANT_CODE || !is_now(date, call.now) || expected.as_deref() != Some(hash) {
        return Err(Exception::new(10_000, "FORBIDDEN", "Invalid hash provided or session expired"));
    }
    Ok(call.account.sessions.open(call.now).into())
}

/// Whether `YYYY-MM-DD HH:MM:SS` in UTC is about now.
fn is_now(date: &str, now: Timestamp) -> bool {
    let given = DateTime::strptime("%Y-%m-%d %H:%M:%S", date).and_then(|date| TimeZone::UTC.to_timestamp(date));
    given.is_ok_and(|given| given.duration_since(now).abs() <= TOLERANCE)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Digest {
    Md5,
    Sha256,
    Sha3,
}

impl Digest {
    /// The digest that a login uses; `None` where it names one that there is not.
    fn named(algorithm: Option<&str>, version: Version) -> Option<Self> {
        match algorithm {
            None => Some(Self::Md5),
            Some("sha256") if version.names_digest() => Some(Self::Sha256),
            Some("sha3-256") if version.names_digest() => Some(Self::Sha3),
            Some(_) => None,
        }
    }

    fn sign(self, code: &str, date: &str, key: &str) -> String {
        let text = format!("{}{code}{}{date}", code.len(), date.len());
        match self {
            Self::Md5 => hex::<Hmac<md5::Md5>>(key, &text),
            Self::Sha256 => hex::<Hmac<sha2::Sha256>>(key, &text),
            Self::Sha3 => hex::<Hmac<sha3::Sha3_256>>(key, &text),
        }
    }
}

fn hex<M: Mac + KeyInit>(key: &str, text: &str) -> String {
    // A key of any length is taken; if that changed, no login would be right.
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key.as_bytes()) else { return String::new() };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test may say why a value must be there")]
    use super::*;

    #[test]
    fn signatures_are_the_known_ones() {
        let sign = |digest: Digest| digest.sign("AVANGATE", "2010-05-13 12:12:12", "SECRET_KEY");
        assert_eq!(sign(Digest::Md5), "bf763db7d333e9c3038698cf59ada3e6");
        assert_eq!(sign(Digest::Sha256), "29e85dbf92ce0113e7755c31c0438a7db98a4de9f910bf0a527e005f35e43739");
        assert_eq!(sign(Digest::Sha3), "0c7e9c0c96148e5bf8e199a0a0e27977edc099ff0b27794e761853b96e04c7fb");
    }

    #[test]
    fn lengths_are_counted_in_bytes() {
        // 3ÄB1x, with 3 for the two letters' three bytes.
        assert_eq!(Digest::Md5.sign("ÄB", "x", "k"), hex::<Hmac<md5::Md5>>("k", "3ÄB1x"));
    }

    #[test]
    fn digests_are_named_from_version_six_on() {
        assert_eq!(Digest::named(None, Version(6)), Some(Digest::Md5));
        assert_eq!(Digest::named(Some("sha3-256"), Version(6)), Some(Digest::Sha3));
        assert_eq!(Digest::named(Some("sha256"), Version(5)), None);
        assert_eq!(Digest::named(Some("md5"), Version(6)), None);
    }

    #[test]
    fn a_session_ends_ten_minutes_after_its_login() {
        let start: Timestamp = "2026-11-23T12:00:00Z".parse().expect("a time");
        let mut sessions = Sessions::default();
        let id = sessions.open(start);
        let at = |minutes| sessions.check(&id, start + SignedDuration::from_mins(minutes)).map_err(|error| error.code);
        assert_eq!((at(0), at(9), at(10)), (Ok(()), Ok(()), Err(10_002)));
        assert_eq!(sessions.check("x", start).map_err(|error| error.code), Err(10_001));
        sessions.expire();
        assert_eq!(sessions.check(&id, start).map_err(|error| error.code), Err(10_002));
    }

    #[test]
    fn a_clock_may_be_a_quarter_of_an_hour_off() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().expect("a time");
        for near in ["2026-11-23 12:00:00", "2026-11-23 11:45:00", "2026-11-23 12:15:00"] {
            assert!(is_now(near, now), "{near}");
        }
        for far in ["2026-11-23 11:44:59", "2026-11-23 12:15:01", "2026-11-23T12:00:00Z", "now", ""] {
            assert!(!is_now(far, now), "{far}");
        }
    }
}
