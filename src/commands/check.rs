//! `subops check`: configuration and credentials, by a harmless read at each account.

use super::accounts::{open, probe};
use super::context::Context;
use super::execute::runtime;
use super::failure::Failure;
use crate::cli::Exit;
use crate::model::failure::FailureClass;

pub(super) fn run(context: &Context) -> Result<Exit, Failure> {
    let (context, _sandbox) = context.staged()?;
    let chosen = context.config.overrides().account.clone();
    let mut lines = Vec::new();
    let mut holding = Vec::new();
    let runtime = runtime()?;
    for account in &context.config.accounts {
        let profile = &account.profile;
        if chosen.as_deref().is_some_and(|name| name != profile.name.as_str()) {
            continue;
        }
        let opened = open(&context, &context.config, &[(profile.name.to_string(), Vec::new())]);
        let (state, message, exit) = match opened {
            // An account that nobody configured and that has no credentials is no fault: it is not used.
            Err(_) if !account.configured && chosen.is_none() && !has_any_credential(&context, account) => {
                ("not configured", "no credentials in the environment".to_owned(), Exit::Success)
            }
            Err(failure) => ("unusable", failure.message, failure.exit),
            Ok(opened) => match opened.first() {
                None => continue,
                Some(opened) => match runtime.block_on(probe(&*opened.account)) {
                    Ok(answer) => ("ok", answer.message, Exit::Success),
                    Err(failure) if failure.class == FailureClass::Credentials => {
                        ("rejected", failure.message, Exit::Credentials)
                    }
                    Err(failure) => ("no answer", failure.message, Exit::NotStarted),
                },
            },
        };
        holding.push(exit);
        let url = account.urls.first().map(|(_, url)| url.clone()).unwrap_or_default();
        lines.push(crate::report::check::CheckLine {
            account: profile.name.to_string(),
            provider: profile.provider.to_owned(),
            url,
            state,
            message,
        });
    }
    if let Some(name) = chosen.filter(|_| lines.is_empty()) {
        context.config.account(&name)?;
    }
    context.print(|| crate::report::check::text(&lines, &context.style), || crate::report::check::to_json(&lines))?;
    Ok(Exit::first_of(holding))
}

/// Whether the environment has any credential of the account: then somebody means to use it.
fn has_any_credential(context: &Context, account: &crate::config::ResolvedAccount) -> bool {
    account.provider.credentials().iter().any(|credential| context.environment.get(credential.variable).is_some())
}
