//! Keeps standard input in a file, because a resume must read it again.
//!
//! The copy is complete and on disk before anything is planned from it, and only its owner can read it. Rows with card
//! data must not be kept: see [`may_be_kept`], and [`Spooled::discard`] for what turned out later to hold some.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::model::operation::OperationSpec;

/// The most bytes that are kept.
const MOST: u64 = 8 << 30;

/// Standard input, kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spooled {
    /// The file: its name is the digest of what is in it.
    pub path: PathBuf,
    /// False where the same input was kept before, perhaps for a run that still needs it.
    pub fresh: bool,
}

impl Spooled {
    /// Removes the copy, unless an earlier run left it.
    pub fn discard(&self) -> io::Result<()> {
        if self.fresh { fs::remove_file(&self.path) } else { Ok(()) }
    }
}

/// Whether rows of this operation may be kept in a file of ours: not where they hold card data.
pub fn may_be_kept(operation: &OperationSpec) -> bool {
    !operation.has_secrets()
}

/// Copies `reader` to a file in `directory`, which must exist.
///
/// After `Ok` the whole of it is on disk under its final name, readable by its owner alone. After `Err` no file is left.
pub fn spool(mut reader: impl Read, directory: &Path) -> io::Result<Spooled> {
    let temporary = directory.join(format!(".input-{}-{:016x}.tmp", std::process::id(), fastrand::u64(..)));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    let kept = copy(&mut reader, &mut file).and_then(|digest| keep(&file, &temporary, directory, &digest));
    if !matches!(kept, Ok(Spooled { fresh: true, .. })) {
        let removed = fs::remove_file(&temporary);
        return kept.and_then(|spooled| removed.map(|()| spooled));
    }
    kept
}

fn copy(reader: &mut impl Read, file: &mut File) -> io::Result<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut left = MOST;
    loop {
        let count = match reader.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finalize()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        left = left
            .checked_sub(count as u64)
            .ok_or_else(|| io::Error::other(format!("standard input is longer than {MOST} bytes")))?;
        hasher.update(&buffer[..count]);
        file.write_all(&buffer[..count])?;
    }
}

/// Puts the copy under its name. A copy that is there already stays: another run may be reading it, and would find
/// another file under its name.
fn keep(file: &File, temporary: &Path, directory: &Path, digest: &blake3::Hash) -> io::Result<Spooled> {
    file.sync_all()?;
    let path = directory.join(format!("input-{}", digest.to_hex()));
    let length = file.metadata()?.len();
    if fs::metadata(&path).is_ok_and(|known| known.is_file() && known.len() == length) {
        return Ok(Spooled { path, fresh: false });
    }
    fs::rename(temporary, &path)?;
    File::open(directory)?.sync_all()?;
    Ok(Spooled { path, fresh: true })
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test that cannot go on says why")]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    struct Failing;

    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("gone"))
        }
    }

    fn names(directory: &Path) -> Vec<PathBuf> {
        fs::read_dir(directory).expect("a folder").map(|entry| entry.expect("an entry").path()).collect()
    }

    #[test]
    fn the_same_input_is_kept_once_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = spool(&b"PurchaseID\n1\n"[..], folder.path()).expect("kept");
        let again = spool(&b"PurchaseID\n1\n"[..], folder.path()).expect("kept");
        assert_eq!((first.fresh, again.fresh, &first.path), (true, false, &again.path));
        assert_eq!(names(folder.path()), std::slice::from_ref(&first.path));
        assert_eq!(fs::read(&first.path).expect("readable"), b"PurchaseID\n1\n");
        let mode = fs::metadata(&first.path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        again.discard().expect("left alone");
        assert!(first.path.exists());
        first.discard().expect("removed");
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn nothing_is_left_of_an_input_that_broke_off() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(spool(Failing, folder.path()).is_err());
        assert!(names(folder.path()).is_empty());
    }
}
