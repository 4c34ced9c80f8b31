//! The long form: 100,000 rows in the weather, and a limit that moves for minutes. `tests/soak/long.sh` is the command.

use std::fmt::Write;
use std::time::Duration;

use crate::limits::phases;
use crate::support::PROGRAM;
use crate::weather::{FAULTS, soak};

/// Accounts of each provider. Whoever asks all workers of an account to wait, asks one in so many.
const ACCOUNTS: u32 = 32;

#[test]
fn long_form() {
    let Some(wanted) = std::env::var("SUBOPS_SOAK_ROWS").ok() else { return };
    let rows: u32 = wanted.parse().expect("SUBOPS_SOAK_ROWS is a number");
    let outcome = soak(rows, ACCOUNTS, "0.01", "5s");
    let limits = phases(3000, &[3000, 1000, 300, 2000, 500], Duration::ZERO, Duration::from_secs(20));
    let verdict = &outcome.verdict;
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    let mut text = format!("# Soak report, {today}\n\n");
    let build = if PROGRAM.contains("/release/") { "release" } else { "debug" };
    let seconds = outcome.took.as_secs();
    let part = |of: u64| format!("{}.{} %", of * 100 / outcome.calls, of * 1000 / outcome.calls % 10);
    let lines = [
        "| | |\n|---|---|".to_owned(),
        format!("| program | subops {} ({build} build) |", env!("CARGO_PKG_VERSION")),
        format!("| rows | {rows}, of {ACCOUNTS} accounts at each of three providers |"),
        format!("| weather | 1 % of each of {} faults at once; limits of 500 to 3,000 calls a second |", FAULTS.len()),
        format!("| took | {seconds} s, {} calls, {} calls/s |", outcome.calls, outcome.calls / seconds.max(1)),
        format!("| starts | {} (ended before the end: {:?}) |", outcome.starts, outcome.halts),
        format!("| repeats | {} ({}; the budget is a quarter) |", outcome.retries, part(outcome.retries)),
        format!("| turned away with 429 | {} ({}; 1 % of them at random) |", outcome.throttled, part(outcome.throttled)),
        format!("| rows by state | {:?} |", verdict.states),
        format!("| doubles (an effect that adds up, twice) | {} |", verdict.doubles),
        format!("| losses (an effect called not applied) | {} |", verdict.losses),
        format!("| phantoms (called applied, without an effect) | {} |", verdict.phantoms),
        format!("| everything wrong, sums in count and money included | {} |", verdict.wrong.len()),
        format!("| again | `SUBOPS_SOAK_ROWS={rows} tests/soak/long.sh` |\n"),
        "A row in doubt was sent and lost its reply, and no read can tell (notes, refunds), or its proof was lost too.\n"
            .to_owned(),
        "## A limit that moves\n\nConfigured: 3,000 calls a second; no faults; each limit for 20 s.\n".to_owned(),
        "| limit | taken of what it would take | turned away |\n|---|---|---|".to_owned(),
    ];
    text.push_str(&lines.join("\n"));
    for phase in &limits {
        let away = phase.throttled_in_thousand();
        write!(text, "\n| {}/s | {} % | {}.{} % |", phase.limit, phase.achieved(), away / 10, away % 10)
            .expect("text can be written");
    }
    text.push('\n');
    for wrong in &verdict.wrong {
        write!(text, "\n- {wrong}").expect("text can be written");
    }
    let name = format!("{}/tests/soak/report-{today}.md", env!("CARGO_MANIFEST_DIR"));
    std::fs::write(&name, text).expect("the report can be written");
    outcome.check();
    for phase in &limits {
        assert!(phase.achieved() >= 30 && phase.throttled_in_thousand() <= 100, "{limits:?}");
    }
}
