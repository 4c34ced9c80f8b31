//! Reads XML replies: one value in a root element, or the rows of a report.
//!
//! Replies only, and only what the providers send: no document type (so no entities of its own, and no bombs made of
//! them), a bounded size, depth and number of elements. Namespaces are ignored, since vendors' samples and servers
//! disagree about them. A report gives only the columns that were asked for: names, addresses and passwords of customers
//! never leave this room.

use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;

/// The largest document that is read.
const MAX_BYTES: usize = 1024 * 1024;

/// Elements within elements. A report has seven.
const MAX_DEPTH: usize = 32;

/// Elements in all.
const MAX_ELEMENTS: usize = 100_000;

/// Attributes of one element. A real reply has half a dozen; each is remembered, to find one that is there twice.
const MAX_ATTRIBUTES: usize = 64;

/// Why a reply cannot be read. Says nothing of what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum XmlFault {
    /// Not well-formed, or not UTF-8.
    #[error("the reply is not well-formed XML")]
    Form,
    /// It ends before it is complete.
    #[error("the reply's XML ends too early")]
    Incomplete,
    /// It has a document type.
    #[error("the reply's XML has a document type")]
    DocumentType,
    /// It is larger or deeper than any real reply.
    #[error("the reply's XML is too large or too deep")]
    TooMuch,
    /// It is not the kind of document that was expected.
    #[error("the reply's XML is not of the expected form")]
    Unexpected,
}

/// An element with what is in it. Attributes and namespaces are left out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    /// Its name without a prefix.
    pub(crate) name: String,
    /// The elements in it.
    pub(crate) children: Vec<Element>,
    text: String,
}

impl Element {
    /// Its own text, without the space around it.
    pub(crate) fn text(&self) -> &str {
        self.text.trim()
    }

    /// The first element of this name in it; case is ignored.
    pub(crate) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.is(name))
    }

    /// Whether it has this name; case is ignored.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// One row of a report: the columns that were asked for and are there, with their text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ReportRow(Vec<(&'static str, String)>);

impl ReportRow {
    /// The text of a column; none where it is not there or empty.
    pub(crate) fn get(&self, column: &str) -> Option<&str> {
        let found = self.0.iter().find(|(name, _)| name.eq_ignore_ascii_case(column));
        found.map(|(_, text)| text.as_str()).filter(|text| !text.is_empty())
    }
}

/// Reads a document.
pub(crate) fn parse(body: &[u8]) -> Result<Element, XmlFault> {
    if body.len() > MAX_BYTES {
        return Err(XmlFault::TooMuch);
    }
    let text = std::str::from_utf8(body).map_err(|_| XmlFault::Form)?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}').trim_start());
    let mut tree = Tree::default();
    loop {
        match reader.read_event().map_err(|_| XmlFault::Form)? {
            Event::Start(start) => tree.open(&start)?,
            Event::Empty(start) => {
                tree.open(&start)?;
                tree.close()?;
            }
            Event::End(_) => tree.close()?,
            Event::Text(text) => tree.text(&text)?,
            Event::CData(text) => tree.text(&text)?,
            Event::GeneralRef(reference) => tree.reference(&reference)?,
            Event::DocType(_) => return Err(XmlFault::DocumentType),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => return tree.finish(),
        }
    }
}

/// Reads the rows of an ADO.NET data set, as a diffgram or bare, keeping only the columns in `keep`. An empty report has
/// no rows; a document that is no report is an error, never an empty one.
pub(crate) fn report(body: &[u8], keep: &[&'static str]) -> Result<Vec<ReportRow>, XmlFault> {
    let root = parse(body)?;
    // In a diffgram the current rows stand in its first child; what follows (`before`, `errors`) is history.
    let data_set = match (root.child("diffgram"), root.is("diffgram")) {
        (Some(diffgram), _) => diffgram.children.first(),
        (None, true) => root.children.first(),
        (None, false) if root.is("NewDataSet") => Some(&root),
        (None, false) => return Err(XmlFault::Unexpected),
    };
    let rows = data_set.map_or(&[][..], |data_set| &data_set.children);
    Ok(rows.iter().filter(|row| !row.is("schema")).map(|row| kept(row, keep)).collect())
}

/// The attributes of an element, which must be well-formed, no two alike, and not too many.
pub(crate) fn attributes<'a>(start: &'a BytesStart<'_>) -> impl Iterator<Item = Result<Attribute<'a>, XmlFault>> {
    start.attributes().enumerate().map(|(at, attribute)| match attribute {
        _ if at == MAX_ATTRIBUTES => Err(XmlFault::TooMuch),
        Ok(attribute) => Ok(attribute),
        Err(_) => Err(XmlFault::Form),
    })
}

fn kept(row: &Element, keep: &[&'static str]) -> ReportRow {
    let columns = keep.iter().filter_map(|name| Some((*name, row.child(name)?.text().to_owned())));
    ReportRow(columns.collect())
}

/// A document as far as it was read.
#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
}

impl Tree {
    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), XmlFault> {
        self.elements += 1;
        if self.open.len() == MAX_DEPTH || self.elements > MAX_ELEMENTS {
            return Err(XmlFault::TooMuch);
        }
        if self.root.is_some() {
            return Err(XmlFault::Form);
        }
        attributes(start).try_for_each(|attribute| attribute.map(drop))?;
        let name = start.local_name().into_inner().to_owned();
        self.open.push(Element { name, ..Element::default() });
        Ok(())
    }

    fn close(&mut self) -> Result<(), XmlFault> {
        let element = self.open.pop().ok_or(XmlFault::Form)?;
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), XmlFault> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(XmlFault::Form),
        }
        Ok(())
    }

    /// The five predefined entities and characters by number. There can be no others without a document type.
    fn reference(&mut self, reference: &BytesRef<'_>) -> Result<(), XmlFault> {
        match reference.resolve_char_ref().map_err(|_| XmlFault::Form)? {
            Some(character) => self.text(character.encode_utf8(&mut [0; 4])),
            None => self.text(quick_xml::escape::resolve_xml_entity(reference).ok_or(XmlFault::Form)?),
        }
    }

    fn finish(self) -> Result<Element, XmlFault> {
        match self.root {
            Some(root) if self.open.is_empty() => Ok(root),
            _ => Err(XmlFault::Incomplete),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test states what it expects")]

    use proptest::prelude::*;

    use super::*;

    fn value(text: &str) -> Result<(String, String), XmlFault> {
        parse(text.as_bytes()).map(|root| (root.name.clone(), root.text().to_owned()))
    }

    #[test]
    fn one_value_in_any_dress() {
        for text in [
            "<string>Successful</string>",
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<string xmlns=\"http://srs.segpay.com/ADM.asmx\">Successful</string>",
            "\u{feff}<?xml version=\"1.0\"?><s:string xmlns:s=\"urn:x\">\n  Successful\n</s:string>\n",
            "  <!-- note --><string><![CDATA[Successful]]></string><!-- end -->",
            "<string>Success&#102;ul</string>",
        ] {
            assert_eq!(value(text), Ok(("string".to_owned(), "Successful".to_owned())), "{text}");
        }
        let link = value("<string>https://a.example/r?x=1&amp;y=2</string>");
        assert_eq!(link.expect("a link").1, "https://a.example/r?x=1&y=2");
        assert_eq!(value("<string/>").expect("nothing").1, "");
    }

    #[test]
    fn what_is_not_whole_is_refused() {
        for text in [
            "",
            "Successful",
            "<string>Success",
            "<a><b></a></b>",
            "<a/><b/>",
            "<a/>x",
            "</a>",
            "<a>&x;</a>",
            "<a>&#0;</a>",
            "<",
            "<a b>x</a>",
            "<a b=c>x</a>",
            "<a b=\"1\" b=\"2\">x</a>",
        ] {
            assert!(value(text).is_err(), "{text}");
        }
        assert_eq!(parse(b"<a>\xff</a>"), Err(XmlFault::Form));
    }

    #[test]
    fn attributes_have_an_end() {
        let with = |count: usize| {
            let attributes: String = (0..count).map(|at| format!(" a{at}=\"\"")).collect();
            parse(format!("<a{attributes}/>").as_bytes()).err()
        };
        assert_eq!(with(MAX_ATTRIBUTES), None);
        assert_eq!(with(MAX_ATTRIBUTES + 1), Some(XmlFault::TooMuch));
    }

    #[test]
    fn bombs_do_not_go_off() {
        let entities = "<!DOCTYPE a [<!ENTITY x \"xxxxxxxxxx\"><!ENTITY y \"&x;&x;&x;\">]><a>&y;</a>";
        assert_eq!(value(entities), Err(XmlFault::DocumentType));
        assert_eq!(value(&"<a>".repeat(200_000)), Err(XmlFault::TooMuch));
        assert_eq!(value(&format!("<r>{}</r>", "<a/>".repeat(200_000))), Err(XmlFault::TooMuch));
        assert_eq!(value(&format!("<r>{}</r>", "x".repeat(MAX_BYTES))), Err(XmlFault::TooMuch));
    }

    const REPORT: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<DataSet xmlns="http://srs.segpay.com/MWS.asmx">
  <xs:schema id="NewDataSet" xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="Data"/></xs:schema>
  <diffgr:diffgram xmlns:msdata="urn:m" xmlns:diffgr="urn:d">
    <NewDataSet xmlns="">
      <Data diffgr:id="Data1" msdata:rowOrder="0"><TransID>1</TransID><Password>canary</Password><CustCity/></Data>
      <Data diffgr:id="Data2" msdata:rowOrder="1"><transid>2</transid></Data>
    </NewDataSet>
    <diffgr:before><Data><TransID>9</TransID></Data></diffgr:before>
  </diffgr:diffgram>
</DataSet>"#;

    #[test]
    fn rows_of_a_report_have_only_the_columns_that_were_asked_for() {
        let rows = report(REPORT.as_bytes(), &["TransID", "CustCity"]).expect("a report");
        assert_eq!(rows.iter().map(|row| row.get("TransID")).collect::<Vec<_>>(), [Some("1"), Some("2")]);
        assert_eq!(rows.iter().map(|row| row.get("CustCity")).collect::<Vec<_>>(), [None, None]);
        assert!(!format!("{rows:?}").contains("canary"));
    }

    #[test]
    fn an_empty_report_is_not_a_document_that_is_none() {
        for empty in [
            "<DataSet><schema/><diffgram/></DataSet>",
            "<DataSet><schema/><diffgram><NewDataSet/></diffgram></DataSet>",
            "<NewDataSet><schema/></NewDataSet>",
        ] {
            assert_eq!(report(empty.as_bytes(), &["TransID"]), Ok(Vec::new()), "{empty}");
        }
        for other in ["<string>Invalid Merchant</string>", "<DataSet/>", "<html><body/></html>"] {
            assert_eq!(report(other.as_bytes(), &["TransID"]), Err(XmlFault::Unexpected), "{other}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            drop((parse(&bytes), report(&bytes, &["TransID"])));
        }

        #[test]
        fn no_markup_makes_it_panic(parts in proptest::collection::vec(
            prop::sample::select(vec!["<a>", "</a>", "<b", "/>", "&", "&amp;", "&#x;", ";", "<![CDATA[", "]]>", "<!--", "-->",
                "<?", "?>", "<!DOCTYPE", "<x:diffgram>", "</x:diffgram>", "\"", "=", "é", " "]), 0..60)) {
            let text = parts.concat();
            drop((parse(text.as_bytes()), report(text.as_bytes(), &["TransID"])));
        }

        #[test]
        fn nesting_has_an_end(depth in 1_usize..200) {
            let text = format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
            prop_assert_eq!(parse(text.as_bytes()).is_ok(), depth <= MAX_DEPTH);
        }
    }
}
