//! Accounts: what the configuration says about each, and making them ready to be opened.
//!
//! Must not read a credential before [`credentials`] is asked to, and must never let a credential of one place go to a
//! URL of another: a rehearsal takes its URLs and its credentials together, or fails.

use std::fmt;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::document::{Entry, Section};
use super::environment::Environment;
use super::error::{ConfigError, listed};
use super::layers::LimitLayer;
use super::secrets::{Missing, Source};
use super::url;
use crate::contract::{AccountSetup, OptionSpec, Provider};
use crate::http::Transport;
use crate::model::ids::AccountName;
use crate::model::money::Currency;
use crate::model::near::near;
use crate::model::settings::AccountProfile;

/// The registry of providers, as this room needs it.
pub type Registry<'r> = &'r [&'static dyn Provider];

/// An account after every layer was applied. Holds no secret.
#[derive(Clone)]
pub struct ResolvedAccount {
    /// What is fixed about it.
    pub profile: AccountProfile,
    /// Who is called.
    pub provider: &'static dyn Provider,
    /// Its URLs by key, without a slash at the end; all of the provider's are there.
    pub urls: Vec<(&'static str, String)>,
    /// The provider's own settings by key; all of them are there.
    pub options: Vec<(&'static str, String)>,
    /// Where its credentials come from, by key; all of the provider's are there.
    pub sources: Vec<CredentialSource>,
    /// A file with certificates to trust besides the public ones.
    pub ca_file: Option<PathBuf>,
    /// True where the configuration names it; false for the account that each provider has without one.
    pub configured: bool,
    /// The limits of its own table.
    pub(crate) limits: LimitLayer,
}

impl fmt::Debug for ResolvedAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResolvedAccount")
            .field("profile", &self.profile)
            .field("urls", &self.urls)
            .field("options", &self.options)
            .field("sources", &self.sources)
            .field("ca_file", &self.ca_file)
            .field("configured", &self.configured)
            .finish_non_exhaustive()
    }
}

/// Where one credential comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialSource {
    /// Its key.
    pub key: &'static str,
    /// Where from.
    pub source: Source,
    /// True where the configuration says so; false for the provider's usual variable.
    pub configured: bool,
    /// The operations that need it; empty for all.
    needed_by: &'static [&'static str],
}

/// The credentials of one account that were found. No `Debug`.
pub struct Credentials {
    /// By key.
    pub values: Vec<(&'static str, SecretString)>,
    /// What a person should know about them.
    pub warnings: Vec<String>,
}

impl ResolvedAccount {
    /// The account that `provider` has where the configuration names none.
    pub(crate) fn usual(provider: &'static dyn Provider, environment: &Environment) -> Result<Self, ConfigError> {
        let profile = AccountProfile {
            name: AccountName::new(provider.name()),
            provider: provider.name(),
            limits: LimitLayer::default().resolve(),
            currency: Currency::UNKNOWN,
        };
        Ok(Self {
            profile,
            provider,
            urls: urls(provider, None, environment)?,
            options: provider.options().iter().map(|option| (option.key, option.default.to_owned())).collect(),
            sources: usual_sources(provider),
            ca_file: None,
            configured: false,
            limits: LimitLayer::default(),
        })
    }

    /// Reads `[accounts.NAME]`; paths in it are relative to `folder`.
    pub(crate) fn read(
        entry: &Entry<'_>,
        registry: Registry<'_>,
        environment: &Environment,
        folder: &Path,
    ) -> Result<Self, ConfigError> {
        let name = account_name(entry)?;
        let section = entry.table()?;
        let provider = provider_of(entry, &section, registry)?;
        refuse_unknown_keys(&section, provider)?;
        let mut account = Self::usual(provider, environment)?;
        let currency = section.parsed("currency", "a currency code such as `USD`", Currency::parse)?;
        account.profile.name = name;
        account.profile.currency = currency.unwrap_or(Currency::UNKNOWN);
        account.urls = urls(provider, section.table("urls")?.as_ref(), environment)?;
        account.options = options(provider, &section)?;
        account.ca_file = section.text("ca_file")?.map(|path| folder.join(path));
        account.limits = LimitLayer::read(&section)?;
        account.configured = true;
        if let Some(credentials) = section.table("credentials")? {
            read_sources(&mut account.sources, &credentials, folder)?;
        }
        Ok(account)
    }

    /// The same account for a rehearsal: its URLs and its credentials are those that the sandbox gave as `pairs`, and
    /// nothing of the real ones is left. An error where a URL is missing or leads away from this machine.
    pub(crate) fn rehearsing(&self, environment: &Environment) -> Result<Self, ConfigError> {
        let mut account = self.clone();
        account.sources = usual_sources(self.provider);
        account.ca_file = None;
        for (key, address) in &mut account.urls {
            let variable = url_variable(self.provider.name(), key);
            *address =
                url_from(environment, &variable)?.filter(|address| url::leads_here(address)).ok_or_else(|| {
                    ConfigError::new(format!("the sandbox gave no address of this machine for `{variable}`"))
                })?;
        }
        Ok(account)
    }

    /// What the provider makes an account from.
    pub fn setup(&self, credentials: Credentials, transport: Transport) -> AccountSetup {
        AccountSetup {
            name: self.profile.name.clone(),
            urls: self.urls.clone(),
            credentials: credentials.values,
            options: self.options.clone(),
            transport,
        }
    }
}

/// An account that is about to be opened.
#[derive(Debug, Clone, Copy)]
pub struct Opening<'a> {
    /// Which.
    pub account: &'a ResolvedAccount,
    /// The names of the operations that it is opened for; empty for a harmless read.
    pub operations: &'a [&'a str],
}

/// Fetches the credentials of accounts that are about to be opened, in their order. Every one that is missing is named
/// in one error. One that no wanted operation needs is taken where it is there.
pub fn credentials(openings: &[Opening<'_>], environment: &Environment) -> Result<Vec<Credentials>, ConfigError> {
    let mut missing = Vec::new();
    let mut found = Vec::new();
    for opening in openings {
        let mut credentials = Credentials { values: Vec::new(), warnings: Vec::new() };
        for credential in &opening.account.sources {
            let about =
                |what: &str| format!("account `{}`, `{}`: {what}", opening.account.profile.name, credential.key);
            match credential.source.fetch(environment) {
                Ok((value, warning)) => {
                    credentials.values.push((credential.key, value));
                    credentials.warnings.extend(warning.map(|warning| about(&warning)));
                }
                Err(fault) if credential.is_needed(opening.operations) => missing.push(about(fault.message())),
                Err(Missing::Absent(_)) if !credential.configured => {}
                Err(fault) => credentials.warnings.push(about(fault.message())),
            }
        }
        found.push(credentials);
    }
    match missing.as_slice() {
        [] => Ok(found),
        [only] => Err(ConfigError::new(only.clone()).hint(HINT)),
        many => {
            let list = many.join("\n  ");
            Err(ConfigError::new(format!("{} credentials cannot be used:\n  {list}", many.len())).hint(HINT))
        }
    }
}

const HINT: &str = "`subops check` shows what each account needs; `--sandbox` rehearses without credentials";

impl CredentialSource {
    fn is_needed(&self, operations: &[&str]) -> bool {
        // Providers write the operation with or without their own name before it.
        let named = |operation: &&str| {
            let verb = operation.split_once('.').map_or(*operation, |(_, verb)| verb);
            self.needed_by.iter().any(|needing| needing == operation || *needing == verb)
        };
        self.needed_by.is_empty() || operations.iter().any(named)
    }
}

/// The environment variable that replaces a URL: `SEGPAY_SRS_URL`.
pub fn url_variable(provider: &str, key: &str) -> String {
    let upper = |text: &str| text.to_ascii_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    format!("{}_{}_URL", upper(provider), upper(key))
}

fn account_name(entry: &Entry<'_>) -> Result<AccountName, ConfigError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if entry.key.is_empty() || entry.key.len() > 64 || !entry.key.bytes().all(allowed) {
        let message = format!("`{}` cannot be an account's name", entry.key.escape_debug());
        return Err(entry.error(message).hint("use up to 64 letters, digits, `-`, `_` and `.`"));
    }
    Ok(AccountName::new(entry.key))
}

fn provider_of(
    entry: &Entry<'_>,
    section: &Section<'_>,
    registry: Registry<'_>,
) -> Result<&'static dyn Provider, ConfigError> {
    let find = |name: &str| registry.iter().copied().find(|provider| provider.name() == name);
    let names = || registry.iter().map(|provider| provider.name());
    match section.get("provider") {
        Some(named) => {
            let name = named.text()?;
            let unknown = || {
                let hint = near(name, names()).map(|meant| format!("did you mean `{meant}`?"));
                let known = format!("known providers: {}", listed(names()));
                named.error(format!("unknown provider `{name}`")).hint(hint.unwrap_or(known))
            };
            find(name).ok_or_else(unknown)
        }
        None => find(entry.key).ok_or_else(|| {
            let known = format!("add `provider = \"…\"`, one of {}", listed(names()));
            entry.error(format!("{} names no provider", entry.path())).hint(known)
        }),
    }
}

fn refuse_unknown_keys(section: &Section<'_>, provider: &dyn Provider) -> Result<(), ConfigError> {
    let mut known = vec!["provider", "currency", "ca_file", "urls", "credentials"];
    known.extend(LimitLayer::KEYS);
    known.extend(provider.options().iter().map(|option| option.key));
    for entry in section.entries() {
        if known.contains(&entry.key) {
            continue;
        }
        // Before anything else: a credential in the wrong table is likely a literal one.
        let misplaced = |keys: &[&str], table: &str| {
            keys.contains(&entry.key).then(|| format!("it belongs into {} as `{}`", table, entry.key))
        };
        let credentials: Vec<&str> = provider.credentials().iter().map(|credential| credential.key).collect();
        let urls: Vec<&str> = provider.urls().iter().map(|url| url.key).collect();
        let hint = misplaced(&credentials, "`credentials`, as `{ env = … }`, `{ file = … }` or `{ command = […] }`,")
            .or_else(|| misplaced(&urls, "`urls`"));
        return Err(entry.unknown(&known).maybe_hint(hint));
    }
    Ok(())
}

fn urls(
    provider: &dyn Provider,
    section: Option<&Section<'_>>,
    environment: &Environment,
) -> Result<Vec<(&'static str, String)>, ConfigError> {
    if let Some(section) = section {
        let known: Vec<&str> = provider.urls().iter().map(|url| url.key).collect();
        section.only(&known)?;
    }
    let one = |spec: &crate::contract::UrlSpec| {
        let written = match section.and_then(|section| section.get(spec.key)) {
            Some(entry) => {
                let wrong = |fault| entry.error(format!("{}: {fault}", entry.path()));
                Some(url::check(entry.text()?).map_err(wrong)?)
            }
            None => None,
        };
        let from_environment = url_from(environment, &url_variable(provider.name(), spec.key))?;
        Ok((spec.key, from_environment.or(written).unwrap_or_else(|| spec.default.trim_end_matches('/').to_owned())))
    };
    provider.urls().iter().map(one).collect()
}

fn url_from(environment: &Environment, variable: &str) -> Result<Option<String>, ConfigError> {
    let wrong = |fault| ConfigError::new(format!("the environment variable `{variable}`: {fault}"));
    environment.text(variable)?.map(|text| url::check(text).map_err(wrong)).transpose()
}

fn options(provider: &dyn Provider, section: &Section<'_>) -> Result<Vec<(&'static str, String)>, ConfigError> {
    provider.options().iter().map(|spec| Ok((spec.key, option(spec, section)?))).collect()
}

fn option(spec: &OptionSpec, section: &Section<'_>) -> Result<String, ConfigError> {
    let Some(entry) = section.get(spec.key) else { return Ok(spec.default.to_owned()) };
    let value = entry.scalar("a value")?;
    if spec.values.is_empty() {
        return Ok(value);
    }
    let known = spec.values.iter().find(|known| known.eq_ignore_ascii_case(&value));
    known.map(|known| (*known).to_owned()).ok_or_else(|| {
        let expected = listed(spec.values.iter().copied()).replace(" and ", " or ");
        let hint = near(&value, spec.values.iter().copied()).map(|meant| format!("did you mean `{meant}`?"));
        entry.error(format!("{} = `{value}`: expected {expected}", entry.path())).maybe_hint(hint)
    })
}

fn usual_sources(provider: &dyn Provider) -> Vec<CredentialSource> {
    let usual = |spec: &crate::contract::CredentialSpec| CredentialSource {
        key: spec.key,
        source: Source::Variable(spec.variable.to_owned()),
        configured: false,
        needed_by: spec.needed_by,
    };
    provider.credentials().iter().map(usual).collect()
}

fn read_sources(sources: &mut [CredentialSource], section: &Section<'_>, folder: &Path) -> Result<(), ConfigError> {
    let known: Vec<&str> = sources.iter().map(|source| source.key).collect();
    section.only(&known)?;
    for source in sources {
        if let Some(entry) = section.get(source.key) {
            source.source = Source::read(&entry, |path| folder.join(path))?;
            source.configured = true;
        }
    }
    Ok(())
}
