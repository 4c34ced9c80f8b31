//! The configuration and jobs as whole files, with a made-up provider, environment and folder.
#![allow(clippy::expect_used, reason = "a test stops at the first surprise")]

use std::path::Path;

use secrecy::ExposeSecret;

use super::layers::{MAX_FAILURES, Overrides, parse_rate};
use super::*;
use crate::contract::{Account, AccountSetup, CredentialSpec, OptionSpec, Provider, SetupError, UrlSpec};
use crate::model::operation::{Effect, OperationSpec};
use crate::model::settings::{Guard, Limits, MaxFailures};

const CANARY: &str = "canary-7f3a";

struct Fake {
    name: &'static str,
    operations: &'static [OperationSpec],
}

const fn operation(name: &'static str) -> OperationSpec {
    OperationSpec {
        name,
        about: "Does something.",
        effect: Effect::Additive,
        moves_money: false,
        subject: None,
        amount: None,
        quantity: None,
        verified_by: None,
        parameters: &[],
        rules: &[],
        token: None,
        returns: &[],
        words: &[],
    }
}

static ACME_OPERATIONS: [OperationSpec; 2] = [operation("acme.extend_thing"), operation("acme.cancel_thing")];
static OTHER_OPERATIONS: [OperationSpec; 1] = [operation("other.cancel_thing")];
static ACME: Fake = Fake { name: "acme", operations: &ACME_OPERATIONS };
static OTHER: Fake = Fake { name: "other", operations: &OTHER_OPERATIONS };
static PROVIDERS: [&'static dyn Provider; 2] = [&ACME, &OTHER];

impl Provider for Fake {
    fn name(&self) -> &'static str {
        self.name
    }

    fn title(&self) -> &'static str {
        self.name
    }

    fn operations(&self) -> &'static [OperationSpec] {
        self.operations
    }

    fn urls(&self) -> &'static [UrlSpec] {
        &[
            UrlSpec { key: "api", default: "https://api.example.com" },
            UrlSpec { key: "srs", default: "https://srs.example.com/" },
        ]
    }

    fn credentials(&self) -> &'static [CredentialSpec] {
        &[
            CredentialSpec { key: "user", variable: "ACME_USER", about: "The user.", needed_by: &[] },
            CredentialSpec { key: "access_key", variable: "ACME_ACCESS_KEY", about: "The key.", needed_by: &[] },
            CredentialSpec {
                key: "password",
                variable: "ACME_PASSWORD",
                about: "Only for cancelling.",
                needed_by: &["acme.cancel_thing"],
            },
        ]
    }

    fn options(&self) -> &'static [OptionSpec] {
        &[
            OptionSpec { key: "settle_delay", values: &[], default: "5m", about: "How long reads lag." },
            OptionSpec { key: "protocol", values: &["rpc", "soap"], default: "rpc", about: "How it is called." },
        ]
    }

    fn open(&self, setup: AccountSetup) -> Result<Box<dyn Account>, SetupError> {
        Err(SetupError { account: setup.name, message: "this one is made up".to_owned(), hint: None })
    }
}

/// A folder with files, an environment, and flags.
struct Scene {
    folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
    overrides: Overrides,
}

impl Scene {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let scene = Self { folder, variables: Vec::new(), overrides: Overrides::default() };
        for (name, content) in files {
            let path = scene.path(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, content).expect("written");
        }
        scene
    }

    fn config_file(text: &str) -> Self {
        Self::new(&[("subops.toml", text)])
    }

    fn job_file(text: &str) -> Self {
        Self::new(&[("jobs/nightly.toml", text)])
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    fn flags(mut self, set: impl FnOnce(&mut Overrides)) -> Self {
        set(&mut self.overrides);
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn environment(&self) -> Environment {
        Environment::new(self.folder.path(), self.variables.iter().map(|(name, value)| (name, value)))
    }

    fn config(&self) -> Config {
        Config::load(&PROVIDERS, &self.environment(), &self.overrides).expect("a good configuration")
    }

    /// The error of the configuration, as `place: message | hint`.
    fn config_error(&self) -> String {
        let loaded = Config::load(&PROVIDERS, &self.environment(), &self.overrides);
        shown(&loaded.map(|_| ()).expect_err("a bad configuration"))
    }

    fn try_job(&self, argument: &str) -> Result<Job, ConfigError> {
        Job::load(argument, &self.config(), &PROVIDERS, &self.environment())
    }

    fn job(&self) -> Job {
        self.try_job("jobs/nightly.toml").expect("a good job")
    }

    fn job_error(&self) -> String {
        shown(&self.try_job("jobs/nightly.toml").map(|_| ()).expect_err("a bad job"))
    }
}

fn shown(fault: &ConfigError) -> String {
    fault.hint.as_ref().map_or_else(|| fault.to_string(), |hint| format!("{fault} | {hint}"))
}

fn account<'c>(config: &'c Config, name: &str) -> &'c ResolvedAccount {
    config.account(name).expect("the account is known")
}

#[test]
fn without_a_file_each_provider_has_an_account_with_the_documented_urls() {
    let config = Scene::new(&[]).config();
    let names: Vec<&str> = config.accounts.iter().map(|account| account.profile.name.as_str()).collect();
    assert_eq!((names, config.path.as_deref()), (vec!["acme", "other"], None));
    let acme = account(&config, "acme");
    let urls = vec![("api", "https://api.example.com".to_owned()), ("srs", "https://srs.example.com".to_owned())];
    assert_eq!((&acme.urls, acme.profile.limits, acme.configured), (&urls, Limits::default(), false));
    let options = vec![("settle_delay", "5m".to_owned()), ("protocol", "rpc".to_owned())];
    assert_eq!((&acme.options, acme.profile.currency.code()), (&options, "XXX"));
    assert_eq!(acme.sources[1].source, Source::Variable("ACME_ACCESS_KEY".to_owned()));
}

#[test]
fn the_first_file_that_is_there_holds() {
    let content = |name: &str| format!("[accounts.{name}]\nprovider = 'acme'");
    let all: Vec<(String, String)> = ["named.toml", "subops.toml", "xdg/subops/subops.toml"]
        .map(|path| (path.to_owned(), content(&path.replace(['/', '.'], "-"))))
        .to_vec();
    for first in 0..all.len() {
        let files: Vec<(&str, &str)> =
            all.iter().skip(first).map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let mut scene = Scene::new(&files);
        scene.variables.push(("XDG_CONFIG_HOME".to_owned(), scene.path("xdg").to_str().expect("text").to_owned()));
        scene.overrides.config = (first == 0).then(|| PathBuf::from("named.toml"));
        let config = scene.config();
        assert_eq!(config.accounts[0].profile.name.as_str(), all[first].0.replace(['/', '.'], "-"));
    }
    let gone = Scene::config_file("").flags(|flags| flags.config = Some("gone.toml".into()));
    let expected = "the configuration `gone.toml` does not exist | it is named by `--config` or `SUBOPS_CONFIG`; none is \
                    needed";
    assert_eq!(gone.config_error(), expected);
}

#[test]
fn an_account_may_set_everything() {
    let scene = Scene::config_file(
        r#"
        journal = "runs.db"
        [results]
        dir = "out"
        [accounts.acme-eu]
        provider = "acme"
        rate = "600/min"
        concurrency = 8
        timeout = "1m"
        connect_timeout = "3s"
        currency = "eur"
        ca_file = "ca.pem"
        settle_delay = "10m"
        protocol = "SOAP"
        [accounts.acme-eu.urls]
        api = "https://eu.example.com/"
        [accounts.acme-eu.credentials]
        user = { env = "EU_USER" }
        access_key = { file = "keys/eu" }
        password = { command = ["pass", "show", "eu"] }
        "#,
    );
    let config = scene.config();
    let eu = account(&config, "acme-eu");
    assert_eq!(eu.profile.limits.rate.to_string(), "600/min");
    assert_eq!((eu.profile.limits.concurrency, eu.profile.limits.timeout.as_secs()), (8, 60));
    assert_eq!((eu.profile.limits.connect_timeout.as_secs(), eu.profile.currency.code()), (3, "EUR"));
    assert_eq!(eu.ca_file, Some(scene.path("ca.pem")));
    assert_eq!(eu.options, [("settle_delay", "10m".to_owned()), ("protocol", "soap".to_owned())]);
    assert_eq!(eu.urls[0].1, "https://eu.example.com");
    let sources: Vec<&Source> = eu.sources.iter().map(|source| &source.source).collect();
    let command = Source::Command(["pass", "show", "eu"].map(str::to_owned).to_vec());
    assert_eq!(sources, [&Source::Variable("EU_USER".to_owned()), &Source::File(scene.path("keys/eu")), &command]);
    assert_eq!(config.journal(), Ok(scene.path("runs.db")));
    assert_eq!(scene.try_job("a.csv").map(|job| job.results), Ok(PathBuf::from("out")));
    // A provider with an account of somebody's choice has no other one.
    assert!(config.account("acme").is_err());
    assert_eq!(config.usual_account("acme").map(|account| account.profile.name.as_str()), Ok("acme-eu"));
    assert_eq!(config.usual_account("other").map(|account| account.configured), Ok(false));
}

#[test]
fn of_several_accounts_one_must_be_named() {
    let two = "[accounts.a]\nprovider = 'acme'\n[accounts.b]\nprovider = 'acme'\n";
    let fault = Scene::config_file(two).config().usual_account("acme").map(|_| ()).expect_err("which?");
    assert_eq!(fault.to_string(), "`acme` has 2 accounts, `a` and `b`, and nothing says which");
    let with_usual = Scene::config_file(&format!("{two}[accounts.acme]\n")).config();
    assert_eq!(with_usual.usual_account("acme").map(|account| account.profile.name.as_str()), Ok("acme"));
}

#[test]
fn what_is_not_known_is_named_with_its_line_and_the_nearest_word() {
    let nearest = |key: &str, meant: &str| format!("unknown key `{key}` | did you mean `{meant}`?");
    for (text, line, expected) in [
        ("[acounts.acme]", 1, nearest("acounts", "accounts")),
        ("\n[accounts.acme]\nraet = 1", 3, nearest("accounts.acme.raet", "rate")),
        ("[accounts.acme]\nsettle-delay = '1m'", 2, nearest("accounts.acme.settle-delay", "settle_delay")),
        ("[accounts.acme.urls]\napl = 'https://x.example'", 2, nearest("accounts.acme.urls.apl", "api")),
        ("[accounts.acme.credentials]\npasword = 1", 2, nearest("accounts.acme.credentials.pasword", "password")),
        ("[guard]\nmax-failures = 1", 2, nearest("guard.max-failures", "max_failures")),
        ("[results]\nfolder = 'x'", 2, "unknown key `results.folder` | known here: `dir`".to_owned()),
        ("[accounts.x]\nprovider = 'acmee'", 2, "unknown provider `acmee` | did you mean `acme`?".to_owned()),
        (
            "[accounts.x]\nrate = 1",
            1,
            "`accounts.x` names no provider | add `provider = \"…\"`, one of `acme` and `other`".to_owned(),
        ),
        (
            "[accounts.acme]\nprotocol = 'sop'",
            2,
            "`accounts.acme.protocol` = `sop`: expected `rpc` or `soap` | did you mean `soap`?".to_owned(),
        ),
        (
            "[accounts.'a\\b']\nprovider = 'acme'",
            1,
            "`a\\\\b` cannot be an account's name | use up to 64 letters, digits, `-`, `_` and `.`".to_owned(),
        ),
        (
            "[accounts.acme]\nrate = 'fast'",
            2,
            "`accounts.acme.rate` = `fast`: expected a rate such as `10/s`, `600/min` or `5000/h`".to_owned(),
        ),
        (
            "[accounts.acme]\ntimeout = 30",
            2,
            "`accounts.acme.timeout` = `30`: expected a time with its unit, such as `30s`, `2m` or `250ms`".to_owned(),
        ),
        (
            "[accounts.acme]\ncurrency = 1",
            2,
            "`accounts.acme.currency` = `1`: expected a currency code such as `USD`".to_owned(),
        ),
        ("[guard]\nmax_failures = '101%'", 2, format!("`guard.max_failures` = `101%`: expected {MAX_FAILURES}")),
        ("journal = 1", 1, "`journal`: expected text in quotes, found a whole number".to_owned()),
        ("accounts = 1", 1, "`accounts`: expected a table, found a whole number".to_owned()),
        ("x = 1\nx = 2", 2, "not valid TOML: duplicate key".to_owned()),
    ] {
        assert_eq!(Scene::config_file(text).config_error(), format!("subops.toml:{line}: {expected}"), "{text}");
    }
}

#[test]
fn a_literal_secret_is_refused_and_never_shown() {
    for text in [
        "[accounts.acme.credentials]\naccess_key = 'CANARY'",
        "[accounts.acme.credentials]\naccess_key = ['CANARY']",
        "[accounts.acme.credentials]\naccess_key = { value = 'CANARY' }",
        "[accounts.acme.credentials]\naccess_key = { env = 'CANARY' }",
        "[accounts.acme.credentials]\naccess_key = { command = 'CANARY' }",
        "[accounts.acme.credentials]\naccess_key = { env = 'A', file = 'CANARY' }",
        "[accounts.acme.credentials]\naccess_key = CANARY",
        "[accounts.acme]\naccess_key = 'CANARY'",
        "[accounts.acme]\ncredentials = 'CANARY'",
        "[accounts.acme.urls]\napi = 'https://user:CANARY@example.com'",
        "[accounts.acme.urls]\napi = 'https://example.com/?key=CANARY'",
        "access_key = 'CANARY'",
    ] {
        let error = Scene::config_file(&text.replace("CANARY", CANARY)).config_error();
        assert!(error.starts_with("subops.toml:") && !error.contains(CANARY), "{text}: {error}");
    }
    let literal = Scene::config_file("[accounts.acme.credentials]\naccess_key = 'x'").config_error();
    let expected = "subops.toml:2: `accounts.acme.credentials.access_key` is written in the file: a credential is never a \
                    literal | name where it comes from: access_key = { env = \"…\" }, { file = \"…\" } or { command = \
                    [\"…\"] }";
    assert_eq!(literal, expected);
    let misplaced = Scene::config_file("[accounts.acme]\naccess_key = 'x'").config_error();
    assert!(misplaced.contains("it belongs into `credentials`"), "{misplaced}");
}

#[test]
fn urls_must_protect_what_is_sent() {
    for (url, expected) in [
        (
            "http://api.example.com",
            "`http://api.example.com` is not https: expected https, or http to a loopback address",
        ),
        ("api.example.com", "`api.example.com` is no URL: expected one such as `https://api.example.com`"),
    ] {
        let error = Scene::config_file(&format!("[accounts.acme.urls]\napi = '{url}'")).config_error();
        assert_eq!(error, format!("subops.toml:2: `accounts.acme.urls.api`: {expected}"));
        let error = Scene::new(&[]).variable("ACME_API_URL", url).config_error();
        assert_eq!(error, format!("the environment variable `ACME_API_URL`: {expected}"));
    }
}

#[test]
fn a_url_in_the_environment_wins_over_the_file() {
    let text = "[accounts.acme.urls]\napi = 'https://file.example'\nsrs = 'https://srs.example'";
    let scene = Scene::config_file(text).variable("ACME_API_URL", "http://127.0.0.1:9/").variable("ACME_SRS_URL", "");
    let config = scene.config();
    let urls = [("api", "http://127.0.0.1:9".to_owned()), ("srs", "https://srs.example".to_owned())];
    assert_eq!(account(&config, "acme").urls, urls);
    assert_eq!(url_variable("twocheckout", "api"), "TWOCHECKOUT_API_URL");
}

/// Sets each layer from the lowest up, and sees it win over those below.
#[test]
fn limits_come_from_flag_job_account_file_default_in_this_order() {
    let layers = ["", "[limits]\nrate = '11/s'\n", "[accounts.acme]\nrate = '12/s'\n"];
    for (count, expected) in [(1, "5/s"), (2, "11/s"), (3, "12/s")] {
        let file: String = layers.iter().take(count).copied().collect();
        for job_rate in [None, Some("13/s")] {
            for flag in [None, Some("14/s")] {
                let job = job_rate.map_or(String::new(), |rate| format!("[limits]\nrate = '{rate}'"));
                let job = format!("input = 'a.csv'\n{job}");
                let mut scene = Scene::new(&[("subops.toml", file.as_str()), ("jobs/nightly.toml", job.as_str())]);
                scene.overrides.limits.rate = flag.and_then(parse_rate);
                let config = scene.config().for_job(&scene.job());
                let holds = account(&config, "acme").profile.limits;
                let expected = flag.or(job_rate).unwrap_or(expected);
                assert_eq!((holds.rate.to_string().as_str(), holds.concurrency), (expected, 4), "{file} {job}");
            }
        }
    }
}

#[test]
fn guards_come_from_flag_job_file_default_in_this_order() {
    for file in [None, Some("1")] {
        for job in [None, Some("'2%'")] {
            for flag in [None, Some("3")] {
                let table =
                    |value: Option<&str>| value.map_or(String::new(), |v| format!("[guard]\nmax_failures = {v}"));
                let job_text = format!("input = 'a.csv'\n{}", table(job));
                let files = [("subops.toml", table(file)), ("jobs/nightly.toml", job_text)];
                let mut scene = Scene::new(&files.each_ref().map(|(path, text)| (*path, text.as_str())));
                scene.overrides.guard.max_failures = flag.and_then(MaxFailures::parse);
                let written = flag.or(job).or(file).unwrap_or("20%").trim_matches('\'');
                let guard = scene.job().guard;
                assert_eq!(guard.max_failures.to_string(), written, "{file:?} {job:?} {flag:?}");
                assert_eq!(guard.max_in_doubt, Guard::default().max_in_doubt);
            }
        }
    }
}

#[test]
fn a_job_file_may_set_everything() {
    let scene = Scene::job_file(
        r#"
        name = "nightly-extensions"
        input = "../samples/extensions.csv"
        format = "csv"
        delimiter = ";"
        encoding = "latin1"
        operation = "acme.extend_thing"
        account = "acme"
        verify = "off"
        token = false
        skip_invalid = true
        [columns]
        subscription = "PurchaseID"
        [defaults]
        Days = 30
        Price = 19.90
        Big = 1234567890123456.78
        Note = "a b"
        Flag = true
        From = 2026-12-01
        [limits]
        rate = "10/s"
        concurrency = 8
        timeout = "20s"
        [guard]
        max_failures = "5%"
        max_in_doubt = 3
        [results]
        dir = "../out"
        "#,
    );
    let job = scene.job();
    assert_eq!(job.name, "nightly-extensions");
    let path = scene.path("jobs/../samples/extensions.csv");
    assert_eq!(job.input, InputPlace::File { path, shown: "samples/extensions.csv".to_owned() });
    assert_eq!(
        (job.format, job.delimiter, job.encoding.as_deref()),
        (Some(Format::Csv), Some(b';'), Some("windows-1252"))
    );
    assert_eq!(job.operation.map(|operation| operation.name), Some("acme.extend_thing"));
    assert_eq!(
        (job.account.as_deref(), job.verify, job.token, job.skip_invalid),
        (Some("acme"), Verify::Off, false, true)
    );
    assert_eq!(job.columns, [("subscription".to_owned(), "PurchaseID".to_owned())]);
    let defaults: Vec<(&str, &str)> = job.defaults.iter().collect();
    let expected = [
        ("Days", "30"),
        ("Price", "19.90"),
        ("Big", "1234567890123456.78"),
        ("Note", "a b"),
        ("Flag", "true"),
        ("From", "2026-12-01"),
    ];
    assert_eq!(defaults, expected);
    assert_eq!(job.guard, Guard { max_failures: MaxFailures::Percent(5), max_in_doubt: 3 });
    assert_eq!(job.results, Path::new("jobs/../out"));
    let limits = account(&scene.config().for_job(&job), "acme").profile.limits;
    assert_eq!((limits.rate.to_string().as_str(), limits.concurrency, limits.timeout.as_secs()), ("10/s", 8, 20));
}

#[test]
fn flags_win_over_the_job_file() {
    let text =
        "input = 'a.csv'\noperation = 'acme.extend_thing'\naccount = 'acme'\ndelimiter = ';'\n[results]\ndir = 'x'";
    let scene = Scene::job_file(text).flags(|flags| {
        flags.operation = Some("other.cancel_thing".to_owned());
        flags.account = Some("other".to_owned());
        flags.delimiter = Some(b'|');
        flags.encoding = Some("UTF-8".to_owned());
        flags.results = Some("y".into());
        flags.skip_invalid = true;
    });
    let job = scene.job();
    assert_eq!(job.operation.map(|operation| operation.name), Some("other.cancel_thing"));
    assert_eq!(
        (job.account.as_deref(), job.delimiter, job.encoding.as_deref()),
        (Some("other"), Some(b'|'), Some("UTF-8"))
    );
    assert_eq!((job.results.as_path(), job.skip_invalid), (Path::new("y"), true));
}

#[test]
fn what_a_job_file_says_must_be_known() {
    for (text, expected) in [
        ("input = 'a'\nacount = 'x'", "jobs/nightly.toml:2: unknown key `acount` | did you mean `account`?"),
        ("input = 'a'\n[limits]\nrat = 1", "jobs/nightly.toml:3: unknown key `limits.rat` | did you mean `rate`?"),
        ("input = 1", "jobs/nightly.toml:1: `input`: expected text in quotes, found a whole number"),
        ("input = ''", "jobs/nightly.toml:1: `input` is empty"),
        ("input = 'a'\nverify = 'of'", "jobs/nightly.toml:2: `verify` = `of`: expected `auto` or `off`"),
        ("input = 'a'\ntoken = 'yes'", "jobs/nightly.toml:2: `token`: expected `true` or `false`, found text"),
        ("input = 'a'\nname = 'a/b'", "jobs/nightly.toml:2: `name` = `a/b` cannot name a folder"),
        ("input = 'a'\nname = '..'", "jobs/nightly.toml:2: `name` = `..` cannot name a folder"),
        (
            "input = 'a'\n[defaults]\nx = [1]",
            "jobs/nightly.toml:3: `defaults.x`: expected a text or a number, found a list",
        ),
        (
            "input = 'a'\n[defaults]\nDays = 1\ndays = 2",
            "jobs/nightly.toml:4: `defaults.days` is there twice: as `Days` too (case is ignored)",
        ),
        ("input = 'a'\n[columns]\nx = 'Days'\ny = 'days'", "jobs/nightly.toml:4: columns `x` and `y` both give `days`"),
        (
            "input = 'a'\noperation = 'acme.extend_thin'",
            "jobs/nightly.toml:2: unknown operation `acme.extend_thin` | did you mean `acme.extend_thing`?",
        ),
        (
            "input = 'a'\noperation = 'cancel_thing'",
            "jobs/nightly.toml:2: unknown operation `cancel_thing` | did you mean `acme.cancel_thing` or \
             `other.cancel_thing`?",
        ),
        ("input = 'a'\naccount = 'acne'", "jobs/nightly.toml:2: unknown account `acne` | did you mean `acme`?"),
        (
            "input = 'a'\noperation = 'acme.extend_thing'\naccount = 'other'",
            "jobs/nightly.toml:3: `acme.extend_thing` cannot be sent to account `other`, which is one of `other`",
        ),
    ] {
        assert_eq!(Scene::job_file(text).job_error(), expected, "{text}");
    }
    let no_input = Scene::job_file("name = 'x'").job_error();
    assert!(no_input.starts_with("the job file `jobs/nightly.toml` names no input | add `input"), "{no_input}");
}

#[test]
fn an_input_is_a_job_by_itself() {
    let scene = Scene::new(&[]);
    let job = scene.try_job("a/extend.csv.gz").expect("an input");
    assert_eq!((job.name.as_str(), job.argument.as_str()), ("extend", "a/extend.csv.gz"));
    assert_eq!(
        job.input,
        InputPlace::File { path: scene.path("a/extend.csv.gz"), shown: "a/extend.csv.gz".to_owned() }
    );
    assert_eq!((job.results.as_path(), job.verify, job.token), (Path::new("results"), Verify::Auto, true));
    let job = scene.try_job("-").expect("standard input");
    assert_eq!((job.name.as_str(), &job.input), ("stdin", &InputPlace::Standard));
    let gone = scene.try_job("gone.toml").expect_err("no such file");
    assert_eq!(gone.to_string(), "the job file `gone.toml` does not exist");
    assert_eq!(scene.try_job("extend").expect_err("no job").to_string(), "`extend` is no job");
}

#[test]
fn the_journal_is_in_one_place_whatever_the_folder() {
    let home = |scene: Scene| scene.variable("HOME", "/home/ada");
    let usual = home(Scene::new(&[]));
    assert_eq!(usual.config().journal(), Ok("/home/ada/.local/state/subops/journal.db".into()));
    let rehearsal = usual.config().with_rehearsal_journal().journal();
    assert_eq!(rehearsal, Ok("/home/ada/.local/state/subops/sandbox.db".into()));
    let in_file = home(Scene::config_file("journal = 'file.db'"));
    assert_eq!(in_file.config().journal(), Ok(in_file.path("file.db")));
    let by_flag = home(Scene::config_file("journal = 'file.db'")).flags(|flags| flags.journal = Some("flag.db".into()));
    assert_eq!(by_flag.config().journal(), Ok(by_flag.path("flag.db")));
    assert!(Scene::new(&[]).config().journal().is_err());
    // A real run must never end up among rehearsals, which may be repeated freely.
    let confused = Scene::new(&[]).flags(|flags| flags.journal = Some("sandbox.db".into()));
    assert!(confused.config().journal().is_err() && confused.config().with_rehearsal_journal().journal().is_err());
}

fn values(credentials: &[Credentials]) -> Vec<Vec<(&'static str, String)>> {
    let exposed = |one: &Credentials| {
        one.values.iter().map(|(key, value)| (*key, value.expose_secret().to_owned())).collect::<Vec<_>>()
    };
    credentials.iter().map(exposed).collect()
}

fn fetched(scene: &Scene, operations: &[&str]) -> Result<Vec<Credentials>, ConfigError> {
    let config = scene.config();
    let openings: Vec<Opening<'_>> = config.accounts.iter().map(|account| Opening { account, operations }).collect();
    credentials(&openings[..1], &scene.environment())
}

#[test]
fn only_the_credentials_that_are_needed_must_be_there() {
    let scene = Scene::new(&[]).variable("ACME_USER", "ada").variable("ACME_ACCESS_KEY", CANARY);
    let found = fetched(&scene, &["acme.extend_thing"]).expect("all that is needed");
    assert_eq!(values(&found), [[("user", "ada".to_owned()), ("access_key", CANARY.to_owned())]]);
    let fault = fetched(&scene, &["acme.cancel_thing"]).map(|_| ()).expect_err("one is missing");
    assert_eq!(fault.to_string(), "account `acme`, `password`: the environment variable `ACME_PASSWORD` is not set");
}

#[test]
fn every_missing_credential_is_named_in_one_error() {
    let text = "[accounts.acme.credentials]\nuser = { env = 'NOBODY' }\naccess_key = { file = 'gone' }";
    let scene = Scene::config_file(text).variable("NOBODY", "").variable("ACME_PASSWORD", CANARY);
    let fault = fetched(&scene, &["acme.cancel_thing"]).map(|_| ()).expect_err("two are missing");
    let message = fault.to_string();
    assert!(message.starts_with("2 credentials cannot be used:\n  account `acme`, `user`: "), "{message}");
    assert!(message.contains("`NOBODY` is empty") && message.contains("gone` cannot be read"), "{message}");
    assert!(!message.contains(CANARY));
}

#[test]
fn a_configured_credential_that_nothing_needs_warns() {
    let text = "[accounts.acme.credentials]\npassword = { file = 'gone' }";
    let scene = Scene::config_file(text).variable("ACME_USER", "ada").variable("ACME_ACCESS_KEY", CANARY);
    let found = fetched(&scene, &["acme.extend_thing"]).expect("all that is needed");
    assert_eq!(found[0].values.len(), 2);
    assert!(matches!(found[0].warnings.as_slice(), [one] if one.contains("`password`") && one.contains("gone")));
}

#[test]
fn a_rehearsal_takes_nothing_real() {
    let text = format!(
        "[accounts.acme]\nca_file = 'ca.pem'\n[accounts.acme.urls]\napi = 'https://real.example'\n\
         [accounts.acme.credentials]\naccess_key = {{ command = ['echo', '{CANARY}'] }}"
    );
    let scene = Scene::config_file(&text).variable("ACME_ACCESS_KEY", CANARY).variable("HOME", "/home/ada");
    let urls =
        ["ACME_API_URL", "ACME_SRS_URL", "OTHER_API_URL", "OTHER_SRS_URL"].map(|name| (name, "http://127.0.0.1:9"));
    let made_up = [("ACME_USER", "u"), ("ACME_ACCESS_KEY", "k"), ("ACME_PASSWORD", "p")];
    let environment = scene.environment().only(urls.into_iter().chain(made_up));
    let config = scene.config().rehearsing(&environment).expect("a rehearsal");
    let acme = account(&config, "acme");
    assert!(acme.urls.iter().all(|(_, url)| url == "http://127.0.0.1:9") && acme.ca_file.is_none());
    let found = credentials(&[Opening { account: acme, operations: &[] }], &environment).expect("made up");
    assert!(!values(&found)[0].iter().any(|(_, value)| value.contains(CANARY)));
    assert_eq!(config.journal(), Ok("/home/ada/.local/state/subops/sandbox.db".into()));
    // Whatever the sandbox does not give is missing: nothing of the real environment takes its place.
    let without_key = scene.environment().only(urls);
    let fault = credentials(&[Opening { account: acme, operations: &[] }], &without_key).map(|_| ());
    assert!(fault.is_err_and(|fault| fault.message.contains("`ACME_ACCESS_KEY` is not set")));
    for value in ["https://real.example", ""] {
        let leading_away = scene.environment().only(urls.into_iter().chain([("ACME_API_URL", value)]));
        let fault = scene.config().rehearsing(&leading_away).map(|_| ());
        let expected = "the sandbox gave no address of this machine for `ACME_API_URL`";
        assert_eq!(fault.map_err(|fault| fault.to_string()), Err(expected.to_owned()), "{value}");
    }
}

#[test]
fn no_debug_shows_a_secret_or_a_customers_value() {
    let config = format!("[accounts.acme.credentials]\naccess_key = {{ command = ['echo', '{CANARY}'] }}");
    let job = format!("input = 'a.csv'\n[defaults]\nCardNumber = '4111111111111111'\nPassword = '{CANARY}'");
    let scene = Scene::new(&[("subops.toml", config.as_str()), ("jobs/nightly.toml", job.as_str())])
        .variable("ACME_USER", CANARY)
        .variable("ACME_PASSWORD", CANARY);
    let (config, job) = (scene.config(), scene.job());
    let shown = format!("{config:?} {job:?} {:?} {:?}", scene.environment(), account(&config, "acme"));
    assert!(shown.contains("CardNumber"));
    assert!(!shown.contains(CANARY) && !shown.contains("4111"), "{shown}");
    let opening = Opening { account: account(&config, "acme"), operations: &[] };
    let found = credentials(&[opening], &scene.environment());
    let found = found.expect("the command prints it");
    assert!(!format!("{:?} {opening:?}", found[0].values).contains(CANARY));
}
