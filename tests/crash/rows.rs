//! The rows of one point: few, but of every kind. Additive ones that a read can settle and ones that none can, two of the
//! same subject, guarded ones, one that is answered "already so", one that is refused, and one that sets a value.

use serde_json::Value;

/// Purchases that one point may use.
const PURCHASES: u32 = 10;

/// What a row does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Extend,
    Note,
    Refund,
    Cancel,
    Expire,
    Reprice,
}

impl Kind {
    /// Sent twice, it is done twice.
    pub(crate) fn adds_up(self) -> bool {
        matches!(self, Kind::Extend | Kind::Note | Kind::Refund)
    }

    fn operation(self) -> &'static str {
        match self {
            Kind::Extend => "segpay.extend_membership",
            Kind::Note => "segpay.insert_consumer_note",
            Kind::Refund => "segpay.refund_transaction",
            Kind::Cancel => "segpay.cancel_membership",
            Kind::Expire => "segpay.expire_membership",
            Kind::Reprice => "segpay.modify_rebill_amount",
        }
    }

    /// The name in the ledger, and the parameter that tells two rows of one subject apart.
    fn in_ledger(self) -> (&'static str, &'static str) {
        match self {
            Kind::Extend => ("ExtendMembership", "Days"),
            Kind::Note => ("InsertConsumerNote", "Note"),
            Kind::Refund => ("RefundTransaction", "RefundReason"),
            Kind::Cancel => ("CancelMembership", "CancelReason"),
            Kind::Expire => ("ExpireMembership", "CancelReason"),
            Kind::Reprice => ("ModifyRebillAmount", "RecurringAmount"),
        }
    }
}

/// One row of an input.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// Its line, by which the program names it.
    pub(crate) line: u64,
    pub(crate) kind: Kind,
    pub(crate) subject: String,
    mark: &'static str,
    pub(crate) cents: i64,
}

/// The first purchase after `purchase` with which a point can begin. The last ten of each thousand are not active.
pub(crate) fn block_after(purchase: u32) -> u32 {
    let next = purchase + PURCHASES;
    if next % 1000 < 990 { next } else { next + (1000 - next % 1000) }
}

/// The rows of the point that begins with this purchase.
pub(crate) fn rows(first: u32) -> Vec<Row> {
    use Kind::{Cancel, Expire, Extend, Note, Refund, Reprice};
    const ROWS: [(Kind, u32, &str); 14] = [
        (Extend, 0, "30"),
        (Extend, 1, "30"),
        (Extend, 0, "7"),
        (Note, 2, "called"),
        (Refund, 3, "double charge"),
        (Cancel, 4, "first"),
        (Cancel, 4, "again"),
        (Extend, 4, "30"),
        (Expire, 5, "terms of use"),
        (Reprice, 6, "4.95"),
        (Note, 2, "called again"),
        (Extend, 1, "7"),
        (Refund, 7, "not wanted"),
        (Extend, 7, "1"),
    ];
    let row = |(line, (kind, purchase, mark)): (u64, (Kind, u32, &'static str))| {
        let purchase = first + purchase;
        let subject = if kind == Refund { purchase - 80_000_000 + 900_000_000 } else { purchase };
        // Each row has another amount, so that no two can be exchanged unseen.
        let cents = if kind == Reprice { 495 } else { i64::try_from(line).expect("a small number") * 100 + 1 };
        Row { line, kind, subject: subject.to_string(), mark, cents }
    };
    (2..).zip(ROWS).map(row).collect()
}

/// The rows as a CSV file.
pub(crate) fn csv(rows: &[Row]) -> String {
    let mut text = String::from(
        "operation,PurchaseID,TransID,Days,CancelReason,Note,RecurringAmount,RefundReason,amount,currency\n",
    );
    for row in rows {
        let cell = |kinds: &[Kind]| if kinds.contains(&row.kind) { row.mark } else { "" };
        let (purchase, transaction) =
            if row.kind == Kind::Refund { ("", row.subject.as_str()) } else { (row.subject.as_str(), "") };
        let cells = [
            row.kind.operation(),
            purchase,
            transaction,
            cell(&[Kind::Extend]),
            cell(&[Kind::Cancel, Kind::Expire]),
            cell(&[Kind::Note]),
            cell(&[Kind::Reprice]),
            cell(&[Kind::Refund]),
            &money(row.cents),
            "USD",
        ];
        text.push_str(&cells.join(","));
        text.push('\n');
    }
    text
}

/// Cents as an amount.
pub(crate) fn money(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

impl Row {
    /// Whether this effect of the ledger is this row's. A free text ends with a token that names the row.
    pub(crate) fn caused(&self, effect: &Value) -> bool {
        let sent = effect["request"][self.kind.in_ledger().1].as_str().unwrap_or_default();
        let (text, token) = sent.split_once(" [subops ").map_or((sent, None), |(text, token)| (text, Some(token)));
        let names_us = token.is_none_or(|token| token.contains(&format!("-{} ", self.line)));
        self.is_like(effect) && text == self.mark && names_us
    }

    /// Whether this effect is of the same operation on the same subject, whichever row's it was.
    pub(crate) fn is_like(&self, effect: &Value) -> bool {
        effect["operation"] == self.kind.in_ledger().0 && effect["subject"] == self.subject.as_str()
    }
}
