//! Cross-sell campaigns. Each creation makes a new one, whatever its name: a repeat shows as two.

use super::catalog::known_product;
use super::methods::Arguments;
use super::shapes::{Shape, TEXTS, Type, optional, required};
use super::value::Value;
use super::{Call, Exception};
use crate::model::money::parse_amount;

/// The campaigns in the order in which they were made.
#[derive(Default)]
pub(super) struct Campaigns(Vec<Value>);

impl std::fmt::Debug for Campaigns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Campaigns({})", self.0.len())
    }
}

/// Makes a campaign, and answers with it and its code.
pub(super) fn create(call: &mut Call<'_>, arguments: &Arguments) -> Result<Value, Exception> {
    let given = arguments.get("campaign");
    check(given)?;
    let name = given.text("Name").unwrap_or_default().to_owned();
    let code = format!("CS{:06}", call.account.campaigns.0.len() + 1);
    let Value::Object(mut members) = given.clone() else { return Err(Exception::invalid("campaign is required")) };
    members.retain(|(member, _)| member != "CampaignCode" && member != "CampaignStatus");
    members.push(("CampaignCode".to_owned(), code.into()));
    members.push(("CampaignStatus".to_owned(), "ACTIVE".into()));
    let campaign = Value::Object(members);
    call.record(&name, arguments, &Value::Null, &campaign)?;
    call.account.campaigns.0.push(campaign.clone());
    Ok(campaign)
}

fn check(given: &Value) -> Result<(), Exception> {
    let masters = given.list("MasterProducts");
    let products = given.list("Products");
    if masters.is_empty() || products.is_empty() {
        return Err(Exception::invalid("MasterProducts and Products must not be empty"));
    }
    for code in masters.iter().map(Value::as_text).chain(products.iter().map(|product| product.text("ProductCode"))) {
        known_product(code.unwrap_or_default())?;
    }
    if !matches!(given.text("DisplayType"), Some("cart" | "review" | "finish")) {
        return Err(Exception::invalid("DisplayType must be cart, review or finish"));
    }
    for product in products {
        let discount = product.text("Discount").and_then(|discount| parse_amount(discount).ok());
        if product.text("DiscountType") != Some("PERCENT") {
            return Err(Exception::invalid("DiscountType must be PERCENT"));
        }
        if !discount.is_some_and(|discount| (0.into()..=100.into()).contains(&discount)) {
            return Err(Exception::invalid("Discount must be from 0 to 100"));
        }
    }
    // Dates as YYYY-MM-DD are in order where their texts are.
    if given.text("StartDate").zip(given.text("EndDate")).is_some_and(|(start, end)| start > end) {
        return Err(Exception::invalid("EndDate must not lie before StartDate"));
    }
    Ok(())
}

/// The campaigns that fit all filters, a page of them.
pub(super) fn search(call: &mut Call<'_>, arguments: &Arguments) -> Result<Value, Exception> {
    let filters = arguments.get("filters");
    let number = |name: &str, default| {
        let given = filters.get("Pagination").and_then(|pagination| pagination.text(name));
        given.and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let (page, limit): (usize, usize) = (number("Page", 1).max(1), number("Limit", 10));
    let found = call.account.campaigns.0.iter().filter(|campaign| matches(campaign, filters));
    Ok(Value::List(found.skip((page - 1).saturating_mul(limit)).take(limit).cloned().collect()))
}

fn matches(campaign: &Value, filters: &Value) -> bool {
    let same =
        |filter: &str, member: &str| filters.text(filter).is_none_or(|wanted| campaign.text(member) == Some(wanted));
    let recommended = campaign.list("Products");
    let is_recommended = |code: &Value| recommended.iter().any(|product| product.text("ProductCode") == code.as_text());
    same("CampaignName", "Name")
        && same("Status", "CampaignStatus")
        && same("StartDate", "StartDate")
        && same("EndDate", "EndDate")
        && filters.text("Type").is_none_or(|owner| owner == "MERCH")
        && filters.list("Products").iter().all(|code| campaign.list("MasterProducts").contains(code))
        && filters.list("RecommendedProducts").iter().all(is_recommended)
}

pub(super) static CAMPAIGN: Type = Type {
    name: "CrossSellCampaign",
    fields: &[
        optional("CampaignCode", Shape::Text),
        required("MasterProducts", TEXTS),
        required("DisplayType", Shape::Text),
        required("DisplayInEmail", Shape::Boolean),
        required("Products", Shape::List(&Shape::Object(&PRODUCT))),
        required("Name", Shape::Text),
        optional("CampaignStatus", Shape::Text),
        optional("StartDate", Shape::Date),
        optional("EndDate", Shape::Date),
    ],
};

static PRODUCT: Type = Type {
    name: "CrossSellProduct",
    fields: &[
        required("ProductCode", Shape::Text),
        required("Discount", Shape::Amount),
        required("DiscountType", Shape::Text),
    ],
};

pub(super) static SEARCH: Type = Type {
    name: "CrossSellSearchOptions",
    fields: &[
        optional("CampaignName", Shape::Text),
        optional("Status", Shape::Text),
        optional("Products", TEXTS),
        optional("RecommendedProducts", TEXTS),
        optional("StartDate", Shape::Date),
        optional("EndDate", Shape::Date),
        optional("Type", Shape::Text),
        optional("Pagination", Shape::Object(&PAGINATION)),
    ],
};

pub(super) static PAGINATION: Type = Type {
    name: "Pagination",
    fields: &[optional("Page", Shape::Integer), optional("Limit", Shape::Integer), optional("Count", Shape::Integer)],
};
