//! From what was typed to what it means. Every value that cannot be meant is named with the flag or the variable that it
//! came from.

use clap::ArgMatches;
use clap::parser::ValueSource;

use super::invocation::{
    Command, Decision, Expected, Invocation, Output, Progress, ReportFormat, RowSet, SandboxSettings,
};
use super::pages;
use super::typed::{
    AnotherFormat, ApprovalArgs, Doubt, ExpectedArgs, Global, GuardArgs, HowProgress, InputArgs, LimitArgs,
    OperationsArgs, RunArgs, SandboxArgs, SettleArgs, Template, Typed, TypedCommand, Verdict,
};
use crate::config::Format;
use crate::config::layers::{self, GuardLayer, LimitLayer, Overrides};
use crate::model::ids::RunId;
use crate::model::money::{Currency, Money, check_decimals, parse_amount};

/// A value that cannot be meant.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl Wrong {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }
}

/// What the command line means.
pub(super) fn of(typed: Typed, matches: &ArgMatches) -> Result<Invocation, Wrong> {
    let origin = Origin::new(matches);
    let Global { sandbox, config, journal, json, quiet, progress, no_color, verbose } = typed.global;
    let mut overrides = Overrides { config, journal, ..Overrides::default() };
    let command = command(typed.command, &mut overrides, &origin)?;
    let no_color = no_color || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let progress = match progress {
        HowProgress::Auto => Progress::Auto,
        HowProgress::Bar => Progress::Bar,
        HowProgress::Plain => Progress::Plain,
        HowProgress::None => Progress::None,
    };
    let output = Output { json, quiet, progress, no_color, verbosity: verbose };
    Ok(Invocation { command, overrides, rehearsal: sandbox, output })
}

fn command(typed: TypedCommand, overrides: &mut Overrides, origin: &Origin<'_>) -> Result<Command, Wrong> {
    match typed {
        TypedCommand::Plan(args) => {
            input(args.input, overrides, origin)?;
            overrides.limits = limits(&args.limits, origin)?;
            Ok(Command::Plan { job: args.job, expected: expected(&args.expected, origin)? })
        }
        TypedCommand::Run(args) => run(args, overrides, origin),
        TypedCommand::Resume(args) => {
            overrides.limits = limits(&args.limits, origin)?;
            overrides.guard = guard(&args.guard, origin)?;
            overrides.results = args.results.results;
            Ok(Command::Resume { run: args.run.as_deref().map(run_id).transpose()? })
        }
        TypedCommand::Status(args) => Ok(Command::Status { run: args.run.as_deref().map(run_id).transpose()? }),
        TypedCommand::Runs => Ok(Command::Runs),
        TypedCommand::Doubt { what } => doubt(what, overrides, origin),
        TypedCommand::Report(args) => {
            overrides.results = args.results.results;
            Ok(Command::Report { run: run_id(&args.run)?, format: args.format.map(report_format) })
        }
        TypedCommand::Operations(args) => Ok(operations(args)),
        TypedCommand::Check(args) => {
            overrides.account = args.account;
            Ok(Command::Check)
        }
        TypedCommand::Sandbox(args) => sandbox(args, origin),
        TypedCommand::Completions { shell } => Ok(Command::Print(pages::completions(shell))),
        TypedCommand::Man { about } => pages::manual(&about).map(Command::Print).map_err(Wrong::new),
    }
}

fn run(args: RunArgs, overrides: &mut Overrides, origin: &Origin<'_>) -> Result<Command, Wrong> {
    input(args.input, overrides, origin)?;
    overrides.limits = limits(&args.limits, origin)?;
    overrides.guard = guard(&args.guard, origin)?;
    overrides.results = args.results.results;
    let expected = expected(&args.expected, origin)?;
    let ApprovalArgs { yes, again } = args.approval;
    let again = again.map(|reason| reason_of("--again", &reason)).transpose()?;
    Ok(Command::Run { job: args.job, expected, dry_run: args.dry_run, yes, again })
}

fn input(args: InputArgs, overrides: &mut Overrides, origin: &Origin<'_>) -> Result<(), Wrong> {
    overrides.operation = args.operation;
    overrides.account = args.account;
    overrides.input = args.input.clone();
    overrides.skip_invalid = args.skip_invalid;
    overrides.encoding = origin.parsed("encoding", args.encoding, layers::ENCODING, layers::parse_encoding)?;
    overrides.delimiter = origin.parsed("delimiter", args.delimiter, layers::DELIMITER, layers::parse_delimiter)?;
    Ok(())
}

fn limits(args: &LimitArgs, origin: &Origin<'_>) -> Result<LimitLayer, Wrong> {
    let concurrency = args.concurrency.clone();
    Ok(LimitLayer {
        rate: origin.parsed("rate", args.rate.clone(), layers::RATE, layers::parse_rate)?,
        concurrency: origin.parsed("concurrency", concurrency, layers::CONCURRENCY, layers::parse_concurrency)?,
        ..LimitLayer::default()
    })
}

fn guard(args: &GuardArgs, origin: &Origin<'_>) -> Result<GuardLayer, Wrong> {
    use crate::model::settings::MaxFailures;
    let (failures, doubts) = (args.max_failures.clone(), args.max_in_doubt.clone());
    Ok(GuardLayer {
        max_failures: origin.parsed("max_failures", failures, layers::MAX_FAILURES, MaxFailures::parse)?,
        max_in_doubt: origin.parsed("max_in_doubt", doubts, layers::MAX_IN_DOUBT, layers::parse_count)?,
    })
}

fn expected(args: &ExpectedArgs, origin: &Origin<'_>) -> Result<Expected, Wrong> {
    let rows = origin.parsed("expect_rows", args.expect_rows.clone(), "a number of rows", layers::parse_count)?;
    let mut totals: Vec<Money> = Vec::new();
    for text in &args.expect_total {
        let money = total(text)?;
        if totals.iter().any(|before| before.currency == money.currency) {
            return Err(Wrong::new(format!("`--expect-total` names {} twice", money.currency)));
        }
        totals.push(money);
    }
    Ok(Expected { rows, totals })
}

fn total(text: &str) -> Result<Money, Wrong> {
    let wrong = |expected: &str| Wrong::new(format!("`--expect-total` = `{text}`: expected {expected}"));
    let (code, amount) = text.split_once('=').ok_or_else(|| wrong("a currency and an amount such as `USD=995.00`"))?;
    let currency = Currency::parse(code).ok_or_else(|| wrong("a currency code such as `USD` before the `=`"))?;
    let checked = parse_amount(amount).and_then(|amount| check_decimals(amount, currency));
    checked.map_err(|fault| wrong(&fault.to_string()))
}

fn doubt(typed: Doubt, overrides: &mut Overrides, origin: &Origin<'_>) -> Result<Command, Wrong> {
    match typed {
        Doubt::List { run } => Ok(Command::DoubtList { run: run_id(&run)? }),
        Doubt::Verify { run, limits: args } => {
            overrides.limits = limits(&args, origin)?;
            Ok(Command::DoubtVerify { run: run_id(&run)? })
        }
        Doubt::Settle(SettleArgs { run, row, rows, decision, from, reason }) => {
            let decision = match (from, decision) {
                (Some(file), _) => Decision::File(file),
                (None, Some(verdict)) => {
                    Decision::Rows { rows: row_set(&row, rows.as_deref())?, applied: verdict == Verdict::Applied }
                }
                (None, None) => return Err(Wrong::new("`--as` is missing: applied or not-applied")),
            };
            Ok(Command::DoubtSettle { run: run_id(&run)?, decision, reason: reason_of("--reason", &reason)? })
        }
    }
}

fn report_format(typed: AnotherFormat) -> ReportFormat {
    match typed {
        AnotherFormat::Html => ReportFormat::Html,
        AnotherFormat::Xlsx => ReportFormat::Xlsx,
        AnotherFormat::Csv => ReportFormat::Csv,
        AnotherFormat::Jsonl => ReportFormat::Jsonl,
    }
}

fn operations(args: OperationsArgs) -> Command {
    let template = args.template.map(|template| match template {
        Template::Csv => Format::Csv,
        Template::Jsonl => Format::Jsonl,
    });
    Command::Operations { name: args.name, template }
}

fn sandbox(args: SandboxArgs, origin: &Origin<'_>) -> Result<Command, Wrong> {
    let SandboxArgs { listen, faults, latency, rate, ledger, seed } = args;
    let address = "an address and a port such as `127.0.0.1:0`";
    let listen = listen.parse().map_err(|_| Wrong::new(format!("`--listen` = `{listen}`: expected {address}")))?;
    let seed = origin.parsed("seed", seed, "a whole number", |text| text.parse().ok())?;
    Ok(Command::Sandbox(SandboxSettings { listen, faults, latency, rate, ledger, seed }))
}

fn run_id(text: &str) -> Result<RunId, Wrong> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.map(RunId).ok_or_else(|| Wrong {
        message: format!("`{text}` is no run: expected its number"),
        hint: Some("`subops runs` lists them".to_owned()),
    })
}

fn reason_of(flag: &str, text: &str) -> Result<String, Wrong> {
    let reason = text.trim();
    if reason.is_empty() {
        Err(Wrong::new(format!("`{flag}` is empty: it is recorded")))
    } else {
        Ok(reason.to_owned())
    }
}

/// The rows of `--row` and `--rows` together.
fn row_set(single: &[String], list: Option<&str>) -> Result<RowSet, Wrong> {
    let row = |flag: &str, text: &str| {
        let number = text.trim().parse().ok().filter(|row: &u64| *row > 0);
        let expected = "the number of a line, or with `--rows` a list such as `4,9-12`";
        number.ok_or_else(|| Wrong::new(format!("`{flag}` = `{text}`: expected {expected}")))
    };
    let mut ranges = Vec::new();
    for text in single {
        let one = row("--row", text)?;
        ranges.push((one, one));
    }
    for part in list.into_iter().flat_map(|list| list.split(',')) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (row("--rows", first)?, row("--rows", last)?);
        if first > last {
            return Err(Wrong::new(format!("`--rows` = `{part}`: {first} comes after {last}")));
        }
        ranges.push((first, last));
    }
    Ok(RowSet::new(ranges))
}

/// Where values came from: the flag, or the variable of the same name.
struct Origin<'m>(&'m ArgMatches);

impl<'m> Origin<'m> {
    fn new(matches: &'m ArgMatches) -> Self {
        let mut deepest = matches;
        while let Some((_, below)) = deepest.subcommand() {
            deepest = below;
        }
        Self(deepest)
    }

    fn parsed<T>(
        &self,
        id: &str,
        text: Option<String>,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Wrong> {
        let Some(text) = text else { return Ok(None) };
        let name = match self.0.value_source(id) {
            Some(ValueSource::EnvVariable) => format!("SUBOPS_{}", id.to_ascii_uppercase()),
            _ => format!("--{}", id.replace('_', "-")),
        };
        parse(&text).map(Some).ok_or_else(|| Wrong::new(format!("`{name}` = `{text}`: expected {expected}")))
    }
}
