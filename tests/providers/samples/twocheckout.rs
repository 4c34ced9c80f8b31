//! 2Checkout, from its pages on subscriptions, the catalogue and payouts; the same replies as JSON-RPC and as SOAP.

use subops::model::failure::FailureClass as F;
use subops::model::operation::{Effect, OperationSpec};

use super::Comes::{Applied, Failed, Refused};
use super::{Comes, Form, ProviderSamples, Said, Sample, Samples};

pub(crate) const SAMPLES: ProviderSamples = ProviderSamples {
    provider: "twocheckout",
    credentials: &[("merchant_code", "MERCHANT"), ("secret_key", "secret-canary")],
    forms: &[
        Form {
            name: "json-rpc",
            options: &[("protocol", "json-rpc")],
            only: "",
            login: Some(|| result("json-rpc", "\"session-canary\"", "")),
        },
        Form {
            name: "soap",
            options: &[("protocol", "soap")],
            only: "",
            login: Some(|| result("soap", "", "<return xsi:type=\"xsd:string\">session-canary</return>")),
        },
    ],
    samples,
    fill,
    session_words: &["FORBIDDEN", "INVALID_SESSION", "SESSION_EXPIRED", "AUTHENTICATION_FAILED"],
};

/// A reply has the id of its request, or the name of its method.
fn fill(template: &str, request: &str) -> String {
    let after = |mark: &str| request.split_once(mark).map(|(_, rest)| rest).unwrap_or_default();
    let id: String = after("\"id\":").chars().take_while(char::is_ascii_digit).collect();
    let method: String = after("<ns1:").chars().take_while(char::is_ascii_alphanumeric).collect();
    template.replace("{id}", &id).replace("{method}", &method)
}

fn envelope(status: u16, body: &str) -> Said {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<SOAP-ENV:Envelope \
         xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:ns1=\"urn:avangate:soap:6.0\" \
         xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
         xmlns:SOAP-ENC=\"http://schemas.xmlsoap.org/soap/encoding/\"><SOAP-ENV:Body>{body}</SOAP-ENV:Body>\
         </SOAP-ENV:Envelope>"
    );
    Said { status, content_type: "text/xml; charset=utf-8", body }
}

fn rpc(body: &str) -> Said {
    Said { status: 200, content_type: "application/json", body: format!("{{\"jsonrpc\":\"2.0\",{body}}}") }
}

/// A result in the form that is asked for.
fn result(form: &str, json: &str, xml: &str) -> Said {
    match form {
        "soap" => envelope(200, &format!("<ns1:{{method}}Response>{xml}</ns1:{{method}}Response>")),
        _ => rpc(&format!("\"id\":{{id}},\"result\":{json}")),
    }
}

fn truth(form: &str, word: &str) -> Said {
    result(form, word, &format!("<return xsi:type=\"xsd:boolean\">{word}</return>"))
}

fn text(form: &str, text: &str) -> Said {
    result(form, &format!("\"{text}\""), &format!("<return xsi:type=\"xsd:string\">{text}</return>"))
}

/// An error as the form has it: an object beside a number, or a fault.
fn error(form: &str, number: i32, word: &str, message: &str) -> Said {
    match form {
        "soap" => envelope(
            500,
            &format!(
                "<SOAP-ENV:Fault><faultcode>{number}</faultcode><faultstring>{message}</faultstring>\
                 <detail><error_code>{word}</error_code></detail></SOAP-ENV:Fault>"
            ),
        ),
        _ => rpc(&format!(
            "\"id\":{{id}},\"error\":{{\"code\":{number},\"message\":\"{message}\",\"data\":{{\"error_code\":\"{word}\"}}}}"
        )),
    }
}

/// A documented success; none for an operation that is not known here.
fn success(operation: &OperationSpec, form: &str) -> Option<Said> {
    let structure = |fields: &str| format!("<return xsi:type=\"SOAP-ENC:Struct\">{fields}</return>");
    let array = |name: &str, item: &str| {
        format!(
            "<{name} SOAP-ENC:arrayType=\"xsd:anyType[1]\" xsi:type=\"SOAP-ENC:Array\">\
             <item xsi:type=\"SOAP-ENC:Struct\">{item}</item></{name}>"
        )
    };
    Some(match operation.verb() {
        "extend_subscription"
        | "cancel_subscription"
        | "enable_subscription"
        | "disable_recurring"
        | "enable_recurring"
        | "upgrade_subscription"
        | "refund_order"
        | "save_prices"
        | "unassign_product_group" => truth(form, "true"),
        "import_subscription" => text(form, "8AF9A9DC95"),
        "upgrade_price" => result(
            form,
            r#"{"BillingPrice":12.50,"BillingCurrency":"USD","Discount":null}"#,
            &structure(
                "<BillingPrice xsi:type=\"xsd:float\">12.50</BillingPrice>\
                 <BillingCurrency xsi:type=\"xsd:string\">USD</BillingCurrency><Discount xsi:nil=\"true\"/>",
            ),
        ),
        "create_cross_sell_campaign" => result(
            form,
            r#"{"CampaignCode":"7b6c2e","CampaignStatus":"ACTIVE","Name":"autumn-1"}"#,
            &structure(
                "<CampaignCode xsi:type=\"xsd:string\">7b6c2e</CampaignCode><Name xsi:type=\"xsd:string\">autumn-1</Name>",
            ),
        ),
        "shipping_fees" => result(
            form,
            r#"{"ProductCode":"PROD-AAA4643116","ShippingFees":[{"Name":"Post","Amount":"5.00","Currency":"USD"}]}"#,
            &structure(&array("ShippingFees", "<Name xsi:type=\"xsd:string\">Post</Name>")),
        ),
        "search_payouts" => result(
            form,
            r#"{"Items":[{"Amount":10.50,"Currency":"USD"}],"Pagination":{"Page":1,"Limit":200,"Count":1}}"#,
            &structure(&format!(
                "{}<Pagination xsi:type=\"SOAP-ENC:Struct\"><Count xsi:type=\"xsd:int\">1</Count></Pagination>",
                array("Items", "<Amount xsi:type=\"xsd:float\">10.50</Amount>")
            )),
        ),
        _ => return None,
    })
}

fn samples(operation: &OperationSpec, form: &str) -> Option<Samples> {
    let success = success(operation, form)?;
    let unknown = Failed(F::Unrecognised);
    let is_truth = operation.returns.is_empty();
    // `false` has no reason with it: where a repeat would add up, somebody looks first.
    let (yes, no) = match (is_truth, operation.effect) {
        (false, _) => (unknown, unknown),
        (true, Effect::Additive) => (Applied, unknown),
        (true, _) => (Applied, Refused),
    };
    let expired = Failed(F::SessionExpired);
    let word = |number, word: &'static str, comes: Comes| (word, error(form, number, word, "No."), comes);
    let words = vec![
        ("true", truth(form, "true"), yes),
        ("false", truth(form, "false"), no),
        word(10_004, "NOT_ALLOWED", Refused),
        word(11_000, "DEPRECATED", Refused),
        word(10_000, "FORBIDDEN", expired),
        word(10_001, "INVALID_SESSION", expired),
        word(10_002, "SESSION_EXPIRED", expired),
        word(1, "AUTHENTICATION_FAILED", expired),
    ];
    Some(Samples { success, words, others: others(operation, form), another: Some(another(operation, form)) })
}

/// Another request's id, or another method's name.
fn another(operation: &OperationSpec, form: &str) -> Said {
    let said = success(operation, form).expect("it has one");
    let body = said.body.replace("{id}", "{id}1").replace("{method}Response", "{method}AgainResponse");
    Said { body, ..said }
}

fn others(operation: &OperationSpec, form: &str) -> Vec<Sample> {
    let unknown = Failed(F::Unrecognised);
    // The vendor publishes no list of errors. One that is not known proves nothing where a repeat would add up.
    let complaint = if operation.effect == Effect::Additive { unknown } else { Refused };
    let number = result(form, "1", "<return xsi:type=\"xsd:int\">1</return>");
    let nothing = result(form, "null", "<return xsi:nil=\"true\"/>");
    let status = |status: u16, said: Said| Said { status, ..said };
    let mut others = vec![
        ("an error that nobody documents", error(form, 90_001, "UNHEARD_OF", "With secret-canary."), complaint),
        ("a word that nobody documents", text(form, "perhaps"), unknown),
        ("a word that reads like the truth", text(form, "true"), unknown),
        ("null", nothing, unknown),
        ("an error at a server that failed", status(502, error(form, 90_001, "X", "")), Failed(F::ServerError(502))),
        ("an error at a closed door", status(503, error(form, 90_001, "X", "")), Failed(F::Unavailable)),
        ("a known refusal at a redirect", status(302, error(form, 10_004, "NOT_ALLOWED", "")), Failed(F::Redirect)),
        ("nothing", Said { body: String::new(), ..text(form, "") }, unknown),
        ("an answer of another kind", Said { body: "true".to_owned(), ..text(form, "") }, unknown),
    ];
    // An import is answered with a reference, and a number may be one.
    if operation.verb() != "import_subscription" {
        others.push(("a number", number, unknown));
    }
    if form == "json-rpc" {
        let both = rpc("\"id\":{id},\"result\":true,\"error\":{\"code\":1}");
        others.push(("a result and an error", both, unknown));
        others.push(("a result without an id", rpc("\"result\":true"), unknown));
    } else {
        // The word of SOAP servers for "something broke here": proof of nothing where something may have been done.
        let broken = error(form, 0, "", "Internal error").body.replace("<faultcode>0<", "<faultcode>SOAP-ENV:Server<");
        let comes = if operation.effect == Effect::Read { Refused } else { Failed(F::ServerError(500)) };
        others.push(("a fault of the server", Said { body: broken, ..error(form, 0, "", "") }, comes));
    }
    others
}
