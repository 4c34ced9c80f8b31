//! The built program as it is measured: whole runs (plan, journal, results, summary) in fresh folders.
//!
//! Invariant: a run counts only where the provider saw as many calls as there are rows, and the summary calls every row
//! applied.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::cost::{Cost, Ran, Syncs, Tools};
use crate::provider::Provider;
use crate::rows;

/// The built program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_subops");

/// How many calls may be under way at once, here and in every rival.
pub(crate) const CONCURRENCY: usize = 64;

/// The rate where the rate is not what is measured: more than anything reaches.
pub(crate) const UNLIMITED: &str = "1000000/s";

/// A fresh folder with a configuration, a job and an empty journal.
pub(crate) struct Home {
    folder: PathBuf,
    rows: usize,
    program: PathBuf,
}

impl Home {
    /// For the first `rows` rows, against this provider. What was in the folder is gone.
    pub(crate) fn new(folder: &Path, provider: &Provider, rows: usize, rate: &str) -> Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder)?;
        let url = provider.url();
        let accounts = format!(
            "[accounts.segpay]\nprovider = \"segpay\"\nrate = \"{rate}\"\nconcurrency = {CONCURRENCY}\n\
             [accounts.segpay.urls]\nsrs = \"{url}\"\n"
        );
        fs::write(folder.join("subops.toml"), accounts)?;
        let input = rows::csv(rows)?;
        let job = format!(
            "name = \"bench\"\ninput = \"{}\"\noperation = \"segpay.insert_consumer_note\"\nverify = \"off\"\n",
            input.display()
        );
        fs::write(folder.join("bench.toml"), job)?;
        Ok(Self::at(folder, rows))
    }

    /// The one that a run of so many rows left there.
    pub(crate) fn at(folder: &Path, rows: usize) -> Self {
        Self { folder: folder.to_owned(), rows, program: PathBuf::from(PROGRAM) }
    }

    /// With another build of the program.
    pub(crate) fn of(self, program: &Path) -> Self {
        Self { program: program.to_owned(), ..self }
    }

    /// The program's own environment, and nothing of the caller's.
    fn settle(&self, command: &mut Command) {
        command.env_clear().env("HOME", &self.folder).env("PATH", "/usr/bin:/bin").env("TZ", "UTC");
        command.env("SEGPAY_USER_ID", rows::USER_ID).env("SEGPAY_ACCESS_KEY", rows::ACCESS_KEY);
        command.current_dir(&self.folder).stdin(Stdio::null());
    }

    /// The program with its cost noted.
    pub(crate) fn command(&self, tools: &Tools, words: &[&str]) -> Command {
        let mut command = tools.command(&self.program);
        self.settle(&mut command);
        command.args(words);
        command
    }

    /// The whole job under another program, like a profiler.
    pub(crate) fn under(&self, words: &[&str]) -> Command {
        let mut command = Command::new(words.first().copied().unwrap_or_default());
        self.settle(&mut command);
        command.args(words.iter().skip(1)).arg(&self.program).args(RUN);
        command
    }

    /// The program as a child of this process, to be signalled; it says nothing.
    pub(crate) fn spawn(&self, words: &[&str]) -> Result<Child> {
        let mut command = Command::new(&self.program);
        self.settle(&mut command);
        Ok(command.args(words).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?)
    }

    /// Runs the whole job.
    pub(crate) fn run(&self, tools: &Tools, provider: &Provider, syncs: Syncs) -> Result<Cost> {
        let ran = tools.run(self.command(tools, &RUN), syncs)?;
        self.check(&ran, provider)?;
        Ok(ran.cost)
    }

    /// Every row applied, by the summary and by the provider's count.
    pub(crate) fn check(&self, ran: &Ran, provider: &Provider) -> Result<()> {
        if ran.cost.code != 0 {
            bail!("the program ended with {}: {}{}", ran.cost.code, ran.stdout, ran.stderr);
        }
        let summary: Value = serde_json::from_str(&ran.stdout).context("a summary")?;
        let applied = summary.pointer("/rows/applied").and_then(Value::as_u64);
        ensure!(applied == Some(self.rows as u64), "{applied:?} of {} rows were applied", self.rows);
        ensure!(provider.calls() == self.rows as u64, "{} calls for {} rows", provider.calls(), self.rows);
        Ok(())
    }

    /// The size of the journal as a finished run leaves it, with what lies beside it.
    pub(crate) fn journal_bytes(&self) -> Result<u64> {
        let mut bytes = 0;
        for entry in fs::read_dir(self.folder.join(".local/state/subops"))? {
            bytes += entry?.metadata()?.len();
        }
        Ok(bytes)
    }
}

/// The words that run the job.
pub(crate) const RUN: [&str; 4] = ["run", "bench.toml", "--yes", "--json"];
