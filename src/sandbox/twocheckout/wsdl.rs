//! The description of the service for SOAP clients, made from the same table that reads what they send.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use http::header;

use super::super::message::{Reply, Request};
use super::super::xml::escaped;
use super::Version;
use super::methods::{ALGORITHM, METHODS, Method};
use super::shapes::{Field, Shape, Type};
use super::soap::NAMESPACE;

/// Answers with the description; its address is the one under which the client has come.
pub(super) fn answer(version: Version, request: &Request) -> Reply {
    let host = escaped(request.header(header::HOST));
    Reply::xml(describe(version, &format!("http://{host}/soap/{}.0/", version.0)))
}

/// A client reads a sequence in its order, so everything here is in the order of the tables.
fn describe(version: Version, address: &str) -> String {
    let mut types = Types::default();
    let (mut messages, mut operations, mut bindings) = (String::new(), String::new(), String::new());
    for method in &METHODS {
        let name = method.name;
        // Writing into a string cannot fail.
        let _ = write!(messages, "<message name=\"{name}Request\">{}</message>", parts(method, version, &mut types));
        let returns = types.reference(method.returns);
        let _ =
            write!(messages, "<message name=\"{name}Response\"><part name=\"return\" type=\"{returns}\"/></message>");
        let _ = write!(
            operations,
            "<operation name=\"{name}\"><input message=\"tns:{name}Request\"/>\
             <output message=\"tns:{name}Response\"/></operation>"
        );
        let body = format!("<soap:body use=\"literal\" namespace=\"{NAMESPACE}\"/>");
        let _ = write!(
            bindings,
            "<operation name=\"{name}\"><soap:operation soapAction=\"{NAMESPACE}#{name}\"/>\
             <input>{body}</input><output>{body}</output></operation>"
        );
    }
    let declared: String = types.declared.into_values().collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <definitions name=\"MerchantAPI\" targetNamespace=\"{NAMESPACE}\" xmlns=\"http://schemas.xmlsoap.org/wsdl/\" \
         xmlns:tns=\"{NAMESPACE}\" xmlns:soap=\"http://schemas.xmlsoap.org/wsdl/soap/\" \
         xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\">\n\
         <types><xsd:schema targetNamespace=\"{NAMESPACE}\">{declared}</xsd:schema></types>\n{messages}\n\
         <portType name=\"MerchantAPIPort\">{operations}</portType>\n\
         <binding name=\"MerchantAPIBinding\" type=\"tns:MerchantAPIPort\">\
         <soap:binding style=\"rpc\" transport=\"http://schemas.xmlsoap.org/soap/http\"/>{bindings}</binding>\n\
         <service name=\"MerchantAPIService\"><port name=\"MerchantAPIPort\" binding=\"tns:MerchantAPIBinding\">\
         <soap:address location=\"{address}\"/></port></service>\n</definitions>\n"
    )
}

/// The parts of a request. Every part of a description must be sent, so the digest's name, which came with 6.0, is not
/// among those of earlier versions: their clients do not know it.
fn parts(method: &Method, version: Version, types: &mut Types) -> String {
    let known = |field: &&Field| version.0 >= 6 || field.name != ALGORITHM;
    let part = |(name, reference)| format!("<part name=\"{name}\" type=\"{reference}\"/>");
    method.all_parameters().filter(known).map(|field| (field.name, types.reference(field.shape))).map(part).collect()
}

/// The types that are declared, by name.
#[derive(Default)]
struct Types {
    declared: BTreeMap<String, String>,
}

impl Types {
    /// The name under which a shape can be referred to; what it needs is declared.
    fn reference(&mut self, shape: Shape) -> String {
        match shape {
            Shape::Text | Shape::Date => "xsd:string".to_owned(),
            Shape::Integer => "xsd:int".to_owned(),
            Shape::Amount => "xsd:decimal".to_owned(),
            Shape::Boolean => "xsd:boolean".to_owned(),
            Shape::List(item) => {
                let of = self.reference(*item);
                let name = format!("{}Array", of.rsplit(':').next().unwrap_or_default());
                let element = element("item", &of, "unbounded");
                self.declare(&name, &element);
                format!("tns:{name}")
            }
            Shape::Object(kind) => {
                self.object(kind);
                format!("tns:{}", kind.name)
            }
        }
    }

    fn object(&mut self, kind: &'static Type) {
        if self.declared.contains_key(kind.name) {
            return;
        }
        let mut elements = String::new();
        for field in kind.fields {
            elements.push_str(&match field.shape {
                Shape::List(item) => element(field.name, &self.reference(*item), "unbounded"),
                shape => element(field.name, &self.reference(shape), "1"),
            });
        }
        self.declare(kind.name, &elements);
    }

    fn declare(&mut self, name: &str, elements: &str) {
        let declared =
            format!("<xsd:complexType name=\"{name}\"><xsd:sequence>{elements}</xsd:sequence></xsd:complexType>\n");
        self.declared.insert(name.to_owned(), declared);
    }
}

fn element(name: &str, of: &str, most: &str) -> String {
    format!("<xsd:element name=\"{name}\" type=\"{of}\" minOccurs=\"0\" maxOccurs=\"{most}\" nillable=\"true\"/>")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test may say why a value must be there")]
    use super::super::super::xml;
    use super::*;

    #[test]
    fn every_method_and_every_type_is_declared_once() {
        let document = describe(Version(6), "http://127.0.0.1:1/soap/6.0/");
        let root = xml::parse(document.as_bytes()).expect("well formed");
        let messages = root.children.iter().filter(|child| child.name == "message").count();
        assert_eq!(messages, 2 * METHODS.len());
        for (at, _) in document.match_indices("\"tns:") {
            let name = document[at + 5..].split('"').next().expect("a name");
            assert!(document.contains(&format!(" name=\"{name}\"")), "{name}");
        }
    }

    #[test]
    fn a_login_before_6_0_has_no_digest_to_name() {
        for (version, named) in [(4, false), (5, false), (6, true)] {
            let document = describe(Version(version), "http://127.0.0.1:1/soap/");
            assert_eq!(document.contains("<part name=\"algo\""), named, "{version}");
        }
    }
}
