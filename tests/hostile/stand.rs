//! An operation in one form, with its real adapter over a line that leads here: each call is answered with the bytes that
//! the test chose. No network, one thread.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use subops::contract::{Account, AccountSetup, Provider};
use subops::http::{Transport, TransportSettings};
use subops::model::failure::{FailureClass, Reply};
use subops::model::ids::AccountName;
use subops::model::operation::OperationSpec;
use subops::model::row::Row;
use subops::providers::REGISTRY;
use tokio::runtime::Runtime;

use crate::oracle::Heard;
use crate::rows;
use crate::samples::{Fill, Form, PROVIDERS, ProviderSamples, Said, Samples};

/// What comes back for a request.
#[derive(Debug, Clone)]
pub(crate) enum Say {
    /// This reply, with a head that is right for it.
    Reply { status: u16, content_type: String, body: Vec<u8> },
    /// These bytes, head and all.
    Wire(Vec<u8>),
}

impl Say {
    pub(crate) fn of(said: &Said) -> Self {
        let content_type = said.content_type.to_owned();
        Say::Reply { status: said.status, content_type, body: said.body.clone().into_bytes() }
    }
}

/// What is between the line and the test.
#[derive(Default)]
struct Exchange {
    say: Option<Say>,
    login: Option<Say>,
    /// The body of the last reply, as it was sent.
    body: Vec<u8>,
    /// What was filled into it.
    filled: BTreeMap<&'static str, String>,
    requests: usize,
}

/// One operation, ready to be performed.
pub(crate) struct Stand {
    pub(crate) operation: &'static OperationSpec,
    pub(crate) form: &'static str,
    pub(crate) row: Row,
    pub(crate) samples: Samples,
    account: Box<dyn Account>,
    exchange: Arc<Mutex<Exchange>>,
    runtime: Runtime,
}

/// Every operation of the registry in every form.
pub(crate) fn every() -> Vec<Stand> {
    chosen(|_, _| true)
}

/// Those operations in those forms that are wanted; making one takes a while.
pub(crate) fn chosen(wanted: impl Fn(&str, &str) -> bool) -> Vec<Stand> {
    let mut stands = Vec::new();
    for provider in REGISTRY {
        let known = PROVIDERS.iter().find(|known| known.provider == provider.name()).expect("samples of the provider");
        for operation in provider.operations() {
            let forms = known.forms.iter().filter(|form| operation.name.contains(form.only));
            for form in forms.filter(|form| wanted(operation.name, form.name)) {
                stands.push(Stand::new(*provider, known, operation, form));
            }
        }
    }
    stands
}

impl Stand {
    fn new(
        provider: &dyn Provider,
        known: &'static ProviderSamples,
        operation: &'static OperationSpec,
        form: &'static Form,
    ) -> Self {
        let exchange =
            Arc::new(Mutex::new(Exchange { login: form.login.map(|login| Say::of(&login())), ..Exchange::default() }));
        let (own, fill) = (Arc::clone(&exchange), known.fill);
        let answer = move |request: &[u8]| {
            let mut exchange = own.lock().unwrap_or_else(PoisonError::into_inner);
            exchange.answer(request, fill)
        };
        let transport = Transport::inside(settings(), Arc::new(answer)).expect("a transport");
        let account = provider.open(setup(provider, known, form, transport)).expect("an account");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let samples = (known.samples)(operation, form.name);
        let samples = samples.unwrap_or_else(|| panic!("{} has no samples", operation.name));
        Self { operation, form: form.name, row: rows::example(operation), samples, account, exchange, runtime }
    }

    pub(crate) fn name(&self) -> String {
        format!("{} by {}", self.operation.name, self.form)
    }

    /// What the operation comes to when this is said, and what the oracle may know about it.
    pub(crate) fn perform(&self, say: Say) -> (Reply, Heard<'_>) {
        let status = match &say {
            Say::Reply { status, .. } => Some(*status),
            Say::Wire(_) => None,
        };
        let content_type = match &say {
            Say::Reply { content_type, .. } => content_type.clone(),
            Say::Wire(_) => String::new(),
        };
        self.exchange(|exchange| exchange.say = Some(say));
        self.runtime.block_on(self.account.ready()).expect("a login");
        self.exchange(|exchange| exchange.requests = 0);
        let came = self.runtime.block_on(self.account.perform(&self.row, None));
        if matches!(&came, Reply::Failed(failure) if failure.class == FailureClass::SessionExpired) {
            self.account.forget_session();
        }
        let (body, filled, requests) =
            self.exchange(|exchange| (exchange.body.clone(), exchange.filled.clone(), exchange.requests));
        let heard = Heard { stand: self, status, content_type, body, filled, requests };
        (came, heard)
    }

    /// What a read of the operation's subject makes of this, where there is one.
    pub(crate) fn observe(&self, say: Say) -> Option<bool> {
        self.exchange(|exchange| exchange.say = Some(say));
        self.runtime.block_on(self.account.ready()).expect("a login");
        let seen = self.runtime.block_on(self.account.observe(&self.row)?);
        if matches!(&seen, Err(failure) if failure.class == FailureClass::SessionExpired) {
            self.account.forget_session();
        }
        Some(seen.is_ok())
    }

    fn exchange<T>(&self, work: impl FnOnce(&mut Exchange) -> T) -> T {
        work(&mut self.exchange.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Exchange {
    fn answer(&mut self, request: &[u8], fill: Fill) -> Vec<u8> {
        self.requests += 1;
        let text = String::from_utf8_lossy(request);
        let is_login = text.contains("\"method\":\"login\"") || text.contains("<ns1:login>");
        let say = if is_login { self.login.clone() } else { self.say.clone() };
        for name in ["id", "method"] {
            self.filled.insert(name, fill(&format!("{{{name}}}"), &text));
        }
        match say.expect("something to say") {
            Say::Reply { status, content_type, body } => {
                self.body = self.fill(body);
                let length = self.body.len();
                let head = format!(
                    "HTTP/1.1 {status} Said\r\nConnection: close\r\nContent-Type: {content_type}\r\n\
                     Content-Length: {length}\r\n\r\n"
                );
                [head.as_bytes(), &self.body].concat()
            }
            Say::Wire(bytes) => {
                self.body.clear();
                self.fill(bytes)
            }
        }
    }

    /// Puts what only the request tells into what may be no text at all.
    fn fill(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        if let Ok(text) = String::from_utf8(std::mem::take(&mut bytes)).map_err(|error| bytes = error.into_bytes()) {
            let fill = |text: String, (name, value): (&&str, &String)| text.replace(&format!("{{{name}}}"), value);
            return self.filled.iter().fold(text, fill).into_bytes();
        }
        for (name, value) in &self.filled {
            let mark = format!("{{{name}}}").into_bytes();
            let mut from = 0;
            while let Some(at) = bytes[from..].windows(mark.len()).position(|window| window == mark) {
                bytes.splice(from + at..from + at + mark.len(), value.bytes());
                from += at + value.len();
            }
        }
        bytes
    }
}

fn settings() -> TransportSettings {
    TransportSettings {
        connect_timeout: Duration::from_secs(5),
        timeout: Duration::from_secs(60),
        ca_file: None,
        user_agent: "subops-test".to_owned(),
    }
}

fn setup(provider: &dyn Provider, known: &ProviderSamples, form: &Form, transport: Transport) -> AccountSetup {
    let chosen = |key: &str| form.options.iter().find(|(own, _)| *own == key).map(|(_, value)| *value);
    let options = provider.options().iter().map(|spec| (spec.key, chosen(spec.key).unwrap_or(spec.default).to_owned()));
    AccountSetup {
        name: AccountName::new(provider.name()),
        urls: provider.urls().iter().map(|spec| (spec.key, "http://127.0.0.1:1".to_owned())).collect(),
        credentials: known.credentials.iter().map(|(key, value)| (*key, (*value).into())).collect(),
        options: options.collect(),
        transport,
    }
}
