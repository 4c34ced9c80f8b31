//! Whether a row costs the same in a small run and in a large one: time, CPU, memory, journal.

use std::time::Duration;

use anyhow::Result;

use crate::Bench;
use crate::report::{Bound, Report, Table, figure, median};
use crate::rivals::CURL;
use crate::subject::Home;
use crate::turns::{Turn, against, ratio};

pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    let sizes = bench.pick([1_000, 10_000, 50_000], [10_000, 100_000, 1_000_000]);
    let turns = bench.pick(3, 5);
    report.say(
        "Whole runs at 64 calls at once and a provider that answers at once, in turns with curl --parallel; medians.",
    );
    let mut table = Table::new([
        "rows",
        "rows/s",
        "× curl",
        "CPU s / 1,000 rows",
        "× curl's CPU",
        "peak MiB",
        "curl's MiB",
        "journal bytes a row",
    ]);
    let mut found = Vec::new();
    for rows in sizes {
        let pairs = against(bench, &CURL, (rows, rows), turns, Duration::ZERO)?;
        let journal = Home::at(&bench.home(), rows).journal_bytes()? as f64 / rows as f64;
        let ours = |what: fn(&Turn) -> f64| median(pairs.iter().map(|(ours, _)| what(ours)));
        let (cpu, peak) = (ours(|turn| turn.cpu), ours(|turn| turn.cost.peak_mib()));
        table.row([
            figure(rows as f64),
            figure(ours(|turn| turn.per_second)),
            figure(ratio(&pairs, |turn| turn.per_second)),
            figure(cpu),
            figure(ratio(&pairs, |turn| turn.cpu)),
            figure(peak),
            figure(median(pairs.iter().map(|(_, curl)| curl.cost.peak_mib()))),
            figure(journal),
        ]);
        found.push((rows, cpu, peak, journal));
    }
    report.table(&table);
    if let (Some((few, cpu, peak, _)), Some((many, more_cpu, more_peak, journal))) = (found.first(), found.last()) {
        let between = format!("at {} rows against {}", figure(*many as f64), figure(*few as f64));
        report.floor(format!("CPU for a row {between}"), Bound::AtMost(1.10), more_cpu / cpu, " ×");
        report.floor(format!("peak memory {between}"), Bound::AtMost(1.3), more_peak / peak, " ×");
        report.floor(format!("peak memory at {} rows", figure(*many as f64)), Bound::AtMost(24.0), *more_peak, " MiB");
        report.floor("journal for a plain row", Bound::AtMost(100.0), *journal, " bytes");
    }
    Ok(())
}
