//! The journal's file: what is refused, what is told, and how large it gets.

use super::*;
use crate::journal::OpenError;

fn opening(path: &std::path::Path) -> OpenError {
    Store::open(path).map(|_| ()).expect_err("is refused")
}

#[test]
fn looking_makes_no_journal() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state/journal.db");
    assert!(Store::open_existing(&path).expect("nothing is wrong").is_none());
    assert!(!folder.path().join("state").exists());
}

#[test]
fn a_newer_journal_is_left_alone() {
    let ground = Ground::new();
    ground.store().connection.pragma_update(None, "user_version", 99).expect("is set");
    let error = opening(&ground.path);
    assert!(matches!(error, OpenError::NewerVersion { found: 99, .. }), "{error}");
    assert!(error.to_string().contains("written by a newer subops") && error.to_string().contains("\nhint: "));
}

#[test]
fn files_of_others_are_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "PurchaseID,Days\n80012345,30\n".repeat(200)).expect("is written");
    let before = std::fs::read(&text).expect("is read");
    assert_eq!(opening(&text), OpenError::NotAJournal { path: text.clone() });
    assert_eq!(std::fs::read(&text).expect("is read"), before);

    let other = folder.path().join("other.db");
    let connection = rusqlite::Connection::open(&other).expect("opens");
    connection.execute_batch("CREATE TABLE customer (id INTEGER)").expect("is made");
    drop(connection);
    let before = std::fs::read(&other).expect("is read");
    assert_eq!(opening(&other), OpenError::NotAJournal { path: other.clone() });
    assert_eq!(std::fs::read(&other).expect("is read"), before, "not even its journal mode is changed");
}

#[test]
fn a_folder_is_no_journal() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(matches!(opening(folder.path()), OpenError::Storage { message } if message.contains("\nhint: ")));
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("is written");
    assert!(matches!(opening(&file.join("journal.db")), OpenError::Storage { .. }));
}

#[test]
fn damage_is_told_with_what_to_do() {
    let ground = Ground::new();
    ground.apply_all(&ground.journal(), 2..200);
    let mut bytes = std::fs::read(&ground.path).expect("is read");
    let pages = bytes.len() / 4096;
    for page in 3..pages {
        bytes[page * 4096..page * 4096 + 64].fill(0xA5);
    }
    std::fs::write(&ground.path, bytes).expect("is written");
    let told = match Store::open(&ground.path) {
        Ok(store) => store.records(ground.run, RowNumber(0), 1000).expect_err("is damaged").to_string(),
        Err(error) => error.to_string(),
    };
    assert!(told.contains("is damaged") && told.contains("integrity_check"), "{told}");
}

#[test]
fn a_file_that_may_only_be_read_is_told() {
    let ground = Ground::new();
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = rusqlite::Connection::open_with_flags(&ground.path, flags).expect("opens");
    let error = connection.execute("UPDATE run SET watermark = 3", []).expect_err("is read-only");
    let told = OpenError::sql(&error, &ground.path).to_string();
    assert!(told.contains("is read-only\nhint: "), "{told}");
}

#[test]
fn a_plain_row_takes_few_bytes() {
    const ROWS: u64 = 100_000;
    let ground = Ground::new();
    let journal = ground.journal();
    for first in (2..ROWS + 2).step_by(1000) {
        ground.apply_all(&journal, first..first + 1000);
    }
    drop(journal);
    let size = std::fs::metadata(&ground.path).expect("is there").len();
    assert!(!ground.folder.path().join("journal.db-wal").exists(), "everything is in the one file");
    assert!(size < ROWS * 60, "{} bytes a row", size as f64 / ROWS as f64);
    assert_eq!(ground.store().totals(ground.run).expect("reads").count(State::Applied), ROWS);
}
