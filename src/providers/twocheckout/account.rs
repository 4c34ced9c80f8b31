//! An account: the one funnel for calls, with the session that goes with each.
//!
//! A row's call never logs in: where its session is gone it reports that, and the engine asks for readiness first. What
//! the provider wrote passes through `redact` with the secret key, the session and the row's card before anyone sees it.

use std::cell::Cell;
use std::time::Duration;

use http::header::{ACCEPT, HeaderName, HeaderValue};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use crate::contract::{Account, Doubt, Finding, LocalFuture, Observation};
use crate::http::{Call, Endpoint, HttpReply, Transport};
use crate::model::failure::{Answer, Failure, FailureClass, Reply};
use crate::model::row::Row;

use super::login::{Login, date};
use super::operations::{Success, Task, task};
use super::payouts::{DEFAULT_LIMIT, Next, Pages};
use super::replies::{Heard, heard, in_words, reply_of};
use super::said::Said;
use super::session::{Session, Sessions};
use super::value::{Argument, Value};
use super::{reads, rpc, soap};

const SOAP_ACTION: HeaderName = HeaderName::from_static("soapaction");

/// How methods are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// JSON, arguments by position.
    JsonRpc,
    /// XML, arguments by name.
    Soap,
}

/// An account, ready to call.
pub(super) struct TwoCheckoutAccount {
    pub(super) endpoint: Endpoint,
    pub(super) transport: Transport,
    pub(super) protocol: Protocol,
    pub(super) api_version: String,
    pub(super) login: Login,
    pub(super) sessions: Sessions,
    /// The id of the next JSON-RPC request. It starts anywhere, so that a reply that some cache kept from an earlier run
    /// hardly fits.
    pub(super) next_id: Cell<u32>,
    pub(super) shipping_fees_method: Option<String>,
    pub(super) refusals: Vec<String>,
    pub(super) settle_delay: Duration,
}

impl TwoCheckoutAccount {
    /// One request, one reply.
    async fn ask(&self, method: &str, arguments: &[Argument<'_>]) -> Result<(HttpReply, Said), Failure> {
        let id = self.next_id.get();
        self.next_id.set(id.wrapping_add(1) & 0x7fff_ffff);
        let version = self.api_version.as_str();
        let unsendable = || Failure::new(FailureClass::NotWritten, "the row cannot be written as a request");
        let call = match self.protocol {
            Protocol::JsonRpc => {
                let body = bytes::Bytes::from_owner(rpc::request(id, method, arguments));
                Call::post(&self.endpoint, format!("/rpc/{version}/"), "application/json", body)
                    .header(ACCEPT, HeaderValue::from_static("application/json"))
            }
            Protocol::Soap => {
                let body = soap::request(version, method, arguments).ok_or_else(unsendable)?;
                let action = format!("\"{}#{method}\"", soap::namespace(version));
                let action = HeaderValue::try_from(action).map_err(|_| unsendable())?;
                let body = bytes::Bytes::from_owner(body);
                Call::post(&self.endpoint, format!("/soap/{version}/"), "text/xml; charset=utf-8", body)
                    .header(SOAP_ACTION, action)
            }
        };
        let reply = self.transport.send(call).await?;
        let said = match self.protocol {
            Protocol::JsonRpc => rpc::said(&reply.body, id),
            Protocol::Soap => soap::said(&reply.body, method),
        };
        Ok((reply, said))
    }

    /// One request within a session, and what came of it. A refused session is noted, so that it is forgotten once.
    async fn call(&self, session: &Session, method: &str, mut arguments: Vec<Argument<'_>>, secrets: &[&str]) -> Heard {
        arguments.insert(0, ("sessionID", Value::text(session.id.expose_secret())));
        // Asked before the call: a reply that takes long does not make a session old.
        let young = session.is_young();
        let (reply, said) = match self.ask(method, &arguments).await {
            Ok(answered) => answered,
            Err(failure) => return Heard::Failed(failure),
        };
        let heard = heard(&reply, said, self.protocol == Protocol::Soap, secrets);
        match &heard {
            Heard::Complaint(complaint, _) if complaint.is_about_the_session() => {
                self.sessions.refuse(session);
                let said = in_words(complaint, secrets);
                if young && !session.was_accepted() {
                    return Heard::Failed(Failure::new(
                        FailureClass::Credentials,
                        format!(
                            "2Checkout does not accept the session that it has just given ({said}): another program may \
                             log in to the same account, or `api_version` and `hash` do not fit it"
                        ),
                    ));
                }
                Heard::Failed(Failure::new(FailureClass::SessionExpired, said))
            }
            Heard::Result(_) | Heard::Complaint(..) => {
                session.accept();
                heard
            }
            Heard::Refused(_) | Heard::Failed(_) => heard,
        }
    }

    /// Logs in. Whatever a login is refused with, it is the credentials that were refused.
    async fn log_in(&self) -> Result<SecretString, Failure> {
        let now = Timestamp::now();
        let (reply, said) = self.ask("login", &self.login.arguments(now)).await?;
        let secrets = [self.login.secret_key.expose_secret()];
        let refused = |said: &str| {
            let clock = date(now);
            Failure::new(
                FailureClass::Credentials,
                format!(
                    "2Checkout did not accept the login ({said}): check `merchant_code` and `secret_key`, and this \
                     machine's clock, which says {clock} UTC"
                ),
            )
        };
        match heard(&reply, said, self.protocol == Protocol::Soap, &secrets) {
            Heard::Result(Value::Text(id)) if is_session(&id) => Ok(id.into_owned().into()),
            Heard::Result(_) => Err(Failure::new(FailureClass::Unrecognised, "the login brought no session")),
            Heard::Complaint(complaint, Some(failure))
                if failure.class != FailureClass::Credentials && !complaint.is_about_the_session() =>
            {
                Err(failure)
            }
            Heard::Complaint(complaint, _) => Err(refused(&in_words(&complaint, &secrets))),
            Heard::Refused(answer) => Err(Failure::new(
                FailureClass::Unrecognised,
                format!("the login was answered with {}: check the URL `api` and `api_version`", answer.message),
            )),
            Heard::Failed(failure) if failure.class == FailureClass::Credentials => Err(refused(&failure.message)),
            Heard::Failed(failure) => Err(failure),
        }
    }

    async fn perform_task(&self, row: &Row, token: Option<&str>, task: &Task) -> Reply {
        let Some(session) = self.sessions.current() else { return Reply::Failed(no_session()) };
        let secrets = self.secrets(&session, row);
        let arguments = match (task.arguments)(row, token) {
            Ok(arguments) => arguments,
            Err(why) => return Reply::Failed(Failure::new(FailureClass::NotWritten, why)),
        };
        if task.success == Success::Payouts {
            return self.all_payouts(&session, row, arguments, task, &secrets).await;
        }
        let method = match (&self.shipping_fees_method, task.success) {
            (Some(method), Success::ShippingFees) => method.as_str(),
            _ => task.method,
        };
        let heard = self.call(&session, method, arguments, &secrets).await;
        reply_of(row.operation, task.success, heard, &self.refusals, &secrets)
    }

    /// Reads page after page. A session that expires on the way ends it; the engine then reads all of them again.
    async fn all_payouts(
        &self,
        session: &Session,
        row: &Row,
        arguments: Vec<Argument<'_>>,
        task: &Task,
        secrets: &[&str],
    ) -> Reply {
        let limit = row.get("Pagination.Limit").unwrap_or(DEFAULT_LIMIT);
        let mut pages = Pages::default();
        loop {
            let mut arguments = arguments.clone();
            if let Some((_, filter)) = arguments.first_mut() {
                filter.set("Pagination.Page", Value::Number(pages.next().to_string().into()));
                filter.set("Pagination.Limit", Value::number(limit));
            }
            let page = match self.call(session, task.method, arguments, secrets).await {
                Heard::Result(page) => page,
                other => return reply_of(row.operation, task.success, other, &self.refusals, secrets),
            };
            match pages.take(&page, limit.parse().unwrap_or(u64::MAX)) {
                Next::Read => {}
                Next::Wrong(why) => return Reply::Failed(Failure::new(FailureClass::Unrecognised, why)),
                Next::Done => return Reply::Applied(Answer { data: pages.data(), ..Answer::word("read") }),
            }
        }
    }

    /// Everything that the provider may send back at us and that nobody may see.
    fn secrets<'a>(&'a self, session: &'a Session, row: &'a Row) -> Vec<&'a str> {
        let card = row.given().filter(|(parameter, _)| parameter.kind.is_secret()).map(|(_, value)| value);
        [self.login.secret_key.expose_secret(), session.id.expose_secret()].into_iter().chain(card).collect()
    }
}

impl Account for TwoCheckoutAccount {
    fn ready(&self) -> LocalFuture<'_, Result<(), Failure>> {
        Box::pin(self.sessions.ready(|| self.log_in()))
    }

    fn forget_session(&self) {
        self.sessions.forget();
    }

    fn perform<'a>(&'a self, row: &'a Row, token: Option<&'a str>) -> LocalFuture<'a, Reply> {
        Box::pin(async move {
            match task(row.operation.verb()) {
                Some(task) => self.perform_task(row, token, &task).await,
                // Cannot happen while the declarations and the tasks agree; a test says so.
                None => Reply::Failed(Failure::new(
                    FailureClass::NotWritten,
                    format!("`{}` is not an operation of 2Checkout", row.operation.name),
                )),
            }
        })
    }

    /// A login, since it is what everything needs and changes nothing. Made even where a session is still good.
    fn probe(&self) -> LocalFuture<'_, Reply> {
        Box::pin(async {
            match self.sessions.renew(|| self.log_in()).await {
                Ok(()) => Reply::Applied(Answer {
                    code: "login".to_owned(),
                    message: format!("login accepted (API {})", self.api_version),
                    ..Answer::default()
                }),
                Err(failure) => Reply::Failed(failure),
            }
        })
    }

    fn observe<'a>(&'a self, row: &'a Row) -> Option<LocalFuture<'a, Result<Observation, Failure>>> {
        let evidence = task(row.operation.verb())?.evidence?;
        let (method, arguments) = reads::question(evidence, row)?;
        Some(Box::pin(async move {
            let session = self.sessions.current().ok_or_else(no_session)?;
            let secrets = self.secrets(&session, row);
            let heard = self.call(&session, method, arguments, &secrets).await;
            reads::facts(evidence, row, heard, Timestamp::now(), &secrets)
        }))
    }

    fn judge(&self, row: &Row, doubt: &Doubt<'_>, now: &Observation) -> Finding {
        match task(row.operation.verb()).and_then(|task| task.evidence) {
            Some(evidence) => reads::judge(evidence, row, doubt, now, self.settle_delay),
            None => Finding::Conflict("nothing that can be read shows it".to_owned()),
        }
    }

    fn settle_delay(&self) -> Duration {
        self.settle_delay
    }
}

/// Another worker's call found the session expired just now. Nothing was sent.
fn no_session() -> Failure {
    Failure::new(FailureClass::SessionExpired, "there is no session: it expired a moment ago, and nothing was sent")
}

/// A session is a word; a sentence is something else.
fn is_session(id: &str) -> bool {
    (1..=512).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}
