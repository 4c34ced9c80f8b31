//! What the tests of the built program share: a fresh home, the program, and the sandbox in a process of its own, whose
//! ledger is the judge.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should stop at the line that shows why"
)]
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The built program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_subops");

/// A fresh folder with an empty home, in which the program runs.
pub(crate) struct Home {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

impl Home {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { folder, variables: Vec::new() }
    }

    /// A home whose environment names this sandbox.
    pub(crate) fn with(sandbox: &SandboxProcess) -> Self {
        let mut home = Self::new();
        home.variables.clone_from(&sandbox.environment);
        home
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn set(&mut self, variable: &str, value: &str) {
        self.variables.retain(|(known, _)| known != variable);
        self.variables.push((variable.to_owned(), value.to_owned()));
    }

    pub(crate) fn unset(&mut self, variable: &str) {
        self.variables.retain(|(known, _)| known != variable);
    }

    /// Writes a file below the folder and returns its path.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(&path, content).expect("a file");
        path
    }

    /// The program in this home, with nothing of the tester's environment.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .env_clear()
            .env("HOME", self.path())
            .env("PATH", "/usr/bin:/bin")
            .env("TZ", "UTC")
            .current_dir(self.path())
            .stdin(Stdio::null());
        for (variable, value) in &self.variables {
            command.env(variable, value);
        }
        command
    }

    pub(crate) fn run<const N: usize>(&self, arguments: [&str; N]) -> Outcome {
        Outcome::of(self.command().args(arguments).output().expect("the program starts"))
    }

    /// Runs the program with these bytes as its standard input.
    pub(crate) fn run_with_input<const N: usize>(&self, arguments: [&str; N], input: impl AsRef<[u8]>) -> Outcome {
        Outcome::of(self.feed(arguments, input).wait_with_output().expect("the program ends"))
    }

    /// Starts the program and gives it these bytes as its standard input.
    pub(crate) fn feed<const N: usize>(&self, arguments: [&str; N], input: impl AsRef<[u8]>) -> Child {
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        // A program that refuses early does not read it all, and need not.
        let written = child.stdin.take().expect("its input").write_all(input.as_ref());
        assert!(written.is_ok() || child.wait().is_ok());
        child
    }

    /// Runs a command line as a person types it, with the built program on the path.
    pub(crate) fn shell(&self, line: &str) -> Outcome {
        let folder = Path::new(PROGRAM).parent().expect("a folder").display();
        let mut command = Command::new("sh");
        command.args(["-c", line]).env_clear().current_dir(self.path()).stdin(Stdio::null());
        command.env("HOME", self.path()).env("TZ", "UTC").env("PATH", format!("{folder}:/usr/bin:/bin"));
        for (variable, value) in &self.variables {
            command.env(variable, value);
        }
        Outcome::of(command.output().expect("a shell"))
    }

    pub(crate) fn spawn<const N: usize>(&self, arguments: [&str; N]) -> Child {
        let mut command = self.command();
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the program starts")
    }

    /// The one folder of results that is there.
    pub(crate) fn results(&self) -> PathBuf {
        let mut folders: Vec<PathBuf> = fs::read_dir(self.path().join("results"))
            .expect("a folder of results")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        folders.sort();
        folders.pop().expect("results of a run")
    }

    /// The rows of one result file, each by column.
    pub(crate) fn result_rows(&self, file: &str) -> Vec<BTreeMap<String, String>> {
        self.result_rows_by(file, b',')
    }

    /// The same where the input has another separator.
    pub(crate) fn result_rows_by(&self, file: &str, delimiter: u8) -> Vec<BTreeMap<String, String>> {
        let mut reader = csv::ReaderBuilder::new();
        let reader = reader.delimiter(delimiter).from_path(self.results().join(file));
        reader.expect("a CSV file").deserialize().map(|row| row.expect("a row")).collect()
    }
}

/// Every file and folder below `folder`: its mode, and what is in it.
pub(crate) fn listing(folder: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let metadata = fs::symlink_metadata(&path).expect("it is there");
        let content = if metadata.is_file() { fs::read(&path).expect("a readable file") } else { Vec::new() };
        if metadata.is_dir() {
            found.extend(listing(&path));
        }
        found.insert(path, (metadata.mode() & 0o7777, content));
    }
    found
}

/// What a finished program left.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("the program prints UTF-8");
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Stops the test where the exit code is another.
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error} in {}\nstderr:\n{}", self.stdout, self.stderr))
    }
}

/// `subops sandbox` in a process of its own.
pub(crate) struct SandboxProcess {
    child: Child,
    pub(crate) url: String,
    pub(crate) environment: Vec<(String, String)>,
}

impl SandboxProcess {
    pub(crate) fn start<const N: usize>(arguments: [&str; N]) -> Self {
        let mut child = Command::new(PROGRAM)
            .args(["sandbox", "--json"])
            .args(arguments)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the sandbox starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("its first line");
        let said: Value = serde_json::from_str(&line).expect("one JSON object");
        let environment = said["environment"].as_object().expect("its environment").iter();
        let environment =
            environment.map(|(name, value)| (name.clone(), value.as_str().expect("text").to_owned())).collect();
        Self { child, url: said["url"].as_str().expect("its URL").to_owned(), environment }
    }

    /// What it was asked to do and did, in order.
    pub(crate) fn ledger(&self) -> Vec<Value> {
        match self.get("/ledger") {
            Value::Array(entries) => entries,
            other => panic!("no list: {other}"),
        }
    }

    /// How often each subject was acted on.
    pub(crate) fn applied(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for entry in self.ledger() {
            *counts.entry(entry["subject"].as_str().expect("a subject").to_owned()).or_default() += 1;
        }
        counts
    }

    pub(crate) fn statistics(&self) -> Value {
        self.get("/statistics")
    }

    pub(crate) fn requests(&self) -> u64 {
        self.statistics()["requests"].as_u64().expect("a number of requests")
    }

    /// Changes its faults, latency or rate while it runs.
    pub(crate) fn control(&self, settings: &str) {
        let status = self.http("POST", "/control", settings).0;
        assert_eq!(status, 200, "{settings}");
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        let (status, body) = self.http("GET", path, "");
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).expect("JSON")
    }

    /// One request of our own, over a plain socket: the tests share no client with the program.
    pub(crate) fn http(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let host = self.url.trim_start_matches("http://").trim_end_matches('/');
        let mut stream = TcpStream::connect(host).expect("the sandbox listens");
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
        .expect("a request");
        let mut reply = String::new();
        stream.read_to_string(&mut reply).expect("a reply");
        let (head, body) = reply.split_once("\r\n\r\n").expect("a head and a body");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
        (status, if chunked { dechunked(body) } else { body.to_owned() })
    }
}

fn dechunked(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).expect("a chunk size");
        if size == 0 {
            break;
        }
        whole.push_str(&rest[..size]);
        body = &rest[size + 2..];
    }
    whole
}

impl Drop for SandboxProcess {
    fn drop(&mut self) {
        self.child.kill().expect("the sandbox can be stopped");
        self.child.wait().expect("the sandbox ends");
    }
}

/// A CSV file of extensions: `count` purchases that the sandbox knows as active, from `first` on.
pub(crate) fn extensions(first: u32, count: usize) -> String {
    let mut text = String::from("PurchaseID,Days,customer\n");
    for purchase in (first..).filter(|purchase| purchase % 1000 < 990).take(count) {
        text.push_str(&format!("{purchase},30,customer {purchase}\n"));
    }
    text
}
