//! How long it takes to be there: help, and a run of one row with everything that a run needs.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::Bench;
use crate::cost::Syncs;
use crate::report::{Bound, Report, Table, figure, median, range};
use crate::subject::{Home, UNLIMITED};

pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    let turns = bench.pick(10, 50);
    let mut table = Table::new(["", "ms, median", "least and most", "peak MiB"]);
    let mut line = |what: &str, runs: &[(f64, f64)]| {
        let wall: Vec<f64> = runs.iter().map(|(wall, _)| *wall).collect();
        let middle = median(wall.iter().copied());
        let peak = median(runs.iter().map(|(_, peak)| *peak));
        table.row([what.to_owned(), figure(middle), range(&wall), figure(peak)]);
        middle
    };
    let help = line("`subops --help`", &repeated(turns, || help(bench))?);
    let one = line("`subops run`, one row, a journal made for it", &repeated(turns, || one_row(bench))?);
    report.table(&table);
    report.floor("`--help`", Bound::AtMost(10.0), help, " ms");
    report.floor("a run of one row", Bound::AtMost(60.0), one, " ms");
    Ok(())
}

/// Milliseconds and MiB of so many runs.
fn repeated(turns: usize, once: impl Fn() -> Result<(f64, f64)>) -> Result<Vec<(f64, f64)>> {
    (0..turns).map(|_| once()).collect()
}

fn help(bench: &Bench) -> Result<(f64, f64)> {
    let home = Home::new(&bench.home(), &bench.provider, 1, UNLIMITED)?;
    let ran = bench.tools.run(home.command(&bench.tools, &["--help"]), Syncs::Alone)?;
    ensure!(ran.cost.code == 0 && ran.stdout.contains("Usage:"), "no help: {}", ran.stderr);
    Ok((ran.cost.wall.as_secs_f64() * 1e3, ran.cost.peak_mib()))
}

fn one_row(bench: &Bench) -> Result<(f64, f64)> {
    let home = Home::new(&bench.home(), &bench.provider, 1, UNLIMITED)?;
    bench.provider.reset(Duration::ZERO);
    let cost = home.run(&bench.tools, &bench.provider, Syncs::Alone)?;
    Ok((cost.wall.as_secs_f64() * 1e3, cost.peak_mib()))
}
