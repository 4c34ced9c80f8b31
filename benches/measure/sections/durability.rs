//! What it costs that every intent is on disk before its call: against the same program whose syncs do nothing, and on a
//! disk whose syncs take 5 ms longer.
//!
//! The program has no switch for it, and must not have one: `benches/tools/syncs.c` is preloaded in its place.

use std::time::Duration;

use anyhow::Result;

use super::latency::DELAY;
use crate::Bench;
use crate::cost::Syncs;
use crate::report::{Bound, Report, Table, figure, median};
use crate::turns::{Turn, in_turns, ours, ratio};

/// A disk whose syncs take 5 ms longer.
pub(super) const SLOW: Syncs = Syncs::Slower(Duration::from_millis(5));

pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    report.say(
        "Each setting in turns with the same program whose `fsync` and `fdatasync` do nothing; medians. Another disk is \
         made by a library that is preloaded (`benches/tools/syncs.c`): it waits in the thread that syncs, as a slow disk \
         lets it wait, and slows nothing else down as tracing would.",
    );
    let mut table = Table::new([
        "provider",
        "syncs",
        "rows",
        "rows/s",
        "× without syncs",
        "CPU s / 1,000 rows",
        "syncs / 1,000 rows",
    ]);
    for (delay, few, many) in [(Duration::ZERO, 20_000, 100_000), (DELAY, 3_000, 10_000)] {
        let rows = bench.pick(few, many);
        let fast = pairs(bench, rows, delay, Syncs::Counted)?;
        line(&mut table, rows, delay, "as they are", &fast);
        let wanted = if delay.is_zero() { 0.90 } else { 0.97 };
        let what = format!("durable against not, a provider that takes {} ms", delay.as_millis());
        report.floor(what, Bound::AtLeast(wanted), ratio(&fast, |turn| turn.per_second), " ×");
        let rows = bench.pick(2_000, 10_000);
        line(&mut table, rows, delay, "5 ms longer", &pairs(bench, rows, delay, SLOW)?);
    }
    report.table(&table);
    Ok(())
}

/// In turns: with these syncs, and without any.
fn pairs(bench: &Bench, rows: usize, delay: Duration, syncs: Syncs) -> Result<Vec<(Turn, Turn)>> {
    let what = format!("syncs {syncs:?}, {} rows at {} ms", figure(rows as f64), delay.as_millis());
    let once = |syncs| move || ours(bench, rows, delay, syncs);
    in_turns(&what, bench.pick(3, 5), once(syncs), once(Syncs::Skipped))
}

fn line(table: &mut Table, rows: usize, delay: Duration, syncs: &str, pairs: &[(Turn, Turn)]) {
    let durable = |what: fn(&Turn) -> f64| median(pairs.iter().map(|(durable, _)| what(durable)));
    table.row([
        format!("{} ms", delay.as_millis()),
        syncs.to_owned(),
        figure(rows as f64),
        figure(durable(|turn| turn.per_second)),
        figure(ratio(pairs, |turn| turn.per_second)),
        figure(durable(|turn| turn.cpu)),
        figure(durable(|turn| turn.cost.syncs as f64) * 1000.0 / rows as f64),
    ]);
}
