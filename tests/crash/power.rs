//! Power loss: the journal on a disk that forgets what was not synced.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::points::{Series, kills};
use crate::rig::Arena;
use crate::strike::{Act, Blow, Disk, Stage};
use crate::tally::Tally;
use crate::tools::{Tool, have, python_fuse};

/// A mounted disk that loses power on demand; see `tests/tools/lossy_disk.py`.
pub(crate) struct LossyDisk {
    server: Child,
    folder: TempDir,
}

impl LossyDisk {
    pub(crate) fn mount() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (image, seen) = (folder.path().join("held"), folder.path().join("seen"));
        std::fs::create_dir(&seen).expect("a folder to mount on");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools/lossy_disk.py");
        let mut server = Command::new(python_fuse().expect("the binding is there"))
            .arg(script)
            .args([&image, &seen])
            .stdin(Stdio::null())
            .spawn()
            .expect("the disk's server starts");
        while !is_mounted(&seen) {
            assert_eq!(server.try_wait().expect("it can be asked"), None, "the disk's server ended at once");
            std::thread::yield_now();
        }
        Self { server, folder }
    }

    /// As programs see it.
    pub(crate) fn seen(&self) -> PathBuf {
        self.folder.path().join("seen")
    }

    /// As it would be found after a power loss.
    pub(crate) fn held(&self) -> PathBuf {
        self.folder.path().join("held")
    }

    /// The power fails for this folder.
    pub(crate) fn cut(&self, folder: &str, seed: u32, survival: u8) {
        let order = format!("{folder} {seed} {}", f64::from(survival) / 100.0);
        std::fs::write(self.seen().join(".cut"), order).expect("the power can be cut");
    }
}

impl Drop for LossyDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("--lazy").arg(self.seen()).status();
        assert!(unmounted.is_ok_and(|status| status.success()), "the disk cannot be unmounted");
        self.server.kill().expect("its server can be stopped");
        self.server.wait().expect("its server ends");
    }
}

fn is_mounted(folder: &Path) -> bool {
    let mounts = std::fs::read_to_string("/proc/self/mounts").expect("the list of mounts");
    let folder = folder.to_str().expect("a plain path");
    mounts.lines().any(|line| line.split(' ').nth(1) == Some(folder))
}

/// Stages on a disk that keeps nothing, half and almost all of what was not synced.
pub(crate) fn stages() -> impl Iterator<Item = Stage> {
    [0, 50, 90].into_iter().flat_map(|survival| {
        [Stage::new(false, true, 4), Stage::new(true, true, 4), Stage::new(true, false, 8)]
            .map(|stage| Stage { disk: Disk::Lossy { survival }, ..stage })
    })
}

#[test]
fn power_loss_takes_nothing_back_that_was_acknowledged() {
    if !have(&[Tool::Strace, Tool::Fuse]) {
        return;
    }
    let (arena, tally) = (Arena::new(), Tally::default());
    for stage in stages() {
        for (call, stride) in [("writev", 7), ("recvfrom", 7), ("pwrite64", 31), ("fsync", 9), ("rename", 5)] {
            Series { stage, before: Vec::new(), act: Act::Run, call, blow: Blow::Kill, first: 1, stride }.walk(
                "power loss",
                &arena,
                &tally,
            );
        }
    }
    tally.finish("power loss", 100);
}

/// All points of a stage, for the long form.
pub(crate) fn series() -> Vec<Series> {
    stages().flat_map(|stage| kills(stage, Vec::new(), Act::Run)).collect()
}
