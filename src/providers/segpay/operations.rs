//! What Segpay can do, as data: names, parameters in the documented order, effects, and the documented reply words.
//!
//! From the vendor's pages "Consumer Support Tasks", "Membership Upgrade API" and "Dynamic Recurring Billing". A word
//! that is not here is unknown, whatever it sounds like.

use crate::model::operation::{Effect, Kind, Meaning, Need, OperationSpec, Parameter, Word};

/// How an operation is called, and what settles a doubt about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Task {
    /// Which of the vendor's interfaces it goes through.
    pub(super) interface: Interface,
    /// What a read must show to settle a doubt.
    pub(super) evidence: Option<Evidence>,
}

/// The vendor's interfaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interface {
    /// The Reporting Services: a GET with the credentials in the query.
    Srs {
        /// The path below the account's `srs` URL.
        path: &'static str,
        /// What a success is.
        success: Success,
    },
    /// The Membership Upgrade API.
    Upgrade,
    /// Dynamic Recurring Billing.
    DynamicPricing,
}

/// What a success of the Reporting Services looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Success {
    /// One of the documented words.
    Word,
    /// A link, returned as `link`.
    Link,
    /// A merchant's number, returned as `merchant_id`.
    Merchant,
}

/// What is looked for in the provider's reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Evidence {
    /// The subscription does not renew any more.
    Cancelled,
    /// The subscription has ended.
    Expired,
    /// The next bill date moved.
    Extended,
    /// The recurring amount is the wanted one.
    Repriced,
    /// A credit for the transaction is there.
    Refunded,
    /// The recurring amount became the wanted one, with one sale.
    Upgraded,
}

/// How the operation of this verb is called.
pub(super) fn task(verb: &str) -> Option<Task> {
    let srs = |path, success| Interface::Srs { path, success };
    let (interface, evidence) = match verb {
        "cancel_membership" => (srs("/adm.asmx/CancelMembership", Success::Word), Some(Evidence::Cancelled)),
        "expire_membership" => (srs("/adm.asmx/ExpireMembership", Success::Word), Some(Evidence::Expired)),
        "extend_membership" => (srs("/adm.asmx/ExtendMembership", Success::Word), Some(Evidence::Extended)),
        "insert_consumer_note" => (srs("/adm.asmx/InsertConsumerNote", Success::Word), None),
        "modify_rebill_amount" => (srs("/adm.asmx/ModifyRebillAmount", Success::Word), Some(Evidence::Repriced)),
        "refund_transaction" => (srs("/adm.asmx/RefundTransaction", Success::Word), Some(Evidence::Refunded)),
        "reactivation_link" => (srs("/merchantservices/Reactivation", Success::Link), None),
        "validate_user_access" => (srs("/MWS.asmx/ValidateUserAccess", Success::Merchant), None),
        "upgrade_membership" => (Interface::Upgrade, Some(Evidence::Upgraded)),
        "dynamic_pricing" => (Interface::DynamicPricing, None),
        _ => return None,
    };
    Some(Task { interface, evidence })
}

/// Everything that Segpay can do here.
pub(super) static OPERATIONS: &[OperationSpec] = &[
    OperationSpec {
        name: "segpay.cancel_membership",
        about: "Stops a subscription from renewing; access lasts to the end of the paid time, and the consumer is e-mailed.",
        effect: Effect::Conditional,
        subject: Some("PurchaseID"),
        verified_by: Some("reading the subscription's status and cancel date"),
        parameters: &[
            PURCHASE_ID,
            text("CancelReason", Need::Nullable, "Why it is cancelled.", "moved to the yearly plan"),
        ],
        token: Some("CancelReason"),
        words: ENDING_WORDS,
        ..NOTHING
    },
    OperationSpec {
        name: "segpay.expire_membership",
        about: "Ends a subscription and the consumer's access at once; the consumer is e-mailed.",
        effect: Effect::Conditional,
        subject: Some("PurchaseID"),
        verified_by: Some("reading the subscription's status"),
        parameters: &[PURCHASE_ID, text("CancelReason", Need::Nullable, "Why it is ended.", "terms of use")],
        token: Some("CancelReason"),
        words: ENDING_WORDS,
        ..NOTHING
    },
    OperationSpec {
        name: "segpay.extend_membership",
        about: "Adds days to a subscription's next bill date; the consumer is e-mailed the new date.",
        effect: Effect::Additive,
        subject: Some("PurchaseID"),
        quantity: Some(("Days", "days")),
        verified_by: Some("reading the next and last bill dates of the active subscription"),
        parameters: &[PURCHASE_ID, DAYS],
        words: CHANGING_WORDS,
        ..NOTHING
    },
    OperationSpec {
        name: "segpay.insert_consumer_note",
        about: "Adds a note to the consumer's record.",
        effect: Effect::Additive,
        subject: Some("PurchaseID"),
        parameters: &[PURCHASE_ID, text("Note", Need::Required, "The note.", "Contacted consumer about cancellation")],
        token: Some("Note"),
        words: CHANGING_WORDS,
        ..NOTHING
    },
    OperationSpec {
        name: "segpay.modify_rebill_amount",
        about: "Sets what a subscription costs from its next bill date on; the consumer is e-mailed the new amount.",
        effect: Effect::Absolute,
        subject: Some("PurchaseID"),
        amount: Some("RecurringAmount"),
        verified_by: Some("reading the recurring amount of the active subscription"),
        parameters: &[
            PURCHASE_ID,
            RECURRING_AMOUNT,
            text("Comments", Need::Nullable, "Why the amount changes.", "loyalty price"),
        ],
        token: Some("Comments"),
        words: CHANGING_WORDS,
        ..NOTHING
    },
    OperationSpec {
        name: "segpay.refund_transaction",
        about: "Pays one transaction back in full.",
        effect: Effect::Additive,
        moves_money: true,
        subject: Some("TransID"),
        verified_by: Some("looking for a credit of the transaction (it may show later)"),
        parameters: &[TRANS_ID, text("RefundReason", Need::Nullable, "Why it is paid back.", "double charge")],
        token: Some("RefundReason"),
        words: REFUND_WORDS,
        ..NOTHING
    },
    OperationSpec {
        name: "segpay.reactivation_link",
        about: "Gets a pay page link with which a consumer can take up a cancelled or expired subscription again.",
        subject: Some("purchaseid"),
        parameters: &[Parameter { name: "purchaseid", about: "The cancelled or expired subscription.", ..PURCHASE_ID }],
        returns: &["link"],
        words: REACTIVATION_WORDS,
        ..NOTHING
    },
    OperationSpec {
        name: "segpay.validate_user_access",
        about: "Tells which merchant the credentials belong to.",
        returns: &["merchant_id"],
        words: LOGIN_WORDS,
        ..NOTHING
    },
    OperationSpec {
        name: "segpay.upgrade_membership",
        about: "Raises a subscription to a higher price and charges the prorated part at once; the consumer is e-mailed.",
        effect: Effect::Additive,
        moves_money: true,
        subject: Some("purchaseId"),
        amount: Some("NewRecurringAmount"),
        verified_by: Some("reading the recurring amount and looking for one new sale"),
        parameters: &[
            Parameter { name: "purchaseId", ..PURCHASE_ID },
            Parameter { name: "NewRecurringAmount", about: "What it costs from its next bill on.", ..RECURRING_AMOUNT },
            Parameter { name: "NewRecurringDurationInDays", about: "The days from one bill to the next.", ..DAYS },
        ],
        returns: &["TransactionId", "TransactionAmount", "nextTransactionDate"],
        ..NOTHING
    },
    OperationSpec {
        name: "segpay.dynamic_pricing",
        about: "Gets a join link with a price of your own, for one consumer to sign up with.",
        parameters: &[
            Parameter {
                name: "InitialAmount",
                kind: Kind::Amount { zero: true },
                about: "What the first period costs.",
                example: "3.50",
                ..RECURRING_AMOUNT
            },
            Parameter { name: "InitialLength", about: "The days of the first period.", example: "4", ..DAYS },
            Parameter { about: "What each later period costs.", example: "28.95", ..RECURRING_AMOUNT },
            Parameter { name: "RecurringLength", about: "The days of each later period.", ..DAYS },
            Parameter { name: "PackageID", about: "The package, for the link.", ..LINK_PART },
            Parameter { name: "PricePointID", about: "The price point, for the link.", example: "3097", ..LINK_PART },
            Parameter {
                name: "JoinLink",
                kind: Kind::Id { max: 500 },
                need: Need::Optional,
                about: "The join link to build on, where it is not Segpay's usual one.",
                example: "",
            },
        ],
        returns: &["hash", "link"],
        words: PRICING_WORDS,
        ..NOTHING
    },
];

/// What is left out above.
const NOTHING: OperationSpec = OperationSpec {
    name: "",
    about: "",
    effect: Effect::Read,
    moves_money: false,
    subject: None,
    amount: None,
    quantity: None,
    verified_by: None,
    parameters: &[],
    rules: &[],
    token: None,
    returns: &[],
    words: &[],
};

const PURCHASE_ID: Parameter = Parameter {
    name: "PurchaseID",
    kind: Kind::Integer { min: 1, max: i32::MAX as i64, expected: "a 32-bit whole number" },
    need: Need::Required,
    about: "The subscription's purchase ID.",
    example: "80012345",
};

/// The vendor gives no type for it. Wider than 32 bits here: refusing an identifier that exists would be worse than
/// having the provider refuse one that does not.
const TRANS_ID: Parameter = Parameter {
    name: "TransID",
    kind: Kind::Integer { min: 1, max: i64::MAX, expected: "a whole number" },
    need: Need::Required,
    about: "The transaction to pay back.",
    example: "900123456",
};

/// The vendor names no bounds. None and fewer than none are not documented, and more than ten years is a slip of the
/// keyboard that nothing could take back.
const DAYS: Parameter = Parameter {
    name: "Days",
    kind: Kind::Integer { min: 1, max: 3650, expected: "a whole number of days, 1 to 3650" },
    need: Need::Required,
    about: "The days to add.",
    example: "30",
};

const RECURRING_AMOUNT: Parameter = Parameter {
    name: "RecurringAmount",
    kind: Kind::Amount { zero: false },
    need: Need::Required,
    about: "The new amount; more than the current one only with Segpay's approval.",
    example: "19.95",
};

/// A number that goes into a link and not to the service. Text, since zeros in front could matter there.
const LINK_PART: Parameter =
    Parameter { name: "", kind: Kind::Id { max: 20 }, need: Need::Required, about: "", example: "125696" };

/// Free text. The bound that counts is that of the encoded request; see the provider's own check.
const fn text(name: &'static str, need: Need, about: &'static str, example: &'static str) -> Parameter {
    Parameter { name, kind: Kind::Text { max: 1000 }, need, about, example }
}

const fn word(text: &'static str, meaning: Meaning) -> Word {
    Word { text, meaning }
}

// The pages write `Success` for some operations and `Successful` for others, and changed it between their versions:
// both are taken everywhere. So are the two refusals that come before any work is done.
const SUCCESSFUL: Word = word("Successful", Meaning::Applied);
const SUCCESS: Word = word("Success", Meaning::Applied);
const INVALID_MERCHANT: Word = word("Invalid Merchant", Meaning::Credentials);
const MISSING_PARAMETER: Word = word("Missing Parameter", Meaning::Refused);
const MISMATCH: Word = word("PurchaseID/MerchantID Mismatch", Meaning::Refused);
const NOT_ACTIVE: &str = "Subscription not active, cancel failed";

const ENDING_WORDS: &[Word] =
    &[SUCCESSFUL, SUCCESS, word(NOT_ACTIVE, Meaning::Already), MISMATCH, INVALID_MERCHANT, MISSING_PARAMETER];

const CHANGING_WORDS: &[Word] = &[
    SUCCESSFUL,
    SUCCESS,
    MISMATCH,
    word("Membership not Active", Meaning::Refused),
    word("Failed", Meaning::RefusedUnclear),
    INVALID_MERCHANT,
    MISSING_PARAMETER,
];

/// For a refund "not active" is a plain no: the money did not go back, and nothing says that it had before.
const REFUND_WORDS: &[Word] =
    &[SUCCESSFUL, SUCCESS, word(NOT_ACTIVE, Meaning::Refused), MISMATCH, INVALID_MERCHANT, MISSING_PARAMETER];

/// The first word stands for wrong credentials as well as for a purchase that is unknown or not eligible. It is taken for
/// the latter, or one such row would stop a run; wrong credentials show in the probe before it.
const REACTIVATION_WORDS: &[Word] = &[
    word("Invalid user name or password", Meaning::Refused),
    word("You must include all the values for reactivation", Meaning::Refused),
    INVALID_MERCHANT,
    MISSING_PARAMETER,
];

const LOGIN_WORDS: &[Word] = &[INVALID_MERCHANT, MISSING_PARAMETER];

const PRICING_WORDS: &[Word] = &[
    word("The initial price is outside your approved limits.", Meaning::Refused),
    word("The initial length is outside your approved limits.", Meaning::Refused),
    word("The recurring price is outside your approved limits.", Meaning::Refused),
    word("The recurring length is outside your approved limits.", Meaning::Refused),
];
