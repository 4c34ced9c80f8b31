//! What is counted while the results are written: the sum that must come out, and what the text at the end tells.

use std::collections::BTreeMap;

use super::ResultRow;
use crate::contract::Recorded;
use crate::model::ids::RowNumber;
use crate::model::state::State;
use crate::model::totals::Totals;

/// How many rows in doubt are told by name at the end.
const DOUBTS: usize = 3;
/// How many different reasons are counted apart; the rest is counted together.
const REASONS: usize = 64;

/// Rows, money and quantities by state, reasons, and the first rows in doubt.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Rows and money by the state in which they are reported.
    pub totals: Totals,
    /// Sums by state and unit: days added.
    pub quantities: BTreeMap<(State, &'static str), i64>,
    /// Why rows were refused or failed.
    pub reasons: BTreeMap<(State, String), Reason>,
    /// The first rows in doubt.
    pub doubts: Vec<DoubtBrief>,
}

/// One reason, and how often it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// How many rows.
    pub rows: u64,
    /// What was said, where it was the same in all of them.
    pub message: Option<String>,
}

/// A row in doubt, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoubtBrief {
    /// Which row.
    pub row: RowNumber,
    /// What it acts on.
    pub subject: Option<String>,
    /// Why it is in doubt.
    pub message: String,
}

/// The state in which a row is reported: one of the seven that must add up. A row that is planned was not sent; one that
/// is intended may have been, and nobody knows from here.
pub(super) fn reported(recorded: Option<&Recorded>) -> State {
    match recorded.map(|recorded| recorded.state) {
        None | Some(State::Planned) => State::NotSent,
        Some(State::Intended) => State::InDoubt,
        Some(state) => state,
    }
}

impl Tally {
    /// Counts one row.
    pub(super) fn take(&mut self, row: &ResultRow<'_>) {
        let state = reported(row.recorded);
        self.totals.add(state, row.amount);
        if let Some((quantity, unit)) = row.quantity {
            let sum = self.quantities.entry((state, unit)).or_default();
            *sum = sum.saturating_add(quantity);
        }
        match state {
            State::Refused | State::Failed => self.take_reason(state, row.recorded),
            State::InDoubt if self.doubts.len() < DOUBTS => self.doubts.push(DoubtBrief {
                row: row.number,
                subject: row.subject.map(str::to_owned),
                message: row.recorded.and_then(|recorded| recorded.message.clone()).unwrap_or_default(),
            }),
            _ => {}
        }
    }

    fn take_reason(&mut self, state: State, recorded: Option<&Recorded>) {
        let code = recorded.and_then(|recorded| recorded.code.clone()).unwrap_or_default();
        let message = recorded.and_then(|recorded| recorded.message.clone());
        let full = self.reasons.len() >= REASONS;
        let key = (state, code);
        let key = if full && !self.reasons.contains_key(&key) { (state, "other".to_owned()) } else { key };
        let reason = self.reasons.entry(key).or_insert(Reason { rows: 0, message: message.clone() });
        reason.rows += 1;
        if reason.message != message {
            reason.message = None;
        }
    }
}
