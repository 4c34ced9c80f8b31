//! What a provider and its accounts are to the engine: what they can do, and what a reply or a read proves.

use std::time::Duration;

use super::LocalFuture;
use crate::model::failure::{Failure, Reply};
use crate::model::ids::AccountName;
use crate::model::operation::OperationSpec;
use crate::model::row::Row;

/// A provider: its operations and what an account with it needs. One value per provider stands in the registry.
pub trait Provider: Sync {
    /// Its name: what stands before the dot in its operations' names.
    fn name(&self) -> &'static str;

    /// Its name as people write it.
    fn title(&self) -> &'static str;

    /// Everything it can do.
    fn operations(&self) -> &'static [OperationSpec];

    /// The URLs an account may set, with their documented defaults.
    fn urls(&self) -> &'static [UrlSpec];

    /// The credentials an account has.
    fn credentials(&self) -> &'static [CredentialSpec];

    /// Settings of the account that only this provider has, with their allowed values.
    fn options(&self) -> &'static [OptionSpec] {
        &[]
    }

    /// Refuses a row that each parameter's type and the declared rules let through. The text says what was expected.
    fn check(&self, _row: &Row) -> Result<(), RowFault> {
        Ok(())
    }

    /// How many subjects a list read of its accounts can show at once, where baselines of the operation may come from one
    /// ([`Account::observe_page`]); for estimates. `None` where each is read by itself.
    fn page_size(&self, _operation: &OperationSpec) -> Option<u32> {
        None
    }

    /// Makes an account ready to call. Nothing is sent.
    fn open(&self, setup: AccountSetup) -> Result<Box<dyn Account>, SetupError>;
}

/// A URL that an account may set.
#[derive(Debug, Clone, Copy)]
pub struct UrlSpec {
    /// Its key below `urls`.
    pub key: &'static str,
    /// What the vendor documents.
    pub default: &'static str,
}

/// A credential of an account.
#[derive(Debug, Clone, Copy)]
pub struct CredentialSpec {
    /// Its key below `credentials`.
    pub key: &'static str,
    /// The environment variable it comes from where the configuration names nothing.
    pub variable: &'static str,
    /// What it is.
    pub about: &'static str,
    /// The operations that need it; empty for all of them.
    pub needed_by: &'static [&'static str],
}

/// A provider's own setting of an account.
#[derive(Debug, Clone, Copy)]
pub struct OptionSpec {
    /// Its key in the account's table.
    pub key: &'static str,
    /// Its allowed values; empty for free text.
    pub values: &'static [&'static str],
    /// What holds where nothing is set.
    pub default: &'static str,
    /// What it is.
    pub about: &'static str,
}

/// Why a provider refuses a row before anything is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault {
    /// The parameter at fault.
    pub parameter: &'static str,
    /// What was expected.
    pub expected: String,
}

/// Everything that an account is made from.
pub struct AccountSetup {
    /// Its name.
    pub name: AccountName,
    /// Its URLs by key; all of the provider's are there.
    pub urls: Vec<(&'static str, String)>,
    /// Its credentials by key; those that were found.
    pub credentials: Vec<(&'static str, secrecy::SecretString)>,
    /// The provider's own settings by key; all of them are there.
    pub options: Vec<(&'static str, String)>,
    /// How it calls.
    pub transport: crate::http::Transport,
}

/// Why an account cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("account `{account}`: {message}")]
pub struct SetupError {
    /// Which account.
    pub account: AccountName,
    /// What is wrong, without the value of any secret.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// An account that is ready to call.
///
/// Nothing here repeats a call: one layer repeats, and that is the engine (I2).
pub trait Account {
    /// Makes sure that a call can follow at once: logs in where a session is needed and old. Called before the intent,
    /// so that no login stands between an intent and its call. After `Ok` a session (if any) is good for a call.
    fn ready(&self) -> LocalFuture<'_, Result<(), Failure>> {
        Box::pin(async { Ok(()) })
    }

    /// Forgets a session that the provider called expired; the next [`Account::ready`] logs in once for all workers.
    fn forget_session(&self) {}

    /// Sends the row's operation: at most one request on the wire. The reply is classified by the documented words.
    fn perform<'a>(&'a self, row: &'a Row, token: Option<&'a str>) -> LocalFuture<'a, Reply>;

    /// A harmless read that shows whether the provider answers and takes the credentials. The message of an `Applied`
    /// answer is fit to be shown.
    fn probe(&self) -> LocalFuture<'_, Reply>;

    /// Reads what the provider now holds about the row's subject, for a baseline or to verify. `None` where the
    /// operation has no read.
    fn observe<'a>(&'a self, row: &'a Row) -> Option<LocalFuture<'a, Result<Observation, Failure>>>;

    /// Reads a list that shows the subjects of several rows at once: one request for all of them. The answer has an entry
    /// for each row, in their order; what is shown must be what [`Account::observe`] would have shown. `None` where no list
    /// shows any of these rows. Nothing is sent until the future is polled.
    fn observe_page(&self, _rows: &[&Row]) -> Option<LocalFuture<'_, Result<Vec<Listed>, Failure>>> {
        None
    }

    /// Judges, from what was read, whether the row's operation took effect. Pure.
    fn judge(&self, row: &Row, doubt: &Doubt<'_>, now: &Observation) -> Finding;

    /// How long after a call a read can be trusted to show its effect.
    fn settle_delay(&self) -> Duration;
}

/// What a read at the provider showed: facts by name, in the form in which they are stored as a baseline.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Observation {
    /// Facts by name (`next_bill_date`, `status`), in the order in which a person wants to read them.
    pub facts: Vec<(String, String)>,
}

impl Observation {
    /// The fact of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.facts.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What one page of a list says about a row's subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed {
    /// It is there, once and whole.
    Shown(Observation),
    /// It is not to be had from a list, which proves nothing: it has to be read by itself.
    Absent,
    /// It lies beyond this page: another may show it.
    Beyond,
}

/// What is known about a row in doubt.
#[derive(Debug, Clone, Copy)]
pub struct Doubt<'a> {
    /// What was read before the call, if anything.
    pub baseline: Option<&'a Observation>,
    /// How long ago the call was made.
    pub age: Duration,
    /// The token that the call carried in its free text, if it did.
    pub token: Option<&'a str>,
}

/// What a read proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The effect is there, and nothing else explains it.
    Applied(String),
    /// The effect is not there, and would be by now.
    NotApplied(String),
    /// It may still show.
    NotYet(String),
    /// What is there fits neither; a person must look.
    Conflict(String),
}
