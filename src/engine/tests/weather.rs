//! Random weather, random crashes, many starts; judged by the provider's own ledger.

use std::time::Duration;

use super::rig::{ADD, ADD_BLIND, FakeProvider, List, Rig, SET, SWITCH, Scene, failure, ok, refused};
use crate::model::failure::FailureClass;
use crate::model::operation::{Effect, OperationSpec};
use crate::model::state::State;

/// How likely a call meets a failure, in parts of a hundred.
const STORM: u32 = 30;

fn scene(random: &mut fastrand::Rng) -> Scene {
    if random.u32(0..100) >= STORM {
        return ok();
    }
    let class = FailureClass::ALL[random.usize(0..FailureClass::ALL.len())];
    let stops = matches!(class, FailureClass::Credentials | FailureClass::TlsRejected | FailureClass::Redirect);
    if stops && random.u32(0..10) > 0 {
        return refused();
    }
    let applied = !class.proves_not_applied() && random.bool();
    failure(applied, class)
}

fn rows(random: &mut fastrand::Rng) -> Vec<(&'static OperationSpec, String)> {
    let operations = [&ADD, &ADD, &ADD_BLIND, &SET, &SWITCH];
    (0..random.usize(1..80))
        .map(|_| {
            let operation = operations[random.usize(0..operations.len())];
            // Each operation has its own subjects, as a read of one tells nothing about another.
            (operation, format!("{}{}", operation.verb(), random.u32(0..30)))
        })
        .collect()
}

/// What the ledger and the journal must agree on, at any moment at which nothing is in flight.
fn check(rig: &Rig, seed: u64) {
    assert_eq!(rig.journal.gap.get(), None, "seed {seed}: a row without a record would have been passed over");
    for (at, state) in rig.states().into_iter().enumerate() {
        let row = at as u64 + 2;
        let times = rig.provider.times_applied(row);
        let effect = rig.operation(row).effect;
        let told = format!("seed {seed}, row {row}, {effect}, {state}, carried out {times} times");
        assert!(effect.repeatable() || times <= 1, "sent twice: {told}");
        match state {
            State::Applied if effect == Effect::Conditional => {}
            State::Applied => assert!(times >= 1, "called applied, but was not: {told}"),
            State::Refused | State::Failed | State::Planned | State::Held | State::NotSent => {
                assert_eq!(times, 0, "applied, but called otherwise: {told}");
            }
            State::Already | State::InDoubt | State::Intended => {}
        }
    }
}

#[test]
fn no_weather_and_no_crash_doubles_loses_or_misreports_a_row() {
    for seed in 0..400 {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
        runtime.block_on(one_history(seed));
    }
}

async fn one_history(seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let given = rows(&mut random);
    let mut storm = random.fork();
    let provider = FakeProvider::new(Box::new(move |_| scene(&mut storm)));
    let mut rig = Rig::new(provider, given);
    rig.rate = "200/s";
    rig.concurrency = random.usize(1..12);
    rig.settle_delay = Duration::from_secs([1, 60][random.usize(0..2)]);
    for _ in 0..random.usize(1..6) {
        let class = FailureClass::ALL[random.usize(0..FailureClass::ALL.len())];
        let lists = [List::None, List::Page(3), List::Page(30), List::Nothing, List::Fails(class)];
        rig.provider.list.set(lists[random.usize(0..lists.len())]);
        let crash = Duration::from_millis(random.u64(1..3000));
        let concurrency = rig.concurrency;
        let crashed = tokio::time::timeout(crash, rig.run()).await.is_err();
        if crashed {
            let open = rig.states().iter().filter(|state| **state == State::Intended).count();
            assert!(open <= concurrency, "seed {seed}: {open} rows were open, {concurrency} may be in flight");
        }
        let open = rig.journal.most_intended.get();
        assert!(
            open <= concurrency,
            "seed {seed}: a crash could have left {open} rows open of {concurrency} in flight"
        );
        rig.journal.recover();
        check(&rig, seed);
    }
    rig.provider.rescript(Box::new(|_| ok()));
    rig.provider.list.set(List::Page(5));
    let ended = rig.run().await;
    check(&rig, seed);
    assert_eq!(ended.reason, None, "seed {seed}");
    let left = rig.states().into_iter().filter(|state| matches!(state, State::Planned | State::Intended));
    assert_eq!(left.count(), 0, "seed {seed}: rows were lost");
}
