//! A provider as far away as a real one: then the calls that may be under way at once are the limit, and nothing else is.

use std::time::Duration;

use anyhow::Result;

use super::durability;
use crate::Bench;
use crate::cost::Syncs;
use crate::report::{Bound, Report, Table, figure, median};
use crate::rivals::CURL;
use crate::subject::CONCURRENCY;
use crate::turns::{Turn, against, ours, ratio};

pub(super) const DELAY: Duration = Duration::from_millis(20);

/// What there is at most, with two milliseconds for both sides' work on a reply that takes 20.
fn most() -> f64 {
    CONCURRENCY as f64 / (DELAY + Duration::from_millis(2)).as_secs_f64()
}

pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    let mut table = Table::new(["rows", "rows/s", "× curl", "CPU s / 1,000 rows", "× curl's CPU", "peak MiB"]);
    let mut slowest = f64::INFINITY;
    for rows in bench.pick(&[3_000][..], &[10_000, 100_000][..]) {
        let pairs = against(bench, &CURL, (*rows, *rows), bench.pick(3, 5), DELAY)?;
        let ours = |what: fn(&Turn) -> f64| median(pairs.iter().map(|(ours, _)| what(ours)));
        let per_second = ours(|turn| turn.per_second);
        slowest = slowest.min(per_second);
        table.row([
            figure(*rows as f64),
            figure(per_second),
            figure(ratio(&pairs, |turn| turn.per_second)),
            figure(ours(|turn| turn.cpu)),
            figure(ratio(&pairs, |turn| turn.cpu)),
            figure(ours(|turn| turn.cost.peak_mib())),
        ]);
    }
    report.say(format!("{CONCURRENCY} calls at once; 64 / 22 ms would be {} rows/s.", figure(most())));
    report.table(&table);
    report.floor("rows/s of 64 / 22 ms", Bound::AtLeast(0.95), slowest / most(), " ×");
    Ok(())
}

/// The settings that take half an hour, once each and without a rival.
pub(crate) fn long(bench: &Bench, report: &mut Report) -> Result<()> {
    let rows = bench.pick(5_000, 1_000_000);
    report.say("One run each.");
    let mut table = Table::new(["provider", "syncs", "rows", "rows/s", "CPU s / 1,000 rows", "peak MiB"]);
    let mut line = |provider: &str, syncs: &str, turn: Turn| {
        table.row([
            provider.to_owned(),
            syncs.to_owned(),
            figure(rows as f64),
            figure(turn.per_second),
            figure(turn.cpu),
            figure(turn.cost.peak_mib()),
        ]);
    };
    line("20 ms", "as they are", ours(bench, rows, DELAY, Syncs::Alone)?);
    line("0 ms", "5 ms longer", ours(bench, rows, Duration::ZERO, durability::SLOW)?);
    line("20 ms", "5 ms longer", ours(bench, rows, DELAY, durability::SLOW)?);
    report.table(&table);
    Ok(())
}
