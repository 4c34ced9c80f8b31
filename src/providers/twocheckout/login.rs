//! What a login says: a date, and a keyed hash that proves that we have the key without sending it.

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::value::{Argument, Value};

/// The hash of a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    /// Up to API 5.0.
    Md5,
    /// From API 6.0 on.
    Sha256,
    /// From API 6.0 on.
    Sha3,
}

impl Hash {
    /// The hash that an account's `hash` names, or that goes with its version. From 6.0 on that is SHA-256: the vendor's
    /// current samples log in with it. The error says what was expected.
    pub(super) fn choose(name: &str, api_version: &str) -> Result<Self, String> {
        let newest = api_version == "6.0";
        match name {
            "auto" => Ok(if newest { Hash::Sha256 } else { Hash::Md5 }),
            "md5" => Ok(Hash::Md5),
            "sha256" if newest => Ok(Hash::Sha256),
            "sha3-256" if newest => Ok(Hash::Sha3),
            "sha256" | "sha3-256" => Err(format!("`hash` is `{name}`, which API {api_version} does not know")),
            _ => Err(format!("`hash` is `{name}`, not one of auto, md5, sha256, sha3-256")),
        }
    }

    /// Its name as a fourth argument; MD5 is what the service takes without one.
    fn name(self) -> Option<&'static str> {
        match self {
            Hash::Md5 => None,
            Hash::Sha256 => Some("sha256"),
            Hash::Sha3 => Some("sha3-256"),
        }
    }

    fn keyed(self, key: &str, text: &str) -> String {
        match self {
            Hash::Md5 => keyed::<Hmac<md5::Md5>>(key, text),
            Hash::Sha256 => keyed::<Hmac<sha2::Sha256>>(key, text),
            Hash::Sha3 => keyed::<Hmac<sha3::Sha3_256>>(key, text),
        }
    }
}

fn keyed<M: Mac + KeyInit>(key: &str, text: &str) -> String {
    // A key of any length is one; the empty text stands for what cannot happen, and no login is made of it.
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key.as_bytes()) else { return String::new() };
    mac.update(text.as_bytes());
    let mut hex = String::new();
    for byte in mac.finalize().into_bytes() {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// Who logs in, and how.
pub(super) struct Login {
    /// The account's code in the Control Panel.
    pub(super) merchant_code: SecretString,
    /// Its secret key.
    pub(super) secret_key: SecretString,
    /// The hash.
    pub(super) hash: Hash,
}

impl Login {
    /// The arguments of a login now.
    pub(super) fn arguments(&self, now: Timestamp) -> Vec<Argument<'static>> {
        let code = self.merchant_code.expose_secret();
        // Once: a second look at the clock could fall into the next second, and the hash would not fit the date.
        let date = date(now);
        let signed = format!("{}{code}{}{date}", code.len(), date.len());
        let hash = self.hash.keyed(self.secret_key.expose_secret(), &signed);
        let mut arguments = vec![
            ("merchantCode", Value::text(code.to_owned())),
            ("date", Value::text(date)),
            ("hash", Value::text(hash)),
        ];
        arguments.extend(self.hash.name().map(|name| ("algo", Value::text(name))));
        arguments
    }
}

/// A time as a login says it: in UTC, without a zone.
pub(super) fn date(now: Timestamp) -> String {
    now.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test states what it expects")]

    use super::*;

    fn arguments(code: &str, hash: Hash) -> Vec<String> {
        let login = Login { merchant_code: code.into(), secret_key: "SECRET_KEY".into(), hash };
        let now = "2010-05-13T12:12:12.999Z".parse().expect("a time");
        login.arguments(now).iter().filter_map(|(_, value)| value.as_text().map(str::to_owned)).collect()
    }

    #[test]
    fn the_documented_example_and_the_newer_hashes() {
        let date = "2010-05-13 12:12:12";
        assert_eq!(arguments("AVANGATE", Hash::Md5), ["AVANGATE", date, "bf763db7d333e9c3038698cf59ada3e6"]);
        assert_eq!(
            arguments("AVANGATE", Hash::Sha256),
            ["AVANGATE", date, "29e85dbf92ce0113e7755c31c0438a7db98a4de9f910bf0a527e005f35e43739", "sha256"]
        );
        assert_eq!(
            arguments("AVANGATE", Hash::Sha3),
            ["AVANGATE", date, "0c7e9c0c96148e5bf8e199a0a0e27977edc099ff0b27794e761853b96e04c7fb", "sha3-256"]
        );
    }

    #[test]
    fn lengths_are_counted_in_bytes() {
        let expected = Hash::Md5.keyed("SECRET_KEY", "4kéy192010-05-13 12:12:12");
        assert_eq!(arguments("kéy", Hash::Md5).get(2), Some(&expected));
    }

    #[test]
    fn the_hash_goes_with_the_version() {
        assert_eq!(Hash::choose("auto", "5.0"), Ok(Hash::Md5));
        assert_eq!(Hash::choose("auto", "6.0"), Ok(Hash::Sha256));
        assert_eq!(Hash::choose("md5", "6.0"), Ok(Hash::Md5));
        assert_eq!(Hash::choose("sha3-256", "6.0"), Ok(Hash::Sha3));
        assert!(Hash::choose("sha256", "5.0").is_err());
        assert!(Hash::choose("sha3-256", "3.0").is_err());
        assert!(Hash::choose("sha1", "6.0").is_err());
    }
}
