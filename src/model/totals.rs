//! Counts and money by state, and the sum that must come out (I9).

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::money::{Currency, Money};
use super::state::State;

/// Rows and money by state. Every row is in exactly one state, so the counts add up to the rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    counts: [u64; 9],
    amounts: BTreeMap<Currency, [Decimal; 9]>,
}

impl Totals {
    /// Adds one row.
    pub fn add(&mut self, state: State, amount: Option<Money>) {
        self.add_many(state, 1, amount);
    }

    /// Adds `rows` rows in `state`, whose money together is `amount`.
    pub fn add_many(&mut self, state: State, rows: u64, amount: Option<Money>) {
        self.counts[usize::from(state.number())] += rows;
        self.add_amount(state, amount);
    }

    /// Adds money to a state without a row: one state may hold several currencies.
    pub fn add_amount(&mut self, state: State, amount: Option<Money>) {
        if let Some(money) = amount {
            self.amounts.entry(money.currency).or_default()[usize::from(state.number())] += money.amount;
        }
    }

    /// Moves one row from one state to another.
    pub fn shift(&mut self, from: State, to: State, amount: Option<Money>) {
        self.counts[usize::from(from.number())] = self.counts[usize::from(from.number())].saturating_sub(1);
        self.counts[usize::from(to.number())] += 1;
        if let Some(money) = amount {
            let sums = self.amounts.entry(money.currency).or_default();
            sums[usize::from(from.number())] -= money.amount;
            sums[usize::from(to.number())] += money.amount;
        }
    }

    /// The rows in a state.
    pub fn count(&self, state: State) -> u64 {
        self.counts[usize::from(state.number())]
    }

    /// All rows.
    pub fn rows(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Rows whose state is final.
    pub fn done(&self) -> u64 {
        State::ALL.into_iter().filter(|state| state.is_final()).map(|state| self.count(state)).sum()
    }

    /// Rows refused or failed.
    pub fn failures(&self) -> u64 {
        self.count(State::Refused) + self.count(State::Failed)
    }

    /// The money in a state, by currency.
    pub fn amounts(&self) -> impl Iterator<Item = (Currency, &[Decimal; 9])> {
        self.amounts.iter().map(|(currency, sums)| (*currency, sums))
    }

    /// The money of one currency in a state.
    pub fn amount(&self, currency: Currency, state: State) -> Decimal {
        self.amounts.get(&currency).map_or(Decimal::ZERO, |sums| sums[usize::from(state.number())])
    }

    /// The money of one currency in all states together.
    pub fn amount_of_all(&self, currency: Currency) -> Decimal {
        self.amounts.get(&currency).map_or(Decimal::ZERO, |sums| sums.iter().sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::money::parse_amount;

    #[test]
    fn a_shift_keeps_rows_and_money() {
        let money = |text| {
            Some(Money {
                amount: parse_amount(text).expect("an amount"),
                currency: Currency::parse("USD").expect("USD"),
            })
        };
        let mut totals = Totals::default();
        totals.add(State::Planned, money("9.95"));
        totals.add(State::Planned, money("0.05"));
        totals.shift(State::Planned, State::Intended, money("9.95"));
        totals.shift(State::Intended, State::Applied, money("9.95"));
        let usd = Currency::parse("USD").expect("USD");
        assert_eq!((totals.rows(), totals.count(State::Applied), totals.count(State::Planned)), (2, 1, 1));
        assert_eq!(totals.amount(usd, State::Applied).to_string(), "9.95");
        assert_eq!(totals.amount_of_all(usd).to_string(), "10.00");
    }
}
