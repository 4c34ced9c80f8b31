//! A provider of our own making, for what the sandbox cannot be made to say: it answers whatever a test tells it to.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What comes back for one request.
pub(super) enum Say {
    /// These bytes, then the end of the connection.
    Bytes(Vec<u8>),
    /// A reset, before the request was read.
    Reset,
    /// The end of the connection, without a word.
    Close,
}

impl Say {
    /// A reply of this status with this body.
    pub(super) fn reply(status: &str, headers: &str, body: &str) -> Self {
        let length = body.len();
        let reply = format!(
            "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: text/xml; charset=utf-8\r\n\
             Content-Length: {length}\r\n{headers}\r\n{body}"
        );
        Self::Bytes(reply.into_bytes())
    }

    /// A word as Segpay's web service returns it.
    pub(super) fn word(word: &str) -> Self {
        Self::reply("200 OK", "", &format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<string>{word}</string>"))
    }

    /// What answers the harmless read before a run.
    pub(super) fn merchant() -> Self {
        Self::reply("200 OK", "", "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<int>20213</int>")
    }
}

/// The requests that came, without their bodies.
type Heads = Arc<Mutex<Vec<String>>>;

pub(super) struct Scripted {
    pub(super) url: String,
    heads: Heads,
}

impl Scripted {
    /// Starts it. `answer` is asked with the head of each request; it serves until the test's process ends.
    pub(super) fn start(answer: impl FnMut(&str) -> Say + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let heads = Heads::default();
        let seen = Arc::clone(&heads);
        let answer = Arc::new(Mutex::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, seen) = (Arc::clone(&answer), Arc::clone(&seen));
                std::thread::spawn(move || converse(stream, &answer, &seen));
            }
        });
        Self { url, heads }
    }

    /// The heads of all requests so far.
    pub(super) fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("no test panics here").clone()
    }
}

fn converse<F: FnMut(&str) -> Say>(mut stream: TcpStream, answer: &Mutex<F>, seen: &Mutex<Vec<String>>) {
    // Looked at without being read: a socket that is closed with unread bytes sends a reset.
    let mut bytes = vec![0; 16 * 1024];
    let Ok(length) = stream.peek(&mut bytes) else { return };
    if length == 0 {
        return;
    }
    let head = String::from_utf8_lossy(&bytes[..length]).into_owned();
    seen.lock().expect("no test panics here").push(head.clone());
    let said = (answer.lock().expect("no test panics here"))(&head);
    if matches!(said, Say::Reset) {
        return;
    }
    if stream.read(&mut bytes).is_err() {
        return;
    }
    if let Say::Bytes(reply) = said {
        // A client that has gone is no fault of the server's.
        drop(stream.write_all(&reply));
    }
}
