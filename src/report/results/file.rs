//! One result file: written under a temporary name, synced, and put in place by renaming.
//!
//! Invariant: under its real name a file is whole. What is not put in place is removed.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::ResultsError;

/// A file under its temporary name; removed unless it is put in place.
struct Temporary {
    path: PathBuf,
    placed: bool,
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.placed {
            // What cannot be removed is overwritten by the next attempt.
            let _left_behind = fs::remove_file(&self.path).is_err();
        }
    }
}

/// A file that is being written. Only its owner may read it: it holds customers' data.
pub(super) struct Draft {
    name: String,
    temporary: Temporary,
    out: BufWriter<Hashed>,
    rows: Option<u64>,
}

/// A file that is whole and on disk, under its temporary name.
pub(super) struct Ended {
    temporary: Temporary,
    /// What the manifest says about it.
    pub(super) listed: Listed,
}

/// What the manifest says about a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// The BLAKE3 digest of its bytes, in hexadecimal.
    pub blake3: String,
    /// Its rows, where it has rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
}

struct Hashed {
    file: File,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl Write for Hashed {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.file.write(buffer)?;
        self.hasher.update(&buffer[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Write for Draft {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.out.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Draft {
    /// Begins a file. What an earlier, broken attempt left under the temporary name is removed first.
    pub(super) fn begin(folder: &Path, name: &str) -> Result<Self, ResultsError> {
        let path = folder.join(format!(".{name}.part"));
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(ResultsError::write(&path, error)),
            _ => {}
        }
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let file = file.map_err(|source| ResultsError::write(&path, source))?;
        let out = BufWriter::with_capacity(64 << 10, Hashed { file, hasher: blake3::Hasher::new(), bytes: 0 });
        Ok(Self { name: name.to_owned(), temporary: Temporary { path, placed: false }, out, rows: None })
    }

    /// Writes bytes.
    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<(), ResultsError> {
        self.out.write_all(bytes).map_err(|source| self.fault(source))
    }

    /// Says that it has so many rows.
    pub(super) fn holding(self, rows: u64) -> Self {
        Self { rows: Some(rows), ..self }
    }

    /// What an error of writing it means.
    pub(super) fn fault(&self, source: io::Error) -> ResultsError {
        ResultsError::write(&self.temporary.path, source)
    }

    /// Ends the file: after `Ok` its bytes are on disk, under the temporary name.
    pub(super) fn end(self) -> Result<Ended, ResultsError> {
        let Self { name, temporary, out, rows } = self;
        let hashed = out.into_inner().map_err(|error| ResultsError::write(&temporary.path, error.into_error()))?;
        hashed.file.sync_all().map_err(|source| ResultsError::write(&temporary.path, source))?;
        let blake3 = hashed.hasher.finalize().to_hex().to_string();
        Ok(Ended { temporary, listed: Listed { name, bytes: hashed.bytes, blake3, rows } })
    }
}

impl Ended {
    /// Puts the file in place, over an older one of its name.
    pub(super) fn place(mut self, folder: &Path) -> Result<(), ResultsError> {
        let place = folder.join(&self.listed.name);
        fs::rename(&self.temporary.path, &place).map_err(|source| ResultsError::write(&place, source))?;
        self.temporary.placed = true;
        Ok(())
    }
}

/// Makes the folder for a run's results, if it is not there, for its owner alone. Those above it are made as usual.
pub(super) fn make_folder(folder: &Path) -> Result<(), ResultsError> {
    let fault = |source| ResultsError::write(folder, source);
    let above = folder.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(above).map_err(fault)?;
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
        made => made.map_err(fault)?,
    }
    sync_folder(above)
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(folder: &Path) -> Result<(), ResultsError> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|source| ResultsError::write(folder, source))
}
