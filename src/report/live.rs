//! The bar on a terminal, and the one way to write past it. The one place that names indicatif.
//!
//! A thread redraws ten times a second from the [`Meter`]; the engine never draws. Whatever else goes to the standard
//! error stream while a bar stands there goes through [`Screen`], which takes the bar away for the moment of writing:
//! no line is ever torn.

#![expect(clippy::disallowed_types, reason = "this is the place that draws on the terminal")]

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tracing_subscriber::fmt::MakeWriter;

use super::meter::Meter;
use super::progress::{self, Trend};
use super::style::Style;

/// The time from one redraw to the next.
const TICK: Duration = Duration::from_millis(100);

/// The standard error stream, shared by a bar and everybody who writes lines.
///
/// A line is written when it is whole (or flushed): what writes in pieces does not get the bar between them. Clones share
/// the bar, and each has its own begun line.
#[derive(Default)]
pub struct Screen {
    bar: Arc<Mutex<Option<ProgressBar>>>,
    begun: Vec<u8>,
}

impl Screen {
    /// True where a person watches: the standard error stream is a terminal that can move its cursor.
    pub fn is_attended() -> bool {
        console::user_attended_stderr() && !console::is_dumb()
    }

    /// The columns of the terminal; 80 where there is none.
    pub fn width() -> usize {
        console::Term::stderr().size_checked().map_or(80, |(_, columns)| usize::from(columns))
    }

    fn put(&self, bar: Option<ProgressBar>) {
        *self.bar.lock().unwrap_or_else(PoisonError::into_inner) = bar;
    }

    fn write_past_bar(&self, lines: &[u8]) -> io::Result<()> {
        let bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        match bar.as_ref() {
            Some(bar) => bar.suspend(|| io::stderr().write_all(lines)),
            None => io::stderr().write_all(lines),
        }
    }
}

impl Clone for Screen {
    fn clone(&self) -> Self {
        Self { bar: Arc::clone(&self.bar), begun: Vec::new() }
    }
}

/// Lines, written above the bar if there is one.
impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.begun.extend_from_slice(bytes);
        if let Some(end) = whole_lines(&self.begun) {
            let lines: Vec<u8> = self.begun.drain(..end).collect();
            self.write_past_bar(&lines)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.begun.is_empty() {
            let begun = std::mem::take(&mut self.begun);
            self.write_past_bar(&begun)?;
        }
        io::stderr().flush()
    }
}

/// How many of the bytes are whole lines.
fn whole_lines(bytes: &[u8]) -> Option<usize> {
    bytes.iter().rposition(|byte| *byte == b'\n').map(|last| last + 1)
}

impl Drop for Screen {
    fn drop(&mut self) {
        // Nobody is left to hear of a standard error stream that cannot be written.
        let _unwritable = self.flush().is_err();
    }
}

/// Log lines, written above the bar.
impl MakeWriter<'_> for Screen {
    type Writer = Screen;

    fn make_writer(&self) -> Screen {
        self.clone()
    }
}

/// The bar of a run. It goes, without a trace, when this is finished or dropped.
pub struct Live {
    screen: Screen,
    bar: ProgressBar,
    ticker: Ticker,
}

impl Live {
    /// Shows the bar and redraws it until [`Live::finish`]. An error where no thread can be started.
    pub fn start(screen: &Screen, meter: Arc<Meter>, style: Style) -> io::Result<Self> {
        // Twice the rate of the redraws: so the target's own limit never swallows one of them.
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(20));
        if let Ok(lines) = ProgressStyle::with_template("{msg}") {
            bar.set_style(lines);
        }
        let drawn = bar.clone();
        let mut trend = Trend::default();
        let ticker = Ticker::start("progress bar", TICK, move || {
            let snapshot = meter.snapshot(Instant::now(), super::watch::wall());
            let pace = trend.take(&snapshot);
            // One column stays free: a terminal breaks the line when its last one is written.
            let style = Style { width: Screen::width().saturating_sub(1), ..style.clone() };
            drawn.set_message(progress::bar(&snapshot, pace, &style));
            true
        })?;
        screen.put(Some(bar.clone()));
        Ok(Self { screen: screen.clone(), bar, ticker })
    }

    /// Takes the bar away.
    pub fn finish(self) {}
}

impl Drop for Live {
    fn drop(&mut self) {
        self.ticker.stop();
        self.screen.put(None);
        self.bar.finish_and_clear();
    }
}

/// A thread that does one thing again and again until it is stopped or has enough.
pub(super) struct Ticker {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    /// Calls `tick` every `interval`, until it says false.
    pub(super) fn start(
        name: &str,
        interval: Duration,
        mut tick: impl FnMut() -> bool + Send + 'static,
    ) -> io::Result<Self> {
        let (stop, stopped): (Sender<()>, Receiver<()>) = channel();
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || while stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) && tick() {})?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }

    /// Stops it and waits until the last tick is over. A tick that panicked is over, too: it only drew.
    pub(super) fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join().is_err();
        }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "what a test stands on must be there")]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_held_back_until_it_is_whole() {
        assert_eq!(whole_lines(b""), None);
        assert_eq!(whole_lines(b"WARN row "), None);
        assert_eq!(whole_lines(b"WARN row 7\nINFO"), Some(11));
        let mut screen = Screen::default();
        screen.write_all(b"begun").expect("nothing is written yet");
        assert_eq!(screen.begun, b"begun");
        assert_eq!(screen.clone().begun, b"", "a clone has its own line");
        screen.begun.clear();
    }

    #[test]
    fn a_ticker_stops_when_it_has_enough_and_when_it_is_told() {
        let (said, heard) = channel();
        let mut left = 3;
        let mut enough = Ticker::start("test", Duration::from_millis(1), move || {
            left -= 1;
            said.send(left).is_ok() && left > 0
        })
        .expect("a thread");
        assert_eq!(heard.iter().collect::<Vec<_>>(), [2, 1, 0]);
        enough.stop();
        let mut told = Ticker::start("test", Duration::from_secs(3_600), || true).expect("a thread");
        told.stop();
        assert!(told.thread.is_none());
    }
}
