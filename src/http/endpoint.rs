//! Where calls go: a base URL, checked once, so that no call parses it again.
//!
//! Invariant: an endpoint is https, or its host is this machine. Credentials never travel in the clear.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use http::Uri;
use http::header::HeaderValue;
use rustls::pki_types::ServerName;

/// A checked base URL. Clones share it.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint(Arc<Base>);

#[derive(PartialEq, Eq)]
struct Base {
    /// The host without brackets, in lower case.
    host: String,
    port: u16,
    /// The name that the server's certificate must carry; none for plain HTTP to this machine.
    tls: Option<ServerName<'static>>,
    host_header: HeaderValue,
    /// Path prefix without a slash at its end; mostly empty.
    path: String,
}

impl Endpoint {
    /// Checks a base URL: `https` (or `http` to this machine), a host, and no user, query or fragment.
    ///
    /// The error does not repeat the URL: a password may be in it.
    pub fn parse(url: &str) -> Result<Self, String> {
        if url.contains('#') {
            return Err("a URL without a fragment (`#`)".to_owned());
        }
        let uri: Uri = url.trim().parse().map_err(|_| "a URL such as https://api.example.com".to_owned())?;
        let authority = uri.authority().ok_or("a URL with a host, such as https://api.example.com")?;
        if authority.as_str().contains('@') {
            return Err("a URL without a user name or password".to_owned());
        }
        if uri.query().is_some() {
            return Err("a URL without a query (`?`)".to_owned());
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if is_this_machine(&host) => false,
            _ => return Err("an https URL (plain http is for this machine only)".to_owned()),
        };
        let default_port = if secure { 443 } else { 80 };
        let port = match authority.as_str().rsplit_once(':') {
            Some((_, digits)) if !digits.contains(']') => digits.parse().ok().filter(|port| *port != 0),
            _ => Some(default_port),
        };
        let port = port.ok_or("a URL with a port from 1 to 65535")?;
        let tls = secure.then(|| ServerName::try_from(host.clone())).transpose();
        let tls = tls.map_err(|_| "a URL with a valid host name")?;
        let host_header = host_header(&host, port, default_port)?;
        let path = uri.path().trim_end_matches('/').to_owned();
        Ok(Self(Arc::new(Base { host, port, tls, host_header, path })))
    }

    /// The host, for resolving its name.
    pub(super) fn host(&self) -> &str {
        &self.0.host
    }

    /// The port.
    pub(super) fn port(&self) -> u16 {
        self.0.port
    }

    /// The name that its certificate must carry; none where calls go unencrypted.
    pub(super) fn tls(&self) -> Option<&ServerName<'static>> {
        self.0.tls.as_ref()
    }

    /// The `Host` header.
    pub(super) fn host_header(&self) -> &HeaderValue {
        &self.0.host_header
    }

    /// The request target of a path below this endpoint.
    pub(super) fn target(&self, path_and_query: String) -> String {
        if self.0.path.is_empty() { path_and_query } else { format!("{}{path_and_query}", self.0.path) }
    }

    /// Whether connections to the one serve the other.
    pub(super) fn same_server(&self, other: &Endpoint) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.0.host == other.0.host && self.0.port == other.0.port && self.0.tls == other.0.tls)
    }
}

/// Host and port, for messages. Nothing in it is secret.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.host.contains(':') {
            write!(f, "[{}]:{}", self.0.host, self.0.port)
        } else {
            write!(f, "{}:{}", self.0.host, self.0.port)
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

fn host_header(host: &str, port: u16, default_port: u16) -> Result<HeaderValue, String> {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let text = if port == default_port { host } else { format!("{host}:{port}") };
    HeaderValue::try_from(text).map_err(|_| "a URL with a valid host name".to_owned())
}

/// True for the names and addresses that never leave this machine.
fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test states what it expects")]

    use super::*;

    #[test]
    fn only_https_leaves_this_machine() {
        for url in [
            "https://srs.segpay.com",
            "https://srs.segpay.com:8443/base/",
            "http://127.0.0.1:8080",
            "http://localhost/segpay",
            "http://[::1]:9",
            "HTTPS://API.EXAMPLE.COM",
        ] {
            assert!(Endpoint::parse(url).is_ok(), "{url}");
        }
        for url in [
            "http://srs.segpay.com",
            "http://localhost.example.com",
            "http://128.0.0.1",
            "ftp://127.0.0.1",
            "srs.segpay.com",
            "/path",
            "",
            "https://",
            "https://user:canary@srs.segpay.com",
            "https://srs.segpay.com?canary=1",
            "https://srs.segpay.com/#canary",
            "https://srs.segpay.com:0",
            "https://srs.segpay.com:99999",
        ] {
            let error = Endpoint::parse(url).expect_err(url);
            assert!(!error.contains("canary"), "{error}");
        }
    }

    #[test]
    fn the_parts_that_a_call_needs_are_ready() {
        let endpoint = Endpoint::parse("https://API.example.com:8443/base/").expect("a URL");
        assert_eq!(endpoint.to_string(), "api.example.com:8443");
        assert_eq!(endpoint.host_header(), "api.example.com:8443");
        assert_eq!(endpoint.target("/x?y=z".to_owned()), "/base/x?y=z");
        let plain = Endpoint::parse("https://api.example.com").expect("a URL");
        assert_eq!(plain.host_header(), "api.example.com");
        assert_eq!(plain.target("/x".to_owned()), "/x");
        assert!(!plain.same_server(&endpoint));
        assert!(plain.same_server(&Endpoint::parse("https://api.example.com/other").expect("a URL")));
        assert_eq!(Endpoint::parse("http://[::1]:9").expect("a URL").host_header(), "[::1]:9");
    }
}
