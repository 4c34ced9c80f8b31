//! Subscriptions and their transactions: made from their numbers when first asked for, kept once changed.
//!
//! The conventions are in the head of [`super`]. Only what differs from them takes memory.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use jiff::ToSpan;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};

/// The merchant's PurchaseIDs.
const PURCHASES: std::ops::RangeInclusive<i32> = 80_000_000..=89_999_999;
/// The TransID of the first purchase's sale.
const FIRST_SALE: i32 = 900_000_000;
/// Transactions that are made here are numbered from the one after this.
const MADE_BASE: i32 = 950_000_000;
/// Days from one bill to the next, until an upgrade changes it.
const PERIOD_DAYS: i32 = 30;

/// Whether it bills, and whether it gives access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    /// Bills and gives access.
    Active,
    /// Bills no more; gives access until its last day.
    Cancelled,
    /// Neither.
    Expired,
}

/// One subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Subscription {
    #[serde(skip)]
    pub(super) purchase_id: i32,
    pub(super) status: Status,
    /// The next bill date; where it is cancelled, the last day of access.
    #[serde(serialize_with = "as_text")]
    pub(super) next_bill_date: Date,
    #[serde(serialize_with = "as_text")]
    pub(super) recurring_amount: Decimal,
    #[serde(serialize_with = "as_optional_text", skip_serializing_if = "Option::is_none")]
    pub(super) cancelled_on: Option<Date>,
    #[serde(serialize_with = "as_optional_text", skip_serializing_if = "Option::is_none")]
    pub(super) expired_on: Option<Date>,
    pub(super) recurring_period_days: i32,
    /// Notes written about its consumer.
    notes: u32,
    /// What came after the sale, in the order in which it was made.
    #[serde(flatten, serialize_with = "as_counts")]
    pub(super) transactions: Vec<Transaction>,
    #[serde(skip)]
    pub(super) signed_up_on: Date,
    /// What was paid at sign-up.
    #[serde(skip)]
    pub(super) initial_amount: Decimal,
}

/// A transaction after the sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Transaction {
    pub(super) trans_id: i32,
    pub(super) made_on: Date,
    /// The moment from which the delay of reports counts.
    pub(super) made_at: Instant,
    /// What moved, or would have moved; always above or at zero.
    pub(super) amount: Decimal,
    pub(super) kind: Kind,
}

/// What a transaction after the sale is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The charge with this number, given back.
    Credit { of: i32 },
    /// The charge of an upgrade.
    Upgrade,
    /// The charge of an upgrade, which the bank declined: nothing moved.
    DeclinedUpgrade,
}

fn as_text<T: std::fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

fn as_optional_text<S: Serializer>(value: &Option<Date>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(date) => serializer.collect_str(date),
        None => serializer.serialize_none(),
    }
}

/// The transactions that moved money, counted by their kind.
fn as_counts<S: Serializer>(transactions: &[Transaction], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Counts {
        refunds: usize,
        upgrades: usize,
    }
    let refunds = transactions.iter().filter(|made| matches!(made.kind, Kind::Credit { .. })).count();
    let upgrades = transactions.iter().filter(|made| made.kind == Kind::Upgrade).count();
    Counts { refunds, upgrades }.serialize(serializer)
}

impl Subscription {
    /// What a subscription is before anything was done to it, if the merchant has it.
    fn untouched(purchase_id: i32, opened: Date) -> Option<Self> {
        if !PURCHASES.contains(&purchase_id) {
            return None;
        }
        let days_ago = |days: i32| opened.saturating_sub(days.days());
        let (status, cancelled_on, expired_on) = match purchase_id % 1000 {
            990..=994 => (Status::Cancelled, Some(days_ago(45)), Some(days_ago(15))),
            995..=997 => (Status::Expired, Some(days_ago(60)), Some(days_ago(30))),
            _ => (Status::Active, None, None),
        };
        let cents = [995, 1995, 2995, 4995][(purchase_id % 4) as usize];
        let next_bill_date = match expired_on {
            Some(ended) => ended,
            None => opened.saturating_add((1 + purchase_id % 28).days()),
        };
        Some(Self {
            purchase_id,
            status,
            next_bill_date,
            recurring_amount: Decimal::new(cents, 2),
            cancelled_on,
            expired_on,
            recurring_period_days: PERIOD_DAYS,
            notes: 0,
            transactions: Vec::new(),
            signed_up_on: next_bill_date.saturating_sub(PERIOD_DAYS.days()),
            initial_amount: Decimal::new(cents, 2),
        })
    }

    pub(super) fn is_active(&self) -> bool {
        self.status == Status::Active
    }

    /// Whether its consumer can still get in on `today`.
    pub(super) fn gives_access(&self, today: Date) -> bool {
        match self.status {
            Status::Active => true,
            Status::Cancelled => today < self.next_bill_date,
            Status::Expired => false,
        }
    }

    /// The TransID of its sale.
    pub(super) fn sale(&self) -> i32 {
        FIRST_SALE + (self.purchase_id - PURCHASES.start())
    }

    /// What was charged by a sale or an approved upgrade; `None` for any other transaction.
    pub(super) fn charged(&self, trans_id: i32) -> Option<Decimal> {
        if trans_id == self.sale() {
            return Some(self.initial_amount);
        }
        let made = self.transactions.iter().find(|made| made.trans_id == trans_id)?;
        (made.kind == Kind::Upgrade).then_some(made.amount)
    }

    pub(super) fn cancel(&mut self, today: Date) {
        self.status = Status::Cancelled;
        self.cancelled_on = Some(today);
        self.expired_on = Some(self.next_bill_date);
    }

    pub(super) fn expire(&mut self, today: Date) {
        self.status = Status::Expired;
        self.cancelled_on = self.cancelled_on.or(Some(today));
        self.expired_on = Some(today);
    }

    pub(super) fn extend(&mut self, days: i32) {
        self.next_bill_date = self.next_bill_date.saturating_add(days.days());
    }

    pub(super) fn add_note(&mut self) {
        self.notes += 1;
    }
}

/// Where the lists of subscriptions begin, and where they end. The vendor's pages give their parameter `PurchaseID` and do
/// not say what it does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::sandbox) enum ListReading {
    /// They begin with the one that is asked for. It serves a client that reads it either way, if the client looks at the
    /// PurchaseID of each row: that is why it is the sandbox's usual one.
    #[default]
    From,
    /// They begin after it, as the vendor says of `TransID` in other reports.
    After,
    /// They are about that one alone.
    Only,
}

impl ListReading {
    const WORDS: [(&'static str, Self); 3] = [("from", Self::From), ("after", Self::After), ("only", Self::Only)];

    pub(in crate::sandbox) fn parse(word: &str) -> Option<Self> {
        Self::WORDS.into_iter().find(|(known, _)| *known == word).map(|(_, reading)| reading)
    }

    pub(in crate::sandbox) fn as_str(self) -> &'static str {
        Self::WORDS.into_iter().find(|(_, known)| *known == self).map_or("", |(word, _)| word)
    }
}

/// All subscriptions.
#[derive(Debug)]
pub(super) struct Subscriptions {
    /// The day on which the sandbox was started: what is untouched counts from it, whenever it is first looked at.
    opened: Date,
    changed: HashMap<i32, Subscription>,
    /// The purchases of the transactions made here, in the order of their numbers.
    made: Vec<i32>,
    /// How long after it was made a credit is in no report: the real ones are not there at once.
    pub(super) refund_delay: Duration,
    /// What lists show.
    pub(super) lists: ListReading,
}

impl Subscriptions {
    pub(super) fn new(opened: Date) -> Self {
        let (refund_delay, lists) = (Duration::ZERO, ListReading::default());
        Self { opened, changed: HashMap::new(), made: Vec::new(), refund_delay, lists }
    }

    /// The subscription as it is now; `None` where it is not the merchant's.
    pub(super) fn get(&self, purchase_id: i32) -> Option<Subscription> {
        self.changed.get(&purchase_id).cloned().or_else(|| Subscription::untouched(purchase_id, self.opened))
    }

    /// Keeps a changed subscription.
    pub(super) fn put(&mut self, subscription: Subscription) {
        // Transactions are numbered when they are prepared; the number is taken here, with the change itself.
        for made in &subscription.transactions {
            if made.trans_id == self.next_transaction() {
                self.made.push(subscription.purchase_id);
            }
        }
        self.changed.insert(subscription.purchase_id, subscription);
    }

    /// The number of the next transaction that is made.
    pub(super) fn next_transaction(&self) -> i32 {
        MADE_BASE + 1 + i32::try_from(self.made.len()).unwrap_or(i32::MAX / 4)
    }

    /// The subscription that a transaction belongs to: its sale, or one made here.
    pub(super) fn of_transaction(&self, trans_id: i32) -> Option<Subscription> {
        if let Some(at) = trans_id.checked_sub(MADE_BASE + 1).filter(|at| *at >= 0) {
            return self.get(*self.made.get(usize::try_from(at).ok()?)?);
        }
        self.get(trans_id.checked_sub(FIRST_SALE)?.checked_add(*PURCHASES.start())?)
    }

    /// The subscription that was charged by this transaction, which a credit or a declined charge does not do.
    pub(super) fn of_charge(&self, trans_id: i32) -> Option<Subscription> {
        self.of_transaction(trans_id).filter(|subscription| subscription.charged(trans_id).is_some())
    }

    /// The transactions after a subscription's sale that reports show by now.
    pub(super) fn visible<'a>(&self, subscription: &'a Subscription) -> impl Iterator<Item = &'a Transaction> {
        let delay = self.refund_delay;
        let is_due =
            move |made: &&Transaction| !matches!(made.kind, Kind::Credit { .. }) || made.made_at.elapsed() >= delay;
        subscription.transactions.iter().filter(is_due)
    }

    /// Active subscriptions in order of PurchaseID, as lists show them.
    pub(super) fn list_active(&self, purchase_id: i32) -> impl Iterator<Item = Subscription> + '_ {
        self.list(purchase_id).filter(Subscription::is_active)
    }

    /// Subscriptions that were cancelled, in order of PurchaseID, as lists show them.
    pub(super) fn list_cancelled(&self, purchase_id: i32) -> impl Iterator<Item = Subscription> + '_ {
        self.list(purchase_id).filter(|subscription| subscription.cancelled_on.is_some())
    }

    fn list(&self, purchase_id: i32) -> impl Iterator<Item = Subscription> + '_ {
        let (first, last) = match self.lists {
            ListReading::From => (purchase_id, i32::MAX),
            ListReading::After => (purchase_id.saturating_add(1), i32::MAX),
            ListReading::Only => (purchase_id, purchase_id),
        };
        (first.max(*PURCHASES.start())..=last.min(*PURCHASES.end())).filter_map(|id| self.get(id))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test may say why a value must be there")]
    use super::*;
    use jiff::civil::date;

    const OPENED: Date = date(2026, 11, 23);

    fn untouched(purchase_id: i32) -> Subscription {
        Subscription::untouched(purchase_id, OPENED).expect("the merchant's")
    }

    #[test]
    fn what_a_subscription_is_follows_from_its_number() {
        assert_eq!(Subscription::untouched(79_999_999, OPENED), None);
        assert_eq!(Subscription::untouched(90_000_000, OPENED), None);
        let expected = [(80_000_000, "9.95"), (80_000_001, "19.95"), (80_000_002, "29.95"), (89_999_999, "49.95")];
        for (id, amount) in expected {
            assert_eq!(untouched(id).recurring_amount.to_string(), amount);
        }
        // 80,012,345 % 28 = 21
        assert_eq!(untouched(80_012_345).next_bill_date, date(2026, 12, 15));
        let statuses = [989, 990, 994, 995, 997, 998].map(|rest| untouched(80_000_000 + rest).status);
        use Status::{Active, Cancelled, Expired};
        assert_eq!(statuses, [Active, Cancelled, Cancelled, Expired, Expired, Active]);
        assert!(!untouched(80_000_990).gives_access(OPENED));
    }

    #[test]
    fn transactions_lead_to_their_purchase() {
        let mut subscriptions = Subscriptions::new(OPENED);
        let of = |subscriptions: &Subscriptions, id| subscriptions.of_transaction(id).map(|found| found.purchase_id);
        assert_eq!(of(&subscriptions, 900_012_345), Some(80_012_345));
        assert_eq!(of(&subscriptions, 909_999_999), Some(89_999_999));
        for foreign in [899_999_999, 910_000_000, 950_000_001, i32::MIN, i32::MAX] {
            assert_eq!(of(&subscriptions, foreign), None, "{foreign}");
        }
        let mut refunded = subscriptions.get(80_012_345).expect("the merchant's");
        let trans_id = subscriptions.next_transaction();
        let kind = Kind::Credit { of: refunded.sale() };
        let amount = refunded.initial_amount;
        refunded.transactions.push(Transaction { trans_id, made_on: OPENED, made_at: Instant::now(), amount, kind });
        subscriptions.put(refunded);
        assert_eq!((trans_id, of(&subscriptions, trans_id)), (950_000_001, Some(80_012_345)));
        assert_eq!(subscriptions.next_transaction(), 950_000_002);
        assert!(subscriptions.of_charge(trans_id).is_none(), "a credit is no charge");
    }

    #[test]
    fn a_cancelled_membership_keeps_its_access_until_the_next_bill() {
        let mut subscription = untouched(80_012_345);
        subscription.cancel(OPENED);
        assert!(!subscription.is_active());
        assert!(subscription.gives_access(date(2026, 12, 14)));
        assert!(!subscription.gives_access(date(2026, 12, 15)));
    }
}
