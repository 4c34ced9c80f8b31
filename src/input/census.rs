//! Counts the rows of an input: how many, for what, for how much, and which subjects come twice.
//!
//! One walk; memory is eight bytes a row. A second walk follows only where a subject comes twice, to name such rows.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashSet};
use std::hash::BuildHasher;

use rust_decimal::Decimal;

use super::card;
use super::fault::{BadRows, FileFault, InputError};
use super::reading::Reading;
use crate::model::ids::{AccountName, RowNumber, SubjectKey};
use crate::model::money::{Currency, Money};
use crate::model::operation::OperationSpec;
use crate::model::plan::{FirstRow, Repeated};
use crate::model::row::Row;

/// How many rows are shown to recognise the file by.
const FIRST_ROWS: usize = 2;

/// How many rows with an earlier row's subject are named.
const EXAMPLES: usize = 5;

/// The rows of one operation in one account.
#[derive(Debug, Clone)]
pub struct GroupCount {
    /// What is done.
    pub operation: &'static OperationSpec,
    /// Where.
    pub account: AccountName,
    /// How many rows.
    pub rows: u64,
    /// The sum of the operation's quantity, with its unit, where it has one.
    pub quantity: Option<(i64, &'static str)>,
}

/// What the rows of an input come to.
#[derive(Debug, Clone, Default)]
pub struct Census {
    /// Rows that can be sent.
    pub rows: u64,
    /// The bad rows; there are some only where they are to be left out.
    pub skipped: BadRows,
    /// Rows by operation and account, in the order of their first appearance.
    pub groups: Vec<GroupCount>,
    /// Money by currency, in the order of the codes.
    pub amounts: Vec<(Currency, Decimal)>,
    /// Subjects that come in more than one row.
    pub repeated: Repeated,
    /// The first rows, with secrets masked.
    pub first: Vec<FirstRow>,
}

/// A census that is being taken.
pub(super) struct Counting {
    input: String,
    census: Census,
    amounts: BTreeMap<Currency, Decimal>,
    subjects: Vec<u64>,
    keys: RandomState,
}

impl Counting {
    /// Starts with nothing counted.
    pub(super) fn new(input: &str) -> Self {
        let skipped = BadRows { input: input.to_owned(), ..BadRows::default() };
        Self {
            input: input.to_owned(),
            census: Census { skipped, ..Census::default() },
            amounts: BTreeMap::new(),
            subjects: Vec::new(),
            keys: RandomState::new(),
        }
    }

    /// Counts every record that is left in the input.
    pub(super) fn walk(&mut self, reading: &mut Reading<'_>) -> Result<(), InputError> {
        while let Some(outcome) = reading.next()? {
            self.census.skipped.rows += 1;
            match outcome.row {
                Ok(row) => self.add(&row)?,
                Err(faults) => self.census.skipped.add(faults),
            }
        }
        Ok(())
    }

    /// The bad rows so far.
    pub(super) fn bad(&self) -> &BadRows {
        &self.census.skipped
    }

    /// Rows that can be sent, so far.
    pub(super) fn rows(&self) -> u64 {
        self.census.rows
    }

    /// Whether every row so far is of this operation.
    pub(super) fn is_all_of(&self, operation: Option<&OperationSpec>) -> bool {
        self.census.groups.iter().all(|group| operation.is_some_and(|given| std::ptr::eq(group.operation, given)))
    }

    fn add(&mut self, row: &Row) -> Result<(), FileFault> {
        self.census.rows += 1;
        let place = self.group_of(row);
        let group = &mut self.census.groups[place];
        group.rows += 1;
        let given = row.operation.quantity.and_then(|(name, _)| row.get(name));
        if let (Some((sum, _)), Some(value)) = (&mut group.quantity, given.and_then(|text| text.parse::<i64>().ok())) {
            *sum = sum.checked_add(value).ok_or_else(|| too_large(&self.input, row.number))?;
        }
        if let Some(money) = row.amount {
            self.add_money(money, row.number)?;
        }
        if let Some(subject) = &row.subject {
            self.subjects.push(self.hash(subject));
        }
        if self.census.first.len() < FIRST_ROWS {
            self.census.first.push(first_row(row));
        }
        Ok(())
    }

    fn group_of(&mut self, row: &Row) -> usize {
        let groups = &mut self.census.groups;
        let same = |group: &GroupCount| std::ptr::eq(group.operation, row.operation) && group.account == row.account;
        groups.iter().position(same).unwrap_or_else(|| {
            let quantity = row.operation.quantity.map(|(_, unit)| (0, unit));
            groups.push(GroupCount { operation: row.operation, account: row.account.clone(), rows: 0, quantity });
            groups.len() - 1
        })
    }

    /// Adds an amount; an error where the exact sum would need more digits than there are, since it would be rounded.
    fn add_money(&mut self, money: Money, row: RowNumber) -> Result<(), FileFault> {
        let sum = self.amounts.entry(money.currency).or_default();
        // Where the sum was rounded, taking back the smaller of the two does not give the other.
        let exact = sum.checked_add(money.amount).filter(|next| {
            next.checked_sub(money.amount) == Some(*sum) && next.checked_sub(*sum) == Some(money.amount)
        });
        *sum = exact.ok_or_else(|| too_large(&self.input, row))?;
        Ok(())
    }

    /// A number that two subjects share about once in a billion files.
    fn hash(&self, subject: &SubjectKey) -> u64 {
        self.keys.hash_one(subject.as_bytes())
    }

    /// Ends the census. `again` starts a second walk, to name rows whose subject came before.
    pub(super) fn finish<'r>(
        mut self,
        again: impl FnOnce() -> Result<Reading<'r>, FileFault>,
    ) -> Result<Census, InputError> {
        let mut subjects = std::mem::take(&mut self.subjects);
        let (different, repeated) = keep_repeated(&mut subjects);
        let examples = if subjects.is_empty() { Vec::new() } else { self.examples(&mut again()?, &subjects)? };
        self.census.repeated = Repeated { subjects: different, repeated, examples };
        self.census.amounts = std::mem::take(&mut self.amounts).into_iter().collect();
        Ok(self.census)
    }

    fn examples(&self, reading: &mut Reading<'_>, repeated: &[u64]) -> Result<Vec<RowNumber>, InputError> {
        let mut met = HashSet::new();
        let mut examples = Vec::new();
        while let Some(outcome) = reading.next()? {
            let subject = outcome.row.ok().and_then(|row| row.subject);
            let Some(hash) = subject.map(|subject| self.hash(&subject)) else { continue };
            if repeated.binary_search(&hash).is_ok() && !met.insert(hash) {
                examples.push(outcome.number);
                if examples.len() == EXAMPLES {
                    break;
                }
            }
        }
        Ok(examples)
    }
}

/// Sorts hashes and keeps one of each that comes more than once. Gives how many are different, and how many are kept.
fn keep_repeated(hashes: &mut Vec<u64>) -> (u64, u64) {
    hashes.sort_unstable();
    let (mut different, mut kept, mut at) = (0, 0, 0);
    while let Some(&hash) = hashes.get(at) {
        let same = hashes[at..].iter().take_while(|other| **other == hash).count();
        if same > 1 {
            hashes[kept] = hash;
            kept += 1;
        }
        different += 1;
        at += same;
    }
    hashes.truncate(kept);
    (different, kept as u64)
}

fn first_row(row: &Row) -> FirstRow {
    let value = |secret: bool, text: &str| if secret { card::mask(text) } else { text.to_owned() };
    let values = row.given().map(|(parameter, text)| (parameter.name, value(parameter.kind.is_secret(), text)));
    FirstRow { row: row.number, values: values.collect() }
}

fn too_large(input: &str, row: RowNumber) -> FileFault {
    FileFault::new(input, "the sum of the rows up to here has too many digits to be exact").line(row.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_hashes_are_kept_once() {
        let mut hashes = vec![5, 1, 5, 2, 1, 5, u64::MAX];
        assert_eq!(keep_repeated(&mut hashes), (4, 2));
        assert_eq!(hashes, [1, 5]);
        assert_eq!(keep_repeated(&mut Vec::new()), (0, 0));
    }
}
