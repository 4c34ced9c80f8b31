//! Sets a point up, strikes it, lets a start that nobody disturbs finish it, and hands the evidence to the checker.

use std::cell::{Cell, OnceCell};
use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::checker::{Evidence, Told};
use crate::power::LossyDisk;
use crate::rows::{Row, block_after, csv, rows};
use crate::strike::{Act, Blow, Disk, Point, Stage, Strike};
use crate::support::{Home, PROGRAM, SandboxProcess};
use crate::tally::{Tally, UNDISTURBED, Violation, Wrong, violation};

/// Longer than any start here takes, also on a busy machine.
const HANG: Duration = Duration::from_secs(120);

/// The program under test: the built one, or the one that `SUBOPS_PROGRAM` names.
pub(crate) fn program() -> PathBuf {
    std::env::var_os("SUBOPS_PROGRAM").map_or_else(|| PathBuf::from(PROGRAM), PathBuf::from)
}

/// How a program ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// The blow fell.
    pub(crate) struck: bool,
    hung: bool,
}

impl Ended {
    /// Waits for the end of a program whose output is piped. `struck` is filled in by who knows.
    pub(crate) fn of(mut child: Child) -> Self {
        let since = Instant::now();
        let mut hung = false;
        let status: ExitStatus = loop {
            match child.try_wait().expect("the program can be asked") {
                Some(status) => break status,
                None if since.elapsed() > HANG => {
                    hung = true;
                    child.kill().expect("the program can be killed");
                }
                None => std::thread::sleep(Duration::from_millis(1)),
            }
        };
        let text = |pipe: Option<&mut dyn Read>| {
            let mut text = Vec::new();
            if let Some(pipe) = pipe {
                pipe.read_to_end(&mut text).expect("the program's output");
            }
            String::from_utf8_lossy(&text).into_owned()
        };
        let stdout = text(child.stdout.as_mut().map(|pipe| pipe as &mut dyn Read));
        let stderr = text(child.stderr.as_mut().map(|pipe| pipe as &mut dyn Read));
        Self { code: status.code(), stdout, stderr, struck: false, hung }
    }

    /// What no start may do, whatever happens to it.
    pub(crate) fn faults(&self, wrong: &mut Vec<Violation>) {
        if self.hung {
            wrong.push(violation(Wrong::End, format!("no end within {HANG:?}: {}", self.stderr)));
        }
        if self.code == Some(101) || self.stderr.contains("panicked at") {
            wrong.push(violation(Wrong::End, format!("panicked: {}", self.stderr)));
        }
    }
}

/// A sandbox, and everything that points on it share.
pub(crate) struct Arena {
    pub(crate) sandbox: SandboxProcess,
    folder: TempDir,
    program: PathBuf,
    next: Cell<u32>,
    earlier: OnceCell<Vec<u8>>,
    disk: OnceCell<LossyDisk>,
}

impl Arena {
    pub(crate) fn new() -> Self {
        Self::of(program())
    }

    /// An arena for another build of the program.
    pub(crate) fn of(program: PathBuf) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let ledger = folder.path().join("ledger.jsonl");
        let sandbox = SandboxProcess::start(["--ledger", ledger.to_str().expect("a plain path")]);
        let (earlier, disk) = (OnceCell::new(), OnceCell::new());
        Self { sandbox, folder, program, next: Cell::new(80_000_000), earlier, disk }
    }

    fn ledger_file(&self) -> PathBuf {
        self.folder.path().join("ledger.jsonl")
    }

    /// A journal with one finished run of other rows.
    fn earlier(&self) -> &[u8] {
        self.earlier.get_or_init(|| {
            let scene = Scene::set(self, Stage::new(false, false, 1));
            let ended = scene.act(Act::Run, None);
            assert_eq!(ended.code, Some(1), "one row is refused: {}", ended.stderr);
            fs::read(scene.journal()).expect("the journal")
        })
    }

    /// The disk that loses power, mounted when first asked for.
    pub(crate) fn disk(&self) -> &LossyDisk {
        self.disk.get_or_init(LossyDisk::mount)
    }

    /// Waits until no request is under way: what a killed program sent has then taken effect, or never will.
    pub(crate) fn quiet(&self) {
        while self.sandbox.statistics()["in_flight"] != 0 {
            std::thread::yield_now();
        }
    }

    /// Strikes a point and judges it. True where the last blow fell.
    pub(crate) fn strike(&self, kind: &str, point: &Point, tally: &Tally) -> bool {
        let scene = Scene::set(self, point.stage);
        let mut wrong = Vec::new();
        let (mut struck, mut disturbed) = (true, false);
        for (deaths, strike) in (1..).zip(&point.strikes) {
            let ended = scene.act(strike.act, Some(strike));
            struck = ended.struck;
            disturbed |= struck;
            ended.faults(&mut wrong);
            scene.right_after(deaths, &mut wrong);
        }
        if let Disk::Lossy { survival } = point.stage.disk {
            scene.cut(survival, seed(point));
            disturbed = true;
        }
        let doubts = scene.finish(&mut wrong);
        tally.judged(if disturbed { kind } else { UNDISTURBED }, &point.to_string(), doubts, wrong);
        struck
    }
}

/// One point's home, with its rows.
pub(crate) struct Scene<'a> {
    arena: &'a Arena,
    pub(crate) home: Home,
    stage: Stage,
    pub(crate) rows: Vec<Row>,
    /// Where the ledger's effects of this point begin.
    ledger_from: u64,
    /// Where the journal is now.
    folder: std::cell::RefCell<PathBuf>,
    number: u32,
}

impl<'a> Scene<'a> {
    pub(crate) fn set(arena: &'a Arena, stage: Stage) -> Self {
        let first = arena.next.get();
        arena.next.set(block_after(first));
        let rows = rows(first);
        let home = Home::with(&arena.sandbox);
        home.write("rows.csv", csv(&rows));
        let verify = if stage.verify { "auto" } else { "off" };
        let guard = "[guard]\nmax_failures = 1000\nmax_in_doubt = 1000\n";
        home.write("job.toml", format!("input = \"rows.csv\"\nverify = \"{verify}\"\n{guard}"));
        let account = format!("rate = \"5000/s\"\nconcurrency = {}\nsettle_delay = \"0s\"\n", stage.concurrency);
        home.write("subops.toml", format!("[accounts.segpay]\nprovider = \"segpay\"\ntimeout = \"2s\"\n{account}"));
        let folder = match stage.disk {
            Disk::Plain => home.path().join("journal"),
            Disk::Lossy { .. } => arena.disk().seen().join(first.to_string()),
        };
        fs::create_dir(&folder).expect("a folder for the journal");
        if stage.warm {
            let journal = folder.join("journal.db");
            fs::write(&journal, arena.earlier()).expect("an earlier journal");
            sync(&journal);
            sync(&folder);
        }
        let ledger_from = fs::metadata(arena.ledger_file()).map_or(0, |file| file.len());
        Self { arena, home, stage, rows, ledger_from, folder: folder.into(), number: first }
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.folder.borrow().join("journal.db")
    }

    /// Moves the journal to another folder, from which the next start takes it.
    pub(crate) fn move_journal(&self, folder: &Path) {
        self.folder.replace(folder.to_owned());
    }

    /// The power fails.
    fn cut(&self, survival: u8, seed: u32) {
        let disk = self.arena.disk();
        disk.cut(&self.number.to_string(), seed, survival);
        self.move_journal(&disk.held().join(self.number.to_string()));
    }

    /// The number that the run has in the journal.
    fn run(&self) -> &'static str {
        if self.stage.warm { "2" } else { "1" }
    }

    fn words(&self, act: Act) -> Vec<&'static str> {
        match act {
            Act::Run => vec!["run", "job.toml", "--progress", "none", "--json"],
            Act::Resume => vec!["resume", "--progress", "none", "--json"],
            Act::Verify => vec!["doubt", "verify", self.run(), "--progress", "none", "--json"],
        }
    }

    /// The program (or what is put before it) in this home.
    pub(crate) fn command(&self, before: &[&str], words: &[&str]) -> Command {
        let program = self.arena.program.to_str().expect("a plain path");
        let all: Vec<&str> = before.iter().copied().chain([program]).chain(words.iter().copied()).collect();
        let mut command = Command::new(all[0]);
        command.args(&all[1..]).env_clear().current_dir(self.home.path());
        for (name, value) in self.home.command().get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        command.env("SUBOPS_JOURNAL", self.journal());
        if let Some(control) = self.stage.control {
            command.env("SUBOPS_CONTROL", control);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Starts a command and lets it run.
    pub(crate) fn start(&self, act: Act) -> Child {
        self.command(&[], &self.words(act)).spawn().expect("the program starts")
    }

    /// Runs a command to its end, or to the blow.
    pub(crate) fn act(&self, act: Act, strike: Option<&Strike>) -> Ended {
        self.act_with(act, strike, &[])
    }

    /// The same with more variables in the program's environment.
    pub(crate) fn act_with(&self, act: Act, strike: Option<&Strike>, variables: &[(&str, &str)]) -> Ended {
        let words = self.words(act);
        let Some(Strike { call, at, blow, .. }) = strike else {
            let mut command = self.command(&[], &words);
            command.envs(variables.iter().copied());
            return Ended::of(command.spawn().expect("the program starts"));
        };
        let log = self.home.path().join("strace.log");
        let (trace, inject) = (format!("trace={call}"), blow.inject(call, *at));
        let log_path = log.to_str().expect("a plain path");
        let mut before = vec!["strace", "-f", "-q", "-o", log_path, "-e", &trace, "-e", &inject];
        let pairs: Vec<String> = variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
        before.extend(pairs.iter().flat_map(|pair| ["-E", pair]));
        let child = self.command(&before, &words).spawn().expect("strace starts");
        let mut ended = Ended::of(child);
        let log = fs::read_to_string(&log).unwrap_or_default();
        ended.struck = log.contains("(INJECTED)") || log.contains("killed by SIGKILL");
        ended
    }

    /// Runs a command that only looks, and returns its JSON.
    fn look(&self, words: &[&str]) -> (Ended, Value) {
        let ended = Ended::of(self.command(&[], words).spawn().expect("the program starts"));
        let said = serde_json::from_str(&ended.stdout).unwrap_or(Value::Null);
        (ended, said)
    }

    /// After a death: at most the calls in flight are in doubt, and whatever took effect is known or in doubt.
    pub(crate) fn right_after(&self, deaths: u64, wrong: &mut Vec<Violation>) {
        self.arena.quiet();
        // A journal that is to lose its power shows what it will not hold.
        if self.stage.disk != Disk::Plain {
            return;
        }
        let (_, status) = self.look(&["status", self.run(), "--json"]);
        let count = |state: &str| status["rows"][state].as_u64().unwrap_or(0);
        let (effects, open) = (self.ledger().len() as u64, count("in_doubt"));
        if count("applied") + open < effects {
            let words = format!("{effects} effects, {} applied and {open} in doubt right after", count("applied"));
            wrong.push(violation(Wrong::Loss, words));
        }
        if open > deaths * u64::from(self.stage.concurrency) {
            wrong.push(violation(Wrong::End, format!("{open} rows in doubt after {deaths} deaths")));
        }
    }

    /// The effects on this point's rows.
    pub(crate) fn ledger(&self) -> Vec<Value> {
        let mut file = fs::File::open(self.arena.ledger_file()).expect("the ledger");
        file.seek(SeekFrom::Start(self.ledger_from)).expect("the ledger is as long as it was");
        let mut text = String::new();
        file.read_to_string(&mut text).expect("the ledger is text");
        let effects = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("one effect a line"));
        effects.filter(|effect| self.rows.iter().any(|row| row.is_like(effect))).collect()
    }

    /// Lets an undisturbed start go to its end, judges, starts once more (nothing may be sent), and lets a person who can
    /// read the ledger settle what is left. Returns how many rows were in doubt.
    pub(crate) fn finish(&self, wrong: &mut Vec<Violation>) -> u64 {
        let ended = self.act(Act::Run, None);
        let told = self.judge(&ended, wrong);
        let before = self.arena.sandbox.requests();
        let again = self.act(Act::Run, None);
        again.faults(wrong);
        if self.arena.sandbox.requests() != before {
            wrong.push(violation(Wrong::Sent, "a finished run sent something when it was started again"));
        }
        let doubts: Vec<u64> = told.iter().filter(|(_, state)| *state == "in_doubt").map(|(line, _)| *line).collect();
        // A sample: it costs three more starts.
        if !doubts.is_empty() && self.number.is_multiple_of(30) {
            self.settle(&doubts, wrong);
        }
        doubts.len() as u64
    }

    fn judge(&self, ended: &Ended, wrong: &mut Vec<Violation>) -> Told {
        ended.faults(wrong);
        self.arena.quiet();
        let (_, status) = self.look(&["status", self.run(), "--json"]);
        let (_, doubts) = self.look(&["doubt", "list", self.run(), "--json"]);
        let Some(results) = status["results"].as_str() else {
            wrong
                .push(violation(Wrong::End, format!("no results; {:?}: {}{}", ended.code, ended.stdout, ended.stderr)));
            return Told::new();
        };
        let results = self.home.path().join(results);
        let (rows, ledger) = (self.rows.as_slice(), self.ledger());
        let evidence =
            Evidence { rows, ledger: &ledger, status: &status, doubts: &doubts, results: &results, code: ended.code };
        let (told, found) = evidence.judge();
        wrong.extend(found);
        told
    }

    /// A person settles each doubt by what the provider says; then everything is done, and done once.
    fn settle(&self, doubts: &[u64], wrong: &mut Vec<Violation>) {
        let ledger = self.ledger();
        for line in doubts {
            let row = self.rows.iter().find(|row| row.line == *line).expect("a row of the input");
            let applied = ledger.iter().any(|effect| row.caused(effect));
            let word = if applied { "applied" } else { "not-applied" };
            let line = line.to_string();
            let words = ["doubt", "settle", self.run(), "--row", &line, "--as", word, "--reason", "ledger", "--json"];
            let (ended, _) = self.look(&words);
            if ended.code != Some(0) {
                wrong.push(violation(
                    Wrong::End,
                    format!("row {line} cannot be settled: {}{}", ended.stdout, ended.stderr),
                ));
            }
        }
        let ended = self.act(Act::Run, None);
        let report = self.look(&["report", self.run(), "--json"]).0;
        report.faults(wrong);
        let told = self.judge(&ended, wrong);
        if told.values().any(|state| !matches!(state.as_str(), "applied" | "already" | "refused")) {
            wrong.push(violation(Wrong::End, format!("after every doubt was settled: {told:?}")));
        }
    }
}

impl Blow {
    fn inject(self, call: &str, at: u32) -> String {
        match self {
            Blow::Kill => format!("inject={call}:signal=KILL:when={at}"),
            Blow::Error(error) => format!("inject={call}:error={error}:when={at}"),
            Blow::Errors(error) => format!("inject={call}:error={error}:when={at}+"),
        }
    }
}

/// The same for the same point, so that what survives a power loss does not change when it is tried again.
fn seed(point: &Point) -> u32 {
    point.to_string().bytes().fold(0, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into()))
}

fn sync(path: &Path) {
    fs::File::open(path).and_then(|file| file.sync_all()).expect("it can be synced");
}
