//! Opens the accounts that a plan uses, and asks each provider for something harmless before the first row.

use std::rc::Rc;
use std::time::Duration;

use super::context::Context;
use super::failure::Failure;
use crate::cli::Exit;
use crate::config::{Config, Opening, ResolvedAccount, credentials};
use crate::contract::Account;
use crate::http::{Transport, TransportSettings};
use crate::model::failure::{Answer, Failure as CallFailure, FailureClass, Reply};
use crate::model::settings::AccountProfile;

/// What we call ourselves to providers.
const USER_AGENT: &str = concat!("subops/", env!("CARGO_PKG_VERSION"));

/// Tries of the read before the first row, and the waits between them.
const WAITS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

/// An account that is ready to call.
pub(super) struct Opened {
    pub(super) profile: AccountProfile,
    pub(super) account: Rc<dyn Account>,
}

/// The accounts by name, each with the operations that it is needed for. Their credentials are fetched here; nobody is
/// called.
pub(super) fn open(context: &Context, config: &Config, wanted: &[(String, Vec<&str>)]) -> Result<Vec<Opened>, Failure> {
    let mut openings = Vec::with_capacity(wanted.len());
    for (name, operations) in wanted {
        openings.push(Opening { account: config.account(name)?, operations });
    }
    let found = credentials(&openings, &context.environment)?;
    let mut opened = Vec::with_capacity(found.len());
    for (opening, credentials) in openings.iter().zip(found) {
        for warning in &credentials.warnings {
            context.say(&format!("warning: {warning}\n"))?;
        }
        let transport = transport(opening.account)?;
        let setup = opening.account.setup(credentials, transport);
        let account = opening.account.provider.open(setup).map_err(|error| {
            let failure = Failure::new(Exit::Usage, error.to_string());
            match error.hint {
                Some(hint) => failure.hint(hint),
                None => failure,
            }
        })?;
        opened.push(Opened { profile: opening.account.profile.clone(), account: Rc::from(account) });
    }
    Ok(opened)
}

fn transport(account: &ResolvedAccount) -> Result<Transport, Failure> {
    let limits = account.profile.limits;
    let settings = TransportSettings {
        connect_timeout: limits.connect_timeout,
        timeout: limits.timeout,
        ca_file: account.ca_file.clone(),
        user_agent: USER_AGENT.to_owned(),
    };
    Transport::new(settings)
        .map_err(|message| Failure::new(Exit::Usage, format!("account `{}`: {message}", account.profile.name)))
}

/// One read, tried again where the provider cannot be reached.
pub(super) async fn probe(account: &dyn Account) -> Result<Answer, CallFailure> {
    let mut waits = WAITS.into_iter();
    loop {
        let failure = match probe_once(account).await {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        let final_word = matches!(failure.class, FailureClass::Credentials | FailureClass::TlsRejected);
        match waits.next() {
            Some(wait) if !final_word => tokio::time::sleep(failure.retry_after.unwrap_or(wait).min(WAITS[1])).await,
            _ => return Err(failure),
        }
    }
}

async fn probe_once(account: &dyn Account) -> Result<Answer, CallFailure> {
    account.ready().await?;
    match account.probe().await {
        Reply::Applied(answer) | Reply::Already(answer) => Ok(answer),
        // A harmless read that is refused shows neither that the URL is right nor that the credentials are.
        Reply::Refused(answer) => Err(CallFailure::new(FailureClass::Unrecognised, answer.message)),
        Reply::Failed(failure) => Err(failure),
    }
}

/// Asks each provider for something harmless. Wrong credentials are told before any row is spent, and a provider that is
/// down before a run exists.
pub(super) async fn preflight(context: &Context, accounts: &[Opened]) -> Result<(), Failure> {
    for Opened { profile, account } in accounts {
        if let Err(failure) = probe(&**account).await {
            return Err(refused(context, profile, &failure));
        }
    }
    Ok(())
}

fn refused(context: &Context, profile: &AccountProfile, failure: &CallFailure) -> Failure {
    let (name, message) = (&profile.name, &failure.message);
    match failure.class {
        FailureClass::Credentials => Failure::new(
            Exit::Credentials,
            format!("the provider rejected the credentials of account `{name}`: {message}"),
        )
        .hint(format!("nothing was sent; correct them, then: {}", context.next("check"))),
        FailureClass::TlsRejected | FailureClass::Redirect => {
            Failure::new(Exit::Halted, format!("account `{name}`: {message}"))
                .hint(format!("nothing was sent; check the account's URLs, then: {}", context.next("check")))
        }
        FailureClass::Unrecognised => Failure::new(
            Exit::NotStarted,
            format!("the provider of account `{name}` does not answer as it is documented to: {message}"),
        )
        .hint(format!("nothing was sent; check the account's URLs, then: {}", context.next("check"))),
        _ => Failure::new(Exit::NotStarted, format!("the provider of account `{name}` does not answer: {message}"))
            .hint(format!("nothing was sent; try later, or look with: {}", context.next("check"))),
    }
}
