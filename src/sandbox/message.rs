//! Requests and replies as the providers' endpoints see them: whole, and free of connections.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};

/// A request that has arrived in full.
#[derive(Debug)]
pub(super) struct Request {
    /// The method.
    pub(super) method: Method,
    /// The path as it was sent.
    pub(super) path: String,
    /// The query as it was sent.
    pub(super) query: String,
    /// The headers.
    pub(super) headers: HeaderMap,
    /// The body.
    pub(super) body: Bytes,
    /// Asks for a reply about another id than the one that was asked for: a fault.
    pub(super) wrong_id: bool,
}

impl Request {
    /// The path's segments in lower case, empty ones left out: IIS, which serves Segpay, ignores case in paths.
    pub(super) fn segments(&self) -> Vec<String> {
        self.path.split('/').filter(|segment| !segment.is_empty()).map(str::to_ascii_lowercase).collect()
    }

    /// The parameters of the query, or of the form in the body of a POST.
    pub(super) fn parameters(&self) -> Parameters {
        let source = if self.method == Method::POST { self.body.as_ref() } else { self.query.as_bytes() };
        Parameters(form_urlencoded::parse(source).into_owned().collect())
    }

    /// A header's value; empty where it is absent or not text.
    pub(super) fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body's media type, in lower case and without its parameters.
    pub(super) fn media_type(&self) -> String {
        let given = self.header(header::CONTENT_TYPE);
        given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// Whether the request carries these credentials by HTTP's Basic authentication.
    pub(super) fn is_login(&self, user: &str, password: &str) -> bool {
        let given = self.header(header::AUTHORIZATION).split_once(' ');
        let basic = given.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"));
        let decoded = basic.and_then(|(_, credentials)| BASE64_STANDARD.decode(credentials.trim()).ok());
        decoded.is_some_and(|decoded| decoded == format!("{user}:{password}").as_bytes())
    }
}

/// Parameters by name; case is ignored, as ASP.NET does.
#[derive(Debug)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// The value of a parameter, which may be empty; `None` where it is absent. A name that was sent several times has
    /// all values joined by commas, as ASP.NET does: a duplicate must not go unnoticed.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self
            .0
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect();
        (!values.is_empty()).then(|| values.join(","))
    }
}

/// A reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    /// The status.
    pub(super) status: StatusCode,
    /// The media type.
    pub(super) content_type: &'static str,
    /// Any other header.
    pub(super) header: Option<(http::HeaderName, &'static str)>,
    /// The body.
    pub(super) body: Bytes,
}

impl Reply {
    pub(super) fn new(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status, content_type, header: None, body: body.into() }
    }

    /// An XML document.
    pub(super) fn xml(body: String) -> Self {
        Self::new(StatusCode::OK, "text/xml; charset=utf-8", body)
    }

    /// Plain text.
    pub(super) fn text(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self::new(status, "text/plain; charset=utf-8", body)
    }

    /// A JSON document.
    pub(super) fn json(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self::new(status, "application/json; charset=utf-8", body)
    }

    /// A page as a web server or a proxy shows it.
    pub(super) fn page(status: StatusCode, title: &str, text: &str) -> Self {
        let body = format!(
            "<!DOCTYPE html>\r\n<html><head><title>{title}</title></head>\r\n<body><h1>{title}</h1><p>{text}</p></body></html>\r\n"
        );
        Self::new(status, "text/html; charset=utf-8", body)
    }

    /// The page for a status, with the status's own words.
    pub(super) fn status_page(status: StatusCode) -> Self {
        let title = format!("{} - {}", status.as_u16(), status.canonical_reason().unwrap_or("Error"));
        Self::page(status, &title, "The request could not be completed.")
    }

    /// The same reply with one more header.
    pub(super) fn with(mut self, name: http::HeaderName, value: &'static str) -> Self {
        self.header = Some((name, value));
        self
    }

    /// 405, with the method that would have been right.
    pub(super) fn only(method: &'static str) -> Self {
        Self::status_page(StatusCode::METHOD_NOT_ALLOWED).with(header::ALLOW, method)
    }

    /// 401, with the way in which credentials are wanted.
    pub(super) fn unauthorized() -> Self {
        Self::status_page(StatusCode::UNAUTHORIZED).with(header::WWW_AUTHENTICATE, "Basic realm=\"Segpay\"")
    }

    /// 429, with the wait that providers ask for.
    pub(super) fn throttled() -> Self {
        Self::status_page(StatusCode::TOO_MANY_REQUESTS).with(header::RETRY_AFTER, "1")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(query: &str) -> Parameters {
        let query = query.to_owned();
        let (method, path, headers, body) = (Method::GET, String::new(), HeaderMap::new(), Bytes::new());
        Request { method, path, query, headers, body, wrong_id: false }.parameters()
    }

    #[test]
    fn parameters_ignore_case_and_tell_empty_from_absent() {
        let parameters = parameters("USERID=a+b%2B&cancelreason=&Days=1&days=2");
        assert_eq!(parameters.get("UserID").as_deref(), Some("a b+"));
        assert_eq!(parameters.get("CancelReason").as_deref(), Some(""));
        assert_eq!(parameters.get("Days").as_deref(), Some("1,2"));
        assert_eq!(parameters.get("PurchaseID"), None);
    }
}
