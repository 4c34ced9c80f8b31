//! Products with their groups, and pricing configurations with their prices.

use std::collections::{BTreeSet, HashMap};

use rust_decimal::Decimal;
use serde::{Serialize, Serializer};

use super::methods::Arguments;
use super::shapes::{Shape, TEXTS, Type, optional, required};
use super::value::{Value, object};
use super::{Call, Exception};
use crate::model::money::{Currency, parse_amount};

/// The group of what has no other.
const GENERAL: &str = "GENERAL";

/// What a price is set to that is to be deleted.
const DELETED: Decimal = Decimal::NEGATIVE_ONE;

/// Products and prices as far as something was done to them.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    /// The products that were taken out of their groups.
    ungrouped: BTreeSet<String>,
    /// By pricing configuration and type.
    prices: HashMap<(String, PriceType), Vec<Price>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum PriceType {
    Regular,
    Renewal,
}

/// One price: for a currency, an interval of quantities and a choice of options.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Price {
    currency: &'static str,
    #[serde(serialize_with = "as_text")]
    amount: Decimal,
    min_quantity: i64,
    max_quantity: i64,
    options: Vec<PriceOption>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct PriceOption {
    code: String,
    options: Vec<String>,
}

fn as_text<S: Serializer>(amount: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(amount)
}

/// The code, if there is such a product.
pub(super) fn known_product(code: &str) -> Result<&str, Exception> {
    if code.starts_with("PROD-") { Ok(code) } else { Err(Exception::not_found("Product")) }
}

/// The group that a product begins in, named after it.
fn first_group(product: &str) -> String {
    format!("GROUP-{}", product.trim_start_matches("PROD-"))
}

/// Takes a product out of its group. Whether the group must be the product's own is not documented: it need not.
pub(super) fn unassign_group(call: &mut Call<'_>, arguments: &Arguments) -> Result<Value, Exception> {
    let product = known_product(arguments.text("ProductCode"))?.to_owned();
    let before = call.account.catalog.group(&product);
    call.record(&product, arguments, &object([("group", before.into())]), &object([("group", GENERAL.into())]))?;
    call.account.catalog.ungrouped.insert(product);
    Ok(true.into())
}

impl Catalog {
    fn group(&self, product: &str) -> String {
        if self.ungrouped.contains(product) { GENERAL.to_owned() } else { first_group(product) }
    }

    fn prices(&self, code: &str, price_type: PriceType) -> &[Price] {
        self.prices.get(&(code.to_owned(), price_type)).map_or(&[], Vec::as_slice)
    }
}

pub(super) fn product(call: &mut Call<'_>, arguments: &Arguments) -> Result<Value, Exception> {
    let code = known_product(arguments.text("productCode"))?;
    let group = call.account.catalog.group(code);
    let fee = |name: &str, code: &str, amount: &str, apply_to: &str, kind: &str| {
        object([
            ("Name", name.into()),
            ("Code", code.into()),
            ("Amount", amount.into()),
            ("Currency", "USD".into()),
            ("ApplyTo", apply_to.into()),
            ("Type", kind.into()),
        ])
    };
    Ok(object([
        ("AvangateId", "4507199".into()),
        ("ProductCode", code.into()),
        ("ProductType", "REGULAR".into()),
        ("ProductName", "Example Product".into()),
        ("Enabled", true.into()),
        (
            "ProductGroup",
            object([
                ("Name", if group == GENERAL { "General" } else { "Example Group" }.into()),
                ("Code", group.into()),
                ("TemplateName", "Default Template".into()),
                ("Description", "".into()),
            ]),
        ),
        (
            "ShippingFees",
            Value::List(vec![
                fee("Parcel", "SHIP-1", "4.90", "ORDER", "FIXED"),
                fee("Insurance", "SHIP-2", "1.5", "PRODUCT", "PERCENT"),
            ]),
        ),
    ]))
}

/// Sets, replaces or deletes the prices of an interval.
pub(super) fn save_prices(call: &mut Call<'_>, arguments: &Arguments) -> Result<Value, Exception> {
    let code = known_configuration(arguments.text("PricingConfigCode"))?.to_owned();
    let price_type = match arguments.text("type").to_ascii_uppercase().as_str() {
        "REGULAR" => PriceType::Regular,
        "RENEWAL" => PriceType::Renewal,
        _ => return Err(Exception::invalid("type must be REGULAR or RENEWAL")),
    };
    let wanted = wanted_prices(arguments)?;
    let before = call.account.catalog.prices(&code, price_type).to_vec();
    let mut after = before.clone();
    for price in wanted {
        save(&mut after, price)?;
    }
    call.record(&code, arguments, &before, &after)?;
    call.account.catalog.prices.insert((code, price_type), after);
    Ok(true.into())
}

/// Pricing configurations are 10 digits.
fn known_configuration(code: &str) -> Result<&str, Exception> {
    let is_known = code.len() == 10 && code.bytes().all(|byte| byte.is_ascii_digit());
    if is_known { Ok(code) } else { Err(Exception::not_found("Pricing configuration")) }
}

fn wanted_prices(arguments: &Arguments) -> Result<Vec<Price>, Exception> {
    let quantities = arguments.get("Quantities");
    let quantity = |name: &str, default| {
        let given = quantities.text(name).map_or(Some(default), |text| text.parse::<i64>().ok());
        given.filter(|quantity| *quantity > 0).ok_or_else(|| Exception::invalid(format!("{name} must be above zero")))
    };
    let (min_quantity, max_quantity) = (quantity("MinQuantity", 1)?, quantity("MaxQuantity", 99_999)?);
    if min_quantity > max_quantity {
        return Err(Exception::invalid("MaxQuantity must not be below MinQuantity"));
    }
    let options: Vec<_> = arguments.get("PriceOptions").items().iter().map(price_option).collect();
    let prices = arguments.get("Prices").items();
    if prices.is_empty() {
        return Err(Exception::invalid("Prices must not be empty"));
    }
    let price = |given: &Value| {
        let currency = given.text("Currency").and_then(Currency::parse).map(Currency::code);
        let amount = given.text("Amount").and_then(|amount| parse_amount(amount).ok());
        let amount = amount.filter(|amount| *amount >= Decimal::ZERO || *amount == DELETED);
        Ok(Price {
            currency: currency.ok_or_else(|| Exception::invalid("Prices.Currency is not known"))?,
            amount: amount.ok_or_else(|| Exception::invalid("Prices.Amount must not be negative, unless it is -1"))?,
            min_quantity,
            max_quantity,
            options: options.clone(),
        })
    };
    prices.iter().map(price).collect()
}

fn price_option(given: &Value) -> PriceOption {
    let options = given.list("Options").iter().filter_map(Value::as_text);
    PriceOption {
        code: given.text("Code").unwrap_or_default().to_owned(),
        options: options.map(str::to_owned).collect(),
    }
}

/// Puts one price among those that are there. Intervals are compared among the prices of the same options.
fn save(prices: &mut Vec<Price>, wanted: Price) -> Result<(), Exception> {
    let interval = |price: &Price| (price.min_quantity, price.max_quantity);
    let overlaps = |price: &&Price| {
        price.options == wanted.options
            && interval(price) != interval(&wanted)
            && price.min_quantity <= wanted.max_quantity
            && wanted.min_quantity <= price.max_quantity
    };
    if prices.iter().any(|price| overlaps(&price)) {
        return Err(Exception::conflict("The quantity intervals overlap"));
    }
    prices.retain(|price| {
        price.currency != wanted.currency || price.options != wanted.options || interval(price) != interval(&wanted)
    });
    if wanted.amount != DELETED {
        prices.push(wanted);
    }
    Ok(())
}

pub(super) fn pricing_configuration(call: &mut Call<'_>, arguments: &Arguments) -> Result<Value, Exception> {
    let code = known_configuration(arguments.text("PricingConfigCode"))?;
    let prices = |price_type| {
        let prices = call.account.catalog.prices(code, price_type);
        Value::List(prices.iter().map(Price::to_value).collect())
    };
    Ok(object([
        ("Name", "Example Configuration".into()),
        ("Code", code.into()),
        ("Default", true.into()),
        ("BillingCountries", Value::List(Vec::new())),
        ("PricingSchema", "DYNAMIC".into()),
        ("PriceType", "NET".into()),
        ("DefaultCurrency", "USD".into()),
        ("Prices", object([("Regular", prices(PriceType::Regular)), ("Renewal", prices(PriceType::Renewal))])),
    ]))
}

impl Price {
    fn to_value(&self) -> Value {
        let option = |option: &PriceOption| {
            let options = super::value::texts(option.options.iter().map(String::as_str));
            object([("Code", option.code.as_str().into()), ("Options", options)])
        };
        object([
            ("Amount", self.amount.into()),
            ("Currency", self.currency.into()),
            ("MinQuantity", self.min_quantity.into()),
            ("MaxQuantity", self.max_quantity.into()),
            ("OptionCodes", Value::List(self.options.iter().map(option).collect())),
        ])
    }
}

pub(super) static BASIC_PRICE: Type =
    Type { name: "BasicPrice", fields: &[required("Currency", Shape::Text), required("Amount", Shape::Amount)] };

pub(super) static QUANTITY_INTERVAL: Type = Type {
    name: "QuantityInterval",
    fields: &[optional("MinQuantity", Shape::Integer), optional("MaxQuantity", Shape::Integer)],
};

pub(super) static PRICE_OPTIONS: Type =
    Type { name: "PriceOptionsAssigned", fields: &[required("Code", Shape::Text), optional("Options", TEXTS)] };

pub(super) static PRICING_CONFIGURATION: Type = Type {
    name: "PricingConfiguration",
    fields: &[
        optional("Name", Shape::Text),
        optional("Code", Shape::Text),
        optional("Default", Shape::Boolean),
        optional("BillingCountries", TEXTS),
        optional("PricingSchema", Shape::Text),
        optional("PriceType", Shape::Text),
        optional("DefaultCurrency", Shape::Text),
        optional("Prices", Shape::Object(&PRICES)),
    ],
};

static PRICES: Type = Type {
    name: "Prices",
    fields: &[
        optional("Regular", Shape::List(&Shape::Object(&PRICE))),
        optional("Renewal", Shape::List(&Shape::Object(&PRICE))),
    ],
};

static PRICE: Type = Type {
    name: "Price",
    fields: &[
        optional("Amount", Shape::Amount),
        optional("Currency", Shape::Text),
        optional("MinQuantity", Shape::Integer),
        optional("MaxQuantity", Shape::Integer),
        optional("OptionCodes", Shape::List(&Shape::Object(&PRICE_OPTIONS))),
    ],
};

pub(super) static PRODUCT: Type = Type {
    name: "Product",
    fields: &[
        optional("AvangateId", Shape::Text),
        optional("ProductCode", Shape::Text),
        optional("ProductType", Shape::Text),
        optional("ProductName", Shape::Text),
        optional("Enabled", Shape::Boolean),
        optional("ProductGroup", Shape::Object(&GROUP)),
        optional("ShippingFees", Shape::List(&Shape::Object(&SHIPPING_FEE))),
    ],
};

static GROUP: Type = Type {
    name: "ProductGroup",
    fields: &[
        optional("Name", Shape::Text),
        optional("Code", Shape::Text),
        optional("TemplateName", Shape::Text),
        optional("Description", Shape::Text),
    ],
};

static SHIPPING_FEE: Type = Type {
    name: "ShippingFee",
    fields: &[
        optional("Name", Shape::Text),
        optional("Code", Shape::Text),
        optional("Amount", Shape::Text),
        optional("Currency", Shape::Text),
        optional("ApplyTo", Shape::Text),
        optional("Type", Shape::Text),
    ],
};
