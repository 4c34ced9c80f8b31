//! How long a large run takes to go on where it was interrupted, and to say where it stands.

use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::Bench;
use crate::cost::Syncs;
use crate::report::{Bound, Report, Table, figure, median, range};
use crate::rows;
use crate::subject::{Home, RUN, UNLIMITED};

/// Rows that are left when the run is interrupted: enough that it cannot end before it notices.
const REST: usize = 100_000;

pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    let done = bench.pick(200_000, 5_000_000);
    let rows = done + REST;
    let turns = bench.pick(3, 5);
    let home = Home::new(&bench.folder.join("resume"), &bench.provider, rows, UNLIMITED)?;
    let ended = interrupted(bench, &home, done)?;
    let journal = home.journal_bytes()? as f64 / done as f64;
    let input = rows::csv(rows)?;
    let mut scans = Vec::new();
    let mut resumes = Vec::new();
    let mut statuses = Vec::new();
    for _ in 0..turns {
        scans.push(scan(&input)?.as_secs_f64());
        let cost = bench.tools.run(home.command(&bench.tools, &["status", "--json"]), Syncs::Alone)?;
        ensure!(cost.cost.code == 0, "no status: {}", cost.stderr);
        statuses.push(cost.cost.wall.as_secs_f64() * 1e3);
        resumes.push(resumed(bench, &home)?.as_secs_f64());
    }
    report.say(format!(
        "A run of {} rows, interrupted when {} were done; it ended (result files written) {} s later. The journal has {} \
         bytes a row then. A plain scan reads every record of the input with the crate `csv` and looks at none.",
        figure(rows as f64),
        figure(done as f64),
        figure(ended.as_secs_f64()),
        figure(journal)
    ));
    let mut table = Table::new(["", "median", "least and most"]);
    let mut line = |what: &str, figures: &[f64], unit: &str| {
        let middle = median(figures.iter().copied());
        table.row([what.to_owned(), format!("{}{unit}", figure(middle)), format!("{}{unit}", range(figures))]);
        middle
    };
    let scan = line("plain scan of the input", &scans, " s");
    let first = line("`subops resume`, from its start to its first call", &resumes, " s");
    let status = line("`subops status`", &statuses, " ms");
    report.table(&table);
    report.floor("first call of a resumed run, in scans of its input", Bound::AtMost(3.0), first / scan, " ×");
    report.floor("status", Bound::AtMost(100.0), status, " ms");
    std::fs::remove_dir_all(bench.folder.join("resume"))?;
    Ok(())
}

/// Runs until so many rows were called and interrupts it. Returns how long it then took to end.
fn interrupted(bench: &Bench, home: &Home, done: usize) -> Result<Duration> {
    bench.provider.reset(Duration::ZERO);
    let mut program = home.spawn(&RUN)?;
    until(&mut program, || bench.provider.calls() >= done as u64)?;
    interrupt(&mut program)
}

/// From the start of `subops resume` to its first call. The rate is low, so that few rows are spent on it.
fn resumed(bench: &Bench, home: &Home) -> Result<Duration> {
    bench.provider.reset(Duration::ZERO);
    let start = Instant::now();
    let mut program = home.spawn(&["resume", "--rate", "5/s"])?;
    until(&mut program, || bench.provider.first_call().is_some())?;
    let first = bench.provider.first_call().context("a first call")?;
    interrupt(&mut program)?;
    Ok(first.saturating_duration_since(start))
}

/// Waits for the provider to have seen something; the program must still be running.
fn until(program: &mut Child, seen: impl Fn() -> bool) -> Result<()> {
    while !seen() {
        if let Some(status) = program.try_wait()? {
            bail!("the program ended ({status}) before it was interrupted");
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

fn interrupt(program: &mut Child) -> Result<Duration> {
    let start = Instant::now();
    kill_process(Pid::from_child(program), Signal::INT)?;
    let status = program.wait()?;
    ensure!(status.code() == Some(130), "an interrupted program ends with 130, and this one with {status}");
    Ok(start.elapsed())
}

fn scan(input: &Path) -> Result<Duration> {
    let start = Instant::now();
    let mut reader = csv::Reader::from_path(input)?;
    let mut record = csv::ByteRecord::new();
    let mut records = 0_u64;
    while reader.read_byte_record(&mut record)? {
        records += 1;
    }
    ensure!(records > 0, "an empty input");
    Ok(start.elapsed())
}
