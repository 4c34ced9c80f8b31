//! Baselines that come by the page: what they save, when they are not used, and what it costs when lists are of no use.

use std::collections::HashMap;
use std::time::Duration;

use rstest::rstest;

use super::rig::{ADD, FakeProvider, List, Rig, Scene, failure, ok};
use crate::engine::ahead::MAX_AGE;
use crate::engine::stop::StopReason;
use crate::model::failure::FailureClass;
use crate::model::state::State;

fn rig(rows: usize, list: List) -> Rig {
    let rig = Rig::new(FakeProvider::scripted([]), Rig::rows(&ADD, rows));
    rig.provider.list.set(list);
    rig
}

fn all_applied_once(rig: &Rig) {
    let states = rig.states();
    assert!(states.iter().all(|state| *state == State::Applied), "{states:?}");
    assert!((2..states.len() as u64 + 2).all(|row| rig.provider.times_applied(row) == 1));
    sound_baselines(rig);
}

/// Each baseline shows exactly the effects of the rows before its own, and is not older than it may be.
fn sound_baselines(rig: &Rig) {
    let orders = rig.provider.order.borrow();
    let of_subject = |rows: &Vec<u64>| rows.iter().copied().zip(0_i64..).collect::<Vec<_>>();
    let before: HashMap<u64, i64> = orders.values().flat_map(of_subject).collect();
    for recorded in rig.journal.rows.borrow().values() {
        let row = recorded.row.0;
        let (Some(baseline), Some(sent)) = (&recorded.baseline, recorded.intended_at) else { continue };
        let fact = |name: &str| baseline.get(name).and_then(|text| text.parse::<i64>().ok()).expect("a number");
        let most = i64::try_from(MAX_AGE.as_millis()).expect("a minute");
        assert!(sent - fact("at") <= most + 1, "row {row}: read at {}, sent at {sent}", fact("at"));
        let before = before.get(&row);
        assert!(before.is_none_or(|before| fact("count") == *before), "row {row}: {baseline:?}, {before:?} before");
    }
}

fn pages(rig: &Rig) -> usize {
    rig.provider.pages.borrow().len()
}

#[tokio::test(start_paused = true)]
async fn a_page_brings_the_baselines_of_many_rows() {
    let mut rig = rig(1000, List::Page(50));
    rig.rate = "50/s";
    let begin = tokio::time::Instant::now();
    assert_eq!(rig.run().await.reason, None);
    all_applied_once(&rig);
    let (reads, pages) = (rig.provider.reads.get() as usize, pages(&rig));
    assert!(reads + pages <= 60, "{reads} reads and {pages} pages");
    assert!(begin.elapsed() <= Duration::from_secs(22), "{:?}", begin.elapsed());
    assert!(rig.journal.rows.borrow().values().all(|row| row.baseline.is_some()), "each row has its baseline");
}

/// What a page showed before the call is what settles a doubt about it, both ways.
#[tokio::test(start_paused = true)]
async fn a_doubt_is_settled_by_what_a_page_showed() {
    let mut rig = rig(100, List::Page(50));
    let mut call = 0;
    rig.provider.rescript(Box::new(move |_| {
        call += 1;
        if call % 20 == 0 { failure(call % 40 == 0, FailureClass::Lost) } else { ok() }
    }));
    assert_eq!(rig.run().await.reason, None);
    all_applied_once(&rig);
    assert!(rig.provider.reads.get() < 40, "{}", rig.provider.reads.get());
}

/// Whatever comes of a page, the rows do not pay for it.
#[rstest]
#[case::too_large(FailureClass::Truncated)]
#[case::unlisted(FailureClass::Unrecognised)]
#[case::error(FailureClass::ServerError(500))]
#[case::conflict(FailureClass::Conflict)]
#[case::session(FailureClass::SessionExpired)]
#[case::throttled(FailureClass::Throttled)]
#[case::lost(FailureClass::Lost)]
#[case::html(FailureClass::Html)]
#[tokio::test(start_paused = true)]
async fn a_page_that_fails_fails_no_row_and_is_not_asked_for_in_vain(#[case] class: FailureClass) {
    let mut rig = rig(5000, List::Fails(class));
    rig.rate = "5/s";
    assert_eq!(rig.run().await.reason, None);
    all_applied_once(&rig);
    assert_eq!(rig.provider.reads.get(), 5000);
    assert!((4..=6).contains(&pages(&rig)), "{} pages", pages(&rig));
}

#[tokio::test(start_paused = true)]
async fn credentials_that_a_page_finds_wrong_stop_the_run_as_any_read_would() {
    let mut rig = rig(100, List::Fails(FailureClass::Credentials));
    rig.rate = "50/s";
    assert!(matches!(rig.run().await.reason, Some(StopReason::Halted(halt)) if halt.code() == "credentials"));
}

#[rstest]
#[case::nothing(List::Nothing)]
#[case::one_each(List::Page(1))]
#[tokio::test(start_paused = true)]
async fn lists_that_save_nothing_are_left_alone(#[case] list: List) {
    let mut rig = rig(10_000, list);
    assert_eq!(rig.run().await.reason, None);
    all_applied_once(&rig);
    assert!(pages(&rig) <= 12, "{} pages", pages(&rig));
}

#[tokio::test(start_paused = true)]
async fn a_few_rows_are_not_worth_a_list() {
    let mut rig = rig(3, List::Page(50));
    rig.run().await;
    all_applied_once(&rig);
    assert_eq!((pages(&rig), rig.provider.reads.get()), (0, 3));
}

/// Calls that take long hold the rows up: what was read ahead is too old for most of them, and fewer are read ahead.
#[tokio::test(start_paused = true)]
async fn a_baseline_that_is_too_old_is_read_again() {
    let mut rig = rig(400, List::Page(100));
    let slow = || Scene { latency: Duration::from_secs(2), ..ok() };
    rig.provider.rescript(Box::new(move |_| slow()));
    (rig.rate, rig.concurrency) = ("50/s", 1);
    assert_eq!(rig.run().await.reason, None);
    all_applied_once(&rig);
    assert!(rig.provider.reads.get() > 200, "{} reads", rig.provider.reads.get());
    assert!(rig.provider.reads.get() < 400, "{} reads", rig.provider.reads.get());
}

/// No more is read ahead than has its turn while a baseline is young, and never more than a few thousand rows.
#[rstest]
#[case("1/s", 300, 40)]
#[case("5000/s", 20_000, 4096)]
#[tokio::test(start_paused = true)]
async fn how_far_is_read_ahead_follows_from_the_rate(
    #[case] rate: &'static str,
    #[case] rows: usize,
    #[case] most: usize,
) {
    let mut rig = rig(rows, List::Page(1000));
    (rig.rate, rig.concurrency) = (rate, 200);
    rig.run().await;
    all_applied_once(&rig);
    let longest = rig.provider.pages.borrow().iter().map(Vec::len).max();
    assert!(longest.is_some_and(|longest| longest <= most), "{longest:?}");
}

/// The page shows both rows of the subject as they were before the first: the second must not take that for its own.
#[rstest]
#[case::soon(Duration::from_secs(60), false)]
#[case::late(Duration::from_secs(1), true)]
#[tokio::test(start_paused = true)]
async fn what_was_read_before_a_call_for_the_same_subject_is_not_used(
    #[case] settle_delay: Duration,
    #[case] is_read: bool,
) {
    let mut rows = Rig::rows(&ADD, 200);
    rows[150].1 = "0".to_owned();
    let mut rig = Rig::new(FakeProvider::scripted([]), rows);
    rig.provider.list.set(List::Page(100));
    (rig.rate, rig.settle_delay) = ("50/s", settle_delay);
    rig.run().await;
    all_applied_once(&rig);
    let baseline = rig.journal.rows.borrow()[&152].baseline.clone();
    assert_eq!(baseline.and_then(|seen| seen.get("count").map(str::to_owned)).as_deref(), is_read.then_some("1"));
}

#[tokio::test(start_paused = true)]
async fn a_stop_during_a_page_loses_nothing_and_a_resume_asks_only_for_what_is_left() {
    let mut rig = rig(300, List::Page(10));
    (rig.rate, rig.concurrency) = ("50/s", 4);
    rig.provider.read_latency.set(Duration::from_secs(1));
    let stop = rig.stop.clone();
    let signal = async {
        // In the middle of the second page.
        tokio::time::sleep(Duration::from_millis(1500)).await;
        stop.now(StopReason::Interrupted);
    };
    let begin = tokio::time::Instant::now();
    let (ended, ()) = tokio::join!(rig.start(), signal);
    assert_eq!(ended.reason, Some(StopReason::Interrupted));
    assert!(begin.elapsed() < Duration::from_secs(4), "calls under way end, and no other begins");
    assert!(rig.states().iter().all(|state| matches!(state, State::Applied | State::Planned)));
    assert!(pages(&rig) <= 2, "{}", pages(&rig));
    let done: Vec<u64> = (2..302).filter(|row| rig.journal.state(*row) == State::Applied).collect();
    assert!(!done.is_empty());

    rig.provider.pages.borrow_mut().clear();
    rig.provider.read_latency.set(Duration::from_millis(10));
    assert_eq!(rig.run().await.reason, None);
    all_applied_once(&rig);
    assert!(pages(&rig) > 1);
    let asked: Vec<u64> = rig.provider.pages.borrow().concat();
    assert!(!asked.iter().any(|row| done.contains(row)), "a row that is done needs no baseline");
}

/// A row in doubt may have been called just before this start: what a page shows of its subject may be from before that.
#[tokio::test(start_paused = true)]
async fn a_row_behind_a_doubt_of_an_earlier_start_takes_nothing_from_a_page_that_came_too_soon() {
    let mut rows = Rig::rows(&ADD, 100);
    rows[60].1 = "0".to_owned();
    let mut rig = Rig::new(FakeProvider::scripted([failure(true, FailureClass::Lost)]), rows);
    (rig.concurrency, rig.rate, rig.settle_delay) = (1, "50/s", Duration::from_secs(10));
    rig.provider.lag.set(Duration::from_secs(5));
    assert!(tokio::time::timeout(Duration::from_millis(70), rig.run()).await.is_err(), "it crashes behind the call");
    rig.provider.list.set(List::Page(100));
    assert_eq!(rig.run().await.reason, None);
    all_applied_once(&rig);
}

#[tokio::test(start_paused = true)]
async fn without_verification_no_list_is_read() {
    let mut rig = rig(100, List::Page(50));
    rig.verify = false;
    rig.run().await;
    assert_eq!((pages(&rig), rig.provider.reads.get()), (0, 0));
}
