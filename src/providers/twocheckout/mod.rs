//! 2Checkout (Avangate, Verifone): subscriptions, catalogue and payouts over JSON-RPC or SOAP.
//!
//! `operations` is data, `arguments` makes a row's arguments as one tree of values, `rpc` and `soap` are its two wire
//! forms, `login` and `session` get past the door, `replies` is the table of what answers mean, `reads` what can be read
//! afterwards proves. `account` ties them together. Nothing here repeats a call or decides what comes of one.
//!
//! Every method can be called in either form: the vendor publishes the same methods with the same arguments in both,
//! and shows some of them in one only.

use std::cell::Cell;
use std::time::Duration;

use secrecy::SecretString;

use crate::contract::{Account, AccountSetup, CredentialSpec, OptionSpec, Provider, RowFault, SetupError, UrlSpec};
use crate::http::Endpoint;
use crate::model::operation::OperationSpec;
use crate::model::row::Row;
use crate::model::settings::parse_duration;

mod account;
mod arguments;
mod checks;
mod json;
mod login;
mod operations;
mod payouts;
mod reads;
mod replies;
mod rpc;
mod said;
mod session;
mod soap;
#[cfg(test)]
mod tests;
mod value;

use account::{Protocol, TwoCheckoutAccount};
use login::{Hash, Login};
use session::Sessions;

/// The provider.
#[derive(Debug, Clone, Copy)]
pub struct TwoCheckout;

impl Provider for TwoCheckout {
    fn name(&self) -> &'static str {
        "twocheckout"
    }

    fn title(&self) -> &'static str {
        "2Checkout"
    }

    fn operations(&self) -> &'static [OperationSpec] {
        operations::OPERATIONS
    }

    fn urls(&self) -> &'static [UrlSpec] {
        &[UrlSpec { key: "api", default: "https://api.2checkout.com" }]
    }

    fn credentials(&self) -> &'static [CredentialSpec] {
        CREDENTIALS
    }

    fn options(&self) -> &'static [OptionSpec] {
        OPTIONS
    }

    fn check(&self, row: &Row) -> Result<(), RowFault> {
        checks::check(row)
    }

    fn open(&self, setup: AccountSetup) -> Result<Box<dyn Account>, SetupError> {
        let url = setup.urls.iter().find(|(key, _)| *key == "api").map_or("", |(_, url)| url.as_str());
        let endpoint =
            Endpoint::parse(url).map_err(|expected| fault(&setup, format!("the URL `api` is not {expected}"), None))?;
        let api_version = one_of(&setup, "api_version")?;
        let hash = Hash::choose(option(&setup, "hash"), &api_version).map_err(|message| {
            fault(&setup, message, Some("API 6.0 takes md5, sha256 and sha3-256; older ones md5".to_owned()))
        })?;
        let login = Login {
            merchant_code: credential(&setup, "merchant_code")?,
            secret_key: credential(&setup, "secret_key")?,
            hash,
        };
        let protocol = if one_of(&setup, "protocol")? == "soap" { Protocol::Soap } else { Protocol::JsonRpc };
        let words = option(&setup, "refusals").split([',', ' ']).filter(|word| !word.is_empty());
        let refusals = words.map(str::to_owned).collect();
        let settle_delay = settle_delay(&setup)?;
        let shipping_fees_method = shipping_fees_method(&setup)?;
        Ok(Box::new(TwoCheckoutAccount {
            endpoint,
            protocol,
            api_version,
            login,
            sessions: Sessions::default(),
            next_id: Cell::new(fastrand::u32(1..=1_000_000_000)),
            shipping_fees_method,
            refusals,
            settle_delay,
            transport: setup.transport,
        }))
    }
}

const CREDENTIALS: &[CredentialSpec] = &[
    CredentialSpec {
        key: "merchant_code",
        variable: "TWOCHECKOUT_MERCHANT_CODE",
        about: "the merchant code, from the Control Panel's system settings",
        needed_by: &[],
    },
    CredentialSpec {
        key: "secret_key",
        variable: "TWOCHECKOUT_SECRET_KEY",
        about: "the secret key, from the Control Panel's system settings",
        needed_by: &[],
    },
];

const OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        key: "api_version",
        values: &["3.0", "4.0", "5.0", "6.0"],
        default: "6.0",
        about: "the version of the API",
    },
    OptionSpec {
        key: "hash",
        values: &["auto", "md5", "sha256", "sha3-256"],
        default: "auto",
        about: "the hash of the login; auto is md5 up to API 5.0 and sha256 from 6.0 on",
    },
    OptionSpec {
        key: "protocol",
        values: &["json-rpc", "soap"],
        default: "json-rpc",
        about: "how methods are called; every one can be called either way",
    },
    OptionSpec {
        key: "settle_delay",
        values: &[],
        default: "300s",
        about: "how long after a call its effect is sure to be shown",
    },
    OptionSpec {
        key: "shipping_fees_method",
        values: &[],
        default: "getProductByCode",
        about: "the method that reads shipping fees, called with the product's code; the vendor's page names none",
    },
    OptionSpec {
        key: "refusals",
        values: &[],
        default: "",
        about: "error codes that are known to mean that nothing was done, separated by commas",
    },
];

fn fault(setup: &AccountSetup, message: String, hint: Option<String>) -> SetupError {
    SetupError { account: setup.name.clone(), message, hint }
}

/// An option's value, its default where it is not there.
fn option<'a>(setup: &'a AccountSetup, key: &str) -> &'a str {
    let default = || OPTIONS.iter().find(|spec| spec.key == key).map_or("", |spec| spec.default);
    setup.options.iter().find(|(own, _)| *own == key).map_or_else(default, |(_, value)| value.as_str())
}

/// An option's value, where it is one of those it may have.
fn one_of(setup: &AccountSetup, key: &str) -> Result<String, SetupError> {
    let value = option(setup, key);
    let values = OPTIONS.iter().find(|spec| spec.key == key).map_or(&[][..], |spec| spec.values);
    if values.contains(&value) {
        return Ok(value.to_owned());
    }
    Err(fault(setup, format!("`{key}` is `{value}`, not one of {}", values.join(", ")), None))
}

fn credential(setup: &AccountSetup, key: &'static str) -> Result<SecretString, SetupError> {
    let found = setup.credentials.iter().find(|(own, _)| *own == key).map(|(_, secret)| secret.clone());
    found.ok_or_else(|| {
        let variable = CREDENTIALS.iter().find(|spec| spec.key == key).map_or("", |spec| spec.variable);
        let hint = format!("set {variable}, or name where it comes from in the account's `credentials`");
        fault(setup, format!("the credential `{key}` is missing"), Some(hint))
    })
}

fn settle_delay(setup: &AccountSetup) -> Result<Duration, SetupError> {
    let text = option(setup, "settle_delay");
    parse_duration(text)
        .ok_or_else(|| fault(setup, format!("`settle_delay` is `{text}`, not a duration such as `300s`"), None))
}

/// A method other than the usual one. Only methods that read may be named: this one is called as a read.
fn shipping_fees_method(setup: &AccountSetup) -> Result<Option<String>, SetupError> {
    let method = option(setup, "shipping_fees_method");
    let reads = method.starts_with("get") || method.starts_with("search");
    if !reads || !method.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        let message = format!("`shipping_fees_method` is `{method}`, not the name of a method that reads (`get…`)");
        return Err(fault(setup, message, None));
    }
    Ok((method != "getProductByCode").then(|| method.to_owned()))
}
