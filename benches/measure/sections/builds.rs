//! This build against another one of the same program, which `BENCH_AGAINST` names: what a change gained or cost.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};

use super::latency::DELAY;
use crate::Bench;
use crate::cost::Syncs;
use crate::report::{Report, Table, figure, median};
use crate::turns::{Turn, in_turns, ours, ours_as, ratio};

pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    let other = std::env::var_os("BENCH_AGAINST").context("BENCH_AGAINST names no other build of the program")?;
    let other = PathBuf::from(other);
    report.say("In turns with another build; medians, and ratios of this one to the other.");
    let mut table = Table::new(["provider", "rows", "rows/s", "×", "CPU s / 1,000 rows", "×", "peak MiB", "×"]);
    for (delay, few, many) in [(Duration::ZERO, 20_000, 100_000), (DELAY, 3_000, 10_000)] {
        let rows = bench.pick(few, many);
        let what = format!("{}, {} rows at {} ms", other.display(), figure(rows as f64), delay.as_millis());
        let this = || ours(bench, rows, delay, Syncs::Alone);
        let pairs = in_turns(&what, bench.pick(3, 9), this, || ours_as(bench, &other, rows, delay, Syncs::Alone))?;
        let ours = |what: fn(&Turn) -> f64| figure(median(pairs.iter().map(|(ours, _)| what(ours))));
        let times = |what: fn(&Turn) -> f64| figure(ratio(&pairs, what));
        table.row([
            format!("{} ms", delay.as_millis()),
            figure(rows as f64),
            ours(|turn| turn.per_second),
            times(|turn| turn.per_second),
            ours(|turn| turn.cpu),
            times(|turn| turn.cpu),
            ours(|turn| turn.cost.peak_mib()),
            times(|turn| turn.cost.peak_mib()),
        ]);
    }
    report.table(&table);
    Ok(())
}
