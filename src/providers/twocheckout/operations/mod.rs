//! What 2Checkout can do, as data: the declarations, and how each is called.
//!
//! Names of parameters are the vendor's. Documented replies are `true` and `false` or an object; of the errors only five
//! have known words, so whatever else it complains about is judged in `replies` by what a repeat would do.

use crate::model::operation::{Effect, Kind, Meaning, Need, OperationSpec, Parameter, Word};
use crate::model::row::Row;

use super::arguments;
use super::value::Argument;

mod catalog;
mod import;
mod subscriptions;

/// Everything that 2Checkout can do here.
pub(super) static OPERATIONS: &[OperationSpec] = &[
    subscriptions::EXTEND,
    subscriptions::CANCEL,
    subscriptions::ENABLE,
    subscriptions::DISABLE_RECURRING,
    subscriptions::ENABLE_RECURRING,
    subscriptions::UPGRADE,
    subscriptions::UPGRADE_PRICE,
    subscriptions::REFUND,
    import::IMPORT,
    catalog::SAVE_PRICES,
    catalog::UNASSIGN_PRODUCT_GROUP,
    catalog::CREATE_CROSS_SELL_CAMPAIGN,
    catalog::SHIPPING_FEES,
    catalog::SEARCH_PAYOUTS,
];

/// How an operation is called and how its success looks.
pub(super) struct Task {
    /// The vendor's method.
    pub(super) method: &'static str,
    /// Its arguments after the session; a text says why the row has none.
    pub(super) arguments: ArgumentsOf,
    /// What a success is.
    pub(super) success: Success,
    /// What a read must show to settle a doubt.
    pub(super) evidence: Option<Evidence>,
}

/// Makes a row's arguments, with the token where the operation has a place for one.
pub(super) type ArgumentsOf = for<'a> fn(&'a Row, Option<&str>) -> Result<Vec<Argument<'a>>, String>;

/// What a success looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Success {
    /// `true`.
    True,
    /// The reference of the subscription that was made.
    Reference,
    /// The campaign that was made; it has a code.
    Campaign,
    /// An object with prices.
    Fields,
    /// The product's shipping fees, alone or inside the product.
    ShippingFees,
    /// A page of payouts.
    Payouts,
}

/// What is looked for at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Evidence {
    /// The expiration date moved.
    Extended,
    /// The subscription is enabled, or is not.
    Enabled(bool),
    /// It renews by itself, or does not.
    Renews(bool),
    /// It is for the target product.
    Upgraded,
    /// The order is refunded in full.
    Refunded,
    /// The product is not in the group.
    Unassigned,
    /// A campaign of this name is there that was not there before.
    Campaign,
}

/// How the operation of this verb is called.
pub(super) fn task(verb: &str) -> Option<Task> {
    use Evidence as E;
    use Success as S;
    let (method, arguments, success, evidence): (_, ArgumentsOf, _, _) = match verb {
        "extend_subscription" => ("extendSubscription", arguments::positional, S::True, Some(E::Extended)),
        "cancel_subscription" => ("cancelSubscription", arguments::positional, S::True, Some(E::Enabled(false))),
        "enable_subscription" => ("enableSubscription", arguments::positional, S::True, Some(E::Enabled(true))),
        "disable_recurring" => ("disableRecurringBilling", arguments::positional, S::True, Some(E::Renews(false))),
        "enable_recurring" => ("enableRecurringBilling", arguments::positional, S::True, Some(E::Renews(true))),
        "upgrade_subscription" => ("setSubscriptionUpgrade", arguments::positional, S::True, Some(E::Upgraded)),
        "upgrade_price" => ("getProductUpgradeOptionsPrice", arguments::positional, S::Fields, None),
        "refund_order" => ("issueRefund", arguments::positional, S::True, Some(E::Refunded)),
        "import_subscription" => ("addSubscription", arguments::import, S::Reference, None),
        "save_prices" => ("savePrices", arguments::prices, S::True, None),
        "unassign_product_group" => ("unassignProductGroup", arguments::positional, S::True, Some(E::Unassigned)),
        "create_cross_sell_campaign" => {
            ("createCrossSellCampaign", arguments::campaign, S::Campaign, Some(E::Campaign))
        }
        "shipping_fees" => ("getProductByCode", arguments::positional, S::ShippingFees, None),
        "search_payouts" => ("searchPayouts", arguments::payout_filter, S::Payouts, None),
        _ => return None,
    };
    Some(Task { method, arguments, success, evidence })
}

/// The words that every operation shares: what the vendor documents as a result, and the errors that are known.
const WORDS: &[Word] = &[
    Word { text: "true", meaning: Meaning::Applied },
    Word { text: "false", meaning: Meaning::RefusedUnclear },
    Word { text: "NOT_ALLOWED", meaning: Meaning::Refused },
    Word { text: "DEPRECATED", meaning: Meaning::Refused },
    Word { text: "FORBIDDEN", meaning: Meaning::Credentials },
    Word { text: "INVALID_SESSION", meaning: Meaning::Credentials },
    Word { text: "SESSION_EXPIRED", meaning: Meaning::Credentials },
    Word { text: "AUTHENTICATION_FAILED", meaning: Meaning::Credentials },
];

/// What an operation has where its declaration says nothing.
const NOTHING: OperationSpec = OperationSpec {
    name: "",
    about: "",
    effect: Effect::Additive,
    moves_money: false,
    subject: None,
    amount: None,
    quantity: None,
    verified_by: None,
    parameters: &[],
    rules: &[],
    token: None,
    returns: &[],
    words: WORDS,
};

const SUBSCRIPTION: Parameter = Parameter {
    name: "subscriptionReference",
    kind: Kind::Id { max: 64 },
    need: Need::Required,
    about: "The subscription's reference, which 2Checkout made.",
    example: "4A2F9C31B7",
};

/// A parameter; the order of the arguments is that of the catalogue's columns.
const fn parameter(
    name: &'static str,
    kind: Kind,
    need: Need,
    about: &'static str,
    example: &'static str,
) -> Parameter {
    Parameter { name, kind, need, about, example }
}

const fn text(name: &'static str, max: usize, need: Need, about: &'static str, example: &'static str) -> Parameter {
    parameter(name, Kind::Text { max }, need, about, example)
}

const fn date(name: &'static str, need: Need, about: &'static str, example: &'static str) -> Parameter {
    parameter(name, Kind::Date, need, about, example)
}

const fn whole(
    name: &'static str,
    (min, max, expected): (i64, i64, &'static str),
    need: Need,
    about: &'static str,
    example: &'static str,
) -> Parameter {
    parameter(name, Kind::Integer { min, max, expected }, need, about, example)
}

const MONEY: Kind = Kind::Amount { zero: false };
const MONEY_OR_NOTHING: Kind = Kind::Amount { zero: true };
const ANY_LIST: Kind = Kind::List { words: &[] };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_can_be_called_and_says_so_truly() {
        for operation in OPERATIONS {
            let Some(task) = task(operation.verb()) else { panic!("{} has no task", operation.name) };
            assert_eq!(operation.provider(), "twocheckout");
            assert_eq!(task.evidence.is_some(), operation.verified_by.is_some(), "{}", operation.name);
            let returns = !matches!(task.success, Success::True);
            assert_eq!(returns, !operation.returns.is_empty(), "{}", operation.name);
            for parameter in operation.parameters {
                let mut same = operation.parameters.iter().filter(|own| own.name.eq_ignore_ascii_case(parameter.name));
                assert!(same.next().is_some() && same.next().is_none(), "{} {}", operation.name, parameter.name);
            }
        }
        assert!(task("rename_customer").is_none());
    }
}
