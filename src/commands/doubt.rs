//! `subops doubt list|settle RUN`: rows of which nobody knows whether they were applied, put before a person.

use std::collections::BTreeMap;
use std::path::Path;

use super::context::{Context, WallClock};
use super::failure::Failure;
use super::run::lock;
use crate::cli::{Decision, Exit};
use crate::contract::Clock;
use crate::journal::{self, DoubtRecord, Fact, RunRecord, RunState, Store};
use crate::model::ids::{RowNumber, RunId};
use crate::report;
use crate::report::doubts::{DoubtView, Seen};

pub(super) fn list(context: &Context, run: RunId) -> Result<Exit, Failure> {
    let store = context.existing_store()?;
    let record = store.run(run)?;
    let doubts: Vec<DoubtView> = store.doubts(run)?.iter().map(view).collect();
    context.print(
        || report::doubts::text(run.0, &record.job, &doubts, context.flags(), &context.style),
        || report::doubts::to_json(run.0, &doubts),
    )?;
    Ok(Exit::Success)
}

/// What a doubt is shown as.
fn view(doubt: &DoubtRecord) -> DoubtView {
    let record = &doubt.record;
    let sent: serde_json::Map<String, serde_json::Value> =
        record.sent.as_deref().and_then(|sent| serde_json::from_str(sent).ok()).unwrap_or_default();
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let last_seen = doubt.evidence.iter().rev().find_map(|evidence| match &evidence.fact {
        Fact::Observation { observation, finding } => {
            Some((Seen { observation: observation.clone(), at: Some(evidence.at) }, finding.clone()))
        }
        _ => None,
    });
    DoubtView {
        row: record.row.0,
        operation: sent.get("operation").map(text).unwrap_or_default(),
        subject: record.subject.as_ref().map(|subject| subject.id().to_owned()),
        values: sent
            .iter()
            .filter(|(name, _)| *name != "operation")
            .map(|(name, value)| (name.clone(), text(value)))
            .collect(),
        amount: doubt.amount,
        attempts: record.attempts,
        sent: record.intended_at,
        code: record.code.clone(),
        reply: record.message.clone().unwrap_or_else(|| "the program stopped before it was heard".to_owned()),
        before: record.baseline.clone().map(|observation| Seen { observation, at: None }),
        now: last_seen,
    }
}

/// Records decisions. Rows held behind a settled one are released; the run can then be resumed where rows are to be sent.
pub(super) fn settle(context: &Context, run: RunId, decision: &Decision, reason: &str) -> Result<Exit, Failure> {
    let store = context.existing_store()?;
    let record = store.run(run)?;
    let _lock = lock(store.path(), &record.digest, &record.job, "doubt settle")?;
    store.recover(run, WallClock.now())?;
    let decisions = decisions(&store, run, decision, reason)?;
    let who = who(context);
    let (mut applied, mut not_applied, mut released) = (0_u64, 0_u64, 0_u64);
    for (row, (decision, reason)) in &decisions {
        let settlement = store.settle(run, *row, *decision, reason, &who, WallClock.now())?;
        match decision {
            journal::Decision::Applied => applied += 1,
            journal::Decision::NotApplied => not_applied += 1,
        }
        released += settlement.released.len() as u64;
    }
    reopen(&store, &record, not_applied + released)?;
    tell(context, &store, &record, [applied, not_applied, released])
}

/// A finished run that has rows to send again is not finished any more.
fn reopen(store: &Store, record: &RunRecord, to_send: u64) -> Result<(), Failure> {
    let state = store.run(record.run)?.state;
    if to_send > 0 && state == RunState::Finished {
        store.set_run_state(record.run, state, RunState::Interrupted, WallClock.now())?;
    }
    Ok(())
}

fn tell(
    context: &Context,
    store: &Store,
    record: &RunRecord,
    [applied, not_applied, released]: [u64; 3],
) -> Result<Exit, Failure> {
    let run = record.run;
    let left = store.doubts(run)?.len();
    let next = match (left, not_applied + released) {
        (0, 0) => context.next(&format!("report {run}")),
        (0, _) => context.next(&format!("resume {run}")),
        _ => context.next(&format!("doubt list {run}")),
    };
    let json = || {
        serde_json::json!({
            "run": run.0, "settled": {"applied": applied, "not_applied": not_applied},
            "released": released, "in_doubt": left, "next": next,
        })
        .to_string()
    };
    let text = || {
        format!(
            "run {run}: settled {applied} as applied, {not_applied} as not applied; {released} held rows released; \
             {left} still in doubt\n\n  Next:  {next}\n"
        )
    };
    context.print(text, json)?;
    Ok(Exit::Success)
}

type Decisions = BTreeMap<RowNumber, (journal::Decision, String)>;

/// The decision for each row, all of them checked before the first is recorded.
fn decisions(store: &Store, run: RunId, decision: &Decision, reason: &str) -> Result<Decisions, Failure> {
    let doubts = store.doubts(run)?;
    match decision {
        Decision::Rows { rows, applied } => {
            let as_what = if *applied { journal::Decision::Applied } else { journal::Decision::NotApplied };
            let chosen: Decisions = doubts
                .iter()
                .map(|doubt| doubt.record.row)
                .filter(|row| rows.contains(*row))
                .map(|row| (row, (as_what, reason.to_owned())))
                .collect();
            for (first, last) in rows.ranges() {
                if chosen.range(first..=last).next().is_none() {
                    return Err(not_in_doubt(run, first));
                }
            }
            Ok(chosen)
        }
        Decision::File(path) => from_file(&doubts, run, path, reason),
    }
}

fn not_in_doubt(run: RunId, row: RowNumber) -> Failure {
    Failure::new(Exit::Usage, format!("row {row} of run {run} is not in doubt; nothing was settled"))
        .hint(format!("`subops doubt list {run}` shows the rows that are"))
}

/// Decisions as finance sends them back: the `in_doubt.csv` of the results with a column `decision`, and perhaps one
/// `reason`. A row without a decision stays in doubt.
fn from_file(doubts: &[DoubtRecord], run: RunId, path: &Path, reason: &str) -> Result<Decisions, Failure> {
    let wrong = |line: u64, what: String| {
        Failure::new(Exit::Usage, format!("{}:{line}: {what}; nothing was settled", path.display()))
    };
    let mut reader = csv::Reader::from_path(path).map_err(|error| wrong(1, error.to_string()))?;
    let header = reader.headers().map_err(|error| wrong(1, error.to_string()))?.clone();
    let column =
        |names: [&str; 2]| header.iter().position(|name| names.iter().any(|known| name.eq_ignore_ascii_case(known)));
    let row_at = column(["subops_row", "row"]).ok_or_else(|| wrong(1, "there is no column `subops_row`".to_owned()))?;
    let decision_at =
        column(["decision", "subops_decision"]).ok_or_else(|| wrong(1, "there is no column `decision`".to_owned()))?;
    let reason_at = column(["reason", "subops_reason"]);
    let mut decisions = Decisions::new();
    for record in reader.records() {
        let record = record.map_err(|error| wrong(1, error.to_string()))?;
        let line = record.position().map_or(1, csv::Position::line);
        let cell = |at: usize| record.get(at).unwrap_or_default().trim();
        let decided = match cell(decision_at).to_ascii_lowercase().as_str() {
            "" => continue,
            "applied" => journal::Decision::Applied,
            "not-applied" | "not_applied" | "not applied" => journal::Decision::NotApplied,
            other => return Err(wrong(line, format!("decision = `{other}`, expected `applied` or `not-applied`"))),
        };
        let row = cell(row_at)
            .parse()
            .map(RowNumber)
            .map_err(|_| wrong(line, format!("row = `{}`, expected a row's number", cell(row_at))))?;
        if !doubts.iter().any(|doubt| doubt.record.row == row) {
            return Err(not_in_doubt(run, row));
        }
        let why = reason_at.map(cell).filter(|own| !own.is_empty()).unwrap_or(reason);
        if decisions.insert(row, (decided, why.to_owned())).is_some() {
            return Err(wrong(line, format!("row {row} is decided twice")));
        }
    }
    Ok(decisions)
}

/// Who decides: the login name, as far as the system tells.
fn who(context: &Context) -> String {
    let named = ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(|variable| context.environment.get(variable));
    named.map_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()), str::to_owned)
}
