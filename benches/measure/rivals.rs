//! The other tools that send a file of requests: how each is found, named and started.
//!
//! Each gets what it is best at: connections kept open where it can, 64 at once where it can, no reply written anywhere.
//! None of them keeps a record that would survive a crash, and that is said beside the figures.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Result;

use crate::cost::Tools;
use crate::rows;
use crate::subject::CONCURRENCY;

/// A tool to be compared with.
pub(crate) struct Rival {
    pub(crate) name: &'static str,
    /// How it is installed.
    pub(crate) needs: &'static str,
    /// The line that names its version; none where it is not installed.
    version: fn() -> Option<String>,
    /// The command that sends so many rows to this base.
    command: fn(&Tools, usize, &str) -> Result<Command>,
    /// How many rows it sends in the quick and in the full form: some seconds' work.
    pub(crate) rows: (usize, usize),
    /// Whether each row must arrive exactly once; wrk sends one URL as often as it can.
    pub(crate) sends_rows: bool,
}

impl Rival {
    pub(crate) fn version(&self) -> Option<String> {
        (self.version)()
    }

    pub(crate) fn command(&self, tools: &Tools, rows: usize, base: &str) -> Result<Command> {
        let mut command = (self.command)(tools, rows, base)?;
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Ok(command)
    }
}

/// All of them, the fastest first.
pub(crate) const RIVALS: [Rival; 7] = [
    Rival {
        name: "wrk",
        needs: "apt install wrk",
        version: || {
            first_line("wrk", &["--version"]).map(|line| line.split(" Copyright").next().unwrap_or("").to_owned())
        },
        command: |tools, _, base| {
            let mut command = tools.command("wrk");
            command.args(["-t1", &format!("-c{CONCURRENCY}"), "-d2s", &rows::url(base)]);
            Ok(command)
        },
        rows: (50_000, 200_000),
        sends_rows: false,
    },
    CURL,
    Rival {
        name: "Python aiohttp",
        needs: "pip install aiohttp, in a virtual environment whose python BENCH_PYTHON names",
        version: || module("aiohttp"),
        command: |tools, rows, base| script(tools, "rival_aiohttp.py", rows, base),
        rows: (5_000, 30_000),
        sends_rows: true,
    },
    Rival {
        name: "Python httpx",
        needs: "pip install httpx, in a virtual environment whose python BENCH_PYTHON names",
        version: || module("httpx"),
        command: |tools, rows, base| script(tools, "rival_httpx.py", rows, base),
        rows: (500, 2_000),
        sends_rows: true,
    },
    Rival {
        name: "xargs -P64 curl",
        needs: "apt install findutils curl",
        version: || first_line("xargs", &["--version"]),
        command: |tools, rows, base| {
            let mut command = tools.command("xargs");
            command.arg("-a").arg(rows::urls(rows, base)?);
            command.args([&format!("-P{CONCURRENCY}"), "-n1", "curl", "--silent", "--output", "/dev/null"]);
            Ok(command)
        },
        rows: (300, 2_000),
        sends_rows: true,
    },
    Rival {
        name: "GNU parallel + curl",
        needs: "apt install parallel curl",
        version: || first_line("parallel", &["--version"]),
        command: |tools, rows, base| {
            let mut command = tools.command("parallel");
            command.args([&format!("-j{CONCURRENCY}"), "--will-cite", "--joblog"]);
            command.arg(tools.file("joblog")).arg("--arg-file");
            command.arg(rows::urls(rows, base)?).args(["curl", "--silent", "--output", "/dev/null", "{}"]);
            Ok(command)
        },
        rows: (300, 2_000),
        sends_rows: true,
    },
    Rival {
        name: "newman",
        needs: "npm install newman, and its .bin on the PATH",
        version: || first_line("newman", &["--version"]),
        command: |tools, rows, base| {
            let mut command = tools.command("newman");
            command.arg("run").arg(rows::collection(rows, base)?).arg("--iteration-data").arg(rows::csv(rows)?);
            command.args(["--silent", "--disable-unicode"]);
            Ok(command)
        },
        rows: (100, 1_000),
        sends_rows: true,
    },
];

/// The strongest of those that send rows and not one URL again and again.
pub(crate) const CURL: Rival = Rival {
    name: "curl --parallel",
    needs: "apt install curl, 7.66 or later",
    version: || {
        first_line("curl", &["--version"]).map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
    },
    command: |tools, rows, base| {
        let mut command = tools.command("curl");
        command.args(["--silent", "--parallel", "--parallel-max", &CONCURRENCY.to_string(), "--config"]);
        command.arg(rows::curl_config(rows, base)?);
        Ok(command)
    },
    rows: (20_000, 100_000),
    sends_rows: true,
};

fn python() -> String {
    std::env::var("BENCH_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

fn module(name: &str) -> Option<String> {
    let code =
        format!("import platform, {name}; print('{name}', {name}.__version__ + ', Python', platform.python_version())");
    first_line(&python(), &["-c", &code])
}

fn script(tools: &Tools, name: &str, rows: usize, base: &str) -> Result<Command> {
    let mut command = tools.command(python());
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/tools").join(name)).arg(base);
    command.arg(rows::csv(rows)?);
    Ok(command)
}

/// The first line that a program prints; none where there is no such program, or where it fails and prints nothing.
pub(crate) fn first_line(program: &str, words: &[&str]) -> Option<String> {
    let output = Command::new(program).args(words).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().next().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty())
}
