//! A plan: the validated input with its counts, totals and digest. Nothing of it has been sent.

use std::time::Duration;

use rust_decimal::Decimal;

use super::ids::{AccountName, RowNumber};
use super::money::Currency;
use super::operation::OperationSpec;
use super::settings::Rate;

/// What is known about a job after every row was checked.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The job's name.
    pub job: String,
    /// The input, as the person named it.
    pub input: String,
    /// `blake3:` and 64 hexadecimal digits, over the input's bytes and everything that gives them their meaning.
    pub digest: String,
    /// Rows that can be sent.
    pub rows: u64,
    /// Bad rows that are left out by request.
    pub skipped: u64,
    /// Rows by operation and account, in the order of their first appearance.
    pub groups: Vec<Group>,
    /// Money by currency, in the order of the codes.
    pub amounts: Vec<(Currency, Decimal)>,
    /// Subjects that appear in more than one row.
    pub repeated: Repeated,
    /// The first rows, for a person to recognise the file.
    pub first: Vec<FirstRow>,
}

/// The rows of one operation in one account.
#[derive(Debug, Clone)]
pub struct Group {
    /// What is done.
    pub operation: &'static OperationSpec,
    /// Where.
    pub account: AccountName,
    /// The URL that is called, without path.
    pub url: String,
    /// The account's rate.
    pub rate: Rate,
    /// How many rows.
    pub rows: u64,
    /// The sum of the operation's quantity (days added), where it has one.
    pub quantity: Option<(i64, &'static str)>,
    /// Reads that come on top of the rows, for baselines: an estimate where they may come from lists.
    pub extra_calls: u64,
    /// The most that there can be of them: one for each row where no list is of use.
    pub most_extra_calls: u64,
}

impl Group {
    /// How long its calls take at the account's rate.
    pub fn duration(&self) -> Duration {
        self.time_of(self.rows + self.extra_calls)
    }

    /// How long they take where no list is of use.
    pub fn longest(&self) -> Duration {
        self.time_of(self.rows + self.most_extra_calls)
    }

    fn time_of(&self, calls: u64) -> Duration {
        self.rate.interval().saturating_mul(u32::try_from(calls).unwrap_or(u32::MAX))
    }
}

/// Subjects that appear in more than one row.
#[derive(Debug, Clone, Default)]
pub struct Repeated {
    /// Different subjects in all.
    pub subjects: u64,
    /// How many of them appear more than once.
    pub repeated: u64,
    /// Some of the rows that act on an earlier row's subject, in order.
    pub examples: Vec<RowNumber>,
}

/// One of the first rows, as it will be sent.
#[derive(Debug, Clone)]
pub struct FirstRow {
    /// Which row.
    pub row: RowNumber,
    /// Parameter names and values; secrets are masked.
    pub values: Vec<(&'static str, String)>,
}
