//! The suite: every operation of every provider, in every form, with every reply, through its real adapter.
//!
//! What a reply comes to is compared with the samples and with the design's table; what becomes of the row then, is asked
//! from the engine's verdict. Nothing that an adapter says may hold a credential, and no call is more than one request.

use std::collections::BTreeSet;
use std::time::Duration;

use subops::contract::{Account, AccountSetup, Provider};
use subops::engine::verdict::{Situation, verdict};
use subops::http::{Transport, TransportSettings};
use subops::model::failure::{FailureClass as F, Reply};
use subops::model::ids::AccountName;
use subops::model::operation::{Effect, Meaning, OperationSpec};
use subops::model::row::Row;
use subops::providers::REGISTRY;
use tokio::runtime::Runtime;

use super::samples::{Comes, Form, PROVIDERS, ProviderSamples, Said, Samples};
use super::server::{Say, Server};
use super::{rows, table};

/// An operation in one form, ready to be performed against a server of ours.
struct Stand {
    what: String,
    row: Row,
    account: Box<dyn Account>,
    server: Server,
    login: Option<Said>,
    runtime: Runtime,
    cases: usize,
}

impl Stand {
    fn new(provider: &dyn Provider, known: &ProviderSamples, operation: &'static OperationSpec, form: &Form) -> Self {
        let nothing = Said { status: 404, content_type: "text/plain", body: String::new() };
        let server = Server::start(Say::Reply(nothing), known.fill);
        let account = provider.open(setup(provider, known, form, &server.url)).expect("an account");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let login = form.login.map(|login| login());
        let what = format!("{} by {}", operation.name, form.name);
        Self { what, row: rows::example(operation), account, server, login, runtime, cases: 0 }
    }

    /// Opens a session, where there are sessions.
    fn enter(&self) {
        let Some(login) = &self.login else { return };
        self.server.say(Say::Reply(login.clone()));
        self.runtime.block_on(self.account.ready()).expect("a login");
    }

    /// Opens a new session, of which nothing was ever accepted.
    fn enter_anew(&self) {
        self.server.say(Say::Reply(self.login.clone().expect("a provider with sessions")));
        let came = self.runtime.block_on(self.account.probe());
        assert!(matches!(came, Reply::Applied(_)), "{}: {came:?}", self.what);
    }

    /// What the operation comes to when this is said.
    fn perform(&mut self, name: &str, say: Say) -> Reply {
        let before = self.server.requests();
        self.server.say(say);
        let came = self.runtime.block_on(self.account.perform(&self.row, None));
        let shown = format!("{came:?}");
        assert!(!shown.contains("canary"), "{}, {name}: a credential is shown: {shown}", self.what);
        assert!(self.server.requests() <= before + 1, "{}, {name}: more than one request", self.what);
        self.cases += 1;
        came
    }

    /// The same, with the fate that the table gives to it.
    fn comes(&mut self, name: &str, say: Say, expected: Comes) -> Reply {
        self.enter();
        let came = self.perform(name, say);
        let what = format!("{}, {name}", self.what);
        assert_eq!(in_short(&came), expected, "{what}: {came:?}");
        if let Reply::Failed(failure) = &came {
            let (class, effect) = (failure.class, self.row.operation.effect);
            let situation = Situation { class, effect, retries: 0, resends: 0, unsettled: false };
            assert_eq!(verdict(situation), table::line(class, effect), "{what}");
        }
        came
    }
}

fn setup(provider: &dyn Provider, known: &ProviderSamples, form: &Form, url: &str) -> AccountSetup {
    let settings = TransportSettings {
        connect_timeout: Duration::from_secs(5),
        timeout: Duration::from_secs(5),
        ca_file: None,
        user_agent: "subops-test".to_owned(),
    };
    let chosen = |key: &str| form.options.iter().find(|(own, _)| *own == key).map(|(_, value)| *value);
    let options = provider.options().iter().map(|spec| (spec.key, chosen(spec.key).unwrap_or(spec.default).to_owned()));
    AccountSetup {
        name: AccountName::new(provider.name()),
        urls: provider.urls().iter().map(|spec| (spec.key, url.to_owned())).collect(),
        credentials: known.credentials.iter().map(|(key, value)| (*key, (*value).into())).collect(),
        options: options.collect(),
        transport: Transport::new(settings).expect("a transport"),
    }
}

fn in_short(reply: &Reply) -> Comes {
    match reply {
        Reply::Applied(_) => Comes::Applied,
        Reply::Already(_) => Comes::Already,
        Reply::Refused(_) => Comes::Refused,
        Reply::Failed(failure) => Comes::Failed(failure.class),
    }
}

fn neutral(status: u16) -> Said {
    Said { status, content_type: "text/plain", body: "no more than this".to_owned() }
}

fn page(body: &str) -> Said {
    Said { status: 200, content_type: "text/html; charset=utf-8", body: body.to_owned() }
}

fn success(stand: &mut Stand, samples: &Samples) {
    let came = stand.comes("a documented success", Say::Reply(samples.success.clone()), Comes::Applied);
    let Reply::Applied(answer) = came else { unreachable!("it was compared") };
    let returns = stand.row.operation.returns;
    assert_eq!(answer.data.is_empty(), returns.is_empty(), "{}: {answer:?}", stand.what);
    for (name, _) in &answer.data {
        assert!(returns.contains(name), "{}: returns `{name}`, which is not declared", stand.what);
    }
}

/// Every documented word has a sample, and every sample is a documented word.
fn words(stand: &mut Stand, known: &ProviderSamples, samples: &Samples) {
    let declared: BTreeSet<&str> = stand.row.operation.words.iter().map(|word| word.text).collect();
    let sampled: BTreeSet<&str> = samples.words.iter().map(|(word, ..)| *word).collect();
    assert_eq!(declared, sampled, "{}: documented words, and those with a sample", stand.what);
    for (word, said, comes) in &samples.words {
        if known.session_words.contains(word) {
            // A session that was never good is a wrong login; one that had been good has expired.
            stand.enter_anew();
            stand.comes(word, Say::Reply(said.clone()), Comes::Failed(F::Credentials));
            stand.account.forget_session();
            success(stand, samples);
        }
        stand.comes(word, Say::Reply(said.clone()), *comes);
        stand.account.forget_session();
    }
    for (name, said, comes) in &samples.others {
        stand.comes(name, Say::Reply(said.clone()), *comes);
    }
    if let Some(another) = &samples.another {
        stand.comes("a reply about another", Say::Reply(another.clone()), Comes::Failed(F::Unrecognised));
    }
}

fn broken_replies(stand: &mut Stand, samples: &Samples) {
    let whole = &samples.success;
    stand.comes("a body that is cut", Say::Cut(whole.clone()), Comes::Failed(F::Truncated));
    let ends: BTreeSet<usize> =
        (0..12).map(|part| whole.body.len() * part / 12).chain([whole.body.len() - 1]).collect();
    for end in ends {
        let body = whole.body[..end].to_owned();
        let say = Say::Reply(Said { body, ..whole.clone() });
        stand.comes(&format!("the first {end} bytes of a success"), say, Comes::Failed(F::Unrecognised));
    }
    let html = Comes::Failed(F::Html);
    stand.comes("a page", Say::Reply(page("<!DOCTYPE html><title>Maintenance</title>")), html);
    stand.comes("a success that calls itself a page", Say::Reply(page(&whole.body)), html);
    let said = Said { body: "<html>Sign in</html>".to_owned(), ..whole.clone() };
    stand.comes("a page that calls itself a success", Say::Reply(said), html);
}

fn statuses(stand: &mut Stand, samples: &Samples) {
    for (status, class) in table::STATUSES {
        let expected = class.map_or(Comes::Refused, Comes::Failed);
        let name = format!("HTTP {status}");
        let came = stand.comes(&name, Say::With("Retry-After: 7\r\n", neutral(status)), expected);
        if let Reply::Failed(failure) = came {
            assert_eq!(failure.retry_after, Some(Duration::from_secs(7)), "{}, {name}", stand.what);
        }
        let page = Said { status, ..page("<html>No</html>") };
        stand.comes(&format!("{name} with a page"), Say::Reply(page), expected);

        // What a body says never makes a success of another status.
        let said = Said { status, ..samples.success.clone() };
        let name = format!("{name} with a success");
        match class {
            Some(_) => drop(stand.comes(&name, Say::Reply(said), expected)),
            None => {
                stand.enter();
                let came = in_short(&stand.perform(&name, Say::Reply(said)));
                assert!(matches!(came, Comes::Refused | Comes::Failed(F::Unrecognised)), "{}, {name}", stand.what);
            }
        }
    }
}

fn broken_connections(stand: &mut Stand) {
    let lost = Comes::Failed(F::Lost);
    stand.comes("a reset before the request was read", Say::ResetBefore, lost);
    stand.comes("a reset after the request was read", Say::ResetAfter, lost);
    stand.comes("the end of the connection without a word", Say::Close, lost);
    stand.enter();
    stand.server.stop();
    let came = stand.runtime.block_on(stand.account.perform(&stand.row, None));
    assert_eq!(in_short(&came), Comes::Failed(F::NotConnected), "{}", stand.what);
    assert!(!format!("{came:?}").contains("canary"), "{}: {came:?}", stand.what);
    stand.cases += 1;
}

/// Runs the suite over one provider and returns how many cases there were.
fn conforms(name: &str) -> usize {
    let provider = *REGISTRY.iter().find(|provider| provider.name() == name).expect("a provider of the registry");
    let known = PROVIDERS.iter().find(|known| known.provider == name).expect("samples of the provider");
    let mut cases = 0;
    for operation in provider.operations() {
        for form in known.forms.iter().filter(|form| operation.name.contains(form.only)) {
            let samples = (known.samples)(operation, form.name);
            let samples = samples.unwrap_or_else(|| panic!("{} has no samples", operation.name));
            let mut stand = Stand::new(provider, known, operation, form);
            success(&mut stand, &samples);
            words(&mut stand, known, &samples);
            broken_replies(&mut stand, &samples);
            statuses(&mut stand, &samples);
            broken_connections(&mut stand);
            cases += stand.cases;
        }
    }
    cases
}

#[test]
fn segpay_conforms() {
    assert!(conforms("segpay") > 600);
}

#[test]
fn paypro_conforms() {
    assert!(conforms("paypro") > 300);
}

#[test]
fn twocheckout_conforms() {
    assert!(conforms("twocheckout") > 2000);
}

/// A provider that is added without samples, or without a test above, shows here.
#[test]
fn every_provider_has_samples() {
    let registered: Vec<&str> = REGISTRY.iter().map(|provider| provider.name()).collect();
    assert_eq!(registered, PROVIDERS.each_ref().map(|known| known.provider));
    assert_eq!(registered, ["segpay", "paypro", "twocheckout"], "each has its test in this file");
    for known in &PROVIDERS {
        let provider = REGISTRY.iter().find(|provider| provider.name() == known.provider).expect("it is registered");
        for credential in provider.credentials() {
            assert!(known.credentials.iter().any(|(key, _)| *key == credential.key), "{}", credential.key);
        }
    }
}

/// "Already so" proves nothing about a row that adds up, so no such operation may have the word.
#[test]
fn nothing_that_adds_up_is_ever_already_so() {
    for operation in REGISTRY.iter().flat_map(|provider| provider.operations()) {
        let already = operation.words.iter().any(|word| word.meaning == Meaning::Already);
        assert!(!already || operation.effect != Effect::Additive, "{}", operation.name);
    }
}
