//! Which progress is shown: the bar, plain lines, or nothing.

use std::io;
use std::str::FromStr;
use std::sync::Arc;

use super::live::{Live, Screen};
use super::meter::Meter;
use super::plain::Plain;
use super::style::Style;
use crate::contract::Millis;
use crate::model::ids::RunId;

/// What was asked for with `--progress`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Progress {
    /// The bar on a terminal, lines elsewhere.
    #[default]
    Auto,
    /// The bar.
    Bar,
    /// Lines.
    Plain,
    /// Nothing.
    None,
}

impl Progress {
    /// The words for them, as typed.
    pub const WORDS: [&str; 4] = ["auto", "bar", "plain", "none"];

    /// What is shown. Off a terminal there is no bar, even where one was asked for: it would be escape codes in a file.
    pub fn choose(self, quiet: bool, attended: bool) -> Progress {
        match self {
            _ if quiet => Progress::None,
            Progress::Auto | Progress::Bar if attended => Progress::Bar,
            Progress::Auto | Progress::Bar => Progress::Plain,
            chosen => chosen,
        }
    }
}

impl FromStr for Progress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "bar" => Ok(Self::Bar),
            "plain" => Ok(Self::Plain),
            "none" => Ok(Self::None),
            other => Err(format!("`{other}` is not one of {}", Self::WORDS.join(", "))),
        }
    }
}

/// The progress that is being shown. It ends when this is dropped.
pub enum Watch {
    /// The bar.
    Bar(Live),
    /// Lines.
    Plain(Plain),
    /// Nothing.
    None,
}

impl Watch {
    /// Shows the progress of a run. `chosen` comes from [`Progress::choose`].
    pub fn start(
        chosen: Progress,
        screen: &Screen,
        meter: &Arc<Meter>,
        style: &Style,
        job: &str,
        run: RunId,
    ) -> io::Result<Self> {
        match chosen {
            Progress::Auto | Progress::Bar => Live::start(screen, Arc::clone(meter), style.clone()).map(Watch::Bar),
            Progress::Plain => Plain::start(screen.clone(), Arc::clone(meter), job, run).map(Watch::Plain),
            Progress::None => Ok(Watch::None),
        }
    }

    /// Ends it. Nothing of the bar is left on the screen.
    pub fn finish(self) {
        match self {
            Watch::Bar(live) => live.finish(),
            Watch::Plain(plain) => plain.finish(),
            Watch::None => {}
        }
    }
}

/// Now, on the clock of the wall. Only for showing: nothing that a run does depends on it.
pub(super) fn wall() -> Millis {
    jiff::Timestamp::now().as_millisecond()
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "what a test stands on must be there")]
mod tests {
    use super::*;

    #[test]
    fn quiet_wins_and_no_bar_is_drawn_into_a_file() {
        let chosen =
            |word: &str, quiet, attended| Progress::from_str(word).expect("a known word").choose(quiet, attended);
        assert_eq!(chosen("auto", false, true), Progress::Bar);
        assert_eq!(chosen("auto", false, false), Progress::Plain);
        assert_eq!(chosen("bar", false, false), Progress::Plain);
        assert_eq!(chosen("plain", false, true), Progress::Plain);
        assert_eq!(chosen("none", false, true), Progress::None);
        for word in Progress::WORDS {
            assert_eq!(chosen(word, true, true), Progress::None);
        }
        assert_eq!(Progress::from_str("Bar"), Err("`Bar` is not one of auto, bar, plain, none".to_owned()));
    }
}
