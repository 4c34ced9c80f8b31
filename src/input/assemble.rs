//! Makes a checked row of one row's fields, or tells everything that is wrong with it.
//!
//! Pure. Planning and sending both come through here, so that what was planned is what is sent.

use std::borrow::Cow;

use super::card;
use super::check::{Given, Surroundings, Wrong, broken, check, expectation};
use super::fault::{Fault, shown};
use super::fields::Fields;
use super::mapping::{Layout, Mapping};
use super::target::{Target, account_currency};
use crate::contract::RowFault;
use crate::model::ids::RowNumber;
use crate::model::money::{Currency, Money, parse_amount};
use crate::model::operation::{Kind, Need, Parameter};
use crate::model::row::{Row, Values};

/// One row on its way to being checked.
pub(super) struct Assembly<'a> {
    pub(super) number: RowNumber,
    pub(super) target: &'a Target,
    pub(super) fields: Fields<'a>,
    pub(super) layout: &'a Layout,
    pub(super) mapping: &'a Mapping,
}

impl<'a> Assembly<'a> {
    /// The row, or all of its faults. `provider_check` is the provider's own check of a row that passed all others.
    pub(super) fn row(self, provider_check: impl Fn(&Row) -> Result<(), RowFault>) -> Result<Row, Vec<Fault>> {
        let mut faults = Vec::new();
        let currency = self.currency(&mut faults);
        let values = self.values(currency, &mut faults);
        let amount = self.amount(&values, currency, &mut faults);
        if faults.is_empty() {
            faults.extend(broken(self.target.operation, &values).into_iter().map(|rule| match rule.parameter {
                Some(position) => self.of_parameter(position, Wrong { expected: rule.expected, hint: None }),
                None => Fault::of_row(self.number, None, rule.expected),
            }));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let operation = self.target.operation;
        let account = &self.target.account.name;
        let subject = self.target.subject.as_ref().and_then(|(at, space)| Some(space.key(values.get(*at)?)));
        let row = Row { number: self.number, operation, account: account.clone(), values, subject, amount };
        match provider_check(&row) {
            Ok(()) => Ok(row),
            Err(fault) => Err(vec![self.of_provider(fault)]),
        }
    }

    /// What is given for a parameter: its cell where that is not empty, else its default.
    fn given(&self, position: usize) -> Option<Given<'a>> {
        let cell = self.layout.parameters.get(position).copied().flatten().map(|at| self.fields.cell(at));
        match cell.filter(|cell| !cell.text.is_empty()) {
            Some(cell) => Some(Given { text: cell.text, structured: cell.structured }),
            None => {
                let default = self.target.defaults.get(position)?.as_deref()?;
                Some(Given { text: default, structured: false })
            }
        }
    }

    fn values(&self, currency: Currency, faults: &mut Vec<Fault>) -> Values {
        let parameters = self.target.operation.parameters;
        let mut values = Values::new(parameters.len());
        for (position, parameter) in parameters.iter().enumerate() {
            let negative = self.target.negative.get(position).copied().unwrap_or(false);
            match self.given(position) {
                Some(given) => match check(parameter.kind, given, Surroundings { currency, negative }) {
                    Ok(value) => values.set(position, value),
                    Err(wrong) => faults.push(self.of_parameter(position, wrong)),
                },
                None if parameter.need == Need::Required => faults.push(self.missing(position, parameter)),
                None => {}
            }
        }
        values
    }

    /// The currency of the row's amounts: the one that is sent, else the column's, else the default, else the account's.
    fn currency(&self, faults: &mut Vec<Fault>) -> Currency {
        if let Some(given) = self.target.own_currency.and_then(|position| self.given(position)) {
            // A wrong one is reported with the parameter itself.
            return Currency::parse(given.text).unwrap_or(Currency::UNKNOWN);
        }
        let column = self.layout.currency.and_then(|at| self.reserved(at, Kind::Currency, Currency::UNKNOWN, faults));
        let named = column.as_deref().or_else(|| self.mapping.default_of("currency"));
        named.and_then(Currency::parse).unwrap_or_else(|| account_currency(&self.target.account))
    }

    /// The row's money: the operation's own amount, else the column `amount`.
    fn amount(&self, values: &Values, currency: Currency, faults: &mut Vec<Fault>) -> Option<Money> {
        let own = self.target.amount.and_then(|position| values.get(position)).map(Cow::Borrowed);
        let column = || self.reserved(self.layout.amount?, Kind::Amount { zero: true }, currency, faults);
        let text = own.or_else(column)?;
        parse_amount(&text).ok().map(|amount| Money { amount, currency })
    }

    /// The checked value of a column that is read whatever the operation. Where it gives a parameter too, it is that
    /// parameter's check that reports what is wrong.
    fn reserved(&self, at: usize, kind: Kind, currency: Currency, faults: &mut Vec<Fault>) -> Option<Cow<'a, str>> {
        let cell = self.fields.cell(at);
        if cell.text.is_empty() {
            return None;
        }
        let given = Given { text: cell.text, structured: cell.structured };
        match check(kind, given, Surroundings { currency, negative: false }) {
            Ok(value) => Some(value),
            Err(wrong) => {
                if self.layout.parameter_of(at).is_none() {
                    faults.push(self.of_field(at, None, wrong));
                }
                None
            }
        }
    }

    fn missing(&self, position: usize, parameter: &Parameter) -> Fault {
        let expected = format!("{} (it is required)", expectation(parameter.kind));
        let fault = Fault { name: Some(parameter.name.to_owned()), ..Fault::of_row(self.number, None, expected) };
        match self.layout.parameters.get(position).copied().flatten() {
            Some(at) => Fault { line: self.fields.line_of(at), column: Some(self.fields.cell(at).column), ..fault },
            None => fault,
        }
    }

    fn of_provider(&self, fault: RowFault) -> Fault {
        let wrong = Wrong { expected: fault.expected, hint: None };
        match self.target.operation.position(fault.parameter) {
            Some(position) => self.of_parameter(position, wrong),
            None => Fault::of_row(self.number, None, wrong.expected),
        }
    }

    fn of_parameter(&self, position: usize, wrong: Wrong) -> Fault {
        let parameter = self.target.operation.parameters.get(position);
        let at = self.layout.parameters.get(position).copied().flatten();
        match (at.filter(|at| !self.fields.cell(*at).text.is_empty()), parameter) {
            (Some(at), _) => self.of_field(at, parameter, wrong),
            (None, Some(parameter)) => {
                // Not from the row: its default is at fault, or its absence.
                let value = self.given(position).map(|given| display(given.text, Some(parameter)));
                let name = Some(parameter.name.to_owned());
                Fault { name, hint: wrong.hint, ..Fault::of_row(self.number, value, wrong.expected) }
            }
            (None, None) => Fault::of_row(self.number, None, wrong.expected),
        }
    }

    /// A fault of a field that gives `parameter`, or a reserved value.
    fn of_field(&self, at: usize, parameter: Option<&Parameter>, wrong: Wrong) -> Fault {
        let cell = self.fields.cell(at);
        Fault {
            row: self.number,
            line: self.fields.line_of(at),
            column: Some(cell.column),
            name: Some(parameter.map_or(cell.name, |parameter| parameter.name).to_owned()),
            value: Some(display(cell.text, parameter)),
            expected: wrong.expected,
            hint: wrong.hint,
        }
    }
}

/// A value as a fault shows it.
fn display(text: &str, parameter: Option<&Parameter>) -> String {
    if parameter.is_some_and(|parameter| parameter.kind.is_secret()) { card::mask(text) } else { shown(text) }
}
