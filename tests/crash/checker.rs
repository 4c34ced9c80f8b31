//! The judge: the sandbox's ledger against our journal and our result files. It believes the ledger.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::rows::{Kind, Row, money};
use crate::tally::{Violation, Wrong, violation};

/// Everything that is known after a sequence.
pub(crate) struct Evidence<'a> {
    pub(crate) rows: &'a [Row],
    /// The effects on the rows' subjects, in the order in which they took place.
    pub(crate) ledger: &'a [Value],
    /// `status --json`.
    pub(crate) status: &'a Value,
    /// `doubt list --json`.
    pub(crate) doubts: &'a Value,
    /// The folder of result files.
    pub(crate) results: &'a Path,
    /// How the last start ended.
    pub(crate) code: Option<i32>,
}

const FILES: [(&str, &[&str]); 4] = [
    ("succeeded.csv", &["applied", "already"]),
    ("failed.csv", &["refused", "failed"]),
    ("in_doubt.csv", &["in_doubt"]),
    ("not_sent.csv", &["not_sent", "held"]),
];

fn read_csv(path: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).expect("a CSV file");
    reader.deserialize().map(|row| row.expect("a row")).collect()
}

/// The states of all rows by line, as the result files have them.
pub(crate) type Told = BTreeMap<u64, String>;

impl Evidence<'_> {
    /// What is wrong; and the states that the files tell.
    pub(crate) fn judge(&self) -> (Told, Vec<Violation>) {
        let mut wrong = Vec::new();
        let told = self.told(&mut wrong);
        self.rows_against_ledger(&told, &mut wrong);
        self.order(&mut wrong);
        self.sums(&told, &mut wrong);
        self.doubts(&told, &mut wrong);
        self.end(&told, &mut wrong);
        (told, wrong)
    }

    fn told(&self, wrong: &mut Vec<Violation>) -> Told {
        let mut told = Told::new();
        for (file, states) in FILES {
            let path = self.results.join(file);
            if !path.exists() {
                wrong.push(violation(Wrong::Sum, format!("{file} is missing")));
                continue;
            }
            for row in read_csv(&path) {
                let (line, state) = (row["subops_row"].parse().unwrap_or(0), row["subops_status"].clone());
                if !states.contains(&state.as_str()) {
                    wrong.push(violation(Wrong::Sum, format!("row {line} is {state} in {file}")));
                }
                if told.insert(line, state).is_some() {
                    wrong.push(violation(Wrong::Sum, format!("row {line} is in two places")));
                }
            }
        }
        if !told.keys().copied().eq(self.rows.iter().map(|row| row.line)) {
            wrong.push(violation(Wrong::Sum, format!("the result files have the rows {:?}", told.keys())));
        }
        told
    }

    fn rows_against_ledger(&self, told: &Told, wrong: &mut Vec<Violation>) {
        for row in self.rows {
            let Row { line, kind, subject, .. } = row;
            let state = told.get(line).map_or("nowhere", String::as_str);
            let times = self.ledger.iter().filter(|effect| row.caused(effect)).count();
            let say = |what: &str| format!("row {line} ({kind:?} {subject}) {what}; it is called {state}");
            if times > 1 && kind.adds_up() {
                wrong.push(violation(Wrong::Double, say(&format!("took effect {times} times"))));
            }
            // A row that is guarded or that sets a value may find its wish fulfilled by another.
            let fulfilled = times > 0 || (!kind.adds_up() && self.ledger.iter().any(|effect| row.is_like(effect)));
            match state {
                "applied" | "already" if !fulfilled => wrong.push(violation(Wrong::Phantom, say("took no effect"))),
                "applied" | "already" | "in_doubt" => {}
                _ if times > 0 => wrong.push(violation(Wrong::Loss, say("took effect"))),
                _ => {}
            }
        }
    }

    /// Rows of one subject take effect in the order of the file.
    fn order(&self, wrong: &mut Vec<Violation>) {
        let mut last: BTreeMap<&str, u64> = BTreeMap::new();
        for effect in self.ledger {
            let Some(row) = self.rows.iter().find(|row| row.kind != Kind::Reprice && row.caused(effect)) else {
                continue;
            };
            let before = last.insert(&row.subject, row.line).unwrap_or(0);
            if before > row.line {
                wrong.push(violation(Wrong::End, format!("row {} took effect before row {before}'s end", row.line)));
            }
        }
    }

    /// Rows in = the sum of the states, in count and in money, by the journal and by the files.
    fn sums(&self, told: &Told, wrong: &mut Vec<Violation>) {
        let mut counts: BTreeMap<&str, (u64, i64)> = BTreeMap::new();
        for row in self.rows {
            let state = told.get(&row.line).map_or("", String::as_str);
            for name in [state, "total"] {
                let (rows, cents) = counts.entry(name).or_default();
                *rows += 1;
                *cents += row.cents;
            }
        }
        for state in ["total", "applied", "already", "refused", "failed", "in_doubt", "held", "not_sent"] {
            let (rows, cents) = counts.get(state).copied().unwrap_or_default();
            let count = self.status["rows"][state].as_u64();
            let amount = self.status["amounts"]["USD"][state].as_str();
            // A state of which there is nothing may have no amount.
            if count != Some(rows) || amount.unwrap_or("0.00") != money(cents) {
                let words = format!("{state}: files {rows}, {}; journal {count:?}, {amount:?}", money(cents));
                wrong.push(violation(Wrong::Sum, words));
            }
        }
    }

    /// Nothing in doubt is silent: the list names exactly the rows that the files call in doubt.
    fn doubts(&self, told: &Told, wrong: &mut Vec<Violation>) {
        let list = self.doubts.as_array().or_else(|| self.doubts["doubts"].as_array()).cloned().unwrap_or_default();
        let listed: Vec<u64> = list.iter().filter_map(|doubt| doubt["row"].as_u64()).collect();
        let expected: Vec<u64> = told.iter().filter(|(_, state)| *state == "in_doubt").map(|(line, _)| *line).collect();
        if listed != expected {
            wrong.push(violation(Wrong::Sum, format!("doubts {listed:?} are listed, {expected:?} are in the files")));
        }
    }

    /// The exit code of a start that reached its end says what the files say.
    fn end(&self, told: &Told, wrong: &mut Vec<Violation>) {
        let any = |states: &[&str]| told.values().any(|state| states.contains(&state.as_str()));
        let expected = match () {
            () if any(&["in_doubt"]) => 4,
            () if any(&["refused", "failed"]) => 1,
            () => 0,
        };
        // A start that finds everything done says so with 0 (or 4, while a doubt waits).
        let nothing_left = self.code == Some(0) && expected == 1;
        if self.code != Some(expected) && !nothing_left {
            wrong.push(violation(Wrong::End, format!("exit code {:?}, and not {expected}", self.code)));
        }
        let open = any(&["not_sent"]);
        if open {
            wrong.push(violation(Wrong::End, "rows were left unsent by a start that nothing stopped".to_owned()));
        }
    }
}
