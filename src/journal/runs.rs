//! Runs: made, found, continued, ended.
//!
//! Knows nothing of what is in a run's settings or summary; both are the caller's JSON. Invariant: of one digest at most
//! one run is not finished, held by the database itself and not only by the lock.

use std::fmt;

use rusqlite::{Connection, ErrorCode, OptionalExtension, Params, Row, params};

use super::apply::{self, Within};
use super::codec;
use super::fault::{Fault, StoreError};
use super::rows;
use super::store::{Refusal, Store};
use super::tally::Deltas;
use crate::contract::{Change, Millis, Note};
use crate::model::ids::{RowNumber, RunId};
use crate::model::state::{Event, State};

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunState {
    /// Under way; or its process died, where nobody holds its lock.
    Running,
    /// Stopped by a signal; can be continued.
    Interrupted,
    /// Stopped by a guard; can be continued.
    Halted,
    /// Every row was looked at. Some may be in doubt.
    Finished,
}

impl RunState {
    /// The word for it, here and in summaries.
    pub fn as_str(self) -> &'static str {
        match self {
            RunState::Running => "running",
            RunState::Interrupted => "interrupted",
            RunState::Halted => "halted",
            RunState::Finished => "finished",
        }
    }

    fn parse(word: &str) -> Result<Self, Fault> {
        [RunState::Running, RunState::Interrupted, RunState::Halted, RunState::Finished]
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or_else(|| Fault::Broken(format!("`{word}` is no state of a run")))
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A run to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRun {
    /// The job's name.
    pub job: String,
    /// The job's file, absolute.
    pub job_path: String,
    /// The plan's digest.
    pub digest: String,
    /// The input's file, absolute.
    pub input_path: String,
    /// Everything needed to continue it, as JSON without secrets.
    pub settings: String,
    /// When it starts.
    pub started: Millis,
    /// Why a plan that was finished is run again.
    pub again_reason: Option<String>,
    /// The plan's rows.
    pub total_rows: u64,
    /// The program that makes it.
    pub program_version: String,
}

/// What the journal holds about a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRecord {
    /// Its number.
    pub run: RunId,
    /// The job's name.
    pub job: String,
    /// The job's file.
    pub job_path: String,
    /// The plan's digest.
    pub digest: String,
    /// The input's file.
    pub input_path: String,
    /// Everything needed to continue it, as JSON.
    pub settings: String,
    /// Where it stands.
    pub state: RunState,
    /// When it started first.
    pub started: Millis,
    /// When it last stopped; none while it runs.
    pub finished: Option<Millis>,
    /// Why a finished plan was run again.
    pub again_reason: Option<String>,
    /// The plan's rows.
    pub total_rows: u64,
    /// Rows below this one are recorded.
    pub watermark: RowNumber,
    /// The program that made it.
    pub program_version: String,
    /// The summary of its last end, as JSON.
    pub summary: Option<String>,
}

const COLUMNS: &str = "run, job, job_path, digest, input_path, settings, state, started, finished, again_reason, \
                       total_rows, watermark, program_version, summary";

impl Store {
    /// Makes a run in the state `running`. Refused while another run of the same digest is not finished, also where
    /// that one was made this very moment by another process.
    pub fn create_run(&self, new: &NewRun) -> Result<RunId, StoreError> {
        self.writing(None, |connection| {
            let total = i64::try_from(new.total_rows)
                .map_err(|_| Fault::Broken(format!("{} rows are too many", new.total_rows)))?;
            let inserted = connection.execute(
                "INSERT INTO run (job, job_path, digest, input_path, settings, state, started, again_reason,
                                  total_rows, program_version)
                 VALUES (?1, ?2, ?3, ?4, ?5, 'running', ?6, ?7, ?8, ?9)",
                params![
                    new.job,
                    new.job_path,
                    new.digest,
                    new.input_path,
                    new.settings,
                    new.started,
                    new.again_reason,
                    total,
                    new.program_version,
                ],
            );
            match inserted {
                Ok(_) => Ok(RunId(connection.last_insert_rowid())),
                Err(error) => Err(unfinished_or(error, connection, &new.digest)?),
            }
        })
    }

    /// The run with this number.
    pub fn run(&self, run: RunId) -> Result<RunRecord, StoreError> {
        self.select("WHERE run = ?1", [run.0])?.pop().ok_or(StoreError::NoSuchRun(run))
    }

    /// The run that was made last.
    pub fn latest_run(&self) -> Result<Option<RunRecord>, StoreError> {
        Ok(self.select("ORDER BY run DESC LIMIT 1", [])?.pop())
    }

    /// Every run, the newest first.
    pub fn runs(&self) -> Result<Vec<RunRecord>, StoreError> {
        self.select("ORDER BY run DESC", [])
    }

    /// The runs of a plan, the newest first.
    pub fn find_by_digest(&self, digest: &str) -> Result<Vec<RunRecord>, StoreError> {
        self.select("WHERE digest = ?1 ORDER BY run DESC", [digest])
    }

    /// The runs of a job that can be continued, the newest first: where the input was changed meanwhile, the digest
    /// does not find them. There are few runs, so no index is kept for it.
    pub fn find_unfinished_by_job(&self, job_path: &str) -> Result<Vec<RunRecord>, StoreError> {
        self.select("WHERE job_path = ?1 AND state <> 'finished' ORDER BY run DESC", [job_path])
    }

    /// Moves a run from one state to another, at a time; `running` to `running` takes over the run of a process that
    /// died. Nothing changes where the run is in another state than `from`.
    pub fn set_run_state(&self, run: RunId, from: RunState, to: RunState, at: Millis) -> Result<(), StoreError> {
        self.writing(Some(run), |connection| move_run(connection, (run, at), from, to))
    }

    /// Keeps the summary of a run's last end, as JSON.
    pub fn save_summary(&self, run: RunId, summary: &str) -> Result<(), StoreError> {
        self.writing(Some(run), |connection| {
            match connection.execute("UPDATE run SET summary = ?2 WHERE run = ?1", params![run.0, summary])? {
                0 => Err(StoreError::NoSuchRun(run).into()),
                _ => Ok(()),
            }
        })
    }

    /// Moves every row that was about to be called when its process ended into doubt (I3), and returns them in order.
    ///
    /// Only under the run's lock: the intents of a living process are no doubts. After `Ok` no row of the run is
    /// `intended`.
    pub fn recover(&self, run: RunId, now: Millis) -> Result<Vec<RowNumber>, StoreError> {
        self.writing(Some(run), |connection| {
            let found = rows::in_state(connection, run, State::Intended)?;
            let (mut within, mut tally) = (Within::new(connection), Deltas::default());
            for row in &found {
                let change = Change {
                    run,
                    row: *row,
                    from: State::Intended,
                    event: Event::FoundAtStart,
                    at: now,
                    amount: None,
                    note: Note::Failure {
                        code: "interrupted".to_owned(),
                        message: "the program ended before the outcome of the call was recorded".to_owned(),
                    },
                    may_linger: false,
                };
                apply::apply(&mut within, &change, &mut tally)??;
            }
            tally.write(connection)?;
            Ok(found)
        })
    }

    fn select(&self, which: &str, values: impl Params) -> Result<Vec<RunRecord>, StoreError> {
        let read = || -> Result<Vec<RunRecord>, Fault> {
            let mut statement = self.connection.prepare_cached(&format!("SELECT {COLUMNS} FROM run {which}"))?;
            let mut rows = statement.query(values)?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(record(row)?);
            }
            Ok(found)
        };
        read().map_err(|fault| self.outward(fault, None))
    }
}

fn record(row: &Row<'_>) -> Result<RunRecord, Fault> {
    Ok(RunRecord {
        run: RunId(row.get(0)?),
        job: row.get(1)?,
        job_path: row.get(2)?,
        digest: row.get(3)?,
        input_path: row.get(4)?,
        settings: row.get(5)?,
        state: RunState::parse(&row.get::<_, String>(6)?)?,
        started: row.get(7)?,
        finished: row.get(8)?,
        again_reason: row.get(9)?,
        total_rows: codec::count(row.get(10)?)?,
        watermark: codec::row_number(row.get(11)?)?,
        program_version: row.get(12)?,
        summary: row.get(13)?,
    })
}

/// Moves a run from a state that it must be in, within a transaction of the caller's.
pub(super) fn move_run(
    connection: &Connection,
    (run, at): (RunId, Millis),
    from: RunState,
    to: RunState,
) -> Result<(), Refusal> {
    let finished = (to != RunState::Running).then_some(at);
    let found = state_of(connection, run)?.ok_or(StoreError::NoSuchRun(run))?;
    if found != from {
        return Err(StoreError::RunMoved { run, expected: from, found }.into());
    }
    let changed = connection.execute(
        "UPDATE run SET state = ?3, finished = ?4 WHERE run = ?1 AND state = ?2",
        params![run.0, from.as_str(), to.as_str(), finished],
    );
    match changed {
        Ok(_) => Ok(()),
        Err(error) => {
            let digest: String =
                connection.query_row("SELECT digest FROM run WHERE run = ?1", [run.0], |row| row.get(0))?;
            Err(unfinished_or(error, connection, &digest)?)
        }
    }
}

pub(super) fn state_of(connection: &Connection, run: RunId) -> Result<Option<RunState>, Fault> {
    let word: Option<String> =
        connection.query_row("SELECT state FROM run WHERE run = ?1", [run.0], |row| row.get(0)).optional()?;
    word.as_deref().map(RunState::parse).transpose()
}

/// The run that stands in the way, where that is what the error says; the error itself otherwise.
fn unfinished_or(error: rusqlite::Error, connection: &Connection, digest: &str) -> Result<Refusal, Fault> {
    if error.sqlite_error_code() != Some(ErrorCode::ConstraintViolation) {
        return Ok(error.into());
    }
    let other: Option<i64> = connection
        .query_row("SELECT run FROM run WHERE digest = ?1 AND state <> 'finished'", [digest], |row| row.get(0))
        .optional()?;
    Ok(other.map_or_else(|| error.into(), |run| StoreError::Unfinished { run: RunId(run) }.into()))
}
