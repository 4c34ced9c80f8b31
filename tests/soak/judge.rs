//! The ledger against what the run says of itself: journal and result files, in count and in money.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::rows::{Row, money};
use crate::support::Home;

const FILES: [(&str, &[&str]); 4] = [
    ("succeeded.csv", &["applied", "already"]),
    ("failed.csv", &["refused", "failed"]),
    ("in_doubt.csv", &["in_doubt"]),
    ("not_sent.csv", &["not_sent", "held"]),
];

/// What was found.
pub(crate) struct Verdict {
    /// Rows by state.
    pub(crate) states: BTreeMap<String, u64>,
    /// Effects that add up and took place twice.
    pub(crate) doubles: u64,
    /// Effects of rows that are called not applied.
    pub(crate) losses: u64,
    /// Rows that are called applied, without an effect.
    pub(crate) phantoms: u64,
    /// Everything wrong, in words.
    pub(crate) wrong: Vec<String>,
}

/// The effects in the ledger, by operation and subject.
fn effects(ledger: &Path) -> HashMap<(String, String), Vec<Value>> {
    let mut effects: HashMap<_, Vec<Value>> = HashMap::new();
    for line in fs::read_to_string(ledger).expect("the ledger").lines() {
        let effect: Value = serde_json::from_str(line).expect("one effect a line");
        let text = |name: &str| effect[name].as_str().unwrap_or_default().to_owned();
        effects.entry((text("operation"), text("subject"))).or_default().push(effect);
    }
    effects
}

/// Compares. `status` is `status --json` after the last start.
pub(crate) fn judge(rows: &[Row], ledger: &Path, home: &Home, status: &Value) -> Verdict {
    let mut verdict = Verdict { states: BTreeMap::new(), doubles: 0, losses: 0, phantoms: 0, wrong: Vec::new() };
    let told = told(home, &mut verdict.wrong);
    let effects = effects(ledger);
    let mut sums: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (row, line) in rows.iter().zip(2_u64..) {
        let state = told.get(&line).map_or("nowhere", String::as_str);
        let of_subject = effects.get(&(row.effect.to_owned(), row.subject.clone())).map_or(&[][..], Vec::as_slice);
        let times = of_subject.iter().filter(|effect| row.caused(effect)).count();
        let mut say = |what: &str| {
            let words = format!("row {line} ({} {}) {what}; it is called {state}", row.operation, row.subject);
            verdict.wrong.push(words);
        };
        if times > 1 && row.adds_up {
            say(&format!("took effect {times} times"));
            verdict.doubles += 1;
        }
        match state {
            "applied" | "already" if times == 0 => {
                say("took no effect");
                verdict.phantoms += 1;
            }
            "applied" | "already" | "in_doubt" => {}
            _ if times > 0 => {
                say("took effect");
                verdict.losses += 1;
            }
            _ => {}
        }
        for name in [state, "total"] {
            let (count, cents) = sums.entry(name).or_default();
            *count += 1;
            *cents += row.cents;
        }
    }
    for state in ["total", "applied", "already", "refused", "failed", "in_doubt", "held", "not_sent"] {
        let (count, cents) = sums.get(state).copied().unwrap_or_default();
        let journal = (status["rows"][state].as_u64(), status["amounts"]["USD"][state].as_str().unwrap_or("0.00"));
        if journal != (Some(count), &money(cents)) {
            verdict.wrong.push(format!("{state}: files {count}, {}; journal {journal:?}", money(cents)));
        }
    }
    verdict.states = sums.into_iter().map(|(state, (count, _))| (state.to_owned(), count)).collect();
    verdict
}

/// The states of all rows by line, as the result files have them.
fn told(home: &Home, wrong: &mut Vec<String>) -> HashMap<u64, String> {
    let mut told = HashMap::new();
    for (file, states) in FILES {
        let mut reader = csv::Reader::from_path(home.results().join(file)).expect("a CSV file");
        let header = reader.headers().expect("a header").clone();
        let at = |name: &str| header.iter().position(|own| own == name).expect("a column of ours");
        let (row_at, status_at) = (at("subops_row"), at("subops_status"));
        for record in reader.records() {
            let record = record.expect("a row");
            let (line, state) = (record[row_at].parse().expect("a line"), record[status_at].to_owned());
            if !states.contains(&state.as_str()) {
                wrong.push(format!("row {line} is {state} in {file}"));
            }
            if told.insert(line, state).is_some() {
                wrong.push(format!("row {line} is in two places"));
            }
        }
    }
    told
}
