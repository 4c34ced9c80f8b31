//! The run in numbers, for machines: `summary.json` and `--json`. The fields are a fixed format ([`Summary`]).

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::format::{exact_amount, rfc3339};
use super::meter::Figures;
use crate::contract::Millis;
use crate::model::event::Halt;
use crate::model::ids::RunId;
use crate::model::money::Currency;
use crate::model::state::State;
use crate::model::summary::{Amounts, RateFigures, RowCounts, Summary};
use crate::model::totals::Totals;

/// What a summary is made from, besides the totals.
#[derive(Debug, Clone)]
pub struct RunFacts<'a> {
    /// The run's number.
    pub run: RunId,
    /// The job's name.
    pub job: &'a str,
    /// `running`, `interrupted`, `halted` or `finished`.
    pub state: &'a str,
    /// The exit code that this outcome has.
    pub exit_code: u8,
    /// The plan's digest.
    pub digest: &'a str,
    /// What was measured.
    pub figures: Figures,
    /// The configured limit, as written.
    pub limit: String,
    /// When the run started.
    pub started: Millis,
    /// When it ended.
    pub finished: Option<Millis>,
    /// The folder of the result files.
    pub results: Option<String>,
    /// What halted it.
    pub halt: Option<&'a Halt>,
    /// The next command to type.
    pub next: Option<String>,
}

/// The summary of a run. Rows that are planned count as not sent, rows that are intended as in doubt, as in the result
/// files: the seven counts add up to the total.
pub fn summarise(totals: &Totals, facts: &RunFacts<'_>) -> Summary {
    Summary {
        run: facts.run.0,
        job: facts.job.to_owned(),
        state: facts.state.to_owned(),
        exit_code: facts.exit_code,
        digest: facts.digest.to_owned(),
        rows: row_counts(totals),
        amounts: totals
            .amounts()
            .map(|(currency, sums)| (currency.code().to_owned(), amounts(currency, sums)))
            .collect::<BTreeMap<_, _>>(),
        calls: facts.figures.calls,
        retries: facts.figures.retries,
        rate: RateFigures { limit: facts.limit.clone(), achieved: (facts.figures.rate * 100.0).round() / 100.0 },
        latency_ms: facts.figures.latency,
        started: rfc3339(facts.started),
        finished: facts.finished.map(rfc3339),
        results: facts.results.clone(),
        halted_by: facts.halt.map(|halt| halt.code().to_owned()),
        next: facts.next.clone(),
    }
}

fn row_counts(totals: &Totals) -> RowCounts {
    RowCounts {
        total: totals.rows(),
        applied: totals.count(State::Applied),
        already: totals.count(State::Already),
        refused: totals.count(State::Refused),
        failed: totals.count(State::Failed),
        in_doubt: totals.count(State::InDoubt) + totals.count(State::Intended),
        held: totals.count(State::Held),
        not_sent: totals.count(State::NotSent) + totals.count(State::Planned),
    }
}

fn amounts(currency: Currency, sums: &[Decimal; 9]) -> Amounts {
    let sum = |states: &[State]| {
        let sum: Decimal = states.iter().map(|state| sums[usize::from(state.number())]).sum();
        exact_amount(sum, currency)
    };
    Amounts {
        total: sum(&State::ALL),
        applied: sum(&[State::Applied]),
        already: sum(&[State::Already]),
        refused: sum(&[State::Refused]),
        failed: sum(&[State::Failed]),
        in_doubt: sum(&[State::InDoubt, State::Intended]),
        held: sum(&[State::Held]),
        not_sent: sum(&[State::NotSent, State::Planned]),
    }
}

/// The summary as JSON: one object on one line, and a line break.
pub fn to_json(summary: &Summary) -> String {
    super::format::json(summary)
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "what a test stands on must be there")]
mod tests {
    use super::*;
    use crate::model::money::{Money, parse_amount};
    use crate::model::summary::Latency;

    fn usd(text: &str) -> Option<Money> {
        let currency = Currency::parse("USD").expect("USD");
        Some(Money { amount: parse_amount(text).expect("an amount"), currency })
    }

    #[test]
    fn the_fixed_format() {
        let mut totals = Totals::default();
        totals.add_many(State::Applied, 90, usd("895.5"));
        totals.add_many(State::InDoubt, 1, usd("9.95"));
        totals.add_many(State::Intended, 1, usd("0.05"));
        totals.add_many(State::Planned, 3, usd("29.85"));
        totals.add(State::NotSent, None);
        let halt = Halt::InDoubt { doubts: 2, limit: 1 };
        let facts = RunFacts {
            run: RunId(7),
            job: "nightly",
            state: "halted",
            exit_code: 3,
            digest: "blake3:00",
            figures: Figures { calls: 104, retries: 4, rate: 9.9777, latency: Latency { p50: 41, p95: 80, p99: 130 } },
            limit: "10/s".to_owned(),
            started: 1_795_400_047_000,
            finished: None,
            results: Some("results/nightly".to_owned()),
            halt: Some(&halt),
            next: Some("subops doubt list 7".to_owned()),
        };
        let expected = concat!(
            r#"{"run":7,"job":"nightly","state":"halted","exit_code":3,"digest":"blake3:00","#,
            r#""rows":{"total":96,"applied":90,"already":0,"refused":0,"failed":0,"in_doubt":2,"held":0,"not_sent":4},"#,
            r#""amounts":{"USD":{"total":"935.35","applied":"895.50","already":"0.00","refused":"0.00","#,
            r#""failed":"0.00","in_doubt":"10.00","held":"0.00","not_sent":"29.85"}},"#,
            r#""calls":104,"retries":4,"rate":{"limit":"10/s","achieved":9.98},"#,
            r#""latency_ms":{"p50":41,"p95":80,"p99":130},"started":"2026-11-23T02:14:07Z","finished":null,"#,
            r#""results":"results/nightly","halted_by":"max_in_doubt","next":"subops doubt list 7"}"#,
            "\n"
        );
        assert_eq!(to_json(&summarise(&totals, &facts)), expected);
    }
}
