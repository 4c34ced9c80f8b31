//! The journal as commands use it: plain calls on a connection of their own.
//!
//! May be used while another process writes: WAL lets both go on. What it changes goes through the same guarded SQL as
//! the writer's changes. The calls themselves are in `runs.rs` and `doubts.rs`; here is what they share.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::fault::{Fault, OpenError, StoreError};
use super::{connection, rows, tally};
use crate::contract::{JournalFault, Recorded, Resume};
use crate::model::ids::{RowNumber, RunId};
use crate::model::state::State;
use crate::model::totals::Totals;

/// An open journal.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    pub(super) connection: Connection,
}

impl Store {
    /// Opens the journal, making it and its folder where they are missing.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Ok(Self { path: path.to_owned(), connection: connection::open(path)? })
    }

    /// Opens the journal if there is one: commands that only look make none.
    pub fn open_existing(path: &Path) -> Result<Option<Self>, OpenError> {
        match path.try_exists() {
            Ok(true) => Self::open(path).map(Some),
            Ok(false) => Ok(None),
            Err(error) => Err(OpenError::io("cannot look for the journal", path, &error)),
        }
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Counts and money of the rows that have a record. The rest of the run's rows is planned (or not sent, once the
    /// run has stopped): `total_rows` less [`Totals::rows`]. Costs the same for a run of any size.
    ///
    /// A row that was called and proven not applied has a record and counts as planned; so does one that was released.
    pub fn totals(&self, run: RunId) -> Result<Totals, StoreError> {
        self.reading(run, |connection| tally::read(connection, run))
    }

    /// Counts the rows anew and compares: `Ok` holds the totals where both agree. Reads the whole run.
    pub fn verify_tally(&self, run: RunId) -> Result<Totals, StoreError> {
        let (kept, counted) =
            self.reading(run, |connection| Ok((tally::read(connection, run)?, tally::recount(connection, run)?)))?;
        match difference(&kept, &counted) {
            None => Ok(counted),
            Some(message) => Err(StoreError::Tally { run, message }),
        }
    }

    /// Up to `limit` records with row numbers above `after`, in order of row.
    pub fn records(&self, run: RunId, after: RowNumber, limit: usize) -> Result<Vec<Recorded>, StoreError> {
        self.reading(run, |connection| rows::records(connection, run, after, limit))
    }

    /// Everything a resume must know about the run.
    pub fn resume(&self, run: RunId) -> Result<Resume, StoreError> {
        rows::resume(&self.connection, run).map_err(|fault| self.outward(fault, Some(run)))
    }

    /// Reads in one snapshot.
    pub(super) fn reading<T>(
        &self,
        run: RunId,
        read: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let read = || {
            let snapshot = self.connection.unchecked_transaction()?;
            let found = read(&snapshot)?;
            snapshot.finish()?;
            Ok(found)
        };
        read().map_err(|fault| self.outward(fault, Some(run)))
    }

    /// Writes in one transaction: after `Ok` it is on disk; where `write` returns an error nothing of it is. After a
    /// COMMIT that failed it is unknown, and the error says so by being a storage fault.
    pub(super) fn writing<T>(
        &self,
        run: Option<RunId>,
        write: impl FnOnce(&Connection) -> Result<T, Refusal>,
    ) -> Result<T, StoreError> {
        let write = || {
            let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
            let done = write(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        write().map_err(|refusal| match refusal {
            Refusal::Store(error) => error,
            Refusal::Fault(fault) => self.outward(fault, run),
        })
    }

    pub(super) fn outward(&self, fault: Fault, run: Option<RunId>) -> StoreError {
        StoreError::Fault(fault.outward(&self.path, run))
    }
}

/// Why a transaction is given up: the request does not fit what is there, or the storage failed.
pub(super) enum Refusal {
    Store(StoreError),
    Fault(Fault),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Refusal::Store(error)
    }
}

impl From<JournalFault> for Refusal {
    fn from(fault: JournalFault) -> Self {
        Refusal::Store(StoreError::Fault(fault))
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Refusal::Fault(fault)
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Refusal::Fault(Fault::Sql(error))
    }
}

/// The first difference between the tally and the rows, in words. A currency that is only on one side with no money in
/// any state is no difference: the tally keeps it after its last row has left.
fn difference(kept: &Totals, counted: &Totals) -> Option<String> {
    for state in State::ALL {
        if kept.count(state) != counted.count(state) {
            return Some(format!(
                "the tally has {} rows {state}, the rows are {}",
                kept.count(state),
                counted.count(state)
            ));
        }
        for (currency, _) in kept.amounts().chain(counted.amounts()) {
            let (tally, rows) = (kept.amount(currency, state), counted.amount(currency, state));
            if tally != rows {
                return Some(format!("the tally has {currency} {tally} {state}, the rows have {rows}"));
            }
        }
    }
    None
}
