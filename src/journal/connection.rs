//! Opens the journal's file so that a COMMIT means "on disk".
//!
//! No table is read or written here beyond the migrations. Invariant: a connection that leaves this file has
//! `journal_mode=wal`, `synchronous=FULL` and `foreign_keys=ON`, each read back and not only set.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::fault::{Fault, OpenError};
use super::{place, schema};
#[cfg(feature = "negative-controls")]
use crate::negative_controls::Mistake;

/// How long a statement waits for another process's transaction. Those last milliseconds; a checkpoint on a slow disk
/// may take seconds.
const BUSY: Duration = Duration::from_secs(10);

/// Statements kept ready: all that the writer uses, and those of a reader.
const STATEMENTS: usize = 48;

/// Opens the journal, making it where it is missing.
pub(super) fn open(path: &Path) -> Result<Connection, OpenError> {
    place::prepare(path)?;
    open_existing(path)
}

/// Opens a journal that is there. After a fault only this one is right: a journal that vanished must not come back
/// empty, as if nothing had been sent.
pub(super) fn open_existing(path: &Path) -> Result<Connection, OpenError> {
    let sql = |error| OpenError::sql(&error, path);
    // Not SQLITE_OPEN_URI: a file's name is a name. No mutex: each connection stays with one thread.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(sql)?;
    connection.busy_timeout(BUSY).map_err(sql)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    let old = schema::recognise(&connection, path)?;
    make_durable(&connection).map_err(sql)?;
    verify_durable(&connection, path)?;
    if old {
        schema::migrate(&connection, path)?;
    }
    Ok(connection)
}

fn make_durable(connection: &Connection) -> rusqlite::Result<()> {
    enter_wal(connection)?;
    // NORMAL loses acknowledged commits at power loss: with WAL it syncs at checkpoints only.
    connection.pragma_update(None, "synchronous", "FULL")?;
    #[cfg(feature = "negative-controls")]
    if Mistake::SynchronousNormal.is_made() {
        connection.pragma_update(None, "synchronous", "NORMAL")?;
    }
    // Where fsync does not reach the platter (macOS) this does; elsewhere it is nothing.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    connection.pragma_update(None, "foreign_keys", true)
}

/// Switches to WAL. The switch needs the file alone for a moment and does not always wait for it, so when two processes
/// make a journal at once, one of them asks again.
fn enter_wal(connection: &Connection) -> rusqlite::Result<()> {
    let until = Instant::now() + BUSY;
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error) if is_busy(&error) && Instant::now() < until => std::thread::sleep(Duration::from_millis(2)),
            other => return other,
        }
    }
}

/// Brings everything that the connection sees into the main file, and syncs that. After a sync that failed, seeing a
/// change is no proof that it is on disk; this is.
pub(super) fn flush(connection: &Connection) -> Result<(), Fault> {
    let busy: bool = connection.query_row("PRAGMA wal_checkpoint(FULL)", [], |row| row.get(0))?;
    if busy { Err(Fault::Broken("a checkpoint was kept from ending".to_owned())) } else { Ok(()) }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// Reads the settings back: SQLite takes a setting that it cannot honour without a word.
fn verify_durable(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    #[cfg(feature = "negative-controls")]
    if Mistake::SynchronousNormal.is_made() {
        return Ok(());
    }
    let expected = [("journal_mode", "wal", "wal"), ("synchronous", "2", "FULL"), ("foreign_keys", "1", "ON")];
    for (setting, value, expected) in expected {
        let found: String = connection
            .pragma_query_value(None, setting, |row| {
                row.get_ref(0).map(|found| match found {
                    rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                    other => other.as_str().map(str::to_ascii_lowercase).unwrap_or_default(),
                })
            })
            .map_err(|error| OpenError::sql(&error, path))?;
        if found != value {
            return Err(OpenError::Unsafe { path: path.to_owned(), setting, expected, found });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test that cannot go on says why")]

    use super::*;

    #[test]
    fn a_connection_is_durable_and_says_so() {
        let folder = tempfile::tempdir().expect("a folder");
        let connection = open(&folder.path().join("journal.db")).expect("opens");
        let number = |setting| connection.pragma_query_value(None, setting, |row| row.get::<_, i64>(0));
        assert_eq!(number("synchronous"), Ok(2));
        assert_eq!(number("foreign_keys"), Ok(1));
        let mode = connection.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0));
        assert_eq!(mode, Ok("wal".to_owned()));
    }

    #[test]
    fn a_setting_that_does_not_hold_is_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal.db");
        let connection = open(&path).expect("opens");
        for (setting, bad, good) in [("synchronous", "NORMAL", "FULL"), ("foreign_keys", "OFF", "ON")] {
            connection.pragma_update(None, setting, bad).expect("is set");
            let error = verify_durable(&connection, &path).expect_err("it does not hold");
            assert!(matches!(&error, OpenError::Unsafe { setting: found, .. } if *found == setting), "{error}");
            connection.pragma_update(None, setting, good).expect("is set");
        }
        let memory = Connection::open_in_memory().expect("opens");
        make_durable(&memory).expect("SQLite does not complain");
        let error = verify_durable(&memory, &path).expect_err("there is no WAL in memory");
        assert!(error.to_string().contains("`journal_mode` is `memory` and not `wal`"), "{error}");
    }

    #[test]
    fn two_may_make_the_same_journal_at_once() {
        for _ in 0..20 {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("new/journal.db");
            let start = std::sync::Barrier::new(4);
            std::thread::scope(|scope| {
                let opened: Vec<_> = (0..4)
                    .map(|_| {
                        scope.spawn(|| {
                            start.wait();
                            open(&path).map(|_| ())
                        })
                    })
                    .collect();
                for one in opened {
                    assert_eq!(one.join().expect("no panic"), Ok(()));
                }
            });
        }
    }
}
