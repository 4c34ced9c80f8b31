//! The secret that keys the digest of an input with card data, so that nobody can guess its contents back from it.
//!
//! It lies beside the journal, readable by its owner alone. Losing it only means that such inputs have another digest.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The file's name.
const NAME: &str = "digest.key";

/// The key beside the journal at `folder`, made where there is none.
pub(super) fn kept(folder: &Path) -> io::Result<[u8; 32]> {
    let path = folder.join(NAME);
    match fs::read(&path) {
        Ok(bytes) => bytes
            .try_into()
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, format!("`{}` is no key", path.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(folder, &path),
        Err(error) => Err(error),
    }
}

/// A key for a plan that leaves nothing behind.
pub(super) fn passing() -> io::Result<[u8; 32]> {
    let mut key = [0; 32];
    fs::File::open("/dev/urandom")?.read_exact(&mut key)?;
    Ok(key)
}

/// What tells the tokens of a new run from those of every other, also of one with the same number in another journal. Forty
/// random bits: of all runs that one account will ever see, two are alike with a chance that nobody has to think of.
pub(super) fn mark() -> io::Result<String> {
    const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let random = passing()?;
    Ok(random.iter().take(8).map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect())
}

/// Written whole and synced under another name first: half a key would be a key that nobody has again.
fn make(folder: &Path, path: &Path) -> io::Result<[u8; 32]> {
    fs::create_dir_all(folder)?;
    let key = passing()?;
    let draft = folder.join(format!(".{NAME}-{}.tmp", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(&key)?;
    file.sync_all()?;
    // Where two processes make one at once, the first to link wins and both use it.
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => {
            fs::File::open(folder)?.sync_all()?;
            fs::read(path)?.try_into().map_err(|_| io::Error::other("a key of another length"))
        }
    }
}
