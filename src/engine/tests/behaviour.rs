//! What single failures, guards and signals lead to.

use std::time::Duration;

use rstest::rstest;

use super::rig::{ADD, ADD_BLIND, FakeProvider, Rig, SET, SWITCH, Scene, failure, ok, refused};
use crate::engine::Ended;
use crate::engine::stop::StopReason;
use crate::model::event::{Halt, RunEvent};
use crate::model::failure::{Answer, Failure, FailureClass, Reply};
use crate::model::operation::OperationSpec;
use crate::model::settings::MaxFailures;
use crate::model::state::State;

async fn one(operation: &'static OperationSpec, scenes: Vec<Scene>) -> (Rig, Ended) {
    let mut rig = Rig::new(FakeProvider::scripted(scenes), Rig::rows(operation, 1));
    let ended = rig.run().await;
    (rig, ended)
}

#[tokio::test(start_paused = true)]
async fn every_row_is_applied_once_when_all_is_well() {
    let mut rig = Rig::new(FakeProvider::scripted([]), Rig::rows(&ADD, 100));
    let ended = rig.run().await;
    assert_eq!(ended.reason, None);
    assert!(rig.states().iter().all(|state| *state == State::Applied));
    assert!((2..102).all(|row| rig.provider.times_applied(row) == 1));
    assert!(rig.provider.most_in_flight.get() <= 8);
}

/// What is done about one failure of a row that adds up, with and without a read at the provider.
#[rstest]
#[case::proven(failure(false, FailureClass::NotConnected), State::Applied, State::Applied, 2)]
#[case::not_written(failure(false, FailureClass::NotWritten), State::Applied, State::Applied, 2)]
#[case::throttled(failure(false, FailureClass::Throttled), State::Applied, State::Applied, 2)]
#[case::session(failure(false, FailureClass::SessionExpired), State::Applied, State::Applied, 2)]
#[case::lost_after(failure(true, FailureClass::Lost), State::Applied, State::InDoubt, 1)]
#[case::error_after(failure(true, FailureClass::ServerError(500)), State::Applied, State::InDoubt, 1)]
#[case::unlisted_after(failure(true, FailureClass::Unrecognised), State::Applied, State::InDoubt, 1)]
#[case::page_after(failure(true, FailureClass::Html), State::Applied, State::InDoubt, 1)]
#[case::cut_after(failure(true, FailureClass::Truncated), State::Applied, State::InDoubt, 1)]
#[case::conflict(failure(true, FailureClass::Conflict), State::Applied, State::InDoubt, 1)]
#[tokio::test(start_paused = true)]
async fn a_row_that_adds_up(#[case] scene: Scene, #[case] read: State, #[case] blind: State, #[case] calls: u32) {
    let (rig, _) = one(&ADD, vec![scene.clone()]).await;
    assert_eq!((rig.states()[0], rig.provider.times_applied(2)), (read, 1), "with a read");
    let (rig, _) = one(&ADD_BLIND, vec![scene]).await;
    assert_eq!((rig.states()[0], rig.provider.times_applied(2)), (blind, 1), "without a read");
    assert_eq!(rig.provider.calls.get(), calls);
}

#[tokio::test(start_paused = true)]
async fn a_lost_call_that_did_nothing_is_sent_again_only_after_a_read_has_proven_it() {
    let (rig, ended) = one(&ADD, vec![failure(false, FailureClass::Lost)]).await;
    assert_eq!((rig.states()[0], rig.provider.times_applied(2), ended.reason), (State::Applied, 1, None));

    let (rig, ended) = one(&ADD_BLIND, vec![failure(false, FailureClass::Lost)]).await;
    assert_eq!((rig.states()[0], rig.provider.calls.get(), ended.reason), (State::InDoubt, 1, None));
}

#[tokio::test(start_paused = true)]
async fn without_verification_nothing_is_read_and_a_doubt_stays() {
    let mut rig = Rig::new(FakeProvider::scripted([failure(true, FailureClass::Lost)]), Rig::rows(&ADD, 1));
    rig.verify = false;
    rig.run().await;
    assert_eq!(rig.states()[0], State::InDoubt);
}

#[tokio::test(start_paused = true)]
async fn a_harmless_repeat_follows_at_most_twice() {
    let lost = || failure(false, FailureClass::Lost);
    let (rig, _) = one(&SET, vec![lost(), lost()]).await;
    assert_eq!((rig.states()[0], rig.provider.calls.get()), (State::Applied, 3));
    let (rig, _) = one(&SET, vec![lost(), lost(), lost()]).await;
    assert_eq!((rig.states()[0], rig.provider.calls.get()), (State::InDoubt, 3));
}

#[tokio::test(start_paused = true)]
async fn a_repeat_that_is_refused_does_not_prove_that_the_first_call_failed() {
    let (rig, _) = one(&SET, vec![failure(true, FailureClass::Lost), refused()]).await;
    assert_eq!(rig.states()[0], State::InDoubt);
}

#[tokio::test(start_paused = true)]
async fn a_repeat_that_never_left_does_not_prove_that_the_first_call_failed() {
    let never = || failure(false, FailureClass::NotWritten);
    let mut scenes = vec![failure(true, FailureClass::Lost)];
    scenes.extend((0..6).map(|_| never()));
    let (rig, _) = one(&SET, scenes).await;
    assert!(matches!(rig.states()[0], State::InDoubt | State::Applied), "{}", rig.states()[0]);
}

#[tokio::test(start_paused = true)]
async fn already_so_is_an_answer_except_where_it_adds_up() {
    let already = || Scene { applied: false, reply: Reply::Already(Answer::word("not active")), ..ok() };
    let (rig, _) = one(&SWITCH, vec![already()]).await;
    assert_eq!(rig.states()[0], State::Already);
    let (rig, _) = one(&ADD_BLIND, vec![already()]).await;
    assert_eq!(rig.states()[0], State::InDoubt);
}

#[tokio::test(start_paused = true)]
async fn proven_failures_end_after_three_retries() {
    let scenes = (0..9).map(|_| failure(false, FailureClass::NotWritten)).collect();
    let (rig, _) = one(&ADD_BLIND, scenes).await;
    assert_eq!((rig.states()[0], rig.provider.calls.get()), (State::Failed, 4));
}

#[tokio::test(start_paused = true)]
async fn rows_of_one_subject_run_one_at_a_time_in_file_order() {
    let rows = (0..60).map(|row| (&ADD, (row % 3).to_string())).collect();
    let mut rig = Rig::new(FakeProvider::scripted([]), rows);
    rig.run().await;
    for subject in 0..3 {
        let expected: Vec<u64> = (0..20).map(|row| row * 3 + subject + 2).collect();
        assert_eq!(rig.provider.order.borrow().get(&subject.to_string()), Some(&expected));
    }
}

#[tokio::test(start_paused = true)]
async fn rows_behind_a_doubt_are_held_and_sent_once_it_is_settled() {
    let rows = [("a", 3), ("b", 1)].iter().flat_map(|(id, count)| (0..*count).map(|_| (&ADD_BLIND, (*id).to_owned())));
    let mut rig = Rig::new(FakeProvider::scripted([failure(true, FailureClass::Lost)]), rows.collect());
    rig.run().await;
    assert_eq!(rig.states(), [State::InDoubt, State::Held, State::Held, State::Applied]);
    rig.run().await;
    assert_eq!(rig.states(), [State::InDoubt, State::Held, State::Held, State::Applied], "nothing settles by itself");
    if let Some(recorded) = rig.journal.rows.borrow_mut().get_mut(&2) {
        recorded.state = State::Applied;
    }
    rig.run().await;
    assert_eq!(rig.states(), [State::Applied; 4]);
    assert!((2..6).all(|row| rig.provider.times_applied(row) == 1));
}

#[tokio::test(start_paused = true)]
async fn bad_credentials_stop_at_once_and_spend_no_row() {
    let script = Box::new(|_: &str| failure(false, FailureClass::Credentials));
    let mut rig = Rig::new(FakeProvider::new(script), Rig::rows(&ADD, 100));
    let ended = rig.run().await;
    assert!(matches!(ended.reason, Some(StopReason::Halted(Halt::Credentials { .. }))));
    assert!(rig.provider.calls.get() <= 8, "only what was in flight");
    assert!(rig.states().iter().all(|state| *state == State::Planned));
}

#[rstest]
#[case::redirect(FailureClass::Redirect, "redirect")]
#[case::tls(FailureClass::TlsRejected, "tls")]
#[case::unlisted(FailureClass::Unrecognised, "unrecognised_replies")]
#[tokio::test(start_paused = true)]
async fn replies_that_stop_the_run(#[case] class: FailureClass, #[case] code: &str) {
    let script = Box::new(move |_: &str| failure(false, class));
    let mut rig = Rig::new(FakeProvider::new(script), Rig::rows(&ADD, 100));
    let ended = rig.run().await;
    let Some(StopReason::Halted(halt)) = ended.reason else { panic!("the run went on") };
    assert_eq!(halt.code(), code);
    assert!(rig.provider.calls.get() <= 16, "{}", rig.provider.calls.get());
}

/// A mishap of something on the way: its row is a doubt, and the run goes on.
#[tokio::test(start_paused = true)]
async fn redirects_and_unlisted_replies_far_apart_do_not_stop_the_run() {
    for class in [FailureClass::Redirect, FailureClass::Unrecognised] {
        let calls = std::cell::Cell::new(0);
        let script = Box::new(move |_: &str| {
            calls.set(calls.get() + 1);
            if calls.get() % 10 == 0 { failure(false, class) } else { ok() }
        });
        let mut rig = Rig::new(FakeProvider::new(script), Rig::rows(&ADD_BLIND, 300));
        rig.guard.max_in_doubt = 300;
        assert_eq!(rig.run().await.reason, None, "{class:?}");
        let doubts = rig.states().iter().filter(|state| **state == State::InDoubt).count();
        assert_eq!((doubts, rig.provider.calls.get()), (30, 300), "{class:?}: none is sent twice");
    }
}

/// One call was sent elsewhere, and the reads after it are too: nobody serves us here any more.
#[tokio::test(start_paused = true)]
async fn reads_that_are_sent_elsewhere_stop_the_run() {
    let provider = FakeProvider::scripted([ok(), ok(), failure(false, FailureClass::Redirect)]);
    provider.well.set(false);
    provider.unwell.set(FailureClass::Redirect);
    let mut rig = Rig::new(provider, Rig::rows(&ADD_BLIND, 300));
    let ended = rig.run().await;
    assert!(matches!(ended.reason, Some(StopReason::Halted(Halt::Redirect { .. }))), "{:?}", ended.reason);
    assert_eq!(rig.provider.probes.get(), 3);
    assert!(rig.provider.calls.get() <= 3 + 16, "{}", rig.provider.calls.get());
}

#[tokio::test(start_paused = true)]
async fn too_many_failures_halt() {
    let mut rig = Rig::new(FakeProvider::new(Box::new(|_| refused())), Rig::rows(&ADD, 100));
    rig.guard.max_failures = MaxFailures::Rows(5);
    let ended = rig.run().await;
    assert!(matches!(ended.reason, Some(StopReason::Halted(Halt::Failures { .. }))));
    assert!(rig.provider.calls.get() < 5 + 8 + 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_one_too_many_lets_no_other_row_begin() {
    let mut rig = Rig::new(FakeProvider::new(Box::new(|_| refused())), Rig::rows(&ADD_BLIND, 100));
    rig.guard.max_failures = MaxFailures::Rows(5);
    rig.concurrency = 1;
    rig.run().await;
    assert_eq!(rig.provider.calls.get(), 6, "the sixth failure is known before its place is free");

    let script = Box::new(|_: &str| failure(true, FailureClass::Conflict));
    let mut rig = Rig::new(FakeProvider::new(script), Rig::rows(&ADD_BLIND, 100));
    rig.guard.max_in_doubt = 3;
    rig.concurrency = 1;
    rig.run().await;
    assert_eq!(rig.provider.calls.get(), 4, "and so is the fourth doubt");
}

#[tokio::test(start_paused = true)]
async fn too_many_doubts_halt() {
    let script = Box::new(|_: &str| failure(true, FailureClass::Conflict));
    let mut rig = Rig::new(FakeProvider::new(script), Rig::rows(&ADD_BLIND, 100));
    rig.guard.max_in_doubt = 3;
    let ended = rig.run().await;
    assert!(matches!(ended.reason, Some(StopReason::Halted(Halt::InDoubt { .. }))));
    assert!(rig.provider.calls.get() <= 4 + 8);
}

#[tokio::test(start_paused = true)]
async fn an_outage_pauses_is_probed_and_spends_no_row() {
    let provider = FakeProvider::new(Box::new(|_| failure(false, FailureClass::NotConnected)));
    provider.well.set(false);
    let mut rig = Rig::new(provider, Rig::rows(&ADD, 100));
    let ended = rig.run().await;
    assert!(matches!(ended.reason, Some(StopReason::Halted(Halt::Outage { .. }))));
    assert!(rig.states().iter().all(|state| *state == State::Planned), "no row was spent");
    assert!(rig.provider.calls.get() < 30, "{}", rig.provider.calls.get());

    rig.provider.well.set(true);
    rig.provider.rescript(Box::new(|_| ok()));
    assert_eq!(rig.run().await.reason, None);
    assert!(rig.states().iter().all(|state| *state == State::Applied));
}

#[tokio::test(start_paused = true)]
async fn a_short_outage_is_waited_out() {
    let provider = FakeProvider::new(Box::new(|_| failure(false, FailureClass::NotConnected)));
    provider.well.set(false);
    let mut rig = Rig::new(provider.clone(), Rig::rows(&ADD, 50));
    let mends = async {
        tokio::time::sleep(Duration::from_secs(40)).await;
        provider.well.set(true);
        provider.rescript(Box::new(|_| ok()));
    };
    let (ended, ()) = tokio::join!(rig.run(), mends);
    assert_eq!(ended.reason, None);
    assert!(rig.states().iter().all(|state| *state == State::Applied));
}

#[tokio::test(start_paused = true)]
async fn everybody_waits_as_long_as_the_provider_asked() {
    let mut slow = Failure::new(FailureClass::Throttled, "slow down");
    slow.retry_after = Some(Duration::from_secs(30));
    let first = Scene { applied: false, reply: Reply::Failed(slow), latency: Duration::from_millis(1) };
    let mut rig = Rig::new(FakeProvider::scripted([first]), Rig::rows(&ADD_BLIND, 200));
    let begin = tokio::time::Instant::now();
    rig.run().await;
    assert!(begin.elapsed() >= Duration::from_secs(30));
    assert!(rig.states().iter().all(|state| *state == State::Applied));
}

#[tokio::test(start_paused = true)]
async fn the_first_signal_lets_calls_in_flight_finish() {
    let mut rig = Rig::new(FakeProvider::scripted([]), Rig::rows(&ADD_BLIND, 1000));
    rig.rate = "100/s";
    let stop = rig.stop.clone();
    let signal = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        stop.now(StopReason::Interrupted);
    };
    let (ended, ()) = tokio::join!(rig.start(), signal);
    assert_eq!(ended.reason, Some(StopReason::Interrupted));
    let applied = rig.states().iter().filter(|state| **state == State::Applied).count();
    assert!((190..=202).contains(&applied), "{applied}");
    assert!(rig.states().iter().all(|state| matches!(state, State::Applied | State::Planned)));
}

#[tokio::test(start_paused = true)]
async fn a_failing_journal_starts_no_further_row() {
    for how in [super::rig::Break::Lost, super::rig::Break::There] {
        let mut rig = Rig::new(FakeProvider::scripted([]), Rig::rows(&ADD_BLIND, 100));
        rig.journal.break_at.set(Some((20, how)));
        let ended = rig.run().await;
        assert!(matches!(ended.reason, Some(StopReason::Halted(Halt::Journal { .. }))));
        assert!(rig.provider.calls.get() <= 20);
        rig.journal.break_at.set(None);
        rig.run().await;
        assert!((2..102).all(|row| rig.provider.times_applied(row) <= 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_place_goes_to_the_next_row_with_the_answer_and_the_journal_never_shows_more_rows_open_than_places() {
    for concurrency in [1, 8] {
        let mut rig = Rig::new(FakeProvider::scripted([]), Rig::rows(&ADD_BLIND, 100));
        (rig.rate, rig.concurrency) = ("100000/s", concurrency);
        let begin = tokio::time::Instant::now();
        rig.run().await;
        assert!(rig.states().iter().all(|state| *state == State::Applied));
        assert_eq!(rig.journal.most_intended.get(), concurrency);
        // A call takes 20 ms here and a commit 1 ms. An answer and the next intent wait for one commit together.
        let millis = begin.elapsed().as_millis();
        assert!(concurrency > 1 || millis <= 2101, "100 rows took {millis} ms one after the other");
    }
}

#[tokio::test(start_paused = true)]
async fn the_observer_hears_of_a_row_only_after_it_is_durable() {
    let (rig, _) = one(&ADD, vec![failure(true, FailureClass::Lost)]).await;
    let moves: Vec<(State, State)> = rig
        .seen
        .0
        .borrow()
        .iter()
        .filter_map(|event| match event {
            RunEvent::RowMoved { from, to, .. } => Some((*from, *to)),
            _ => None,
        })
        .collect();
    let expected =
        [(State::Planned, State::Intended), (State::Intended, State::InDoubt), (State::InDoubt, State::Applied)];
    assert_eq!(moves, expected);
}

#[tokio::test(start_paused = true)]
async fn verifying_alone_settles_doubts_and_sends_nothing() {
    let lost = [failure(true, FailureClass::Lost), failure(false, FailureClass::Lost)];
    let mut rig = Rig::new(FakeProvider::scripted(lost), Rig::rows(&ADD, 4));
    rig.concurrency = 1;
    rig.verify = false;
    rig.guard.max_in_doubt = 1;
    rig.run().await;
    assert_eq!(rig.states(), [State::InDoubt, State::InDoubt, State::Planned, State::Planned]);

    rig.verify = true;
    rig.leave = crate::engine::plan::Leave::VerifyOnly;
    let calls = rig.provider.calls.get();
    for row in rig.journal.rows.borrow_mut().values_mut() {
        row.baseline = Some(crate::contract::Observation { facts: vec![("count".to_owned(), "0".to_owned())] });
    }
    rig.run().await;
    assert_eq!(rig.states(), [State::Applied, State::Planned, State::Planned, State::Planned]);
    assert_eq!(rig.provider.calls.get(), calls);
}

#[tokio::test(start_paused = true)]
async fn an_effect_just_before_is_not_taken_for_ours() {
    let rows = vec![(&ADD, "a".to_owned()), (&ADD, "a".to_owned()), (&ADD, "b".to_owned())];
    let lost = failure(false, FailureClass::Lost);
    let mut rig = Rig::new(FakeProvider::scripted([ok(), ok(), lost]), rows);
    rig.concurrency = 1;
    rig.run().await;
    assert_eq!(rig.states(), [State::Applied, State::InDoubt, State::Applied], "no baseline so soon, so no proof");
}
