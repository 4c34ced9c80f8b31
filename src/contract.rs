//! The traits where rooms meet. Each method says what is true after it returned.
//!
//! The engine knows providers, the journal and the observers only through these.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::model::event::RunEvent;
use crate::model::failure::{Answer, Failure, Reply};
use crate::model::ids::{AccountName, RowNumber, RunId, SubjectKey};
use crate::model::money::Money;
use crate::model::operation::OperationSpec;
use crate::model::row::Row;
use crate::model::state::{Event, State};

/// A future that stays on its thread.
pub type LocalFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

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

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Millis = i64;

/// The clock on the wall; waiting is done on the runtime's own clock.
pub trait Clock {
    /// Now.
    fn now(&self) -> Millis;
}

/// Hears what happens, after it happened.
pub trait Observer {
    /// Takes one event. Must not block for long.
    fn notice(&self, event: &RunEvent);
}

/// A change of one row's state, to be made durable.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Which run.
    pub run: RunId,
    /// Which row.
    pub row: RowNumber,
    /// The state it must be in; otherwise nothing changes and the commit is an error.
    pub from: State,
    /// What happened; the next state is `from.after(event)`.
    pub event: Event,
    /// When.
    pub at: Millis,
    /// The row's money, for the totals.
    pub amount: Option<Money>,
    /// What goes with it.
    pub note: Note,
    /// True where nobody waits for this in a hurry: the commit may wait a few milliseconds for company.
    pub may_linger: bool,
}

/// What is recorded with a change.
#[derive(Debug, Clone, PartialEq)]
pub enum Note {
    /// Nothing.
    None,
    /// With an intent.
    Intent {
        /// The attempt that is about to be made, counted from 1.
        attempt: u32,
        /// What a read showed before it.
        baseline: Option<Observation>,
        /// What the row acts on.
        subject: Option<SubjectKey>,
        /// The operation and its parameters as one JSON object, secrets left out: a doubt must be readable even where
        /// the input file is gone.
        sent: String,
    },
    /// With a row that is held: what it acts on, so that it is released with the doubt before it.
    Held {
        /// What the row acts on.
        subject: SubjectKey,
    },
    /// With a documented answer.
    Answer(Answer),
    /// With a failure: a short word and what it said.
    Failure {
        /// The class's word.
        code: String,
        /// For a person.
        message: String,
    },
    /// With a verification: what was read, and what it proves.
    Evidence {
        /// What was read.
        observation: Observation,
        /// What it was taken to prove.
        finding: String,
    },
}

/// What the journal holds about one row.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Which row.
    pub row: RowNumber,
    /// Its state.
    pub state: State,
    /// Calls made for it.
    pub attempts: u32,
    /// When its last intent was committed.
    pub intended_at: Option<Millis>,
    /// What was read before the last call.
    pub baseline: Option<Observation>,
    /// What the row acts on; not kept once the row is final.
    pub subject: Option<SubjectKey>,
    /// What the last intent was about to send, as JSON without secrets; not kept once the row is final.
    pub sent: Option<String>,
    /// The short word of the last answer or failure.
    pub code: Option<String>,
    /// What it said.
    pub message: Option<String>,
    /// The provider's reference.
    pub reference: Option<String>,
    /// What the operation returned, by name.
    pub data: Vec<(String, String)>,
}

/// The durable record of a run, as the engine sees it.
pub trait Journal {
    /// Makes a change durable.
    ///
    /// After `Ok` it is on disk and survives power loss. After `Err` it is unknown whether it is there (I4): the caller
    /// starts no further row.
    fn commit(&self, change: Change) -> LocalFuture<'_, Result<(), JournalFault>>;

    /// Keeps evidence about a row without changing its state. After `Ok` it is on disk.
    fn remark(&self, run: RunId, row: RowNumber, at: Millis, note: Note) -> LocalFuture<'_, Result<(), JournalFault>>;

    /// Up to `limit` records of the run with row numbers above `after`, in order of row. Blocks for at most a few
    /// milliseconds.
    fn records(&self, run: RunId, after: RowNumber, limit: usize) -> Result<Vec<Recorded>, JournalFault>;

    /// Tells that every row below `row` is recorded, and that those of them which are final will not be asked for again.
    /// Becomes durable with some later commit, or not at all: it only makes a resume faster. Never goes back.
    fn set_watermark(&self, _run: RunId, _row: RowNumber) {}

    /// Everything a resume must know about the run. Afterwards the standing of every row of the input can be told
    /// without another look into the journal.
    fn resume(&self, run: RunId) -> Result<Resume, JournalFault> {
        const PAGE: usize = 10_000;
        let mut resume = Resume::default();
        let mut after = RowNumber(0);
        loop {
            let page = self.records(run, after, PAGE)?;
            let Some(last) = page.last() else { return Ok(resume) };
            after = last.row;
            for record in page {
                if record.state.is_final() {
                    resume.final_rows.push(record.row);
                } else {
                    resume.open.push(record);
                }
            }
        }
    }
}

/// What a run's journal holds, in the few words that a resume needs: its size is that of what is open, and not that of
/// the run.
#[derive(Debug, Clone, PartialEq)]
pub struct Resume {
    /// Rows below this one are final, except for those in `open`.
    pub watermark: RowNumber,
    /// The rows that have a record and are not final, in order of row; on both sides of the watermark.
    pub open: Vec<Recorded>,
    /// The final rows at or above the watermark, in order.
    pub final_rows: Vec<RowNumber>,
}

impl Default for Resume {
    fn default() -> Self {
        Self { watermark: RowNumber(0), open: Vec::new(), final_rows: Vec::new() }
    }
}

/// Where one row of the input stands when a run is resumed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Standing<'a> {
    /// There is no record: never sent.
    Unrecorded,
    /// It is recorded and not final.
    Open(&'a Recorded),
    /// It is final.
    Final,
}

impl Resume {
    /// Where a row stands. Only for rows that the input has.
    pub fn standing(&self, row: RowNumber) -> Standing<'_> {
        match self.open.binary_search_by_key(&row, |record| record.row) {
            Ok(at) => self.open.get(at).map_or(Standing::Unrecorded, Standing::Open),
            Err(_) if row < self.watermark || self.final_rows.binary_search(&row).is_ok() => Standing::Final,
            Err(_) => Standing::Unrecorded,
        }
    }
}

/// A journal that could not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalFault {
    /// The row was not in the state that the change leaves: somebody else moved it, or the program is wrong.
    #[error("row {row} is not {expected} in the journal any more")]
    Stale {
        /// Which row.
        row: RowNumber,
        /// The state that was expected.
        expected: State,
    },
    /// The storage failed; what was asked may or may not be there.
    #[error("{message}")]
    Storage {
        /// What it said, and what to do about it.
        message: String,
    },
}

/// Gives the rows of a planned input, in file order, as often as asked.
pub trait Input {
    /// Starts from the first row that is not `done`. Whoever asks must be able to do with more: an input may give rows that
    /// are done, and need not know how to pass over them.
    fn rows(&self, done: Done) -> Result<Box<dyn Rows + '_>, InputFault>;
}

/// The rows that need not be given again: all below a number, except for some.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// Rows below this one are done.
    pub below: RowNumber,
    /// Those of them that are not, in order.
    pub except: VecDeque<RowNumber>,
}

impl Done {
    /// The first row that is not done, of those that were not told of by [`Done::takes`].
    pub fn next_wanted(&self) -> RowNumber {
        self.except.front().copied().filter(|row| *row < self.below).unwrap_or(self.below)
    }

    /// Whether `row` is done. Rows are asked for in ascending order.
    pub fn takes(&mut self, row: RowNumber) -> bool {
        while self.except.pop_front_if(|excepted| *excepted < row).is_some() {}
        let excepted = self.except.pop_front_if(|excepted| *excepted == row).is_some();
        row < self.below && !excepted
    }
}

/// Rows, one after the other.
pub trait Rows {
    /// The next row; `None` after the last. An error where the input is not what was planned.
    fn next_row(&mut self) -> Result<Option<Row>, InputFault>;
}

/// An input that is not (or no longer) what was planned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InputFault {
    /// What is wrong, and where.
    pub message: String,
}
