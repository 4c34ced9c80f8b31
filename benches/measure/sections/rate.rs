//! Whether a rate is kept: what is achieved of it, the worst second, and what keeping it costs.

use std::time::Duration;

use anyhow::Result;

use crate::Bench;
use crate::cost::Syncs;
use crate::report::{Bound, Report, Table, figure};
use crate::subject::Home;
use crate::worst;

pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    let seconds = bench.pick(4, 20);
    report.say(format!(
        "{seconds} s at each rate, at a provider that answers at once. The worst second is that with the most calls, \
         wherever it begins."
    ));
    let mut table =
        Table::new(["limit", "calls", "achieved / limit", "worst second", "worst / limit", "CPU s / 100,000 rows"]);
    for rate in [5, 50, 500, 5_000] {
        let rows = rate * seconds;
        let home = Home::new(&bench.home(), &bench.provider, rows, &format!("{rate}/s"))?;
        bench.provider.reset(Duration::ZERO);
        bench.provider.record();
        let cost = home.run(&bench.tools, &bench.provider, Syncs::Alone)?;
        let calls = bench.provider.recorded();
        let achieved = (rows - 1) as f64 / bench.provider.span().as_secs_f64() / rate as f64;
        let worst = worst::second(&calls);
        let cpu = cost.cpu.as_secs_f64() * 100_000.0 / rows as f64;
        table.row([
            format!("{}/s", figure(rate as f64)),
            figure(rows as f64),
            format!("{achieved:.4}"),
            worst.to_string(),
            format!("{:.4}", worst as f64 / rate as f64),
            figure(cpu),
        ]);
        let at = format!("at {}/s", figure(rate as f64));
        report.floor(format!("achieved of the limit {at}"), Bound::AtLeast(0.99), achieved, " ×");
        report.floor(format!("worst second {at}"), Bound::AtMost(1.02 * rate as f64 + 1.0), worst as f64, "");
        if rate == 500 {
            report.floor("CPU for 100,000 rows at 500/s", Bound::AtMost(10.0), cpu, " s");
        }
    }
    report.table(&table);
    Ok(())
}
