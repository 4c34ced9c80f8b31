//! Connections that wait for their next call.
//!
//! Must not hand out a connection that a server is likely to close just now: each such end is a needless doubt. So they
//! are kept only for a moment, newest first, and looked at before use.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::endpoint::Endpoint;
use super::wire::Wire;

/// How long a connection may wait. Servers keep idle ones for 5 s and more; one that is used more often than every two
/// seconds is never near its end, and a slower account can afford to connect anew.
const MAX_IDLE: Duration = Duration::from_secs(2);

/// The waiting connections of one account, oldest first.
#[derive(Default)]
pub(super) struct Pool(Mutex<Vec<Idle>>);

struct Idle {
    endpoint: Endpoint,
    wire: Box<Wire>,
    since: Instant,
}

impl Pool {
    /// A connection to the endpoint's server that is fresh and open, if there is one.
    pub(super) async fn take(&self, endpoint: &Endpoint) -> Option<Box<Wire>> {
        while let Some(mut wire) = self.newest(endpoint) {
            if wire.is_ready().await {
                return Some(wire);
            }
        }
        None
    }

    /// Keeps a connection whose reply was read to its end. Whether the server wants it closed shows when it is taken.
    pub(super) fn put(&self, endpoint: Endpoint, wire: Box<Wire>) {
        let since = Instant::now();
        self.with(|idle| {
            forget_stale(idle, since);
            idle.push(Idle { endpoint, wire, since });
        });
    }

    fn newest(&self, endpoint: &Endpoint) -> Option<Box<Wire>> {
        self.with(|idle| {
            forget_stale(idle, Instant::now());
            let at = idle.iter().rposition(|waiting| waiting.endpoint.same_server(endpoint))?;
            Some(idle.remove(at).wire)
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Vec<Idle>) -> T) -> T {
        // A panic elsewhere cannot leave a list of connections half-changed.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn forget_stale(idle: &mut Vec<Idle>, now: Instant) {
    let stale = idle.iter().take_while(|waiting| now.duration_since(waiting.since) > MAX_IDLE).count();
    idle.drain(..stale);
}
