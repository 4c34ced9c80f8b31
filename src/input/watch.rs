//! Notices when a file changes while it is read, and digests it on the way.
//!
//! What was planned must be what is sent. So the file's identity is compared with that of the plan at every refill, and
//! the digest is taken from the very bytes that are parsed, never from a second look at the file.

use std::cell::RefCell;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::rc::Rc;

/// What tells one state of a file from another without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    /// Its length in bytes.
    pub length: u64,
    /// When it was last written: seconds and nanoseconds.
    pub modified: (i64, i64),
    /// Its device and its number there: another file under the same name has another one.
    pub identity: (u64, u64),
}

impl Fingerprint {
    /// The fingerprint in a file's metadata.
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            identity: (metadata.dev(), metadata.ino()),
        }
    }
}

/// What the watch knows so far.
#[derive(Default)]
struct Seen {
    bytes: u64,
    hasher: Option<blake3::Hasher>,
    changed: bool,
}

/// A view on what a [`Watched`] file has gone through, wherever the reader itself ended up below decoders.
#[derive(Clone)]
pub(super) struct Watch {
    seen: Rc<RefCell<Seen>>,
    planned: Fingerprint,
}

impl Watch {
    /// True once the file was found to be another than the planned one.
    pub(super) fn changed(&self) -> bool {
        self.seen.borrow().changed
    }

    /// True where every byte of the planned file was read, and no more.
    pub(super) fn complete(&self) -> bool {
        let seen = self.seen.borrow();
        !seen.changed && seen.bytes == self.planned.length
    }

    /// The digest of the bytes read, where one was asked for.
    pub(super) fn digest(&self) -> Option<blake3::Hash> {
        self.seen.borrow().hasher.as_ref().map(blake3::Hasher::finalize)
    }
}

/// A file that is compared with its planned fingerprint at every read.
pub(super) struct Watched {
    file: File,
    watch: Watch,
}

impl Watched {
    /// Watches `file`, which must stay as `planned`; its bytes go through `hasher` too.
    pub(super) fn new(file: File, planned: Fingerprint, hasher: Option<blake3::Hasher>) -> (Self, Watch) {
        let watch = Watch { seen: Rc::new(RefCell::new(Seen { hasher, ..Seen::default() })), planned };
        (Self { file, watch: watch.clone() }, watch)
    }
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        let mut seen = self.watch.seen.borrow_mut();
        // After the read, so that these bytes are known to be those of the planned file.
        if Fingerprint::of(&self.file.metadata()?) != self.watch.planned {
            seen.changed = true;
            return Err(io::Error::other("the file changed while it was read"));
        }
        seen.bytes += count as u64;
        if let Some(hasher) = &mut seen.hasher {
            hasher.update(&buffer[..count]);
        }
        Ok(count)
    }
}
