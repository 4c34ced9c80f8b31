//! A point: what stands, what is struck, when and how; written on one line, so that it can be struck again.

use std::fmt;
use std::str::FromStr;

/// A command that is struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Run,
    Resume,
    Verify,
}

/// What happens at the system call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blow {
    /// The process ends before the call.
    Kill,
    /// This one call fails.
    Error(&'static str),
    /// This call and all later ones fail.
    Errors(&'static str),
}

/// One blow against one command. `strace` counts the calls of each thread by itself, so the N-th call is the one that a
/// thread makes first as its own N-th.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Strike {
    pub(crate) act: Act,
    pub(crate) call: &'static str,
    pub(crate) at: u32,
    pub(crate) blow: Blow,
}

/// On what disk the journal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disk {
    Plain,
    /// Loses its power after the blows; each unsynced sector survives with this chance, in percent.
    Lossy {
        survival: u8,
    },
}

/// What stands before the blow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stage {
    /// The journal knows an earlier run. Its making is then not among the calls, so that those of the journal's own thread
    /// come first.
    pub(crate) warm: bool,
    /// Reads are made.
    pub(crate) verify: bool,
    pub(crate) concurrency: u8,
    pub(crate) disk: Disk,
    /// The wrong behaviour that the program is to show, where it is built with them.
    pub(crate) control: Option<&'static str>,
}

impl Stage {
    pub(crate) const fn new(warm: bool, verify: bool, concurrency: u8) -> Self {
        Self { warm, verify, concurrency, disk: Disk::Plain, control: None }
    }
}

/// One point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Point {
    pub(crate) stage: Stage,
    pub(crate) strikes: Vec<Strike>,
}

/// The calls at which a process is killed.
pub(crate) const CALLS: [&str; 13] = [
    "pwrite64",
    "fsync",
    "fdatasync",
    "write",
    "writev",
    "sendto",
    "recvfrom",
    "connect",
    "openat",
    "ftruncate",
    "unlink",
    "rename",
    "mkdir",
];

/// Errors that a disk gives, by call.
pub(crate) const DISK_ERRORS: [(&str, &str); 7] = [
    ("fsync", "EIO"),
    ("fsync", "ENOSPC"),
    ("pwrite64", "ENOSPC"),
    ("pwrite64", "EIO"),
    ("ftruncate", "ENOSPC"),
    ("rename", "EIO"),
    ("openat", "EMFILE"),
];

/// Errors that a network gives, by call.
pub(crate) const NETWORK_ERRORS: [(&str, &str); 4] =
    [("recvfrom", "ECONNRESET"), ("recvfrom", "ETIMEDOUT"), ("writev", "EPIPE"), ("connect", "ECONNREFUSED")];

const ACTS: [(Act, &str); 3] = [(Act::Run, "run"), (Act::Resume, "resume"), (Act::Verify, "verify")];

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stage { warm, verify, concurrency, disk, control } = self.stage;
        let journal = if warm { "warm" } else { "fresh" };
        let reads = if verify { "auto" } else { "off" };
        write!(f, "{journal},{reads},{concurrency}")?;
        if let Disk::Lossy { survival } = disk {
            write!(f, ",lossy{survival}")?;
        }
        if let Some(control) = control {
            write!(f, ",{control}")?;
        }
        for Strike { act, call, at, blow } in &self.strikes {
            let act = ACTS.iter().find(|(known, _)| known == act).map_or("", |(_, word)| word);
            match blow {
                Blow::Kill => write!(f, " {act}:{call}:{at}:KILL")?,
                Blow::Error(error) => write!(f, " {act}:{call}:{at}:{error}")?,
                Blow::Errors(error) => write!(f, " {act}:{call}:{at}:{error}+")?,
            }
        }
        Ok(())
    }
}

impl FromStr for Point {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace();
        let stage = words.next().ok_or("no stage")?.split(',').collect::<Vec<_>>();
        let [journal, reads, concurrency, more @ ..] = stage.as_slice() else {
            return Err("a stage is like warm,auto,4".into());
        };
        let concurrency = concurrency.parse().map_err(|_| "a number of calls at once")?;
        let mut stage = Stage::new(*journal == "warm", *reads == "auto", concurrency);
        for word in more {
            match word.strip_prefix("lossy") {
                Some(survival) => {
                    stage.disk = Disk::Lossy { survival: survival.parse().map_err(|_| "lossy and a percentage")? };
                }
                None => return Err(format!("`{word}` is no part of a stage")),
            }
        }
        Ok(Self { stage, strikes: words.map(strike).collect::<Result<_, _>>()? })
    }
}

fn strike(word: &str) -> Result<Strike, String> {
    let wrong = || format!("`{word}` is not like run:pwrite64:7:KILL");
    let parts: Vec<&str> = word.split(':').collect();
    let [act, call, at, blow] = parts.as_slice() else { return Err(wrong()) };
    let act = ACTS.iter().find(|(_, name)| name == act).map(|(act, _)| *act).ok_or_else(wrong)?;
    let errors = || DISK_ERRORS.iter().chain(&NETWORK_ERRORS);
    let error = |name: &str| errors().map(|(_, error)| *error).find(|error| *error == name).ok_or_else(wrong);
    let blow = match blow.strip_suffix('+') {
        Some(name) => Blow::Errors(error(name)?),
        None if *blow == "KILL" => Blow::Kill,
        None => Blow::Error(error(blow)?),
    };
    let call = CALLS.into_iter().find(|known| known == call).ok_or_else(wrong)?;
    Ok(Strike { act, call, at: at.parse().map_err(|_| wrong())?, blow })
}

#[test]
fn a_point_is_read_as_it_is_written() {
    for text in [
        "warm,auto,4 run:pwrite64:17:KILL",
        "fresh,off,1 run:writev:3:KILL resume:recvfrom:2:KILL verify:fsync:1:EIO",
        "warm,off,8,lossy50 run:fsync:9:ENOSPC+",
    ] {
        assert_eq!(text.parse::<Point>().map(|point| point.to_string()), Ok(text.to_owned()));
    }
    for text in ["", "warm", "warm,auto,4 run", "warm,auto,4 run:pwrite64:x:KILL", "warm,auto,4 run:nothing:1:KILL"] {
        assert!(text.parse::<Point>().is_err(), "{text}");
    }
}
