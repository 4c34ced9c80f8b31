//! From a row to a method's arguments.
//!
//! Values stay borrowed from the row: a card number exists there and in the request, nowhere else. What a cell holds was
//! checked while planning; a cell that does not hold it all the same makes no request.

use std::borrow::Cow;

use crate::model::operation::{Kind, Need, Parameter};
use crate::model::row::Row;

use super::json;
use super::value::{Argument, Value};

/// Whole numbers that the vendor's tables have as text.
const TEXTUAL: &[&str] = &["CardPayment.ExpirationYear", "CardPayment.ExpirationMonth", "CustomPriceBillingCyclesLeft"];

/// The parameters in their order. What is not given is left out at the end, and empty before something that is given.
pub(super) fn positional<'a>(row: &'a Row, token: Option<&str>) -> Result<Vec<Argument<'a>>, String> {
    let mut arguments = Vec::new();
    let mut needed = 0;
    for parameter in row.operation.parameters {
        let value = match cell(row, parameter, token)? {
            Some(value) => {
                needed = arguments.len() + 1;
                value
            }
            None => {
                if parameter.need != Need::Optional {
                    needed = arguments.len() + 1;
                }
                empty(parameter.kind)
            }
        };
        arguments.push((parameter.name, value));
    }
    arguments.truncate(needed);
    Ok(arguments)
}

/// The subscription to import, as one object.
pub(super) fn import<'a>(row: &'a Row, token: Option<&str>) -> Result<Vec<Argument<'a>>, String> {
    Ok(vec![("subscription", object(row, token)?)])
}

/// The campaign to create, as one object.
pub(super) fn campaign<'a>(row: &'a Row, token: Option<&str>) -> Result<Vec<Argument<'a>>, String> {
    Ok(vec![("campaign", object(row, token)?)])
}

/// Prices, quantities and options: three objects made of one row's columns. `delete` is for us alone.
pub(super) fn prices<'a>(row: &'a Row, _token: Option<&str>) -> Result<Vec<Argument<'a>>, String> {
    let get = |name: &str| row.get(name);
    let prices = match get("Prices") {
        Some(cell) => structured("Prices", cell)?,
        None => {
            let mut price = Value::object();
            price.set("Currency", Value::text(get("Currency").ok_or("a price without a currency")?));
            price.set("Amount", Value::number(get("Amount").ok_or("a price without an amount")?));
            Value::List(vec![price])
        }
    };
    let mut quantities = Value::object();
    quantities.set("MinQuantity", Value::number(get("MinQuantity").unwrap_or("1")));
    quantities.set("MaxQuantity", Value::number(get("MaxQuantity").unwrap_or("99999")));
    let options = get("PriceOptions").map(|cell| structured("PriceOptions", cell));
    Ok(vec![
        ("Prices", prices),
        ("Quantities", quantities),
        ("PriceOptions", options.unwrap_or_else(|| Ok(Value::List(Vec::new())))?),
        ("PricingConfigCode", Value::text(get("PricingConfigCode").unwrap_or_default())),
        ("type", Value::text(get("type").unwrap_or_default())),
    ])
}

/// What payouts to search for. Without an order, the oldest come first: then a payout that is made while the pages are
/// read is on the last page, and shifts none.
pub(super) fn payout_filter<'a>(row: &'a Row, token: Option<&str>) -> Result<Vec<Argument<'a>>, String> {
    let mut filter = object(row, token)?;
    let mut order = Value::object();
    order.set("Field", Value::text(row.get("OrderBy.Field").unwrap_or("TransferCompletionDate")));
    order.set("Direction", Value::text(row.get("OrderBy.Direction").unwrap_or("ASC")));
    filter.set("OrderBy", Value::List(vec![order]));
    Ok(vec![("SearchOptions", filter)])
}

/// All given parameters as one object; dotted names are objects within.
fn object<'a>(row: &'a Row, token: Option<&str>) -> Result<Value<'a>, String> {
    let mut object = Value::object();
    for parameter in row.operation.parameters {
        if let Some(value) = cell(row, parameter, token)? {
            object.set(parameter.name, value);
        }
    }
    Ok(object)
}

/// A parameter's value; none where it is not given and carries no token.
fn cell<'a>(row: &'a Row, parameter: &Parameter, token: Option<&str>) -> Result<Option<Value<'a>>, String> {
    let token = token.filter(|_| row.operation.token == Some(parameter.name));
    match token.and_then(|token| row.marked(token)) {
        Some(marked) => Ok(Some(Value::Text(Cow::Owned(marked)))),
        None => row.get(parameter.name).map(|text| typed(parameter, text)).transpose(),
    }
}

fn typed<'a>(parameter: &Parameter, text: &'a str) -> Result<Value<'a>, String> {
    Ok(match parameter.kind {
        // A month has two digits on a card.
        Kind::Integer { .. } if TEXTUAL.contains(&parameter.name) => match (parameter.name, text.len()) {
            ("CardPayment.ExpirationMonth", 1) => Value::text(format!("0{text}")),
            _ => Value::text(text),
        },
        Kind::Integer { .. } | Kind::Amount { .. } | Kind::Code(_) => Value::number(text),
        Kind::Bool => Value::Bool(text == "true"),
        Kind::List { .. } | Kind::Json => structured(parameter.name, text)?,
        _ => Value::text(text),
    })
}

/// The value of a cell that holds JSON.
pub(super) fn structured(name: &str, cell: &str) -> Result<Value<'static>, String> {
    json::read(cell).map_err(|_| format!("`{name}` does not hold JSON"))
}

fn empty(kind: Kind) -> Value<'static> {
    match kind {
        Kind::List { .. } | Kind::Json => Value::List(Vec::new()),
        _ => Value::text(""),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test states what it expects")]

    use rstest::rstest;

    use super::super::operations::task;
    use super::super::tests::row;

    #[rstest]
    #[case("extend_subscription", &[("subscriptionReference", "4A2F9C31B7"), ("days", "-5")], None, r#"["4A2F9C31B7",-5]"#)]
    #[case("cancel_subscription", &[("subscriptionReference", "4A2F9C31B7")], None, r#"["4A2F9C31B7"]"#)]
    #[case("cancel_subscription", &[("subscriptionReference", "4A2F9C31B7"), ("churnReasonOther", "x")], None, r#"["4A2F9C31B7",[],"x"]"#)]
    #[case("cancel_subscription", &[("subscriptionReference", "4A2F9C31B7"), ("churnReasons", r#"["A","B"]"#)], None, r#"["4A2F9C31B7",["A","B"]]"#)]
    #[case("upgrade_subscription", &[("subscriptionReference", "4A2F9C31B7"), ("productCode", "PROD-2")], None, r#"["4A2F9C31B7","PROD-2",""]"#)]
    #[case("upgrade_subscription", &[("subscriptionReference", "4A2F9C31B7"), ("productCode", "PROD-2"), ("customPrice", "19.90")], None, r#"["4A2F9C31B7","PROD-2","",19.90]"#)]
    #[case("upgrade_price", &[("subscriptionReference", "4A2F9C31B7"), ("productCode", "PROD-2"), ("currency", "USD"), ("options", "a;Users=7")], None, r#"["4A2F9C31B7","PROD-2","USD","a;Users=7"]"#)]
    #[case("refund_order", &[("orderReference", "11370513"), ("amount", "1234567890123456.78"), ("comment", "why"), ("reason", "r")], Some("7-2"), r#"["11370513",1234567890123456.78,[],"why [7-2]","r"]"#)]
    #[case("refund_order", &[("orderReference", "11370513"), ("amount", "5"), ("items", r#"[{"Quantity":1,"Amount":5.00}]"#), ("comment", "why"), ("reason", "r")], None, r#"["11370513",5,[{"Quantity":1,"Amount":5.00}],"why","r"]"#)]
    #[case("unassign_product_group", &[("ProductCode", "PROD-1"), ("Code", "G")], None, r#"["PROD-1","G"]"#)]
    #[case("shipping_fees", &[("ProductCode", "PROD-1")], None, r#"["PROD-1"]"#)]
    #[case("save_prices", &[("Currency", "USD"), ("Amount", "140"), ("PricingConfigCode", "5553603382"), ("type", "REGULAR")], None, r#"[[{"Currency":"USD","Amount":140}],{"MinQuantity":1,"MaxQuantity":99999},[],"5553603382","REGULAR"]"#)]
    #[case("save_prices", &[("Prices", r#"[{"Currency":"EUR","Amount":-1}]"#), ("MaxQuantity", "10"), ("PriceOptions", r#"[{"Code":"C","Options":["x"]}]"#), ("PricingConfigCode", "5553603382"), ("type", "RENEWAL"), ("delete", "true")], None, r#"[[{"Currency":"EUR","Amount":-1}],{"MinQuantity":1,"MaxQuantity":10},[{"Code":"C","Options":["x"]}],"5553603382","RENEWAL"]"#)]
    #[case("create_cross_sell_campaign", &[("MasterProducts", r#"["PROD-1"]"#), ("DisplayType", "cart"), ("DisplayInEmail", "false"), ("Products", r#"[{"ProductCode":"PROD-2","Discount":15,"DiscountType":"PERCENT"}]"#), ("Name", "autumn")], Some("7-2"), r#"[{"MasterProducts":["PROD-1"],"DisplayType":"cart","DisplayInEmail":false,"Products":[{"ProductCode":"PROD-2","Discount":15,"DiscountType":"PERCENT"}],"Name":"autumn"}]"#)]
    #[case("search_payouts", &[("Status", r#"["PAID"]"#), ("OrderBy.Direction", "DESC"), ("Pagination.Limit", "50")], None, r#"[{"Status":["PAID"],"OrderBy":[{"Field":"TransferCompletionDate","Direction":"DESC"}],"Pagination":{"Limit":50}}]"#)]
    #[case("import_subscription", &[("ExternalSubscriptionReference", "old-1"), ("StartDate", "2026-01-15"), ("ExpirationDate", "2027-01-15"), ("Product.ProductCode", "PROD-1"), ("Product.PriceOptionCodes", r#"["a"]"#), ("EndUser.Email", "a@example.com"), ("NextRenewalPrice", "49.00"), ("NextRenewalPriceCurrency", "USD"), ("CustomPriceBillingCyclesLeft", "2"), ("Test", "1"), ("CardPayment.CardNumber", "4111111111111111"), ("CardPayment.CardType", "VISA"), ("CardPayment.ExpirationYear", "2030"), ("CardPayment.ExpirationMonth", "5"), ("CardPayment.HolderName", "Ada"), ("CardPayment.CCID", "123"), ("CardPayment.HolderNameTime", "15"), ("CardPayment.AutoRenewal", "true")], Some("7-2"), r#"[{"ExternalSubscriptionReference":"old-1","StartDate":"2026-01-15","ExpirationDate":"2027-01-15","Product":{"ProductCode":"PROD-1","PriceOptionCodes":["a"]},"EndUser":{"Email":"a@example.com"},"AdditionalInfo":"[7-2]","NextRenewalPrice":49.00,"NextRenewalPriceCurrency":"USD","CustomPriceBillingCyclesLeft":"2","Test":1,"CardPayment":{"CardNumber":"4111111111111111","CardType":"VISA","ExpirationYear":"2030","ExpirationMonth":"05","HolderName":"Ada","CCID":"123","HolderNameTime":15,"AutoRenewal":true}}]"#)]
    fn rows_become_arguments(
        #[case] verb: &str,
        #[case] values: &[(&str, &str)],
        #[case] token: Option<&str>,
        #[case] expected: &str,
    ) {
        let row = row(verb, values);
        let task = task(verb).expect("a task");
        let arguments = (task.arguments)(&row, token).expect("arguments");
        let values = super::Value::List(arguments.into_iter().map(|(_, value)| value).collect());
        assert_eq!(values.shown().as_deref(), Some(expected));
    }

    #[test]
    fn a_cell_that_holds_no_json_makes_no_request() {
        let row = row("save_prices", &[("Prices", "[{"), ("PricingConfigCode", "1"), ("type", "REGULAR")]);
        assert!(super::prices(&row, None).is_err());
    }
}
