//! Contestants in turns: A B A B, so that what disturbs the machine disturbs both.
//!
//! Invariant: a turn counts only where every row arrived.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::Bench;
use crate::cost::{Cost, Syncs};
use crate::report::{figure, median};
use crate::rivals::Rival;
use crate::subject::{Home, PROGRAM, UNLIMITED};

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

/// The middle one of the ratios of the turns, ours to theirs.
pub(crate) fn ratio(pairs: &[(Turn, Turn)], what: impl Fn(&Turn) -> f64) -> f64 {
    median(pairs.iter().map(|(ours, theirs)| what(ours) / what(theirs)))
}

/// So many turns of both. What goes on is told on a terminal.
pub(crate) fn in_turns(
    what: &str,
    turns: usize,
    ours: impl Fn() -> Result<Turn>,
    theirs: impl Fn() -> Result<Turn>,
) -> Result<Vec<(Turn, Turn)>> {
    let mut pairs = Vec::new();
    for turn in 1..=turns {
        tell(&format!("{what}: turn {turn} of {turns}"));
        pairs.push((ours()?, theirs()?));
    }
    tell("");
    Ok(pairs)
}

/// So many turns against a rival, which may send fewer rows where it is slow: what a row costs is compared.
pub(crate) fn against(
    bench: &Bench,
    rival: &Rival,
    (own, its): (usize, usize),
    turns: usize,
    delay: Duration,
) -> Result<Vec<(Turn, Turn)>> {
    let what = format!("{}, {} rows at {} ms", rival.name, figure(its as f64), delay.as_millis());
    in_turns(&what, turns, || ours(bench, own, delay, Syncs::Alone), || theirs(bench, rival, its, delay))
}

/// One line that the next one replaces.
pub(crate) fn tell(line: &str) {
    let mut terminal = std::io::stderr();
    if terminal.is_terminal() {
        let _ = write!(terminal, "\r\x1b[K{line}");
    }
}

/// A whole run of the program in a fresh home.
pub(crate) fn ours(bench: &Bench, rows: usize, delay: Duration, syncs: Syncs) -> Result<Turn> {
    ours_as(bench, Path::new(PROGRAM), rows, delay, syncs)
}

/// The same with another build of the program.
pub(crate) fn ours_as(bench: &Bench, program: &Path, rows: usize, delay: Duration, syncs: Syncs) -> Result<Turn> {
    let home = Home::new(&bench.home(), &bench.provider, rows, UNLIMITED)?.of(program);
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
