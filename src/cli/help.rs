//! The examples at the end of each command's help.

pub(super) const TOP: &str = "\
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
  5  internal or journal fault";

pub(super) const PLAN: &str = "\
Examples:
  subops plan jobs/nightly.toml
  subops plan extend.csv --operation segpay.extend_membership
  zcat extend.csv.gz | subops plan - --operation segpay.extend_membership --json";

pub(super) const RUN: &str = "\
Examples:
  subops run jobs/nightly.toml --dry-run
  subops run jobs/nightly.toml --yes --expect-rows 1000 --expect-total USD=9950.00
  subops run extend.csv --operation segpay.extend_membership --account segpay-eu --rate 2/s
  subops run jobs/nightly.toml --sandbox";

pub(super) const RESUME: &str = "\
Examples:
  subops resume                 the last run that did not finish
  subops resume 7 --rate 2/s";

pub(super) const STATUS: &str = "\
Examples:
  subops status                 the last run
  subops status 7 --json";

pub(super) const RUNS: &str = "\
Examples:
  subops runs
  subops runs --json";

pub(super) const DOUBT: &str = "\
Examples:
  subops doubt list 7
  subops doubt verify 7
  subops doubt settle 7 --row 430 --as applied --reason \"seen in the provider's console\"";

pub(super) const DOUBT_LIST: &str = "\
Examples:
  subops doubt list 7
  subops doubt list 7 --json";

pub(super) const DOUBT_VERIFY: &str = "\
Examples:
  subops doubt verify 7
  subops doubt verify 7 --rate 1/s";

pub(super) const DOUBT_SETTLE: &str = "\
Examples:
  subops doubt settle 7 --row 430 --as applied --reason \"seen in the provider's console\"
  subops doubt settle 7 --rows 4,9-12 --as not-applied --reason \"support ticket 8123\"
  subops doubt settle 7 --from decided.csv --reason \"reviewed by Ada\"";

pub(super) const REPORT: &str = "\
Examples:
  subops report 7
  subops report 7 --format html --results out";

pub(super) const OPERATIONS: &str = "\
Examples:
  subops operations
  subops operations segpay.extend_membership
  subops operations segpay.extend_membership --template csv > extend.csv";

pub(super) const CHECK: &str = "\
Examples:
  subops check
  subops check --account segpay-eu";

pub(super) const SANDBOX: &str = "\
Examples:
  subops sandbox
  subops sandbox --listen 127.0.0.1:8080 --ledger ledger.jsonl
  subops sandbox --faults reset_after=0.05 --latency 20ms..80ms --seed 7";

pub(super) const COMPLETIONS: &str = "\
Examples:
  subops completions bash > ~/.local/share/bash-completion/completions/subops";
