//! `subops doubt list|settle RUN`: rows of which nobody knows whether they were applied, put before a person.

use super::context::{Context, WallClock};
use super::decisions::{Decisions, from_file};
use super::failure::Failure;
use super::run::lock;
use crate::cli::{Decision, Exit};
use crate::contract::Clock;
use crate::journal::{self, DoubtRecord, Fact, RunRecord, Store};
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
    let settlements = store.settle_all(run, &decisions, &who, WallClock.now())?;
    let is_applied = |(decision, _): &&(journal::Decision, String)| *decision == journal::Decision::Applied;
    let applied = decisions.values().filter(is_applied).count() as u64;
    let not_applied = decisions.len() as u64 - applied;
    let released = settlements.iter().map(|settlement| settlement.released.len() as u64).sum::<u64>();
    tell(context, &store, &record, [applied, not_applied, released])
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
            // Somebody who names a row has it for one in doubt, and is wrong about what there is to decide.
            for (first, last) in rows.ranges() {
                let mut expected = first;
                for row in chosen.range(first..=last).map(|(row, _)| *row) {
                    if row != expected {
                        break;
                    }
                    expected = RowNumber(row.0 + 1);
                }
                if expected <= last {
                    return Err(not_in_doubt(run, expected));
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

/// Who decides: the login name, as far as the system tells.
fn who(context: &Context) -> String {
    let named = ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(|variable| context.environment.get(variable));
    named.map_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()), str::to_owned)
}
