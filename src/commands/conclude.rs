//! What is left to do when no more calls are made: result files, the sum that must come out, the exit code, the last word.

use std::time::Instant;

use super::context::{Context, WallClock, quoted};
use super::execute::standing;
use super::failure::Failure;
use super::prepare::Prepared;
use super::{results, run};
use crate::cli::Exit;
use crate::contract::Clock;
use crate::engine::stop::StopReason;
use crate::journal::{RunRecord, RunState, Store};
use crate::model::event::Halt;
use crate::model::money::Money;
use crate::model::settings::Rate;
use crate::model::state::State;
use crate::model::summary::Summary;
use crate::model::totals::Totals;
use crate::report;
use crate::report::meter::Meter;
use crate::report::results::{Staged, Tally};
use crate::report::summary::RunFacts;

/// What is left to do when no more calls are made.
pub(super) struct Conclusion<'a> {
    pub(super) context: &'a Context,
    pub(super) prepared: &'a Prepared,
    pub(super) record: &'a RunRecord,
    pub(super) store: &'a Store,
    pub(super) meter: &'a Meter,
    pub(super) begin: Instant,
}

impl Conclusion<'_> {
    /// The second signal: the journal says what it knows, and that is all that can be done.
    pub(super) fn left(&self) -> Result<Exit, Failure> {
        let run = self.record.run;
        self.store.set_run_state(run, RunState::Running, RunState::Interrupted, WallClock.now())?;
        let next = self.context.next(&format!("resume {run}"));
        self.context.say_always(&format!(
            "run {run} was left at once; calls in flight are in doubt\n\n  To go on:  {next}\n"
        ))?;
        Ok(Exit::Interrupted)
    }

    pub(super) fn conclude(&self, reason: Option<&StopReason>) -> Result<Exit, Failure> {
        let halt = match reason {
            Some(StopReason::Halted(halt)) => Some(halt.clone()),
            Some(StopReason::Interrupted) | None => None,
        };
        let run = self.record.run;
        let totals = self.store.totals(run)?;
        let unsent = self.prepared.plan.rows.saturating_sub(totals.rows()) + totals.count(State::Planned);
        let state = match reason {
            Some(StopReason::Halted(_)) => RunState::Halted,
            None if unsent == 0 && !self.holds_what_is_free()? => RunState::Finished,
            _ => RunState::Interrupted,
        };
        let staged = self.staged();
        let (staged, halt) = match staged {
            Ok(staged) => {
                let broken = self.compare(&staged.tally)?;
                (Ok(staged), broken.or(halt))
            }
            Err(failure) => (Err(failure), halt),
        };
        let exit = self.exit(state, halt.as_ref(), staged.as_ref().ok().map(|staged| &staged.tally), &totals);
        let written = staged.and_then(|staged| self.publish(staged, state, halt.as_ref(), exit));
        // After the files: a run whose files are not in place, because it died or they cannot be written, is not finished,
        // so that the next start writes them.
        let state = if written.is_err() && state == RunState::Finished { RunState::Interrupted } else { state };
        self.store.set_run_state(run, RunState::Running, state, WallClock.now())?;
        let (summary, tally) = written?;
        self.tell(&summary, &tally, halt.as_ref())?;
        Ok(exit)
    }

    /// Whether a row is held behind nothing any more: a read has settled the doubt before it.
    fn holds_what_is_free(&self) -> Result<bool, Failure> {
        let doubts = self.store.doubts(self.record.run)?;
        let in_doubt: std::collections::HashSet<_> =
            doubts.iter().filter_map(|doubt| doubt.record.subject.as_ref()).collect();
        let held = self.store.held(self.record.run)?;
        Ok(held.iter().any(|record| record.subject.as_ref().is_some_and(|subject| !in_doubt.contains(subject))))
    }

    fn folder(&self) -> std::path::PathBuf {
        results::folder(&self.prepared.job.results, &self.record.job, self.record.started, self.record.run)
    }

    fn staged(&self) -> Result<Staged, Failure> {
        results::stage(&self.prepared.input, self.store, self.record.run, &self.folder()).map_err(|error| {
            let again = self.context.next(&format!("resume {}", self.record.run));
            Failure::internal(format!("the run ended, but its results cannot be written: {error}"))
                .hint(format!("nothing is lost; write them with: {again}"))
        })
    }

    /// I9: what the result files hold, what the journal counted on the way, and what the plan promised are the same rows
    /// and the same money.
    fn compare(&self, tally: &Tally) -> Result<Option<Halt>, Failure> {
        let expected = reported(&standing(self.store, self.prepared, self.record)?, self.prepared.plan.skipped);
        if same(&expected, &tally.totals) {
            return Ok(None);
        }
        let message = "the result files, the journal and the plan do not add up".to_owned();
        tracing::error!(?expected, found = ?tally.totals, "{message}");
        Ok(Some(Halt::Invariant { message }))
    }

    fn exit(&self, state: RunState, halt: Option<&Halt>, tally: Option<&Tally>, totals: &Totals) -> Exit {
        let totals = tally.map_or(totals, |tally| &tally.totals);
        let mut holding = Vec::new();
        if let Some(halt) = halt {
            holding.push(exit_of(halt));
        }
        // Also where nobody interrupted it: a start that only verifies leaves rows to be sent.
        if state == RunState::Interrupted {
            holding.push(Exit::Interrupted);
        }
        if totals.count(State::InDoubt) > 0 {
            holding.push(Exit::InDoubt);
        }
        if totals.failures() > 0 || self.prepared.plan.skipped > 0 {
            holding.push(Exit::RowsFailed);
        }
        Exit::first_of(holding)
    }

    /// Puts the result files in their place.
    fn publish(
        &self,
        staged: Staged,
        state: RunState,
        halt: Option<&Halt>,
        exit: Exit,
    ) -> Result<(Summary, Tally), Failure> {
        let tally = staged.tally.clone();
        let summary = self.summary(&tally, state, halt, exit);
        self.store.save_summary(self.record.run, &report::summary::to_json(&summary))?;
        staged.publish(&summary).map_err(|error| {
            Failure::internal(error).hint(self.context.next(&format!("resume {}", self.record.run)))
        })?;
        Ok((summary, tally))
    }

    fn tell(&self, summary: &Summary, tally: &Tally, halt: Option<&Halt>) -> Result<(), Failure> {
        if self.context.output.json {
            super::context::to_stdout(&report::summary::to_json(summary))?;
        }
        let ending = report::ending::Ending { summary, tally, elapsed: self.begin.elapsed(), halt };
        self.context.say(&report::ending::ending(&ending, &self.context.style))
    }

    fn summary(&self, tally: &Tally, state: RunState, halt: Option<&Halt>, exit: Exit) -> Summary {
        let mut figures = self.meter.figures();
        let earlier = self.record.summary.as_deref().and_then(|text| serde_json::from_str::<Summary>(text).ok());
        if let Some(earlier) = earlier {
            figures.calls += earlier.calls;
            figures.retries += earlier.retries;
        }
        report::summary::summarise(
            &tally.totals,
            &RunFacts {
                run: self.record.run,
                job: &self.record.job,
                state: state.as_str(),
                exit_code: exit.code(),
                digest: &self.record.digest,
                figures,
                limit: limit(&self.prepared.plan.groups),
                started: self.record.started,
                finished: Some(WallClock.now()),
                results: Some(shown(&self.folder())),
                halt,
                next: self.next(exit),
            },
        )
    }

    fn next(&self, exit: Exit) -> Option<String> {
        next(self.context, self.record.run, exit, || {
            let failed = quoted(&shown(&self.folder().join("failed.csv")));
            let job = &self.prepared.job;
            if job.argument.ends_with(".toml") {
                format!(
                    "run {} --input {failed}{}",
                    quoted(&job.argument),
                    if job.encoding.is_some() { " --encoding utf-8" } else { "" }
                )
            } else {
                run::words(&crate::config::Job { argument: shown(&self.folder().join("failed.csv")), ..job.clone() })
            }
        })
    }
}

/// The command that comes next after a run that ended so. `failed` are the words that send the failed file.
pub(super) fn next(
    context: &Context,
    run: crate::model::ids::RunId,
    exit: Exit,
    failed: impl FnOnce() -> String,
) -> Option<String> {
    let words = match exit {
        Exit::Success => return None,
        Exit::RowsFailed => failed(),
        Exit::InDoubt => format!("doubt list {run}"),
        Exit::Credentials => "check".to_owned(),
        _ => format!("resume {run}"),
    };
    Some(context.next(&words))
}

/// A path as a person in this folder would type it.
fn shown(path: &std::path::Path) -> String {
    let here = std::env::current_dir().ok();
    let inside = here.as_deref().and_then(|here| path.strip_prefix(here).ok());
    inside.unwrap_or(path).display().to_string()
}

/// The configured rate, of all accounts together.
fn limit(groups: &[crate::model::plan::Group]) -> String {
    let mut rates: Vec<(&str, Rate)> = Vec::new();
    for group in groups {
        if !rates.iter().any(|(known, _)| *known == group.account.as_str()) {
            rates.push((group.account.as_str(), group.rate));
        }
    }
    match rates.as_slice() {
        [(_, only)] => only.to_string(),
        several => {
            let sum: f64 = several.iter().map(|(_, rate)| rate.per_second()).sum();
            format!("{sum}/s")
        }
    }
}

fn exit_of(halt: &Halt) -> Exit {
    match halt {
        Halt::Credentials { .. } => Exit::Credentials,
        Halt::Journal { .. } | Halt::Invariant { .. } => Exit::Internal,
        Halt::Failures { .. }
        | Halt::InDoubt { .. }
        | Halt::Unrecognised { .. }
        | Halt::Outage { .. }
        | Halt::Redirect { .. }
        | Halt::Tls { .. }
        | Halt::Retries { .. }
        | Halt::InputChanged { .. } => Exit::Halted,
    }
}

/// Totals as they are reported: what is planned was not sent, what is intended is in doubt, and what was left out by
/// request was not sent either.
fn reported(totals: &Totals, skipped: u64) -> Totals {
    let mut reported = Totals::default();
    for state in State::ALL {
        let told = match state {
            State::Planned => State::NotSent,
            State::Intended => State::InDoubt,
            other => other,
        };
        reported.add_many(told, totals.count(state), None);
        for (currency, sums) in totals.amounts() {
            let amount = sums[usize::from(state.number())];
            reported.add_amount(told, Some(Money { amount, currency }));
        }
    }
    reported.add_many(State::NotSent, skipped, None);
    reported
}

/// The same rows and the same money in every state; a currency of which there is nothing is no difference.
fn same(one: &Totals, other: &Totals) -> bool {
    let currencies = one.amounts().chain(other.amounts()).map(|(currency, _)| currency);
    let money = currencies
        .flat_map(|currency| State::ALL.map(|state| (currency, state)))
        .all(|(currency, state)| one.amount(currency, state) == other.amount(currency, state));
    money && State::ALL.into_iter().all(|state| one.count(state) == other.count(state))
}
