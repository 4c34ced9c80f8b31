//! The one place that puts requests on the wire: one request a call, and an exact account of what left.
//!
//! A general client hides what matters here. It gives one error for "reset before the request was read" and for "reset
//! after it was executed", sends a request again by itself, follows redirects, and takes a proxy from the environment.
//! So this room drives hyper's HTTP/1.1 connection itself, over sockets that count what they were given.
//!
//! It must not retry (the engine alone repeats calls), follow, log, or show a URL, a header or a body: providers put
//! their credentials in all three. Invariant: a call is reported as never written only where a count of zero proves it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use http::uri::PathAndQuery;
use http::{Method, Request, Uri, Version};
use http_body_util::Full;
use tokio::time::{Instant, timeout_at};

use crate::model::failure::{Failure, FailureClass};

mod connect;
mod endpoint;
mod inside;
mod meter;
mod pool;
mod redact;
mod reply;
#[cfg(test)]
pub(crate) mod scripted;
#[cfg(test)]
mod tests;
mod wire;

pub use endpoint::Endpoint;
#[doc(hidden)]
pub use inside::Answerer;
pub use redact::redact;
pub use reply::{HttpReply, failure_of, refusal_of};

use connect::Connector;
use pool::Pool;
use wire::{Broken, Wire};

/// What holds for every call of one account.
#[derive(Debug, Clone)]
pub struct TransportSettings {
    /// The longest that finding the address, connecting and the TLS handshake may take together.
    pub connect_timeout: Duration,
    /// The longest that a call may take once the connection stands, to the last byte of its reply.
    pub timeout: Duration,
    /// A PEM file of the certificate authorities to trust, in place of the built-in ones.
    pub ca_file: Option<PathBuf>,
    /// What we call ourselves.
    pub user_agent: String,
}

/// Sends calls. A cheap handle: clones share connections and counters. One account has one.
#[derive(Clone)]
pub struct Transport(Arc<Shared>);

struct Shared {
    connector: Connector,
    pool: Pool,
    connect_timeout: Duration,
    timeout: Duration,
    user_agent: HeaderValue,
    calls: AtomicU64,
}

impl Transport {
    /// Makes a transport. Nothing is sent. The error says what is wrong with the settings.
    pub fn new(settings: TransportSettings) -> Result<Self, String> {
        let connector = Connector::new(settings.ca_file.as_deref())?;
        Self::over(connector, settings)
    }

    /// Makes a transport whose calls all go to a function of this process, for tests: it is given the bytes of each
    /// request and returns those of the reply. No setting leads here.
    #[doc(hidden)]
    pub fn inside(settings: TransportSettings, answer: Answerer) -> Result<Self, String> {
        let mut connector = Connector::new(settings.ca_file.as_deref())?;
        connector.lead_inside(answer);
        Self::over(connector, settings)
    }

    fn over(connector: Connector, settings: TransportSettings) -> Result<Self, String> {
        let user_agent =
            HeaderValue::from_str(&settings.user_agent).map_err(|_| "the user agent is not plain text".to_owned())?;
        Ok(Self(Arc::new(Shared {
            connector,
            pool: Pool::default(),
            connect_timeout: settings.connect_timeout,
            timeout: settings.timeout,
            user_agent,
            calls: AtomicU64::new(0),
        })))
    }

    /// Sends one call: at most one request on the wire, whatever happens. Any status is `Ok`; see [`failure_of`].
    ///
    /// After `Err` the failure's class is what is proven: `NotConnected`, `TlsRejected` and `NotWritten` that nothing of
    /// the request left; every other class that it may have been executed. Dropping the future closes the connection
    /// that it used and leaves all others good.
    pub fn send(&self, call: Call) -> impl Future<Output = Result<HttpReply, Failure>> {
        let endpoint = call.endpoint.clone();
        let request = self.0.request(call).map(Box::new);
        self.carry(endpoint, request)
    }

    /// A future keeps room for all that it was ever given, so it is given little.
    async fn carry(
        &self,
        endpoint: Endpoint,
        request: Result<Box<Request<Full<Bytes>>>, Failure>,
    ) -> Result<HttpReply, Failure> {
        let shared = &*self.0;
        let request = request?;
        let mut wire = match shared.pool.take(&endpoint).await {
            Some(wire) => wire,
            // A connection is large, and it is handed around at each call; so is what makes one, and few calls need that.
            None => Box::new(Box::pin(shared.connect(&endpoint)).await?),
        };
        shared.calls.fetch_add(1, Ordering::Relaxed);
        wire.begin();
        let deadline = Instant::now() + shared.timeout;
        let head = match timeout_at(deadline, wire.exchange(*request)).await {
            Ok(Ok(head)) => head,
            Ok(Err(error)) => return Err(wire.lost(&lost_words(&error))),
            Err(_) => return Err(wire.lost(&format!("no reply within {}", in_words(shared.timeout)))),
        };
        let (head, body) = head.into_parts();
        let body = match timeout_at(deadline, wire.body(body)).await {
            Ok(body) => body,
            Err(_) => Err(Broken::Late),
        };
        #[cfg(feature = "negative-controls")]
        if crate::negative_controls::Mistake::FollowRedirects.is_made()
            && head.status.is_redirection()
            && let Some(place) = head.headers.get(http::header::LOCATION).and_then(|place| place.to_str().ok())
        {
            let call = Call::get(&endpoint, place.to_owned());
            return Box::pin(self.send(call)).await;
        }
        let whole = body.is_ok();
        let reply = reply::whole_or_status(&head, body)?;
        // Only a connection whose reply was read to its end may carry another: anything else could give the next call
        // the rest of this one's reply.
        if whole {
            shared.pool.put(endpoint, wire);
        }
        Ok(reply)
    }

    /// Requests handed to a connection so far.
    pub fn calls(&self) -> u64 {
        self.0.calls.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("calls", &self.calls()).finish_non_exhaustive()
    }
}

impl Shared {
    /// The request as hyper takes it. What cannot be a request is proof enough that it never left.
    fn request(&self, call: Call) -> Result<Request<Full<Bytes>>, Failure> {
        let Call { method, endpoint, path_and_query, mut headers, body } = call;
        let target = endpoint.target(path_and_query);
        let unsendable = |_| Failure::new(FailureClass::NotWritten, "the request has characters that no URL may have");
        let path = PathAndQuery::from_maybe_shared(Bytes::from(target)).map_err(unsendable)?;
        headers.insert(HOST, endpoint.host_header().clone());
        headers.insert(USER_AGENT, self.user_agent.clone());
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.version_mut() = Version::HTTP_11;
        *request.uri_mut() = Uri::from(path);
        *request.headers_mut() = headers;
        Ok(request)
    }

    async fn connect(&self, endpoint: &Endpoint) -> Result<Wire, Failure> {
        let deadline = Instant::now() + self.connect_timeout;
        match timeout_at(deadline, self.connector.connect(endpoint, deadline)).await {
            Ok(wire) => wire,
            Err(_) => Err(Failure::new(
                FailureClass::NotConnected,
                format!("cannot connect to {endpoint}: nothing within {}", in_words(self.connect_timeout)),
            )),
        }
    }
}

/// One request, ready to be sent. Its path, headers and body may hold credentials, so nothing shows them.
pub struct Call {
    method: Method,
    endpoint: Endpoint,
    path_and_query: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Call {
    /// A GET of `path_and_query` (from the first `/` on, already encoded), below the endpoint's own path.
    pub fn get(endpoint: &Endpoint, path_and_query: String) -> Self {
        Self::new(Method::GET, endpoint, path_and_query)
    }

    /// A POST of `body`.
    pub fn post(
        endpoint: &Endpoint,
        path_and_query: String,
        content_type: &'static str,
        body: impl Into<Bytes>,
    ) -> Self {
        let mut call = Self::new(Method::POST, endpoint, path_and_query);
        call.headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        call.body = body.into();
        call
    }

    /// A call with another method, without headers and body.
    pub fn new(method: Method, endpoint: &Endpoint, path_and_query: String) -> Self {
        // Room for what is added on the way, so that the map is made once.
        let headers = HeaderMap::with_capacity(6);
        Self { method, endpoint: endpoint.clone(), path_and_query, headers, body: Bytes::new() }
    }

    /// Adds a header, or replaces it.
    #[must_use]
    pub fn header(mut self, name: HeaderName, mut value: HeaderValue) -> Self {
        value.set_sensitive(value.is_sensitive() || name == AUTHORIZATION);
        self.headers.insert(name, value);
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("method", &self.method).field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// What went wrong after the connection stood, in our own words: those of the library could grow a URL one day.
fn lost_words(error: &hyper::Error) -> String {
    if error.is_parse() {
        return "the reply is not HTTP".to_owned();
    }
    if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        return "the connection was closed before a reply came".to_owned();
    }
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<std::io::Error>());
    match source {
        Some(error) => format!("{} before a reply came", connect::io_words(error)),
        None => "the connection failed before a reply came".to_owned(),
    }
}

/// A duration as a person says it.
fn in_words(duration: Duration) -> String {
    match (duration.as_millis(), duration.subsec_millis()) {
        (_, 0) => format!("{} s", duration.as_secs()),
        (millis, _) => format!("{millis} ms"),
    }
}
