//! Measures the built program against the tools that one would otherwise use, and against its own promises.
//!
//! ```text
//! cargo bench                         everything; writes benches/results.md
//! cargo bench -- quick                everything, small; writes nothing
//! cargo bench -- rivals rate          these sections; the others stay in the file as they are
//! BENCH_AGAINST=old/subops cargo bench -- quick builds
//!                                     this build against another one
//! cargo bench -- provider 20ms        only serves the bare provider, for measuring by hand
//! ```
//!
//! Ratios count, not absolute figures: contestants take turns on the same machine, with the same rows, against the same
//! provider in this process, and each ratio is the middle one of those of the turns.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark talks to who started it")]

mod cost;
mod machine;
mod provider;
mod report;
mod rivals;
mod rows;
mod sections;
mod subject;
mod turns;
mod worst;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::cost::Tools;
use crate::provider::Provider;
use crate::report::Report;
use crate::sections::{SECTIONS, Section};

/// What every section works with.
pub(crate) struct Bench {
    pub(crate) tools: Tools,
    pub(crate) provider: Provider,
    /// Few rows and few turns.
    pub(crate) quick: bool,
    /// Where runs have their homes: on the disk of the checkout, since a memory file system syncs nothing.
    pub(crate) folder: PathBuf,
}

impl Bench {
    /// The one for the quick form, or for the full one.
    pub(crate) fn pick<T>(&self, quick: T, full: T) -> T {
        if self.quick { quick } else { full }
    }

    /// The folder of a home that may be overwritten.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder.join("home")
    }
}

fn main() -> Result<ExitCode> {
    // `--bench` is cargo's own word.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if let Some(("provider", delay)) = words.split_first().map(|(first, rest)| (*first, rest)) {
        return serve(delay.first().copied().unwrap_or("0ms"));
    }
    let quick = words.contains(&"quick");
    let wanted: Vec<&str> = words.iter().copied().filter(|word| *word != "quick").collect();
    if let Some(unknown) = wanted.iter().find(|word| SECTIONS.iter().all(|section| section.name != **word)) {
        let known: Vec<&str> = SECTIONS.iter().map(|section| section.name).collect();
        bail!("`{unknown}` is no section; there are quick, provider, {}", known.join(", "));
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench");
    let tools = Tools::build(&folder.join("tools"))?;
    let bench = Bench { tools, provider: Provider::start()?, quick, folder };
    let ended = measure(&bench, &wanted, &words.join(" "));
    rows::forget(&bench.provider.url())?;
    ended
}

/// Measures the sections that are wanted, or all.
fn measure(bench: &Bench, wanted: &[&str], words: &str) -> Result<ExitCode> {
    let mut measured = Vec::new();
    let mut unmet = 0;
    let mut failures = Vec::new();
    let is_wanted = |section: &&Section| match wanted {
        [] => !section.only_named,
        _ => wanted.contains(&section.name),
    };
    for section in SECTIONS.iter().filter(is_wanted) {
        println!("\n## {}\n", section.title);
        let mut report = Report::default();
        report.say(machine::circumstances(words));
        (section.measure)(bench, &mut report)?;
        let text = report.markdown();
        println!("{text}");
        unmet += report.unmet();
        failures.extend(report.failures().iter().cloned());
        // After each, so that an interrupted benchmark keeps what it has.
        if !bench.quick && section.kept {
            measured.push((section.name, format!("## {}\n\n{text}", section.title)));
            let order: Vec<&str> = SECTIONS.iter().map(|section| section.name).collect();
            report::store(&results(), &machine::head(), &order, &measured)?;
        }
    }
    println!("\n{unmet} floors not met");
    for failure in &failures {
        eprintln!("error: {failure}");
    }
    Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn results() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/results.md")
}

/// Serves until it is stopped, and says once a second what came.
fn serve(delay: &str) -> Result<ExitCode> {
    let Some(delay) = subops::model::settings::parse_duration(delay) else { bail!("`{delay}` is no delay like 20ms") };
    let provider = Provider::start()?;
    provider.reset(delay);
    println!("{}", provider.url());
    let mut last = 0;
    loop {
        std::thread::sleep(Duration::from_secs(1));
        let calls = provider.calls();
        if calls != last {
            println!("{calls} calls, {} in the last second", calls - last);
        }
        last = calls;
    }
}
