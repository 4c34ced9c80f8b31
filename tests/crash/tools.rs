//! The tools that break things, and what to do where one is missing.

use std::io::{Write, stderr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Something that must be there for a test to say anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    /// Kills at, or fails, the N-th system call.
    Strace,
    /// Serves the disk that loses power.
    Fuse,
    /// Mounts a disk that is too small.
    SmallDisk,
    /// Sets the clock back.
    FakeTime,
}

impl Tool {
    fn missing(self) -> Option<&'static str> {
        let (there, words) = match self {
            Tool::Strace => (runs("strace", &["-V"]), "strace is not installed"),
            Tool::Fuse => (
                Path::new("/dev/fuse").exists() && is_root() && can_mount() && python_fuse().is_some(),
                "FUSE needs root, /dev/fuse and python3-fusepy",
            ),
            Tool::SmallDisk => (is_root() && can_mount(), "mounting a tmpfs needs root"),
            Tool::FakeTime => (fake_time().is_some(), "faketime is not installed"),
        };
        (!there).then_some(words)
    }
}

/// True where all tools are there. Otherwise says loudly what is skipped, or fails where a skip is forbidden.
pub(crate) fn have(tools: &[Tool]) -> bool {
    let Some(words) = tools.iter().find_map(|tool| tool.missing()) else { return true };
    let required = std::env::var("SUBOPS_REQUIRE_FAULT_TOOLS").is_ok_and(|value| !value.is_empty());
    assert!(!required, "{words}, and SUBOPS_REQUIRE_FAULT_TOOLS is set");
    say(&format!("skipped: {words}"));
    false
}

/// Says something that the test harness does not swallow.
pub(crate) fn say(text: &str) {
    writeln!(stderr(), "{text}").expect("standard error can be written to");
}

fn runs(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Containers often have root without the right to mount.
fn can_mount() -> bool {
    runs("unshare", &["--mount", "mount", "-t", "tmpfs", "none", "/mnt"])
}

/// A Python that has the binding.
pub(crate) fn python_fuse() -> Option<&'static str> {
    let imports = "\
try:
    import fusepy
except ImportError:
    import fuse";
    ["/usr/bin/python3", "python3"].into_iter().find(|python| runs(python, &["-c", imports]))
}

/// The library that fakes the clock.
pub(crate) fn fake_time() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?;
    let places = folders.filter_map(Result::ok).map(|folder| folder.path().join("faketime/libfaketime.so.1"));
    places.into_iter().find(|library| library.exists())
}
