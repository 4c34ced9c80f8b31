//! XML that arrives: read whole into a tree, names without their prefixes. And the escaping of text that leaves.
//!
//! The reader is the sandbox's own, since the client's adapters read with a library: one parser on both sides would agree
//! with itself where it is wrong. It takes what clients send and no more: no document type, and no entity but the five of
//! XML itself, so that nothing can be made to grow.

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
    /// The first child of this name.
    pub(super) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }
}

/// The root of a document; `None` where it is not well formed, too deep, or brings a document type.
pub(super) fn parse(document: &[u8]) -> Option<Element> {
    let text = std::str::from_utf8(document).ok()?;
    let mut reader = Reader { rest: text.strip_prefix('\u{feff}').unwrap_or(text) };
    reader.skip_between()?;
    let root = reader.element(0)?;
    reader.skip_between()?;
    reader.rest.is_empty().then_some(root)
}

/// What is left to read.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    /// Takes this, if it comes next.
    fn take(&mut self, token: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(token)?;
        Some(())
    }

    /// Takes all up to this, and this.
    fn take_until(&mut self, end: &str) -> Option<&'a str> {
        let (taken, rest) = self.rest.split_once(end)?;
        self.rest = rest;
        Some(taken)
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Skips a declaration, a comment or an instruction; false where none comes next.
    fn skip_aside(&mut self) -> Option<bool> {
        for (start, end) in [("<!--", "-->"), ("<?", "?>")] {
            if self.take(start).is_some() {
                self.take_until(end)?;
                return Some(true);
            }
        }
        Some(false)
    }

    /// Skips what may stand before and after the root.
    fn skip_between(&mut self) -> Option<()> {
        self.skip_blanks();
        while self.skip_aside()? {
            self.skip_blanks();
        }
        Some(())
    }

    fn name(&mut self) -> Option<&'a str> {
        let is_end = |character: char| character.is_whitespace() || "<>/=\"'&!?".contains(character);
        let (name, rest) = self.rest.split_at(self.rest.find(is_end)?);
        self.rest = rest;
        (!name.is_empty()).then_some(name)
    }

    fn element(&mut self, depth: usize) -> Option<Element> {
        self.take("<")?;
        let name = self.name()?;
        let mut element = Element { name: local(name).to_owned(), ..Element::default() };
        loop {
            self.skip_blanks();
            if self.take("/>").is_some() {
                return Some(element);
            }
            if self.take(">").is_some() {
                break;
            }
            let (attribute, value) = self.attribute()?;
            element.is_nil |= local(attribute) == "nil" && matches!(value.as_str(), "true" | "1");
        }
        if depth >= DEEPEST {
            return None;
        }
        while self.take("</").is_none() {
            self.content(&mut element, depth)?;
        }
        self.take(name)?;
        self.skip_blanks();
        self.take(">")?;
        element.text = element.text.trim().to_owned();
        Some(element)
    }

    fn attribute(&mut self) -> Option<(&'a str, String)> {
        let name = self.name()?;
        self.skip_blanks();
        self.take("=")?;
        self.skip_blanks();
        let quote = if self.take("'").is_some() { "'" } else { self.take("\"").map(|()| "\"")? };
        let value = self.take_until(quote)?;
        Some((name, unescaped(value)?))
    }

    /// One piece of what is in an element: text, a child, or what is skipped.
    fn content(&mut self, element: &mut Element, depth: usize) -> Option<()> {
        if self.skip_aside()? {
            return Some(());
        }
        if self.take("<![CDATA[").is_some() {
            element.text.push_str(self.take_until("]]>")?);
        } else if self.rest.starts_with('<') {
            element.children.push(self.element(depth + 1)?);
        } else {
            let (text, rest) = self.rest.split_at(self.rest.find('<')?);
            element.text.push_str(&unescaped(text)?);
            self.rest = rest;
        }
        Some(())
    }
}

/// A name without its prefix.
fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// Text with its references resolved; `None` where one is not known.
fn unescaped(text: &str) -> Option<String> {
    let mut parts = text.split('&');
    let mut unescaped = parts.next()?.to_owned();
    for part in parts {
        let (name, rest) = part.split_once(';')?;
        unescaped.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => numbered(name.strip_prefix('#')?)?,
        });
        unescaped.push_str(rest);
    }
    Some(unescaped)
}

fn numbered(number: &str) -> Option<char> {
    let code = match number.strip_prefix('x') {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => number.parse(),
    };
    char::from_u32(code.ok()?)
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
        for document in [
            "",
            "x",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a>&b;</a>",
            "<a b=c/>",
            "<a b=\"c/>",
            "<a>&#xD800;</a>",
            "<a></a",
            &deep,
            clever,
        ] {
            assert_eq!(parse(document.as_bytes()), None, "{document}");
        }
        assert_eq!(parse(b"<a>\xff</a>"), None);
    }
}
