//! Where the journal's file lies: its folder, its mode, and the kind of file system.
//!
//! Must never open a journal that exists: closing any handle on it would drop SQLite's own locks in this process (they
//! belong to the process and the file, not to the handle).

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::fault::OpenError;

/// Makes the journal's file and the folders above it where they are missing. Afterwards the file is there, on a local
/// file system, and so durably that power loss does not take its name away.
///
/// Without that, a crash after the first calls could leave no journal at all, and the same file would be sent again.
pub(super) fn prepare(path: &Path) -> Result<(), OpenError> {
    let folder = folder_of(path);
    create_folder(folder).map_err(|error| OpenError::io("cannot make the journal's folder", folder, &error))?;
    refuse_network(path, folder)?;
    let created = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match created {
        Ok(file) => file
            .sync_all()
            .and_then(|()| sync_folder(folder))
            .map_err(|error| OpenError::io("cannot sync the journal", path, &error)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(OpenError::io("cannot make the journal", path, &error)),
    }
}

/// The folder that a file is in.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Makes a folder and those above it, for this user alone; each new name is synced where it stands.
pub(super) fn create_folder(folder: &Path) -> std::io::Result<()> {
    let missing: Vec<PathBuf> = folder
        .ancestors()
        .take_while(|above| !above.as_os_str().is_empty() && !above.exists())
        .map(Into::into)
        .collect();
    for new in missing.iter().rev() {
        match DirBuilder::new().mode(0o700).create(new) {
            Ok(()) => sync_folder(folder_of(new))?,
            // Another process was faster.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(target_os = "linux")]
fn refuse_network(path: &Path, folder: &Path) -> Result<(), OpenError> {
    let found = rustix::fs::statfs(folder)
        .map_err(|error| OpenError::io("cannot tell the file system of", folder, &error.into()))?;
    // The number has 32 bits; on some machines it comes sign-extended.
    match network_file_system(found.f_type as u32) {
        Some(kind) => Err(OpenError::NetworkFileSystem { path: path.to_owned(), kind }),
        None => Ok(()),
    }
}

/// Elsewhere the kind of file system is not told by a number; the switch to WAL, which is verified, is what refuses.
#[cfg(not(target_os = "linux"))]
fn refuse_network(_path: &Path, _folder: &Path) -> Result<(), OpenError> {
    Ok(())
}

/// The name of a network file system, by the number in `statfs(2)`.
///
/// 9p is among them: it is how virtual machines see their host's folders, and neither its locks nor its shared memory
/// hold against the other side. FUSE is allowed: most of what it serves is local, and the number does not tell.
#[cfg(target_os = "linux")]
fn network_file_system(number: u32) -> Option<&'static str> {
    let name = match number {
        0x0000_6969 => "NFS",
        0x0000_517B => "SMB",
        0xFF53_4D42 => "CIFS",
        0xFE53_4D42 => "SMB2",
        0x5346_414F | 0x6B41_4653 => "AFS",
        0x7375_7245 => "Coda",
        0x0000_564C => "NCP",
        0x00C3_6400 => "Ceph",
        0x0102_1997 => "9p",
        0x0BD0_0BD0 => "Lustre",
        0x4750_4653 => "GPFS",
        0x1983_0326 => "BeeGFS",
        _ => return None,
    };
    Some(name)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![allow(clippy::expect_used, reason = "a test that cannot go on says why")]

    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn network_file_systems_are_known_by_their_numbers() {
        for (number, name) in
            [(0x6969, "NFS"), (0xFF53_4D42, "CIFS"), (0xFE53_4D42, "SMB2"), (0x00C3_6400, "Ceph"), (0x0102_1997, "9p")]
        {
            assert_eq!(network_file_system(number), Some(name));
        }
        for local in [0xEF53, 0x5846_5342, 0x9123_683E, 0x0102_1994, 0x2FC1_2FC1, 0x6573_5546, 0x794C_7630] {
            assert_eq!(network_file_system(local), None, "{local:#x}: ext4, xfs, btrfs, tmpfs, zfs, FUSE, overlay");
        }
    }

    #[test]
    fn only_this_user_may_read_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a/b/journal.db");
        prepare(&path).expect("a local folder");
        let mode = |path: &Path| path.metadata().expect("it is there").permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!((mode(&folder.path().join("a")), mode(&folder.path().join("a/b"))), (0o700, 0o700));
        prepare(&path).expect("a second time changes nothing");
    }
}
