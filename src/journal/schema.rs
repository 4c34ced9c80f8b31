//! The tables, as an append-only list of migrations counted by `user_version`.
//!
//! A migration that was released is never edited: journals in the field have run it.

use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::fault::OpenError;

/// Marks a file as a journal of ours (`subo` in ASCII), so that another program's database is never written to.
const APPLICATION_ID: i64 = 0x7375_626F;

/// Each brings the file from the version before it to its own, which is its place in the list, counted from 1.
const MIGRATIONS: &[&str] = &[FIRST];

/// Open and done rows live apart. Open ones are as many as calls in flight plus doubts, so recovery, the list of doubts
/// and a resume cost what is open and not what was done. Done ones are only ever inserted, almost in order.
///
/// - Rows planned or not sent that have no history have no record at all: a run of five million rows starts with none.
/// - `message` is NULL where it is the same as `code`; `attempts` is 1 for a plain row, which SQLite stores in no bytes.
/// - What the row acts on and what was sent are kept while the row is open, and gone with it.
/// - Evidence has no column for its kind: the kind is a key in the body, and nothing looks it up.
/// - At most one unfinished run per digest: two of them would send the same rows.
/// - States are compared one by one: for `IN (…)` SQLite fills a temporary table at each insert, the dearest part of it.
const FIRST: &str = "
CREATE TABLE run (
    run             INTEGER PRIMARY KEY,
    job             TEXT NOT NULL,
    job_path        TEXT NOT NULL,
    digest          TEXT NOT NULL,
    input_path      TEXT NOT NULL,
    settings        TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('running', 'interrupted', 'halted', 'finished')),
    started         INTEGER NOT NULL,
    finished        INTEGER,
    again_reason    TEXT,
    total_rows      INTEGER NOT NULL CHECK (total_rows >= 0),
    watermark       INTEGER NOT NULL DEFAULT 0,
    program_version TEXT NOT NULL,
    summary         TEXT
) STRICT;
CREATE INDEX run_by_digest ON run (digest);
CREATE UNIQUE INDEX run_unfinished ON run (digest) WHERE state <> 'finished';

CREATE TABLE open_row (
    run         INTEGER NOT NULL REFERENCES run (run),
    row         INTEGER NOT NULL,
    state       INTEGER NOT NULL CHECK (state = 0 OR state = 1 OR state = 6 OR state = 7),
    attempts    INTEGER NOT NULL,
    intended_at INTEGER,
    code        TEXT,
    message     TEXT,
    amount      TEXT,
    currency    TEXT,
    baseline    TEXT,
    subject     TEXT,
    sent        TEXT,
    PRIMARY KEY (run, row)
) STRICT, WITHOUT ROWID;

CREATE TABLE done_row (
    run       INTEGER NOT NULL REFERENCES run (run),
    row       INTEGER NOT NULL,
    state     INTEGER NOT NULL CHECK (state = 2 OR state = 3 OR state = 4 OR state = 5),
    attempts  INTEGER NOT NULL,
    code      TEXT,
    message   TEXT,
    amount    TEXT,
    currency  TEXT,
    reference TEXT,
    data      TEXT,
    PRIMARY KEY (run, row)
) STRICT, WITHOUT ROWID;

CREATE TABLE tally (
    run   INTEGER NOT NULL REFERENCES run (run),
    state INTEGER NOT NULL,
    count INTEGER NOT NULL CHECK (count >= 0),
    PRIMARY KEY (run, state)
) STRICT, WITHOUT ROWID;

CREATE TABLE tally_amount (
    run      INTEGER NOT NULL REFERENCES run (run),
    state    INTEGER NOT NULL,
    currency TEXT NOT NULL,
    sum      TEXT NOT NULL,
    PRIMARY KEY (run, state, currency)
) STRICT, WITHOUT ROWID;

CREATE TABLE evidence (
    run  INTEGER NOT NULL REFERENCES run (run),
    row  INTEGER NOT NULL,
    seq  INTEGER NOT NULL,
    at   INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (run, row, seq)
) STRICT, WITHOUT ROWID;
";

/// The version that a fully migrated file has.
fn known() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// Refuses a file that is another program's, or a later version's; true where it has yet to be migrated. Changes
/// nothing, so that looking at a journal in use does not wait for its writer.
pub(super) fn recognise(connection: &Connection, path: &Path) -> Result<bool, OpenError> {
    let sql = |error| OpenError::sql(&error, path);
    let reading = connection.unchecked_transaction().map_err(sql)?;
    let found = version(&reading, path)?;
    reading.finish().map_err(sql)?;
    Ok(found < known())
}

/// Brings the file to the known version. Two processes may do so at once: the second waits, and finds nothing to do.
pub(super) fn migrate(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let sql = |error| OpenError::sql(&error, path);
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate).map_err(sql)?;
    let from = usize::try_from(version(&transaction, path)?).unwrap_or(usize::MAX);
    if from < MIGRATIONS.len() {
        for migration in MIGRATIONS.iter().skip(from) {
            transaction.execute_batch(migration).map_err(sql)?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(sql)?;
        transaction.pragma_update(None, "user_version", known()).map_err(sql)?;
    }
    transaction.commit().map_err(sql)
}

/// The file's version: 0 for an empty file. Read inside one transaction, so that a migration next door is seen whole.
fn version(transaction: &Transaction<'_>, path: &Path) -> Result<i64, OpenError> {
    let read = |query: &str| -> Result<i64, OpenError> {
        transaction.query_row(query, [], |row| row.get(0)).map_err(|error| OpenError::sql(&error, path))
    };
    let tables = read("SELECT count(*) FROM sqlite_schema")?;
    let application = read("PRAGMA application_id")?;
    let found = read("PRAGMA user_version")?;
    if application == 0 && found == 0 && tables == 0 {
        return Ok(0);
    }
    if application != APPLICATION_ID {
        return Err(OpenError::NotAJournal { path: path.to_owned() });
    }
    if found > known() {
        return Err(OpenError::NewerVersion { path: path.to_owned(), found, known: known() });
    }
    Ok(found)
}
