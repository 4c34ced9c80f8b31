//! The program against each tool that sends a file of requests, taking turns, at a provider without delay.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::Bench;
use crate::cost::{Cost, Syncs};
use crate::machine;
use crate::report::{Bound, Report, Table, figure, median};
use crate::rivals::{RIVALS, Rival};
use crate::subject::{Home, UNLIMITED};

/// One turn of one contestant.
#[derive(Clone, Copy)]
pub(crate) struct Turn {
    pub(crate) cost: Cost,
    pub(crate) per_second: f64,
    /// CPU seconds for 1,000 rows.
    pub(crate) cpu: f64,
}

impl Turn {
    fn new(cost: Cost, rows: f64, wall: Duration) -> Self {
        Self { cost, per_second: rows / wall.as_secs_f64(), cpu: cost.cpu.as_secs_f64() * 1000.0 / rows }
    }
}

/// What is wanted of a ratio of rows in a second.
fn floor(name: &str) -> Option<f64> {
    Some(match name {
        "wrk" => 0.20,
        "curl --parallel" => 1.2,
        "Python aiohttp" => 5.0,
        "GNU parallel + curl" => 150.0,
        "newman" => 350.0,
        _ => return None,
    })
}

pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    report.say("Rows a second and CPU at 64 calls at once, a provider that answers at once; medians.");
    report.say(machine::rivals());
    let mut table = Table::new([
        "",
        "rows",
        "rows/s",
        "subops rows/s",
        "subops is × as fast",
        "CPU s / 1,000 rows",
        "subops CPU s",
        "at × its CPU",
        "peak MiB",
        "subops MiB",
    ]);
    for rival in &RIVALS {
        let turns = bench.pick(3, 5);
        let rows = bench.pick(rival.rows.0, rival.rows.1);
        if rival.version().is_none() {
            let none = || "–".to_owned();
            let words = "not installed".to_owned();
            table.row([rival.name.to_owned(), none(), words, none(), none(), none(), none(), none(), none(), none()]);
            continue;
        }
        let pairs = in_turns(bench, rival, rows, turns, Duration::ZERO)?;
        line(&mut table, rival, rows, &pairs);
        let faster = ratio(&pairs, |turn| turn.per_second);
        if let Some(wanted) = floor(rival.name) {
            report.floor(format!("rows/s against {}", rival.name), Bound::AtLeast(wanted), faster, " ×");
        }
        if rival.name == "curl --parallel" {
            let cpu = ratio(&pairs, |turn| turn.cpu);
            report.floor(format!("CPU against {}", rival.name), Bound::AtMost(0.9), cpu, " ×");
        }
    }
    report.table(&table);
    Ok(())
}

/// The middle one of the ratios of the turns, ours to theirs.
pub(crate) fn ratio(pairs: &[(Turn, Turn)], what: impl Fn(&Turn) -> f64) -> f64 {
    median(pairs.iter().map(|(ours, theirs)| what(ours) / what(theirs)))
}

fn line(table: &mut Table, rival: &Rival, rows: usize, pairs: &[(Turn, Turn)]) {
    let ours = |what: fn(&Turn) -> f64| median(pairs.iter().map(|(ours, _)| what(ours)));
    let theirs = |what: fn(&Turn) -> f64| median(pairs.iter().map(|(_, theirs)| what(theirs)));
    table.row([
        rival.name.to_owned(),
        figure(rows as f64),
        figure(theirs(|turn| turn.per_second)),
        figure(ours(|turn| turn.per_second)),
        figure(ratio(pairs, |turn| turn.per_second)),
        figure(theirs(|turn| turn.cpu)),
        figure(ours(|turn| turn.cpu)),
        figure(ratio(pairs, |turn| turn.cpu)),
        figure(theirs(|turn| turn.cost.peak_mib())),
        figure(ours(|turn| turn.cost.peak_mib())),
    ]);
}

/// So many turns of both on the same rows.
pub(crate) fn in_turns(
    bench: &Bench,
    rival: &Rival,
    rows: usize,
    turns: usize,
    delay: Duration,
) -> Result<Vec<(Turn, Turn)>> {
    (0..turns).map(|_| Ok((ours(bench, rows, delay, Syncs::Alone)?, theirs(bench, rival, rows, delay)?))).collect()
}

/// A whole run of the program in a fresh home.
pub(crate) fn ours(bench: &Bench, rows: usize, delay: Duration, syncs: Syncs) -> Result<Turn> {
    let home = Home::new(&bench.home(), &bench.provider, rows, UNLIMITED)?;
    bench.provider.reset(delay);
    let cost = home.run(&bench.tools, &bench.provider, syncs)?;
    Ok(Turn::new(cost, rows as f64, cost.wall))
}

/// A rival's run, which must have sent every row.
fn theirs(bench: &Bench, rival: &Rival, rows: usize, delay: Duration) -> Result<Turn> {
    let command = rival.command(&bench.tools, rows, &bench.provider.url())?;
    bench.provider.reset(delay);
    let ran = bench.tools.run(command, Syncs::Alone)?;
    let calls = bench.provider.calls();
    ensure!(ran.cost.code == 0, "{} ended with {}", rival.name, ran.cost.code);
    if rival.sends_rows {
        ensure!(calls == rows as u64, "{} made {calls} calls for {rows} rows", rival.name);
        return Ok(Turn::new(ran.cost, rows as f64, ran.cost.wall));
    }
    Ok(Turn::new(ran.cost, calls as f64, bench.provider.span()))
}
