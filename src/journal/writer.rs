//! The one thread that writes what the engine does, in groups.
//!
//! It takes what has arrived, makes one transaction of it with one sync, and only then answers each caller. So the cost
//! of a sync is shared by all calls in flight, and no caller waits for more than the group before its own.
//!
//! It decides nothing about rows. Invariants: nobody hears `Ok` before COMMIT returned, or before the journal, read
//! again after a COMMIT that failed, shows the change. An intent that is not proven to be there is answered with an
//! error, so its call is not made. After a failure that could not be mended every later answer is that failure.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use tokio::sync::oneshot;

use super::apply::{self, Verdict, Within};
use super::codec::{self, Fact};
use super::fault::{Fault, OpenError};
use super::mailbox::{Crowd, Door, Slot, mailbox};
use super::tally::Deltas;
use super::{connection, rows};
use crate::contract::{Change, Journal, JournalFault, LocalFuture, Millis, Note, Recorded, Resume};
use crate::model::ids::{RowNumber, RunId};
use crate::model::state::Event;

/// The longest that an outcome which may linger waits for company: mostly until the next intents take it with them.
const OUTCOME_LINGERS: Duration = Duration::from_millis(30);

/// The longest that an intent which may linger waits for those that go out with it.
const INTENT_LINGERS: Duration = Duration::from_millis(2);

/// The longest that a group waits for changes that are just behind it: as long as a sync and its transaction take.
const MOMENT: Duration = Duration::from_micros(400);

/// Fewer changes than this in the group before, and the next waits for none: few calls are made at once, and each would be
/// slower for nothing.
const CROWD: usize = 12;

/// What the next group waits for, where the last one had so many changes. Where many calls are made at once, twice as many
/// changes in a group are half as many syncs.
fn crowd(last: usize) -> Crowd {
    Crowd { moment: MOMENT, expected: if last < CROWD { 1 } else { last.saturating_mul(2) } }
}

/// The journal as the engine uses it.
///
/// Dropping it writes what was asked for and waits for the thread.
#[derive(Debug)]
pub struct SqliteJournal {
    path: PathBuf,
    /// None once it is being dropped; the thread ends when this is gone.
    slot: Option<Slot<Command>>,
    thread: Option<JoinHandle<()>>,
    commits: Arc<AtomicU64>,
    /// Outlives the writer's connections, so that none of them is ever the last one: closing the last makes the next
    /// one recover the WAL, and a change whose sync failed could come back.
    reader: Connection,
}

impl SqliteJournal {
    /// Opens the journal, making it where it is missing, and starts its writer.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::start(path, File { path: path.to_owned() })
    }

    pub(super) fn start(path: &Path, mut storage: impl Storage) -> Result<Self, OpenError> {
        let reader = connection::open(path)?;
        let writing = storage.open()?;
        let (slot, door) = mailbox();
        let commits = Arc::new(AtomicU64::new(0));
        let mut writer = Writer {
            path: path.to_owned(),
            storage,
            connection: Some(writing),
            health: Health::Well,
            watermarks: BTreeMap::new(),
            commits: Arc::clone(&commits),
        };
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || writer.serve(&door))
            .map_err(|error| OpenError::io("cannot start the writer of the journal", path, &error))?;
        Ok(Self { path: path.to_owned(), slot: Some(slot), thread: Some(thread), commits, reader })
    }

    /// How many transactions were committed since it was opened.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Hands work to the writer, at once, and waits for its answer. What is handed over is done even if nobody waits.
    fn ask(&self, work: Work, may_linger: bool) -> LocalFuture<'_, Verdict> {
        let (answer, heard) = oneshot::channel();
        let linger = match (may_linger, work.is_intent()) {
            (false, _) => Duration::ZERO,
            (true, true) => INTENT_LINGERS,
            (true, false) => OUTCOME_LINGERS,
        };
        self.put(Command::Work(Pending { work, answer }), linger);
        Box::pin(async move {
            heard.await.unwrap_or_else(|_| {
                Err(JournalFault::Storage {
                    message: format!("the writer of the journal `{}` has stopped", self.path.display()),
                })
            })
        })
    }

    /// A writer that is gone drops what it is given, and whoever waits for an answer hears that.
    fn put(&self, command: Command, linger: Duration) {
        if let Some(slot) = &self.slot {
            slot.put(command, linger);
        }
    }
}

impl Journal for SqliteJournal {
    fn commit(&self, change: Change) -> LocalFuture<'_, Result<(), JournalFault>> {
        let may_linger = change.may_linger;
        self.ask(Work::Change(change), may_linger)
    }

    /// Keeps failures, answers and observations; any other note says nothing about the row and is not kept.
    fn remark(&self, run: RunId, row: RowNumber, at: Millis, note: Note) -> LocalFuture<'_, Result<(), JournalFault>> {
        match Fact::of(&note) {
            Some(fact) => self.ask(Work::Remark { run, row, at, fact }, false),
            None => Box::pin(async { Ok(()) }),
        }
    }

    fn records(&self, run: RunId, after: RowNumber, limit: usize) -> Result<Vec<Recorded>, JournalFault> {
        rows::records(&self.reader, run, after, limit).map_err(|fault| fault.outward(&self.path, Some(run)))
    }

    fn set_watermark(&self, run: RunId, row: RowNumber) {
        self.put(Command::Watermark(run, row), OUTCOME_LINGERS);
    }

    fn resume(&self, run: RunId) -> Result<Resume, JournalFault> {
        rows::resume(&self.reader, run).map_err(|fault| fault.outward(&self.path, Some(run)))
    }
}

impl Drop for SqliteJournal {
    fn drop(&mut self) {
        self.slot = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the writer of the journal panicked");
        }
    }
}

/// Where the writer's connections come from and how they commit: the seam at which tests make a disk fail.
pub(super) trait Storage: Send + 'static {
    /// A connection to the journal that is there.
    fn open(&mut self) -> Result<Connection, OpenError>;

    /// Commits.
    fn commit(&mut self, transaction: Transaction<'_>) -> rusqlite::Result<()> {
        transaction.commit()
    }
}

struct File {
    path: PathBuf,
}

impl Storage for File {
    fn open(&mut self) -> Result<Connection, OpenError> {
        connection::open_existing(&self.path)
    }
}

enum Command {
    Work(Pending),
    Watermark(RunId, RowNumber),
}

/// Something to be made durable, and who waits for it.
struct Pending {
    work: Work,
    answer: oneshot::Sender<Verdict>,
}

enum Work {
    Change(Change),
    Remark { run: RunId, row: RowNumber, at: Millis, fact: Fact },
}

impl Work {
    fn run(&self) -> RunId {
        match self {
            Work::Change(change) => change.run,
            Work::Remark { run, .. } => *run,
        }
    }

    /// True where a call waits for it. Such work is never done late: the caller has been told that it failed.
    fn is_intent(&self) -> bool {
        matches!(self, Work::Change(Change { event: Event::Intent { .. }, .. }))
    }

    fn apply(&self, within: &mut Within<'_>, tally: &mut Deltas) -> Result<Verdict, Fault> {
        match self {
            Work::Change(change) => apply::apply(within, change, tally),
            Work::Remark { run, row, at, fact } => apply::remark(within, *run, *row, *at, fact),
        }
    }

    fn is_done(&self, connection: &Connection) -> Result<bool, Fault> {
        match self {
            Work::Change(change) => apply::is_done(connection, change),
            Work::Remark { run, row, at, fact } => apply::has_evidence(connection, *run, *row, *at, fact),
        }
    }
}

/// Whether the writer can still be trusted.
enum Health {
    Well,
    /// A write failed and was mended. Outcomes of calls in flight are still written, but no further row starts (I4).
    NoIntents(JournalFault),
    /// A write failed for good.
    Broken(JournalFault),
}

struct Writer<S> {
    path: PathBuf,
    storage: S,
    /// None only while a failure is being mended, and after it could not be.
    connection: Option<Connection>,
    health: Health,
    /// Watermarks that were told and not yet written.
    watermarks: BTreeMap<RunId, RowNumber>,
    commits: Arc<AtomicU64>,
}

impl<S: Storage> Writer<S> {
    /// Works until nothing more will come.
    fn serve(&mut self, door: &Door<Command>) {
        let (mut commands, mut group) = (Vec::new(), Vec::new());
        let mut last = 0;
        while door.take(&mut commands, crowd(last)) {
            last = commands.len();
            for command in commands.drain(..) {
                self.sort(command, &mut group);
            }
            if group.is_empty() {
                continue;
            }
            let verdicts = self.settle(&group);
            for (pending, verdict) in group.drain(..).zip(verdicts) {
                // Who asked may be gone by now; what was asked for is done all the same.
                if pending.answer.send(verdict).is_err() {
                    tracing::debug!("nobody waits for a change that was committed");
                }
            }
        }
        self.write_last_watermarks();
    }

    fn sort(&mut self, command: Command, group: &mut Vec<Pending>) {
        match command {
            Command::Work(pending) => group.push(pending),
            Command::Watermark(run, row) => {
                let known = self.watermarks.entry(run).or_insert(row);
                *known = row.max(*known);
            }
        }
    }

    /// An answer for each of the group.
    fn settle(&mut self, group: &[Pending]) -> Vec<Verdict> {
        let refused = match &self.health {
            Health::Well => None,
            Health::NoIntents(fault) => Some((false, fault.clone())),
            Health::Broken(fault) => Some((true, fault.clone())),
        };
        let mut verdicts: Vec<Option<Verdict>> = group
            .iter()
            .map(|pending| match &refused {
                Some((all, fault)) if *all || pending.work.is_intent() => Some(Err(fault.clone())),
                _ => None,
            })
            .collect();
        if let Err(fault) = self.transact(group, &mut verdicts) {
            self.mend(group, &mut verdicts, &fault);
        }
        let unanswered = JournalFault::Storage { message: "a change was left without an answer".to_owned() };
        verdicts.into_iter().map(|verdict| verdict.unwrap_or_else(|| Err(unanswered.clone()))).collect()
    }

    /// Makes one transaction of everything that has no verdict yet. After `Ok` it is committed and everything has one.
    /// After an error it is unknown whether it is committed; only refusals have been added to the verdicts.
    fn transact(&mut self, group: &[Pending], verdicts: &mut [Option<Verdict>]) -> Result<(), Fault> {
        if verdicts.iter().all(Option::is_some) {
            return Ok(());
        }
        let Some(connection) = &self.connection else {
            return Err(Fault::Broken("there is no connection".to_owned()));
        };
        let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
        let (mut within, mut tally) = (Within::new(connection), Deltas::default());
        let mut accepted = Vec::new();
        for ((at, pending), verdict) in group.iter().enumerate().zip(verdicts.iter_mut()) {
            if verdict.is_none() {
                match pending.work.apply(&mut within, &mut tally)? {
                    Ok(()) => accepted.push(at),
                    refused => *verdict = Some(refused),
                }
            }
        }
        tally.write(&transaction)?;
        write_watermarks(&transaction, &self.watermarks)?;
        self.storage.commit(transaction)?;
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.watermarks.clear();
        for at in accepted {
            if let Some(verdict) = verdicts.get_mut(at) {
                *verdict = Some(Ok(()));
            }
        }
        Ok(())
    }

    /// After a transaction that failed: finds out what is there, and writes what still must be.
    fn mend(&mut self, group: &[Pending], verdicts: &mut [Option<Verdict>], fault: &Fault) {
        let told = fault.outward(&self.path, group.first().map(|pending| pending.work.run()));
        tracing::error!(fault = %told, "a transaction of the journal failed; reading what is there");
        if let Err(second) = self.reread(group, verdicts, &told).and_then(|()| self.transact(group, verdicts)) {
            tracing::error!(fault = ?second, "the journal could not be mended");
            self.connection = None;
            self.health = Health::Broken(told.clone());
        }
        for verdict in verdicts.iter_mut().filter(|verdict| verdict.is_none()) {
            *verdict = Some(Err(told.clone()));
        }
    }

    /// Opens the journal anew and reads each row: what shows is answered with `Ok`, an intent that does not with `told`.
    /// The rest is left without a verdict, to be tried once more.
    fn reread(
        &mut self,
        group: &[Pending],
        verdicts: &mut [Option<Verdict>],
        told: &JournalFault,
    ) -> Result<(), Fault> {
        // The old connection first: what it still holds must not be seen, nor its lock be in the way.
        self.connection = None;
        self.health = Health::NoIntents(told.clone());
        let opened = self.storage.open().map_err(|error| Fault::Broken(error.to_string()))?;
        for (pending, verdict) in group.iter().zip(verdicts.iter_mut()).filter(|(_, verdict)| verdict.is_none()) {
            if pending.work.is_done(&opened)? {
                connection::flush(&opened)?;
                *verdict = Some(Ok(()));
            } else if pending.work.is_intent() {
                *verdict = Some(Err(told.clone()));
            }
        }
        self.connection = Some(opened);
        Ok(())
    }

    /// At the end, for a faster resume; nothing depends on it.
    fn write_last_watermarks(&mut self) {
        let (Some(connection), false) = (&self.connection, self.watermarks.is_empty()) else { return };
        let written = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)
            .map_err(Fault::from)
            .and_then(|transaction| {
                write_watermarks(&transaction, &self.watermarks)?;
                Ok(self.storage.commit(transaction)?)
            });
        if let Err(fault) = written {
            tracing::warn!(?fault, "the last watermark was not written; a resume will read more rows");
        }
    }
}

fn write_watermarks(connection: &Connection, watermarks: &BTreeMap<RunId, RowNumber>) -> Result<(), Fault> {
    for (run, row) in watermarks {
        connection
            .prepare_cached("UPDATE run SET watermark = ?2 WHERE run = ?1 AND watermark < ?2")?
            .execute(params![run.0, codec::key(*row)?])?;
    }
    Ok(())
}
