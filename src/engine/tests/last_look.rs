//! Rows that are still in doubt when all others have ended: one more read, and what it sets free.

use std::time::Duration;

use super::rig::{ADD, ADD_LATE, FakeProvider, Rig, failure};
use crate::engine::plan::Leave;
use crate::engine::stop::StopReason;
use crate::model::event::{RunEvent, Weather};
use crate::model::failure::FailureClass;
use crate::model::operation::OperationSpec;
use crate::model::state::State;

/// The reply to the first row is lost; its effect shows after `lag`. The other rows take some 500 seconds.
fn rig(lag: u64, first: &[(&'static OperationSpec, &str)]) -> Rig {
    let mut rows: Vec<_> = first.iter().map(|(operation, subject)| (*operation, (*subject).to_owned())).collect();
    rows.extend(Rig::rows(&ADD, 1000));
    let mut rig = Rig::new(FakeProvider::scripted([failure(true, FailureClass::Lost)]), rows);
    (rig.rate, rig.concurrency) = ("4/s", 2);
    rig.provider.lag.set(Duration::from_secs(lag));
    rig
}

#[tokio::test(start_paused = true)]
async fn an_effect_that_shows_late_is_found_when_the_run_ends() {
    let mut rig = rig(300, &[(&ADD_LATE, "late")]);
    assert_eq!(rig.run().await.reason, None);
    assert_eq!((rig.states()[0], rig.provider.times_applied(2)), (State::Applied, 1));
    assert_eq!(rig.provider.reads.get(), 1001 + 3 + 1, "baselines, three reads at once, and one at the end");
}

#[tokio::test(start_paused = true)]
async fn what_was_held_behind_it_is_sent_in_the_same_run() {
    let mut rig = rig(300, &[(&ADD_LATE, "late"), (&ADD_LATE, "late"), (&ADD_LATE, "late")]);
    assert_eq!(rig.run().await.reason, None);
    assert!(rig.states().iter().all(|state| *state == State::Applied), "{:?}", &rig.states()[..3]);
    assert_eq!(rig.provider.order.borrow().get("late"), Some(&vec![2, 3, 4]), "in the order of the file, once each");
}

#[tokio::test(start_paused = true)]
async fn what_does_not_show_then_stays_in_doubt_and_holds_what_is_behind_it() {
    let mut rig = rig(5000, &[(&ADD_LATE, "late"), (&ADD_LATE, "late")]);
    assert_eq!(rig.run().await.reason, None);
    assert_eq!(rig.states()[..2], [State::InDoubt, State::Held]);
    assert_eq!(rig.provider.reads.get(), 1001 + 3 + 1);
}

/// The last of three reads may be the last thing that happens: the one more comes a delay after it.
#[tokio::test(start_paused = true)]
async fn the_last_look_comes_when_it_can_show_something_new() {
    let scenes = [failure(true, FailureClass::Lost)];
    let mut rig = Rig::new(FakeProvider::scripted(scenes), Rig::rows(&ADD_LATE, 1));
    rig.provider.lag.set(Duration::from_secs(220));
    assert_eq!(rig.run().await.reason, None);
    assert_eq!(rig.states(), [State::Applied]);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_stopped_does_not_look_again() {
    let rig = rig(300, &[(&ADD_LATE, "late")]);
    let stop = rig.stop.clone();
    let signal = async {
        tokio::time::sleep(Duration::from_secs(400)).await;
        stop.now(StopReason::Interrupted);
    };
    let (ended, ()) = tokio::join!(rig.start(), signal);
    assert_eq!((ended.reason, rig.states()[0]), (Some(StopReason::Interrupted), State::InDoubt));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_looked_at_where_nothing_may_be_read() {
    let mut rig = rig(0, &[(&ADD_LATE, "late")]);
    rig.verify = false;
    rig.run().await;
    assert_eq!((rig.states()[0], rig.provider.reads.get()), (State::InDoubt, 0));
}

/// A start that only verifies has no other rows to wait for: it looks as often as it always did.
#[tokio::test(start_paused = true)]
async fn verifying_alone_does_not_wait_for_a_last_look() {
    let mut rig = Rig::new(FakeProvider::scripted([failure(true, FailureClass::Lost)]), Rig::rows(&ADD_LATE, 1));
    rig.provider.lag.set(Duration::from_secs(100_000));
    rig.run().await;
    let reads = rig.provider.reads.get();
    rig.leave = Leave::VerifyOnly;
    rig.run().await;
    assert_eq!((rig.states()[0], rig.provider.reads.get()), (State::InDoubt, reads + 3));
}

/// When every row was begun, whoever watches is told what is waited for, and for how long.
#[tokio::test(start_paused = true)]
async fn what_the_end_of_a_run_waits_for_is_told() {
    let scenes = [failure(true, FailureClass::Lost)];
    let mut rig = Rig::new(FakeProvider::scripted(scenes), Rig::rows(&ADD_LATE, 1));
    rig.provider.lag.set(Duration::from_secs(100));
    assert_eq!(rig.run().await.reason, None);
    let seen = rig.seen.0.borrow();
    let told: Vec<Option<(u64, u128)>> = seen
        .iter()
        .filter_map(|event| match event {
            RunEvent::Weather { weather: Weather::Verifying { rows, wait }, .. } => {
                Some(Some((*rows, wait.as_millis().div_ceil(1000))))
            }
            RunEvent::Weather { .. } => Some(None),
            _ => None,
        })
        .collect();
    assert_eq!(told, [Some((1, 60)), None, Some((1, 60)), None], "row and seconds, then that it is over");
}
