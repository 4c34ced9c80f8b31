//! One start of a run, from the recovery of its journal to its last call, whoever asked for it.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::accounts::Opened;
use super::conclude::Conclusion;
use super::context::{Context, WallClock};
use super::failure::Failure;
use super::prepare::Prepared;
use super::settings::Stored;
use crate::cli::Exit;
use crate::config::Verify;
use crate::contract::{Clock, Observer};
use crate::engine::plan::Leave;
use crate::engine::stop::{Stop, StopReason};
use crate::engine::{Ended, LaneSetup, RunSetup, execute};
use crate::journal::{RunLock, RunRecord, RunState, SqliteJournal, Store};
use crate::model::event::{RunEvent, Weather};
use crate::model::settings::Rate;
use crate::model::state::State;
use crate::model::totals::Totals;
use crate::report::meter::Meter;
use crate::report::watch::Watch;

/// What a start needs. The lock is held until its end.
pub(super) struct Start<'a> {
    pub(super) context: &'a Context,
    pub(super) prepared: Prepared,
    pub(super) record: RunRecord,
    pub(super) store: Store,
    pub(super) accounts: Vec<Opened>,
    pub(super) runtime: Runtime,
    pub(super) lock: RunLock,
    /// Only settle doubts by reads; send no row.
    pub(super) verify_only: bool,
}

/// The runtime of the calls: one thread costs the least, and the journal has its own.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::internal)
}

/// How the executor came to its end.
enum Outcome {
    /// By itself, or after the first signal: no call is in flight.
    Ended(Ended),
    /// At once, by the second signal: calls were in flight.
    Left,
}

/// Runs until the end, writes the results and says how it went.
pub(super) fn start(start: Start<'_>) -> Result<Exit, Failure> {
    let begin = Instant::now();
    let Start { context, prepared, record, store, accounts, runtime, lock, verify_only } = start;
    store.recover(record.run, WallClock.now())?;
    if record.state != RunState::Running {
        store.set_run_state(record.run, record.state, RunState::Running, WallClock.now())?;
    }
    let rates: Vec<Rate> = accounts.iter().map(|opened| opened.profile.limits.rate).collect();
    let meter = Arc::new(Meter::new(&standing(&store, &prepared, &record)?, &rates));
    let chosen = context.progress();
    let watch = Watch::start(chosen, &context.screen, &meter, &context.style, &record.job, record.run)
        .map_err(Failure::internal)?;
    let outcome = drive(&prepared, &record, accounts, &runtime, &meter, verify_only, store.path());
    watch.finish();
    let conclusion = Conclusion { context, prepared: &prepared, record: &record, store: &store, meter: &meter, begin };
    let exit = match outcome? {
        Outcome::Ended(ended) => conclusion.conclude(ended.reason.as_ref()),
        Outcome::Left => conclusion.left(),
    };
    drop(lock);
    exit
}

/// Rows and money as the journal has them, with those that it has not heard of yet.
pub(super) fn standing(store: &Store, prepared: &Prepared, record: &RunRecord) -> Result<Totals, Failure> {
    let mut totals = store.totals(record.run)?;
    totals.add_many(State::Planned, prepared.plan.rows.saturating_sub(totals.rows()), None);
    for (currency, planned) in &prepared.plan.amounts {
        let rest = *planned - totals.amount_of_all(*currency);
        totals.add_amount(State::Planned, Some(crate::model::money::Money { amount: rest, currency: *currency }));
    }
    Ok(totals)
}

fn drive(
    prepared: &Prepared,
    record: &RunRecord,
    accounts: Vec<Opened>,
    runtime: &Runtime,
    meter: &Arc<Meter>,
    verify_only: bool,
    journal: &std::path::Path,
) -> Result<Outcome, Failure> {
    let stop = Stop::default();
    let observer: Rc<dyn Observer> = Rc::new(Told(Arc::clone(meter)));
    let names: Vec<_> = accounts.iter().map(|opened| opened.profile.name.clone()).collect();
    let setup = RunSetup {
        run: record.run,
        journal: Rc::new(SqliteJournal::open(journal)?),
        input: Rc::clone(&prepared.input) as Rc<dyn crate::contract::Input>,
        lanes: accounts
            .into_iter()
            .map(|opened| LaneSetup {
                name: opened.profile.name,
                account: opened.account,
                limits: opened.profile.limits,
            })
            .collect(),
        guard: prepared.job.guard,
        verify: prepared.job.verify == Verify::Auto,
        leave: if verify_only { Leave::VerifyOnly } else { Leave::Send },
        mark: if prepared.job.token { Stored::parse(&record.settings)?.mark() } else { None },
        observer: Rc::clone(&observer),
        clock: Rc::new(WallClock),
        stop: stop.clone(),
    };
    runtime.block_on(async {
        let mut signals = Signals::new()?;
        let patient = async {
            signals.first().await;
            stop.now(StopReason::Interrupted);
            for account in names {
                observer.notice(&RunEvent::Weather { account, weather: Weather::Draining });
            }
            signals.first().await;
        };
        Ok(tokio::select! {
            ended = execute(setup) => Outcome::Ended(ended),
            () = patient => Outcome::Left,
        })
    })
}

/// Tells the meter, and the log where somebody reads it.
struct Told(Arc<Meter>);

impl Observer for Told {
    fn notice(&self, event: &RunEvent) {
        self.0.notice(event);
        match event {
            RunEvent::RowMoved { row, from, to, code, .. } => tracing::debug!(%row, %from, %to, code, "moved"),
            RunEvent::Retry { row, attempt, after, reason } => {
                tracing::info!(%row, attempt, ?after, reason, "to be called again");
            }
            RunEvent::Weather { account, weather } => tracing::info!(%account, ?weather, "weather"),
            RunEvent::CallStarted | RunEvent::CallEnded { .. } => {}
        }
    }
}

/// The signals that ask a run to stop.
struct Signals([Signal; 3]);

impl Signals {
    fn new() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(Failure::internal);
        Ok(Self([listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?, listen(SignalKind::hangup())?]))
    }

    async fn first(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
