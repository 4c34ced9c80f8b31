//! What a parameter's own type cannot see: objects inside arrays, amounts with their own currency, and values that only
//! make sense beside others. Refused while planning, before anything is sent.

use rust_decimal::Decimal;

use crate::contract::RowFault;
use crate::model::money::{Currency, check_decimals, parse_amount};
use crate::model::row::Row;

use super::arguments::structured;
use super::soap::is_name;
use super::value::Value;

type Checked = Result<(), RowFault>;

/// The price that deletes a price.
const DELETES: Decimal = Decimal::NEGATIVE_ONE;

/// Refuses what cannot be meant.
pub(super) fn check(row: &Row) -> Checked {
    match row.operation.verb() {
        "extend_subscription" if row.get("days") == Some("0") => fault("days", "a number of days that is not 0"),
        "save_prices" => save_prices(row),
        "create_cross_sell_campaign" => recommended(row),
        "refund_order" => {
            objects(row, "items", &["LineItemReference", "Quantity", "Amount"], |field, value| match field {
                "Amount" => amount(value).is_some_and(|amount| amount > Decimal::ZERO),
                "Quantity" => amount(value).is_some_and(|count| count >= Decimal::ONE && count.is_integer()),
                _ => value.as_text().is_some(),
            })
        }
        "import_subscription" => import(row),
        _ => Ok(()),
    }
}

fn fault(parameter: &'static str, expected: impl Into<String>) -> Checked {
    Err(RowFault { parameter, expected: expected.into() })
}

fn save_prices(row: &Row) -> Checked {
    let deletes = row.get("delete") == Some("true");
    if let Some(currency) = row.get("Currency") {
        price("Amount", row.get("Amount").unwrap_or_default(), currency, deletes)?;
    }
    if let Some(cell) = row.get("Prices") {
        let form = "an array of objects with Currency and Amount";
        for entry in entries("Prices", cell, form)? {
            let text = |name: &str| entry.get(name).and_then(Value::as_text);
            let (Some(currency), Some(amount), Value::Object(fields)) = (text("Currency"), text("Amount"), &entry)
            else {
                return fault("Prices", form);
            };
            if fields.len() != 2 {
                return fault("Prices", form);
            }
            price("Prices", amount, currency, deletes)?;
        }
    }
    let quantity = |name: &str, default: u32| row.get(name).and_then(|text| text.parse().ok()).unwrap_or(default);
    if quantity("MinQuantity", 1) > quantity("MaxQuantity", 99_999) {
        return fault("MinQuantity", "a quantity not above MaxQuantity");
    }
    objects(row, "PriceOptions", &["Code", "Options"], |field, value| match field {
        "Options" => value.as_list().is_some_and(|options| options.iter().all(|option| option.as_text().is_some())),
        _ => value.as_text().is_some(),
    })
}

/// A price, or -1 where the row says that prices are to be deleted; then nothing but -1.
fn price(parameter: &'static str, text: &str, currency: &str, deletes: bool) -> Checked {
    let Some(currency) = Currency::parse(currency) else {
        return fault(parameter, "an ISO 4217 currency code such as USD");
    };
    let amount = match parse_amount(text).map(|amount| check_decimals(amount, currency)) {
        Ok(Ok(money)) => money.amount,
        Ok(Err(wrong)) | Err(wrong) => return fault(parameter, wrong.to_string()),
    };
    match (amount == DELETES, deletes) {
        (true, false) => fault(parameter, "a price of 0 or more: -1 deletes the price, which needs `delete` = `true`"),
        (false, true) => fault(parameter, "-1, since `delete` is `true`"),
        _ if amount < Decimal::ZERO && amount != DELETES => fault(parameter, "a price of 0 or more"),
        _ => Ok(()),
    }
}

/// The promoted products: each with a discount in percent, which is the only kind there is.
fn recommended(row: &Row) -> Checked {
    let names = ["ProductCode", "Discount", "DiscountType"];
    objects(row, "Products", &names, |field, value| match field {
        "Discount" => amount(value).is_some_and(|discount| (Decimal::ZERO..=Decimal::ONE_HUNDRED).contains(&discount)),
        "DiscountType" => value.as_text() == Some("PERCENT"),
        _ => value.as_text().is_some(),
    })?;
    for entry in entries("Products", row.get("Products").unwrap_or("[]"), "an array of objects")? {
        if names.iter().any(|name| entry.get(name).is_none()) {
            return fault("Products", "objects that all have ProductCode, Discount and DiscountType");
        }
    }
    if row.get("MasterProducts") == Some("[]") {
        return fault("MasterProducts", "at least one product code");
    }
    Ok(())
}

fn import(row: &Row) -> Checked {
    for (parameter, currency) in
        [("SubscriptionValue", "SubscriptionValueCurrency"), ("NextRenewalPrice", "NextRenewalPriceCurrency")]
    {
        if let (Some(text), Some(currency)) = (row.get(parameter), row.get(currency).and_then(Currency::parse))
            && let Some(Err(wrong)) = parse_amount(text).ok().map(|amount| check_decimals(amount, currency))
        {
            return fault(parameter, wrong.to_string());
        }
    }
    let alone = |name: &&&str| row.get(name).is_some() && row.get("CardPayment.CardNumber").is_none();
    if let Some(name) = ["CardPayment.AutoRenewal", "CardPayment.CardNumberTime"].iter().find(alone) {
        return fault(name, "a card's number beside it (CardPayment.CardNumber)");
    }
    if let Some(language) = row.get("EndUser.Language")
        && !((2..=3).contains(&language.len()) && language.bytes().all(|byte| byte.is_ascii_alphabetic()))
    {
        return fault("EndUser.Language", "a language code of two or three letters, such as en");
    }
    let Some(cell) = row.get("DeliveryInfo.Codes") else { return Ok(()) };
    for entry in entries("DeliveryInfo.Codes", cell, "an array of objects with Code")? {
        if entry.get("Code").and_then(Value::as_text).is_none() || !has_plain_names(&entry) {
            return fault("DeliveryInfo.Codes", "objects that all have Code, and plain field names");
        }
    }
    Ok(())
}

/// Checks an optional array of objects: only these fields, each as it should be.
fn objects(row: &Row, parameter: &'static str, names: &[&str], fits: impl Fn(&str, &Value<'_>) -> bool) -> Checked {
    let Some(cell) = row.get(parameter) else { return Ok(()) };
    let form = format!("an array of objects with {}", names.join(", "));
    for entry in entries(parameter, cell, &form)? {
        let Value::Object(fields) = &entry else { return fault(parameter, form) };
        if let Some((field, _)) = fields.iter().find(|(field, _)| !names.contains(&field.as_ref())) {
            return fault(parameter, format!("{form}; `{field}` is none of them"));
        }
        if let Some((field, _)) = fields.iter().find(|(field, value)| !fits(field, value)) {
            return fault(parameter, format!("{form}; `{field}` does not hold what it should"));
        }
    }
    Ok(())
}

/// The objects of an array that has some.
fn entries(parameter: &'static str, cell: &str, form: &str) -> Result<Vec<Value<'static>>, RowFault> {
    match structured(parameter, cell) {
        Ok(Value::List(entries)) if !entries.is_empty() => Ok(entries),
        _ => Err(RowFault { parameter, expected: form.to_owned() }),
    }
}

fn amount(value: &Value<'_>) -> Option<Decimal> {
    parse_amount(value.as_text()?).ok()
}

/// Whether every field could be an element of the SOAP form: both forms take the same rows.
fn has_plain_names(value: &Value<'_>) -> bool {
    match value {
        Value::Object(fields) => fields.iter().all(|(name, value)| is_name(name) && has_plain_names(value)),
        Value::List(values) => values.iter().all(has_plain_names),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::tests::row;
    use super::*;

    const PRICES: &[(&str, &str)] = &[("PricingConfigCode", "5553603382"), ("type", "REGULAR")];

    #[rstest]
    #[case(&[("Currency", "USD"), ("Amount", "19.90")], None)]
    #[case(&[("Currency", "USD"), ("Amount", "0")], None)]
    #[case(&[("Currency", "USD"), ("Amount", "19.905")], Some("Amount"))]
    #[case(&[("Currency", "JPY"), ("Amount", "19.5")], Some("Amount"))]
    #[case(&[("Currency", "USD"), ("Amount", "-1")], Some("Amount"))]
    #[case(&[("Currency", "USD"), ("Amount", "-1.00")], Some("Amount"))]
    #[case(&[("Currency", "USD"), ("Amount", "-1"), ("delete", "false")], Some("Amount"))]
    #[case(&[("Currency", "USD"), ("Amount", "-1"), ("delete", "true")], None)]
    #[case(&[("Currency", "USD"), ("Amount", "-2"), ("delete", "true")], Some("Amount"))]
    #[case(&[("Currency", "USD"), ("Amount", "5"), ("delete", "true")], Some("Amount"))]
    #[case(&[("Prices", r#"[{"Currency":"USD","Amount":140},{"Currency":"EUR","Amount":"80.50"}]"#)], None)]
    #[case(&[("Prices", r#"[{"Currency":"USD","Amount":-1}]"#)], Some("Prices"))]
    #[case(&[("Prices", r#"[{"Currency":"USD","Amount":-1}]"#), ("delete", "true")], None)]
    #[case(&[("Prices", r#"[{"Currency":"USD","Amount":-1},{"Currency":"EUR","Amount":80}]"#), ("delete", "true")], Some("Prices"))]
    #[case(&[("Prices", r#"[{"Currency":"ZZZ","Amount":1}]"#)], Some("Prices"))]
    #[case(&[("Prices", r#"[{"Currency":"USD","Amount":1.005}]"#)], Some("Prices"))]
    #[case(&[("Prices", r#"[{"Currency":"USD","Amount":1e2}]"#)], Some("Prices"))]
    #[case(&[("Prices", r#"[{"Currency":"USD"}]"#)], Some("Prices"))]
    #[case(&[("Prices", r#"[{"Currency":"USD","Amount":1,"amount":2}]"#)], Some("Prices"))]
    #[case(&[("Prices", "[]")], Some("Prices"))]
    #[case(&[("Prices", "[1]")], Some("Prices"))]
    #[case(&[("Prices", "{}")], Some("Prices"))]
    #[case(&[("Currency", "USD"), ("Amount", "1"), ("MinQuantity", "11"), ("MaxQuantity", "10")], Some("MinQuantity"))]
    #[case(&[("Currency", "USD"), ("Amount", "1"), ("PriceOptions", r#"[{"Code":"C","Options":["x"]}]"#)], None)]
    #[case(&[("Currency", "USD"), ("Amount", "1"), ("PriceOptions", r#"[{"Code":"C","Options":"x"}]"#)], Some("PriceOptions"))]
    fn prices(#[case] values: &[(&str, &str)], #[case] expected: Option<&str>) {
        let all: Vec<_> = values.iter().chain(PRICES).copied().collect();
        assert_eq!(check(&row("save_prices", &all)).err().map(|fault| fault.parameter), expected);
    }

    #[rstest]
    #[case("extend_subscription", &[("days", "0")], Some("days"))]
    #[case("extend_subscription", &[("days", "-30")], None)]
    #[case("create_cross_sell_campaign", &[("Products", r#"[{"ProductCode":"P","Discount":15.5,"DiscountType":"PERCENT"}]"#)], None)]
    #[case("create_cross_sell_campaign", &[("Products", r#"[{"ProductCode":"P","Discount":101,"DiscountType":"PERCENT"}]"#)], Some("Products"))]
    #[case("create_cross_sell_campaign", &[("Products", r#"[{"ProductCode":"P","Discount":15,"DiscountType":"FIXED"}]"#)], Some("Products"))]
    #[case("create_cross_sell_campaign", &[("Products", r#"[{"ProductCode":"P","Discount":15}]"#)], Some("Products"))]
    #[case("create_cross_sell_campaign", &[("Products", "[]")], Some("Products"))]
    #[case("refund_order", &[("items", r#"[{"LineItemReference":"a","Quantity":1,"Amount":5.00}]"#)], None)]
    #[case("refund_order", &[("items", r#"[{"Amount":-5}]"#)], Some("items"))]
    #[case("refund_order", &[("items", r#"[{"Quantity":1.5}]"#)], Some("items"))]
    #[case("refund_order", &[("items", r#"[{"Price":5}]"#)], Some("items"))]
    #[case("import_subscription", &[("NextRenewalPrice", "1.005"), ("NextRenewalPriceCurrency", "USD")], Some("NextRenewalPrice"))]
    #[case("import_subscription", &[("SubscriptionValue", "1.5"), ("SubscriptionValueCurrency", "JPY")], Some("SubscriptionValue"))]
    #[case("import_subscription", &[("CardPayment.AutoRenewal", "true")], Some("CardPayment.AutoRenewal"))]
    #[case("import_subscription", &[("EndUser.Language", "english")], Some("EndUser.Language"))]
    #[case("import_subscription", &[("DeliveryInfo.Codes", r#"[{"Code":"A","ExtraInfo":{"Type":"x"}}]"#)], None)]
    #[case("import_subscription", &[("DeliveryInfo.Codes", r#"[{"Code":"A","a><b":1}]"#)], Some("DeliveryInfo.Codes"))]
    fn other_rows(#[case] verb: &str, #[case] values: &[(&str, &str)], #[case] expected: Option<&str>) {
        assert_eq!(check(&row(verb, values)).err().map(|fault| fault.parameter), expected);
    }
}
