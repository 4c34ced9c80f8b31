//! Tables and floors, on the terminal and in `benches/results.md`.
//!
//! The file is kept by sections: one that was measured again replaces its older self, the others stay as they are. Each
//! says when, on what and with which command it was measured.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Result;

/// What a section found.
#[derive(Default)]
pub(crate) struct Report {
    /// Paragraphs and tables, in order, as Markdown.
    body: Vec<String>,
    floors: Vec<Floor>,
    failures: Vec<String>,
}

impl Report {
    /// Something that must not be: the benchmark ends with a failure.
    pub(crate) fn fail(&mut self, why: impl Into<String>) {
        self.failures.push(why.into());
    }

    pub(crate) fn failures(&self) -> &[String] {
        &self.failures
    }

    pub(crate) fn say(&mut self, paragraph: impl Into<String>) {
        self.body.push(paragraph.into());
    }

    pub(crate) fn table(&mut self, table: &Table) {
        self.body.push(table.markdown());
    }

    pub(crate) fn floor(&mut self, what: impl Into<String>, bound: Bound, found: f64, unit: &'static str) {
        self.floors.push(Floor { what: what.into(), bound, found, unit });
    }

    pub(crate) fn unmet(&self) -> usize {
        self.floors.iter().filter(|floor| !floor.met()).count()
    }

    /// The section as Markdown, without its heading.
    pub(crate) fn markdown(&self) -> String {
        let mut text = self.body.join("\n\n");
        if !self.floors.is_empty() {
            let mut table = Table::new(["floor", "wanted", "found", ""]);
            for floor in &self.floors {
                let found = format!("{}{}", figure(floor.found), floor.unit);
                table.row([floor.what.clone(), floor.bound.text(floor.unit), found, floor.verdict()]);
            }
            let _ = write!(text, "\n\n{}", table.markdown());
        }
        text
    }
}

/// What a figure must be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Bound {
    fn text(self, unit: &str) -> String {
        match self {
            Self::AtLeast(bound) => format!("≥ {}{unit}", figure(bound)),
            Self::AtMost(bound) => format!("≤ {}{unit}", figure(bound)),
        }
    }
}

struct Floor {
    what: String,
    bound: Bound,
    found: f64,
    unit: &'static str,
}

impl Floor {
    fn met(&self) -> bool {
        match self.bound {
            Bound::AtLeast(bound) => self.found >= bound,
            Bound::AtMost(bound) => self.found <= bound,
        }
    }

    /// Met or not, and how far the figure is from its bound.
    fn verdict(&self) -> String {
        let (Bound::AtLeast(bound) | Bound::AtMost(bound)) = self.bound;
        let percent = (self.found / bound - 1.0) * 100.0;
        let met = if self.met() { "met" } else { "**not met**" };
        format!("{met} ({percent:+.0} %)")
    }
}

/// A table of text.
pub(crate) struct Table {
    lines: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new<const N: usize>(head: [&str; N]) -> Self {
        Self { lines: vec![head.iter().map(|cell| (*cell).to_owned()).collect()] }
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.lines.push(cells.to_vec());
    }

    /// Columns of one width, so that it can be read as it is.
    fn markdown(&self) -> String {
        let columns = self.lines.first().map_or(0, Vec::len);
        let width = |column: usize| {
            self.lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let line = |cells: &[String]| {
            let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            format!("| {} |", padded.collect::<Vec<_>>().join(" | "))
        };
        let mut lines: Vec<String> = self.lines.iter().map(|cells| line(cells)).collect();
        let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
        lines.insert(1, line(&rule));
        lines.join("\n")
    }
}

/// Three digits that count, thousands with commas.
pub(crate) fn figure(value: f64) -> String {
    if value >= 1000.0 {
        return grouped(value);
    }
    let decimals = match value.abs() {
        0.0 => 0,
        large if large >= 100.0 => 0,
        large if large >= 10.0 => 1,
        small if small >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The middle of some figures.
pub(crate) fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = figures.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    match (sorted.get(half), sorted.len() % 2) {
        (Some(upper), 0) => f64::midpoint(*upper, sorted.get(half - 1).copied().unwrap_or(*upper)),
        (Some(middle), _) => *middle,
        (None, _) => f64::NAN,
    }
}

/// The smallest and the largest.
pub(crate) fn range(figures: &[f64]) -> String {
    let least = figures.iter().copied().fold(f64::INFINITY, f64::min);
    let most = figures.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!("{}–{}", figure(least), figure(most))
}

/// What a person has to say about the figures: kept before them, whatever is measured again.
const BY_HAND: &str = "by hand";

/// Puts sections into the file: each between its own marks, in the order of `order`.
pub(crate) fn store(path: &Path, head: &str, order: &[&str], measured: &[(&str, String)]) -> Result<()> {
    let old = fs::read_to_string(path).unwrap_or_default();
    let mut text = head.to_owned();
    for name in [&BY_HAND].into_iter().chain(order) {
        let new = measured.iter().find(|(measured, _)| measured == name).map(|(_, text)| text.as_str());
        if let Some(section) = new.or_else(|| kept(&old, name)) {
            let _ = write!(text, "\n{}\n{}\n{}\n", begin(name), section.trim(), END);
        }
    }
    fs::write(path, text)?;
    Ok(())
}

const END: &str = "<!-- end -->";

fn begin(name: &str) -> String {
    format!("<!-- {name} -->")
}

fn kept<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.split_once(&begin(name))?.1.split_once(END).map(|(section, _)| section)
}
