//! The command line as a whole: what each flag means, what is refused, and what help looks like.
#![allow(clippy::expect_used, reason = "a test stops at the first surprise")]

use std::path::PathBuf;

use super::*;
use crate::config::Format;
use crate::config::layers::{LimitLayer, Overrides, parse_rate};
use crate::model::ids::{RowNumber, RunId};
use crate::model::settings::MaxFailures;

fn parse(line: &str) -> Result<Invocation, CliError> {
    parse_from(std::iter::once("subops").chain(line.split_whitespace()))
}

fn command(line: &str) -> Command {
    parse(line).map(|invocation| invocation.command).expect("a good command line")
}

fn overrides(line: &str) -> Overrides {
    parse(line).map(|invocation| invocation.overrides).expect("a good command line")
}

/// What a wrong command line prints on standard error.
fn wrong(line: &str) -> String {
    let fault = parse(line).map(|_| ()).expect_err("a bad command line");
    assert_eq!(fault.exit(), Exit::Usage, "{line}");
    fault.render().stderr
}

fn help(line: &str) -> String {
    match parse(&format!("{line} --help")) {
        Err(fault) if fault.exit() == Exit::Success => fault.render().stdout,
        other => format!("no help for `{line}`: {other:?}"),
    }
}

const HELP: &str = "\
Applies a file of subscription operations to a payment provider, one call a row: rate-limited,
restartable, and honest about what it does not know

Usage: subops [OPTIONS] <COMMAND>

Commands:
  plan         Check every row of a job and show what it comes to; sends and writes nothing
  run          Plan a job and execute it; continues an unfinished run, repeats no finished one
  resume       Continue an interrupted or halted run
  status       Tell where a run stands
  runs         List the runs
  doubt        Rows of which nobody knows whether they were applied: show, verify or settle them
  report       Write the result files of a run again, or in another format
  operations   The catalogue: what each operation needs, what a repeat of it does, what verifies it
  check        Check configuration and credentials by a harmless read at each account
  sandbox      Serve local stand-ins for the providers, with a ledger and faults
  completions  Print a completion script for a shell
  help         Print this message or the help of the given subcommand(s)

Options:
  -h, --help     Print help
  -V, --version  Print version

Global options:
      --sandbox         Rehearse with built-in providers and a journal of their own [env:
                        SUBOPS_SANDBOX]
      --config <FILE>   The configuration [default: ./subops.toml, else the user's] [env:
                        SUBOPS_CONFIG]
      --journal <FILE>  The journal [default: in the user's state folder] [env: SUBOPS_JOURNAL]
      --json            Print one JSON object on standard output, errors too [env: SUBOPS_JSON]
  -q, --quiet           Print nothing but errors on standard error [env: SUBOPS_QUIET]
      --progress <HOW>  How to show progress [env: SUBOPS_PROGRESS] [default: auto] [possible
                        values: auto, bar, plain, none]
      --no-color        No colours (as NO_COLOR in the environment) [env: SUBOPS_NO_COLOR]
  -v, --verbose...      Log what happens on standard error; twice for details

Examples:
  subops run jobs/nightly.toml --sandbox   rehearse with built-in providers; nothing real is called
  subops plan jobs/nightly.toml            check every row and show what would be sent
  subops run jobs/nightly.toml             send it
  subops doubt list 7                      see which rows of run 7 need a decision

Exit codes:
  0  every row is applied, or was before   10   plan stale or not approved
  1  some rows were refused or failed      11   locked by another process
  2  something is invalid; nothing sent    12   credentials rejected
  3  halted by a guard                     75   not started, try later
  4  rows in doubt await a person          130  interrupted, can be resumed
  5  internal or journal fault
";

const COMMANDS: [&str; 16] = [
    "",
    "plan",
    "run",
    "resume",
    "status",
    "runs",
    "doubt",
    "doubt list",
    "doubt verify",
    "doubt settle",
    "report",
    "operations",
    "check",
    "sandbox",
    "completions",
    "man",
];

#[test]
fn the_help_as_it_is_read() {
    // Of a fixed width, whatever the terminal of the test.
    assert_eq!(Typed::command().term_width(100).render_help().to_string(), HELP);
}

#[test]
fn each_help_has_examples_and_fits() {
    for line in COMMANDS {
        let help = help(line);
        assert!(help.starts_with(char::is_uppercase), "{help}");
        assert!(line == "man" || help.contains("\nExamples:\n  subops "), "{line}: {help}");
        for row in help.lines() {
            assert!(row.chars().count() <= 100, "{line}: {row}");
        }
    }
}

#[test]
fn each_example_can_be_typed() {
    for line in COMMANDS {
        let help = help(line);
        let examples = help.split_once("Examples:\n").map_or("", |(_, examples)| examples);
        for example in examples.lines().take_while(|row| !row.is_empty()) {
            // After two spaces an example is explained; before a bar something feeds it, after `>` it goes to a file.
            let typed = example.trim().split("  ").next().unwrap_or_default();
            let typed = typed.rsplit(" | ").next().unwrap_or_default().split(" > ").next().unwrap_or_default();
            let quoted = typed.split('"').enumerate();
            let words = quoted.flat_map(|(index, part)| match index % 2 {
                0 => part.split_whitespace().collect(),
                _ => vec![part],
            });
            assert!(parse_from(words.clone()).is_ok(), "{line}: {:?}", words.collect::<Vec<_>>());
        }
    }
}

#[test]
fn every_flag_of_a_run_is_understood() {
    let invocation = parse(
        "run jobs/a.toml -n -j 8 --rate 600/min --operation x.y --account eu --max-failures 5% --max-in-doubt 3 \
         --expect-rows 1000 --expect-total USD=995.00 --expect-total jpy=12 --yes --again oops --skip-invalid \
         --encoding latin1 --delimiter tab --results out --sandbox --journal j.db --config c.toml --json --quiet \
         --progress plain --no-color -vv",
    )
    .expect("a good command line");
    let Command::Run { job, expected, dry_run, yes, again } = invocation.command else { return assert_eq!("run", "") };
    assert_eq!((job.as_str(), dry_run, yes, again.as_deref()), ("jobs/a.toml", true, true, Some("oops")));
    let totals: Vec<String> = expected.totals.iter().map(ToString::to_string).collect();
    assert_eq!((expected.rows, totals), (Some(1000), vec!["USD 995.00".to_owned(), "JPY 12".to_owned()]));
    let limits = LimitLayer { rate: parse_rate("600/min"), concurrency: Some(8), ..LimitLayer::default() };
    let guard = (invocation.overrides.guard.max_failures, invocation.overrides.guard.max_in_doubt);
    assert_eq!(guard, (Some(MaxFailures::Percent(5)), Some(3)));
    let expected = Overrides {
        input: None,
        config: Some("c.toml".into()),
        journal: Some("j.db".into()),
        results: Some("out".into()),
        operation: Some("x.y".to_owned()),
        account: Some("eu".to_owned()),
        encoding: Some("windows-1252".to_owned()),
        delimiter: Some(b'\t'),
        skip_invalid: true,
        limits,
        guard: invocation.overrides.guard,
    };
    assert_eq!(invocation.overrides, expected);
    let output = Output { json: true, quiet: true, progress: Progress::Plain, no_color: true, verbosity: 2 };
    assert_eq!((invocation.output, invocation.rehearsal), (output, true));
}

#[test]
fn what_is_not_said_is_left_to_the_layers_below() {
    let invocation = parse("run a.csv").expect("a good command line");
    assert_eq!(invocation.overrides, Overrides::default());
    let expected = Expected::default();
    let command = Command::Run { job: "a.csv".to_owned(), expected, dry_run: false, yes: false, again: None };
    assert_eq!((invocation.command, invocation.rehearsal), (command, false));
}

#[test]
fn each_command_is_understood() {
    let run = RunId(7);
    assert_eq!(command("plan -"), Command::Plan { job: "-".to_owned(), expected: Expected::default() });
    assert_eq!(command("resume"), Command::Resume { run: None });
    assert_eq!(command("resume 7 --rate 2/s"), Command::Resume { run: Some(run) });
    assert_eq!(overrides("resume 7 --rate 2/s").limits.rate, parse_rate("2/s"));
    assert_eq!(command("status 7"), Command::Status { run: Some(run) });
    assert_eq!(command("runs"), Command::Runs);
    assert_eq!(command("doubt list 7"), Command::DoubtList { run });
    assert_eq!(command("doubt verify 7"), Command::DoubtVerify { run });
    assert_eq!(command("report 7 --format html"), Command::Report { run, format: Some(ReportFormat::Html) });
    assert_eq!(command("operations"), Command::Operations { name: None, template: None });
    let template = Command::Operations { name: Some("x.y".to_owned()), template: Some(Format::Jsonl) };
    assert_eq!(command("operations x.y --template jsonl"), template);
    assert_eq!(
        (command("check --account eu"), overrides("check --account eu").account),
        (Command::Check, Some("eu".to_owned()))
    );
    let settings = SandboxSettings {
        listen: "127.0.0.1:0".parse().expect("an address"),
        faults: Some("throttle=0.1".to_owned()),
        latency: Some("20ms..80ms".to_owned()),
        rate: Some("5/s".to_owned()),
        ledger: Some("l.jsonl".into()),
        seed: Some(7),
    };
    let line = "sandbox --faults throttle=0.1 --latency 20ms..80ms --rate 5/s --ledger l.jsonl --seed 7";
    assert_eq!(command(line), Command::Sandbox(settings));
}

#[test]
fn a_settlement_names_rows_or_a_file() {
    let decided = |line: &str| match command(&format!("doubt settle 7 --reason seen {line}")) {
        Command::DoubtSettle { run: RunId(7), decision, reason } if reason == "seen" => decision,
        other => Decision::File(PathBuf::from(format!("{other:?}"))),
    };
    assert_eq!(decided("--from d.csv"), Decision::File("d.csv".into()));
    let Decision::Rows { rows, applied } = decided("--as applied --row 430 --row 3 --rows 4,9-12,11-20") else {
        return assert_eq!("rows", "");
    };
    let ranges: Vec<(u64, u64)> = rows.ranges().map(|(first, last)| (first.0, last.0)).collect();
    assert_eq!((ranges, applied), (vec![(3, 4), (9, 20), (430, 430)], true));
    assert!(rows.contains(RowNumber(20)) && !rows.contains(RowNumber(21)) && !rows.contains(RowNumber(8)));
    assert!(matches!(decided("--as not-applied --row 1"), Decision::Rows { applied: false, .. }));
}

#[test]
fn what_cannot_be_meant_is_refused_in_plain_words() {
    for (line, expected) in [
        ("run", "error: the following required arguments were not provided: <JOB>\nhint: usage: subops run <JOB>\n"),
        ("run a --rat 5", "error: unexpected argument `--rat` found\nhint: a similar argument exists: `--rate`\n"),
        ("status 1 2", "error: unexpected argument `2` found\nhint: usage: subops status [OPTIONS] [RUN]\n"),
        ("run a --rate fast", "error: `--rate` = `fast`: expected a rate such as `10/s`, `600/min` or `5000/h`\n"),
        ("run a -j 0", "error: `--concurrency` = `0`: expected a whole number from 1 to 256\n"),
        (
            "run a --max-failures 5.5%",
            "error: `--max-failures` = `5.5%`: expected a number of rows such as `20`, or a share such as `5%`\n",
        ),
        ("run a --max-in-doubt x", "error: `--max-in-doubt` = `x`: expected a number of rows such as `10`\n"),
        (
            "run a --expect-rows -1",
            "error: unexpected argument `-1` found\nhint: to pass `-1` as a value, use `-- -1`\n",
        ),
        ("run a --expect-rows 1e3", "error: `--expect-rows` = `1e3`: expected a number of rows\n"),
        (
            "run a --expect-total 9",
            "error: `--expect-total` = `9`: expected a currency and an amount such as `USD=995.00`\n",
        ),
        (
            "run a --expect-total US=9",
            "error: `--expect-total` = `US=9`: expected a currency code such as `USD` before the `=`\n",
        ),
        (
            "run a --expect-total USD=9.999",
            "error: `--expect-total` = `USD=9.999`: expected an amount with at most 2 decimals (USD)\n",
        ),
        ("run a --expect-total USD=1 --expect-total usd=1", "error: `--expect-total` names USD twice\n"),
        (
            "plan a --delimiter ab",
            "error: `--delimiter` = `ab`: expected one character such as `,` or `;` or `|`, or `tab`\n",
        ),
        ("status x", "error: `x` is no run: expected its number\nhint: `subops runs` lists them\n"),
        ("status 0", "error: `0` is no run: expected its number\nhint: `subops runs` lists them\n"),
        ("sandbox --listen x", "error: `--listen` = `x`: expected an address and a port such as `127.0.0.1:0`\n"),
        ("man nothing", "error: unknown command `nothing`\n"),
        ("doubt settle 7 --rows 12-9 --as applied --reason x", "error: `--rows` = `12-9`: 12 comes after 9\n"),
        (
            "doubt settle 7 --row x --as applied --reason x",
            "error: `--row` = `x`: expected the number of a line, or with `--rows` a list such as `4,9-12`\n",
        ),
    ] {
        assert_eq!(wrong(line), expected, "{line}");
    }
    for line in [
        "operations --template csv",
        "doubt settle 7 --reason x",
        "doubt settle 7 --row 1 --reason x",
        "doubt settle 7 --row 1 --as applied",
        "doubt settle 7 --row 1 --as maybe --reason x",
        "doubt settle 7 --from f --row 1 --as applied --reason x",
        "doubt settle 7 --from f --as applied --reason x",
        "runs 7",
    ] {
        assert!(wrong(line).starts_with("error: "), "{line}");
    }
    let empty = parse_from(["subops", "run", "a", "--again", " "]).map(|_| ()).expect_err("no reason");
    assert_eq!(empty.render().stderr, "error: `--again` is empty: it is recorded\n");
}

#[test]
fn without_a_command_the_help_is_shown_and_it_is_an_error() {
    for line in ["", "doubt"] {
        let shown = wrong(line);
        assert!(shown.contains("Usage: subops") && shown.contains("Examples:"), "{shown}");
    }
}

#[test]
fn with_json_an_error_is_one_object_on_standard_output() {
    for line in ["run a.csv --json --rate fast", "--json run a.csv --rat fast", "run --json", "--json"] {
        let shown = parse(line).map(|_| ()).expect_err("a bad command line").render();
        assert_eq!(shown.stderr, "", "{line}");
        let object: serde_json::Value = serde_json::from_str(&shown.stdout).expect("one object");
        assert_eq!(object["error"]["exit_code"], 2, "{line}");
        assert!(object["error"]["message"].is_string(), "{line}: {object}");
    }
    let rendered = render_error("it is `so`", None, Exit::Locked, true);
    assert_eq!(rendered.stdout, "{\"error\":{\"message\":\"it is `so`\",\"hint\":null,\"exit_code\":11}}\n");
    assert_eq!(render_error("no", Some("try"), Exit::Internal, false).stderr, "error: no\nhint: try\n");
}

#[test]
fn the_version_is_the_crates() {
    let shown = parse("--version").map(|_| ()).expect_err("an answer");
    assert_eq!(
        (shown.exit(), shown.render().stdout),
        (Exit::Success, format!("subops {}\n", env!("CARGO_PKG_VERSION")))
    );
}

#[test]
fn completions_and_manual_pages_come_from_the_same_declaration() {
    for shell in ["bash", "zsh", "fish"] {
        let Command::Print(script) = command(&format!("completions {shell}")) else { return assert_eq!("print", "") };
        assert!(script.contains("max-in-doubt"), "{shell}");
    }
    let Command::Print(page) = command("man") else { return assert_eq!("print", "") };
    assert!(page.contains(".TH subops") && page.contains("Exit codes"), "{page}");
    let Command::Print(page) = command("man doubt settle") else { return assert_eq!("print", "") };
    assert!(page.contains("not\\-applied"), "{page}");
}

/// The variables of this process cannot be changed safely, so this test starts itself again with others.
#[test]
fn flags_win_over_variables_and_variables_over_nothing() {
    const CHILD: &str = "SUBOPS_TEST_IS_CHILD";
    if std::env::var_os(CHILD).is_some() {
        return in_an_environment_of_its_own();
    }
    let variables = [
        ("SUBOPS_RATE", "7/s"),
        ("SUBOPS_CONCURRENCY", "3"),
        ("SUBOPS_OPERATION", "a.b"),
        ("SUBOPS_ACCOUNT", "eu"),
        ("SUBOPS_JOURNAL", "env.db"),
        ("SUBOPS_CONFIG", "env.toml"),
        ("SUBOPS_RESULTS", "env-results"),
        ("SUBOPS_MAX_FAILURES", "canary"),
        ("SUBOPS_MAX_IN_DOUBT", "2"),
        ("SUBOPS_ENCODING", "utf-8"),
        ("SUBOPS_DELIMITER", ";"),
        ("SUBOPS_PROGRESS", "none"),
        ("SUBOPS_SANDBOX", "1"),
        ("SUBOPS_QUIET", "false"),
        ("SUBOPS_YES", "1"),
        ("SUBOPS_AGAIN", "because"),
        ("SUBOPS_SKIP_INVALID", "1"),
        ("NO_COLOR", "1"),
    ];
    let program = std::env::current_exe().expect("this test's program");
    let name = "cli::tests::flags_win_over_variables_and_variables_over_nothing";
    let mut child = std::process::Command::new(program);
    let output = child.args(["--exact", name]).envs(variables).env(CHILD, "1").output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
}

fn in_an_environment_of_its_own() {
    let bad =
        "error: `SUBOPS_MAX_FAILURES` = `canary`: expected a number of rows such as `20`, or a share such as `5%`\n";
    assert_eq!(wrong("run a"), bad);
    let from_variables = parse("run a --max-failures 1").expect("the flag wins over the bad variable");
    let Overrides {
        input: _,
        config,
        journal,
        results,
        operation,
        account,
        encoding,
        delimiter,
        skip_invalid,
        limits,
        guard,
    } = from_variables.overrides;
    assert_eq!((limits.rate, limits.concurrency), (parse_rate("7/s"), Some(3)));
    assert_eq!((operation.as_deref(), account.as_deref()), (Some("a.b"), Some("eu")));
    assert_eq!(
        (journal, config, results),
        (Some("env.db".into()), Some("env.toml".into()), Some("env-results".into()))
    );
    assert_eq!((guard.max_failures, guard.max_in_doubt), (Some(MaxFailures::Rows(1)), Some(2)));
    assert_eq!((encoding.as_deref(), delimiter), (Some("UTF-8"), Some(b';')));
    let output = from_variables.output;
    let expected = Output { json: false, quiet: false, progress: Progress::None, no_color: true, verbosity: 0 };
    assert_eq!((output, from_variables.rehearsal), (expected, true));
    // What approves or loosens one run has no variable.
    assert!(!skip_invalid);
    assert!(matches!(from_variables.command, Command::Run { yes: false, again: None, .. }));
    let flags = overrides("run a --max-failures 1 --rate 9/s --journal flag.db");
    assert_eq!((flags.limits.rate, flags.journal), (parse_rate("9/s"), Some("flag.db".into())));
    assert_eq!(overrides("--journal flag.db status").journal, Some("flag.db".into()));
    // The sandbox's own `--rate` is about its throttle, not about ours.
    assert!(matches!(command("sandbox"), Command::Sandbox(SandboxSettings { rate: None, .. })));
    let help = help("run").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains("[env: SUBOPS_MAX_FAILURES]") && !help.contains("canary"), "{help}");
}
