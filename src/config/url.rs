//! What may be the base of a provider's URLs. Everything that is sent to one carries credentials, so that a URL which
//! does not protect them is refused before anything is read.

use std::net::{Ipv4Addr, Ipv6Addr};

use http::Uri;

/// Why a text cannot be a base URL. Never shows a text that may hold a login.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UrlFault {
    /// It has a user name or password, a query or a fragment: places where secrets are written.
    #[error("expected a URL without user name, password, `?` and `#`")]
    Extras,
    /// It is no URL.
    #[error("`{0}` is no URL: expected one such as `https://api.example.com`")]
    Form(String),
    /// It would send credentials in the clear.
    #[error("`{0}` is not https: expected https, or http to a loopback address")]
    Insecure(String),
}

/// Checks a base URL; gives it without a slash at its end.
pub(crate) fn check(text: &str) -> Result<String, UrlFault> {
    if text.contains(['@', '?', '#']) {
        return Err(UrlFault::Extras);
    }
    let form = || UrlFault::Form(text.to_owned());
    let uri: Uri = text.parse().map_err(|_| form())?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return Err(form()) };
    // A port that is no number is left to nobody: `host:` and `host:99999` are refused here.
    let has_port = authority.as_str().len() > authority.host().len();
    if authority.host().is_empty() || (has_port && authority.port_u16().is_none_or(|port| port == 0)) {
        return Err(form());
    }
    match scheme {
        "https" => {}
        "http" if is_loopback(authority.host()) => {}
        "http" => return Err(UrlFault::Insecure(text.to_owned())),
        _ => return Err(form()),
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// True where the checked URL leads to this machine.
pub(crate) fn leads_here(url: &str) -> bool {
    url.parse::<Uri>().ok().and_then(|uri| uri.host().map(is_loopback)).unwrap_or(false)
}

fn is_loopback(host: &str) -> bool {
    if host.eq_ignore_ascii_case("localhost") {
        return true;
    }
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return address.is_loopback();
    }
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    bare.is_some_and(|bare| bare.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_and_loopback_are_allowed() {
        for (text, expected) in [
            ("https://srs.segpay.com", "https://srs.segpay.com"),
            ("https://srs.segpay.com/", "https://srs.segpay.com"),
            ("https://example.com:8443/base/", "https://example.com:8443/base"),
            ("http://127.0.0.1:40123", "http://127.0.0.1:40123"),
            ("http://127.9.9.9", "http://127.9.9.9"),
            ("http://localhost:80", "http://localhost:80"),
            ("http://[::1]:8080/x", "http://[::1]:8080/x"),
            ("HTTPS://API.example.com", "HTTPS://API.example.com"),
        ] {
            assert_eq!(check(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn credentials_never_go_in_the_clear() {
        for text in [
            "http://srs.segpay.com",
            "http://10.0.0.1",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "http://127.1",
            "http://[::2]",
            "http://0.0.0.0",
        ] {
            assert_eq!(check(text), Err(UrlFault::Insecure(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for text in [
            "",
            "srs.segpay.com",
            "//srs.segpay.com",
            "/path",
            "https://",
            "https:///path",
            "ftp://example.com",
            "file:///etc/passwd",
            "https://a b",
            "https://example.com:",
            "https://example.com:0",
            "https://example.com:99999",
        ] {
            assert_eq!(check(text), Err(UrlFault::Form(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn a_login_in_a_url_is_refused_and_not_shown() {
        for text in ["https://user:canary@example.com", "https://example.com?key=canary", "https://example.com#canary"]
        {
            let fault = check(text).map_err(|fault| fault.to_string());
            assert_eq!(fault, Err("expected a URL without user name, password, `?` and `#`".to_owned()));
        }
    }
}
