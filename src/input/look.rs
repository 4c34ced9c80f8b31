//! A look at one record: which operation and account it names, whether card data stands where none belongs, and then
//! its check.
//!
//! Card data is looked for in every record whatever else is wrong with it, because bad rows go into results too.

use super::assemble::Assembly;
use super::card;
use super::csv::Record;
use super::fault::{Fault, FileFault, InputError, shown};
use super::fields::{Fields, Header};
use super::json_lines::{self, Leaf, LineFault};
use super::mapping::{Clash, Layout, find};
use super::reading::{Setting, clash_fault, list};
use super::target::{Finding, NoTarget, Refusal, Target, Targets};
use crate::model::ids::RowNumber;
use crate::model::operation::Kind;
use crate::model::row::Row;

/// A look at one record.
pub(super) struct Look<'l, 'a> {
    pub(super) setting: &'l Setting<'a>,
    pub(super) targets: &'l mut Targets,
    /// Which entries of `[columns]` were met.
    pub(super) mapped: &'l mut [bool],
    /// Whether a row took its operation, or its account, from the job.
    pub(super) job_gave: &'l mut (bool, bool),
    pub(super) number: RowNumber,
}

const CARD_NUMBER: &str = "a card number";
const CODE_COLUMN: &str = "a column named like a card's security code";

/// A row, its faults, or what ends the reading.
type Looked = Result<Result<Row, Vec<Fault>>, InputError>;

impl Look<'_, '_> {
    /// Looks at a CSV record.
    pub(super) fn at_record(&mut self, header: &Header, record: &Record) -> Looked {
        let fields = Fields::Csv(header, record);
        let named = |name: &str| find(name, header.targets()).ok().flatten().map(|at| record.get(at));
        let found = self.target(Some(header), named("operation"), named("account"));
        let found = match found {
            Ok(at) => Ok(at),
            Err(Refusal::Row(none)) => Err(none),
            Err(Refusal::File(clash)) => {
                let fault = |message: String| FileFault::new(&self.setting.spec.shown, message).line(header.line);
                return Err(clash_fault(&fault, header, &clash).into());
            }
        };
        let target = found.as_ref().ok().and_then(|at| self.targets.get(*at));
        let none = Layout::default();
        let layout = target.map_or(&none, |target| &target.layout);
        self.refuse_code_cells(header, record, target, layout)?;
        self.refuse_card_numbers(fields, target, layout)?;
        // Cells beyond the header are carried nowhere, but whoever wrote them there should know.
        for extra in header.names.len()..record.len() {
            if card::holds_card_number(record.get(extra)) {
                return Err(self.card_fault(record.line_of(extra), extra + 1, CARD_NUMBER));
            }
        }
        if record.len() != header.names.len() {
            let fields = if record.len() == 1 { "1 field".to_owned() } else { format!("{} fields", record.len()) };
            let expected = format!("{} ({})", header.names.len(), list(&header.names));
            return Ok(Err(vec![Fault::of_row(self.number, Some(fields), expected)]));
        }
        Ok(self.assemble(fields, found, layout))
    }

    /// Looks at a line of JSONL.
    pub(super) fn at_line(&mut self, line: &str) -> Looked {
        let members = match json_lines::members(line) {
            Ok(members) => members,
            Err(fault) => return self.bad_line(line, fault),
        };
        let mapping = self.setting.mapping;
        let named = |name: &str| {
            let member =
                members.iter().find(|(key, _)| mapping.target(key).is_some_and(|to| to.eq_ignore_ascii_case(name)));
            member.and_then(|(_, raw)| json_lines::scalar(raw.get()).ok()).map(|(text, _)| text)
        };
        let (operation, account) = (named("operation"), named("account"));
        let found = match self.target(None, operation.as_deref(), account.as_deref()) {
            Ok(at) => Ok(at),
            Err(Refusal::Row(none)) => Err(none),
            Err(Refusal::File(clash)) => return self.bad_line(line, clash_in_line(&clash)),
        };
        let target = found.as_ref().ok().and_then(|at| self.targets.get(*at));
        let is_whole = |name: &str| {
            let position = target.and_then(|target| target.operation.position(mapping.target(name)?));
            position.is_some_and(|at| target.is_some_and(|target| target.operation.parameters[at].kind == Kind::Json))
        };
        let leaves = match json_lines::flatten(line, members, &is_whole) {
            Ok(leaves) => leaves,
            Err(fault) => return self.bad_line(line, fault),
        };
        for entry in leaves.iter().filter_map(|leaf| mapping.entry(&leaf.name)) {
            if let Some(met) = self.mapped.get_mut(entry) {
                *met = true;
            }
        }
        self.at_leaves(line, &leaves, found)
    }

    /// What cannot be taken apart can still hold a card number.
    fn bad_line(&self, line: &str, fault: LineFault) -> Looked {
        if card::holds_card_number(line) {
            return Err(self.card_fault(self.number.0, fault.column, CARD_NUMBER));
        }
        let row = Fault::of_row(self.number, None, format!("one JSON object a line; found {}", fault.message));
        Ok(Err(vec![Fault { column: Some(fault.column), ..row }]))
    }

    fn at_leaves(&mut self, line: &str, leaves: &[Leaf<'_>], found: Result<usize, NoTarget>) -> Looked {
        let fields = Fields::Json(leaves, self.number.0);
        let mapping = self.setting.mapping;
        let targets = || leaves.iter().map(|leaf| mapping.target(&leaf.name));
        let target = found.as_ref().ok().and_then(|at| self.targets.get(*at));
        let layout = match target.map(|target| Layout::new(target.operation, targets())) {
            Some(Ok(layout)) => layout,
            None => Layout::default(),
            Some(Err(clash)) => return self.bad_line(line, clash_in_line(&clash)),
        };
        for (at, leaf) in leaves.iter().enumerate() {
            if card::holds_card_number(&leaf.name) {
                return Err(self.card_fault(self.number.0, leaf.column, CARD_NUMBER));
            }
            if card::is_code_name(&leaf.name) && !self.gives_secret(fields, target, &layout, at) {
                return Err(self.card_fault(self.number.0, leaf.column, CODE_COLUMN));
            }
        }
        self.refuse_card_numbers(fields, target, &layout)?;
        for name in ["operation", "account"] {
            if let Err(clash) = find(name, targets()) {
                return self.bad_line(line, clash_in_line(&clash));
            }
        }
        Ok(self.assemble(fields, found, &layout))
    }

    fn target(
        &mut self,
        header: Option<&Header>,
        operation: Option<&str>,
        account: Option<&str>,
    ) -> Result<usize, Refusal> {
        let (operation, account) = (operation.filter(|text| !text.is_empty()), account.filter(|text| !text.is_empty()));
        self.job_gave.0 |= operation.is_none();
        self.job_gave.1 |= account.is_none();
        let Setting { spec, directory, mapping, .. } = *self.setting;
        self.targets.find(Finding { spec, directory, mapping, header }, operation, account)
    }

    fn assemble(&self, fields: Fields<'_>, found: Result<usize, NoTarget>, layout: &Layout) -> Result<Row, Vec<Fault>> {
        let none = match found {
            Err(none) => none,
            Ok(at) => match self.targets.get(at) {
                Some(target) => {
                    let mapping = self.setting.mapping;
                    let assembly = Assembly { number: self.number, target, fields, layout, mapping };
                    return assembly.row(|row| self.setting.directory.check(row));
                }
                None => NoTarget { about_account: false, expected: "an operation".to_owned(), hint: None },
            },
        };
        let name = if none.about_account { "account" } else { "operation" };
        let mut places = (0..fields.len()).filter(|at| {
            fields.target(self.setting.mapping, *at).is_some_and(|target| target.eq_ignore_ascii_case(name))
        });
        let fault = Fault { hint: none.hint, ..Fault::of_row(self.number, None, none.expected) };
        Err(vec![match places.next() {
            Some(at) => {
                let cell = fields.cell(at);
                let value = (!cell.text.is_empty()).then(|| shown(cell.text));
                let line = fields.line_of(at);
                Fault { line, column: Some(cell.column), name: Some(cell.name.to_owned()), value, ..fault }
            }
            None => Fault { name: Some(name.to_owned()), ..fault },
        }])
    }

    /// Refuses a CSV column named like a security code unless it gives a parameter that is one. In a file of several
    /// operations the column may belong to another row's, and be empty here.
    fn refuse_code_cells(
        &self,
        header: &Header,
        record: &Record,
        target: Option<&Target>,
        layout: &Layout,
    ) -> Result<(), InputError> {
        let mixed = matches!(find("operation", header.targets()), Ok(Some(_)));
        for &at in &header.code_columns {
            let of_another_row = mixed && record.get(at).is_empty();
            if !of_another_row && !self.gives_secret(Fields::Csv(header, record), target, layout, at) {
                let line = if mixed { record.line_of(at) } else { header.line };
                return Err(self.card_fault(line, at + 1, CODE_COLUMN));
            }
        }
        Ok(())
    }

    fn refuse_card_numbers(
        &self,
        fields: Fields<'_>,
        target: Option<&Target>,
        layout: &Layout,
    ) -> Result<(), InputError> {
        for at in 0..fields.len() {
            let cell = fields.cell(at);
            if card::holds_card_number(cell.text) && !self.gives_secret(fields, target, layout, at) {
                return Err(self.card_fault(fields.line_of(at), cell.column, CARD_NUMBER));
            }
        }
        Ok(())
    }

    fn card_fault(&self, line: u64, column: usize, what: &str) -> InputError {
        let message = format!("{what} where none belongs; the whole file is refused, and its value is not shown");
        let fault = FileFault::new(&self.setting.spec.shown, message).line(line).column(column as u64);
        InputError::CardData(fault.hint("remove the column; no operation of this file takes it"))
    }

    /// Whether a field gives card data that the row's operation takes. Where the operation is not known, its name
    /// decides, and the row is not sent anyway.
    fn gives_secret(&self, fields: Fields<'_>, target: Option<&Target>, layout: &Layout, at: usize) -> bool {
        match target {
            Some(target) => {
                let parameter = layout.parameter_of(at).and_then(|position| target.operation.parameters.get(position));
                parameter.is_some_and(|parameter| parameter.kind.is_secret())
            }
            None => self.setting.is_secret(fields.target(self.setting.mapping, at)),
        }
    }
}

fn clash_in_line(clash: &Clash) -> LineFault {
    LineFault { column: 1, message: format!("two names that give `{}`", clash.name) }
}
