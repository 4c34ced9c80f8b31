//! Segpay: consumer support tasks of its Reporting Services (SRS), membership upgrades, and dynamic pricing.
//!
//! `operations` is data. `srs`, `upgrade` and `dynamic_pricing` are an interface of the vendor each: the one funnel for
//! its requests, and the table of its replies. `verify` is what the reports prove. Nothing here repeats a call or
//! decides what comes of one.

use std::time::Duration;

use crate::contract::{
    Account, AccountSetup, CredentialSpec, Doubt, Finding, Listed, LocalFuture, Observation, OptionSpec, Provider,
    RowFault, SetupError, UrlSpec,
};
use crate::model::failure::{Failure, FailureClass, Reply};
use crate::model::operation::{Kind, OperationSpec};
use crate::model::row::Row;
use crate::providers::setup;

mod dynamic_pricing;
mod operations;
mod srs;
#[cfg(test)]
mod tests;
mod upgrade;
mod verify;

use dynamic_pricing::DynamicPricing;
use operations::{Evidence, Interface, OPERATIONS, task};
use srs::{Srs, parameters};
use upgrade::{Format, Upgrade};

/// The most bytes that a free text may have once it is encoded. The service's web server takes a query of 2,048 by
/// default, and the credentials, the other parameters and the token have to fit as well.
const MAX_ENCODED_TEXT: usize = 1500;

/// The rows that a list has at once, as the vendor documents it of some.
const LIST_PAGE: u32 = 250;

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
        &[
            OptionSpec {
                key: "settle_delay",
                values: &[],
                default: "60s",
                about: "how long after a call the reports are trusted to show its effect; an extension gets twice as long",
            },
            OptionSpec {
                key: "upgrade_request",
                values: Format::WORDS,
                default: "json",
                about: "how requests to the Membership Upgrade API are written",
            },
            OptionSpec {
                key: "upgrade_response",
                values: Format::WORDS,
                default: "json",
                about: "how its replies are wanted",
            },
        ]
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
        dynamic_pricing::check(row)
    }

    fn page_size(&self, operation: &OperationSpec) -> Option<u32> {
        is_listed(operation).then_some(LIST_PAGE)
    }

    fn open(&self, setup: AccountSetup) -> Result<Box<dyn Account>, SetupError> {
        let endpoint = setup::endpoint(&setup, "srs")?;
        let settle_delay = setup::duration(&setup, "settle_delay")?;
        let user_id = setup::credential(&setup, CREDENTIALS, "user_id")?;
        let access_key = setup::credential(&setup, CREDENTIALS, "access_key")?;
        let upgrade = open_upgrade(&setup)?;
        let dynamic_pricing = setup::found(&setup, "merchant_id").and_then(|merchant_id| {
            let (transport, user_id) = (setup.transport.clone(), user_id.clone());
            DynamicPricing::new(endpoint.clone(), transport, user_id, access_key.clone(), merchant_id)
        });
        let srs = Srs::new(endpoint, setup.transport, user_id, access_key);
        Ok(Box::new(SegpayAccount { srs, upgrade, dynamic_pricing, settle_delay }))
    }
}

/// The Membership Upgrade API, where the account has a login for it.
fn open_upgrade(setup: &AccountSetup) -> Result<Option<Upgrade>, SetupError> {
    let endpoint = setup::endpoint(setup, "api")?;
    let format = |key: &str| {
        let word = setup::option(setup, key);
        Format::parse(word).ok_or_else(|| setup::fault(setup, format!("`{key}` is `{word}`, not `json` or `xml`")))
    };
    let formats = (format("upgrade_request")?, format("upgrade_response")?);
    let (Some(name), Some(password)) = (setup::found(setup, "api_username"), setup::found(setup, "api_password"))
    else {
        return Ok(None);
    };
    let upgrade = Upgrade::new(endpoint, setup.transport.clone(), name, password, formats);
    let colon = || setup::fault(setup, "the credential `api_username` has a colon in it".to_owned());
    upgrade.ok_or_else(colon).map(Some)
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

/// An account, ready to call.
struct SegpayAccount {
    srs: Srs,
    /// Where there are credentials for it.
    upgrade: Option<Upgrade>,
    /// Where there are credentials for it.
    dynamic_pricing: Option<DynamicPricing>,
    settle_delay: Duration,
}

impl Account for SegpayAccount {
    fn perform<'a>(&'a self, row: &'a Row, token: Option<&'a str>) -> LocalFuture<'a, Reply> {
        Box::pin(async move {
            match task(row.operation.verb()).map(|task| task.interface) {
                Some(Interface::Srs { path, success }) => {
                    self.srs.perform(row.operation, path, success, &parameters(row, token)).await
                }
                Some(Interface::Upgrade) => match &self.upgrade {
                    Some(upgrade) => upgrade.perform(row).await,
                    None => Reply::Failed(upgrade::unconfigured()),
                },
                Some(Interface::DynamicPricing) => match &self.dynamic_pricing {
                    Some(dynamic_pricing) => dynamic_pricing.perform(row).await,
                    None => Reply::Failed(dynamic_pricing::unconfigured()),
                },
                None => Reply::Failed(unknown_operation(row.operation.name)),
            }
        })
    }

    fn probe(&self) -> LocalFuture<'_, Reply> {
        Box::pin(async {
            let verb = "validate_user_access";
            let operation = OPERATIONS.iter().find(|operation| operation.verb() == verb);
            let interface = task(verb).map(|task| task.interface);
            let (Some(operation), Some(Interface::Srs { path, success })) = (operation, interface) else {
                return Reply::Failed(unknown_operation(verb));
            };
            match self.srs.perform(operation, path, success, &[]).await {
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
            Evidence::Upgraded => Box::pin(verify::observe_upgrade(&self.srs, subject)),
            Evidence::Extended | Evidence::Repriced => Box::pin(verify::observe_active(&self.srs, subject)),
            Evidence::Cancelled | Evidence::Expired => Box::pin(verify::observe_purchase(&self.srs, subject)),
        })
    }

    fn observe_page(&self, rows: &[&Row]) -> Option<LocalFuture<'_, Result<Vec<Listed>, Failure>>> {
        let purchases: Vec<Option<i64>> = rows.iter().map(|row| listed_purchase(row)).collect();
        purchases
            .iter()
            .any(Option::is_some)
            .then(|| -> LocalFuture<'_, _> { Box::pin(verify::page_of_active(&self.srs, purchases)) })
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

/// Which subscription of the report of active ones shows what the row is about; none where another read does.
fn listed_purchase(row: &Row) -> Option<i64> {
    is_listed(row.operation).then(|| row.get(row.operation.subject?)?.parse().ok())?
}

fn is_listed(operation: &OperationSpec) -> bool {
    let evidence = task(operation.verb()).and_then(|task| task.evidence);
    matches!(evidence, Some(Evidence::Extended | Evidence::Repriced))
}

/// Cannot happen while the declarations and the tasks agree (a test says so); nothing is sent then.
fn unknown_operation(name: &str) -> Failure {
    Failure::new(FailureClass::NotWritten, format!("`{name}` is not an operation of Segpay"))
}
