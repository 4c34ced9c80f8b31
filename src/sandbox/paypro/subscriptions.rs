//! Subscriptions: made from their numbers when first asked for, kept once changed. The conventions are in the head of
//! [`super`].

use std::collections::HashMap;

use jiff::ToSpan;
use jiff::civil::{Date, DateTime};
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};

/// The ids that exist.
pub(super) const IDS: std::ops::RangeInclusive<i64> = 1_000_000..=9_999_999;

/// What a subscription is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) enum Status {
    /// It is paid for.
    Active,
    /// Not any more, but it can be renewed.
    Suspended,
    /// Ended for good, before its time.
    Terminated,
    /// Ended for good, with all payments made.
    Finished,
}

impl Status {
    /// Its number in a search.
    pub(super) fn id(self) -> i64 {
        match self {
            Self::Active => 1,
            Self::Suspended => 2,
            Self::Terminated => 3,
            Self::Finished => 4,
        }
    }
}

/// One subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Subscription {
    #[serde(skip)]
    pub(super) id: i64,
    pub(super) status: Status,
    pub(super) name: String,
    #[serde(serialize_with = "as_text")]
    pub(super) next_payment: DateTime,
    /// Whether the payments after the next one moved with it.
    pub(super) schedule_shifted: bool,
    #[serde(serialize_with = "as_text")]
    pub(super) price: Decimal,
    pub(super) currency: &'static str,
    pub(super) quantity: i64,
    #[serde(skip)]
    pub(super) last_payment: DateTime,
    #[serde(skip)]
    pub(super) created_at: DateTime,
    #[serde(skip)]
    pub(super) payments: i64,
}

fn as_text<T: std::fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

impl Subscription {
    /// What a subscription is before anything was done to it, if it exists.
    fn untouched(id: i64, opened: Date) -> Option<Self> {
        if !IDS.contains(&id) {
            return None;
        }
        let status = match id % 100 {
            90..=92 => Status::Suspended,
            93..=94 => Status::Terminated,
            95 => Status::Finished,
            _ => Status::Active,
        };
        let next_payment = opened.saturating_add((1 + id % 28).days()).at(10, 30, 0, 0);
        let age = 30 + (IDS.end() - id) / 25_000;
        Some(Self {
            id,
            status,
            name: "Example Plan, monthly".to_owned(),
            next_payment,
            schedule_shifted: false,
            price: Decimal::new([995, 1995, 2995, 4995][(id % 4) as usize], 2),
            currency: ["USD", "EUR", "GBP"][(id % 3) as usize],
            quantity: 1,
            last_payment: next_payment.saturating_sub(30.days()),
            created_at: opened.saturating_sub(age.days()).at(8, 15, 30, 0),
            payments: 1 + age / 30,
        })
    }

    /// The address under which its customer is found.
    pub(super) fn email(&self) -> String {
        format!("customer{}@example.com", self.id)
    }
}

/// All subscriptions.
#[derive(Debug)]
pub(super) struct Subscriptions {
    opened: Date,
    changed: HashMap<i64, Subscription>,
}

impl Subscriptions {
    pub(super) fn new(opened: Date) -> Self {
        Self { opened, changed: HashMap::new() }
    }

    /// The subscription as it is now.
    pub(super) fn get(&self, id: i64) -> Option<Subscription> {
        self.changed.get(&id).cloned().or_else(|| Subscription::untouched(id, self.opened))
    }

    /// Keeps a changed subscription.
    pub(super) fn put(&mut self, subscription: Subscription) {
        self.changed.insert(subscription.id, subscription);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test may say why a value must be there")]
    use super::*;
    use jiff::civil::date;

    #[test]
    fn what_a_subscription_is_follows_from_its_number() {
        let opened = date(2026, 11, 23);
        let untouched = |id| Subscription::untouched(id, opened);
        assert_eq!((untouched(999_999), untouched(10_000_000)), (None, None));
        let statuses = [89, 90, 92, 93, 94, 95, 96].map(|rest| untouched(1_234_500 + rest).expect("it exists").status);
        use Status::{Active, Finished, Suspended, Terminated};
        assert_eq!(statuses, [Active, Suspended, Suspended, Terminated, Terminated, Finished, Active]);
        let one = untouched(1_000_001).expect("it exists");
        // 1,000,001 % 28 = 9
        assert_eq!(one.next_payment.to_string(), "2026-12-03T10:30:00");
        assert_eq!((one.price.to_string().as_str(), one.currency), ("19.95", "GBP"));
        assert!(untouched(9_999_999).expect("it exists").created_at > one.created_at);
    }
}
