//! The sandbox: stand-ins for the providers, on one local port.
//!
//! It is where everything can be rehearsed, and the witness in every test about money: it applies what it is told,
//! writes each effect into its [ledger](SandboxOptions::ledger) before it replies, and lets replies go wrong on purpose.
//!
//! It is written from the vendors' documents alone. It must not import a provider, the engine or the client's HTTP, nor
//! share an encoder or a parser with them: a misreading made once would otherwise be confirmed by its own echo.
//!
//! Invariant: no client hears of an effect that the ledger does not hold.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use tokio_util::sync::CancellationToken;

mod control;
mod credentials;
mod faults;
mod ledger;
mod limits;
mod message;
mod paypro;
mod segpay;
mod server;
mod statistics;
#[cfg(test)]
mod tests;
mod twocheckout;
mod world;
mod xml;

pub use faults::{Faults, FaultsError};
pub use ledger::LedgerError;
pub use limits::{LatencyRange, LimitError, RateLimit};

/// How a sandbox is to behave. The default listens on a free loopback port, at once and without faults.
#[derive(Debug, Clone)]
pub struct SandboxOptions {
    /// Where it listens.
    pub listen: SocketAddr,
    /// How long each call takes.
    pub latency: LatencyRange,
    /// What goes wrong, and how often.
    pub faults: Faults,
    /// How many calls it takes before it answers 429.
    pub rate: Option<RateLimit>,
    /// A file to which every effect is appended, one JSON object a line.
    pub ledger: Option<PathBuf>,
    /// From what faults and latencies are drawn: the same seed strikes the same requests, counted in order of arrival.
    pub seed: u64,
    /// Threads that serve connections; at least one.
    pub workers: usize,
}

impl Default for SandboxOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            latency: LatencyRange::default(),
            faults: Faults::default(),
            rate: None,
            ledger: None,
            seed: 0,
            workers: 1,
        }
    }
}

/// Why a sandbox could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The address cannot be listened on.
    #[error("cannot listen on `{address}`: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The ledger cannot be written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A thread or its runtime cannot be made.
    #[error("cannot start a thread for the sandbox: {0}")]
    Thread(std::io::Error),
}

/// A sandbox that is running. Dropped, it stops.
#[derive(Debug)]
pub struct Sandbox {
    url: String,
    environment: Vec<(String, String)>,
    stop: CancellationToken,
    threads: Vec<JoinHandle<()>>,
}

/// Starts a sandbox on threads of its own. When it returns, the sandbox listens.
pub fn start(options: SandboxOptions) -> Result<Sandbox, SandboxError> {
    let ledger = ledger::Ledger::open(options.ledger.as_deref())?;
    let refused = |source| SandboxError::Listen { address: options.listen, source };
    let listener = std::net::TcpListener::bind(options.listen).map_err(refused)?;
    listener.set_nonblocking(true).map_err(refused)?;
    let url = format!("http://{}", reachable(listener.local_addr().map_err(refused)?));
    let shared = Arc::new(server::Shared {
        world: Mutex::new(world::World::new(ledger, today())),
        settings: Mutex::new(control::Settings::new(options.faults, options.latency, options.rate)),
        statistics: statistics::Statistics::default(),
        seed: options.seed,
        requests: AtomicU64::new(0),
    });
    let environment = credentials::environment(&url);
    // Made before the threads, so that the ones already running end where a later one cannot be made.
    let mut sandbox = Sandbox { url, environment, stop: CancellationToken::new(), threads: Vec::new() };
    for _ in 0..options.workers.max(1) {
        let listener = listener.try_clone().map_err(refused)?;
        let worker = worker(listener, Arc::clone(&shared), sandbox.stop.clone()).map_err(SandboxError::Thread)?;
        sandbox.threads.push(worker);
    }
    Ok(sandbox)
}

/// A thread with a runtime of its own, so that the client's is not disturbed.
fn worker(
    listener: std::net::TcpListener,
    shared: Arc<server::Shared>,
    stop: CancellationToken,
) -> std::io::Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let serve = move || runtime.block_on(server::serve(listener, shared, stop));
    std::thread::Builder::new().name("sandbox".to_owned()).spawn(serve)
}

impl Sandbox {
    /// Its URL, the same for all providers.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The environment by which a client finds it: made-up credentials and the URLs, by the names of their variables.
    pub fn environment(&self) -> &[(String, String)] {
        &self.environment
    }

    /// Stops it. Calls under way get no reply; what they applied is in the ledger.
    pub fn stop(self) {
        drop(self);
    }

    /// Waits until it ends, which it does only where its listener breaks.
    pub fn wait(mut self) {
        for thread in std::mem::take(&mut self.threads) {
            let _ = thread.join();
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.cancel();
        for thread in std::mem::take(&mut self.threads) {
            // A worker that panicked has already ended, which is all that is wanted here.
            let _ = thread.join();
        }
    }
}

/// The address under which a client on this machine reaches a listener.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => SocketAddr::from((Ipv4Addr::LOCALHOST, v4.port())),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => SocketAddr::from((Ipv6Addr::LOCALHOST, v6.port())),
        other => other,
    }
}

/// Today, in UTC: Segpay's reports are in GMT.
fn today() -> jiff::civil::Date {
    jiff::tz::TimeZone::UTC.to_datetime(jiff::Timestamp::now()).date()
}

/// Locks, also where another thread has panicked: a fault of one call must not take the witness away.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
