//! A bare provider on a loopback port: Segpay's plain replies over HTTP/1.1, as cheap as can be, so that what is measured
//! is the client.
//!
//! It knows GET requests only, one after the other on a connection, and no more of them than their first bytes. It must
//! not be slow: one thread, two system calls a request. Invariant: each request is counted before its reply leaves.

use std::collections::{HashMap, VecDeque};
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Registry, Token};

const LISTENER: Token = Token(0);

/// Requests are some 250 bytes; one that does not fit is not one of ours.
const LARGEST_REQUEST: usize = 4096;

const SUCCESSFUL: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml; charset=utf-8\r\nContent-Length: 106\r\n\r\n\
<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<string xmlns=\"http://srs.segpay.com/ADM.asmx\">Successful</string>\n";

const MERCHANT: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml; charset=utf-8\r\nContent-Length: 95\r\n\r\n\
<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<int xmlns=\"http://srs.segpay.com/MWS.asmx\">20042</int>\n";

const NOT_FOUND: &[u8] = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";

/// What both sides of the thread know.
#[derive(Default)]
struct Shared {
    delay_us: AtomicU64,
    calls: AtomicU64,
    reads: AtomicU64,
    /// Nanoseconds since the provider's start; 0 before the first call.
    first: AtomicU64,
    last: AtomicU64,
    recording: AtomicBool,
    arrivals: Mutex<Vec<u64>>,
}

/// The provider; it serves until the process ends.
pub(crate) struct Provider {
    shared: Arc<Shared>,
    address: SocketAddr,
    began: Instant,
}

impl Provider {
    /// Starts it on a free port.
    pub(crate) fn start() -> Result<Self> {
        let mut listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).context("no loopback port")?;
        let address = listener.local_addr()?;
        let (shared, began) = (Arc::new(Shared::default()), Instant::now());
        let poll = Poll::new()?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let desk = Desk { shared: Arc::clone(&shared), began, open: HashMap::new(), due: VecDeque::new(), next: 1 };
        std::thread::Builder::new().name("provider".to_owned()).spawn(move || desk.serve(poll, &listener))?;
        Ok(Self { shared, address, began })
    }

    /// `http://127.0.0.1:<port>`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Forgets what was counted, and answers after this delay from now on.
    pub(crate) fn reset(&self, delay: Duration) {
        let delay_us = u64::try_from(delay.as_micros()).unwrap_or(u64::MAX);
        self.shared.delay_us.store(delay_us, Ordering::Relaxed);
        self.shared.recording.store(false, Ordering::Relaxed);
        for counter in [&self.shared.calls, &self.shared.reads, &self.shared.first, &self.shared.last] {
            counter.store(0, Ordering::Relaxed);
        }
        self.arrivals().clear();
    }

    /// Notes the moment of each call from now on.
    pub(crate) fn record(&self) {
        self.shared.recording.store(true, Ordering::Relaxed);
    }

    /// Calls that write, since the last reset.
    pub(crate) fn calls(&self) -> u64 {
        self.shared.calls.load(Ordering::Relaxed)
    }

    /// From the first call to the last.
    pub(crate) fn span(&self) -> Duration {
        let (first, last) = (&self.shared.first, &self.shared.last);
        Duration::from_nanos(last.load(Ordering::Relaxed).saturating_sub(first.load(Ordering::Relaxed)))
    }

    /// When the first call since the last reset came, if one did.
    pub(crate) fn first_call(&self) -> Option<Instant> {
        match self.shared.first.load(Ordering::Relaxed) {
            0 => None,
            nanoseconds => Some(self.began + Duration::from_nanos(nanoseconds)),
        }
    }

    /// The moments of the calls that were recorded, in nanoseconds and in order.
    pub(crate) fn recorded(&self) -> Vec<u64> {
        self.arrivals().clone()
    }

    fn arrivals(&self) -> std::sync::MutexGuard<'_, Vec<u64>> {
        self.shared.arrivals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A client's connection, and what has come of a request.
struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
}

/// A reply that waits for its time.
struct Due {
    at: Instant,
    to: Token,
    reply: &'static [u8],
}

/// Whether a connection goes on.
#[derive(PartialEq, Eq)]
enum Life {
    Goes,
    Ended,
}

/// The thread's own state.
struct Desk {
    shared: Arc<Shared>,
    began: Instant,
    open: HashMap<Token, Connection>,
    due: VecDeque<Due>,
    next: usize,
}

impl Desk {
    fn serve(mut self, mut poll: Poll, listener: &TcpListener) {
        let mut events = Events::with_capacity(256);
        loop {
            let wait = self.due.front().map(|due| due.at.saturating_duration_since(Instant::now()));
            match poll.poll(&mut events, wait) {
                Err(error) if error.kind() != ErrorKind::Interrupted => return,
                _ => {}
            }
            for event in &events {
                match event.token() {
                    LISTENER => self.accept(listener, poll.registry()),
                    token => self.hear(token, event.is_read_closed()),
                }
            }
            self.answer_due();
        }
    }

    fn accept(&mut self, listener: &TcpListener, registry: &Registry) {
        while let Ok((mut stream, _)) = listener.accept() {
            let token = Token(self.next);
            self.next += 1;
            let ready =
                stream.set_nodelay(true).and_then(|()| registry.register(&mut stream, token, Interest::READABLE));
            if ready.is_ok() {
                self.open.insert(token, Connection { stream, request: Vec::new() });
            }
        }
    }

    /// Reads what has come on a connection and answers whole requests.
    fn hear(&mut self, token: Token, closed: bool) {
        let Some(mut connection) = self.open.remove(&token) else { return };
        let mut buffer = [0; LARGEST_REQUEST];
        loop {
            let read = match connection.stream.read(&mut buffer) {
                Ok(0) => return,
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return,
            };
            if self.take(token, &mut connection, &buffer[..read]) == Life::Ended {
                return;
            }
            // Less than asked for means that no more is there: one system call saved. An end is seen by reading on.
            if read < buffer.len() && !closed {
                break;
            }
        }
        self.open.insert(token, connection);
    }

    /// Answers the requests that end in `bytes`.
    fn take(&mut self, token: Token, connection: &mut Connection, bytes: &[u8]) -> Life {
        // Nearly always: one whole request, and nothing kept of an earlier read.
        if connection.request.is_empty() && end_of_head(bytes) == Some(bytes.len()) {
            return self.answer(token, &mut connection.stream, bytes);
        }
        connection.request.extend_from_slice(bytes);
        while let Some(end) = end_of_head(&connection.request) {
            let request: Vec<u8> = connection.request.drain(..end).collect();
            if self.answer(token, &mut connection.stream, &request) == Life::Ended {
                return Life::Ended;
            }
        }
        if connection.request.len() > LARGEST_REQUEST { Life::Ended } else { Life::Goes }
    }

    fn answer(&mut self, token: Token, stream: &mut TcpStream, request: &[u8]) -> Life {
        let now = Instant::now();
        let reply = if request.starts_with(b"GET /adm.asmx/") {
            self.count(now);
            SUCCESSFUL
        } else if request.starts_with(b"GET /MWS.asmx/ValidateUserAccess") {
            self.shared.reads.fetch_add(1, Ordering::Relaxed);
            MERCHANT
        } else {
            NOT_FOUND
        };
        match self.shared.delay_us.load(Ordering::Relaxed) {
            0 => send(stream, reply),
            delay => {
                self.due.push_back(Due { at: now + Duration::from_micros(delay), to: token, reply });
                Life::Goes
            }
        }
    }

    fn count(&self, now: Instant) {
        let at = u64::try_from((now - self.began).as_nanos()).unwrap_or(u64::MAX).max(1);
        // This thread alone counts, so that a load and a store are enough; a reset comes between runs.
        let calls = self.shared.calls.load(Ordering::Relaxed);
        if calls == 0 {
            self.shared.first.store(at, Ordering::Relaxed);
        }
        self.shared.last.store(at, Ordering::Relaxed);
        self.shared.calls.store(calls + 1, Ordering::Relaxed);
        if self.shared.recording.load(Ordering::Relaxed) {
            self.shared.arrivals.lock().unwrap_or_else(PoisonError::into_inner).push(at);
        }
    }

    /// Sends the replies whose time has come. All have the same delay, so they are in order.
    fn answer_due(&mut self) {
        if self.due.is_empty() {
            return;
        }
        let now = Instant::now();
        while self.due.front().is_some_and(|due| due.at <= now) {
            let Some(due) = self.due.pop_front() else { return };
            let ended = self.open.get_mut(&due.to).is_some_and(|to| send(&mut to.stream, due.reply) == Life::Ended);
            if ended {
                self.open.remove(&due.to);
            }
        }
    }
}

/// A reply is smaller than any socket's buffer, and the client waits for it: where it does not fit, the client is broken.
fn send(stream: &mut TcpStream, reply: &[u8]) -> Life {
    if stream.write(reply).is_ok_and(|written| written == reply.len()) { Life::Goes } else { Life::Ended }
}

/// Where the first request in `bytes` ends.
fn end_of_head(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}
