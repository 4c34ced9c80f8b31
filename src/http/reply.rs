//! What came back, and what its status alone says.
//!
//! Pure. An adapter asks its own table first; what that does not know is judged here, after the design's table.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderName, RETRY_AFTER};
use http::response::Parts;
use jiff::Timestamp;

use super::redact::redact;
use super::wire::Broken;
use crate::model::failure::{Answer, Failure, FailureClass};

/// The longest wait that a provider may ask for; more is taken for a mistake.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(15 * 60);

/// A reply that came to its end (or whose status alone was enough).
#[derive(Clone, PartialEq, Eq)]
pub struct HttpReply {
    /// The status code.
    pub status: u16,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// The body, at most 1 MiB. Empty where a reply that is no success was cut short.
    pub body: Bytes,
    /// How long the provider asks to wait, at most 15 minutes.
    pub retry_after: Option<Duration>,
}

impl HttpReply {
    /// True for a 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// True where the media type is this one, whatever its parameters.
    pub fn is_type(&self, media_type: &str) -> bool {
        let own = self.content_type.as_deref().and_then(|own| own.split(';').next());
        own.is_some_and(|own| own.trim().eq_ignore_ascii_case(media_type))
    }

    /// True where it is a web page, by what it says it is or by how it begins.
    pub fn is_page(&self) -> bool {
        let body = self.body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&self.body).trim_ascii_start();
        let begins = |with: &str| body.get(..with.len()).is_some_and(|own| own.eq_ignore_ascii_case(with.as_bytes()));
        self.is_type("text/html") || begins("<!doctype html") || begins("<html")
    }
}

/// Shows no body: providers send credentials back in it.
impl std::fmt::Debug for HttpReply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpReply")
            .field("status", &self.status)
            .field("content_type", &self.content_type)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// A reply from its head and what came of its body. A broken body spoils a success; of any other reply the status
/// stands, and says enough.
pub(super) fn whole_or_status(head: &Parts, body: Result<Bytes, Broken>) -> Result<HttpReply, Failure> {
    let body = match body {
        Ok(body) => body,
        Err(broken) if head.status.is_success() => {
            let what = match broken {
                Broken::Cut => "was cut short",
                Broken::TooLarge => "is larger than 1 MiB",
                Broken::Late => "did not end in time",
            };
            return Err(Failure::new(
                FailureClass::Truncated,
                format!("HTTP {}, but the reply {what}", head.status.as_u16()),
            ));
        }
        Err(_) => Bytes::new(),
    };
    Ok(HttpReply {
        status: head.status.as_u16(),
        content_type: text(&head.headers, &CONTENT_TYPE).map(str::to_owned),
        body,
        retry_after: retry_after(&head.headers),
    })
}

/// What a reply's status means where the adapter's own table has nothing to say about it. `None` for a 2xx that is no
/// web page, and for a 4xx that is a plain refusal (see [`refusal_of`]).
pub fn failure_of(reply: &HttpReply) -> Option<Failure> {
    use FailureClass as F;
    let class = match reply.status {
        200..300 if reply.is_page() => F::Html,
        200..300 => return None,
        300..400 => F::Redirect,
        401 | 403 | 407 => F::Credentials,
        408 => F::ServerError(408),
        409 => F::Conflict,
        425 | 429 => F::Throttled,
        400..500 => return None,
        503 => F::Unavailable,
        500..600 => F::ServerError(reply.status),
        _ => F::Unrecognised,
    };
    let what = match class {
        F::Html => " with a web page",
        F::Redirect => ", a redirect (not followed)",
        F::Credentials => ": the credentials were not accepted",
        F::Throttled => ": too many requests",
        F::Unavailable => ": unavailable",
        _ => "",
    };
    let mut failure = Failure::new(class, format!("HTTP {}{what}", reply.status));
    failure.retry_after = reply.retry_after;
    Some(failure)
}

/// A 4xx that is a plain refusal, as an answer: its code is `http_404`, its message begins what the provider wrote.
pub fn refusal_of(reply: &HttpReply, secrets: &[&str]) -> Option<Answer> {
    if !(400..500).contains(&reply.status) || failure_of(reply).is_some() {
        return None;
    }
    let mut message = format!("HTTP {}", reply.status);
    let said = String::from_utf8_lossy(&reply.body);
    if !reply.is_page() && !said.trim().is_empty() {
        message.push_str(": ");
        message.push_str(&redact(said.trim(), secrets));
    }
    Some(Answer { code: format!("http_{}", reply.status), message, ..Answer::default() })
}

/// The wait that a reply asks for: seconds, or a date. A date is measured from the provider's own clock where it tells
/// it, since ours may be wrong.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let asked = text(headers, &RETRY_AFTER)?.trim();
    let wait = if !asked.is_empty() && asked.bytes().all(|byte| byte.is_ascii_digit()) {
        Duration::from_secs(asked.parse().unwrap_or(u64::MAX))
    } else {
        let now = text(headers, &DATE).and_then(http_date).unwrap_or_else(Timestamp::now);
        Duration::try_from(http_date(asked)?.duration_since(now)).unwrap_or_default()
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test states what it expects")]

    use http::header::HeaderValue;

    use super::*;

    fn reply(status: u16, content_type: &str, body: &'static str) -> HttpReply {
        let content_type = Some(content_type.to_owned());
        HttpReply { status, content_type, body: Bytes::from_static(body.as_bytes()), retry_after: None }
    }

    #[test]
    fn every_status_has_its_class() {
        use FailureClass as F;
        for status in 100..1000_u16 {
            let class = failure_of(&reply(status, "text/xml", "<a/>")).map(|failure| failure.class);
            let expected = match status {
                200..=299 => None,
                401 | 403 | 407 => Some(F::Credentials),
                409 => Some(F::Conflict),
                425 | 429 => Some(F::Throttled),
                408 => Some(F::ServerError(408)),
                503 => Some(F::Unavailable),
                300..=399 => Some(F::Redirect),
                400..=499 => None,
                500..=599 => Some(F::ServerError(status)),
                _ => Some(F::Unrecognised),
            };
            assert_eq!(class, expected, "{status}");
        }
    }

    #[test]
    fn a_page_is_no_success() {
        for (content_type, body) in [
            ("text/html; charset=utf-8", "anything"),
            ("TEXT/HTML", ""),
            ("text/plain", "  \r\n<!DOCTYPE html><title>Maintenance</title>"),
            ("text/xml", "\u{feff}<HTML>"),
        ] {
            let failure = failure_of(&reply(200, content_type, body)).expect("a page");
            assert_eq!(failure.class, FailureClass::Html, "{content_type} {body}");
        }
        assert_eq!(failure_of(&reply(200, "application/json", "{}")), None);
        assert_eq!(failure_of(&reply(200, "application/json", "")), None);
    }

    #[test]
    fn waits_are_seconds_or_a_date_and_have_an_end() {
        let wait = |asked: &'static str, date: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(asked));
            headers.insert(DATE, HeaderValue::from_static(date));
            retry_after(&headers).map(|wait| wait.as_secs())
        };
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(wait("7", date), Some(7));
        assert_eq!(wait("0", date), Some(0));
        assert_eq!(wait("86400", date), Some(900));
        assert_eq!(wait("99999999999999999999999", date), Some(900));
        assert_eq!(wait("Sun, 06 Nov 1994 08:51:07 GMT", date), Some(90));
        assert_eq!(wait("Sun, 06 Nov 1994 08:00:00 GMT", date), Some(0), "already over");
        assert_eq!(wait("Sat, 06 Nov 2094 08:00:00 GMT", "nonsense"), Some(900), "by our own clock");
        for nonsense in ["", "soon", "-5", "1.5"] {
            assert_eq!(wait(nonsense, date), None, "{nonsense}");
        }
    }

    #[test]
    fn a_plain_refusal_keeps_what_was_said_without_secrets() {
        let answer = refusal_of(&reply(404, "text/plain", "no key canary-1 here\n"), &["canary-1"]).expect("a refusal");
        assert_eq!((answer.code.as_str(), answer.message.as_str()), ("http_404", "HTTP 404: no key *** here"));
        let answer = refusal_of(&reply(404, "text/html", "<html>"), &[]).expect("a refusal");
        assert_eq!(answer.message, "HTTP 404");
        for status in [200, 302, 401, 408, 409, 429, 500] {
            assert_eq!(refusal_of(&reply(status, "text/plain", ""), &[]), None, "{status}");
        }
    }
}
