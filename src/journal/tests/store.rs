//! Runs, recovery, doubts: what commands do with the journal.

use super::*;
use crate::contract::{Resume, Standing};
use crate::journal::{Decision, Evidence, Fact, StoreError};

#[test]
fn a_run_is_made_found_and_ended() {
    let ground = Ground::new();
    let store = ground.store();
    let record = store.run(ground.run).expect("is there");
    assert_eq!((record.job.as_str(), record.state, record.total_rows), ("nightly", RunState::Running, 100));
    assert_eq!(
        (record.settings.as_str(), record.finished, record.summary.as_deref()),
        (r#"{"rate":"10/s"}"#, None, None)
    );

    let refused = store.create_run(&new_run("blake3:one"));
    assert_eq!(refused, Err(StoreError::Unfinished { run: ground.run }), "two of them would send the same rows");
    store.set_run_state(ground.run, RunState::Running, RunState::Halted, 7).expect("moves");
    assert_eq!(store.create_run(&new_run("blake3:one")), Err(StoreError::Unfinished { run: ground.run }));
    assert_eq!(store.find_unfinished_by_job("/jobs/nightly.toml").expect("reads").len(), 1);

    store.set_run_state(ground.run, RunState::Halted, RunState::Finished, 8).expect("moves");
    store.save_summary(ground.run, "{}").expect("is kept");
    assert_eq!(store.find_unfinished_by_job("/jobs/nightly.toml"), Ok(vec![]));
    let again = NewRun { again_reason: Some("asked for".to_owned()), ..new_run("blake3:one") };
    let second = store.create_run(&again).expect("the first is finished");
    let of_plan = store.find_by_digest("blake3:one").expect("reads");
    assert_eq!(of_plan.iter().map(|record| record.run).collect::<Vec<_>>(), [second, ground.run]);
    assert_eq!((of_plan[1].finished, of_plan[1].summary.as_deref()), (Some(8), Some("{}")));
    assert_eq!(store.latest_run().expect("reads").map(|record| record.run), Some(second));
    assert_eq!(store.runs().expect("reads").len(), 2);

    let reopened = store.set_run_state(ground.run, RunState::Finished, RunState::Running, 9);
    assert_eq!(reopened, Err(StoreError::Unfinished { run: second }));
    let moved = store.set_run_state(second, RunState::Halted, RunState::Running, 9);
    assert_eq!(moved, Err(StoreError::RunMoved { run: second, expected: RunState::Halted, found: RunState::Running }));
    assert_eq!(store.run(RunId(9)), Err(StoreError::NoSuchRun(RunId(9))));
    assert_eq!(store.save_summary(RunId(9), "{}"), Err(StoreError::NoSuchRun(RunId(9))));
}

#[test]
fn what_was_about_to_be_called_is_in_doubt_at_the_next_start() {
    let ground = Ground::new();
    let journal = ground.journal();
    ground.apply_all(&journal, 2..5);
    assert!(all(&journal, (5..8).map(|row| ground.intent(row))).iter().all(Result::is_ok));
    drop(journal);

    let store = ground.store();
    assert_eq!(store.recover(ground.run, 9), Ok(vec![RowNumber(5), RowNumber(6), RowNumber(7)]));
    assert_eq!(store.recover(ground.run, 9), Ok(vec![]), "a second time finds none");
    let totals = store.verify_tally(ground.run).expect("adds up");
    assert_eq!((totals.count(State::InDoubt), totals.count(State::Intended)), (3, 0));
    let usd = Currency::parse("USD").expect("USD");
    assert_eq!(totals.amount(usd, State::InDoubt).to_string(), "29.85");

    let doubt = store.doubts(ground.run).expect("reads").swap_remove(0);
    assert_eq!((doubt.record.attempts, doubt.record.code.as_deref()), (1, Some("interrupted")));
    assert_eq!(doubt.amount, self::usd("9.95"));
    assert_eq!(doubt.record.subject, Some(subject("80012345")));
    assert!(doubt.record.sent.is_some_and(|sent| sent.contains(r#""Days":"30""#)));
    assert!(doubt.record.baseline.is_some_and(|read| read.get("next_bill_date") == Some("2026-12-01")));
    assert!(
        matches!(&doubt.evidence[..], [Evidence { at: 9, fact: Fact::Failure { code, .. } }] if code == "interrupted")
    );
}

#[test]
fn a_settled_doubt_leaves_its_trace_and_releases_what_waited() {
    let ground = Ground::new();
    let journal = ground.journal();
    assert!(all(&journal, [ground.intent(2), ground.intent(3)].into_iter()).iter().all(Result::is_ok));
    assert!(all(&journal, [ground.lost(2), ground.lost(3)].into_iter()).iter().all(Result::is_ok));
    let held = |row, id: &str| ground.change(row, State::Planned, Event::Held, Note::Held { subject: subject(id) });
    let waiting = [held(4, "80012345"), held(5, "80099999"), held(6, "80012345")];
    assert!(all(&journal, waiting.into_iter()).iter().all(Result::is_ok));

    let store = ground.store();
    let waiting: Vec<_> = store.held(ground.run).expect("reads").iter().map(|record| record.row.0).collect();
    assert_eq!(waiting, [4, 5, 6]);
    let settle = |row, decision| store.settle(ground.run, RowNumber(row), decision, "seen in the portal", "ann", 77);
    let first = settle(2, Decision::Applied).expect("is in doubt");
    assert_eq!((first.state, first.released), (State::Applied, vec![]), "row 3 of the same subject is still in doubt");
    let second = settle(3, Decision::NotApplied).expect("is in doubt");
    assert_eq!((second.state, second.released), (State::Planned, vec![RowNumber(4), RowNumber(6)]));

    assert_eq!(
        settle(2, Decision::NotApplied),
        Err(StoreError::NotInDoubt { run: ground.run, row: RowNumber(2), found: Some(State::Applied) })
    );
    assert_eq!(
        settle(50, Decision::Applied),
        Err(StoreError::NotInDoubt { run: ground.run, row: RowNumber(50), found: None })
    );
    let expected =
        [(2, State::Applied), (3, State::Planned), (4, State::Planned), (5, State::Held), (6, State::Planned)];
    assert_eq!(ground.states(), expected);
    let evidence = store.evidence(ground.run, RowNumber(2)).expect("reads");
    let settlement = Fact::Settlement {
        decision: Decision::Applied,
        who: "ann".to_owned(),
        reason: "seen in the portal".to_owned(),
    };
    assert_eq!(evidence.last(), Some(&Evidence { at: 77, fact: settlement }));
    assert_eq!(evidence.len(), 2, "how the doubt came about is kept too");
    store.verify_tally(ground.run).expect("adds up");

    let again = ground.change(3, State::Planned, Event::Intent { effect: Effect::Additive }, intent_note(2));
    assert_eq!(one(&journal, again), Ok(()), "proven not applied: it may be sent again");
}

#[test]
fn a_record_tells_what_was_noted() {
    let ground = Ground::new();
    let journal = ground.journal();
    let answer = Answer {
        code: "OK".to_owned(),
        message: "subscription extended".to_owned(),
        reference: Some("T-1".to_owned()),
        data: vec![("link", "https://example.test/a".to_owned())],
    };
    let changes = [
        vec![ground.intent(2), ground.change(2, State::Intended, Event::Applied, Note::Answer(answer))],
        vec![
            ground.intent(3),
            ground.change(3, State::Intended, Event::NotApplied, failure()),
            Change {
                at: 8,
                ..ground.change(
                    3,
                    State::Planned,
                    Event::Intent { effect: Effect::Additive },
                    Note::Intent { attempt: 2, baseline: None, subject: None, sent: String::new() },
                )
            },
        ],
        vec![ground.change(4, State::Planned, Event::GaveUp, failure())],
    ];
    for change in changes.into_iter().flatten() {
        one(&journal, change).expect("is committed");
    }
    let records = journal.records(ground.run, RowNumber(0), 10).expect("reads");
    let [applied, again, given_up] = &records[..] else { panic!("{records:?}") };
    assert_eq!((applied.code.as_deref(), applied.message.as_deref()), (Some("OK"), Some("subscription extended")));
    assert_eq!(applied.data, [("link".to_owned(), "https://example.test/a".to_owned())]);
    assert_eq!((applied.reference.as_deref(), applied.attempts, &applied.sent), (Some("T-1"), 1, &None));
    assert_eq!((again.state, again.attempts, again.intended_at), (State::Intended, 2, Some(8)));
    assert_eq!(again.baseline, None, "the baseline of an earlier attempt proves nothing about this one");
    assert_eq!(again.subject, Some(subject("80012345")));
    assert_eq!((given_up.state, given_up.attempts, given_up.code.as_deref()), (State::Failed, 0, Some("no_reply")));

    let page = journal.records(ground.run, RowNumber(2), 1).expect("reads");
    assert_eq!(page.iter().map(|record| record.row.0).collect::<Vec<_>>(), [3]);
}

#[test]
fn a_row_that_is_not_sent_has_no_record() {
    let ground = Ground::new();
    let journal = ground.journal();
    let stopped = ground.change(2, State::Planned, Event::Stopped, Note::None);
    let resumed = ground.change(2, State::NotSent, Event::Resumed, Note::None);
    assert_eq!(all(&journal, [stopped, resumed].into_iter()), [Ok(()), Ok(())]);
    assert_eq!(ground.states(), []);
    assert_eq!(ground.store().totals(ground.run).expect("reads").rows(), 0);
    let held = ground.change(3, State::NotSent, Event::Held, Note::Held { subject: subject("1") });
    assert_eq!(one(&journal, held), Ok(()));
    assert_eq!(ground.states(), [(3, State::Held)]);
}

#[test]
fn a_resume_knows_every_row_with_and_without_a_watermark() {
    let ground = Ground::new();
    let journal = ground.journal();
    ground.apply_all(&journal, [2, 3, 5, 7, 11].into_iter());
    assert!(all(&journal, [ground.intent(4), ground.intent(12)].into_iter()).iter().all(Result::is_ok));
    journal.set_watermark(ground.run, RowNumber(6));
    one(&journal, ground.lost(4)).expect("is committed");

    let with = journal.resume(ground.run).expect("reads");
    assert_eq!((with.watermark, with.final_rows.len(), with.open.len()), (RowNumber(6), 2, 2));
    let mut without = Resume::default();
    for record in journal.records(ground.run, RowNumber(0), 100).expect("reads") {
        if record.state.is_final() { without.final_rows.push(record.row) } else { without.open.push(record) }
    }
    // Row 6 is not in the file: a record before it spans two lines.
    for row in (2..20).filter(|row| *row != 6).map(RowNumber) {
        assert_eq!(with.standing(row), without.standing(row), "{row}");
    }
    assert!(matches!(with.standing(RowNumber(4)), Standing::Open(record) if record.state == State::InDoubt));
    assert_eq!(with.standing(RowNumber(5)), Standing::Final);
    assert_eq!(with.standing(RowNumber(8)), Standing::Unrecorded);
    assert_eq!(ground.store().resume(ground.run).expect("reads"), with);
}

#[test]
fn a_status_is_read_while_a_run_goes_on() {
    let ground = Ground::new();
    let journal = ground.journal();
    let looking = Store::open_existing(&ground.path).expect("opens").expect("is there");
    for row in 2..20 {
        ground.apply_all(&journal, row..row + 1);
        let totals = looking.verify_tally(ground.run).expect("adds up at every moment");
        assert_eq!(totals.count(State::Applied), row - 1);
    }
}

#[test]
fn a_tally_that_was_tampered_with_is_found() {
    let ground = Ground::new();
    ground.apply_all(&ground.journal(), 2..5);
    let store = ground.store();
    store.verify_tally(ground.run).expect("adds up");
    store.connection.execute("UPDATE tally_amount SET sum = '29.84' WHERE state = 2", []).expect("is changed");
    let told = store.verify_tally(ground.run).expect_err("money differs").to_string();
    assert!(told.contains("the tally has USD 29.84 applied, the rows have 29.85"), "{told}");
    store.connection.execute("DELETE FROM done_row WHERE row = 3", []).expect("is changed");
    let told = store.verify_tally(ground.run).expect_err("rows differ").to_string();
    assert!(told.contains("the tally has 3 rows applied, the rows are 2"), "{told}");
}
