//! Which column gives which parameter.
//!
//! A column gives the parameter that the job's mapping names for it, else the one of its own name; case is ignored. Two
//! columns for one parameter are an error, never a matter of order.

use crate::model::near::near_list;
use crate::model::operation::{Kind, OperationSpec};

/// Columns that are read for what they say about the row, whatever its operation.
pub(super) const RESERVED: [&str; 4] = ["operation", "account", "currency", "amount"];

/// Columns of results begin so; they are ignored, so that a result file can be an input.
const OURS: &str = "subops_";

/// A message and a hint.
pub(super) type Objection = (String, Option<String>);

/// What the job says about columns and defaults.
#[derive(Debug, Clone, Default)]
pub(super) struct Mapping {
    columns: Vec<(String, String)>,
    defaults: Vec<(String, String)>,
}

impl Mapping {
    /// Takes the job's words. The error is a message and a hint.
    pub(super) fn new(
        columns: &[(String, String)],
        defaults: &[(String, String)],
        operations: &[&'static OperationSpec],
    ) -> Result<Self, Objection> {
        for (at, (column, _)) in columns.iter().enumerate() {
            if columns[..at].iter().any(|(other, _)| other.eq_ignore_ascii_case(column)) {
                return Err((format!("`[columns]` names `{column}` twice"), None));
            }
        }
        for (parameter, _) in defaults {
            let secret = |operation: &&OperationSpec| kind(operation, parameter).is_some_and(Kind::is_secret);
            if operations.iter().any(secret) {
                return Err((
                    format!("`[defaults]` gives `{parameter}`: card data does not belong in a job file"),
                    None,
                ));
            }
        }
        let mapping = Self { columns: columns.to_vec(), defaults: defaults.to_vec() };
        mapping.check(operations)?;
        Ok(mapping)
    }

    /// Confirms that every parameter named here belongs to one of `operations`.
    pub(super) fn check(&self, operations: &[&'static OperationSpec]) -> Result<(), Objection> {
        for (column, parameter) in &self.columns {
            known(parameter, &RESERVED, operations).map_err(|hint| {
                (format!("`[columns]` gives `{column}` to `{parameter}`, which is no parameter"), hint)
            })?;
        }
        for (parameter, _) in &self.defaults {
            known(parameter, &["currency"], operations)
                .map_err(|hint| (format!("`[defaults]` names `{parameter}`, which is no parameter"), hint))?;
        }
        Ok(())
    }

    /// What a column gives: a parameter or reserved name. None for columns that are ignored.
    pub(super) fn target<'a>(&'a self, column: &'a str) -> Option<&'a str> {
        if is_ours(column) {
            return None;
        }
        let mapped = self.columns.iter().find(|(from, _)| from.eq_ignore_ascii_case(column));
        Some(mapped.map_or(column, |(_, to)| to))
    }

    /// The position in the mapping of the entry for this column.
    pub(super) fn entry(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|(from, _)| from.eq_ignore_ascii_case(column))
    }

    /// The columns that the mapping names.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(from, _)| from.as_str())
    }

    /// The default of a parameter or of `currency`.
    pub(super) fn default_of(&self, name: &str) -> Option<&str> {
        let found = self.defaults.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }
}

/// Whether a column is one of our results' own.
pub(super) fn is_ours(column: &str) -> bool {
    column.get(..OURS.len()).is_some_and(|start| start.eq_ignore_ascii_case(OURS))
}

fn kind(operation: &OperationSpec, name: &str) -> Option<Kind> {
    Some(operation.parameters.get(operation.position(name)?)?.kind)
}

/// Whether a name is reserved or a parameter of one of the operations. The error is the hint.
fn known(name: &str, reserved: &[&str], operations: &[&'static OperationSpec]) -> Result<(), Option<String>> {
    let all = || operations.iter().flat_map(|operation| operation.parameters).map(|parameter| parameter.name);
    let mut names = reserved.iter().copied().chain(all());
    if names.any(|known| known.eq_ignore_ascii_case(name)) {
        return Ok(());
    }
    Err(near_list(name, reserved.iter().copied().chain(all())).map(|names| format!("perhaps {names}")))
}

/// Where a row's parameters and reserved values stand, as positions among its fields.
#[derive(Debug, Clone, Default)]
pub(super) struct Layout {
    /// For each parameter of the operation, in the order of the declaration.
    pub(super) parameters: Vec<Option<usize>>,
    /// The currency of the row's amount.
    pub(super) currency: Option<usize>,
    /// The row's amount, for totals only.
    pub(super) amount: Option<usize>,
}

/// Two fields that give the same thing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Clash {
    pub(super) name: String,
    pub(super) first: usize,
    pub(super) second: usize,
}

impl Layout {
    /// Lays out an operation's parameters over fields whose targets are `targets`.
    pub(super) fn new<'t>(
        operation: &OperationSpec,
        targets: impl Iterator<Item = Option<&'t str>>,
    ) -> Result<Self, Clash> {
        let mut layout = Self { parameters: vec![None; operation.parameters.len()], ..Self::default() };
        for (field, target) in targets.enumerate() {
            let Some(name) = target else { continue };
            let place = match operation.position(name) {
                Some(position) => layout.parameters.get_mut(position),
                None => None,
            };
            set(place, name, field)?;
            set(name.eq_ignore_ascii_case("currency").then_some(&mut layout.currency), name, field)?;
            set(name.eq_ignore_ascii_case("amount").then_some(&mut layout.amount), name, field)?;
        }
        Ok(layout)
    }

    /// The parameter that a field gives.
    pub(super) fn parameter_of(&self, field: usize) -> Option<usize> {
        self.parameters.iter().position(|place| *place == Some(field))
    }
}

/// The field that gives the reserved name `name`.
pub(super) fn find<'t>(name: &str, targets: impl Iterator<Item = Option<&'t str>>) -> Result<Option<usize>, Clash> {
    let mut found = None;
    for (field, target) in targets.enumerate() {
        if target.is_some_and(|target| target.eq_ignore_ascii_case(name)) {
            set(Some(&mut found), name, field)?;
        }
    }
    Ok(found)
}

fn set(place: Option<&mut Option<usize>>, name: &str, field: usize) -> Result<(), Clash> {
    match place.map(|place| place.replace(field)) {
        Some(Some(first)) => Err(Clash { name: name.to_owned(), first, second: field }),
        _ => Ok(()),
    }
}
