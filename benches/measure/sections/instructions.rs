//! Instructions that a row costs, counted by callgrind and held against the committed figure: a guard that no load of the
//! machine can disturb.
//!
//! Two runs, one of more rows; the difference for each row more, so that starting does not count. Only the program is
//! counted, not the kernel and not the provider. `SUBOPS_BLESS=1` writes the figure down again.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::Bench;
use crate::report::{Report, Table, figure, median, range};
use crate::rivals::first_line;
use crate::subject::{Home, UNLIMITED};

/// The rows of the smaller run and of the larger.
const ROWS: [usize; 2] = [1_000, 3_000];

/// How much the figure may grow, in percent.
const MOST: f64 = 10.0;

pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    let Some(version) = first_line("valgrind", &["--version"]) else {
        ensure!(std::env::var_os("SUBOPS_REQUIRE_FAULT_TOOLS").is_none(), "valgrind is not installed");
        report.say("skipped: valgrind is not installed (apt install valgrind)");
        return Ok(());
    };
    let mut each = Vec::new();
    for _ in 0..bench.pick(1, 5) {
        let [few, many] = [counted(bench, ROWS[0])?, counted(bench, ROWS[1])?];
        each.push((many - few) / (ROWS[1] - ROWS[0]) as f64);
    }
    let found = median(each.iter().copied());
    if std::env::var_os("SUBOPS_BLESS").is_some() {
        fs::write(committed_file(), written(found, &each, &version)).context("instructions.txt")?;
    }
    let committed = committed()?;
    let percent = (found / committed - 1.0) * 100.0;
    report.say(format!(
        "Whole runs of {} and {} rows under {version}, 64 calls at once; the difference for each row more.",
        figure(ROWS[0] as f64),
        figure(ROWS[1] as f64)
    ));
    let mut table = Table::new(["instructions a row", "least and most", "committed", ""]);
    table.row([figure(found), range(&each), figure(committed), format!("{percent:+.1} %")]);
    report.table(&table);
    if percent > MOST {
        report.fail(format!(
            "a row costs {percent:.1} % more instructions than benches/instructions.txt says; `callgrind_annotate \
             {}` shows where. If it is worth it, SUBOPS_BLESS=1 writes the new figure down.",
            out_file(bench).display()
        ));
    } else if percent < -MOST {
        report.say("It is much less than what is committed: SUBOPS_BLESS=1 writes the new figure down.");
    }
    Ok(())
}

/// Kept after the run, to be looked into.
fn out_file(bench: &Bench) -> PathBuf {
    bench.folder.join("callgrind.out")
}

/// The instructions of a whole run.
fn counted(bench: &Bench, rows: usize) -> Result<f64> {
    let home = Home::new(&bench.home(), &bench.provider, rows, UNLIMITED)?;
    bench.provider.reset(Duration::ZERO);
    let out = out_file(bench);
    let option = format!("--callgrind-out-file={}", out.display());
    // Its scheduler in turns: threads wait for each other, and who is first would be left to chance.
    let run = home.under(&["valgrind", "--quiet", "--tool=callgrind", "--fair-sched=try", &option]).output()?;
    let said = String::from_utf8_lossy(&run.stderr);
    ensure!(run.status.success(), "a run under callgrind ended with {}: {said}", run.status);
    ensure!(bench.provider.calls() == rows as u64, "{} calls for {rows} rows", bench.provider.calls());
    let text = fs::read_to_string(&out)?;
    let totals = text.lines().find_map(|line| line.strip_prefix("totals: ")).context("no totals of callgrind")?;
    Ok(totals.trim().parse()?)
}

fn committed_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/instructions.txt")
}

fn committed() -> Result<f64> {
    let text = fs::read_to_string(committed_file()).context("benches/instructions.txt")?;
    let figure = text.lines().find(|line| !line.starts_with('#')).context("a figure in benches/instructions.txt")?;
    Ok(figure.trim().parse()?)
}

fn written(found: f64, each: &[f64], valgrind: &str) -> String {
    let rustc = first_line("rustc", &["--version"]).unwrap_or_default();
    let spread = each.iter().map(|one| (one / found - 1.0).abs() * 100.0).fold(0.0, f64::max);
    format!(
        "# Instructions that a row costs (`cargo bench -- instructions`); CI fails when they grow by more than {MOST:.0} %.\n\
         # The middle one of {} pairs of runs: {}, {spread:.1} % off at most. {rustc}, {valgrind}.\n\
         {found:.0}\n",
        each.len(),
        range(each)
    )
}
