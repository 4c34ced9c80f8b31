//! The program against each tool that sends a file of requests, taking turns, at a provider without delay.

use std::time::Duration;

use anyhow::Result;

use crate::Bench;
use crate::machine;
use crate::report::{Bound, Report, Table, figure, median};
use crate::rivals::{RIVALS, Rival};
use crate::turns::{Turn, against, ratio};

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
    report.say(
        "Rows a second and CPU at 64 calls at once, a provider that answers at once; medians. The slow ones send fewer rows, \
         and what a row takes is compared.",
    );
    report.say(machine::rivals());
    let mut table = Table::new([
        "",
        "rows",
        "rows/s",
        "subops rows",
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
            table.row([
                rival.name.to_owned(),
                none(),
                words,
                none(),
                none(),
                none(),
                none(),
                none(),
                none(),
                none(),
                none(),
            ]);
            continue;
        }
        // Not fewer than enough to have left the start behind: the floors are about rows, not about starting.
        let own = rows.max(bench.pick(20_000, 100_000));
        let pairs = against(bench, rival, (own, rows), turns, Duration::ZERO)?;
        line(&mut table, rival, rows, own, &pairs);
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

fn line(table: &mut Table, rival: &Rival, rows: usize, own: usize, pairs: &[(Turn, Turn)]) {
    let ours = |what: fn(&Turn) -> f64| median(pairs.iter().map(|(ours, _)| what(ours)));
    let theirs = |what: fn(&Turn) -> f64| median(pairs.iter().map(|(_, theirs)| what(theirs)));
    table.row([
        rival.name.to_owned(),
        figure(rows as f64),
        figure(theirs(|turn| turn.per_second)),
        figure(own as f64),
        figure(ours(|turn| turn.per_second)),
        figure(ratio(pairs, |turn| turn.per_second)),
        figure(theirs(|turn| turn.cpu)),
        figure(ours(|turn| turn.cpu)),
        figure(ratio(pairs, |turn| turn.cpu)),
        figure(theirs(|turn| turn.cost.peak_mib())),
        figure(ours(|turn| turn.cost.peak_mib())),
    ]);
}
