//! Counts what leaves: the only evidence that a request was never sent.
//!
//! Two counts are kept, each a proof by itself when it is zero. *Taken* counts the bytes that the kernel took for the
//! socket: with none taken, nothing is on its way, whatever the layers above still hold (they are dropped unsent). *Handed*
//! counts the bytes of requests that the TLS layer was given: with none given, what the kernel took was not the request
//! but TLS's own business, such as a farewell.
//!
//! Invariant: a count errs only upwards. A write that fails half-way counts as handed.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::inside::Inside;

/// The counts of one connection.
#[derive(Default)]
pub(super) struct Meter {
    taken: AtomicU64,
    handed: AtomicU64,
}

impl Meter {
    /// Both counts now.
    pub(super) fn read(&self) -> Reading {
        Reading { taken: self.taken.load(Ordering::Relaxed), handed: self.handed.load(Ordering::Relaxed) }
    }

    /// Counts what a function took as if the kernel had taken it.
    fn took(&self, bytes: usize) -> Poll<io::Result<usize>> {
        self.taken.fetch_add(bytes as u64, Ordering::Relaxed);
        Poll::Ready(Ok(bytes))
    }
}

/// The counts at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Reading {
    taken: u64,
    handed: u64,
}

impl Reading {
    /// True where the counts prove that nothing of a request that began at `start` has left.
    pub(super) fn proves_nothing_left_since(self, start: Reading) -> bool {
        self.taken == start.taken || self.handed == start.handed
    }
}

/// A socket that counts what the kernel takes.
pub(super) struct Socket {
    stream: TcpStream,
    meter: Arc<Meter>,
}

/// What requests are written to: a socket, or TLS over one; in tests a function.
pub(super) struct Line {
    layer: Layer,
    meter: Arc<Meter>,
}

enum Layer {
    Plain(Socket),
    Tls(Box<TlsStream<Socket>>),
    Inside(Inside),
}

impl Socket {
    /// Counts from here on.
    pub(super) fn new(stream: TcpStream, meter: Arc<Meter>) -> Self {
        Self { stream, meter }
    }

    fn count(&self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = &result {
            self.meter.taken.fetch_add(*bytes as u64, Ordering::Relaxed);
        }
        result
    }
}

impl Line {
    /// A line without encryption.
    pub(super) fn plain(socket: Socket) -> Self {
        Self { meter: socket.meter.clone(), layer: Layer::Plain(socket) }
    }

    /// A line through TLS, whose handshake is done.
    pub(super) fn tls(stream: TlsStream<Socket>) -> Self {
        Self { meter: stream.get_ref().0.meter.clone(), layer: Layer::Tls(Box::new(stream)) }
    }

    /// A line to a function of this process.
    pub(super) fn inside(inside: Inside, meter: Arc<Meter>) -> Self {
        Self { meter, layer: Layer::Inside(inside) }
    }

    fn count(&self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        let handed = match &result {
            Poll::Ready(Ok(bytes)) => *bytes as u64,
            // TLS reports a failing socket even where it took the bytes and some of them left.
            Poll::Ready(Err(_)) => 1,
            Poll::Pending => 0,
        };
        self.meter.handed.fetch_add(handed, Ordering::Relaxed);
        result
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.count(result)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
        this.count(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

impl AsyncRead for Line {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().layer {
            Layer::Plain(socket) => Pin::new(socket).poll_read(cx, buffer),
            Layer::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
            Layer::Inside(inside) => inside.read(cx.waker(), buffer),
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = match &mut this.layer {
            Layer::Plain(socket) => Pin::new(socket).poll_write(cx, bytes),
            Layer::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
            Layer::Inside(inside) => this.meter.took(inside.write(bytes)),
        };
        this.count(result)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = match &mut this.layer {
            Layer::Plain(socket) => Pin::new(socket).poll_write_vectored(cx, slices),
            Layer::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Layer::Inside(inside) => this.meter.took(slices.iter().map(|slice| inside.write(slice)).sum()),
        };
        this.count(result)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.layer {
            Layer::Plain(socket) => socket.is_write_vectored(),
            Layer::Tls(stream) => stream.is_write_vectored(),
            Layer::Inside(_) => true,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().layer {
            Layer::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Layer::Tls(stream) => Pin::new(stream).poll_flush(cx),
            Layer::Inside(_) => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().layer {
            Layer::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            Layer::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
            Layer::Inside(_) => Poll::Ready(Ok(())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_count_at_rest_is_proof_and_both_moved_is_none() {
        let start = Reading { taken: 500, handed: 90 };
        let proof = |taken, handed| Reading { taken, handed }.proves_nothing_left_since(start);
        assert!(proof(500, 90));
        assert!(proof(500, 200), "TLS holds it, the kernel took nothing");
        assert!(proof(531, 90), "only a farewell left");
        assert!(!proof(531, 91));
    }
}
