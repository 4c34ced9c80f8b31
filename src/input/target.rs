//! What a row asks for, and where: its operation and its account.

use super::fields::Header;
use super::mapping::{Clash, Layout, Mapping};
use super::{AccountInfo, Directory, InputSpec};
use crate::model::ids::SubjectSpace;
use crate::model::money::Currency;
use crate::model::near::near_list;
use crate::model::operation::{Kind, OperationSpec, Rule};

/// An operation in an account, with what all of its rows have in common.
pub(super) struct Target {
    /// What the row says, so that the next row that says the same is known at once.
    key: (Option<String>, Option<String>),
    /// What is done.
    pub(super) operation: &'static OperationSpec,
    /// Where.
    pub(super) account: AccountInfo,
    /// The position of the operation's only currency parameter: what is sent decides about decimals.
    pub(super) own_currency: Option<usize>,
    /// The position of its amount.
    pub(super) amount: Option<usize>,
    /// The position of its subject, and what the keys of such subjects begin with.
    pub(super) subject: Option<(usize, SubjectSpace)>,
    /// For each parameter whether a rule decides about negative amounts.
    pub(super) negative: Vec<bool>,
    /// For each parameter its default.
    pub(super) defaults: Vec<Option<String>>,
    /// Where a CSV file's columns give the parameters.
    pub(super) layout: Layout,
}

/// Why a row has no target: a text for `expected`, a hint, and whether the account is at fault.
pub(super) struct NoTarget {
    pub(super) about_account: bool,
    pub(super) expected: String,
    pub(super) hint: Option<String>,
}

/// The targets met so far.
#[derive(Default)]
pub(super) struct Targets {
    met: Vec<Target>,
    last: usize,
}

/// Everything that targets are found with.
#[derive(Clone, Copy)]
pub(super) struct Finding<'a> {
    pub(super) spec: &'a InputSpec,
    pub(super) directory: &'a dyn Directory,
    pub(super) mapping: &'a Mapping,
    pub(super) header: Option<&'a Header>,
}

/// Why a target cannot be used.
pub(super) enum Refusal {
    /// This row's words are wrong.
    Row(NoTarget),
    /// Two columns of the file give the same thing.
    File(Clash),
}

impl Targets {
    /// The position of the target that a row names by its columns `operation` and `account`, or else the job.
    pub(super) fn find(
        &mut self,
        finding: Finding<'_>,
        operation: Option<&str>,
        account: Option<&str>,
    ) -> Result<usize, Refusal> {
        let same = |target: &Target| target.key.0.as_deref() == operation && target.key.1.as_deref() == account;
        if self.met.get(self.last).is_some_and(same) {
            return Ok(self.last);
        }
        if let Some(at) = self.met.iter().position(same) {
            self.last = at;
            return Ok(at);
        }
        let target = finding.resolve(operation, account)?;
        self.met.push(target);
        self.last = self.met.len() - 1;
        Ok(self.last)
    }

    /// The target at a position that [`Targets::find`] gave.
    pub(super) fn get(&self, at: usize) -> Option<&Target> {
        self.met.get(at)
    }
}

impl Finding<'_> {
    fn resolve(self, operation: Option<&str>, account: Option<&str>) -> Result<Target, Refusal> {
        let spec = self.operation(operation).map_err(Refusal::Row)?;
        let found = self.account(spec, account).map_err(Refusal::Row)?;
        let layout = match self.header {
            Some(header) => Layout::new(spec, header.targets()).map_err(Refusal::File)?,
            None => Layout::default(),
        };
        let mut currencies = (0..spec.parameters.len()).filter(|at| spec.parameters[*at].kind == Kind::Currency);
        let own_currency = match (currencies.next(), currencies.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        };
        let negative = |name: &str| {
            let decides =
                |rule: &Rule| matches!(rule, Rule::NegativeOnlyWith(amount, _) if amount.eq_ignore_ascii_case(name));
            spec.rules.iter().any(decides)
        };
        Ok(Target {
            key: (operation.map(str::to_owned), account.map(str::to_owned)),
            operation: spec,
            own_currency,
            amount: spec.amount.and_then(|name| spec.position(name)),
            subject: spec.subject.and_then(|name| spec.position(name)).map(|at| {
                let kind = spec.parameters[at].name;
                (at, SubjectSpace::new(&found.name, kind))
            }),
            negative: spec.parameters.iter().map(|parameter| negative(parameter.name)).collect(),
            defaults: spec
                .parameters
                .iter()
                .map(|parameter| self.mapping.default_of(parameter.name).map(str::to_owned))
                .collect(),
            layout,
            account: found,
        })
    }

    fn operation(self, named: Option<&str>) -> Result<&'static OperationSpec, NoTarget> {
        let wrong = |hint| NoTarget { about_account: false, expected: "the name of an operation".to_owned(), hint };
        let Some(name) = named else {
            return self
                .spec
                .operation
                .ok_or_else(|| wrong(Some("name it in a column `operation`, or with `--operation`".to_owned())));
        };
        self.directory.operation(name).ok_or_else(|| {
            let names = self.directory.operations();
            let found = near_list(name, names.iter().map(|operation| operation.name));
            wrong(Some(match found {
                Some(names) => format!("perhaps {names}"),
                None => "`subops operations` lists them".to_owned(),
            }))
        })
    }

    fn account(self, operation: &OperationSpec, named: Option<&str>) -> Result<AccountInfo, NoTarget> {
        let provider = operation.provider();
        let wrong =
            |hint| NoTarget { about_account: true, expected: format!("the name of an account at {provider}"), hint };
        let job = self.spec.account.as_ref().map(|name| name.as_str());
        let Some(name) = named.or(job) else {
            return self.directory.account_for(provider).map_err(|message| wrong(Some(message)));
        };
        match self.directory.account(name) {
            Some(account) if account.provider == provider => Ok(account),
            Some(account) => Err(wrong(Some(format!("account `{name}` is at {}", account.provider)))),
            None => {
                let names = self.directory.accounts();
                Err(wrong(near_list(name, names.iter().map(String::as_str)).map(|names| format!("perhaps {names}"))))
            }
        }
    }
}

/// The currency that an account's amounts have where its rows say nothing.
pub(super) fn account_currency(account: &AccountInfo) -> Currency {
    account.currency.unwrap_or(Currency::UNKNOWN)
}
