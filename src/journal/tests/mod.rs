//! The room's behaviour from outside: through `SqliteJournal` and `Store`, on real files.

#![allow(clippy::expect_used, reason = "a test that cannot go on says why")]

mod files;
mod oracle;
mod store;
mod writer;

use std::future::Future;
use std::path::PathBuf;

use tempfile::TempDir;

use super::{NewRun, RunState, SqliteJournal, Store};
use crate::contract::{Change, Journal, JournalFault, Note, Observation};
use crate::model::failure::Answer;
use crate::model::ids::{AccountName, RowNumber, RunId, SubjectKey};
use crate::model::money::{Currency, Money, parse_amount};
use crate::model::operation::Effect;
use crate::model::state::{Event, State};

/// An empty folder with the place for a journal in it, and one run.
struct Ground {
    folder: TempDir,
    path: PathBuf,
    run: RunId,
}

impl Ground {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal.db");
        let run = Store::open(&path).expect("opens").create_run(&new_run("blake3:one")).expect("is made");
        Self { folder, path, run }
    }

    fn journal(&self) -> SqliteJournal {
        SqliteJournal::open(&self.path).expect("opens")
    }

    fn store(&self) -> Store {
        Store::open(&self.path).expect("opens")
    }

    fn change(&self, row: u64, from: State, event: Event, note: Note) -> Change {
        Change {
            run: self.run,
            row: RowNumber(row),
            from,
            event,
            at: 1_700_000_000_000,
            amount: usd("9.95"),
            note,
            may_linger: false,
        }
    }

    fn intent(&self, row: u64) -> Change {
        self.change(row, State::Planned, Event::Intent { effect: Effect::Additive }, intent_note(1))
    }

    fn applied(&self, row: u64) -> Change {
        self.change(row, State::Intended, Event::Applied, Note::Answer(Answer::word("SUCCESS")))
    }

    fn lost(&self, row: u64) -> Change {
        self.change(row, State::Intended, Event::Unknown, failure())
    }

    /// Brings rows to `applied`.
    fn apply_all(&self, journal: &SqliteJournal, rows: impl Iterator<Item = u64> + Clone) {
        all(journal, rows.clone().map(|row| self.intent(row))).into_iter().for_each(|one| one.expect("the intent"));
        all(journal, rows.map(|row| self.applied(row))).into_iter().for_each(|one| one.expect("the outcome"));
    }

    fn states(&self) -> Vec<(u64, State)> {
        let records = self.store().records(self.run, RowNumber(0), usize::MAX).expect("reads");
        records.into_iter().map(|record| (record.row.0, record.state)).collect()
    }
}

fn new_run(digest: &str) -> NewRun {
    NewRun {
        job: "nightly".to_owned(),
        job_path: "/jobs/nightly.toml".to_owned(),
        digest: digest.to_owned(),
        input_path: "/jobs/nightly.csv".to_owned(),
        settings: r#"{"rate":"10/s"}"#.to_owned(),
        started: 1_700_000_000_000,
        again_reason: None,
        total_rows: 100,
        program_version: "0.1.0".to_owned(),
    }
}

fn usd(amount: &str) -> Option<Money> {
    let currency = Currency::parse("USD").expect("a currency");
    Some(Money { amount: parse_amount(amount).expect("an amount"), currency })
}

fn subject(id: &str) -> SubjectKey {
    SubjectKey::new(&AccountName::new("segpay"), "PurchaseID", id)
}

fn intent_note(attempt: u32) -> Note {
    Note::Intent {
        attempt,
        baseline: Some(Observation { facts: vec![("next_bill_date".to_owned(), "2026-12-01".to_owned())] }),
        subject: Some(subject("80012345")),
        sent: r#"{"operation":"segpay.extend_membership","PurchaseID":"80012345","Days":"30"}"#.to_owned(),
    }
}

fn failure() -> Note {
    Note::Failure { code: "no_reply".to_owned(), message: "no reply within 30 s".to_owned() }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

fn one(journal: &SqliteJournal, change: Change) -> Result<(), JournalFault> {
    wait(journal.commit(change))
}

/// Hands all changes over before the first answer is waited for.
fn all(journal: &SqliteJournal, changes: impl Iterator<Item = Change>) -> Vec<Result<(), JournalFault>> {
    let asked: Vec<_> = changes.map(|change| journal.commit(change)).collect();
    wait(async {
        let mut heard = Vec::new();
        for answer in asked {
            heard.push(answer.await);
        }
        heard
    })
}
