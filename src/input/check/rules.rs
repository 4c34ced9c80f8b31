//! Rules over several parameters of one row.

use rust_decimal::Decimal;

use super::text::is_later;
use crate::model::money::parse_amount;
use crate::model::operation::{OperationSpec, Rule};
use crate::model::row::Values;

/// What a broken rule expected, and the parameter to show with it where one is at fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::input) struct Broken {
    pub(in crate::input) parameter: Option<usize>,
    pub(in crate::input) expected: String,
}

/// The rules of the operation that checked values break.
pub(in crate::input) fn broken(operation: &OperationSpec, values: &Values) -> Vec<Broken> {
    operation.rules.iter().filter_map(|rule| check(operation, values, *rule)).collect()
}

fn check(operation: &OperationSpec, values: &Values, rule: Rule) -> Option<Broken> {
    let get = |name: &str| values.get(operation.position(name)?);
    let given = |names: &[&str]| names.iter().filter(|name| get(name).is_some()).count();
    let of_row = |expected: String| Some(Broken { parameter: None, expected });
    match rule {
        Rule::AnyOf(names) if given(names) == 0 => of_row(format!("at least one of {}", names.join(", "))),
        Rule::AtMostOne(names) if given(names) > 1 => of_row(format!("at most one of {}", names.join(", "))),
        Rule::Together(names) if !matches!(given(names), 0) && given(names) < names.len() => {
            of_row(format!("all of {}, or none of them", names.join(", ")))
        }
        Rule::Ordered(first, second) if is_later(get(first)?, get(second)?) => {
            Some(Broken { parameter: operation.position(first), expected: format!("a date not later than {second}") })
        }
        Rule::NegativeOnlyWith(amount, switch)
            if parse_amount(get(amount)?).is_ok_and(|value| value < Decimal::ZERO) && get(switch) != Some("true") =>
        {
            let expected = format!("an amount of 0 or more, unless {switch} is `true`");
            Some(Broken { parameter: operation.position(amount), expected })
        }
        _ => None,
    }
}
