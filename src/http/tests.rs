//! What each phase of a call proves, against a server that follows a script to the byte. Classes, redaction, reuse.

#![allow(clippy::expect_used, reason = "a test states what it expects")]

use std::future::Future;
use std::io::Write;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

use super::scripted::{Server, Step, reply, say};
use super::*;

const CANARY: &str = "canary-4711";

fn on_runtime<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(work)
}

fn settings() -> TransportSettings {
    TransportSettings {
        connect_timeout: Duration::from_secs(5),
        timeout: Duration::from_secs(5),
        ca_file: None,
        user_agent: "subops-test".to_owned(),
    }
}

fn transport() -> Transport {
    Transport::new(settings()).expect("a transport")
}

fn impatient() -> Transport {
    Transport::new(TransportSettings { timeout: Duration::from_millis(150), ..settings() }).expect("a transport")
}

/// A call with a canary wherever a credential could be.
fn call(url: &str) -> Call {
    let endpoint = Endpoint::parse(url).expect("a URL");
    let header = HeaderValue::from_static("Basic canary-4711");
    Call::post(&endpoint, format!("/op?key={CANARY}"), "text/plain", CANARY).header(AUTHORIZATION, header)
}

fn without_canary(failure: Failure) -> Failure {
    assert!(!format!("{failure:?}").contains("canary"), "{failure:?}");
    failure
}

async fn fail(transport: &Transport, url: &str) -> Failure {
    without_canary(transport.send(call(url)).await.expect_err("a failure"))
}

/// The class when the first connection goes by this script.
fn class_after(transport: &Transport, script: Vec<Step>) -> FailureClass {
    on_runtime(async {
        let server = Server::start(vec![script]).await;
        fail(transport, &server.url()).await.class
    })
}

#[test]
fn a_refused_port_is_not_connected() {
    on_runtime(async {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let transport = transport();
        let failure = fail(&transport, &format!("http://127.0.0.1:{port}")).await;
        assert_eq!(failure.class, FailureClass::NotConnected);
        assert_eq!(failure.message, format!("cannot connect to 127.0.0.1:{port}: connection refused"));
        assert_eq!(transport.calls(), 0);
    });
}

#[test]
fn a_handshake_that_hangs_is_not_connected() {
    on_runtime(async {
        let server = Server::start(vec![vec![Step::Hang]]).await;
        let transport = Transport::new(TransportSettings { connect_timeout: Duration::from_millis(150), ..settings() });
        let failure = fail(&transport.expect("a transport"), &format!("https://127.0.0.1:{}", server.port)).await;
        assert_eq!(failure.class, FailureClass::NotConnected);
        assert!(failure.message.ends_with("nothing within 150 ms"), "{}", failure.message);
    });
}

#[test]
fn a_handshake_that_is_cut_or_reset_is_not_connected() {
    for script in [vec![], vec![Step::Reset], vec![say("HTTP/1.1 400 Bad Request\r\n\r\n")]] {
        on_runtime(async {
            let server = Server::start(vec![script.clone()]).await;
            let failure = fail(&transport(), &format!("https://127.0.0.1:{}", server.port)).await;
            assert_eq!(failure.class, FailureClass::NotConnected, "{script:?}: {failure:?}");
        });
    }
}

/// A server's TLS for `name`, and the file in which its authority stands.
fn tls_for(name: &str) -> (TlsAcceptor, tempfile::NamedTempFile) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed([name.to_owned()]).expect("a certificate");
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(cert.pem().as_bytes()).expect("a written file");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .expect("a server");
    (TlsAcceptor::from(Arc::new(config)), file)
}

fn over_tls(name: &str, trusted: bool, script: Vec<Step>) -> Result<HttpReply, Failure> {
    on_runtime(async {
        let (acceptor, file) = tls_for(name);
        let server = Server::start_tls(vec![script], acceptor).await;
        let ca_file = trusted.then(|| file.path().to_owned());
        let transport = Transport::new(TransportSettings { ca_file, ..settings() }).expect("a transport");
        transport.send(call(&format!("https://localhost:{}", server.port))).await.map_err(without_canary)
    })
}

#[test]
fn certificates_are_trusted_only_from_a_known_authority_and_for_the_right_host() {
    let script = || vec![Step::Read, reply("200 OK", "text/plain", "fine")];
    assert_eq!(&over_tls("localhost", true, script()).expect("a reply").body[..], b"fine");
    for (name, trusted) in [("localhost", false), ("other.example.com", true)] {
        let failure = over_tls(name, trusted, script()).expect_err("no trust");
        assert_eq!(failure.class, FailureClass::TlsRejected, "{failure:?}");
    }
}

#[test]
fn an_encrypted_connection_that_ends_without_reply_is_lost() {
    let failure = over_tls("localhost", true, vec![Step::Read]).expect_err("no reply");
    assert_eq!(failure.class, FailureClass::Lost);
    let cut = vec![Step::Read, say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nSucc")];
    assert_eq!(over_tls("localhost", true, cut).expect_err("half a reply").class, FailureClass::Truncated);
}

#[test]
fn a_file_without_authorities_is_refused() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let ca_file = Some(file.path().to_owned());
    let error = Transport::new(TransportSettings { ca_file, ..settings() }).expect_err("no authority");
    assert!(error.contains("no certificate"), "{error}");
}

#[test]
fn whatever_ends_before_a_reply_is_lost() {
    let transport = transport();
    for script in [
        vec![Step::Read],
        vec![Step::Read, Step::Reset],
        vec![Step::Read, say("HTTP/1.1 20")],
        vec![Step::Read, say("HTTP/1.1 200 OK\r\nContent-Le")],
        vec![Step::Read, say("garbage that is not HTTP\r\n\r\n")],
        vec![Step::Read, say("HTTP/1.1 200 OK\r\nbad header\r\n\r\n")],
        vec![Step::Read, say(&format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(300_000)))],
    ] {
        assert_eq!(class_after(&transport, script.clone()), FailureClass::Lost, "{:.60}", format!("{script:?}"));
    }
}

#[test]
fn no_reply_in_time_is_lost_and_says_how_long_it_waited() {
    on_runtime(async {
        let server = Server::start(vec![vec![Step::Read, Step::Hang]]).await;
        let failure = fail(&impatient(), &server.url()).await;
        assert_eq!(failure, Failure::new(FailureClass::Lost, "no reply within 150 ms"));
    });
}

#[test]
fn a_success_that_does_not_come_whole_is_truncated() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n<string>Succ";
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nSucce";
    let large = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", 1024 * 1024 + 1);
    let endless = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(3 * 1024 * 1024));
    let transport = transport();
    for script in [
        vec![Step::Read, say(head)],
        vec![Step::Read, say(head), Step::Reset],
        vec![Step::Read, say(chunked)],
        vec![Step::Read, say(&large), Step::Hang],
        vec![Step::Read, say(&endless)],
    ] {
        assert_eq!(class_after(&transport, script.clone()), FailureClass::Truncated, "{:.60}", format!("{script:?}"));
    }
    assert_eq!(class_after(&impatient(), vec![Step::Read, say(head), Step::Hang]), FailureClass::Truncated);
}

#[test]
fn any_other_status_stands_without_its_body() {
    for (status, end) in [("500 Oops", Step::Reset), ("404 Gone", Step::Hang), ("302 Found", Step::Hang)] {
        let head = say(&format!("HTTP/1.1 {status}\r\nContent-Length: 20\r\n\r\nMissing par"));
        let answer = on_runtime(async {
            let server = Server::start(vec![vec![Step::Read, head, end]]).await;
            impatient().send(call(&server.url())).await.expect("a status")
        });
        assert_eq!((answer.status.to_string().as_str(), &answer.body[..]), (&status[..3], &b""[..]));
    }
}

#[test]
fn a_redirect_is_never_followed() {
    on_runtime(async {
        let other = Server::start(vec![vec![Step::Read, reply("200 OK", "text/plain", "")]]).await;
        let moved = format!("HTTP/1.1 302 Found\r\nLocation: {}/x\r\nContent-Length: 0\r\n\r\n", other.url());
        let server = Server::start(vec![vec![Step::Read, say(&moved)]]).await;
        let answer = transport().send(call(&server.url())).await.expect("a status");
        let failure = without_canary(failure_of(&answer).expect("a failure"));
        assert_eq!(failure.class, FailureClass::Redirect);
        assert_eq!((server.requests().len(), other.requests().len()), (1, 0));
    });
}

#[test]
fn a_connection_is_used_again_and_carries_one_request_a_call() {
    on_runtime(async {
        let ok = || [Step::Read, reply("200 OK", "text/plain", "fine")];
        let server = Server::start(vec![[ok(), ok(), ok()].concat()]).await;
        let transport = transport();
        for _ in 0..3 {
            transport.send(call(&server.url())).await.expect("a reply");
        }
        assert_eq!(connections(&server), [0, 0, 0]);
        assert_eq!(transport.calls(), 3);
    });
}

#[test]
fn the_request_has_what_it_needs_and_nothing_else() {
    on_runtime(async {
        let server = Server::start(vec![vec![Step::Read, reply("200 OK", "text/plain", "")]]).await;
        let endpoint = Endpoint::parse(&format!("{}/base", server.url())).expect("a URL");
        transport().send(Call::get(&endpoint, "/op?a=b+c".to_owned())).await.expect("a reply");
        let (_, request) = server.requests().remove(0);
        let expected = format!(
            "GET /base/op?a=b+c HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nuser-agent: subops-test\r\n\r\n",
            server.port
        );
        assert_eq!(request, expected);
    });
}

/// Lets a waiting server go on, and returns when its doing has reached us: an exchange with another server comes after
/// it, and the runtime hears of what happens on sockets in order.
async fn go_on(signal: &tokio::sync::Notify) {
    signal.notify_one();
    let other = Server::start(vec![vec![Step::Read, reply("200 OK", "text/plain", "")]]).await;
    transport().send(call(&other.url())).await.expect("a reply");
}

#[test]
fn a_connection_that_the_server_closed_is_not_used_again() {
    on_runtime(async {
        let signal = Arc::new(tokio::sync::Notify::new());
        let once = || vec![Step::Read, reply("200 OK", "text/plain", "fine"), Step::Wait(signal.clone())];
        let server = Server::start(vec![once(), once()]).await;
        let transport = transport();
        transport.send(call(&server.url())).await.expect("a reply");
        go_on(&signal).await;
        transport.send(call(&server.url())).await.expect("a reply on a new connection");
        assert_eq!(connections(&server), [0, 1]);
    });
}

fn connections(server: &Server) -> Vec<usize> {
    server.requests().iter().map(|(connection, _)| *connection).collect()
}

#[test]
fn a_connection_that_waited_long_is_not_used_again() {
    on_runtime(async {
        let stay = || vec![Step::Read, reply("200 OK", "text/plain", "fine"), Step::Hang];
        let server = Server::start(vec![stay(), stay()]).await;
        let transport = transport();
        transport.send(call(&server.url())).await.expect("a reply");
        tokio::time::pause();
        tokio::time::advance(Duration::from_millis(2_100)).await;
        tokio::time::resume();
        transport.send(call(&server.url())).await.expect("a reply");
        assert_eq!(connections(&server), [0, 1]);
    });
}

#[test]
fn what_a_server_says_unasked_is_nobodys_reply() {
    on_runtime(async {
        let signal = Arc::new(tokio::sync::Notify::new());
        let twice = [reply("200 OK", "text/plain", "one"), reply("200 OK", "text/plain", "two")];
        let [one, two] = twice;
        let server = Server::start(vec![
            vec![Step::Read, one, Step::Wait(signal.clone()), two, Step::Hang],
            vec![Step::Read, reply("200 OK", "text/plain", "three")],
        ])
        .await;
        let transport = transport();
        assert_eq!(&transport.send(call(&server.url())).await.expect("a reply").body[..], b"one");
        go_on(&signal).await;
        assert_eq!(&transport.send(call(&server.url())).await.expect("a reply").body[..], b"three");
    });
}

#[test]
fn a_call_that_is_dropped_in_flight_spoils_no_other() {
    on_runtime(async {
        let server =
            Server::start(vec![vec![Step::Read, Step::Hang], vec![Step::Read, reply("200 OK", "text/plain", "mine")]])
                .await;
        let transport = transport();
        let dropped = tokio::time::timeout(Duration::from_millis(100), transport.send(call(&server.url()))).await;
        assert!(dropped.is_err());
        assert_eq!(&transport.send(call(&server.url())).await.expect("a reply").body[..], b"mine");
        assert_eq!(connections(&server), [0, 1]);
    });
}

#[test]
fn nothing_left_is_proven_by_the_count_alone() {
    on_runtime(async {
        let signal = Arc::new(tokio::sync::Notify::new());
        // The server resets the connection before the request: it is then written to a dead socket, or not at all.
        let server = Server::start(vec![vec![Step::Wait(signal.clone()), Step::Reset]]).await;
        let transport = transport();
        let mut wire = transport.0.connect(&call(&server.url()).endpoint).await.expect("a connection");
        go_on(&signal).await;
        wire.begin();
        let request = transport.0.request(call(&server.url())).expect("a request");
        let error = wire.exchange(request).await.expect_err("a dead connection");
        assert_eq!(without_canary(wire.lost(&lost_words(&error))).class, FailureClass::NotWritten);
        assert_eq!(server.requests().len(), 0);
    });
}

#[test]
fn a_request_that_is_none_never_leaves() {
    on_runtime(async {
        let server = Server::start(vec![]).await;
        let endpoint = Endpoint::parse(&server.url()).expect("a URL");
        let failure = transport().send(Call::get(&endpoint, format!("/a b\r\n{CANARY}"))).await.expect_err("no URL");
        assert_eq!(without_canary(failure).class, FailureClass::NotWritten);
    });
}

#[test]
fn waiting_is_read_from_the_reply() {
    on_runtime(async {
        let busy = "HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n";
        let server = Server::start(vec![vec![Step::Read, say(busy)]]).await;
        let answer = transport().send(call(&server.url())).await.expect("a status");
        let failure = failure_of(&answer).expect("a failure");
        assert_eq!((failure.class, failure.retry_after), (FailureClass::Throttled, Some(Duration::from_secs(7))));
    });
}

#[test]
fn nothing_shows_what_a_call_holds() {
    let shown = format!("{:?} {:?}", call("https://api.example.com"), transport());
    assert!(!shown.contains("canary"), "{shown}");
}
