//! The import of a subscription, which may bring a card. Of the card nothing is kept but its type and last four digits:
//! not in the world, not in the ledger, not in an error.

use jiff::civil::Date;

use super::catalog::known_product;
use super::methods::Arguments;
use super::shapes::{Field, Shape, TEXTS, Type, optional, required};
use super::subscriptions::{Imported, Subscription};
use super::value::{Value, object};
use super::{Call, Exception};

/// Makes a subscription, and answers with its reference.
pub(super) fn add(call: &mut Call<'_>, arguments: &Arguments) -> Result<Value, Exception> {
    let given = arguments.get("Subscription");
    let external = given.text("ExternalSubscriptionReference").unwrap_or_default().to_owned();
    if external.is_empty() {
        return Err(Exception::invalid("Subscription.ExternalSubscriptionReference is required"));
    }
    if call.account.subscriptions.is_imported(&external) {
        return Err(Exception::conflict("ExternalSubscriptionReference is not unique"));
    }
    let dates = dates(given)?;
    let product = given.get("Product").and_then(|product| product.text("ProductCode")).unwrap_or_default();
    let product = known_product(product)?.to_owned();
    check_prices(given)?;
    let card = given.get("CardPayment").filter(|card| **card != Value::Null).map(kept_of).transpose()?;
    let user = given.get("EndUser");
    let person = user.and_then(|user| user.get("Person"));
    let imported = Imported {
        external_subscription_reference: external,
        external_customer_reference: given.text("ExternalCustomerReference").map(str::to_owned),
        email: person.or(user).and_then(|person| person.text("Email")).map(str::to_owned),
        additional_info: given.text("AdditionalInfo").map(str::to_owned),
        card_last_four: card.as_ref().and_then(|card| card.text("LastFour")).map(str::to_owned),
    };
    let reference = call.account.subscriptions.next_reference();
    let made = Subscription::imported(reference.clone(), product, dates, imported);
    let written = arguments.with("Subscription", &without_card(given, card));
    call.record(&reference, &written, &Value::Null, &made)?;
    call.account.subscriptions.put(made);
    Ok(reference.into())
}

fn dates(given: &Value) -> Result<(Date, Date), Exception> {
    let date = |name: &str| given.text(name).and_then(|date| date.parse::<Date>().ok());
    match (date("StartDate"), date("ExpirationDate")) {
        (Some(start), Some(end)) if start <= end => Ok((start, end)),
        _ => Err(Exception::invalid("ExpirationDate must not lie before StartDate")),
    }
}

/// Some fields are only allowed together.
fn check_prices(given: &Value) -> Result<(), Exception> {
    let together: [&[&str]; 2] = [
        &["SubscriptionValue", "SubscriptionValueCurrency"],
        &["NextRenewalPrice", "NextRenewalPriceCurrency", "CustomPriceBillingCyclesLeft"],
    ];
    for names in together {
        let count = names.iter().filter(|name| given.text(name).is_some()).count();
        if count != 0 && count != names.len() {
            return Err(Exception::invalid(format!("{} are required together", names.join(", "))));
        }
    }
    Ok(())
}

/// What may be kept of a card, if its number is sound.
fn kept_of(card: &Value) -> Result<Value, Exception> {
    let number = card.text("CardNumber").unwrap_or_default();
    if !is_card_number(number) {
        return Err(Exception::new(40_240, "INVALID_CARD", "The card number is not valid"));
    }
    let kind = card.text("CardType");
    Ok(object([("CardType", kind.into()), ("LastFour", number[number.len() - 4..].into())]))
}

/// Digits only, of a length that cards have, with a right check digit (Luhn).
fn is_card_number(number: &str) -> bool {
    let is_sound = (12..=19).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    let value = |(at, byte): (usize, u8)| {
        let digit = u32::from(byte - b'0');
        match (at % 2, digit) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => digit * 2 - 9,
            (_, digit) => digit * 2,
        }
    };
    is_sound && number.bytes().rev().enumerate().map(value).sum::<u32>() % 10 == 0
}

fn without_card(given: &Value, card: Option<Value>) -> Value {
    let Value::Object(members) = given else { return Value::Null };
    let mut members: Vec<_> = members.iter().filter(|(name, _)| name != "CardPayment").cloned().collect();
    members.extend(card.map(|card| ("CardPayment".to_owned(), card)));
    Value::Object(members)
}

pub(super) static IMPORT: Type = Type {
    name: "SubscriptionImport",
    fields: &[
        required("ExternalSubscriptionReference", Shape::Text),
        optional("SubscriptionReference", Shape::Text),
        required("StartDate", Shape::Date),
        required("ExpirationDate", Shape::Date),
        required("Product", Shape::Object(&PRODUCT)),
        required("EndUser", Shape::Object(&END_USER)),
        optional("DeliveryInfo", Shape::Object(&DELIVERY_INFO)),
        optional("PartnerCode", Shape::Text),
        optional("ExternalCustomerReference", Shape::Text),
        optional("SubscriptionValue", Shape::Amount),
        optional("SubscriptionValueCurrency", Shape::Text),
        optional("AdditionalInfo", Shape::Text),
        optional("NextRenewalPrice", Shape::Amount),
        optional("NextRenewalPriceCurrency", Shape::Text),
        optional("CustomPriceBillingCyclesLeft", Shape::Text),
        optional("Test", Shape::Integer),
        optional("CardPayment", Shape::Object(&CARD)),
    ],
};

pub(super) static PRODUCT: Type = Type {
    name: "SubscriptionProduct",
    fields: &[
        optional("ProductCode", Shape::Text),
        optional("ProductId", Shape::Text),
        optional("ProductName", Shape::Text),
        optional("ProductQuantity", Shape::Integer),
        optional("ProductVersion", Shape::Text),
        optional("PriceOptionCodes", TEXTS),
    ],
};

const PERSON_FIELDS: [Field; 13] = [
    optional("FirstName", Shape::Text),
    optional("LastName", Shape::Text),
    optional("CountryCode", Shape::Text),
    optional("State", Shape::Text),
    optional("City", Shape::Text),
    optional("Address1", Shape::Text),
    optional("Address2", Shape::Text),
    optional("Zip", Shape::Text),
    optional("Email", Shape::Text),
    optional("Phone", Shape::Text),
    optional("Company", Shape::Text),
    optional("Fax", Shape::Text),
    optional("Language", Shape::Text),
];

static PERSON: Type = Type { name: "Person", fields: &PERSON_FIELDS };

/// The page nests what a person has; the vendor's sample does not. Both are taken.
pub(super) static END_USER: Type = Type {
    name: "EndUser",
    fields: &[
        optional("Person", Shape::Object(&PERSON)),
        optional("FirstName", Shape::Text),
        optional("LastName", Shape::Text),
        optional("CountryCode", Shape::Text),
        optional("State", Shape::Text),
        optional("City", Shape::Text),
        optional("Address1", Shape::Text),
        optional("Address2", Shape::Text),
        optional("Zip", Shape::Text),
        optional("Email", Shape::Text),
        optional("Phone", Shape::Text),
        optional("Company", Shape::Text),
        optional("Fax", Shape::Text),
        optional("Language", Shape::Text),
    ],
};

static DELIVERY_INFO: Type = Type {
    name: "DeliveryInfo",
    fields: &[optional("Description", Shape::Text), optional("Codes", Shape::List(&Shape::Object(&DELIVERY_CODE)))],
};

static DELIVERY_CODE: Type =
    Type { name: "DeliveryCode", fields: &[optional("Code", Shape::Text), optional("Description", Shape::Text)] };

static CARD: Type = Type {
    name: "CardPayment",
    fields: &[
        required("CardNumber", Shape::Text),
        required("CardType", Shape::Text),
        required("ExpirationYear", Shape::Text),
        required("ExpirationMonth", Shape::Text),
        required("HolderName", Shape::Text),
        required("CCID", Shape::Text),
        optional("HolderNameTime", Shape::Integer),
        optional("AutoRenewal", Shape::Boolean),
        optional("CardNumberTime", Shape::Integer),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn card_numbers_are_checked_by_their_last_digit() {
        for sound in ["4111111111111111", "5555555555554444", "378282246310005", "6304000000000000"] {
            assert!(is_card_number(sound), "{sound}");
        }
        for wrong in ["4111111111111112", "4111 1111 1111 1111", "41111111111111١1", "0000", "", "1234567890123"] {
            assert!(!is_card_number(wrong), "{wrong}");
        }
    }
}
