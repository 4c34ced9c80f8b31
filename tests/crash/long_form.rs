//! The long form: every point of every stage, then crashes in what repairs a crash, until enough points were tried.
//!
//! `SUBOPS_CRASH_POINTS` says how many; `tests/crash/long.sh` sets it and is the one command to remember.

use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::points::{Series, kills};
use crate::rig::{Arena, program};
use crate::strike::{Act, CALLS, Point, Stage};
use crate::tally::{Tally, Wrong};
use crate::tools::{Tool, have, say};
use crate::{compound, errors, power};

/// Series that wait to be walked, each with its kind.
type Queue = VecDeque<(&'static str, Series)>;

/// Threads, each with a sandbox of its own.
const WORKERS: usize = 2;

/// How often a long run says how far it is.
const TOLD_EVERY: u64 = 500;

fn stages() -> Vec<Stage> {
    let concurrencies = |warm, verify| [1, 4, 8].map(|concurrency| Stage::new(warm, verify, concurrency));
    [(true, true), (true, false), (false, true), (false, false)]
        .into_iter()
        .flat_map(|(warm, verify)| concurrencies(warm, verify))
        .collect()
}

/// What is struck in any case, and what comes after it for as long as points are wanted.
fn plan() -> (Queue, Queue) {
    let mut always = VecDeque::new();
    always.extend(stages().into_iter().flat_map(|stage| kills(stage, Vec::new(), Act::Run)).map(|one| ("kill", one)));
    always.extend(power::series().into_iter().map(|one| ("power loss", one)));
    let failing = [Stage::new(true, true, 4), Stage::new(true, false, 4)];
    always.extend(failing.into_iter().flat_map(errors::series).map(|one| ("error", one)));
    let mut more = VecDeque::new();
    for at in 1..40 {
        for stage in stages() {
            let call = ["writev", "recvfrom", "fsync", "pwrite64", "rename"][at as usize % 5];
            let first = compound::death(call, at);
            // Spread over the calls, so that those at the end of the list have their share whenever it ends.
            let spread =
                compound::series(stage, &first).into_iter().map(|one| Series { stride: 5, first: 1 + at % 5, ..one });
            more.extend(spread.map(|one| ("crash in a repair", one)));
        }
    }
    (always, more)
}

#[test]
fn long_form() {
    let Some(wanted) = std::env::var("SUBOPS_CRASH_POINTS").ok() else { return };
    let wanted: u64 = wanted.parse().expect("SUBOPS_CRASH_POINTS is a number");
    if !have(&[Tool::Strace, Tool::Fuse, Tool::SmallDisk]) {
        return;
    }
    let (since, tally) = (Instant::now(), Tally::default());
    let (always, more) = plan();
    work(&Mutex::new(always), &tally, u64::MAX);
    errors::fill_all(&Arena::new(), &tally, 4);
    work(&Mutex::new(more), &tally, wanted);
    let report = report(&tally, wanted, since.elapsed());
    say(&report);
    let name = format!("{}/tests/crash/report-{}.md", env!("CARGO_MANIFEST_DIR"), today());
    std::fs::write(&name, report).expect("the report can be written");
    tally.finish("the long form", wanted);
}

/// Walks the series with all workers, until there are none left or enough points were tried.
fn work(queue: &Mutex<Queue>, tally: &Tally, wanted: u64) {
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                let mut told = tally.total().points;
                // A fresh sandbox now and then: its ledger grows with each point.
                let mut arena = (Arena::new(), 0);
                while let Some((kind, series)) = next(queue, tally, wanted) {
                    if arena.1 == 40 {
                        arena = (Arena::new(), 0);
                    }
                    arena.1 += 1;
                    series.walk(kind, &arena.0, tally);
                    let now = tally.total().points;
                    if now >= told + TOLD_EVERY {
                        told = now;
                        say(&tally.line());
                    }
                }
            });
        }
    });
}

fn next(queue: &Mutex<Queue>, tally: &Tally, wanted: u64) -> Option<(&'static str, Series)> {
    if tally.total().points >= wanted {
        return None;
    }
    queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}

fn today() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d").to_string()
}

fn report(tally: &Tally, wanted: u64, elapsed: Duration) -> String {
    let total = tally.total();
    let minutes = elapsed.as_secs() / 60;
    let mut text = format!("# Crash report, {}\n\n", today());
    let build = if program().to_string_lossy().contains("/release/") { "release" } else { "debug" };
    let lines = [
        "| | |\n|---|---|".to_owned(),
        format!("| program | subops {} ({build} build) |", env!("CARGO_PKG_VERSION")),
        format!("| points tried | {} |", total.points),
        format!("| rows in doubt at the end, left to a person | {} |", total.doubts),
        format!("| doubles (an effect that adds up, twice) | {} |", tally.count(Wrong::Double)),
        format!("| losses (an effect called not applied) | {} |", tally.count(Wrong::Loss)),
        format!("| everything wrong, these included | {} |", tally.violations().len()),
        format!("| took | {minutes} min |"),
        format!("| again | `SUBOPS_CRASH_POINTS={wanted} tests/crash/long.sh` |\n"),
        format!("Killed at: {}.\n", CALLS.join(", ")),
        "| kind | points | rows left in doubt |\n|---|---|---|".to_owned(),
    ];
    text.push_str(&lines.join("\n"));
    for (kind, count) in tally.kinds() {
        write!(text, "\n| {kind} | {} | {} |", count.points, count.doubts).expect("text can be written");
    }
    text.push_str(
        "\n\nA row in doubt is no fault: it was in flight, and nothing that can be read proves what became of it (a note \
         has no read; a run with `verify = \"off\"` makes none).\n",
    );
    for (point, violation) in tally.violations() {
        let again = format!("SUBOPS_CRASH_POINT='{point}' cargo test --test crash one_point -- --nocapture");
        write!(text, "\n- {:?}: {}\n  `{again}`", violation.wrong, violation.words).expect("text can be written");
    }
    text
}

/// Strikes the point of `SUBOPS_CRASH_POINT` again.
#[test]
fn one_point() {
    let Ok(text) = std::env::var("SUBOPS_CRASH_POINT") else { return };
    let point: Point = text.parse().expect("a point as a report writes it");
    let tally = Tally::default();
    let struck = Arena::new().strike("one point", &point, &tally);
    say(&format!("the blow {}", if struck { "fell" } else { "missed: the program ended by itself" }));
    tally.finish("one point", 1);
}
