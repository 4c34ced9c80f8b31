//! How a text is to be shown: its width, its colour, the zone of its times.
//!
//! Colour only repeats what the words say: [`Style::plain`] loses nothing. Whether there is colour is the caller's
//! decision (`--no-color`, `NO_COLOR`, no terminal).

use jiff::tz::TimeZone;

/// How a text is to be shown.
#[derive(Debug, Clone)]
pub struct Style {
    /// Whether colour may be used.
    pub colour: bool,
    /// How many columns there are.
    pub width: usize,
    /// The zone in which times are shown.
    pub zone: TimeZone,
}

impl Style {
    /// The narrowest width for which anything is laid out; below it lines are as long as they need to be.
    pub const NARROWEST: usize = 40;

    /// No colour, this wide, times in UTC.
    pub fn plain(width: usize) -> Self {
        Self { colour: false, width: width.max(Self::NARROWEST), zone: TimeZone::UTC }
    }

    /// What is well.
    pub fn good(&self, text: &str) -> String {
        self.paint("32", text)
    }

    /// What needs a person.
    pub fn alarm(&self, text: &str) -> String {
        self.paint("31", text)
    }

    /// What needs attention.
    pub fn caution(&self, text: &str) -> String {
        self.paint("33", text)
    }

    /// What is to be seen first.
    pub fn strong(&self, text: &str) -> String {
        self.paint("1", text)
    }

    /// What may be overlooked.
    pub fn faint(&self, text: &str) -> String {
        self.paint("2", text)
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour && !text.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "what a test stands on must be there")]
mod tests {
    use super::*;

    #[test]
    fn colour_is_only_where_it_is_allowed() {
        let colourful = Style { colour: true, ..Style::plain(80) };
        assert_eq!(colourful.alarm("in doubt"), "\u{1b}[31min doubt\u{1b}[0m");
        assert_eq!(Style::plain(80).alarm("in doubt"), "in doubt");
        assert_eq!(colourful.good(""), "");
    }
}
