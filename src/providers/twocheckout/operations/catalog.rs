//! Operations on the catalogue, campaigns and payouts.
//!
//! From the vendor's pages "Save prices", "Unassign a product group", "Create a cross-sell campaign", "Shipping fees"
//! and "Search historical payouts".

use crate::model::operation::{Effect, Kind, Need, OperationSpec, Rule};

use super::{ANY_LIST, MONEY_OR_NOTHING, NOTHING, date, parameter, text, whole};

const QUANTITY: (i64, i64, &str) = (1, 99_999, "a whole number from 1 to 99999");

pub(super) const SAVE_PRICES: OperationSpec = OperationSpec {
    name: "twocheckout.save_prices",
    about: "Sets prices of a pricing configuration for an interval of quantities; prices of other currencies stay.",
    effect: Effect::Absolute,
    subject: Some("PricingConfigCode"),
    parameters: &[
        parameter("Currency", Kind::Currency, Need::Conditional, "The price's currency, with `Amount`.", "USD"),
        parameter(
            "Amount",
            MONEY_OR_NOTHING,
            Need::Conditional,
            "The price. 2Checkout deletes a price that is set to -1, so -1 needs `delete`.",
            "140",
        ),
        parameter(
            "Prices",
            Kind::Json,
            Need::Conditional,
            "Several prices at once, in place of `Currency` and `Amount`, as objects with those two names.",
            r#"[{"Currency":"USD","Amount":140},{"Currency":"EUR","Amount":80}]"#,
        ),
        whole("MinQuantity", QUANTITY, Need::Optional, "The smallest quantity that has the price; 1 by default.", "1"),
        whole("MaxQuantity", QUANTITY, Need::Optional, "The largest quantity; 99999 by default.", "10"),
        parameter(
            "PriceOptions",
            Kind::Json,
            Need::Optional,
            "The price options it is for, as objects with Code and Options (an array of codes).",
            r#"[{"Code":"COLOR","Options":["cyan","magenta"]}]"#,
        ),
        parameter(
            "PricingConfigCode",
            Kind::Id { max: 64 },
            Need::Required,
            "The pricing configuration's code, which 2Checkout made.",
            "5553603382",
        ),
        parameter(
            "type",
            Kind::Choice(&["REGULAR", "RENEWAL"]),
            Need::Required,
            "Whether it is the price of a purchase or of a renewal.",
            "REGULAR",
        ),
        parameter("delete", Kind::Bool, Need::Optional, "`true` to delete the prices that are -1. Not sent.", "false"),
    ],
    rules: &[
        Rule::AtMostOne(&["Amount", "Prices"]),
        Rule::AnyOf(&["Amount", "Prices"]),
        Rule::Together(&["Amount", "Currency"]),
        Rule::NegativeOnlyWith("Amount", "delete"),
    ],
    ..NOTHING
};

pub(super) const UNASSIGN_PRODUCT_GROUP: OperationSpec = OperationSpec {
    name: "twocheckout.unassign_product_group",
    about: "Takes a product out of a product group; it falls to the group `General`.",
    effect: Effect::Conditional,
    subject: Some("ProductCode"),
    verified_by: Some("reading the product's group"),
    parameters: &[
        text("ProductCode", 256, Need::Required, "The product's code, as in the Control Panel.", "PROD-AAA4643116"),
        text("Code", 256, Need::Required, "The group's code.", "Code_12345AB"),
    ],
    ..NOTHING
};

pub(super) const CREATE_CROSS_SELL_CAMPAIGN: OperationSpec = OperationSpec {
    name: "twocheckout.create_cross_sell_campaign",
    about: "Makes a campaign that recommends products beside others.",
    effect: Effect::Additive,
    subject: Some("Name"),
    verified_by: Some("searching for campaigns of this name"),
    parameters: &[
        parameter(
            "MasterProducts",
            ANY_LIST,
            Need::Required,
            "Codes of the products beside which it recommends.",
            "PROD-C8851A5BC9",
        ),
        parameter(
            "DisplayType",
            Kind::Choice(&["cart", "review", "finish"]),
            Need::Required,
            "Where it is shown.",
            "cart",
        ),
        parameter("DisplayInEmail", Kind::Bool, Need::Required, "Whether it is shown in payment receipts.", "false"),
        parameter(
            "Products",
            Kind::Json,
            Need::Required,
            "What it recommends, as objects with ProductCode, Discount (percent) and DiscountType (PERCENT).",
            r#"[{"ProductCode":"PROD-512712FA53","Discount":15,"DiscountType":"PERCENT"}]"#,
        ),
        text("Name", 255, Need::Required, "Its name. A doubt can be settled only where no other has it.", "autumn-1"),
        date("StartDate", Need::Optional, "Its first day.", "2026-09-20"),
        date("EndDate", Need::Optional, "Its last day.", "2026-10-21"),
    ],
    rules: &[Rule::Ordered("StartDate", "EndDate")],
    returns: &[
        "CampaignCode",
        "CampaignStatus",
        "Name",
        "MasterProducts",
        "DisplayType",
        "DisplayInEmail",
        "Products",
        "StartDate",
        "EndDate",
    ],
    ..NOTHING
};

pub(super) const SHIPPING_FEES: OperationSpec = OperationSpec {
    name: "twocheckout.shipping_fees",
    about: "Reads the shipping fees of a product.",
    effect: Effect::Read,
    subject: Some("ProductCode"),
    parameters: &[text(
        "ProductCode",
        256,
        Need::Required,
        "The product's code, as in the Control Panel.",
        "PROD-AAA4643116",
    )],
    returns: &["ShippingFees"],
    ..NOTHING
};

pub(super) const SEARCH_PAYOUTS: OperationSpec = OperationSpec {
    name: "twocheckout.search_payouts",
    about: "Reads the payouts of the account, all pages of them.",
    effect: Effect::Read,
    parameters: &[
        parameter(
            "Reference",
            Kind::Id { max: 64 },
            Need::Optional,
            "An invoice, by its prefix and number.",
            "FBV8572",
        ),
        parameter(
            "Status",
            Kind::List { words: &["PAID", "PARTIALLY_PAID", "CANCELED"] },
            Need::Optional,
            "Payouts that stand so.",
            "PAID;CANCELED",
        ),
        parameter("Currency", Kind::Currency, Need::Optional, "Payouts in this currency.", "USD"),
        date("StartDate", Need::Optional, "The first day of payment.", "2026-05-01"),
        date("EndDate", Need::Optional, "The last day of payment.", "2026-06-01"),
        parameter(
            "PaymentType",
            Kind::Choice(&["WIRE", "PAYPAL", "CHECK", "PAYONEER", "WEBMONEY"]),
            Need::Optional,
            "Payouts made this way.",
            "WIRE",
        ),
        parameter(
            "OrderBy.Field",
            Kind::Choice(&["TransferCompletionDate"]),
            Need::Optional,
            "What they are ordered by.",
            "TransferCompletionDate",
        ),
        parameter(
            "OrderBy.Direction",
            Kind::Choice(&["ASC", "DESC"]),
            Need::Optional,
            "The order; the oldest first by default, so that a payout made meanwhile shifts no page.",
            "DESC",
        ),
        whole(
            "Pagination.Limit",
            (1, 1000, "a whole number from 1 to 1000"),
            Need::Optional,
            "How many are read at once; 200 by default. All pages are read.",
            "200",
        ),
    ],
    rules: &[Rule::Ordered("StartDate", "EndDate")],
    returns: &["Items", "Count", "Pages"],
    ..NOTHING
};
