//! One row's fields, whichever format they come from.

use super::csv::Record;
use super::json_lines::Leaf;
use super::mapping::Mapping;

/// The header of a CSV file.
pub(super) struct Header {
    /// The names as they stand in the file.
    pub(super) names: Vec<String>,
    /// For each column the parameter or reserved name that it gives; none where it is ignored.
    pub(super) targets: Vec<Option<String>>,
    /// The columns named like a card's security code.
    pub(super) code_columns: Vec<usize>,
    /// The line on which it starts.
    pub(super) line: u64,
}

impl Header {
    /// What each column gives.
    pub(super) fn targets(&self) -> impl Iterator<Item = Option<&str>> {
        self.targets.iter().map(Option::as_deref)
    }
}

/// The fields of one row.
#[derive(Clone, Copy)]
pub(super) enum Fields<'a> {
    /// A CSV record under its header.
    Csv(&'a Header, &'a Record),
    /// What a line of JSONL was flattened to.
    Json(&'a [Leaf<'a>], u64),
}

/// One field.
#[derive(Clone, Copy)]
pub(super) struct Cell<'a> {
    /// The column's name as it stands in the file.
    pub(super) name: &'a str,
    /// The text; empty where nothing is given.
    pub(super) text: &'a str,
    /// Whether it is an array or an object.
    pub(super) structured: bool,
    /// Where on its line it is, as in [`super::Fault::column`].
    pub(super) column: usize,
}

impl<'a> Fields<'a> {
    /// How many fields there are.
    pub(super) fn len(self) -> usize {
        match self {
            Fields::Csv(header, _) => header.names.len(),
            Fields::Json(leaves, _) => leaves.len(),
        }
    }

    /// The field at this position; one without name and text where there is none.
    pub(super) fn cell(self, at: usize) -> Cell<'a> {
        let found = match self {
            Fields::Csv(header, record) => {
                header.names.get(at).map(|name| Cell { name, text: record.get(at), structured: false, column: at + 1 })
            }
            Fields::Json(leaves, _) => leaves.get(at).map(|leaf| Cell {
                name: &leaf.name,
                text: &leaf.text,
                structured: leaf.structured,
                column: leaf.column,
            }),
        };
        found.unwrap_or(Cell { name: "", text: "", structured: false, column: at + 1 })
    }

    /// The line on which a field stands.
    pub(super) fn line_of(self, at: usize) -> u64 {
        match self {
            Fields::Csv(_, record) => record.line_of(at),
            Fields::Json(_, line) => line,
        }
    }

    /// What each field gives.
    pub(super) fn target(self, mapping: &'a Mapping, at: usize) -> Option<&'a str> {
        match self {
            Fields::Csv(header, _) => header.targets.get(at)?.as_deref(),
            Fields::Json(leaves, _) => mapping.target(&leaves.get(at)?.name),
        }
    }
}
