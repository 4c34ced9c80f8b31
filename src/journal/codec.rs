//! Between the words of the domain and the columns of the tables.
//!
//! No SQL here. Invariant: what is read back equals what was written; a value that cannot have been written by this
//! program is a fault and never a guess.

use rusqlite::Row;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::fault::Fault;
use crate::contract::{Millis, Note, Observation, Recorded};
use crate::model::ids::{RowNumber, SubjectKey};
use crate::model::money::{Currency, Money, parse_own};
use crate::model::state::{Event, State};

/// What a person decided about a row in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The call took effect: the row is done.
    Applied,
    /// The call had no effect: the row may be sent again.
    NotApplied,
}

impl Decision {
    pub(super) fn event(self) -> Event {
        match self {
            Decision::Applied => Event::SettledApplied,
            Decision::NotApplied => Event::SettledNotApplied,
        }
    }
}

/// Something that was learnt about a row, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// When it was written down.
    pub at: Millis,
    /// What was learnt.
    pub fact: Fact,
}

/// What was learnt about a row. The names are a stored format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// A call that brought no answer.
    Failure {
        /// The class's word.
        code: String,
        /// What it said.
        message: String,
    },
    /// An answer that left a doubt.
    Answer {
        /// The documented word.
        code: String,
        /// What it said.
        message: String,
        /// The provider's reference.
        reference: Option<String>,
    },
    /// A read at the provider.
    Observation {
        /// What was read.
        observation: Observation,
        /// What it was taken to prove.
        finding: String,
    },
    /// A person's decision.
    Settlement {
        /// What was decided.
        decision: Decision,
        /// By whom.
        who: String,
        /// Why.
        reason: String,
    },
}

impl Fact {
    /// The part of a note that is evidence. An intent is none, and holding a row is none.
    pub(super) fn of(note: &Note) -> Option<Fact> {
        match note {
            Note::None | Note::Intent { .. } | Note::Held { .. } => None,
            Note::Answer(answer) => Some(Fact::Answer {
                code: answer.code.clone(),
                message: answer.message.clone(),
                reference: answer.reference.clone(),
            }),
            Note::Failure { code, message } => Some(Fact::Failure { code: code.clone(), message: message.clone() }),
            Note::Evidence { observation, finding } => {
                Some(Fact::Observation { observation: observation.clone(), finding: finding.clone() })
            }
        }
    }
}

/// What a change writes into its row. `None` leaves what is there.
#[derive(Debug, Default)]
pub(super) struct Columns<'a> {
    pub(super) code: Option<&'a str>,
    /// Only together with a code; `None` beside one means that both are the same text.
    pub(super) message: Option<&'a str>,
    pub(super) reference: Option<&'a str>,
    pub(super) data: Option<String>,
    pub(super) attempt: Option<u32>,
    pub(super) baseline: Option<String>,
    pub(super) subject: Option<&'a str>,
    pub(super) sent: Option<&'a str>,
}

impl<'a> Columns<'a> {
    pub(super) fn of(note: &'a Note) -> Result<Self, Fault> {
        let columns = match note {
            Note::None => Columns::default(),
            Note::Intent { attempt, baseline, subject, sent } => Columns {
                attempt: Some(*attempt),
                baseline: baseline.as_ref().map(to_json).transpose()?,
                subject: subject.as_ref().map(SubjectKey::as_str),
                sent: (!sent.is_empty()).then_some(sent.as_str()),
                ..Columns::default()
            },
            Note::Held { subject } => Columns { subject: Some(subject.as_str()), ..Columns::default() },
            Note::Answer(answer) => Columns {
                reference: answer.reference.as_deref(),
                data: if answer.data.is_empty() { None } else { Some(to_json(&answer.data)?) },
                ..Columns::said(&answer.code, &answer.message)
            },
            Note::Failure { code, message } => Columns::said(code, message),
            Note::Evidence { finding, .. } => Columns::said("verified", finding),
        };
        Ok(columns)
    }

    /// A word and what was said with it.
    pub(super) fn said(code: &'a str, message: &'a str) -> Self {
        Columns { code: Some(code), message: (code != message).then_some(message), ..Columns::default() }
    }
}

pub(super) fn to_json(value: &impl Serialize) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|error| Fault::Broken(format!("a value cannot be stored: {error}")))
}

pub(super) fn from_json<T: for<'a> Deserialize<'a>>(text: &str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|error| Fault::Broken(format!("a stored value cannot be read: {error}")))
}

/// A row's number as a key.
pub(super) fn key(row: RowNumber) -> Result<i64, Fault> {
    i64::try_from(row.0).map_err(|_| Fault::Broken(format!("row number {row} is too large")))
}

pub(super) fn row_number(key: i64) -> Result<RowNumber, Fault> {
    u64::try_from(key).map(RowNumber).map_err(|_| Fault::Broken(format!("{key} is no row number")))
}

/// A count as it is stored: never negative.
pub(super) fn count(stored: i64) -> Result<u64, Fault> {
    u64::try_from(stored).map_err(|_| Fault::Broken(format!("{stored} is no count")))
}

/// The state that stands in the tables for this one. A row that is not sent is a planned row of a run that stopped: the
/// tables keep one fact for both, and which word is right follows from the run.
pub(super) fn stored(state: State) -> State {
    if state == State::NotSent { State::Planned } else { state }
}

pub(super) fn state(number: i64) -> Result<State, Fault> {
    u8::try_from(number)
        .ok()
        .and_then(State::from_number)
        .ok_or_else(|| Fault::Broken(format!("{number} is no state of a row")))
}

/// Money from its two columns.
pub(super) fn money(amount: Option<&str>, currency: Option<&str>) -> Result<Option<Money>, Fault> {
    match (amount, currency) {
        (None, None) => Ok(None),
        (Some(amount), Some(currency)) => {
            Ok(Some(Money { amount: decimal(amount)?, currency: self::currency(currency)? }))
        }
        _ => Err(Fault::Broken("an amount and its currency are not stored together".to_owned())),
    }
}

pub(super) fn decimal(text: &str) -> Result<Decimal, Fault> {
    parse_own(text).ok_or_else(|| Fault::Broken(format!("`{text}` is no amount")))
}

pub(super) fn currency(code: &str) -> Result<Currency, Fault> {
    Currency::parse(code).ok_or_else(|| Fault::Broken(format!("`{code}` is no currency")))
}

/// Money from two columns of a row that a query gave, the amount's at `at`.
pub(super) fn money_at(row: &Row<'_>, at: usize) -> Result<Option<Money>, Fault> {
    let text = |at| -> Result<Option<&str>, Fault> {
        row.get_ref(at)?.as_str_or_null().map_err(|error| Fault::Broken(error.to_string()))
    };
    money(text(at)?, text(at + 1)?)
}

/// The columns of [`recorded`], for a query of either table.
pub(super) const OPEN_COLUMNS: &str =
    "row, state, attempts, intended_at, code, message, baseline, subject, sent, NULL AS reference, NULL AS data";
/// As [`OPEN_COLUMNS`], of final rows.
pub(super) const DONE_COLUMNS: &str = "row, state, attempts, NULL AS intended_at, code, message, NULL AS baseline, \
                                       NULL AS subject, NULL AS sent, reference, data";

/// A record from the first eleven columns of a query.
pub(super) fn recorded(row: &Row<'_>) -> Result<Recorded, Fault> {
    let code: Option<String> = row.get(4)?;
    let message: Option<String> = row.get(5)?;
    let baseline: Option<String> = row.get(6)?;
    let subject: Option<String> = row.get(7)?;
    let data: Option<String> = row.get(10)?;
    Ok(Recorded {
        row: row_number(row.get(0)?)?,
        state: state(row.get(1)?)?,
        attempts: row.get(2)?,
        intended_at: row.get(3)?,
        baseline: baseline.as_deref().map(from_json).transpose()?,
        subject: subject.as_deref().map(SubjectKey::from_stored),
        sent: row.get(8)?,
        message: message.or_else(|| code.clone()),
        code,
        reference: row.get(9)?,
        data: data.as_deref().map(from_json).transpose()?.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test that cannot go on says why")]

    use super::*;

    #[test]
    fn facts_are_read_back_as_they_were_written() {
        let facts = [
            Fact::Failure { code: "no_reply".to_owned(), message: "reset".to_owned() },
            Fact::Answer { code: "odd".to_owned(), message: "odd".to_owned(), reference: Some("T1".to_owned()) },
            Fact::Observation {
                observation: Observation { facts: vec![("status".to_owned(), "active".to_owned())] },
                finding: "not applied".to_owned(),
            },
            Fact::Settlement {
                decision: Decision::NotApplied,
                who: "ann".to_owned(),
                reason: "seen in the portal".to_owned(),
            },
        ];
        for fact in facts {
            let text = to_json(&fact).expect("is written");
            assert_eq!(from_json::<Fact>(&text).expect("is read"), fact);
        }
    }

    #[test]
    fn nothing_odd_is_taken_for_money_or_a_state() {
        assert!(money(Some("1.00"), None).is_err() && money(Some("x"), Some("USD")).is_err());
        assert!(money(Some("1.00"), Some("US")).is_err() && state(9).is_err() && state(-1).is_err());
        let kept = money(Some("19.90"), Some("USD")).expect("money").expect("money");
        assert_eq!(kept.to_string(), "USD 19.90");
    }
}
