//! Operations on a subscription and its orders.
//!
//! From the vendor's pages "Extend a subscription", "Upgrade a subscription", "Retrieve upgrade price", "Disable a
//! subscription", "Disable recurring billing" and "Refund an order".

use crate::model::operation::{Effect, Kind, Need, OperationSpec, Parameter};

use super::{ANY_LIST, MONEY, MONEY_OR_NOTHING, NOTHING, SUBSCRIPTION, parameter, text, whole};

const DAYS: (i64, i64, &str) = (-36_500, 36_500, "a whole number of days (negative ones shorten), not 0");

pub(super) const EXTEND: OperationSpec = OperationSpec {
    name: "twocheckout.extend_subscription",
    about: "Moves a subscription's expiration date by a number of days; negative days shorten it.",
    effect: Effect::Additive,
    subject: Some("subscriptionReference"),
    quantity: Some(("days", "days")),
    verified_by: Some("reading the expiration date"),
    parameters: &[
        SUBSCRIPTION,
        whole("days", DAYS, Need::Required, "Days to add to the expiration date; negative ones take away.", "30"),
    ],
    ..NOTHING
};

pub(super) const CANCEL: OperationSpec = OperationSpec {
    name: "twocheckout.cancel_subscription",
    about: "Disables a subscription at once, not at the end of its paid time.",
    effect: Effect::Conditional,
    subject: Some("subscriptionReference"),
    verified_by: Some("reading whether the subscription is enabled"),
    parameters: &[
        SUBSCRIPTION,
        parameter(
            "churnReasons",
            ANY_LIST,
            Need::Optional,
            "Why the customer leaves: codes of the account's churn reasons.",
            "CHURN_REASON_OTHER",
        ),
        text("churnReasonOther", 500, Need::Optional, "Why, in words.", "moved to the yearly plan"),
    ],
    token: Some("churnReasonOther"),
    ..NOTHING
};

pub(super) const ENABLE: OperationSpec = OperationSpec {
    name: "twocheckout.enable_subscription",
    about: "Enables a disabled subscription again.",
    effect: Effect::Conditional,
    subject: Some("subscriptionReference"),
    verified_by: Some("reading whether the subscription is enabled"),
    parameters: &[SUBSCRIPTION],
    ..NOTHING
};

pub(super) const DISABLE_RECURRING: OperationSpec = OperationSpec {
    name: "twocheckout.disable_recurring",
    about: "Stops a subscription from renewing by itself; it stays active to the end of its paid time.",
    effect: Effect::Conditional,
    subject: Some("subscriptionReference"),
    verified_by: Some("reading whether it renews by itself"),
    parameters: &[SUBSCRIPTION],
    ..NOTHING
};

pub(super) const ENABLE_RECURRING: OperationSpec = OperationSpec {
    name: "twocheckout.enable_recurring",
    about: "Lets a subscription renew by itself again.",
    effect: Effect::Conditional,
    subject: Some("subscriptionReference"),
    verified_by: Some("reading whether it renews by itself"),
    parameters: &[SUBSCRIPTION],
    ..NOTHING
};

const PRODUCT: Parameter =
    text("productCode", 256, Need::Required, "The target product's code, as in the Control Panel.", "PROD-PRO-2");

const OPTIONS: Parameter = text(
    "options",
    1000,
    Need::Nullable,
    "Pricing options of the target product, separated by `;`; an interval as `group=value`.",
    "emailsupport;Users=7",
);

pub(super) const UPGRADE: OperationSpec = OperationSpec {
    name: "twocheckout.upgrade_subscription",
    about: "Moves a subscription to another product and charges for it now; it must renew by itself, with no refund open.",
    effect: Effect::Additive,
    moves_money: true,
    subject: Some("subscriptionReference"),
    amount: Some("customPrice"),
    verified_by: Some("reading the subscription's product"),
    parameters: &[
        SUBSCRIPTION,
        PRODUCT,
        OPTIONS,
        parameter(
            "customPrice",
            MONEY_OR_NOTHING,
            Need::Optional,
            "What to charge in place of the computed price, in the currency of the customer's last payment.",
            "19.90",
        ),
    ],
    ..NOTHING
};

pub(super) const UPGRADE_PRICE: OperationSpec = OperationSpec {
    name: "twocheckout.upgrade_price",
    about: "Reads what an upgrade would cost the customer now.",
    effect: Effect::Read,
    subject: Some("subscriptionReference"),
    parameters: &[
        SUBSCRIPTION,
        PRODUCT,
        parameter("currency", Kind::Currency, Need::Required, "The currency of the prices.", "USD"),
        OPTIONS,
    ],
    returns: &[
        "BillingPrice",
        "BillingGrossPrice",
        "BillingCurrency",
        "Quantity",
        "DisplayPrice",
        "DisplayGrossPrice",
        "DisplayCurrency",
        "Discount",
        "DiscountedProratedPrice",
        "DiscountedProratedGrossPrice",
        "DiscountedBillingPrice",
        "DiscountedBillingGrossPrice",
        "DisplayDiscount",
        "DiscountedDisplayPrice",
        "DiscountedDisplayGrossPrice",
    ],
    ..NOTHING
};

pub(super) const REFUND: OperationSpec = OperationSpec {
    name: "twocheckout.refund_order",
    about: "Gives money back for a complete order, all of it or a part; it is carried out some time later.",
    effect: Effect::Additive,
    moves_money: true,
    subject: Some("orderReference"),
    amount: Some("amount"),
    verified_by: Some("reading the order's status (full refunds only)"),
    parameters: &[
        parameter(
            "orderReference",
            Kind::Id { max: 64 },
            Need::Required,
            "The order's reference, which 2Checkout made.",
            "11370513",
        ),
        parameter("amount", MONEY, Need::Required, "How much, in the order's currency; at most its total.", "25.39"),
        parameter(
            "items",
            Kind::Json,
            Need::Optional,
            "Which items of the order, as objects with LineItemReference, Quantity and Amount; none for all of them.",
            r#"[{"LineItemReference":"my_product_1","Quantity":1,"Amount":25.39}]"#,
        ),
        text("comment", 500, Need::Required, "A remark, in free text.", "asked for by the customer"),
        text("reason", 200, Need::Required, "One of the account's refund reasons.", "Duplicate purchase"),
    ],
    token: Some("comment"),
    ..NOTHING
};
