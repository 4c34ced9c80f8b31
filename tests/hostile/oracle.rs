//! What a reply may be taken for, told from the vendors' pages alone: it looks for the documented word in its documented
//! place, with readers of its own. It does not say what an adapter must do, only what it must not.

use std::collections::BTreeMap;

use subops::model::failure::Reply;

use crate::markup::{Json, Xml};
use crate::samples::PROVIDERS;
use crate::stand::Stand;

/// Everything that the test knows about one call.
pub(crate) struct Heard<'a> {
    pub(crate) stand: &'a Stand,
    /// None where the bytes of the head were not ours.
    pub(crate) status: Option<u16>,
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
    /// What our request was known by: its id, its method.
    pub(crate) filled: BTreeMap<&'static str, String>,
    pub(crate) requests: usize,
}

/// Statuses in the 4xx which are no plain refusal.
const NO_REFUSALS: [u16; 7] = [401, 403, 407, 408, 409, 425, 429];

impl Heard<'_> {
    /// What must not be, whatever was said. Panics with everything that is known.
    pub(crate) fn check(&self, came: &Reply) {
        let shown = format!("{came:?}");
        let tell = |what: &str| {
            let (status, kind) = (self.status, &self.content_type);
            let body = String::from_utf8_lossy(&self.body[..self.body.len().min(2000)]);
            format!("{}: {what}: {shown}\n{status:?} {kind}\n{body}", self.stand.name())
        };
        // Whole: what a mutation has changed is no credential any more.
        let own =
            PROVIDERS.iter().filter(|known| known.provider == self.provider()).flat_map(|known| known.credentials);
        // The upgrade has a login of its own; what an interface is never sent cannot come back from it.
        let upgrades = self.stand.operation.verb() == "upgrade_membership";
        let own = own.filter(|(key, _)| self.provider() != "segpay" || key.starts_with("api_") == upgrades);
        let secrets = own.map(|(_, value)| *value).filter(|value| value.contains("canary")).chain(["session-canary"]);
        for secret in secrets {
            assert!(!shown.contains(secret), "{}", tell("a credential is shown"));
        }
        let most = if self.stand.operation.verb() == "search_payouts" { 1000 } else { 1 };
        assert!(self.requests <= most, "{}", tell("more than one request"));
        if self.status.is_none() {
            return;
        }
        match came {
            Reply::Applied(_) => assert!(self.says_applied(), "{}", tell("applied, without the documented word")),
            Reply::Already(_) => assert!(self.says_already(), "{}", tell("already, without the documented word")),
            Reply::Refused(_) => assert!(self.says_refused(), "{}", tell("refused, without a documented refusal")),
            Reply::Failed(_) => {}
        }
    }

    fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.body).ok().map(|text| text.trim_start_matches('\u{feff}'))
    }

    /// A success of HTTP that is no web page.
    fn is_answer(&self) -> bool {
        let kind = self.content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let begins = self.text().unwrap_or_default().trim_start().to_ascii_lowercase();
        let page = kind == "text/html" || begins.starts_with("<html") || begins.starts_with("<!doctype html");
        self.status.is_some_and(|status| (200..300).contains(&status)) && !page
    }

    fn json(&self) -> Option<Json> {
        Json::read(self.text()?)
    }

    fn xml(&self) -> Option<Xml> {
        Xml::read(self.text()?)
    }

    fn provider(&self) -> &'static str {
        self.stand.operation.provider()
    }

    pub(crate) fn says_applied(&self) -> bool {
        let verb = self.stand.operation.verb();
        self.is_answer()
            && match (self.provider(), verb) {
                ("segpay", "upgrade_membership") => self.upgrade("true"),
                ("segpay", "dynamic_pricing") => self.text().is_some_and(|text| {
                    let word = Json::read(text).and_then(|json| json.text().map(str::to_owned));
                    is_hash(word.as_deref().unwrap_or(text).trim())
                }),
                ("segpay", "reactivation_link") => {
                    self.value("string").is_some_and(|text| text.starts_with("https://") && text.len() > 8)
                }
                ("segpay", "validate_user_access") => {
                    self.value("int").is_some_and(|text| text.parse::<i64>().is_ok_and(|number| number > 0))
                }
                ("segpay", _) => self.is_word(&["Successful", "Success"]),
                ("paypro", _) => self.paypro_done(),
                ("twocheckout", _) if self.stand.form == "soap" => self.soap_done(verb),
                ("twocheckout", _) => self.rpc_done(verb),
                (provider, _) => panic!("the oracle does not know {provider}"),
            }
    }

    fn says_already(&self) -> bool {
        let ends = ["cancel_membership", "expire_membership"].contains(&self.stand.operation.verb());
        ends && self.provider() == "segpay"
            && self.is_answer()
            && self.is_word(&["Subscription not active, cancel failed"])
    }

    fn says_refused(&self) -> bool {
        let status = self.status.unwrap_or_default();
        if (400..500).contains(&status) && !NO_REFUSALS.contains(&status) {
            return true;
        }
        match (self.provider(), self.stand.operation.verb()) {
            ("segpay", "upgrade_membership") => self.is_answer() && self.upgrade("false"),
            ("segpay", "dynamic_pricing") => {
                self.text().is_some_and(|text| text.to_ascii_lowercase().contains("outside your approved limits"))
            }
            ("segpay", _) => self.segpay_refused(status),
            ("paypro", _) => self.paypro_refused(),
            _ => self.twocheckout_refused(status),
        }
    }

    /// The text of a document that is one element of this name, with no other in it.
    fn value(&self, name: &str) -> Option<String> {
        let root = self.xml()?;
        (root.is(name) && root.children.is_empty()).then(|| root.text.trim().to_owned())
    }

    fn is_word(&self, words: &[&str]) -> bool {
        self.value("string").is_some_and(|text| words.iter().any(|word| word.eq_ignore_ascii_case(&text)))
    }

    /// A purchase's upgrade in JSON or XML, with every part that the page has.
    fn upgrade(&self, success: &str) -> bool {
        let ours = self.stand.row.get("purchaseId").expect("it is the subject");
        let field = |name: &str| -> Option<String> {
            let text = match (self.json(), self.xml()) {
                (Some(json), _) => json.field(name)?.text()?.trim().to_owned(),
                (None, Some(xml)) if xml.is("Result") => xml.child(name)?.text.trim().to_owned(),
                _ => return None,
            };
            Some(text).filter(|text| !text.is_empty() && text != "null")
        };
        let said = field("IsSuccess").is_some_and(|text| text.eq_ignore_ascii_case(success));
        let approved = field("TransactionAuthCode").is_some_and(|code| code.eq_ignore_ascii_case("OK:0"));
        let other = field("PurchaseId").is_some_and(|purchase| purchase != ours);
        if success == "false" {
            return said && !approved && !other;
        }
        let transaction = field("TransactionId").is_some_and(|id| id != "0");
        said && approved && transaction && field("PurchaseId").is_some_and(|purchase| purchase == ours)
    }

    fn segpay_refused(&self, status: u16) -> bool {
        let text = String::from_utf8_lossy(&self.body).to_ascii_lowercase();
        let thrown = status == 500 && (text.contains("missing parameter: ") || text.contains("cannot convert "));
        let words = [
            "Subscription not active, cancel failed",
            "PurchaseID/MerchantID Mismatch",
            "Missing Parameter",
            "Membership not Active",
            "Failed",
            "Invalid user name or password",
            "You must include all the values for reactivation",
        ];
        thrown || (self.is_answer() && self.is_word(&words))
    }

    fn paypro_done(&self) -> bool {
        let Some(json) = self.json() else { return false };
        let none = |errors: &Json| errors.is_word("null") || *errors == Json::List(Vec::new());
        let ours = self.stand.row.get("subscriptionId").expect("it is the subject");
        let about = json.field("request").and_then(|request| request.field("subscriptionId")).and_then(Json::text);
        json.field("isSuccess").is_some_and(|success| success.is_word("true"))
            && json.field("errors").is_none_or(none)
            && about.is_some_and(|about| about.trim() == ours)
    }

    fn paypro_refused(&self) -> bool {
        let Some(json) = self.json() else { return false };
        let some = matches!(json.field("errors"), Some(Json::List(errors)) if !errors.is_empty());
        some && json.field("isSuccess").is_some_and(|success| success.is_word("false"))
    }

    /// The result of our own request, by its id.
    fn rpc_result(&self) -> Option<Json> {
        let json = self.json()?;
        let id = json.field("id")?.text()?;
        let no_error = json.field("error").is_none_or(|error| error.is_word("null"));
        (id == self.filled["id"] && no_error).then(|| json.field("result").cloned()).flatten()
    }

    fn rpc_done(&self, verb: &str) -> bool {
        let Some(result) = self.rpc_result() else { return false };
        match verb {
            "import_subscription" => result.text().is_some_and(|text| text.bytes().any(|byte| byte.is_ascii_digit())),
            "create_cross_sell_campaign" => result.field("CampaignCode").and_then(Json::text).is_some(),
            "upgrade_price" => self.returned(|name| result.field(name).is_some()),
            "shipping_fees" => {
                let list = |json: &Json| matches!(json, Json::List(_));
                list(&result) || result.field("ShippingFees").is_some_and(list)
            }
            "search_payouts" => {
                matches!(result.field("Items"), Some(Json::List(_)))
                    || result.field("Items").is_some_and(|items| items.is_word("null"))
            }
            _ => result.is_word("true"),
        }
    }

    fn returned(&self, is_there: impl Fn(&str) -> bool) -> bool {
        self.stand.operation.returns.iter().any(|name| is_there(name.split('.').next().unwrap_or_default()))
    }

    /// The result of our own method, by its name.
    fn soap_result(&self) -> Option<Xml> {
        let root = self.xml()?;
        let [message] = root.child("Body").filter(|_| root.is("Envelope"))?.children.as_slice() else { return None };
        let [result] = message.children.as_slice() else { return None };
        (message.name == format!("{}Response", self.filled["method"])).then(|| result.clone())
    }

    fn soap_done(&self, verb: &str) -> bool {
        let Some(result) = self.soap_result() else { return false };
        let kind = result.attribute("type").unwrap_or_default().rsplit(':').next().unwrap_or_default().to_owned();
        let text = result.text.trim();
        match verb {
            "import_subscription" => text.bytes().any(|byte| byte.is_ascii_digit()),
            "create_cross_sell_campaign" => result.child("CampaignCode").is_some_and(|code| !code.text.is_empty()),
            "upgrade_price" => self.returned(|name| result.child(name).is_some()),
            "shipping_fees" => {
                let is_array = |kind: &str| kind.rsplit(':').next() == Some("Array");
                let list =
                    |xml: &Xml| xml.attribute("arrayType").is_some() || xml.attribute("type").is_some_and(is_array);
                list(&result) || result.child("ShippingFees").is_some_and(list)
            }
            "search_payouts" => result.child("Items").is_some(),
            _ => kind == "boolean" && matches!(text, "true" | "1"),
        }
    }

    fn twocheckout_refused(&self, status: u16) -> bool {
        let soap = self.stand.form == "soap";
        let readable = self.is_answer() || (soap && status == 500) || (400..600).contains(&status);
        let faulty = || {
            let root = self.xml()?;
            let [message] = root.child("Body")?.children.as_slice() else { return None };
            Some(message.is("Fault"))
        };
        let complains =
            || self.json().is_some_and(|json| json.field("error").is_some_and(|error| !error.is_word("null")));
        let said_no = match soap {
            true => self.soap_result().is_some_and(|result| matches!(result.text.trim(), "false" | "0")),
            false => self.rpc_result().is_some_and(|result| result.is_word("false")),
        };
        readable && (said_no || if soap { faulty() == Some(true) } else { complains() })
    }
}

/// Eight, four, four, four and twelve hexadecimal digits.
fn is_hash(text: &str) -> bool {
    text.len() == 36
        && text.char_indices().all(|(at, character)| match at {
            8 | 13 | 18 | 23 => character == '-',
            _ => character.is_ascii_hexdigit(),
        })
}
