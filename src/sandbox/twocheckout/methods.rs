//! The methods: their parameters, what they return, and who performs them.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::shapes::{Field, Shape, TEXTS, optional, required};
use super::value::Value;
use super::{Call, Exception, campaigns, catalog, import, orders, payouts, sessions, subscriptions, upgrade_price};

/// One method.
pub(super) struct Method {
    pub(super) name: &'static str,
    /// Its parameters in their order, after the session.
    pub(super) parameters: &'static [Field],
    pub(super) returns: Shape,
    perform: fn(&mut Call<'_>, &Arguments) -> Result<Value, Exception>,
}

const fn method(
    name: &'static str,
    parameters: &'static [Field],
    returns: Shape,
    perform: fn(&mut Call<'_>, &Arguments) -> Result<Value, Exception>,
) -> Method {
    Method { name, parameters, returns, perform }
}

/// Names the digest of a login; from 6.0 on.
pub(super) const ALGORITHM: &str = "algo";

static SESSION: Field = required("sessionID", Shape::Text);
const SUBSCRIPTION: Field = required("subscriptionReference", Shape::Text);
const PRODUCT: Field = required("productCode", Shape::Text);
const ORDER: Field = required("orderReference", Shape::Text);
const OPTIONS: Field = optional("options", Shape::Text);

/// All of them.
pub(super) static METHODS: [Method; 21] = [
    method(
        LOGIN,
        &[
            required("vendorCode", Shape::Text),
            required("date", Shape::Text),
            required("hash", Shape::Text),
            optional(ALGORITHM, Shape::Text),
        ],
        Shape::Text,
        sessions::login,
    ),
    method(
        "extendSubscription",
        &[SUBSCRIPTION, required("days", Shape::Integer)],
        Shape::Boolean,
        subscriptions::extend,
    ),
    method(
        "cancelSubscription",
        &[SUBSCRIPTION, optional("churnReasons", TEXTS), optional("churnReasonOther", Shape::Text)],
        Shape::Boolean,
        subscriptions::cancel,
    ),
    method("enableSubscription", &[SUBSCRIPTION], Shape::Boolean, subscriptions::enable),
    method("disableRecurringBilling", &[SUBSCRIPTION], Shape::Boolean, subscriptions::disable_recurring),
    method("enableRecurringBilling", &[SUBSCRIPTION], Shape::Boolean, subscriptions::enable_recurring),
    method(
        "setSubscriptionUpgrade",
        &[SUBSCRIPTION, PRODUCT, OPTIONS, optional("customPrice", Shape::Text)],
        Shape::Boolean,
        subscriptions::upgrade,
    ),
    method(
        "getProductUpgradeOptionsPrice",
        &[SUBSCRIPTION, PRODUCT, required("currency", Shape::Text), OPTIONS],
        Shape::Object(&upgrade_price::UPGRADE_PRICE),
        upgrade_price::get,
    ),
    method("getSubscription", &[SUBSCRIPTION], Shape::Object(&subscriptions::SUBSCRIPTION), subscriptions::get),
    method(
        "getSubscriptionHistory",
        &[SUBSCRIPTION],
        Shape::List(&Shape::Object(&subscriptions::HISTORY)),
        subscriptions::history,
    ),
    method(
        "searchSubscriptions",
        &[optional("searchBy", Shape::Object(&subscriptions::SEARCH))],
        Shape::List(&Shape::Object(&subscriptions::SUBSCRIPTION)),
        subscriptions::search,
    ),
    method("addSubscription", &[required("Subscription", Shape::Object(&import::IMPORT))], Shape::Text, import::add),
    method(
        "issueRefund",
        &[
            ORDER,
            required("amount", Shape::Amount),
            optional("items", Shape::List(&Shape::Object(&orders::REFUND_ITEM))),
            optional("comment", Shape::Text),
            optional("reason", Shape::Text),
        ],
        Shape::Boolean,
        orders::issue_refund,
    ),
    method("getOrder", &[ORDER], Shape::Object(&orders::ORDER), orders::get),
    method(
        "savePrices",
        &[
            required("Prices", Shape::List(&Shape::Object(&catalog::BASIC_PRICE))),
            optional("Quantities", Shape::Object(&catalog::QUANTITY_INTERVAL)),
            optional("PriceOptions", Shape::List(&Shape::Object(&catalog::PRICE_OPTIONS))),
            required("PricingConfigCode", Shape::Text),
            required("type", Shape::Text),
        ],
        Shape::Boolean,
        catalog::save_prices,
    ),
    method(
        "getPricingConfigurationByCode",
        &[required("PricingConfigCode", Shape::Text)],
        Shape::Object(&catalog::PRICING_CONFIGURATION),
        catalog::pricing_configuration,
    ),
    method(
        "unassignProductGroup",
        &[required("ProductCode", Shape::Text), required("Code", Shape::Text)],
        Shape::Boolean,
        catalog::unassign_group,
    ),
    method("getProductByCode", &[PRODUCT], Shape::Object(&catalog::PRODUCT), catalog::product),
    method(
        "createCrossSellCampaign",
        &[required("campaign", Shape::Object(&campaigns::CAMPAIGN))],
        Shape::Object(&campaigns::CAMPAIGN),
        campaigns::create,
    ),
    method(
        "searchCrossSellCampaigns",
        &[optional("filters", Shape::Object(&campaigns::SEARCH))],
        Shape::List(&Shape::Object(&campaigns::CAMPAIGN)),
        campaigns::search,
    ),
    method(
        "searchPayouts",
        &[optional("searchOptions", Shape::Object(&payouts::SEARCH))],
        Shape::Object(&payouts::PAGE),
        payouts::search,
    ),
];

const LOGIN: &str = "login";

/// A method by its name, of which the case matters.
pub(super) fn find(name: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.name == name)
}

impl Method {
    /// Whether it opens a session instead of needing one.
    fn is_login(&self) -> bool {
        self.name == LOGIN
    }

    /// All its parameters in their order, the session among them.
    pub(super) fn all_parameters(&self) -> impl Iterator<Item = &'static Field> {
        let session = (!self.is_login()).then_some(&SESSION);
        session.into_iter().chain(self.parameters)
    }

    /// Performs the call with its arguments in the order of [`Self::all_parameters`].
    pub(super) fn call(&self, call: &mut Call<'_>, given: Vec<Value>) -> Result<Value, Exception> {
        let mut given = given.into_iter();
        if !self.is_login() {
            let session = given.next().unwrap_or(Value::Null);
            call.account.sessions.check(session.as_text().unwrap_or_default(), call.now)?;
        }
        let arguments = Arguments::read(self, given)?;
        (self.perform)(call, &arguments)
    }
}

/// The arguments of a call after the session, each in its parameter's shape.
pub(super) struct Arguments {
    method: &'static str,
    values: Vec<(&'static str, Value)>,
}

impl Arguments {
    fn read(method: &Method, mut given: impl Iterator<Item = Value>) -> Result<Self, Exception> {
        let mut values = Vec::new();
        for parameter in method.parameters {
            let value = parameter.shape.read(given.next().unwrap_or(Value::Null), parameter.name)?;
            if parameter.required && value == Value::Null {
                return Err(Exception::invalid(format!("{} is required", parameter.name)));
            }
            values.push((parameter.name, value));
        }
        if given.next().is_some() {
            return Err(Exception::invalid(format!("{} has only {} parameters", method.name, values.len())));
        }
        Ok(Self { method: method.name, values })
    }

    /// The method's name.
    pub(super) fn method(&self) -> &'static str {
        self.method
    }

    /// An argument.
    pub(super) fn get(&self, name: &str) -> &Value {
        self.values.iter().find(|(known, _)| *known == name).map_or(&Value::Null, |(_, value)| value)
    }

    /// An argument's text or number, if there is any.
    pub(super) fn optional_text(&self, name: &str) -> Option<&str> {
        self.get(name).as_text().filter(|text| !text.is_empty())
    }

    /// An argument's text or number.
    pub(super) fn text(&self, name: &str) -> &str {
        self.get(name).as_text().unwrap_or_default()
    }

    /// The same call with another value for one argument: what the ledger may know of it.
    pub(super) fn with(&self, name: &str, value: &Value) -> Self {
        let replaced = |known: &'static str, old: &Value| (known, if known == name { value } else { old }.clone());
        Self { method: self.method, values: self.values.iter().map(|(known, old)| replaced(known, old)).collect() }
    }
}

/// As the ledger keeps them: by name, those that were given.
impl Serialize for Arguments {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.values.iter().filter(|(_, value)| *value != Value::Null) {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
