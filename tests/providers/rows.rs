//! Rows to be sent: those of each operation's own template, through the input room, so that what is performed here is
//! what `--template` prints.

use std::sync::Arc;

use subops::contract::{Done, Input, Provider, RowFault};
use subops::input::{AccountInfo, Directory, InputSpec, plan};
use subops::model::ids::AccountName;
use subops::model::operation::OperationSpec;
use subops::model::row::Row;
use subops::providers::{REGISTRY, find_operation, find_provider};
use subops::report::operations::{template_csv, template_jsonl};

/// An account for each provider, named after it.
struct Everything;

impl Directory for Everything {
    fn operation(&self, name: &str) -> Option<&'static OperationSpec> {
        find_operation(name)
    }

    fn operations(&self) -> Vec<&'static OperationSpec> {
        REGISTRY.iter().flat_map(|provider| provider.operations()).collect()
    }

    fn account(&self, name: &str) -> Option<AccountInfo> {
        let provider: &dyn Provider = find_provider(name)?;
        Some(AccountInfo { name: AccountName::new(name), provider: provider.name().to_owned(), currency: None })
    }

    fn accounts(&self) -> Vec<String> {
        REGISTRY.iter().map(|provider| provider.name().to_owned()).collect()
    }

    fn account_for(&self, provider: &str) -> Result<AccountInfo, String> {
        self.account(provider).ok_or_else(|| "no such provider".to_owned())
    }

    fn check(&self, row: &Row) -> Result<(), RowFault> {
        find_provider(row.operation.provider()).expect("a provider of the registry").check(row)
    }
}

/// The row of an operation's template.
pub(crate) fn example(operation: &OperationSpec) -> Row {
    let [csv, jsonl] = [("csv", template_csv(operation)), ("jsonl", template_jsonl(operation))]
        .map(|(format, template)| read(operation, format, &template));
    assert_eq!(csv.as_sent(None), jsonl.as_sent(None), "{}: both templates are the same row", operation.name);
    csv
}

fn read(operation: &OperationSpec, format: &str, template: &str) -> Row {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join(format!("template.{format}"));
    std::fs::write(&path, template).expect("a file");
    let planned = match plan(InputSpec { digest_key: Some([7; 32]), ..InputSpec::new(path) }, Arc::new(Everything)) {
        Ok(planned) => planned,
        Err(error) => panic!("{}: {error:?}", operation.name),
    };
    let mut rows = planned.rows(Done::default()).expect("its rows");
    rows.next_row().expect("the planned input").expect("a row")
}
