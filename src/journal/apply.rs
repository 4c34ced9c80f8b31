//! One change of one row, in SQL.
//!
//! Used by the writer for what the engine does, and by the store for recovery and settlement, so that there is one way
//! in which a row moves. It neither begins nor commits; the caller does, and writes the tally before.
//!
//! Invariants: the first statement that writes is the one that names the state which the row leaves. So a change that
//! came too late leaves nothing behind in the transaction, and takes none of its companions with it. A row without a
//! record is taken only where neither table has one: a row sent twice is the one thing that cannot be forgiven.

use rusqlite::{CachedStatement, Connection, ErrorCode, OptionalExtension, ToSql, params};

use super::codec::{self, Columns, Fact, stored};
use super::fault::Fault;
use super::tally::Deltas;
use crate::contract::{Change, JournalFault, Millis, Note};
use crate::model::ids::{RowNumber, RunId};
use crate::model::money::Money;
use crate::model::state::State;

/// What became of one change within a transaction that can still be committed. An error concerns this change alone.
pub(super) type Verdict = Result<(), JournalFault>;

/// Where changes are made: within one transaction, with the statements that nearly every row needs. Those are looked up
/// once for all changes and not for each: finding one by its text costs a tenth of what it does.
pub(super) struct Within<'c> {
    connection: &'c Connection,
    insert: Option<CachedStatement<'c>>,
    take_plain: Option<CachedStatement<'c>>,
    finish: Option<CachedStatement<'c>>,
}

impl<'c> Within<'c> {
    pub(super) fn new(connection: &'c Connection) -> Self {
        Self { connection, insert: None, take_plain: None, finish: None }
    }
}

/// The statement in `place`, prepared where it is used for the first time.
fn kept<'a, 'c>(
    place: &'a mut Option<CachedStatement<'c>>,
    connection: &'c Connection,
    sql: &str,
) -> rusqlite::Result<&'a mut CachedStatement<'c>> {
    Ok(match place {
        Some(statement) => statement,
        None => place.insert(connection.prepare_cached(sql)?),
    })
}

/// Makes a change part of the transaction, or refuses it and leaves the transaction as it was.
pub(super) fn apply(within: &mut Within<'_>, change: &Change, tally: &mut Deltas) -> Result<Verdict, Fault> {
    let columns = Columns::of(&change.note)?;
    apply_columns(within, change, &columns, tally)
}

/// As [`apply`], with the columns given instead of taken from the note.
pub(super) fn apply_columns(
    within: &mut Within<'_>,
    change: &Change,
    columns: &Columns<'_>,
    tally: &mut Deltas,
) -> Result<Verdict, Fault> {
    let connection = within.connection;
    let to = match change.from.after(change.event) {
        Ok(to) => stored(to),
        Err(illegal) => return Ok(Err(refused(change.run, change.row, &illegal.to_string()))),
    };
    if to == State::Intended && columns.attempt.is_none() {
        return Ok(Err(refused(change.run, change.row, "an intent must say which attempt it is")));
    }
    let mut step =
        Step { within, connection, change, columns, row: codec::key(change.row)?, from: stored(change.from), to };
    match step.take(tally) {
        Ok(true) => {}
        Ok(false) => return Ok(Err(JournalFault::Stale { row: change.row, expected: change.from })),
        Err(fault) if is_unknown_run(&fault) => return Ok(Err(refused(change.run, change.row, UNKNOWN_RUN))),
        Err(fault) => return Err(fault),
    }
    // What made a doubt and what was read about one is kept; a plain answer or retry says all in its row.
    let telling = to == State::InDoubt || matches!(change.note, Note::Evidence { .. });
    if let Some(fact) = Fact::of(&change.note).filter(|_| telling) {
        keep_evidence(connection, change.run, change.row, change.at, &fact)?;
    }
    Ok(Ok(()))
}

const UNKNOWN_RUN: &str = "the journal has no such run";

fn refused(run: RunId, row: RowNumber, why: &str) -> JournalFault {
    JournalFault::Storage { message: format!("row {row} of run {run}: {why}") }
}

/// A foreign key that fails undoes its statement only, so it can be told apart and the transaction goes on.
fn is_unknown_run(fault: &Fault) -> bool {
    let Fault::Sql(rusqlite::Error::SqliteFailure(error, _)) = fault else { return false };
    error.code == ErrorCode::ConstraintViolation && error.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY
}

/// One change, with everything it needs.
struct Step<'a, 'c> {
    within: &'a mut Within<'c>,
    connection: &'c Connection,
    change: &'a Change,
    columns: &'a Columns<'a>,
    row: i64,
    from: State,
    to: State,
}

/// What a final row takes over from its open record.
struct Past {
    attempts: u32,
    code: Option<String>,
    message: Option<String>,
    amount: Option<Money>,
}

impl Step<'_, '_> {
    /// Moves the row if it is in the state to be left; false if it is not.
    fn take(&mut self, tally: &mut Deltas) -> Result<bool, Fault> {
        match (self.from, self.to) {
            // Not sent and planned are one fact here: nothing to write, but the row must be there to be so.
            (State::Planned, State::Planned) => Ok(self.is_planned()?),
            (_, to) if to.is_final() => self.finish(tally),
            (State::Planned, _) => Ok(self.insert(tally)? || self.update(tally)?),
            _ => self.update(tally),
        }
    }

    /// The first record of a row.
    fn insert(&mut self, tally: &mut Deltas) -> Result<bool, Fault> {
        let columns = self.columns;
        let intended_at = (self.to == State::Intended).then_some(self.change.at);
        let (amount, currency) = money_columns(self.change.amount);
        let insert = kept(
            &mut self.within.insert,
            self.connection,
            "INSERT INTO open_row (run, row, state, attempts, intended_at, code, message, amount, currency,
                                   baseline, subject, sent)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12
             WHERE NOT EXISTS (SELECT 1 FROM done_row WHERE run = ?1 AND row = ?2)
             ON CONFLICT DO NOTHING",
        )?;
        let inserted = insert.execute(params![
            self.change.run.0,
            self.row,
            self.to.number(),
            columns.attempt.unwrap_or(0),
            intended_at,
            columns.code,
            columns.message,
            amount,
            currency,
            columns.baseline,
            columns.subject,
            columns.sent,
        ])?;
        if inserted == 0 {
            return Ok(false);
        }
        tally.enter(self.change.run, self.to, self.change.amount)?;
        Ok(true)
    }

    /// From one open state to another. The amount in the tally is the one that was first recorded.
    fn update(&self, tally: &mut Deltas) -> Result<bool, Fault> {
        let amount = if self.to == State::Intended { self.intend()? } else { self.shift()? };
        let Some(amount) = amount else { return Ok(false) };
        tally.leave(self.change.run, self.from, amount)?;
        tally.enter(self.change.run, self.to, amount)?;
        Ok(true)
    }

    /// Another attempt. Its baseline replaces the earlier one even by none: an old baseline proves nothing about it.
    fn intend(&self) -> Result<Option<Option<Money>>, Fault> {
        let columns = self.columns;
        let mut statement = self.connection.prepare_cached(
            "UPDATE open_row SET state = ?4, attempts = ?5, intended_at = ?6, baseline = ?7,
                                 subject = coalesce(?8, subject), sent = coalesce(?9, sent)
             WHERE run = ?1 AND row = ?2 AND state = ?3
             RETURNING amount, currency",
        )?;
        let mut rows = statement.query(params![
            self.change.run.0,
            self.row,
            self.from.number(),
            self.to.number(),
            columns.attempt,
            self.change.at,
            columns.baseline,
            columns.subject,
            columns.sent,
        ])?;
        rows.next()?.map(|row| codec::money_at(row, 0)).transpose()
    }

    fn shift(&self) -> Result<Option<Option<Money>>, Fault> {
        let columns = self.columns;
        let mut statement = self.connection.prepare_cached(
            "UPDATE open_row SET state = ?4, code = coalesce(?5, code), subject = coalesce(?7, subject),
                                 message = CASE WHEN ?5 IS NULL THEN message ELSE ?6 END
             WHERE run = ?1 AND row = ?2 AND state = ?3
             RETURNING amount, currency",
        )?;
        let mut rows = statement.query(params![
            self.change.run.0,
            self.row,
            self.from.number(),
            self.to.number(),
            columns.code,
            columns.message,
            columns.subject,
        ])?;
        rows.next()?.map(|row| codec::money_at(row, 0)).transpose()
    }

    /// To a final state: out of one table, into the other.
    fn finish(&mut self, tally: &mut Deltas) -> Result<bool, Fault> {
        let past = match self.take_plain()? {
            Some(past) => Some(past),
            None => self.take_any()?,
        };
        let past = match past {
            Some(past) => {
                tally.leave(self.change.run, self.from, past.amount)?;
                past
            }
            // Given up without ever having been sent.
            None if self.from == State::Planned && self.standing()?.is_none() => {
                Past { attempts: 0, code: None, message: None, amount: self.change.amount }
            }
            None => return Ok(false),
        };
        let columns = self.columns;
        let (code, message) = match columns.code {
            Some(code) => (Some(code), columns.message),
            None => (past.code.as_deref(), past.message.as_deref()),
        };
        let (amount, currency) = money_columns(past.amount);
        let finish = kept(
            &mut self.within.finish,
            self.connection,
            "INSERT INTO done_row (run, row, state, attempts, code, message, amount, currency, reference, data)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?;
        finish.execute(params![
            self.change.run.0,
            self.row,
            self.to.number(),
            past.attempts,
            code,
            message,
            amount,
            currency,
            columns.reference,
            columns.data,
        ])?;
        tally.enter(self.change.run, self.to, past.amount)?;
        Ok(true)
    }

    /// Takes the row out of the open ones where it is like nearly every other: at its first attempt, with the amount that
    /// it was recorded with, and with nothing said before. One statement takes it and proves what it held.
    fn take_plain(&mut self) -> Result<Option<Past>, Fault> {
        let (amount, currency) = money_columns(self.change.amount);
        let take_plain = kept(
            &mut self.within.take_plain,
            self.connection,
            "DELETE FROM open_row WHERE run = ?1 AND row = ?2 AND state = ?3
             AND attempts = 1 AND code IS NULL AND amount IS ?4 AND currency IS ?5",
        )?;
        let key = params![self.change.run.0, self.row, self.from.number(), amount, currency];
        let taken = take_plain.execute(key)? == 1;
        Ok(taken.then_some(Past { attempts: 1, code: None, message: None, amount: self.change.amount }))
    }

    /// Takes the row out of the open ones, whatever they hold of it. Read first and deleted then, within one transaction:
    /// what a DELETE returns goes through a table that SQLite makes for each, which costs more than all else here together.
    fn take_any(&self) -> Result<Option<Past>, Fault> {
        let key = params![self.change.run.0, self.row, self.from.number()];
        let Some(past) = self.past(key)? else { return Ok(None) };
        let taken = self
            .connection
            .prepare_cached("DELETE FROM open_row WHERE run = ?1 AND row = ?2 AND state = ?3")?
            .execute(key)?;
        Ok((taken == 1).then_some(past))
    }

    fn past(&self, key: &[&dyn ToSql]) -> Result<Option<Past>, Fault> {
        let mut statement = self.connection.prepare_cached(
            "SELECT attempts, code, message, amount, currency FROM open_row WHERE run = ?1 AND row = ?2 AND state = ?3",
        )?;
        let mut rows = statement.query(key)?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let past =
            Past { attempts: row.get(0)?, code: row.get(1)?, message: row.get(2)?, amount: codec::money_at(row, 3)? };
        Ok(Some(past))
    }

    fn standing(&self) -> Result<Option<State>, Fault> {
        standing(self.connection, self.change.run, self.change.row)
    }

    fn is_planned(&self) -> Result<bool, Fault> {
        Ok(self.standing()?.is_none_or(|state| state == State::Planned))
    }
}

fn money_columns(amount: Option<Money>) -> (Option<String>, Option<&'static str>) {
    (amount.map(|money| money.amount.to_string()), amount.map(|money| money.currency.code()))
}

/// The state that is recorded of a row, in either table.
pub(super) fn standing(connection: &Connection, run: RunId, row: RowNumber) -> Result<Option<State>, Fault> {
    let found: Option<i64> = connection
        .prepare_cached(
            "SELECT state FROM open_row WHERE run = ?1 AND row = ?2
             UNION ALL SELECT state FROM done_row WHERE run = ?1 AND row = ?2",
        )?
        .query_row(params![run.0, codec::key(row)?], |row| row.get(0))
        .optional()?;
    found.map(codec::state).transpose()
}

/// True where the journal shows the change as done. Asked after a COMMIT that failed, since such a COMMIT may have
/// reached the disk all the same.
pub(super) fn is_done(connection: &Connection, change: &Change) -> Result<bool, Fault> {
    let Ok(to) = change.from.after(change.event) else { return Ok(false) };
    let Note::Intent { attempt, .. } = &change.note else {
        let found = standing(connection, change.run, change.row)?;
        return Ok(found == Some(stored(to)));
    };
    // An intent must be this very one: another attempt's intent is no leave to call.
    let found = connection
        .prepare_cached(
            "SELECT 1 FROM open_row
             WHERE run = ?1 AND row = ?2 AND state = ?3 AND attempts = ?4 AND intended_at = ?5",
        )?
        .exists(params![change.run.0, codec::key(change.row)?, State::Intended.number(), attempt, change.at])?;
    Ok(found)
}

/// Keeps evidence that comes without a change.
pub(super) fn remark(
    within: &Within<'_>,
    run: RunId,
    row: RowNumber,
    at: Millis,
    fact: &Fact,
) -> Result<Verdict, Fault> {
    match keep_evidence(within.connection, run, row, at, fact) {
        Err(fault) if is_unknown_run(&fault) => Ok(Err(refused(run, row, UNKNOWN_RUN))),
        kept => kept.map(Ok),
    }
}

/// Writes evidence down behind what is there.
pub(super) fn keep_evidence(
    connection: &Connection,
    run: RunId,
    row: RowNumber,
    at: Millis,
    fact: &Fact,
) -> Result<(), Fault> {
    connection
        .prepare_cached(
            "INSERT INTO evidence (run, row, seq, at, body)
             SELECT ?1, ?2, coalesce(max(seq), 0) + 1, ?3, ?4 FROM evidence WHERE run = ?1 AND row = ?2",
        )?
        .execute(params![run.0, codec::key(row)?, at, codec::to_json(fact)?])?;
    Ok(())
}

/// True where this evidence is there.
pub(super) fn has_evidence(
    connection: &Connection,
    run: RunId,
    row: RowNumber,
    at: Millis,
    fact: &Fact,
) -> Result<bool, Fault> {
    let mut statement =
        connection.prepare_cached("SELECT 1 FROM evidence WHERE run = ?1 AND row = ?2 AND at = ?3 AND body = ?4")?;
    Ok(statement.exists(params![run.0, codec::key(row)?, at, codec::to_json(fact)?])?)
}
