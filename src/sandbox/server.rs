//! Takes connections and requests, lets faults happen to them, and sends replies.
//!
//! It speaks HTTP through hyper itself, below any framework, because faults need the connection: to reset it, to close it
//! without a reply, to end it in the middle of one. Provider code never sees a connection, and nothing here knows a
//! provider's words.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Response, StatusCode, header};
use http_body_util::{BodyExt, Either, Full, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::control::{self, Settings};
use super::faults::{Fault, Symptom};
use super::locked;
use super::message::{Reply, Request};
use super::statistics::{Statistics, UnderWay};
use super::world::World;

/// The largest body that is taken.
const MOST_BODY_BYTES: usize = 1024 * 1024;

/// How late a `slow` reply is.
const SLOW: Duration = Duration::from_secs(3);

/// Where a client that follows redirects ends up: a reply that looks like success, and no effect in the ledger.
const REDIRECTED: &str = "/redirected";

/// What all workers share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) world: Mutex<World>,
    pub(super) settings: Mutex<Settings>,
    pub(super) statistics: Statistics,
    pub(super) seed: u64,
    /// Requests to providers so far: each one's faults and latency are drawn from the seed and its number.
    pub(super) requests: AtomicU64,
}

/// The ways in which a connection ends instead of a reply being sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Abandoned {
    #[error("reset on purpose")]
    Reset,
    #[error("closed on purpose")]
    Close,
}

type Outgoing = Response<Either<Full<Bytes>, HalfBody>>;

/// Takes connections until `stop`. Ends of its own accord only where the listener is broken.
pub(super) async fn serve(listener: std::net::TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => drop(tokio::spawn(connection(stream, peer, Arc::clone(&shared)))),
            // Out of file handles, or the peer has gone: both pass.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// One connection, from its first request to its last.
async fn connection(stream: TcpStream, peer: SocketAddr, shared: Arc<Shared>) {
    // Without this, small replies on kept connections wait for the peer's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| Box::pin(respond(request, peer, Arc::clone(&shared))));
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let ended = std::future::poll_fn(|context| connection.poll_without_shutdown(context)).await;
    let stream = connection.into_parts().io.into_inner();
    if ended.is_err_and(|error| is_reset(&error)) {
        // Closing with a zero linger sends RST instead of FIN.
        let _ = stream.set_zero_linger();
    }
}

fn is_reset(error: &hyper::Error) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref());
    cause == Some(&Abandoned::Reset)
}

async fn respond(
    incoming: http::Request<Incoming>,
    peer: SocketAddr,
    shared: Arc<Shared>,
) -> Result<Outgoing, Abandoned> {
    let (head, body) = incoming.into_parts();
    let Ok(body) = Limited::new(body, MOST_BODY_BYTES).collect().await else {
        return Ok(whole(Reply::status_page(StatusCode::PAYLOAD_TOO_LARGE)));
    };
    let request = Request {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body: body.to_bytes(),
        wrong_id: false,
    };
    match control::answer(&request, peer, &shared) {
        Some(reply) => Ok(whole(reply)),
        None => provider_call(request, &shared).await,
    }
}

/// A call to a provider: counted, limited, delayed, and perhaps struck by a fault.
async fn provider_call(request: Request, shared: &Shared) -> Result<Outgoing, Abandoned> {
    let mut under_way = shared.statistics.begin(jiff::Timestamp::now().as_second());
    let number = shared.requests.fetch_add(1, Ordering::Relaxed);
    let mut random = fastrand::Rng::with_seed(shared.seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let (admitted, fault, latency) = {
        let mut settings = locked(&shared.settings);
        let admitted = settings.admit(Instant::now());
        (admitted, settings.faults.draw(&mut random), settings.latency.draw(&mut random))
    };
    if !admitted {
        under_way.status = Some(StatusCode::TOO_MANY_REQUESTS.as_u16());
        return Ok(whole(Reply::throttled()));
    }
    under_way.fault = fault.map(|fault| fault.name);
    // Half of the time passes before the effect and half after it: a client that is killed while it waits meets both.
    pause(latency / 2).await;
    let reply = perform(request, fault, shared);
    pause(latency / 2).await;
    match fault {
        Some(fault) => strike(fault, reply, &mut under_way).await,
        None => Ok(counted(reply, &mut under_way)),
    }
}

async fn pause(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}

/// Lets the provider do its work, unless the fault keeps it from it. `None` where it did nothing.
fn perform(mut request: Request, fault: Option<&'static Fault>, shared: &Shared) -> Option<Reply> {
    if fault.is_some_and(|fault| !fault.applied) {
        return None;
    }
    request.wrong_id = fault.is_some_and(|fault| fault.symptom == Symptom::WrongId);
    if request.path == REDIRECTED {
        return Some(Reply::xml("<string>Successful</string>".to_owned()));
    }
    Some(locked(&shared.world).answer(&request))
}

fn counted(reply: Option<Reply>, under_way: &mut UnderWay) -> Outgoing {
    let reply = reply.unwrap_or_else(|| Reply::status_page(StatusCode::INTERNAL_SERVER_ERROR));
    under_way.status = Some(reply.status.as_u16());
    whole(reply)
}

/// Shows the client what the fault is to show.
async fn strike(fault: &Fault, reply: Option<Reply>, under_way: &mut UnderWay) -> Result<Outgoing, Abandoned> {
    let seen = match fault.symptom {
        Symptom::Reset => return Err(Abandoned::Reset),
        Symptom::Close => return Err(Abandoned::Close),
        // hyper drops this future when the client closes its side, so it does not outlive the client.
        Symptom::Hang => return std::future::pending().await,
        Symptom::Truncate => {
            under_way.status = reply.as_ref().map(|reply| reply.status.as_u16());
            return reply.map(half).ok_or(Abandoned::Close);
        }
        Symptom::Slow => {
            pause(SLOW).await;
            reply
        }
        Symptom::WrongId => reply,
        Symptom::Garbage => reply.map(garbage),
        Symptom::Status(status) => {
            Some(Reply::status_page(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)))
        }
        Symptom::Throttle => Some(Reply::throttled()),
        Symptom::Html => Some(Reply::page(StatusCode::OK, "Maintenance", "We will be back shortly.")),
        Symptom::Redirect => Some(Reply::status_page(StatusCode::FOUND).with(header::LOCATION, REDIRECTED)),
    };
    Ok(counted(seen, under_way))
}

/// The reply in its usual form, with words that no documentation lists.
fn garbage(reply: Reply) -> Reply {
    const WORD: &str = "Your request has been queued";
    let body = match reply.content_type {
        json if json.starts_with("application/json") => format!("{{\"status\":\"{WORD}\"}}"),
        xml if xml.contains("xml") => format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<string>{WORD}</string>"),
        _ => WORD.to_owned(),
    };
    Reply { body: body.into(), ..reply }
}

fn head(reply: &Reply) -> http::response::Builder {
    let builder = Response::builder().status(reply.status).header(header::CONTENT_TYPE, reply.content_type);
    match &reply.header {
        Some((name, value)) => builder.header(name, *value),
        None => builder,
    }
}

fn whole(reply: Reply) -> Outgoing {
    let built = head(&reply).body(Either::Left(Full::new(reply.body)));
    // All parts are constants of ours, so building cannot fail; an empty reply would show it if it did.
    built.unwrap_or_else(|_| Response::new(Either::Left(Full::default())))
}

fn half(reply: Reply) -> Outgoing {
    let built = head(&reply).body(Either::Right(HalfBody { body: reply.body, next: Step::Half }));
    built.unwrap_or_else(|_| Response::new(Either::Left(Full::default())))
}

/// A body that announces its whole length, sends half of it, and breaks off.
#[derive(Debug)]
struct HalfBody {
    body: Bytes,
    next: Step,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    /// The half goes out.
    Half,
    /// One round of waiting, in which hyper sends what it has buffered.
    Flush,
    /// The connection ends.
    End,
}

impl Body for HalfBody {
    type Data = Bytes;
    type Error = Abandoned;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Abandoned>>> {
        match self.next {
            Step::Half => {
                self.next = Step::Flush;
                Poll::Ready(Some(Ok(Frame::data(self.body.slice(..self.body.len() / 2)))))
            }
            Step::Flush => {
                self.next = Step::End;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Step::End => Poll::Ready(Some(Err(Abandoned::Close))),
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.body.len() as u64)
    }
}
