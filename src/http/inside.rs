//! A line that leads to a function of this process and to no network: what hostile replies are tried on.
//!
//! For tests and fuzzing. Everything above it is what real calls go through: hyper's reading of the reply, its bounds, and
//! the adapter's table. No setting leads here, and no request that is written to it leaves the process.

use std::io;
use std::sync::Arc;
use std::task::{Poll, Waker};

use tokio::io::ReadBuf;

/// Gives the bytes of a reply, head and body, for the bytes of a request. After them the line has ended.
pub type Answerer = Arc<dyn Fn(&[u8]) -> Vec<u8> + Send + Sync>;

/// One connection, for one request.
pub(super) struct Inside {
    answer: Answerer,
    request: Vec<u8>,
    reply: Option<io::Cursor<Vec<u8>>>,
    reader: Option<Waker>,
}

impl Inside {
    pub(super) fn new(answer: Answerer) -> Self {
        Self { answer, request: Vec::new(), reply: None, reader: None }
    }

    /// Takes a part of the request, and answers once it is whole.
    pub(super) fn write(&mut self, bytes: &[u8]) -> usize {
        self.request.extend_from_slice(bytes);
        if self.reply.is_none() && is_whole(&self.request) {
            self.reply = Some(io::Cursor::new((self.answer)(&self.request)));
            if let Some(reader) = self.reader.take() {
                reader.wake();
            }
        }
        bytes.len()
    }

    /// Gives as much of the reply as there is room for; nothing means that it has ended.
    pub(super) fn read(&mut self, waker: &Waker, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Some(reply) = &mut self.reply else {
            self.reader = Some(waker.clone());
            return Poll::Pending;
        };
        let length = io::Read::read(reply, buffer.initialize_unfilled())?;
        buffer.advance(length);
        Poll::Ready(Ok(()))
    }
}

/// Whether a request that we wrote ourselves is all there.
fn is_whole(request: &[u8]) -> bool {
    let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(request.get(..end).unwrap_or_default()).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    request.len() >= end + 4 + length.unwrap_or(0_usize)
}
