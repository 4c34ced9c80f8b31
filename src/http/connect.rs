//! Makes connections: name, address, socket, TLS. Whatever fails here is proof that the request never left.
//!
//! No proxy is used, none can be configured from the environment by surprise, and nothing is sent early: TLS's
//! "0-RTT" data could be replayed by anybody on the way.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{AlertDescription, ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::endpoint::Endpoint;
use super::inside::{Answerer, Inside};
use super::meter::{Line, Meter, Socket};
use super::wire::Wire;
use crate::model::failure::{Failure, FailureClass};

/// Makes connections with one set of trusted authorities.
pub(super) struct Connector {
    tls: TlsConnector,
    /// Where every connection leads to a function instead.
    inside: Option<Answerer>,
}

impl Connector {
    /// Trusts the authorities in `ca_file`, or the built-in ones.
    pub(super) fn new(ca_file: Option<&Path>) -> Result<Self, String> {
        let roots = match ca_file {
            Some(path) => roots_from(path)?,
            None => RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(|error| format!("TLS cannot be set up: {error}"))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { tls: TlsConnector::from(Arc::new(config)), inside: None })
    }

    /// Leads every connection to this function.
    pub(super) fn lead_inside(&mut self, answer: Answerer) {
        self.inside = Some(answer);
    }

    /// A connection that stands, with nothing of a request on it.
    pub(super) async fn connect(&self, endpoint: &Endpoint, deadline: Instant) -> Result<Wire, Failure> {
        let closed = |_| {
            let message = format!("cannot connect to {endpoint}: the connection was closed at once");
            Failure::new(FailureClass::NotConnected, message)
        };
        if let Some(answer) = &self.inside {
            let meter = Arc::new(Meter::default());
            return Wire::new(Line::inside(Inside::new(answer.clone()), meter.clone()), meter).await.map_err(closed);
        }
        let not_connected = |error: io::Error| {
            let message = format!("cannot connect to {endpoint}: {}", io_words(&error));
            Failure::new(FailureClass::NotConnected, message)
        };
        let stream = dial(endpoint, deadline).await.map_err(not_connected)?;
        // A request is one small write; waiting to fill a packet would only delay it.
        stream.set_nodelay(true).map_err(not_connected)?;
        let meter = Arc::new(Meter::default());
        let socket = Socket::new(stream, meter.clone());
        let line = match endpoint.tls() {
            None => Line::plain(socket),
            Some(name) => {
                let handshake = self.tls.connect(name.clone(), socket).await;
                Line::tls(handshake.map_err(|error| handshake_failure(endpoint, &error))?)
            }
        };
        Wire::new(line, meter).await.map_err(closed)
    }
}

fn roots_from(path: &Path) -> Result<RootCertStore, String> {
    let fault = |what: String| format!("`{}`: {what}", path.display());
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| fault(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        let certificate = certificate.map_err(|error| fault(error.to_string()))?;
        roots.add(certificate).map_err(|error| fault(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(fault("no certificate in PEM form is in it".to_owned()));
    }
    Ok(roots)
}

/// Connects to the first address that answers. Each gets an equal share of the time that is left, so that one that
/// swallows packets (often the first, an IPv6 one) does not use it all up.
async fn dial(endpoint: &Endpoint, deadline: Instant) -> io::Result<TcpStream> {
    let addresses: Vec<SocketAddr> = tokio::net::lookup_host((endpoint.host(), endpoint.port())).await?.collect();
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for (tried, address) in addresses.iter().enumerate() {
        let now = Instant::now();
        let left = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        let share = now + deadline.saturating_duration_since(now) / left;
        match timeout_at(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::Error::new(io::ErrorKind::TimedOut, "no answer"),
        }
    }
    Err(last)
}

/// A handshake that failed: because of who or how the server is (a person must act), or because it was cut (it may
/// work in a moment).
fn handshake_failure(endpoint: &Endpoint, error: &io::Error) -> Failure {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let (class, what) = match inner {
        Some(error) if is_lasting(error) => (FailureClass::TlsRejected, error.to_string()),
        Some(error) => (FailureClass::NotConnected, error.to_string()),
        None => (FailureClass::NotConnected, io_words(error)),
    };
    Failure::new(class, format!("no TLS connection to {endpoint}: {what}"))
}

/// True where trying again cannot help: certificate, host name, version.
fn is_lasting(error: &rustls::Error) -> bool {
    use rustls::Error as E;
    match error {
        E::InvalidCertificate(_)
        | E::InvalidCertRevocationList(_)
        | E::NoCertificatesPresented
        | E::UnsupportedNameType
        | E::PeerIncompatible(_)
        | E::NoApplicationProtocol => true,
        // What a server says while it is overloaded or stopping.
        E::AlertReceived(alert) => !matches!(
            alert,
            AlertDescription::CloseNotify | AlertDescription::UserCanceled | AlertDescription::InternalError
        ),
        _ => false,
    }
}

/// An error of the operating system, as a person says it.
pub(super) fn io_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => "the connection was reset".to_owned(),
        io::ErrorKind::ConnectionAborted => "the connection was aborted".to_owned(),
        io::ErrorKind::UnexpectedEof => "the connection was closed".to_owned(),
        io::ErrorKind::TimedOut => "no answer".to_owned(),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "no route to it".to_owned(),
        _ => error.to_string(),
    }
}
