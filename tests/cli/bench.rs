//! A home, a sandbox and fast settings; and how to wait for a running program without sleeping.

use std::collections::BTreeMap;
use std::process::Child;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use serde_json::Value;

use super::support::{Home, Outcome, SandboxProcess};

/// Fast, and reads may settle a doubt at once: the sandbox shows effects without delay.
pub(super) const SETTINGS: &str = "\
[accounts.segpay]
provider = \"segpay\"
rate = \"1000/s\"
concurrency = 8
settle_delay = \"0s\"
";

/// Tests that measure time have the machine to themselves; all others share it.
static MACHINE: RwLock<()> = RwLock::new(());

/// A share of the machine, or all of it.
pub(super) enum Share {
    Some(#[expect(dead_code, reason = "held, not looked at")] RwLockReadGuard<'static, ()>),
    All(#[expect(dead_code, reason = "held, not looked at")] RwLockWriteGuard<'static, ()>),
}

impl Share {
    pub(super) fn some() -> Self {
        Self::Some(MACHINE.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn all() -> Self {
        Self::All(MACHINE.write().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A home whose sandbox is in another process. A test must not make a second one while it has one.
pub(super) struct Bench {
    pub(super) sandbox: SandboxProcess,
    pub(super) home: Home,
    _share: Share,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::with([])
    }

    /// With these arguments for the sandbox.
    pub(super) fn with<const N: usize>(arguments: [&str; N]) -> Self {
        Self::sharing(Share::some(), arguments)
    }

    /// With nothing else at work beside it.
    pub(super) fn alone() -> Self {
        Self::sharing(Share::all(), [])
    }

    fn sharing<const N: usize>(share: Share, arguments: [&str; N]) -> Self {
        let sandbox = SandboxProcess::start(arguments);
        let home = Home::with(&sandbox);
        home.write("subops.toml", SETTINGS);
        Self { sandbox, home, _share: share }
    }

    /// Writes `extend.csv` with so many extensions and a job file for it, whose other settings are `more`.
    pub(super) fn extensions(&self, rows: usize, more: &str) {
        self.home.write("extend.csv", super::support::extensions(80_000_000, rows));
        self.job("extend", "segpay.extend_membership", more);
    }

    /// Writes the job file `<name>.toml` for `<name>.csv`.
    pub(super) fn job(&self, name: &str, operation: &str, more: &str) {
        let job = format!("input = \"{name}.csv\"\noperation = \"{operation}\"\n{more}\n");
        self.home.write(&format!("{name}.toml"), job);
    }

    /// Waits until the sandbox has seen so many requests. The program must still be running then.
    pub(super) fn wait_for_requests(&self, program: &mut Child, requests: u64) {
        while self.sandbox.requests() < requests {
            let ended = program.try_wait().expect("the program can be asked");
            assert!(ended.is_none(), "it ended ({ended:?}) after {} requests", self.sandbox.requests());
        }
    }

    /// How the result files call each row, by subject. Each row must be in exactly one of them.
    pub(super) fn told(&self, subject: &str) -> BTreeMap<String, String> {
        let mut told = BTreeMap::new();
        for file in ["succeeded.csv", "failed.csv", "in_doubt.csv", "not_sent.csv"] {
            for row in self.home.result_rows(file) {
                let twice = told.insert(row[subject].clone(), row["subops_status"].clone());
                assert_eq!(twice, None, "{} is in two files", row[subject]);
            }
        }
        told
    }

    /// Compares the results with the ledger, for rows of which each has a subject of its own. Returns the rows by status.
    pub(super) fn agree(&self, subject: &str) -> BTreeMap<String, usize> {
        let (applied, told) = (self.sandbox.applied(), self.told(subject));
        let mut counts = BTreeMap::new();
        for (subject, status) in &told {
            let times = applied.get(subject).copied().unwrap_or(0);
            let fits = match status.as_str() {
                "applied" => times == 1,
                "in_doubt" => times <= 1,
                _ => times == 0,
            };
            assert!(fits, "{subject} is called {status}, and was carried out {times} times");
            *counts.entry(status.clone()).or_default() += 1;
        }
        for subject in applied.keys() {
            assert!(told.contains_key(subject), "{subject} was carried out, and no file tells of it");
        }
        counts
    }
}

/// Sends a signal to the program.
pub(super) fn signal(program: &Child, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_child(program);
    rustix::process::kill_process(pid, signal).expect("it is still there");
}

/// Waits for the end of a program that was started.
pub(super) fn ended(program: Child) -> Outcome {
    Outcome::of(program.wait_with_output().expect("it ends"))
}

/// The number at `pointer` in a summary.
pub(super) fn number(summary: &Value, pointer: &str) -> u64 {
    summary.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("no number {pointer} in {summary}"))
}

/// A free text as it was written: without the token that is sent behind it.
pub(super) fn without_token(text: &str) -> &str {
    text.split_once(" [subops ").map_or(text, |(text, _)| text)
}
