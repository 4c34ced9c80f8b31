//! Tells the input which operations and accounts there are.

use crate::config::Config;
use crate::config::ResolvedAccount;
use crate::contract::RowFault;
use crate::input::{AccountInfo, Directory};
use crate::model::operation::OperationSpec;
use crate::model::row::Row;
use crate::providers::{REGISTRY, find_operation, find_provider};

/// The registry and the configured accounts.
pub(super) struct Book {
    config: Config,
}

impl Book {
    pub(super) fn new(config: Config) -> Self {
        Self { config }
    }
}

fn info(account: &ResolvedAccount) -> AccountInfo {
    AccountInfo {
        name: account.profile.name.clone(),
        provider: account.profile.provider.to_owned(),
        currency: Some(account.profile.currency),
    }
}

impl Directory for Book {
    fn operation(&self, name: &str) -> Option<&'static OperationSpec> {
        find_operation(name)
    }

    fn operations(&self) -> Vec<&'static OperationSpec> {
        REGISTRY.iter().flat_map(|provider| provider.operations()).collect()
    }

    fn account(&self, name: &str) -> Option<AccountInfo> {
        self.config.account(name).ok().map(info)
    }

    fn accounts(&self) -> Vec<String> {
        self.config.accounts.iter().map(|account| account.profile.name.to_string()).collect()
    }

    fn account_for(&self, provider: &str) -> Result<AccountInfo, String> {
        self.config.usual_account(provider).map(info).map_err(|error| match error.hint {
            Some(hint) => format!("{}; {hint}", error.message),
            None => error.message,
        })
    }

    fn check(&self, row: &Row) -> Result<(), RowFault> {
        find_provider(row.operation.provider()).map_or(Ok(()), |provider| provider.check(row))
    }
}
