//! A provider of our own making on a loopback port: one request a connection, answered as the test says.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use tokio::net::TcpSocket;

use super::samples::{Fill, Said};

/// What comes back for a request.
#[derive(Debug, Clone)]
pub(crate) enum Say {
    /// A whole reply.
    Reply(Said),
    /// A whole reply with these header lines more, each ended.
    With(&'static str, Said),
    /// A reply that promises more than it brings.
    Cut(Said),
    /// A reset before anything of the request was read.
    ResetBefore,
    /// A reset when all of the request but its last byte was read.
    ResetAfter,
    /// The end of the connection, without a word.
    Close,
}

pub(crate) struct Server {
    pub(crate) url: String,
    say: Arc<Mutex<Say>>,
    requests: Arc<AtomicUsize>,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    /// Keeps the port once nothing listens there: otherwise another test could be given it.
    kept: Option<TcpSocket>,
}

impl Server {
    pub(crate) fn start(first: Say, fill: Fill) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let (say, requests, stopping) = (Arc::new(Mutex::new(first)), Arc::default(), Arc::new(AtomicBool::new(false)));
        let (own, counted, stopped) = (Arc::clone(&say), Arc::clone(&requests), Arc::clone(&stopping));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let say = own.lock().expect("no test panics here").clone();
                AtomicUsize::fetch_add(&counted, 1, Ordering::SeqCst);
                // A client that has gone is no fault of the server's.
                drop(converse(stream, &say, fill));
            }
        });
        Self { url, say, requests, stopping, thread: Some(thread), kept: None }
    }

    /// What is said from now on.
    pub(crate) fn say(&self, say: Say) {
        *self.say.lock().expect("no test panics here") = say;
    }

    /// Connections so far, each with one request.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// Stops listening: whoever calls from now on is refused.
    pub(crate) fn stop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.stopping.store(true, Ordering::SeqCst);
        let address = self.url.trim_start_matches("http://");
        drop(TcpStream::connect(address).expect("it listens until now"));
        thread.join().expect("it ends");
        let kept = TcpSocket::new_v4().expect("a socket");
        kept.set_reuseaddr(true).expect("an option of sockets");
        kept.bind(address.parse().expect("an address")).expect("the port that was free a moment ago");
        self.kept = Some(kept);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.thread.is_some() && !std::thread::panicking() {
            self.stop();
        }
    }
}

fn converse(mut stream: TcpStream, say: &Say, fill: Fill) -> std::io::Result<()> {
    if matches!(say, Say::ResetBefore) {
        // Looked at without being read: a socket that is closed with unread bytes sends a reset.
        stream.peek(&mut [0])?;
        return Ok(());
    }
    let request = read(&mut stream, usize::from(matches!(say, Say::ResetAfter)))?;
    let (headers, said, cut) = match say {
        Say::Reply(said) => ("", said, 0),
        Say::With(headers, said) => (*headers, said, 0),
        Say::Cut(said) => ("", said, 10),
        Say::ResetBefore | Say::ResetAfter | Say::Close => return Ok(()),
    };
    let body = fill(&said.body, &request);
    let (status, content_type, length) = (said.status, said.content_type, body.len() + cut);
    let head = format!(
        "HTTP/1.1 {status} Said\r\nConnection: close\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\
         {headers}\r\n"
    );
    stream.write_all(&[head.as_bytes(), body.as_bytes()].concat())
}

/// Reads a request, all of it but its last `left` bytes.
fn read(stream: &mut TcpStream, left: usize) -> std::io::Result<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let is_length = |line: &&str| line.to_ascii_lowercase().starts_with("content-length:");
    let length = head.lines().find(is_length).and_then(|line| line.split(':').nth(1)?.trim().parse::<usize>().ok());
    let mut rest = vec![0; length.unwrap_or(0) + 1 - left];
    stream.read_exact(&mut rest)?;
    Ok(head + &String::from_utf8_lossy(&rest))
}
