//! The rows of a soak, made from their number alone: all providers, additive rows that a read can settle and ones that none
//! can, guarded ones, ones that set a value, and subjects that come twice.

use std::fmt::Write;

/// Rows in a pattern.
const PATTERN: u32 = 20;

/// One row.
pub(crate) struct Row {
    pub(crate) operation: &'static str,
    /// The operation in the ledger.
    pub(crate) effect: &'static str,
    pub(crate) subject: String,
    pub(crate) adds_up: bool,
    /// The parameter that tells two rows of one subject apart, with its value.
    mark: Option<(&'static str, String)>,
    account: String,
    pub(crate) cents: u64,
}

impl Row {
    /// Row number `at`, counted from 0, for one of `accounts` accounts of its provider.
    pub(crate) fn number(at: u32, accounts: u32) -> Self {
        let (group, place) = (at / PATTERN, at % PATTERN);
        let account = |letter: &str| format!("{letter}{}", group % accounts);
        let purchase = |at: u32| 80_000_000 + at + at / 990 * 10;
        let row = |operation, effect, adds_up, subject: u32, mark: Option<(&'static str, String)>| Self {
            operation,
            effect,
            subject: subject.to_string(),
            adds_up,
            mark,
            account: account("s"),
            cents: u64::from(at % 997) + 1,
        };
        let days = |days: &str| Some(("Days", days.to_owned()));
        match place {
            0..9 => row("segpay.extend_membership", "ExtendMembership", true, purchase(at), days("30")),
            // The one before it once more.
            9 => row("segpay.extend_membership", "ExtendMembership", true, purchase(at - 1), days("7")),
            10 | 11 => {
                let note = Some(("Note", format!("note {at}")));
                row("segpay.insert_consumer_note", "InsertConsumerNote", true, purchase(at), note)
            }
            12 | 13 => row("segpay.cancel_membership", "CancelMembership", false, purchase(at), None),
            // Its money is what it sets.
            14 | 15 => Self {
                cents: 495,
                ..row("segpay.modify_rebill_amount", "ModifyRebillAmount", false, purchase(at), None)
            },
            16 | 17 => {
                let sale = purchase(at) - 80_000_000 + 900_000_000;
                row("segpay.refund_transaction", "RefundTransaction", true, sale, None)
            }
            18 => {
                let id = 1_000_000 + group + group / 90 * 10;
                let row = row("paypro.suspend_subscription", "Suspend", false, id, None);
                Self { account: account("p"), ..row }
            }
            _ => {
                let row = row("twocheckout.extend_subscription", "extendSubscription", true, 0, None);
                let subject = format!("{:010X}", 0xA0_0000_0000_u64 + u64::from(group) * 256 + 0x11);
                Self { account: account("t"), subject, ..row }
            }
        }
    }

    /// Whether an effect of the ledger on the same subject by the same operation is this row's. Texts end with a token.
    pub(crate) fn caused(&self, effect: &serde_json::Value) -> bool {
        self.mark.as_ref().is_none_or(|(name, value)| {
            let rest = effect["request"][name].as_str().and_then(|text| text.strip_prefix(value.as_str()));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(" [subops "))
        })
    }

    fn write(&self, out: &mut String) {
        let is = |operation: &str| self.operation.ends_with(operation);
        let subject = |of: &[&str]| if of.iter().any(|of| is(of)) { self.subject.as_str() } else { "" };
        let given = |operation: &str, value: &'static str| if is(operation) { value } else { "" };
        let mark = |name: &str| self.mark.as_ref().filter(|(own, _)| *own == name).map_or("", |(_, value)| value);
        let days = if is("extend_subscription") { "30" } else { mark("Days") };
        let purchase = ["extend_membership", "insert_consumer_note", "cancel_membership", "modify_rebill_amount"];
        let cells = [
            self.operation,
            &self.account,
            subject(&purchase),
            subject(&["refund_transaction"]),
            subject(&["suspend_subscription"]),
            subject(&["extend_subscription"]),
            days,
            mark("Note"),
            given("cancel_membership", "soak"),
            given("modify_rebill_amount", "4.95"),
            given("refund_transaction", "soak"),
            given("suspend_subscription", "soak"),
            given("suspend_subscription", "false"),
            &money(self.cents),
        ];
        writeln!(out, "{},USD", cells.join(",")).expect("text can be written");
    }
}

/// The rows as a CSV file.
pub(crate) fn csv(rows: &[Row]) -> String {
    let mut text = String::from(
        "operation,account,PurchaseID,TransID,subscriptionId,subscriptionReference,Days,Note,CancelReason,\
         RecurringAmount,RefundReason,reasonText,sendCustomerNotification,amount,currency\n",
    );
    rows.iter().for_each(|row| row.write(&mut text));
    text
}

/// The accounts that the rows name, each as `settings` say.
pub(crate) fn accounts(accounts: u32, settings: &str) -> String {
    let of = |(letter, provider): (&str, &str)| -> String {
        let one = |at: u32| format!("[accounts.{letter}{at}]\nprovider = \"{provider}\"\n{settings}\n");
        (0..accounts).map(one).collect()
    };
    [("s", "segpay"), ("p", "paypro"), ("t", "twocheckout")].map(of).concat()
}

/// Cents as an amount.
pub(crate) fn money(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}
