//! One part in a hundred of every fault at once, and a limit that changes: the run is started as cron starts it, until
//! nothing is left that a start could do.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::judge::{Verdict, judge};
use crate::rows::{Row, accounts, csv};
use crate::support::{Home, SandboxProcess};

/// Every fault that the sandbox knows; a test holds the list against the sandbox's own.
pub(crate) const FAULTS: [&str; 21] = [
    "reset_before",
    "reset_after",
    "close_before",
    "close_after",
    "hang_before",
    "hang_after",
    "http_500_before",
    "http_500_after",
    "http_502_after",
    "http_503",
    "http_503_after",
    "http_409_after",
    "throttle",
    "truncate_after",
    "garbage_after",
    "html",
    "html_after",
    "redirect",
    "redirect_after",
    "wrong_id",
    "slow",
];

/// Starts after which a run that is still not done is given up.
const MOST_STARTS: u32 = 50;

/// How the provider changes its limit, from one fifth of the rows to the next.
const LIMITS: [&str; 5] = ["2000/s", "500/s", "3000/s", "800/s", "2000/s"];

/// What came of it.
pub(crate) struct Outcome {
    pub(crate) verdict: Verdict,
    pub(crate) starts: u32,
    /// Why starts ended before the end, with how often.
    pub(crate) halts: BTreeMap<String, u32>,
    pub(crate) calls: u64,
    pub(crate) retries: u64,
    pub(crate) throttled: u64,
    pub(crate) statistics: Value,
    pub(crate) took: Duration,
    pub(crate) last_code: i32,
}

/// Runs so many rows of so many accounts of each provider through weather.
pub(crate) fn soak(count: u32, of: u32, share: &str, timeout: &str) -> Outcome {
    let ledger = tempfile::tempdir().expect("a temporary folder");
    let ledger_file = ledger.path().join("ledger.jsonl");
    let faults: Vec<String> = FAULTS.iter().map(|fault| format!("{fault}={share}")).collect();
    let ledger_path = ledger_file.to_str().expect("a plain path");
    let sandbox = SandboxProcess::start(["--ledger", ledger_path, "--latency", "1ms..4ms"]);
    let home = Home::with(&sandbox);
    let rows: Vec<Row> = (0..count).map(|at| Row::number(at, of)).collect();
    home.write("soak.csv", csv(&rows));
    let settings = format!("rate = \"400/s\"\nconcurrency = 24\ntimeout = \"{timeout}\"\nsettle_delay = \"0s\"\n");
    home.write("subops.toml", accounts(of, &settings));
    home.write("soak.toml", "input = \"soak.csv\"\n[guard]\nmax_failures = \"5%\"\nmax_in_doubt = 1000000\n");

    let since = Instant::now();
    let done = AtomicBool::new(false);
    let (mut starts, mut halts, mut calls, mut retries) = (0, BTreeMap::new(), 0, 0);
    let last_code = std::thread::scope(|scope| {
        scope.spawn(|| change(&sandbox, &faults.join(","), u64::from(count), &done));
        loop {
            starts += 1;
            let words = ["run", "soak.toml", "--json", "--progress", "none", "--yes"];
            let ended = home.run(words);
            if ended.code == Some(75) {
                // Nothing was started; cron tries again later.
                *halts.entry("not started".to_owned()).or_default() += 1;
                continue;
            }
            let summary = ended.json();
            calls += summary["calls"].as_u64().unwrap_or(0);
            retries += summary["retries"].as_u64().unwrap_or(0);
            let code = ended.code.expect("an exit code");
            if code != 3 || starts == MOST_STARTS {
                done.store(true, Ordering::SeqCst);
                return code;
            }
            let why = summary["halted_by"]["code"].as_str().or(summary["halted_by"].as_str()).unwrap_or("?");
            *halts.entry(why.to_owned()).or_default() += 1;
        }
    });
    let took = since.elapsed();
    let status = home.run(["status", "--json"]).json();
    let statistics = sandbox.statistics();
    let throttled = statistics["status"]["429"].as_u64().unwrap_or(0);
    let verdict = judge(&rows, &ledger_file, &home, &status);
    Outcome { verdict, starts, halts, calls, retries, throttled, statistics, took, last_code }
}

/// The weather begins with the first effect: a start that finds the provider down at its first read says so and ends (exit
/// 75), which is another test's business. The limit changes as the work goes on: by the effects that the provider has seen.
fn change(sandbox: &SandboxProcess, faults: &str, rows: u64, done: &AtomicBool) {
    let mut last = None;
    while !done.load(Ordering::SeqCst) {
        let applied = sandbox.statistics()["applied"].as_u64().unwrap_or(0);
        let part = usize::try_from(applied * LIMITS.len() as u64 / rows.max(1)).unwrap_or(0).min(LIMITS.len() - 1);
        if applied > 0 && last != Some(part) {
            sandbox.control(&format!("{{\"rate\": \"{}\", \"faults\": \"{faults}\"}}", LIMITS[part]));
            last = Some(part);
        }
        // Only how soon a change comes depends on this.
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Outcome {
    /// What must hold, however long the run was.
    pub(crate) fn check(&self) {
        assert!(self.verdict.wrong.is_empty(), "{}", self.verdict.wrong.join("\n"));
        let states = &self.verdict.states;
        let count = |state: &str| states.get(state).copied().unwrap_or(0);
        assert_eq!(count("not_sent"), 0, "it came to its end: {states:?}, {:?}, {:?}", self.halts, self.statistics);
        // What the very first calls of a start meet ends it, and the next start goes on, as cron would have it: a provider
        // that does not answer, or an account whose first reply is a redirect.
        let at_first = |why: &String| ["redirect", "not started"].contains(&why.as_str());
        assert!(self.halts.keys().all(at_first), "by itself: {:?}", self.halts);
        assert!(self.retries <= 20 + self.calls / 4, "{} of {} calls were repeats", self.retries, self.calls);
        assert!(matches!(self.last_code, 0 | 1 | 4), "ended with {}", self.last_code);
    }
}

#[test]
fn the_weather_has_every_fault() {
    let home = Home::new();
    let said = home.run(["sandbox", "--faults", "no_such_fault=1"]).exits(2);
    let listed = said.stderr.split_once("the faults are ").map(|(_, rest)| rest.lines().next().unwrap_or_default());
    let listed: Vec<&str> = listed.expect("a list").split(", ").collect();
    assert_eq!(listed, FAULTS);
}

#[test]
fn a_run_comes_to_its_end_in_bad_weather_by_itself() {
    let outcome = soak(600, 3, "0.01", "2s");
    outcome.check();
}
