//! The import of a subscription from elsewhere, with or without a card.
//!
//! From the vendor's page "Subscription import". Its table nests the end user's fields in `EndUser.Person`, its samples
//! and `getSubscription` have them in `EndUser`; what the service itself says is believed.

use crate::model::operation::{Effect, Kind, Need, OperationSpec, Parameter, Rule};

use super::{ANY_LIST, MONEY_OR_NOTHING, NOTHING, date, parameter, text, whole};

const COUNT: (i64, i64, &str) = (0, 2_147_483_647, "a whole number");
const UNITS: (i64, i64, &str) = (1, 2_147_483_647, "a whole number of units");
const SECONDS: (i64, i64, &str) = (0, 86_400, "a whole number of seconds");

const fn end_user(name: &'static str, about: &'static str, example: &'static str) -> Parameter {
    text(name, 255, Need::Optional, about, example)
}

pub(super) const IMPORT: OperationSpec = OperationSpec {
    name: "twocheckout.import_subscription",
    about: "Adds a subscription that was made elsewhere; with a card only where 2Checkout enabled that for the account.",
    effect: Effect::Additive,
    subject: Some("ExternalSubscriptionReference"),
    parameters: &[
        parameter(
            "ExternalSubscriptionReference",
            Kind::Id { max: 255 },
            Need::Required,
            "Your own reference for the subscription; no two may have the same.",
            "old-000017",
        ),
        date("StartDate", Need::Required, "Its first day, in the account's time zone.", "2026-01-15"),
        date("ExpirationDate", Need::Required, "The day it expires, in the account's time zone.", "2027-01-15"),
        text("Product.ProductCode", 256, Need::Conditional, "The product's code in the Control Panel.", "PROD-BASIC"),
        whole("Product.ProductId", COUNT, Need::Conditional, "Or the product's number, made by 2Checkout.", "4639321"),
        text("Product.ProductName", 255, Need::Optional, "The product's name.", "Basic"),
        whole("Product.ProductQuantity", UNITS, Need::Optional, "Units ordered.", "1"),
        text("Product.ProductVersion", 64, Need::Optional, "The product's version.", "1.0"),
        parameter(
            "Product.PriceOptionCodes",
            ANY_LIST,
            Need::Optional,
            "Codes of the chosen price options; their case matters.",
            "emailsupport;oneuser1",
        ),
        end_user("EndUser.FirstName", "The end user's first name.", "Ada"),
        end_user("EndUser.LastName", "The end user's last name.", "Example"),
        parameter("EndUser.CountryCode", Kind::Country, Need::Optional, "The end user's country.", "US"),
        end_user("EndUser.State", "The end user's state.", "California"),
        end_user("EndUser.City", "The end user's city.", "Los Angeles"),
        end_user("EndUser.Address1", "The end user's address.", "1 Example Street"),
        end_user("EndUser.Address2", "Its second line.", "Suite 2"),
        end_user("EndUser.Zip", "The end user's postal code.", "90210"),
        end_user("EndUser.Email", "The end user's e-mail address.", "ada@example.com"),
        end_user("EndUser.Phone", "The end user's telephone.", "+1 555 0100"),
        end_user("EndUser.Company", "The end user's company.", "Example Inc."),
        end_user("EndUser.Fax", "The end user's fax.", "+1 555 0101"),
        end_user("EndUser.Language", "The language of messages, as a code.", "en"),
        text("DeliveryInfo.Description", 1000, Need::Optional, "What was delivered.", "licence keys"),
        parameter(
            "DeliveryInfo.Codes",
            Kind::Json,
            Need::Optional,
            "Delivered keys, as objects with Code, Description, ExtraInfo and File.",
            r#"[{"Code":"ABC-123","Description":"key"}]"#,
        ),
        text("PartnerCode", 64, Need::Optional, "The partner's code; none for orders of the own shop.", "PARTNER1"),
        text("ExternalCustomerReference", 255, Need::Optional, "Your own reference for the customer.", "customer-9"),
        parameter(
            "SubscriptionValue",
            MONEY_OR_NOTHING,
            Need::Conditional,
            "What the customer paid for it so far.",
            "99.00",
        ),
        parameter("SubscriptionValueCurrency", Kind::Currency, Need::Conditional, "In which currency.", "USD"),
        text("AdditionalInfo", 255, Need::Optional, "Anything else worth keeping with it.", "from the old shop"),
        parameter("NextRenewalPrice", MONEY_OR_NOTHING, Need::Conditional, "What its next renewals cost.", "49.00"),
        parameter("NextRenewalPriceCurrency", Kind::Currency, Need::Conditional, "In which currency.", "USD"),
        whole("CustomPriceBillingCyclesLeft", COUNT, Need::Conditional, "For how many renewals.", "2"),
        parameter(
            "Test",
            Kind::Code(&[(0, "a real subscription"), (1, "a test subscription")]),
            Need::Optional,
            "1 to import it as a test.",
            "1",
        ),
        parameter("CardPayment.CardNumber", Kind::CardNumber, Need::Conditional, "The card's number.", ""),
        parameter(
            "CardPayment.CardType",
            Kind::Choice(&[
                "VISA",
                "VISAELECTRON",
                "MASTERCARD",
                "MAESTRO",
                "AMEX",
                "DISCOVER",
                "DANKORT",
                "CARTEBLEUE",
                "JCB",
            ]),
            Need::Conditional,
            "The card's brand.",
            "VISA",
        ),
        whole(
            "CardPayment.ExpirationYear",
            (2000, 2099, "a year of four digits, such as 2027"),
            Need::Conditional,
            "The year in which the card expires.",
            "2030",
        ),
        whole(
            "CardPayment.ExpirationMonth",
            (1, 12, "a month from 1 to 12"),
            Need::Conditional,
            "The month in which the card expires.",
            "12",
        ),
        text("CardPayment.HolderName", 255, Need::Conditional, "The name on the card.", "Ada Example"),
        parameter("CardPayment.CCID", Kind::SecurityCode, Need::Conditional, "The card's security code.", ""),
        whole(
            "CardPayment.HolderNameTime",
            SECONDS,
            Need::Conditional,
            "Seconds in which the holder's name was typed.",
            "15",
        ),
        parameter(
            "CardPayment.AutoRenewal",
            Kind::Bool,
            Need::Conditional,
            "Whether it renews by itself with the card.",
            "true",
        ),
        whole(
            "CardPayment.CardNumberTime",
            SECONDS,
            Need::Conditional,
            "Seconds in which the card's number was typed.",
            "20",
        ),
    ],
    rules: &[
        Rule::AnyOf(&["Product.ProductCode", "Product.ProductId"]),
        Rule::AnyOf(&["EndUser.Email", "EndUser.LastName", "EndUser.Company"]),
        Rule::Ordered("StartDate", "ExpirationDate"),
        Rule::Together(&["SubscriptionValue", "SubscriptionValueCurrency"]),
        Rule::Together(&["NextRenewalPrice", "NextRenewalPriceCurrency", "CustomPriceBillingCyclesLeft"]),
        Rule::Together(&[
            "CardPayment.CardNumber",
            "CardPayment.CardType",
            "CardPayment.ExpirationYear",
            "CardPayment.ExpirationMonth",
            "CardPayment.HolderName",
            "CardPayment.CCID",
            "CardPayment.HolderNameTime",
        ]),
    ],
    token: Some("AdditionalInfo"),
    returns: &["SubscriptionReference"],
    ..NOTHING
};
