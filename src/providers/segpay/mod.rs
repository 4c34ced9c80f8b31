//! Segpay: consumer support tasks of its Reporting Services (SRS).
//!
//! `operations` is data, `srs` the one funnel for requests and the table of replies, `verify` what its reports prove.
//! Nothing here repeats a call or decides what comes of one.

use std::time::Duration;

use secrecy::SecretString;

use crate::contract::{
    Account, AccountSetup, CredentialSpec, Doubt, Finding, LocalFuture, Observation, OptionSpec, Provider, RowFault,
    SetupError, UrlSpec,
};
use crate::http::Endpoint;
use crate::model::failure::{Failure, FailureClass, Reply};
use crate::model::ids::AccountName;
use crate::model::operation::{Kind, OperationSpec};
use crate::model::row::Row;
use crate::model::settings::parse_duration;

mod operations;
mod srs;
#[cfg(test)]
mod tests;
mod verify;

use operations::{Evidence, OPERATIONS, task};
use srs::{Srs, parameters};

/// The most bytes that a free text may have once it is encoded. The service's web server takes a query of 2,048 by
/// default, and the credentials, the other parameters and the token have to fit as well.
const MAX_ENCODED_TEXT: usize = 1500;

/// The provider.
#[derive(Debug, Clone, Copy)]
pub struct Segpay;

impl Provider for Segpay {
    fn name(&self) -> &'static str {
        "segpay"
    }

    fn title(&self) -> &'static str {
        "Segpay"
    }

    fn operations(&self) -> &'static [OperationSpec] {
        OPERATIONS
    }

    fn urls(&self) -> &'static [UrlSpec] {
        &[
            UrlSpec { key: "srs", default: "https://srs.segpay.com" },
            UrlSpec { key: "api", default: "https://api.segpay.com" },
        ]
    }

    fn credentials(&self) -> &'static [CredentialSpec] {
        CREDENTIALS
    }

    fn options(&self) -> &'static [OptionSpec] {
        &[OptionSpec {
            key: "settle_delay",
            values: &[],
            default: "60s",
            about: "how long after a call the reports are trusted to show its effect; an extension gets twice as long",
        }]
    }

    fn check(&self, row: &Row) -> Result<(), RowFault> {
        for (parameter, text) in row.given() {
            if !matches!(parameter.kind, Kind::Text { .. }) {
                continue;
            }
            let encoded: usize = form_urlencoded::byte_serialize(text.as_bytes()).map(str::len).sum();
            if encoded > MAX_ENCODED_TEXT {
                let expected = format!("a shorter text: {MAX_ENCODED_TEXT} bytes once encoded, not {encoded}");
                return Err(RowFault { parameter: parameter.name, expected });
            }
        }
        Ok(())
    }

    fn open(&self, setup: AccountSetup) -> Result<Box<dyn Account>, SetupError> {
        let endpoint = endpoint(&setup, "srs")?;
        let settle_delay = settle_delay(&setup)?;
        let user_id = credential(&setup, "user_id")?;
        let access_key = credential(&setup, "access_key")?;
        let srs = Srs::new(endpoint, setup.transport, user_id, access_key);
        Ok(Box::new(SegpayAccount { srs, settle_delay }))
    }
}

/// The first two are needed by everything: an upgrade too is verified through the reports.
const CREDENTIALS: &[CredentialSpec] = &[
    CredentialSpec {
        key: "user_id",
        variable: "SEGPAY_USER_ID",
        about: "the user ID of the Reporting Services (SRS)",
        needed_by: &[],
    },
    CredentialSpec {
        key: "access_key",
        variable: "SEGPAY_ACCESS_KEY",
        about: "the user access key of the Reporting Services (SRS)",
        needed_by: &[],
    },
    CredentialSpec {
        key: "api_username",
        variable: "SEGPAY_API_USERNAME",
        about: "the user name of the Membership Upgrade API",
        needed_by: &["segpay.upgrade_membership"],
    },
    CredentialSpec {
        key: "api_password",
        variable: "SEGPAY_API_PASSWORD",
        about: "the password of the Membership Upgrade API",
        needed_by: &["segpay.upgrade_membership"],
    },
    CredentialSpec {
        key: "merchant_id",
        variable: "SEGPAY_MERCHANT_ID",
        about: "the merchant's number, for dynamic pricing",
        needed_by: &["segpay.dynamic_pricing"],
    },
];

fn fault(account: &AccountName, message: String, hint: impl Into<Option<String>>) -> SetupError {
    SetupError { account: account.clone(), message, hint: hint.into() }
}

fn endpoint(setup: &AccountSetup, key: &str) -> Result<Endpoint, SetupError> {
    let url = setup.urls.iter().find(|(own, _)| *own == key).map_or("", |(_, url)| url.as_str());
    Endpoint::parse(url).map_err(|expected| fault(&setup.name, format!("the URL `{key}` is not {expected}"), None))
}

fn credential(setup: &AccountSetup, key: &'static str) -> Result<SecretString, SetupError> {
    let found = setup.credentials.iter().find(|(own, _)| *own == key).map(|(_, secret)| secret.clone());
    found.ok_or_else(|| {
        let variable = CREDENTIALS.iter().find(|spec| spec.key == key).map_or("", |spec| spec.variable);
        let hint = format!("set {variable}, or name where it comes from in the account's `credentials`");
        fault(&setup.name, format!("the credential `{key}` is missing"), hint)
    })
}

fn settle_delay(setup: &AccountSetup) -> Result<Duration, SetupError> {
    let text = setup.options.iter().find(|(own, _)| *own == "settle_delay").map_or("60s", |(_, text)| text.as_str());
    parse_duration(text)
        .ok_or_else(|| fault(&setup.name, format!("`settle_delay` is `{text}`, not a duration such as `60s`"), None))
}

/// An account, ready to call.
struct SegpayAccount {
    srs: Srs,
    settle_delay: Duration,
}

impl Account for SegpayAccount {
    fn perform<'a>(&'a self, row: &'a Row, token: Option<&'a str>) -> LocalFuture<'a, Reply> {
        Box::pin(async move {
            match task(row.operation.verb()) {
                Some(task) => self.srs.perform(row.operation, task, &parameters(row, token)).await,
                None => Reply::Failed(unknown_operation(row.operation.name)),
            }
        })
    }

    fn probe(&self) -> LocalFuture<'_, Reply> {
        Box::pin(async {
            let verb = "validate_user_access";
            let operation = OPERATIONS.iter().find(|operation| operation.verb() == verb);
            let (Some(operation), Some(task)) = (operation, task(verb)) else {
                return Reply::Failed(unknown_operation(verb));
            };
            match self.srs.perform(operation, task, &[]).await {
                Reply::Applied(mut answer) => {
                    let merchant = answer.data.first().map_or("?", |(_, merchant)| merchant.as_str());
                    answer.message = format!("merchant {merchant}");
                    Reply::Applied(answer)
                }
                other => other,
            }
        })
    }

    fn observe<'a>(&'a self, row: &'a Row) -> Option<LocalFuture<'a, Result<Observation, Failure>>> {
        let evidence = task(row.operation.verb())?.evidence?;
        let subject = row.get(row.operation.subject?)?;
        Some(match evidence {
            Evidence::Refunded => Box::pin(verify::observe_refund(&self.srs, subject)),
            Evidence::Extended | Evidence::Repriced => Box::pin(verify::observe_active(&self.srs, subject)),
            Evidence::Cancelled | Evidence::Expired => Box::pin(verify::observe_purchase(&self.srs, subject)),
        })
    }

    fn judge(&self, row: &Row, doubt: &Doubt<'_>, now: &Observation) -> Finding {
        match task(row.operation.verb()).and_then(|task| task.evidence) {
            Some(evidence) => verify::judge(evidence, row, doubt, now, self.settle_delay),
            None => Finding::Conflict("nothing that can be read shows it".to_owned()),
        }
    }

    fn settle_delay(&self) -> Duration {
        self.settle_delay
    }
}

/// Cannot happen while the declarations and the tasks agree (a test says so); nothing is sent then.
fn unknown_operation(name: &str) -> Failure {
    Failure::new(FailureClass::NotWritten, format!("`{name}` is not an operation of Segpay"))
}
