//! The writer: groups, refusals within a group, and disks that fail.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, Transaction, ffi};

use super::*;
use crate::journal::connection;
use crate::journal::fault::OpenError;
use crate::journal::writer::Storage;

#[test]
fn many_changes_share_a_commit() {
    let ground = Ground::new();
    let journal = ground.journal();
    let verdicts = all(&journal, (2..502).map(|row| ground.intent(row)));
    assert!(verdicts.iter().all(Result::is_ok), "{verdicts:?}");
    assert!((1..250).contains(&journal.commits()), "{} commits", journal.commits());

    let before = journal.commits();
    let lingering = (2..502).map(|row| Change { may_linger: true, ..ground.applied(row) });
    assert!(all(&journal, lingering).iter().all(Result::is_ok));
    assert!(journal.commits() - before <= 50, "{} commits", journal.commits() - before);
    assert_eq!(ground.store().verify_tally(ground.run).expect("adds up").count(State::Applied), 500);
}

#[test]
fn one_that_lingers_alone_is_not_forgotten() {
    let ground = Ground::new();
    let journal = ground.journal();
    assert_eq!(one(&journal, Change { may_linger: true, ..ground.intent(2) }), Ok(()));
    assert_eq!(journal.commits(), 1);
}

#[test]
fn a_change_that_came_too_late_leaves_its_companions_alone() {
    let ground = Ground::new();
    let journal = ground.journal();
    ground.apply_all(&journal, 2..4);
    let stale = |row, expected| Err(JournalFault::Stale { row: RowNumber(row), expected });
    let verdicts = all(
        &journal,
        [ground.intent(4), ground.applied(3), ground.intent(2), ground.lost(9), ground.intent(5)].into_iter(),
    );
    assert_eq!(
        verdicts,
        [Ok(()), stale(3, State::Intended), stale(2, State::Planned), stale(9, State::Intended), Ok(())]
    );
    let expected = [(2, State::Applied), (3, State::Applied), (4, State::Intended), (5, State::Intended)];
    assert_eq!(ground.states(), expected);
    ground.store().verify_tally(ground.run).expect("what was refused is not counted");
}

#[test]
fn no_row_gets_a_second_intent() {
    let ground = Ground::new();
    let journal = ground.journal();
    let stale = Err(JournalFault::Stale { row: RowNumber(2), expected: State::Planned });
    let verdicts = all(&journal, (0..3).map(|_| ground.intent(2)));
    assert_eq!(verdicts, [Ok(()), stale.clone(), stale.clone()], "while it is open");
    assert_eq!(one(&journal, ground.lost(2)), Ok(()));
    assert_eq!(one(&journal, ground.intent(2)), stale, "while it is in doubt");
    assert_eq!(one(&journal, ground.change(2, State::InDoubt, Event::VerifiedApplied, Note::None)), Ok(()));
    assert_eq!(one(&journal, ground.intent(2)), stale, "after it is done");
    let given_up = ground.change(2, State::Planned, Event::GaveUp, failure());
    assert_eq!(one(&journal, given_up), stale, "nor can it be given up");
    assert_eq!(one(&journal, ground.change(2, State::Planned, Event::Stopped, Note::None)), stale);
}

#[test]
fn what_is_illegal_never_reaches_the_tables() {
    let ground = Ground::new();
    let journal = ground.journal();
    let resend = ground.change(2, State::InDoubt, Event::Intent { effect: Effect::Additive }, intent_note(2));
    let no_attempt = ground.change(2, State::Planned, Event::Intent { effect: Effect::Read }, Note::None);
    let elsewhere = Change { run: RunId(99), ..ground.intent(2) };
    for (change, why) in [(resend, "cannot take"), (no_attempt, "which attempt"), (elsewhere, "no such run")] {
        let verdicts = all(&journal, [change, ground.intent(3)].into_iter());
        assert!(
            matches!(&verdicts[0], Err(JournalFault::Storage { message }) if message.contains(why)),
            "{verdicts:?}"
        );
        let remark = wait(journal.remark(RunId(99), RowNumber(2), 5, failure()));
        assert!(matches!(remark, Err(JournalFault::Storage { message }) if message.contains("no such run")));
    }
    assert_eq!(ground.states(), [(3, State::Intended)]);
    assert_eq!(one(&journal, ground.intent(4)), Ok(()), "and the writer goes on");
}

#[test]
fn nobody_has_to_wait_for_what_was_asked() {
    let ground = Ground::new();
    let journal = ground.journal();
    drop(journal.commit(ground.intent(2)));
    drop(journal.commit(Change { may_linger: true, ..ground.intent(3) }));
    drop(journal);
    assert_eq!(ground.states(), [(2, State::Intended), (3, State::Intended)]);
}

#[test]
fn what_was_acknowledged_is_in_the_files_at_that_moment() {
    let ground = Ground::new();
    let journal = ground.journal();
    ground.apply_all(&journal, 2..4);
    one(&journal, ground.intent(4)).expect("the intent");
    journal.set_watermark(ground.run, RowNumber(3));
    one(&journal, ground.intent(5)).expect("the intent");
    // What a killed process leaves: the files as they are, without a checkpoint or a farewell.
    let image = ground.folder.path().join("image.db");
    for ending in ["", "-wal"] {
        let name = |path: &Path| format!("{}{ending}", path.display());
        std::fs::copy(name(&ground.path), name(&image)).expect("is copied");
    }
    let store = Store::open(&image).expect("opens");
    assert_eq!(store.recover(ground.run, 5), Ok(vec![RowNumber(4), RowNumber(5)]));
    let totals = store.verify_tally(ground.run).expect("adds up");
    assert_eq!((totals.count(State::Applied), totals.count(State::InDoubt), totals.rows()), (2, 2, 4));
    assert_eq!(store.run(ground.run).expect("is there").watermark, RowNumber(3));
}

#[test]
fn the_watermark_never_goes_back_and_is_written_at_the_end() {
    let ground = Ground::new();
    let journal = ground.journal();
    for row in [7, 5] {
        journal.set_watermark(ground.run, RowNumber(row));
    }
    drop(journal);
    assert_eq!(ground.store().run(ground.run).expect("is there").watermark, RowNumber(7));
    let journal = ground.journal();
    journal.set_watermark(ground.run, RowNumber(6));
    drop(journal);
    assert_eq!(ground.store().run(ground.run).expect("is there").watermark, RowNumber(7));
}

/// What the disk does at a COMMIT.
#[derive(Clone, Copy)]
enum Disk {
    Works,
    /// Says that it failed, and it did.
    Loses,
    /// Says that it failed, and it did not.
    Keeps,
}

/// A journal whose disk fails as told, and works when nothing is left to be told.
struct Faulty {
    path: PathBuf,
    commits: Arc<Mutex<VecDeque<Disk>>>,
    /// How often it can be opened.
    opens: usize,
}

impl Storage for Faulty {
    fn open(&mut self) -> Result<Connection, OpenError> {
        self.opens = self.opens.checked_sub(1).ok_or(OpenError::Storage { message: "gone".to_owned() })?;
        connection::open_existing(&self.path)
    }

    fn commit(&mut self, transaction: Transaction<'_>) -> rusqlite::Result<()> {
        let disk = self.commits.lock().expect("not poisoned").pop_front().unwrap_or(Disk::Works);
        match disk {
            Disk::Works => return transaction.commit(),
            Disk::Keeps => transaction.commit()?,
            Disk::Loses => transaction.rollback()?,
        }
        Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_IOERR_FSYNC), None))
    }
}

/// A journal with rows 2 and 3 intended, whose next commits go as told.
fn faulty(ground: &Ground, then: &[Disk], opens: usize) -> SqliteJournal {
    let commits = Arc::new(Mutex::new(VecDeque::new()));
    let storage = Faulty { path: ground.path.clone(), commits: Arc::clone(&commits), opens };
    let journal = SqliteJournal::start(&ground.path, storage).expect("opens");
    assert!(all(&journal, [ground.intent(2), ground.intent(3)].into_iter()).iter().all(Result::is_ok));
    commits.lock().expect("not poisoned").extend(then);
    journal
}

/// Changes that make one group: each lingers, so the writer waits for the last.
fn together(changes: impl IntoIterator<Item = Change>) -> impl Iterator<Item = Change> {
    changes.into_iter().map(|change| Change { may_linger: true, ..change })
}

fn is_io_failure(verdict: &Result<(), JournalFault>) -> bool {
    matches!(verdict, Err(JournalFault::Storage { message }) if message.contains("failed") && message.contains("subops resume 1"))
}

#[test]
fn a_lost_commit_refuses_the_intent_and_repeats_the_outcome() {
    let ground = Ground::new();
    let journal = faulty(&ground, &[Disk::Loses], 9);
    let verdicts = all(&journal, together([ground.applied(2), ground.intent(4), ground.intent(2)]));
    assert_eq!(verdicts[0], Ok(()));
    assert!(is_io_failure(&verdicts[1]), "{verdicts:?}");
    assert_eq!(verdicts[2], Err(JournalFault::Stale { row: RowNumber(2), expected: State::Planned }));
    assert_eq!(ground.states(), [(2, State::Applied), (3, State::Intended)], "row 4 is not sent");

    assert_eq!(one(&journal, ground.applied(3)), Ok(()), "a call that was under way is still recorded");
    assert!(is_io_failure(&one(&journal, ground.intent(5))), "but no further row starts");
    assert_eq!(ground.store().verify_tally(ground.run).expect("adds up").count(State::Applied), 2);
}

#[test]
fn a_commit_that_failed_but_is_there_is_believed() {
    let ground = Ground::new();
    let journal = faulty(&ground, &[Disk::Keeps], 9);
    let asked: Vec<_> = together([ground.applied(2), ground.intent(4)]).map(|change| journal.commit(change)).collect();
    assert_eq!(wait(journal.remark(ground.run, RowNumber(3), 6, failure())), Ok(()));
    for answer in asked {
        assert_eq!(wait(answer), Ok(()));
    }
    assert_eq!(ground.states(), [(2, State::Applied), (3, State::Intended), (4, State::Intended)]);
    let store = ground.store();
    store.verify_tally(ground.run).expect("nothing is counted twice");
    assert_eq!(store.evidence(ground.run, RowNumber(3)).expect("reads").len(), 1, "nor kept twice");
}

#[test]
fn after_a_second_failure_nothing_is_taken_any_more() {
    let ground = Ground::new();
    let journal = faulty(&ground, &[Disk::Loses, Disk::Loses], 9);
    let verdicts = all(&journal, together([ground.applied(2), ground.intent(4)]));
    assert!(verdicts.iter().all(is_io_failure), "{verdicts:?}");
    for change in [ground.applied(3), ground.intent(5)] {
        assert_eq!(one(&journal, change), verdicts[0], "the same words");
    }
    drop(journal);
    assert_eq!(ground.states(), [(2, State::Intended), (3, State::Intended)], "a resume finds both in doubt");
    ground.store().verify_tally(ground.run).expect("adds up");
}

#[test]
fn a_journal_that_cannot_be_opened_again_is_given_up() {
    let ground = Ground::new();
    let journal = faulty(&ground, &[Disk::Keeps], 1);
    let verdict = one(&journal, ground.applied(2));
    assert!(is_io_failure(&verdict), "{verdict:?}");
    assert_eq!(one(&journal, ground.applied(3)), verdict);
}

/// A disk with room for few pages.
struct Small(PathBuf);

impl Storage for Small {
    fn open(&mut self) -> Result<Connection, OpenError> {
        let connection = connection::open_existing(&self.0)?;
        connection.pragma_update(None, "max_page_count", 16).expect("is set");
        Ok(connection)
    }
}

#[test]
fn a_full_disk_loses_nothing_that_was_acknowledged() {
    let ground = Ground::new();
    let journal = SqliteJournal::start(&ground.path, Small(ground.path.clone())).expect("opens");
    let mut acknowledged = Vec::new();
    let mut refusals = Vec::new();
    for row in 2..200 {
        match one(&journal, ground.intent(row)) {
            Ok(()) => acknowledged.push((row, State::Intended)),
            Err(JournalFault::Storage { message }) => refusals.push(message),
            Err(stale) => panic!("{stale}"),
        }
    }
    drop(journal);
    assert!(acknowledged.len() > 5 && refusals.len() > 5, "{acknowledged:?}");
    let folder = ground.folder.path().display();
    assert!(
        refusals[0].contains(&format!("is full\nhint: free space at `{folder}`, then `subops resume 1`")),
        "{refusals:?}"
    );
    assert!(refusals.iter().all(|message| *message == refusals[0]));
    assert_eq!(ground.states(), acknowledged);
    ground.store().verify_tally(ground.run).expect("adds up");
}
