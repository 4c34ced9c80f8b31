//! What a run of a program costs: time on the wall, CPU, peak memory, syncs.
//!
//! Two small C programs do what Rust cannot without unsafe code; they are compiled here, with the compiler that SQLite needs
//! anyway. Must not judge: what a run that failed means is its caller's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

/// What is done about the syncs of the program that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Syncs {
    /// Nothing, not even counted.
    Alone,
    /// Counted.
    Counted,
    /// Counted and not done: never in what is shipped, only in what is preloaded here.
    Skipped,
    /// Counted, and each made longer by so much.
    Slower(Duration),
}

/// What one run cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    /// User and system, of the program and of all children that it waited for.
    pub(crate) cpu: Duration,
    pub(crate) peak_kib: u64,
    pub(crate) code: i32,
    /// 0 where they were not counted.
    pub(crate) syncs: u64,
}

impl Cost {
    pub(crate) fn peak_mib(&self) -> f64 {
        self.peak_kib as f64 / 1024.0
    }
}

/// A finished program.
pub(crate) struct Ran {
    pub(crate) cost: Cost,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The compiled tools, and a folder for what they write.
pub(crate) struct Tools {
    folder: PathBuf,
}

impl Tools {
    /// Compiles them.
    pub(crate) fn build(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/tools");
        let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
        for (name, output, flags) in
            [("measured.c", "measured", &[][..]), ("syncs.c", "syncs.so", &["-shared", "-fPIC"][..])]
        {
            let mut command = Command::new(&compiler);
            command.args(["-O2", "-Wall", "-Wextra"]).args(flags).arg("-o").arg(folder.join(output));
            let status = command.arg(source.join(name)).status().context("no C compiler")?;
            ensure!(status.success(), "{name} does not compile");
        }
        Ok(Self { folder: folder.to_owned() })
    }

    /// A file that may be overwritten.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A command that runs `program` and notes what it cost; arguments and environment are added by the caller.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(self.folder.join("measured"));
        command.arg(self.folder.join("cost")).arg(program).stdin(Stdio::null());
        command
    }

    /// Runs such a command to its end.
    pub(crate) fn run(&self, mut command: Command, syncs: Syncs) -> Result<Ran> {
        let count = self.folder.join("syncs");
        let _ = fs::remove_file(&count);
        let _ = fs::remove_file(self.folder.join("cost"));
        if syncs != Syncs::Alone {
            let how = match syncs {
                Syncs::Alone | Syncs::Counted => "plain".to_owned(),
                Syncs::Skipped => "skip".to_owned(),
                Syncs::Slower(by) => by.as_micros().to_string(),
            };
            command.env("LD_PRELOAD", self.folder.join("syncs.so")).env("BENCH_SYNC", how);
            command.env("BENCH_SYNC_COUNT", &count);
        }
        let output = command.output().context("the measuring tool does not start")?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut cost = self.cost(&command)?;
        if syncs != Syncs::Alone {
            let counted =
                fs::read_to_string(&count).context("no sync was counted: is the program linked statically?")?;
            cost.syncs = counted.trim().parse()?;
        }
        Ok(Ran { cost, stdout: text(&output.stdout), stderr: text(&output.stderr) })
    }

    fn cost(&self, command: &Command) -> Result<Cost> {
        let line = fs::read_to_string(self.folder.join("cost")).with_context(|| format!("{command:?} left no cost"))?;
        let numbers: Vec<u64> = line.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        let [wall, cpu, peak_kib, code] = numbers[..] else { bail!("four numbers expected in `{line}`") };
        Ok(Cost {
            wall: Duration::from_nanos(wall),
            cpu: Duration::from_micros(cpu),
            peak_kib,
            code: i32::try_from(code)?,
            syncs: 0,
        })
    }
}
