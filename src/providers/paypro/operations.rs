//! What PayPro Global can do, as data: names, fields in the documented order, and effects.
//!
//! From the vendor's pages below "Subscriptions" of its API. They list no reply words: a reply says `isSuccess`, and
//! where that is false the errors by field, in words that are not documented. So no error means "already so" here: a
//! subscription that is suspended a second time is refused, and only a read can tell that the wanted state holds.

use crate::model::operation::{Effect, Kind, Need, OperationSpec, Parameter, Rule};

/// How an operation is called, and what a read must show to settle a doubt.
#[derive(Debug, Clone, Copy)]
pub(super) struct Task {
    /// The path below the account's `store` URL.
    pub(super) path: &'static str,
    /// What is looked for.
    pub(super) evidence: Evidence,
}

/// What is looked for in a subscription's details.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Evidence {
    /// It is suspended.
    Suspended,
    /// It is terminated.
    Terminated,
    /// It is active again.
    Renewed,
    /// The next payment is due on the wanted day.
    Postponed,
    /// The recurring price is the wanted one.
    Repriced,
}

/// How the operation of this verb is called.
pub(super) fn task(verb: &str) -> Option<Task> {
    let (path, evidence) = match verb {
        "suspend_subscription" => ("/api/Subscriptions/Suspend", Evidence::Suspended),
        "terminate_subscription" => ("/api/Subscriptions/Terminate", Evidence::Terminated),
        "renew_subscription" => ("/api/Subscriptions/Renew", Evidence::Renewed),
        "change_next_payment_date" => ("/api/Subscriptions/ChangeNextPaymentDate", Evidence::Postponed),
        "change_recurring_price" => ("/api/Subscriptions/ChangeRecurringPrice", Evidence::Repriced),
        _ => return None,
    };
    Some(Task { path, evidence })
}

/// Everything that PayPro Global can do here.
pub(super) static OPERATIONS: &[OperationSpec] = &[
    OperationSpec {
        name: "paypro.suspend_subscription",
        about: "Stops a subscription from charging; it can be renewed later.",
        effect: Effect::Conditional,
        verified_by: Some("reading the subscription's status"),
        parameters: &[CANCELLATION_REASON, OWN_REASON, NOTIFICATION, SUBSCRIPTION_ID],
        rules: ONE_REASON,
        token: Some("reasonText"),
        ..COMMON
    },
    OperationSpec {
        name: "paypro.terminate_subscription",
        about: "Ends a subscription for good: only PayPro Global's own staff can bring it back.",
        effect: Effect::Conditional,
        verified_by: Some("reading the subscription's status"),
        parameters: &[CANCELLATION_REASON, OWN_REASON, NOTIFICATION, SUBSCRIPTION_ID],
        rules: ONE_REASON,
        token: Some("reasonText"),
        ..COMMON
    },
    OperationSpec {
        name: "paypro.renew_subscription",
        about: "Takes up a suspended subscription again; a payment that is overdue may be charged at once.",
        effect: Effect::Conditional,
        moves_money: true,
        verified_by: Some("reading the subscription's status"),
        parameters: &[text("reasonText", Need::Required, "Why it is renewed.", "customer came back"), SUBSCRIPTION_ID],
        token: Some("reasonText"),
        ..COMMON
    },
    OperationSpec {
        name: "paypro.change_next_payment_date",
        about: "Sets when a subscription is charged next.",
        effect: Effect::Absolute,
        verified_by: Some("reading the next payment's date"),
        parameters: &[
            Parameter {
                name: "newNextPaymentDate",
                kind: Kind::DateTime,
                need: Need::Required,
                about: "When it is charged next; the vendor does not say in which time zone.",
                example: "2027-01-31",
            },
            Parameter {
                name: "shiftPaymentSchedule",
                kind: Kind::Bool,
                need: Need::Optional,
                about: "Whether all later payments move with it.",
                example: "true",
            },
            NEW_NAME,
            NOTIFICATION,
            SUBSCRIPTION_ID,
        ],
        ..COMMON
    },
    OperationSpec {
        name: "paypro.change_recurring_price",
        about: "Sets what a subscription costs from its next payment on.",
        effect: Effect::Absolute,
        amount: Some("newPriceValue"),
        verified_by: Some("reading the recurring price and its currency"),
        parameters: &[
            Parameter {
                name: "newPriceValue",
                kind: Kind::Amount { zero: false },
                need: Need::Required,
                about: "The new price.",
                example: "19.90",
            },
            Parameter {
                name: "priceCurrencyCode",
                kind: Kind::Currency,
                need: Need::Required,
                about: "Its currency, which must be the subscription's current one.",
                example: "USD",
            },
            Parameter {
                name: "quantity",
                kind: Kind::Integer { min: 1, max: i32::MAX as i64, expected: "a whole number, 1 or more" },
                need: Need::Optional,
                about: "The new quantity.",
                example: "1",
            },
            NEW_NAME,
            NOTIFICATION,
            SUBSCRIPTION_ID,
        ],
        ..COMMON
    },
];

/// What is left out above.
const COMMON: OperationSpec = OperationSpec {
    name: "",
    about: "",
    effect: Effect::Read,
    moves_money: false,
    subject: Some("subscriptionId"),
    amount: None,
    quantity: None,
    verified_by: None,
    parameters: &[],
    rules: &[],
    token: None,
    returns: &[],
    words: &[],
};

/// Two reasons would leave open which of them the vendor records.
const ONE_REASON: &[Rule] =
    &[Rule::AnyOf(&["cancellationReasonId", "reasonText"]), Rule::AtMostOne(&["cancellationReasonId", "reasonText"])];

/// The vendor gives no bounds. Wider than 32 bits: refusing an identifier that exists would be worse than having the
/// provider refuse one that does not.
const SUBSCRIPTION_ID: Parameter = Parameter {
    name: "subscriptionId",
    kind: Kind::Integer { min: 1, max: i64::MAX, expected: "a whole number" },
    need: Need::Required,
    about: "The subscription.",
    example: "1111111",
};

/// There is no 7.
const CANCELLATION_REASON: Parameter = Parameter {
    name: "cancellationReasonId",
    kind: Kind::Code(&[
        (1, "the price is too high"),
        (2, "no longer needed"),
        (3, "not satisfied with the product"),
        (4, "switched to another product"),
        (5, "not a priority right now"),
        (6, "subscribed by mistake"),
        (8, "switching to another subscription plan"),
    ]),
    need: Need::Conditional,
    about: "The customer's reason; this or `reasonText`.",
    example: "2",
};

const OWN_REASON: Parameter =
    text("reasonText", Need::Conditional, "A reason in your own words; this or `cancellationReasonId`.", "");

const NOTIFICATION: Parameter = Parameter {
    name: "sendCustomerNotification",
    kind: Kind::Bool,
    need: Need::Optional,
    about: "Whether the customer is e-mailed about it; by default not.",
    example: "false",
};

const NEW_NAME: Parameter = text("newSubscriptionName", Need::Optional, "A new name for the subscription.", "");

/// Free text. The vendor gives no bound.
const fn text(name: &'static str, need: Need, about: &'static str, example: &'static str) -> Parameter {
    Parameter { name, kind: Kind::Text { max: 1000 }, need, about, example }
}
