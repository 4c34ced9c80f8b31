//! `subops status [RUN]`: where a run stands, also while another process works on it.

use super::conclude;
use super::context::Context;
use super::failure::Failure;
use crate::cli::Exit;
use crate::journal::{self, RunRecord, RunState, Store};
use crate::model::ids::RunId;
use crate::model::state::State;
use crate::model::summary::Summary;
use crate::report;
use crate::report::meter::Figures;
use crate::report::summary::RunFacts;

pub(super) fn run(context: &Context, run: Option<RunId>) -> Result<Exit, Failure> {
    let store = context.existing_store()?;
    let record = context.run_or_latest(&store, run)?;
    let summary = summary(context, &store, &record)?;
    context.print(
        || report::ending::status(&summary, record.started, &context.style),
        || report::summary::to_json(&summary),
    )?;
    Ok(Exit::Success)
}

/// The summary of a run as the journal stands now; what only its last end knew comes from there.
pub(super) fn summary(context: &Context, store: &Store, record: &RunRecord) -> Result<Summary, Failure> {
    let mut totals = store.totals(record.run)?;
    let rest = record.total_rows.saturating_sub(totals.rows());
    totals.add_many(State::Planned, rest, None);
    let last: Option<Summary> = record.summary.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let figures = last.as_ref().map_or_else(Figures::default, |last| Figures {
        calls: last.calls,
        retries: last.retries,
        rate: last.rate.achieved,
        latency: last.latency_ms,
    });
    // A process that died had no time to say so; its lock tells.
    let state = match record.state {
        RunState::Running if !journal::is_locked(store.path(), &record.digest)? => RunState::Interrupted,
        state => state,
    };
    let mut holding = Vec::new();
    match state {
        RunState::Interrupted => holding.push(Exit::Interrupted),
        RunState::Halted => holding.push(Exit::Halted),
        RunState::Running | RunState::Finished => {}
    }
    if state != RunState::Running && totals.count(State::InDoubt) + totals.count(State::Intended) > 0 {
        holding.push(Exit::InDoubt);
    }
    if totals.failures() > 0 {
        holding.push(Exit::RowsFailed);
    }
    let exit = Exit::first_of(holding);
    // What lies there while it runs is of an earlier end.
    let results = last.as_ref().filter(|_| state != RunState::Running).and_then(|last| last.results.clone());
    // The end of the run knew where its failed rows are.
    let told = last.as_ref().filter(|last| last.exit_code == exit.code()).and_then(|last| last.next.clone());
    let next = match state {
        RunState::Running => None,
        _ if exit == Exit::RowsFailed && told.is_some() => told,
        _ => conclude::next(context, record.run, exit, || format!("report {}", record.run)),
    };
    let mut summary = report::summary::summarise(
        &totals,
        &RunFacts {
            run: record.run,
            job: &record.job,
            state: state.as_str(),
            exit_code: exit.code(),
            digest: &record.digest,
            figures,
            limit: last.as_ref().map(|last| last.rate.limit.clone()).unwrap_or_default(),
            started: record.started,
            finished: record.finished,
            results,
            halt: None,
            next,
        },
    );
    summary.halted_by = last.filter(|_| state == RunState::Halted).and_then(|last| last.halted_by);
    Ok(summary)
}
