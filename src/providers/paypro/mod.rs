//! PayPro Global: subscriptions of a vendor's store.
//!
//! `operations` is data, `store` the one funnel for requests, `reply` the table of what comes back, `verify` what a
//! subscription's details prove. Nothing here repeats a call or decides what comes of one.

use std::time::Duration;

use crate::contract::{
    Account, AccountSetup, CredentialSpec, Doubt, Finding, LocalFuture, Observation, OptionSpec, Provider, SetupError,
    UrlSpec,
};
use crate::model::failure::{Failure, FailureClass, Reply};
use crate::model::operation::OperationSpec;
use crate::model::row::Row;
use crate::providers::setup;

mod operations;
mod reply;
mod store;
#[cfg(test)]
mod tests;
mod verify;

use operations::{OPERATIONS, task};
use store::Store;

/// The provider.
#[derive(Debug, Clone, Copy)]
pub struct PayPro;

impl Provider for PayPro {
    fn name(&self) -> &'static str {
        "paypro"
    }

    fn title(&self) -> &'static str {
        "PayPro Global"
    }

    fn operations(&self) -> &'static [OperationSpec] {
        OPERATIONS
    }

    fn urls(&self) -> &'static [UrlSpec] {
        &[UrlSpec { key: "store", default: "https://store.payproglobal.com" }]
    }

    fn credentials(&self) -> &'static [CredentialSpec] {
        CREDENTIALS
    }

    fn options(&self) -> &'static [OptionSpec] {
        &[OptionSpec {
            key: "settle_delay",
            values: &[],
            default: "60s",
            about: "how long after a call a subscription's details are trusted to show its effect",
        }]
    }

    fn open(&self, setup: AccountSetup) -> Result<Box<dyn Account>, SetupError> {
        let endpoint = setup::endpoint(&setup, "store")?;
        let settle_delay = setup::duration(&setup, "settle_delay")?;
        let vendor_account_id = setup::credential(&setup, CREDENTIALS, "vendor_account_id")?;
        let secret = setup::credential(&setup, CREDENTIALS, "api_secret_key")?;
        let store = Store::new(endpoint, setup.transport.clone(), &vendor_account_id, secret).ok_or_else(|| {
            setup::fault(&setup, "the credential `vendor_account_id` is not a whole number such as 123456".to_owned())
        })?;
        Ok(Box::new(PayProAccount { store, settle_delay }))
    }
}

const CREDENTIALS: &[CredentialSpec] = &[
    CredentialSpec {
        key: "vendor_account_id",
        variable: "PAYPRO_VENDOR_ACCOUNT_ID",
        about: "the number of the vendor account (Account settings, Business info)",
        needed_by: &[],
    },
    CredentialSpec {
        key: "api_secret_key",
        variable: "PAYPRO_API_SECRET_KEY",
        about: "the API secret key (Store settings, General settings, Integration)",
        needed_by: &[],
    },
];

/// An account, ready to call.
struct PayProAccount {
    store: Store,
    settle_delay: Duration,
}

impl Account for PayProAccount {
    fn perform<'a>(&'a self, row: &'a Row, token: Option<&'a str>) -> LocalFuture<'a, Reply> {
        Box::pin(async move {
            match task(row.operation.verb()) {
                Some(task) => self.store.perform(task.path, row, token).await,
                // Cannot happen while the declarations and the tasks agree (a test says so); nothing is sent then.
                None => Reply::Failed(Failure::new(
                    FailureClass::NotWritten,
                    format!("`{}` is not an operation of PayPro Global", row.operation.name),
                )),
            }
        })
    }

    fn probe(&self) -> LocalFuture<'_, Reply> {
        Box::pin(async {
            match self.store.probe().await {
                Reply::Applied(mut answer) => {
                    answer.message = "subscriptions can be read".to_owned();
                    Reply::Applied(answer)
                }
                other => other,
            }
        })
    }

    fn observe<'a>(&'a self, row: &'a Row) -> Option<LocalFuture<'a, Result<Observation, Failure>>> {
        let subscription = row.get(row.operation.subject?)?;
        Some(Box::pin(verify::observe(&self.store, subscription)))
    }

    fn judge(&self, row: &Row, doubt: &Doubt<'_>, now: &Observation) -> Finding {
        match task(row.operation.verb()) {
            Some(task) => verify::judge(task.evidence, row, doubt, now, self.settle_delay),
            None => Finding::Conflict("nothing that can be read shows it".to_owned()),
        }
    }

    fn settle_delay(&self) -> Duration {
        self.settle_delay
    }
}
