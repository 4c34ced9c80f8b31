//! Takes an account's setup apart: the same for every provider, and with the same words where something is missing.
//!
//! No message may repeat a URL or a credential: a URL that is wrong may be wrong for having a password in it.

use std::time::Duration;

use secrecy::SecretString;

use crate::contract::{AccountSetup, CredentialSpec, SetupError};
use crate::http::Endpoint;
use crate::model::settings::parse_duration;

/// Why the account cannot be made, without a hint.
pub(crate) fn fault(setup: &AccountSetup, message: String) -> SetupError {
    SetupError { account: setup.name.clone(), message, hint: None }
}

/// Where the calls of the URL `key` go.
pub(crate) fn endpoint(setup: &AccountSetup, key: &str) -> Result<Endpoint, SetupError> {
    let url = setup.urls.iter().find(|(own, _)| *own == key).map_or("", |(_, url)| url.as_str());
    Endpoint::parse(url).map_err(|expected| fault(setup, format!("the URL `{key}` is not {expected}")))
}

/// The credential `key`, if it was found.
pub(crate) fn found(setup: &AccountSetup, key: &str) -> Option<SecretString> {
    setup.credentials.iter().find(|(own, _)| *own == key).map(|(_, secret)| secret.clone())
}

/// The credential `key` of those that the provider declares.
pub(crate) fn credential(
    setup: &AccountSetup,
    declared: &[CredentialSpec],
    key: &str,
) -> Result<SecretString, SetupError> {
    found(setup, key).ok_or_else(|| {
        let variable = declared.iter().find(|spec| spec.key == key).map_or("", |spec| spec.variable);
        let hint = format!("set {variable}, or name where it comes from in the account's `credentials`");
        SetupError { hint: Some(hint), ..fault(setup, format!("the credential `{key}` is missing")) }
    })
}

/// The text of the option `key`; empty where the provider has no such option.
pub(crate) fn option<'a>(setup: &'a AccountSetup, key: &str) -> &'a str {
    setup.options.iter().find(|(own, _)| *own == key).map_or("", |(_, text)| text.as_str())
}

/// The option `key` as a duration.
pub(crate) fn duration(setup: &AccountSetup, key: &str) -> Result<Duration, SetupError> {
    let text = option(setup, key);
    parse_duration(text).ok_or_else(|| fault(setup, format!("`{key}` is `{text}`, not a duration such as `60s`")))
}
