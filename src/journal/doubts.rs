//! Rows in doubt and rows held behind them: shown, and settled by a person.
//!
//! What a read at the provider proves is the engine's business. Invariant: a settlement and its evidence (who, why) are
//! one transaction; a doubt never goes away without a trace.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::apply::{self, Within};
use super::codec::{self, Columns, Decision, Evidence, Fact};
use super::fault::{Fault, StoreError};
use super::rows;
use super::runs::{self, RunState};
use super::store::{Refusal, Store};
use super::tally::Deltas;
use crate::contract::{Change, Millis, Note, Recorded};
use crate::model::ids::{RowNumber, RunId, SubjectKey};
use crate::model::money::Money;
use crate::model::state::{Event, State};

/// A row in doubt, with everything that can be shown about it without its input.
#[derive(Debug, Clone, PartialEq)]
pub struct DoubtRecord {
    /// What is recorded of the row.
    pub record: Recorded,
    /// The money it is about.
    pub amount: Option<Money>,
    /// What was learnt about it, the oldest first.
    pub evidence: Vec<Evidence>,
}

/// What a settlement changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The state that the row is in now.
    pub state: State,
    /// Rows that were held behind it and are planned again.
    pub released: Vec<RowNumber>,
}

impl Store {
    /// The rows of a run that are in doubt, in order.
    pub fn doubts(&self, run: RunId) -> Result<Vec<DoubtRecord>, StoreError> {
        self.reading(run, |connection| {
            let mut doubts = Vec::new();
            for record in rows::open(connection, run)? {
                if record.state == State::InDoubt {
                    let amount = amount(connection, run, record.row)?;
                    let evidence = evidence(connection, run, record.row)?;
                    doubts.push(DoubtRecord { record, amount, evidence });
                }
            }
            Ok(doubts)
        })
    }

    /// The rows of a run that are held, in order.
    pub fn held(&self, run: RunId) -> Result<Vec<Recorded>, StoreError> {
        self.reading(run, |connection| {
            let open = rows::open(connection, run)?;
            Ok(open.into_iter().filter(|record| record.state == State::Held).collect())
        })
    }

    /// What was learnt about a row, the oldest first; also after it is final.
    pub fn evidence(&self, run: RunId, row: RowNumber) -> Result<Vec<Evidence>, StoreError> {
        self.reading(run, |connection| evidence(connection, run, row))
    }

    /// Records a person's decision about a row in doubt, and releases the rows that were held behind it.
    ///
    /// After `Ok` the row is applied, or planned and safe to be sent again; who decided, when and why is kept with it.
    /// Where the row is not in doubt nothing changes.
    pub fn settle(
        &self,
        run: RunId,
        row: RowNumber,
        decision: Decision,
        reason: &str,
        who: &str,
        at: Millis,
    ) -> Result<Settlement, StoreError> {
        let decisions = BTreeMap::from([(row, (decision, reason.to_owned()))]);
        let settled = self.settle_all(run, &decisions, who, at)?;
        settled.into_iter().next().ok_or(StoreError::NotInDoubt { run, row, found: None })
    }

    /// The same for many rows at once: after `Ok` all of them are settled, after an error none. A finished run that has
    /// rows to send again is not finished any more, in the same transaction: otherwise nobody would send them.
    pub fn settle_all(
        &self,
        run: RunId,
        decisions: &BTreeMap<RowNumber, (Decision, String)>,
        who: &str,
        at: Millis,
    ) -> Result<Vec<Settlement>, StoreError> {
        self.writing(Some(run), |connection| {
            let one = |(row, (decision, reason)): (&RowNumber, &(Decision, String))| {
                settle(connection, (run, *row, at), *decision, reason, who)
            };
            let settlements: Vec<Settlement> = decisions.iter().map(one).collect::<Result<_, Refusal>>()?;
            let to_send = settlements.iter().any(|one| one.state == State::Planned || !one.released.is_empty());
            if to_send && runs::state_of(connection, run)? == Some(RunState::Finished) {
                runs::move_run(connection, (run, at), RunState::Finished, RunState::Interrupted)?;
            }
            Ok(settlements)
        })
    }
}

fn settle(
    connection: &Connection,
    (run, row, at): (RunId, RowNumber, Millis),
    decision: Decision,
    reason: &str,
    who: &str,
) -> Result<Settlement, Refusal> {
    let found = apply::standing(connection, run, row)?;
    if found != Some(State::InDoubt) {
        return Err(StoreError::NotInDoubt { run, row, found }.into());
    }
    let subject = subject(connection, run, row)?;
    let fact = Fact::Settlement { decision, who: who.to_owned(), reason: reason.to_owned() };
    let change = plain(run, row, State::InDoubt, decision.event(), at);
    let mut tally = Deltas::default();
    // Results and reports show it: who decided belongs to what was decided.
    let said = format!("{reason} (settled by {who})");
    apply::apply_columns(&mut Within::new(connection), &change, &Columns::said("settled", &said), &mut tally)??;
    apply::keep_evidence(connection, run, row, at, &fact)?;
    let released = match subject {
        Some(subject) => release(connection, run, &subject, at, &mut tally)?,
        None => Vec::new(),
    };
    tally.write(connection)?;
    let state = if decision == Decision::Applied { State::Applied } else { State::Planned };
    Ok(Settlement { state, released })
}

/// Releases the held rows of a subject that have no doubt of the same subject before them any more.
///
/// They keep their records: a row below the watermark without one would be taken for done.
fn release(
    connection: &Connection,
    run: RunId,
    subject: &SubjectKey,
    at: Millis,
    tally: &mut Deltas,
) -> Result<Vec<RowNumber>, Refusal> {
    let mut statement = connection.prepare_cached(
        "SELECT held.row FROM open_row held
         WHERE held.run = ?1 AND held.state = ?2 AND held.subject = ?3 AND NOT EXISTS (
             SELECT 1 FROM open_row doubt
             WHERE doubt.run = ?1 AND doubt.subject = ?3 AND doubt.row < held.row AND doubt.state IN (?4, ?5))
         ORDER BY held.row",
    )?;
    let mut rows = statement.query(params![
        run.0,
        State::Held.number(),
        subject.as_str(),
        State::InDoubt.number(),
        State::Intended.number(),
    ])?;
    let mut released = Vec::new();
    while let Some(row) = rows.next()? {
        released.push(codec::row_number(row.get(0)?)?);
    }
    let mut within = Within::new(connection);
    for row in &released {
        apply::apply(&mut within, &plain(run, *row, State::Held, Event::Released, at), tally)??;
    }
    Ok(released)
}

/// A change with nothing beside it; the amount is the recorded one.
fn plain(run: RunId, row: RowNumber, from: State, event: Event, at: Millis) -> Change {
    Change { run, row, from, event, at, amount: None, note: Note::None, may_linger: false }
}

fn subject(connection: &Connection, run: RunId, row: RowNumber) -> Result<Option<SubjectKey>, Fault> {
    let found: Option<Option<String>> = connection
        .prepare_cached("SELECT subject FROM open_row WHERE run = ?1 AND row = ?2")?
        .query_row(params![run.0, codec::key(row)?], |row| row.get(0))
        .optional()?;
    Ok(found.flatten().as_deref().map(SubjectKey::from_stored))
}

fn amount(connection: &Connection, run: RunId, row: RowNumber) -> Result<Option<Money>, Fault> {
    let mut statement =
        connection.prepare_cached("SELECT amount, currency FROM open_row WHERE run = ?1 AND row = ?2")?;
    let mut rows = statement.query(params![run.0, codec::key(row)?])?;
    match rows.next()? {
        Some(row) => codec::money_at(row, 0),
        None => Ok(None),
    }
}

fn evidence(connection: &Connection, run: RunId, row: RowNumber) -> Result<Vec<Evidence>, Fault> {
    let mut statement =
        connection.prepare_cached("SELECT at, body FROM evidence WHERE run = ?1 AND row = ?2 ORDER BY seq")?;
    let mut rows = statement.query(params![run.0, codec::key(row)?])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Evidence { at: row.get(0)?, fact: codec::from_json(&row.get::<_, String>(1)?)? });
    }
    Ok(found)
}
