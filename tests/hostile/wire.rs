//! Heads and bodies that do not fit together: wrong lengths, broken chunks, no end, and bytes that are no HTTP.

use proptest::prelude::*;
use subops::model::failure::{FailureClass, Reply};

use crate::stand::{Say, Stand, chosen};

fn one(name: &str) -> Stand {
    chosen(|operation, _| operation == name).pop().expect("an operation")
}

/// What this comes to, in a word.
fn comes(stand: &Stand, wire: impl Into<Vec<u8>>) -> String {
    let (came, heard) = stand.perform(Say::Wire(wire.into()));
    heard.check(&came);
    match came {
        Reply::Applied(_) => "applied".to_owned(),
        Reply::Already(_) => "already".to_owned(),
        Reply::Refused(_) => "refused".to_owned(),
        Reply::Failed(failure) => failure.class.code().to_owned(),
    }
}

const BODY: &str = "<string>Success</string>";

fn chunked(rest: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n{rest}")
}

#[test]
fn a_length_that_is_wrong_is_no_success() {
    let stand = one("segpay.extend_membership");
    let with = |headers: &str, body: &str| format!("HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n{headers}\r\n{body}");
    let right = BODY.len();
    let truncated = FailureClass::Truncated.code();
    let unlisted = FailureClass::Unrecognised.code();
    let lost = FailureClass::Lost.code();
    for (headers, body, expected) in [
        (format!("Content-Length: {right}\r\n"), BODY, "applied"),
        // Until the end of the connection: there is no other end, and this one is whole.
        (String::new(), BODY, "applied"),
        (format!("Content-Length: {}\r\n", right + 1), BODY, truncated),
        (format!("Content-Length: {}\r\n", right - 1), BODY, unlisted),
        ("Content-Length: 0\r\n".to_owned(), BODY, unlisted),
        (format!("Content-Length: {right}\r\nContent-Length: {}\r\n", right - 1), BODY, lost),
        ("Content-Length: -1\r\n".to_owned(), BODY, lost),
        ("Content-Length: 99999999999999999999\r\n".to_owned(), BODY, lost),
        (format!("Content-Length: {}\r\n", u64::MAX / 2), BODY, truncated),
        ("Content-Length: 2000000\r\n".to_owned(), BODY, truncated),
        ("Transfer-Encoding: gzip\r\n".to_owned(), BODY, "applied"),
        ("Content-Encoding: gzip\r\n".to_owned(), "\x1f\u{8b}\u{8}", unlisted),
    ] {
        assert_eq!(comes(&stand, with(&headers, body)), expected, "{headers}");
    }
}

#[test]
fn chunks_are_whole_or_no_success() {
    let stand = one("segpay.extend_membership");
    let truncated = FailureClass::Truncated.code();
    for (rest, expected) in [
        (format!("18\r\n{BODY}\r\n0\r\n\r\n"), "applied"),
        ("8\r\n<string>\r\n7;x=y\r\nSuccess\r\n9\r\n</string>\r\n0\r\nA: b\r\n\r\n".to_owned(), "applied"),
        (format!("18\r\n{BODY}\r\n"), truncated),
        (format!("18\r\n{BODY}\r\n0\r\n"), truncated),
        (format!("17\r\n{BODY}\r\n0\r\n\r\n"), truncated),
        (format!("19\r\n{BODY}\r\n0\r\n\r\n"), truncated),
        (format!("zz\r\n{BODY}\r\n0\r\n\r\n"), truncated),
        (format!("FFFFFFFFFFFFFFFFF\r\n{BODY}\r\n0\r\n\r\n"), truncated),
        (format!("FFFFFFFF\r\n{BODY}\r\n0\r\n\r\n"), truncated),
        (String::new(), truncated),
    ] {
        assert_eq!(comes(&stand, chunked(&rest)), expected, "{rest}");
    }
}

#[test]
fn what_is_no_reply_is_lost() {
    let stand = one("segpay.extend_membership");
    for wire in [
        "",
        "\r\n\r\n",
        "HTTP",
        "HTTP/1.1",
        "HTTP/1.1 200",
        "HTTP/1.1 2OO OK\r\n\r\n",
        "HTTP/9.9 200 OK\r\n\r\n",
        "ICY 200 OK\r\n\r\n",
        "<string>Success</string>",
        "HTTP/1.1 200 OK\r\nA B: c\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n",
        "HTTP/1.1 99 x\r\n\r\n",
    ] {
        assert_eq!(comes(&stand, wire), FailureClass::Lost.code(), "{wire:?}");
    }
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n{BODY}", "A: b\r\n".repeat(10_000));
    assert_eq!(comes(&stand, many), FailureClass::Lost.code(), "a head without bounds");
    let long = format!("HTTP/1.1 200 OK\r\nA: {}\r\n\r\n{BODY}", "b".repeat(1 << 20));
    assert_eq!(comes(&stand, long), FailureClass::Lost.code(), "a header without bounds");
    // "Go on" is no reply, however often it is said.
    let patient = format!("{}HTTP/1.1 200 OK\r\n\r\n{BODY}", "HTTP/1.1 100 Continue\r\n\r\n".repeat(3));
    assert_eq!(comes(&stand, patient), "applied");
    let endless = "HTTP/1.1 100 Continue\r\n\r\n".repeat(50_000);
    assert_eq!(comes(&stand, endless), FailureClass::Lost.code());
}

/// What comes after a reply is not the next one's.
#[test]
fn a_second_reply_on_the_line_is_nobodys() {
    let stand = one("segpay.extend_membership");
    let reply = |body: &str| format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let two = [reply("<string>Failed</string>"), reply(BODY)].concat();
    assert_eq!(comes(&stand, two), "refused");
    assert_eq!(comes(&stand, reply("<string>Failed</string>")), "refused");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn no_bytes_make_it_panic(bytes in any::<Vec<u8>>(), head in any::<bool>()) {
        thread_local!(static STAND: Stand = one("segpay.extend_membership"));
        let wire = if head { [b"HTTP/1.1 200 OK\r\n", &bytes[..]].concat() } else { bytes };
        STAND.with(|stand| comes(stand, wire));
    }

    /// However a right reply is cut into chunks, it is the same reply.
    #[test]
    fn chunks_of_any_size_are_one_body(sizes in prop::collection::vec(1..9_usize, 1..20)) {
        thread_local!(static STAND: Stand = one("segpay.extend_membership"));
        let (mut rest, mut wire) = (BODY, String::new());
        for size in sizes.into_iter().chain([BODY.len()]) {
            let (chunk, left) = rest.split_at(size.min(rest.len()));
            if !chunk.is_empty() {
                wire.push_str(&format!("{:x}\r\n{chunk}\r\n", chunk.len()));
            }
            rest = left;
        }
        wire.push_str("0\r\n\r\n");
        prop_assert_eq!(STAND.with(|stand| comes(stand, chunked(&wire))), "applied");
    }
}
