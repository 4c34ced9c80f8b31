//! Reads what is recorded of rows, in order of row.
//!
//! Reads only, and each answer from one snapshot: a row that moves from one table to the other meanwhile is seen once.

use std::sync::LazyLock;

use rusqlite::{Connection, OptionalExtension, params};

use super::codec::{self, DONE_COLUMNS, OPEN_COLUMNS};
use super::fault::Fault;
use crate::contract::{Recorded, Resume};
use crate::model::ids::{RowNumber, RunId};
use crate::model::state::State;

/// Both tables in order, merged by SQLite as it goes: neither is read further than the limit.
static BOTH: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {OPEN_COLUMNS} FROM open_row WHERE run = ?1 AND row > ?2
         UNION ALL
         SELECT {DONE_COLUMNS} FROM done_row WHERE run = ?1 AND row > ?2
         ORDER BY 1 LIMIT ?3"
    )
});

static OPEN: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {OPEN_COLUMNS} FROM open_row WHERE run = ?1 ORDER BY row"));

/// Up to `limit` records with row numbers above `after`.
pub(super) fn records(
    connection: &Connection,
    run: RunId,
    after: RowNumber,
    limit: usize,
) -> Result<Vec<Recorded>, Fault> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(&BOTH)?;
    let mut rows = statement.query(params![run.0, codec::key(after)?, limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(codec::recorded(row)?);
    }
    Ok(found)
}

/// Every row that has a record and is not final.
pub(super) fn open(connection: &Connection, run: RunId) -> Result<Vec<Recorded>, Fault> {
    let mut statement = connection.prepare_cached(&OPEN)?;
    let mut rows = statement.query([run.0])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(codec::recorded(row)?);
    }
    Ok(found)
}

/// The rows of a run in one open state, in order.
pub(super) fn in_state(connection: &Connection, run: RunId, state: State) -> Result<Vec<RowNumber>, Fault> {
    let mut statement =
        connection.prepare_cached("SELECT row FROM open_row WHERE run = ?1 AND state = ?2 ORDER BY row")?;
    let mut rows = statement.query(params![run.0, state.number()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(codec::row_number(row.get(0)?)?);
    }
    Ok(found)
}

/// What a resume must know.
pub(super) fn resume(connection: &Connection, run: RunId) -> Result<Resume, Fault> {
    let snapshot = connection.unchecked_transaction()?;
    let watermark: Option<i64> = snapshot
        .prepare_cached("SELECT watermark FROM run WHERE run = ?1")?
        .query_row([run.0], |row| row.get(0))
        .optional()?;
    let watermark = watermark.unwrap_or(0);
    let open = open(&snapshot, run)?;
    let mut final_rows = Vec::new();
    {
        let mut statement =
            snapshot.prepare_cached("SELECT row FROM done_row WHERE run = ?1 AND row >= ?2 ORDER BY row")?;
        let mut rows = statement.query([run.0, watermark])?;
        while let Some(row) = rows.next()? {
            final_rows.push(codec::row_number(row.get(0)?)?);
        }
    }
    snapshot.finish()?;
    Ok(Resume { watermark: codec::row_number(watermark)?, open, final_rows })
}
