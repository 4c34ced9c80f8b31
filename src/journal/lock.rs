//! One process per plan: a file beside the journal, locked by the kernel.
//!
//! What is written into the file only tells a person who holds it; it decides nothing. So a file that a dead process
//! left behind is no obstacle, and a lock ends with its process however that ends. The lock belongs to the open file,
//! which children do not inherit (the standard library opens every file close-on-exec).

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::place;
use crate::contract::Millis;

/// Digits of the digest that name a lock: enough that two plans never share one by chance.
const DIGITS: usize = 16;

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The process.
    pub pid: u32,
    /// Since when.
    pub started: Millis,
    /// The job's name.
    pub job: String,
    /// The command.
    pub command: String,
}

/// Why a plan cannot be locked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// Another process works on the same plan.
    #[error("another process works on the same plan{}", who(holder.as_ref()))]
    Held {
        /// Who it is; none where it has not written its name yet.
        holder: Option<Holder>,
    },
    /// The lock's file cannot be made or used.
    #[error("{message}")]
    Storage {
        /// What it said, and what to do about it.
        message: String,
    },
}

fn who(holder: Option<&Holder>) -> String {
    holder
        .map(|holder| format!(": process {}, `{}` of `{}`", holder.pid, holder.command, holder.job))
        .unwrap_or_default()
}

/// A plan that is locked for this process, until this is dropped. The file stays: removing it would let two processes
/// lock two files of the same name.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

/// Tries of a lock, and the wait between them: somebody who only looks ([`is_locked`]) holds it for a moment, and a child
/// that is just being started may for another.
const TRIES: u32 = 5;
const WAIT: Duration = Duration::from_millis(20);

fn patiently(file: &File) -> Result<(), TryLockError> {
    for _ in 1..TRIES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(WAIT),
            other => return other,
        }
    }
    file.try_lock()
}

/// Locks a plan by its digest. Waits for no longer than a tenth of a second.
pub fn lock(journal: &Path, digest: &str, holder: &Holder) -> Result<RunLock, LockError> {
    let path = lock_path(journal, digest)?;
    let failed = |error: &std::io::Error| LockError::Storage {
        message: format!(
            "cannot lock `{}`: {error}\nhint: its folder must be writable for this user, on a local disk",
            path.display()
        ),
    };
    place::create_folder(place::folder_of(&path)).map_err(|error| failed(&error))?;
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(|error| failed(&error))?;
    match patiently(&file) {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(LockError::Held { holder: read_holder(&mut file) }),
        Err(TryLockError::Error(error)) => return Err(failed(&error)),
    }
    sign(&mut file, holder).map_err(|error| failed(&error))?;
    Ok(RunLock { _file: file })
}

/// Whether a process holds the lock of this plan just now. Takes nothing and makes nothing.
pub fn is_locked(journal: &Path, digest: &str) -> Result<bool, LockError> {
    let path = lock_path(journal, digest)?;
    let Ok(file) = File::open(&path) else { return Ok(false) };
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => {
            Err(LockError::Storage { message: format!("cannot look at the lock `{}`: {error}", path.display()) })
        }
    }
}

/// Not synced: after a power loss there is no holder to be named.
fn sign(file: &mut File, holder: &Holder) -> std::io::Result<()> {
    file.set_len(0)?;
    file.write_all(&serde_json::to_vec(holder)?)
}

/// Who holds it, as far as the file tells: its holder may be writing just now.
fn read_holder(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn lock_path(journal: &Path, digest: &str) -> Result<PathBuf, LockError> {
    let digits = digest.rsplit(':').next().unwrap_or_default();
    let name = digits
        .get(..DIGITS)
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .ok_or_else(|| LockError::Storage { message: format!("`{digest}` is no digest of a plan") })?;
    let mut folder = journal.as_os_str().to_owned();
    folder.push(".locks");
    Ok(PathBuf::from(folder).join(name))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test that cannot go on says why")]

    use super::*;
    use std::process::{Command, Stdio};

    const DIGEST: &str = "blake3:9f2c41d0aa55e1b7cc00112233445566778899aabbccddeeff00112233445566";

    fn holder(job: &str) -> Holder {
        Holder { pid: 4711, started: 1_700_000_000_000, job: job.to_owned(), command: "subops run".to_owned() }
    }

    #[test]
    fn the_second_is_told_who_holds_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let journal = folder.path().join("journal.db");
        let first = lock(&journal, DIGEST, &holder("first")).expect("is free");
        let error = lock(&journal, DIGEST, &holder("second")).expect_err("is held");
        assert_eq!(error, LockError::Held { holder: Some(holder("first")) });
        assert!(error.to_string().contains("process 4711, `subops run` of `first`"), "{error}");
        drop(first);
        let second = lock(&journal, DIGEST, &holder("second")).expect("what the first wrote is no obstacle");
        assert_eq!(
            lock(&journal, DIGEST, &holder("third")).map(|_| ()),
            Err(LockError::Held { holder: Some(holder("second")) })
        );
        drop(second);
    }

    #[test]
    fn other_plans_have_other_locks() {
        let folder = tempfile::tempdir().expect("a folder");
        let journal = folder.path().join("journal.db");
        let _one = lock(&journal, DIGEST, &holder("one")).expect("is free");
        let _other = lock(&journal, "blake3:0000000000000001", &holder("other")).expect("is another plan");
        for bad in ["", "blake3:", "blake3:12", "blake3:../../../../etc/passwd", "zzzzzzzzzzzzzzzzzz"] {
            assert!(matches!(lock(&journal, bad, &holder("x")), Err(LockError::Storage { .. })), "{bad:?}");
        }
    }

    #[test]
    fn a_child_does_not_inherit_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let journal = folder.path().join("journal.db");
        let held = lock(&journal, DIGEST, &holder("first")).expect("is free");
        let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("starts");
        let mut input = child.stdin.take().expect("is piped");
        input.write_all(b"x").expect("is written");
        // An answer shows that the other program runs; the kernel closes its files a moment after the start returns.
        let mut echo = [0];
        child.stdout.take().expect("is piped").read_exact(&mut echo).expect("answers");
        drop(held);
        let again = lock(&journal, DIGEST, &holder("second")).map(|_| ());
        drop(input);
        child.wait().expect("ends");
        assert_eq!(again, Ok(()));
    }
}
