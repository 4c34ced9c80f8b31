//! The sandbox's own endpoints, beside the providers': `GET /ledger`, `GET /statistics`, `GET` and `POST /control`.
//!
//! No fault and no limit ever touches them: they are how a test learns the truth.

use std::net::SocketAddr;
use std::str::FromStr;
use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use serde::Deserialize;

use super::faults::Faults;
use super::limits::{LatencyRange, Limiter, RateLimit, parse_time};
use super::locked;
use super::message::{Reply, Request};
use super::segpay::ListReading;
use super::server::Shared;

/// What can be changed while the sandbox runs.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) faults: Faults,
    pub(super) latency: LatencyRange,
    limiter: Option<Limiter>,
    /// What Segpay's lists of subscriptions show.
    lists: ListReading,
    /// How long Segpay's reports do not show a refund.
    refund_delay: Duration,
}

impl Settings {
    pub(super) fn new(faults: Faults, latency: LatencyRange, rate: Option<RateLimit>) -> Self {
        let (lists, refund_delay) = (ListReading::default(), Duration::ZERO);
        Self { faults, latency, limiter: rate.map(Limiter::new), lists, refund_delay }
    }

    /// Counts one call against the rate limit; false where it is beyond it.
    pub(super) fn admit(&mut self, now: Instant) -> bool {
        self.limiter.as_mut().is_none_or(|limiter| limiter.admit(now))
    }

    fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "rate": self.limiter.as_ref().map(|limiter| limiter.limit.to_string()),
            "faults": self.faults.to_string(),
            "latency": self.latency.to_string(),
            "lists": self.lists.as_str(),
            "refund_delay": format!("{}ms", self.refund_delay.as_millis()),
        })
    }

    /// Applies a change as a whole, or not at all.
    fn change(&mut self, change: &Change) -> Result<(), String> {
        let faults = parse::<Faults>(change.faults.as_ref())?;
        let latency = parse::<LatencyRange>(change.latency.as_ref())?;
        let rate = match &change.rate {
            Some(Some(text)) => Some(Some(text.parse::<RateLimit>().map_err(|error| error.to_string())?)),
            Some(None) => Some(None),
            None => None,
        };
        let refund_delay = match &change.refund_delay {
            Some(Some(text)) => parse_time(text).ok_or_else(|| format!("`{text}` is not a time such as `5s`"))?,
            Some(None) => Duration::ZERO,
            None => self.refund_delay,
        };
        let lists = match &change.lists {
            Some(Some(word)) => {
                ListReading::parse(word).ok_or_else(|| format!("`{word}` is not `from`, `after` or `only`"))?
            }
            Some(None) => ListReading::default(),
            None => self.lists,
        };
        self.lists = lists;
        self.refund_delay = refund_delay;
        self.faults = faults.unwrap_or(self.faults);
        self.latency = latency.unwrap_or(self.latency);
        if let Some(rate) = rate {
            self.limiter = rate.map(Limiter::new);
        }
        Ok(())
    }
}

/// What is left out stays as it is; null is none.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Change {
    #[serde(deserialize_with = "given")]
    rate: Option<Option<String>>,
    #[serde(deserialize_with = "given")]
    faults: Option<Option<String>>,
    #[serde(deserialize_with = "given")]
    latency: Option<Option<String>>,
    #[serde(deserialize_with = "given")]
    lists: Option<Option<String>>,
    #[serde(deserialize_with = "given")]
    refund_delay: Option<Option<String>>,
    /// Ends all sessions of 2Checkout; not a setting, but an event.
    expire_sessions: bool,
}

/// Tells null (`Some(None)`) from absent (`None`).
fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

fn parse<T: Default + FromStr>(text: Option<&Option<String>>) -> Result<Option<T>, String>
where
    T::Err: std::fmt::Display,
{
    match text {
        None => Ok(None),
        Some(None) => Ok(Some(T::default())),
        Some(Some(text)) => text.parse().map(Some).map_err(|error: T::Err| error.to_string()),
    }
}

/// Answers the sandbox's own endpoints; `None` for everything else.
pub(super) fn answer(request: &Request, peer: SocketAddr, shared: &Shared) -> Option<Reply> {
    match (&request.method, request.path.as_str()) {
        (&Method::GET, "/ledger") => Some(ledger(request, shared)),
        (&Method::GET, "/statistics") => Some(statistics(shared)),
        (&Method::GET, "/control") => Some(json(&locked(&shared.settings).to_json())),
        (&Method::POST, "/control") => Some(control(request, peer, shared)),
        (_, "/ledger" | "/statistics") => Some(Reply::only("GET")),
        (_, "/control") => Some(Reply::only("GET, POST")),
        _ => None,
    }
}

fn ledger(request: &Request, shared: &Shared) -> Reply {
    let subject = request.parameters().get("subject");
    match locked(&shared.world).ledger.to_json(subject.as_deref()) {
        Ok(array) => Reply::json(StatusCode::OK, array),
        Err(error) => Reply::text(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

fn statistics(shared: &Shared) -> Reply {
    let mut counts = shared.statistics.counts();
    counts.applied = locked(&shared.world).ledger.count();
    json(&counts)
}

fn control(request: &Request, peer: SocketAddr, shared: &Shared) -> Reply {
    if !peer.ip().to_canonical().is_loopback() {
        return Reply::text(StatusCode::FORBIDDEN, "the sandbox is controlled from its own machine only");
    }
    let mut settings = locked(&shared.settings);
    let changed = serde_json::from_slice::<Change>(&request.body)
        .map_err(|error| error.to_string())
        .and_then(|change| settings.change(&change).map(|()| change.expire_sessions));
    match changed {
        Ok(expire_sessions) => {
            let mut world = locked(&shared.world);
            world.segpay.delay_refunds(settings.refund_delay);
            world.segpay.read_lists(settings.lists);
            if expire_sessions {
                world.twocheckout.expire_sessions();
            }
            json(&settings.to_json())
        }
        Err(message) => Reply::text(StatusCode::BAD_REQUEST, message),
    }
}

fn json(value: &impl serde::Serialize) -> Reply {
    match serde_json::to_vec(value) {
        Ok(text) => Reply::json(StatusCode::OK, text),
        Err(error) => Reply::text(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}
