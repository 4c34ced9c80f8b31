//! What can go wrong with the journal, in words that say what to do about it.
//!
//! Only words are made here. What a fault means for a run (which call is not made, which row is in doubt) is decided
//! where it happened.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use super::runs::RunState;
use crate::contract::JournalFault;
use crate::model::ids::{RowNumber, RunId};
use crate::model::state::State;

/// Why a journal cannot be opened. Nothing of it was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Locks and shared memory cannot be trusted there, and with them neither "one process per run" nor the journal.
    #[error(
        "the journal `{}` is on a network file system ({kind}), where locks cannot be trusted\n\
         hint: choose a local file with `--journal FILE`",
        path.display()
    )]
    NetworkFileSystem {
        /// The journal.
        path: PathBuf,
        /// What it is on.
        kind: &'static str,
    },
    /// A later program wrote it; what it means is not known here.
    #[error(
        "the journal `{}` was written by a newer subops (format {found}, this one knows {known})\n\
         hint: use that version, or another file with `--journal FILE`",
        path.display()
    )]
    NewerVersion {
        /// The journal.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The last format that this program knows.
        known: i64,
    },
    /// It is a file of something else.
    #[error(
        "`{}` is not a journal of subops\n\
         hint: name another file with `--journal FILE`; this one was left as it is",
        path.display()
    )]
    NotAJournal {
        /// The file.
        path: PathBuf,
    },
    /// A setting on which durability rests did not hold.
    #[error(
        "the journal `{}` cannot be made safe: `{setting}` is `{found}` and not `{expected}`\n\
         hint: choose a file on another file system with `--journal FILE`",
        path.display()
    )]
    Unsafe {
        /// The journal.
        path: PathBuf,
        /// Which setting.
        setting: &'static str,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// The file or its folder cannot be made, read or written.
    #[error("{message}")]
    Storage {
        /// What it said, and what to do about it.
        message: String,
    },
}

impl OpenError {
    pub(super) fn sql(error: &rusqlite::Error, path: &Path) -> Self {
        if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) {
            return OpenError::NotAJournal { path: path.to_owned() };
        }
        OpenError::Storage { message: explain(error, path, None) }
    }

    pub(super) fn io(what: &str, path: &Path, error: &std::io::Error) -> Self {
        OpenError::Storage {
            message: format!(
                "{what} `{}`: {error}\nhint: make it writable, or name another file with `--journal FILE`",
                path.display()
            ),
        }
    }
}

impl From<OpenError> for JournalFault {
    fn from(error: OpenError) -> Self {
        JournalFault::Storage { message: error.to_string() }
    }
}

/// Why a command could not do what it wanted with the journal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no such run.
    #[error("there is no run {0} in the journal\nhint: `subops runs` lists them")]
    NoSuchRun(RunId),
    /// Another run of the same plan can still be continued. Two such runs would send the same rows twice.
    #[error("run {run} of the same plan is not finished\nhint: continue it with `subops resume {run}`")]
    Unfinished {
        /// That run.
        run: RunId,
    },
    /// The run was not in the state that the change leaves.
    #[error("run {run} is {found}, not {expected}")]
    RunMoved {
        /// Which run.
        run: RunId,
        /// The state it was expected in.
        expected: RunState,
        /// The state it is in.
        found: RunState,
    },
    /// There is no doubt about the row: it has no record, or is in another state.
    #[error("row {row} of run {run} is not in doubt{}", found.map(|state| format!(": it is {state}")).unwrap_or_default())]
    NotInDoubt {
        /// Which run.
        run: RunId,
        /// Which row.
        row: RowNumber,
        /// What is recorded of it.
        found: Option<State>,
    },
    /// The tally and the rows it counts disagree: the journal was changed by another hand.
    #[error("the journal of run {run} does not add up: {message}")]
    Tally {
        /// Which run.
        run: RunId,
        /// What differs.
        message: String,
    },
    /// The storage failed, or the row moved meanwhile.
    #[error(transparent)]
    Fault(#[from] JournalFault),
}

/// Why a transaction cannot be completed. What was in it is rolled back, or (at COMMIT) unknown.
#[derive(Debug)]
pub(super) enum Fault {
    /// SQLite said no.
    Sql(rusqlite::Error),
    /// What was read makes no sense, or what is to be written cannot be held.
    Broken(String),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Fault::Sql(error)
    }
}

impl Fault {
    /// The fault as others see it. `run` names the run in the hint.
    pub(super) fn outward(&self, path: &Path, run: Option<RunId>) -> JournalFault {
        let message = match self {
            Fault::Sql(error) => explain(error, path, run),
            Fault::Broken(what) => format!("the journal `{}`: {what}\n{}", path.display(), examine(path)),
        };
        JournalFault::Storage { message }
    }
}

/// What SQLite's error means for a person, and what to do about it.
fn explain(error: &rusqlite::Error, path: &Path, run: Option<RunId>) -> String {
    let file = path.display();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).display();
    let resume = run.map_or_else(|| "try again".to_owned(), |run| format!("`subops resume {run}`"));
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => {
            format!("the disk that holds the journal `{file}` is full\nhint: free space at `{folder}`, then {resume}")
        }
        Some(ErrorCode::ReadOnly) => format!(
            "the journal `{file}` or its folder is read-only\nhint: make both writable for this user, then {resume}"
        ),
        Some(ErrorCode::PermissionDenied | ErrorCode::CannotOpen | ErrorCode::AuthorizationForStatementDenied) => {
            format!(
                "the journal `{file}` cannot be opened: {error}\n\
                 hint: it and its folder must be readable and writable for this user; then {resume}"
            )
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            format!("the journal `{file}` is damaged: {error}\n{}", examine(path))
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => format!(
            "the journal `{file}` is locked by another program for too long\n\
             hint: close what has it open (a backup, a database browser), then {resume}"
        ),
        Some(ErrorCode::SystemIoFailure) => {
            format!("the disk that holds the journal `{file}` failed: {error}\nhint: look at the disk, then {resume}")
        }
        _ => format!("the journal `{file}` failed: {error}"),
    }
}

fn examine(path: &Path) -> String {
    format!(
        "hint: keep a copy of it and of its `-wal` file, then look with `sqlite3 {} 'PRAGMA integrity_check'`",
        path.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::ffi;

    fn told(code: i32) -> String {
        let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        explain(&error, Path::new("/state/journal.db"), Some(RunId(7)))
    }

    #[test]
    fn each_fault_says_what_to_do() {
        let full = told(ffi::SQLITE_FULL);
        assert!(
            full.contains("full") && full.contains("hint: free space at `/state`, then `subops resume 7`"),
            "{full}"
        );
        assert!(told(ffi::SQLITE_READONLY).contains("read-only"));
        assert!(told(ffi::SQLITE_CORRUPT).contains("integrity_check"));
        assert!(told(ffi::SQLITE_NOTADB).contains("damaged"));
        assert!(told(ffi::SQLITE_BUSY).contains("locked by another program"));
        assert!(told(ffi::SQLITE_IOERR_FSYNC).contains("the disk that holds the journal"));
        for code in
            [ffi::SQLITE_FULL, ffi::SQLITE_READONLY, ffi::SQLITE_CORRUPT, ffi::SQLITE_BUSY, ffi::SQLITE_CANTOPEN]
        {
            assert_eq!(told(code).matches("\nhint: ").count(), 1, "{}", told(code));
        }
    }
}
