//! `kill -9` of a long run at random moments, fifty times over: what enumeration cannot reach is left to chance.

use std::collections::BTreeMap;
use std::process::Child;

use crate::support::{Home, SandboxProcess, extensions};

/// Calls that may be in flight at once.
const CONCURRENCY: u64 = 8;

/// Kills that must have hit a running program.
const KILLS: u32 = 50;

const RUN: [&str; 10] =
    ["run", "extend.toml", "--rate", "2000/s", "-j", "8", "--max-in-doubt", "100000", "--progress", "none"];

const RESUME: [&str; 8] = ["resume", "--rate", "2000/s", "-j", "8", "--max-in-doubt", "100000", "--json"];

/// Waits until the sandbox has seen `more` requests beyond `before`, or the program has ended. True where it still runs.
fn runs_until(program: &mut Child, sandbox: &SandboxProcess, before: u64, more: u64) -> bool {
    loop {
        if program.try_wait().expect("the program can be asked").is_some() {
            return false;
        }
        if sandbox.requests() >= before + more {
            return true;
        }
    }
}

struct Crashes {
    sandbox: SandboxProcess,
    home: Home,
    rows: usize,
}

impl Crashes {
    fn new(rows: usize, verify: &str) -> Self {
        let sandbox = SandboxProcess::start(["--latency", "1ms..6ms"]);
        let home = Home::with(&sandbox);
        home.write("extend.csv", extensions(80_000_000, rows));
        let job = format!("input = \"extend.csv\"\noperation = \"segpay.extend_membership\"\nverify = \"{verify}\"\n");
        home.write("extend.toml", job);
        home.write("subops.toml", "[accounts.segpay]\nprovider = \"segpay\"\nsettle_delay = \"0s\"\n");
        Self { sandbox, home, rows }
    }

    /// Starts the job again and again and kills it at random moments.
    fn kill_often(&self, seed: u64) {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut doubts_before = 0;
        for kill in 1..=KILLS {
            let before = self.sandbox.requests();
            let mut program = self.home.spawn(RUN);
            let runs = runs_until(&mut program, &self.sandbox, before, random.u64(0..50));
            program.kill().expect("the program can be killed");
            program.wait().expect("the program ended");
            assert!(runs, "the file is long enough for all kills");
            let doubts = self.doubts();
            let new = doubts.saturating_sub(doubts_before);
            assert!(new <= CONCURRENCY, "kill {kill} left {new} rows in doubt, {CONCURRENCY} may be in flight");
            doubts_before = doubts;
        }
    }

    /// Rows that cannot be known from the journal alone; a run that was killed before it began has none.
    fn doubts(&self) -> u64 {
        let status = self.home.run(["status", "--json"]);
        if status.code == Some(2) { 0 } else { status.json()["rows"]["in_doubt"].as_u64().expect("a count") }
    }

    /// How the result files call each subject; each row must be in exactly one of them.
    fn told(&self) -> BTreeMap<String, String> {
        let mut told = BTreeMap::new();
        for file in ["succeeded.csv", "failed.csv", "in_doubt.csv", "not_sent.csv"] {
            for row in self.home.result_rows(file) {
                let twice = told.insert(row["PurchaseID"].clone(), row["subops_status"].clone());
                assert_eq!(twice, None, "{} is in two files", row["PurchaseID"]);
            }
        }
        assert_eq!(told.len(), self.rows, "every row is told of");
        told
    }

    /// The ledger and the results must agree. Returns the rows in doubt.
    fn check(&self) -> usize {
        let applied = self.sandbox.applied();
        for (subject, times) in &applied {
            assert_eq!(*times, 1, "{subject} was extended {times} times");
        }
        let told = self.told();
        for (subject, status) in &told {
            match (status.as_str(), applied.contains_key(subject)) {
                ("applied", true) | ("in_doubt", _) | ("not_sent" | "held" | "refused" | "failed", false) => {}
                (status, done) => panic!("{subject} is called {status}, and was carried out: {done}"),
            }
        }
        for subject in applied.keys() {
            assert!(matches!(told[subject].as_str(), "applied" | "in_doubt"), "{subject} was lost");
        }
        told.values().filter(|status| *status == "in_doubt").count()
    }
}

#[test]
fn killed_fifty_times_without_reads_every_row_is_applied_once_or_in_doubt() {
    let crashes = Crashes::new(3000, "off");
    crashes.kill_often(7);
    let end = crashes.home.run(RESUME);
    let doubts = crashes.check();
    let end = end.exits(if doubts > 0 { 4 } else { 0 }).json();
    assert_eq!(end["rows"]["in_doubt"].as_u64(), Some(doubts as u64));
    assert_eq!(end["rows"]["total"].as_u64(), Some(3000));
}

#[test]
fn killed_fifty_times_with_reads_every_row_is_applied_exactly_once() {
    let crashes = Crashes::new(3000, "auto");
    crashes.kill_often(11);
    crashes.home.run(RESUME).exits(0);
    assert_eq!(crashes.check(), 0, "reads settle every doubt");
    assert_eq!(crashes.sandbox.applied().len(), 3000);

    let before = crashes.sandbox.requests();
    crashes.home.run(RUN).exits(0);
    assert_eq!(crashes.sandbox.applied().len(), 3000, "a finished run is not repeated");
    assert_eq!(crashes.sandbox.requests(), before, "nothing is sent for it");
}
