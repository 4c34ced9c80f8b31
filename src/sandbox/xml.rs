//! XML that arrives: read whole into a tree, names without their prefixes. And the escaping of text that leaves.
//!
//! No document type is read and no entity but the five of XML itself, so that nothing can be made to grow.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

/// How deep a document may be.
const DEEPEST: usize = 32;

/// An element with what is in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Element {
    /// Its name without a prefix.
    pub(super) name: String,
    /// Whether it says that it is nil.
    pub(super) is_nil: bool,
    /// Its own text, blanks around it left out.
    pub(super) text: String,
    pub(super) children: Vec<Element>,
}

impl Element {
    fn open(start: &BytesStart<'_>) -> Option<Self> {
        let mut element = Self { name: start.local_name().as_ref().to_owned(), ..Self::default() };
        for attribute in start.attributes() {
            let attribute = attribute.ok()?;
            let is_true = matches!(attribute.value.as_ref(), "true" | "1");
            element.is_nil |= attribute.key.local_name().as_ref() == "nil" && is_true;
        }
        Some(element)
    }

    /// The first child of this name.
    pub(super) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }
}

/// The root of a document; `None` where it is not well formed, too deep, or brings a document type.
pub(super) fn parse(document: &[u8]) -> Option<Element> {
    let mut reader = Reader::from_str(std::str::from_utf8(document).ok()?);
    // Below everything, a holder for the root.
    let mut open = vec![Element::default()];
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) if open.len() <= DEEPEST => open.push(Element::open(&start)?),
            Event::Empty(start) => open.last_mut()?.children.push(Element::open(&start)?),
            Event::End(_) => close(&mut open)?,
            Event::Text(text) => open.last_mut()?.text.push_str(&text.xml10_content()),
            Event::CData(text) => open.last_mut()?.text.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => open.last_mut()?.text.push_str(&resolve(&reference)?),
            Event::Start(_) | Event::DocType(_) => return None,
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    let mut holder = open.pop().filter(|_| open.is_empty())?;
    if holder.children.len() != 1 {
        return None;
    }
    holder.children.pop()
}

fn close(open: &mut Vec<Element>) -> Option<()> {
    let mut element = open.pop()?;
    element.text = element.text.trim().to_owned();
    open.last_mut()?.children.push(element);
    Some(())
}

fn resolve(reference: &BytesRef<'_>) -> Option<String> {
    match reference.resolve_char_ref().ok()? {
        Some(character) => Some(character.to_string()),
        None => resolve_predefined_entity(reference).map(str::to_owned),
    }
}

/// Text within XML, also within an attribute.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test may say why a value must be there")]
    use super::*;

    #[test]
    fn a_document_is_read_with_its_text_and_nils() {
        let document = "<?xml version=\"1.0\"?><!-- a --><s:Body xmlns:s=\"urn:x\" xmlns:i=\"urn:i\"> <a>1 &amp; &#50;</a>\n\
                        <b i:nil=\"true\"/><b><![CDATA[<3]]></b></s:Body>";
        let root = parse(document.as_bytes()).expect("well formed");
        assert_eq!(root.name, "Body");
        let children: Vec<_> = root.children.iter().map(|child| (child.name.as_str(), child.text.as_str())).collect();
        assert_eq!(children, [("a", "1 & 2"), ("b", ""), ("b", "<3")]);
        assert!(root.child("b").is_some_and(|b| b.is_nil));
    }

    #[test]
    fn what_is_broken_deep_or_clever_is_not_read() {
        let deep = format!("{}{}", "<a>".repeat(40), "</a>".repeat(40));
        let clever = "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>";
        for document in ["", "x", "<a>", "<a></b>", "<a/><b/>", "<a>&b;</a>", "<a b=c/>", &deep, clever] {
            assert_eq!(parse(document.as_bytes()), None, "{document}");
        }
        assert_eq!(parse(b"<a>\xff</a>"), None);
    }
}
