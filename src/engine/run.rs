//! One start of a run: its lanes side by side, and what stopped them.

use std::rc::Rc;

use tokio::task::{JoinSet, LocalSet};

use super::guard::Watch;
use super::lane::{Lane, Shared};
use super::plan::Leave;
use super::progress::Marks;
use super::stop::{Stop, StopReason};
use crate::contract::{Account, Clock, Input, Journal, Observer};
use crate::model::event::Halt;
use crate::model::ids::{AccountName, RunId};
use crate::model::settings::{Guard, Limits};

/// One account that takes part in a run.
pub struct LaneSetup {
    /// Its name, as rows carry it.
    pub name: AccountName,
    /// The account, ready to call.
    pub account: Rc<dyn Account>,
    /// Its limits.
    pub limits: Limits,
}

/// Everything that a start of a run needs. The run exists in the journal, and rows found `intended` there have been
/// recorded as in doubt (I3).
pub struct RunSetup {
    /// Which run.
    pub run: RunId,
    /// Where it is recorded.
    pub journal: Rc<dyn Journal>,
    /// Its rows.
    pub input: Rc<dyn Input>,
    /// Its accounts.
    pub lanes: Vec<LaneSetup>,
    /// When it halts itself.
    pub guard: Guard,
    /// Whether reads are made for baselines and to verify.
    pub verify: bool,
    /// Whether rows may be sent, or doubts only be settled by reads.
    pub leave: Leave,
    /// The mark in the token of run and row that free texts carry; it must be no other run's. None where they carry none.
    pub mark: Option<String>,
    /// Who watches.
    pub observer: Rc<dyn Observer>,
    /// What time it is.
    pub clock: Rc<dyn Clock>,
    /// The switch that stops it.
    pub stop: Stop,
}

/// How a start of a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Why it stopped before its last row; `None` where it reached it.
    pub reason: Option<StopReason>,
}

/// Runs until every row has ended, the switch is thrown, or a guard halts it. After it returned, no call is in flight,
/// and everything that is known is durable (or the reason names the journal).
pub async fn execute(setup: RunSetup) -> Ended {
    let RunSetup { run, journal, input, lanes, guard, verify, leave, mark, observer, clock, stop } = setup;
    let watch = Watch::new(guard);
    let marks = Marks::new(lanes.len());
    let shared =
        Rc::new(Shared { run, journal, observer, clock, stop: stop.clone(), watch, verify, leave, mark, marks });
    let local = LocalSet::new();
    local
        .run_until(async {
            let mut working = JoinSet::new();
            for (place, setup) in lanes.into_iter().enumerate() {
                let lane = Rc::new(Lane::new(setup, place, Rc::clone(&shared)));
                working.spawn_local(lane.work(Rc::clone(&input)));
            }
            while let Some(ended) = working.join_next().await {
                if ended.is_err() {
                    shared.halt(Some(Halt::Invariant { message: "an account's lane panicked".to_owned() }));
                }
            }
        })
        .await;
    Ended { reason: stop.reason() }
}
