//! What is measured, one file a section.

mod rivals;

use anyhow::Result;

use crate::Bench;
use crate::report::Report;

/// A part of the benchmark that can be measured by itself.
pub(crate) struct Section {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) measure: fn(&Bench, &mut Report) -> Result<()>,
}

/// All of them, in the order of the file.
pub(crate) const SECTIONS: &[Section] =
    &[Section { name: "rivals", title: "Against other tools", measure: rivals::measure }];
