//! On what, when and with which command something was measured.

use std::fs;
use std::path::Path;

use crate::rivals::{RIVALS, first_line};

/// The head of the file of results.
pub(crate) fn head() -> String {
    "# What was measured

`cargo bench` writes this file; CONTRIBUTING.md says how to repeat it. Ratios count, not absolute figures: contestants take
turns on one machine, with the same rows (slow ones with fewer of them), against the same bare provider on a loopback port,
which needs a part of the machine too. `subops` does all of its work in each run (the plan, the journal, the result files,
the summary); no other contestant keeps a record that survives a crash. A ratio is the middle one of those of the turns.
"
    .to_owned()
}

/// One line under each section's heading.
pub(crate) fn circumstances(words: &str) -> String {
    let command = if words.is_empty() { "cargo bench".to_owned() } else { format!("cargo bench -- {words}") };
    let date = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%MZ").to_string();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("?");
    let root = env!("CARGO_MANIFEST_DIR");
    let commit = first_line("git", &["-C", root, "describe", "--always", "--dirty"]).unwrap_or_else(|| "?".to_owned());
    let rustc = first_line("rustc", &["--version"]).unwrap_or_else(|| "rustc ?".to_owned());
    format!("`{command}`, {date}, commit {commit}, {}, {rustc}, load before it {load}.", machine())
}

fn machine() -> String {
    let read = |path: &str| fs::read_to_string(Path::new(path)).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(':')).map_or_else(|| "?".to_owned(), |(_, value)| value.trim().to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kib: u64 = field(&read("/proc/meminfo"), "MemTotal").trim_end_matches(" kB").parse().unwrap_or(0);
    let kernel = read("/proc/sys/kernel/osrelease");
    format!(
        "{cores} cores of {}, {} GiB, Linux {}",
        field(&read("/proc/cpuinfo"), "model name"),
        kib.div_ceil(1 << 20),
        kernel.trim()
    )
}

/// The versions of the rivals that are installed, and how to install the others.
pub(crate) fn rivals() -> String {
    let line = |rival: &crate::rivals::Rival| match rival.version() {
        Some(version) => format!("- {}: {version}", rival.name),
        None => format!("- {}: not installed ({})", rival.name, rival.needs),
    };
    RIVALS.iter().map(line).collect::<Vec<_>>().join("\n")
}
