//! A server for tests that does to each connection exactly what it is told, down to the bytes.

#![allow(clippy::expect_used, reason = "a test states what it expects")]

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

/// What the server does next with a connection. After the last step it closes it.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Reads one request to its end.
    Read,
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Resets the connection (plain connections only).
    Reset,
    /// Does nothing until it is told to go on.
    Wait(Arc<Notify>),
    /// Does nothing for ever.
    Hang,
}

/// Sends text.
pub(crate) fn say(text: &str) -> Step {
    Step::Send(text.as_bytes().to_vec())
}

/// A whole reply with a length.
pub(crate) fn reply(status: &str, content_type: &str, body: &str) -> Step {
    let length = body.len();
    say(&format!("HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n{body}"))
}

/// The running server.
pub(crate) struct Server {
    pub(crate) port: u16,
    requests: Arc<Mutex<Vec<(usize, String)>>>,
}

impl Server {
    /// The n-th connection goes by the n-th script; further ones are closed at once.
    pub(crate) async fn start(scripts: Vec<Vec<Step>>) -> Self {
        Self::serve(scripts, None).await
    }

    /// The same behind TLS.
    pub(crate) async fn start_tls(scripts: Vec<Vec<Step>>, tls: TlsAcceptor) -> Self {
        Self::serve(scripts, Some(tls)).await
    }

    async fn serve(scripts: Vec<Vec<Step>>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = requests.clone();
        tokio::spawn(async move {
            for (connection, script) in scripts.into_iter().enumerate() {
                let (stream, _) = listener.accept().await.expect("a connection");
                tokio::spawn(follow(connection, script, stream, tls.clone(), log.clone()));
            }
            while listener.accept().await.is_ok() {}
        });
        Self { port, requests }
    }

    /// The URL of the server.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Every request that was read, with the number of its connection, counted from 0.
    pub(crate) fn requests(&self) -> Vec<(usize, String)> {
        self.requests.lock().expect("the log").clone()
    }

    /// The first lines of the requests that were read, without the version.
    pub(crate) fn targets(&self) -> Vec<String> {
        let first = |text: &str| text.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned();
        self.requests().iter().map(|(_, text)| first(text)).collect()
    }
}

type Log = Arc<Mutex<Vec<(usize, String)>>>;

async fn follow(connection: usize, script: Vec<Step>, stream: TcpStream, tls: Option<TlsAcceptor>, log: Log) {
    match tls {
        // A handshake that the client gives up is what some tests are about.
        Some(tls) => {
            if let Ok(stream) = tls.accept(stream).await {
                play(connection, script, stream, log).await;
            }
        }
        None if matches!(script.last(), Some(Step::Reset)) => {
            stream.set_zero_linger().expect("a socket option");
            play(connection, script, stream, log).await;
        }
        None => play(connection, script, stream, log).await,
    }
}

async fn play(connection: usize, script: Vec<Step>, mut stream: impl AsyncRead + AsyncWrite + Unpin, log: Log) {
    for step in script {
        match step {
            Step::Read => match read_request(&mut stream).await {
                Some(request) => log.lock().expect("the log").push((connection, request)),
                None => return,
            },
            // A client that has left is what some tests are about.
            Step::Send(bytes) => {
                if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() {
                    return;
                }
            }
            Step::Reset => return,
            Step::Wait(signal) => signal.notified().await,
            Step::Hang => std::future::pending().await,
        }
    }
    drop(stream.shutdown().await);
}

async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return Some(text.into_owned());
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
