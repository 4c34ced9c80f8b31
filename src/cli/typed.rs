//! The command line as it is typed: one declaration drives parser, help, completions and manual page.
//!
//! Must not judge what a value means: that is [`super::meaning`]'s. Each flag that a setting can replace has an
//! environment variable of its name. Flags that approve or loosen one particular run have none, or they would hold for
//! runs that nobody had in mind.

use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

use super::help;

/// Applies a file of subscription operations to a payment provider, one call a row: rate-limited, restartable, and
/// honest about what it does not know.
#[derive(Debug, Parser)]
#[command(name = "subops", version, after_help = help::TOP, max_term_width = 100)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(super) struct Typed {
    #[command(subcommand)]
    pub(super) command: TypedCommand,
    #[command(flatten, next_help_heading = "Global options")]
    pub(super) global: Global,
}

#[derive(Debug, Args)]
pub(super) struct Global {
    /// Rehearse with built-in providers and a journal of their own
    #[arg(long, global = true, env = "SUBOPS_SANDBOX", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub(super) sandbox: bool,
    /// The configuration [default: ./subops.toml, else the user's]
    #[arg(long, global = true, value_name = "FILE", env = "SUBOPS_CONFIG", hide_env_values = true)]
    pub(super) config: Option<PathBuf>,
    /// The journal [default: in the user's state folder]
    #[arg(long, global = true, value_name = "FILE", env = "SUBOPS_JOURNAL", hide_env_values = true)]
    pub(super) journal: Option<PathBuf>,
    /// Print one JSON object on standard output, errors too
    #[arg(long, global = true, env = "SUBOPS_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub(super) json: bool,
    /// Print nothing but errors on standard error
    #[arg(
        short, long, global = true, env = "SUBOPS_QUIET", hide_env_values = true,
        value_parser = FalseyValueParser::new()
    )]
    pub(super) quiet: bool,
    /// How to show progress
    #[arg(
        long,
        global = true,
        value_name = "HOW",
        default_value = "auto",
        hide_possible_values = false,
        env = "SUBOPS_PROGRESS",
        hide_env_values = true
    )]
    pub(super) progress: HowProgress,
    /// No colours (as NO_COLOR in the environment)
    #[arg(long, global = true, env = "SUBOPS_NO_COLOR", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub(super) no_color: bool,
    /// Log what happens on standard error; twice for details
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
}

// The words of a choice have no help of their own: one of them would turn every page into its long form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum HowProgress {
    Auto,
    Bar,
    Plain,
    None,
}

#[derive(Debug, Subcommand)]
pub(super) enum TypedCommand {
    /// Check every row of a job and show what it comes to; sends and writes nothing
    #[command(after_help = help::PLAN)]
    Plan(PlanArgs),
    /// Plan a job and execute it; continues an unfinished run, repeats no finished one
    #[command(after_help = help::RUN)]
    Run(RunArgs),
    /// Continue an interrupted or halted run
    #[command(after_help = help::RESUME)]
    Resume(ResumeArgs),
    /// Tell where a run stands
    #[command(after_help = help::STATUS)]
    Status(MaybeRun),
    /// List the runs
    #[command(after_help = help::RUNS)]
    Runs,
    /// Rows of which nobody knows whether they were applied: show, verify or settle them
    #[command(after_help = help::DOUBT, arg_required_else_help = true)]
    Doubt {
        #[command(subcommand)]
        what: Doubt,
    },
    /// Write the result files of a run again, or in another format
    #[command(after_help = help::REPORT)]
    Report(ReportArgs),
    /// The catalogue: what each operation needs, what a repeat of it does, what verifies it
    #[command(after_help = help::OPERATIONS)]
    Operations(OperationsArgs),
    /// Check configuration and credentials by a harmless read at each account
    #[command(after_help = help::CHECK)]
    Check(CheckArgs),
    /// Serve local stand-ins for the providers, with a ledger and faults
    #[command(after_help = help::SANDBOX)]
    Sandbox(SandboxArgs),
    /// Print a completion script for a shell
    #[command(after_help = help::COMPLETIONS)]
    Completions {
        /// The shell
        #[arg(value_name = "SHELL")]
        shell: clap_complete::Shell,
    },
    /// Print a manual page
    #[command(hide = true)]
    Man {
        /// The command that the page is about; the whole program without it
        #[arg(value_name = "COMMAND")]
        about: Vec<String>,
    },
}

const JOB_HELP: &str = "A .toml job file; a .csv or .jsonl file (also .gz, .zst); or - for standard input";

#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[arg(value_name = "JOB", help = JOB_HELP)]
    pub(super) job: String,
    #[command(flatten, next_help_heading = "Input")]
    pub(super) input: InputArgs,
    #[command(flatten, next_help_heading = "Limits")]
    pub(super) limits: LimitArgs,
    #[command(flatten, next_help_heading = "Expectations")]
    pub(super) expected: ExpectedArgs,
}

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[arg(value_name = "JOB", help = JOB_HELP)]
    pub(super) job: String,
    /// Stop after the plan; send and write nothing
    #[arg(short = 'n', long)]
    pub(super) dry_run: bool,
    #[command(flatten, next_help_heading = "Input")]
    pub(super) input: InputArgs,
    #[command(flatten, next_help_heading = "Limits")]
    pub(super) limits: LimitArgs,
    #[command(flatten, next_help_heading = "Guards")]
    pub(super) guard: GuardArgs,
    #[command(flatten, next_help_heading = "Expectations")]
    pub(super) expected: ExpectedArgs,
    #[command(flatten, next_help_heading = "Approval")]
    pub(super) approval: ApprovalArgs,
    #[command(flatten, next_help_heading = "Results")]
    pub(super) results: ResultsArgs,
}

#[derive(Debug, Args)]
pub(super) struct ResumeArgs {
    /// The run's number [default: the last run that did not finish]
    #[arg(value_name = "RUN")]
    pub(super) run: Option<String>,
    #[command(flatten, next_help_heading = "Limits")]
    pub(super) limits: LimitArgs,
    #[command(flatten, next_help_heading = "Guards")]
    pub(super) guard: GuardArgs,
    #[command(flatten, next_help_heading = "Results")]
    pub(super) results: ResultsArgs,
}

#[derive(Debug, Default, Args)]
pub(super) struct InputArgs {
    /// Read this file in place of the job's own input
    #[arg(long, value_name = "FILE")]
    pub(super) input: Option<PathBuf>,
    /// The operation of rows that name none
    #[arg(long, value_name = "NAME", env = "SUBOPS_OPERATION", hide_env_values = true)]
    pub(super) operation: Option<String>,
    /// The account of rows that name none
    #[arg(long, value_name = "NAME", env = "SUBOPS_ACCOUNT", hide_env_values = true)]
    pub(super) account: Option<String>,
    /// The input's encoding [default: utf-8]
    #[arg(long, value_name = "NAME", env = "SUBOPS_ENCODING", hide_env_values = true)]
    pub(super) encoding: Option<String>,
    /// Between fields of a CSV input; or `tab` [default: found out]
    #[arg(long, value_name = "CHAR", env = "SUBOPS_DELIMITER", hide_env_values = true)]
    pub(super) delimiter: Option<String>,
    /// Leave bad rows out and send the rest
    #[arg(long)]
    pub(super) skip_invalid: bool,
}

#[derive(Debug, Default, Args)]
pub(super) struct LimitArgs {
    /// Calls of each account: 10/s, 600/min [default: 5/s]
    #[arg(long, value_name = "RATE", env = "SUBOPS_RATE", hide_env_values = true)]
    pub(super) rate: Option<String>,
    /// Calls of each account under way at once [default: 4]
    #[arg(short = 'j', long, value_name = "N", env = "SUBOPS_CONCURRENCY", hide_env_values = true)]
    pub(super) concurrency: Option<String>,
}

#[derive(Debug, Default, Args)]
pub(super) struct GuardArgs {
    /// Halt when more rows were refused or failed [default: 20%]
    #[arg(long, value_name = "N|N%", env = "SUBOPS_MAX_FAILURES", hide_env_values = true)]
    pub(super) max_failures: Option<String>,
    /// Halt when more rows are in doubt [default: 10]
    #[arg(long, value_name = "N", env = "SUBOPS_MAX_IN_DOUBT", hide_env_values = true)]
    pub(super) max_in_doubt: Option<String>,
}

#[derive(Debug, Default, Args)]
pub(super) struct ExpectedArgs {
    /// Send nothing unless there are exactly so many rows
    #[arg(long, value_name = "N")]
    pub(super) expect_rows: Option<String>,
    /// Send nothing unless the amounts come to this; once for each currency
    #[arg(long, value_name = "CUR=AMOUNT")]
    pub(super) expect_total: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct ApprovalArgs {
    /// Start without asking
    #[arg(long)]
    pub(super) yes: bool,
    /// Repeat a finished run of the same job and input, and record why
    #[arg(long, value_name = "REASON")]
    pub(super) again: Option<String>,
}

#[derive(Debug, Default, Args)]
pub(super) struct ResultsArgs {
    /// Where each run gets a folder of result files [default: results]
    #[arg(long, value_name = "DIR", env = "SUBOPS_RESULTS", hide_env_values = true)]
    pub(super) results: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct MaybeRun {
    /// The run's number [default: the last run]
    #[arg(value_name = "RUN")]
    pub(super) run: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Doubt {
    /// Show the rows in doubt, with all that is known about them
    #[command(after_help = help::DOUBT_LIST)]
    List {
        /// The run's number
        #[arg(value_name = "RUN")]
        run: String,
    },
    /// Read at the provider what came of them
    #[command(after_help = help::DOUBT_VERIFY)]
    Verify {
        /// The run's number
        #[arg(value_name = "RUN")]
        run: String,
        #[command(flatten, next_help_heading = "Limits")]
        limits: LimitArgs,
    },
    /// Record a person's decision about them
    #[command(after_help = help::DOUBT_SETTLE)]
    Settle(SettleArgs),
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").args(["row", "rows", "from"]).required(true).multiple(true))]
pub(super) struct SettleArgs {
    /// The run's number
    #[arg(value_name = "RUN")]
    pub(super) run: String,
    /// A row, by its line in the input; may be repeated
    #[arg(long, value_name = "N", requires = "decision")]
    pub(super) row: Vec<String>,
    /// Several rows: 4,9-12
    #[arg(long, value_name = "LIST", requires = "decision")]
    pub(super) rows: Option<String>,
    /// What was decided about them; resume sends what was not applied
    #[arg(id = "decision", long = "as", value_name = "DECISION")]
    pub(super) decision: Option<Verdict>,
    /// Take decisions from a CSV file: in_doubt.csv with a column `decision`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["row", "rows", "decision"])]
    pub(super) from: Option<PathBuf>,
    /// Where the knowledge comes from; recorded with the decision
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Verdict {
    Applied,
    NotApplied,
}

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// The run's number
    #[arg(value_name = "RUN")]
    pub(super) run: String,
    /// Write this instead of the usual result files
    #[arg(long, value_name = "FORMAT")]
    pub(super) format: Option<AnotherFormat>,
    #[command(flatten)]
    pub(super) results: ResultsArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum AnotherFormat {
    Html,
    Xlsx,
    Csv,
    Jsonl,
}

#[derive(Debug, Args)]
pub(super) struct OperationsArgs {
    /// One operation, in full
    #[arg(value_name = "NAME")]
    pub(super) name: Option<String>,
    /// Print an example input for it
    #[arg(long, value_name = "FORMAT", requires = "name")]
    pub(super) template: Option<Template>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Template {
    Csv,
    Jsonl,
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// This account alone
    #[arg(long, value_name = "NAME", env = "SUBOPS_ACCOUNT", hide_env_values = true)]
    pub(super) account: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct SandboxArgs {
    /// Where to listen; port 0 is any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(super) listen: String,
    /// What goes wrong, and how often: reset_after=0.05,throttle=0.01
    #[arg(long, value_name = "LIST")]
    pub(super) faults: Option<String>,
    /// How long replies take: 50ms, or 20ms..80ms
    #[arg(long, value_name = "TIME")]
    pub(super) latency: Option<String>,
    /// Throttle calls above this rate
    #[arg(id = "sandbox_rate", long = "rate", value_name = "RATE")]
    pub(super) rate: Option<String>,
    /// Append every effect to this file
    #[arg(long, value_name = "FILE")]
    pub(super) ledger: Option<PathBuf>,
    /// Repeat the same faults and latencies
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<String>,
}
