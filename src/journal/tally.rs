//! Counts and sums by state, kept beside the rows so that a run of any size tells its status at once.
//!
//! Only rows with a record are counted; those without one are the run's total less these. Invariant: the tally is
//! written in the transaction of the rows it counts, and equals a recount of the tables (`Store::verify_tally`).

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};
use rust_decimal::Decimal;

use super::codec;
use super::fault::Fault;
use crate::model::ids::RunId;
use crate::model::money::{Currency, Money};
use crate::model::state::State;
use crate::model::totals::Totals;

/// What one transaction changes in the tallies.
#[derive(Debug, Default)]
pub(super) struct Deltas {
    counts: BTreeMap<(RunId, State), i64>,
    sums: BTreeMap<(RunId, State, Currency), Decimal>,
}

impl Deltas {
    /// A row arrived in a state.
    pub(super) fn enter(&mut self, run: RunId, state: State, amount: Option<Money>) -> Result<(), Fault> {
        *self.counts.entry((run, state)).or_default() += 1;
        match amount {
            Some(money) => self.add(run, state, money.currency, money.amount),
            None => Ok(()),
        }
    }

    /// A row left a state.
    pub(super) fn leave(&mut self, run: RunId, state: State, amount: Option<Money>) -> Result<(), Fault> {
        *self.counts.entry((run, state)).or_default() -= 1;
        match amount {
            Some(money) => self.add(run, state, money.currency, -money.amount),
            None => Ok(()),
        }
    }

    fn add(&mut self, run: RunId, state: State, currency: Currency, amount: Decimal) -> Result<(), Fault> {
        let sum = self.sums.entry((run, state, currency)).or_default();
        *sum = exact_sum(*sum, amount)?;
        Ok(())
    }

    /// Writes the changes. The last thing in a transaction.
    pub(super) fn write(&self, connection: &Connection) -> Result<(), Fault> {
        for ((run, state), change) in self.counts.iter().filter(|(_, change)| **change != 0) {
            add_count(connection, *run, *state, *change)?;
        }
        for ((run, state, currency), change) in self.sums.iter().filter(|(_, change)| !change.is_zero()) {
            add_sum(connection, *run, *state, *currency, *change)?;
        }
        Ok(())
    }
}

/// Not an upsert: its inserted row would have to pass `count >= 0` by itself, and a change may be negative.
fn add_count(connection: &Connection, run: RunId, state: State, change: i64) -> Result<(), Fault> {
    let changed = connection
        .prepare_cached("UPDATE tally SET count = count + ?3 WHERE run = ?1 AND state = ?2")?
        .execute(params![run.0, state.number(), change])?;
    if changed == 0 {
        connection.prepare_cached("INSERT INTO tally (run, state, count) VALUES (?1, ?2, ?3)")?.execute(params![
            run.0,
            state.number(),
            change
        ])?;
    }
    Ok(())
}

/// Sums are text, added here: SQLite has no exact decimals.
fn add_sum(
    connection: &Connection,
    run: RunId,
    state: State,
    currency: Currency,
    change: Decimal,
) -> Result<(), Fault> {
    let known: Option<String> = connection
        .prepare_cached("SELECT sum FROM tally_amount WHERE run = ?1 AND state = ?2 AND currency = ?3")?
        .query_row(params![run.0, state.number(), currency.code()], |row| row.get(0))
        .optional()?;
    let known = known.as_deref().map(codec::decimal).transpose()?.unwrap_or_default();
    connection
        .prepare_cached(
            "INSERT INTO tally_amount (run, state, currency, sum) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (run, state, currency) DO UPDATE SET sum = excluded.sum",
        )?
        .execute(params![run.0, state.number(), currency.code(), exact_sum(known, change)?.to_string()])?;
    Ok(())
}

/// Adds without rounding, or not at all: where 28 digits do not do, the library would drop the last ones unasked.
pub(super) fn exact_sum(one: Decimal, other: Decimal) -> Result<Decimal, Fault> {
    one.checked_add(other)
        .filter(|sum| sum.checked_sub(one) == Some(other) && sum.checked_sub(other) == Some(one))
        .ok_or_else(|| Fault::Broken(format!("the sum of {one} and {other} has too many digits to be exact")))
}

/// The tally of a run.
pub(super) fn read(connection: &Connection, run: RunId) -> Result<Totals, Fault> {
    let mut totals = Totals::default();
    let mut counts = connection.prepare_cached("SELECT state, count FROM tally WHERE run = ?1")?;
    let mut rows = counts.query([run.0])?;
    while let Some(row) = rows.next()? {
        totals.add_many(codec::state(row.get(0)?)?, codec::count(row.get(1)?)?, None);
    }
    let mut sums = connection.prepare_cached("SELECT state, sum, currency FROM tally_amount WHERE run = ?1")?;
    let mut rows = sums.query([run.0])?;
    while let Some(row) = rows.next()? {
        totals.add_amount(codec::state(row.get(0)?)?, codec::money_at(row, 1)?);
    }
    Ok(totals)
}

/// The same, counted from the rows themselves.
pub(super) fn recount(connection: &Connection, run: RunId) -> Result<Totals, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT state, amount, currency, count(*) FROM open_row WHERE run = ?1 GROUP BY 1, 2, 3
         UNION ALL
         SELECT state, amount, currency, count(*) FROM done_row WHERE run = ?1 GROUP BY 1, 2, 3",
    )?;
    let mut sums: BTreeMap<(State, Currency), Decimal> = BTreeMap::new();
    let mut totals = Totals::default();
    let mut rows = statement.query([run.0])?;
    while let Some(row) = rows.next()? {
        let state = codec::state(row.get(0)?)?;
        let count = codec::count(row.get(3)?)?;
        totals.add_many(state, count, None);
        if let Some(money) = codec::money_at(row, 1)? {
            let together = money
                .amount
                .checked_mul(Decimal::from(count))
                .filter(|product| product.checked_div(Decimal::from(count)) == Some(money.amount))
                .ok_or_else(|| Fault::Broken(format!("{count} times {money} has too many digits to be exact")))?;
            let sum = sums.entry((state, money.currency)).or_default();
            *sum = exact_sum(*sum, together)?;
        }
    }
    for ((state, currency), amount) in sums {
        totals.add_amount(state, Some(Money { amount, currency }));
    }
    Ok(totals)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test that cannot go on says why")]

    use super::*;

    #[test]
    fn sums_are_exact_or_refused() {
        let sum = |one: &str, other: &str| {
            let parse = |text| codec::decimal(text).expect("an amount");
            exact_sum(parse(one), parse(other)).map(|sum| sum.to_string()).ok()
        };
        assert_eq!(sum("19.90", "0.1"), Some("20.00".to_owned()));
        assert_eq!(sum("19.90", "-19.90"), Some("0.00".to_owned()));
        assert_eq!(sum("0.000", "-1.10").map(|sum| sum.trim_end_matches('0').to_owned()), Some("-1.1".to_owned()));
        assert_eq!(sum("79228162514264337593543950335", "1"), None);
        assert_eq!(sum("0.000", "-1.10").map(|sum| sum.trim_end_matches('0').to_owned()), Some("-1.1".to_owned()));
        assert_eq!(sum("7922816251426433759354395033", "0.01"), None, "would be rounded");
    }
}
