//! One file with rows of several operations, accounts and providers, against one sandbox.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::Value;

use super::support::{Home, SandboxProcess};

const ROWS: usize = 15;

const SETTINGS: &str = "\
[accounts.segpay-slow]
provider = \"segpay\"
rate = \"15/s\"
settle_delay = \"0s\"
[accounts.segpay-fast]
provider = \"segpay\"
rate = \"400/s\"
settle_delay = \"0s\"
[accounts.paypro]
provider = \"paypro\"
rate = \"400/s\"
settle_delay = \"0s\"
[accounts.twocheckout]
provider = \"twocheckout\"
rate = \"400/s\"
settle_delay = \"0s\"
";

const HEADER: &str = "operation,account,PurchaseID,Days,NewRecurringAmount,NewRecurringDurationInDays,subscriptionId,\
                      newPriceValue,priceCurrencyCode,cancellationReasonId,subscriptionReference,customer\n";

/// One row of each kind with the number `at`: account, operation and cells.
fn rows(at: usize) -> String {
    let mut text = String::new();
    // Subscriptions whose number is divisible by three are in USD in the sandbox, and those below 90 are active.
    let paypro = 3_000_000 + 300 * at;
    let lines = [
        format!("segpay.extend_membership,segpay-slow,{},30,,,,,,,,", 80_000_000 + at),
        format!("segpay.cancel_membership,segpay-fast,{},,,,,,,,,", 80_001_000 + at),
        format!("segpay.upgrade_membership,segpay-fast,{},,99.95,30,,,,,,", 80_002_000 + at),
        format!("paypro.change_recurring_price,,,,,,{paypro},19.90,USD,,,"),
        format!("paypro.suspend_subscription,paypro,,,,,{},,,2,,", paypro + 6),
        format!("twocheckout.extend_subscription,twocheckout,,-5,,,,,,,4A2F9C31{at:02X},"),
        format!("twocheckout.disable_recurring,,,,,,,,,,5A2F9C31{at:02X},"),
    ];
    for line in lines {
        writeln!(text, "{line}customer {at}").expect("text");
    }
    text
}

/// Seconds from the first to the last effect of an operation.
fn lasted(ledger: &[Value], operation: &str) -> f64 {
    let times = ledger.iter().filter(|entry| entry["operation"] == operation);
    let times: Vec<Timestamp> =
        times.map(|entry| entry["at"].as_str().and_then(|at| at.parse().ok()).expect("a time")).collect();
    assert_eq!(times.len(), ROWS, "{operation}");
    let span = times.iter().max().expect("a last").duration_since(*times.iter().min().expect("a first"));
    span.as_secs_f64()
}

#[test]
fn each_row_goes_to_its_own_account_at_that_account_s_own_rate() {
    let sandbox = SandboxProcess::start([]);
    let home = Home::with(&sandbox);
    home.write("subops.toml", SETTINGS);
    // The first of each reference would be one that the sandbox knows as disabled.
    home.write("mixed.csv", (1..=ROWS).fold(HEADER.to_owned(), |text, at| text + &rows(at)));
    home.write("mixed.toml", "input = \"mixed.csv\"\nverify = \"off\"\n");

    let plan = home.run(["plan", "mixed.toml", "--json"]).exits(0).json();
    assert_eq!((&plan["rows"], plan["operations"].as_array().map(Vec::len)), (&(7 * ROWS).into(), Some(7)), "{plan}");
    assert_eq!(sandbox.requests(), 0);

    let summary = home.run(["run", "mixed.toml", "--json"]).exits(0).json();
    assert_eq!(summary["rows"]["applied"], 7 * ROWS, "{summary}");
    let applied = sandbox.applied();
    assert_eq!(applied.len(), 7 * ROWS, "every row of every provider");
    assert!(applied.values().all(|times| *times == 1), "and none twice: {applied:?}");

    let ledger = sandbox.ledger();
    let mut by_provider = BTreeMap::new();
    for entry in &ledger {
        *by_provider.entry(entry["provider"].as_str().expect("a provider")).or_insert(0) += 1;
    }
    assert_eq!(by_provider, [("paypro", 2 * ROWS), ("segpay", 3 * ROWS), ("twocheckout", 2 * ROWS)].into());
    let slow = lasted(&ledger, "ExtendMembership");
    let at_its_rate = (ROWS - 1) as f64 / 15.0;
    assert!(slow > at_its_rate * 0.9, "15 rows at 15/s took {slow} s");
    for operation in ["CancelMembership", "ChangeRecurringPrice", "extendSubscription", "disableRecurringBilling"] {
        let fast = lasted(&ledger, operation);
        assert!(fast < slow, "{operation} waited for another account: {fast} s, not less than {slow} s");
    }
    assert_eq!(home.result_rows("succeeded.csv").len(), 7 * ROWS);
}

/// Two merchants of one provider: a wrong key of the one says nothing about the other, and nothing is sent for either.
#[test]
fn an_account_whose_credentials_are_wrong_is_named() {
    let sandbox = SandboxProcess::start([]);
    let mut home = Home::with(&sandbox);
    home.set("OTHER_KEY", "wrong");
    home.write("subops.toml", SETTINGS.replace("15/s\"", "15/s\"\ncredentials.access_key = { env = \"OTHER_KEY\" }"));
    home.write("mixed.csv", HEADER.to_owned() + &rows(1));
    let end = home.run(["run", "mixed.csv"]).exits(12);
    assert!(end.stderr.contains("`segpay-slow`") && !end.stderr.contains("`segpay-fast`"), "{}", end.stderr);
    assert_eq!(sandbox.ledger().len(), 0);
}
