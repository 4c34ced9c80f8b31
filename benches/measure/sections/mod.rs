//! What is measured, one file a section.

mod builds;
mod durability;
mod instructions;
mod latency;
mod rate;
mod resume;
mod rivals;
mod sizes;
mod start;

use anyhow::Result;

use crate::Bench;
use crate::report::Report;

/// A part of the benchmark that can be measured by itself.
pub(crate) struct Section {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) measure: fn(&Bench, &mut Report) -> Result<()>,
    /// Too long for a benchmark of everything: measured where it is named.
    pub(crate) only_named: bool,
    /// Whether it belongs in the file: what only says something about two builds does not.
    pub(crate) kept: bool,
}

/// All of them, in the order of the file.
pub(crate) const SECTIONS: &[Section] = &[
    section("rivals", "Against other tools", rivals::measure),
    section("sizes", "From 10,000 rows to 1,000,000", sizes::measure),
    section("latency", "A provider that takes 20 ms", latency::measure),
    section("durability", "What durability costs", durability::measure),
    section("rate", "The rate, as the provider counts it", rate::measure),
    section("start", "Starting", start::measure),
    section("resume", "Resuming a large run", resume::measure),
    section("instructions", "Instructions", instructions::measure),
    Section { only_named: true, kept: false, ..section("builds", "Against another build", builds::measure) },
    Section {
        only_named: true,
        ..section("long", "1,000,000 rows at 20 ms, and on a disk whose syncs take 5 ms longer", latency::long)
    },
];

const fn section(name: &'static str, title: &'static str, measure: fn(&Bench, &mut Report) -> Result<()>) -> Section {
    Section { name, title, measure, only_named: false, kept: true }
}
