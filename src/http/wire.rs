//! One connection, driven by the call that uses it.
//!
//! There is no task behind a connection: the call's own future moves it. So a call that is dropped takes its connection
//! with it, nothing is written behind our back after a failure was judged, and no task is woken for another.

#![expect(clippy::disallowed_types, reason = "this is the room from which requests leave")]

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use super::meter::{Line, Meter, Reading};
use crate::model::failure::{Failure, FailureClass};

/// The most that a reply's body may have.
pub(super) const MAX_BODY: usize = 1024 * 1024;

/// The most that a reply's head may have.
const MAX_HEAD: usize = 64 * 1024;

/// A body that did not come whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// It was cut.
    Cut,
    /// It is larger than [`MAX_BODY`].
    TooLarge,
    /// It did not end in time.
    Late,
}

/// A connection that stands.
pub(super) struct Wire {
    sender: http1::SendRequest<Full<Bytes>>,
    connection: http1::Connection<TokioIo<Line>, Full<Bytes>>,
    /// The connection's future has ended; it must not be polled again.
    ended: bool,
    meter: Arc<Meter>,
    start: Reading,
}

impl Wire {
    /// Puts HTTP/1.1 on a line. Nothing is written.
    pub(super) async fn new(line: Line, meter: Arc<Meter>) -> Result<Self, hyper::Error> {
        let io = TokioIo::new(line);
        let (sender, connection) = http1::Builder::new().max_buf_size(MAX_HEAD).handshake(io).await?;
        Ok(Self { sender, connection, ended: false, meter, start: Reading::default() })
    }

    /// True if it can carry another request: looks at the socket once, without waiting.
    pub(super) async fn is_ready(&mut self) -> bool {
        std::future::poll_fn(|cx| {
            self.advance(cx);
            Poll::Ready(!self.ended && matches!(self.sender.poll_ready(cx), Poll::Ready(Ok(()))))
        })
        .await
    }

    /// Starts the account of a new request.
    pub(super) fn begin(&mut self) {
        self.start = self.meter.read();
    }

    /// Sends the request and waits for the head of the reply.
    pub(super) fn exchange(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> impl Future<Output = Result<Response<Incoming>, hyper::Error>> {
        // `try_send_request`, because the other method's error hides an unsent request. What hyper believes about it is
        // not our evidence, though: the meter is.
        // Boxed: it is large, and lies in all futures that wait for this one.
        let mut reply = Box::pin(self.sender.try_send_request(request));
        std::future::poll_fn(move |cx| {
            advance(&mut self.connection, &mut self.ended, cx);
            reply.as_mut().poll(cx).map_err(hyper::client::conn::TrySendError::into_error)
        })
    }

    /// Reads the body to its end.
    pub(super) async fn body(&mut self, mut body: Incoming) -> Result<Bytes, Broken> {
        if body.size_hint().lower() > MAX_BODY as u64 {
            return Err(Broken::TooLarge);
        }
        let mut whole = Gathered::default();
        std::future::poll_fn(|cx| {
            self.advance(cx);
            while let Some(frame) = ready!(Pin::new(&mut body).poll_frame(cx)) {
                let frame = frame.map_err(|_| Broken::Cut)?;
                whole.add(frame.into_data().unwrap_or_default())?;
            }
            Poll::Ready(Ok(()))
        })
        .await?;
        Ok(whole.into_bytes())
    }

    /// Judges a request that got no reply: gone for good, or proven to be unsent.
    pub(super) fn lost(self, message: &str) -> Failure {
        let Wire { sender, connection, meter, start, .. } = self;
        // First the end of everything that could still write, then the count.
        drop((sender, connection));
        if meter.read().proves_nothing_left_since(start) {
            return Failure::new(FailureClass::NotWritten, format!("{message}; nothing was sent"));
        }
        Failure::new(FailureClass::Lost, message)
    }

    fn advance(&mut self, cx: &mut Context<'_>) {
        advance(&mut self.connection, &mut self.ended, cx);
    }
}

/// Moves a connection as far as it goes now. How it ended is told to the request or the body that waits for it.
fn advance(connection: &mut http1::Connection<TokioIo<Line>, Full<Bytes>>, ended: &mut bool, cx: &mut Context<'_>) {
    if !*ended {
        *ended = Pin::new(connection).poll(cx).is_ready();
    }
}

/// The parts of a body. Mostly there is one, which is then kept as it is.
#[derive(Default)]
struct Gathered {
    first: Bytes,
    all: BytesMut,
}

impl Gathered {
    fn add(&mut self, part: Bytes) -> Result<(), Broken> {
        if self.first.is_empty() {
            self.first = part;
        } else {
            if self.all.is_empty() {
                self.all.extend_from_slice(&self.first);
            }
            self.all.extend_from_slice(&part);
        }
        if self.first.len().max(self.all.len()) > MAX_BODY { Err(Broken::TooLarge) } else { Ok(()) }
    }

    fn into_bytes(self) -> Bytes {
        if self.all.is_empty() { self.first } else { self.all.freeze() }
    }
}
