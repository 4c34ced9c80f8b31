//! The oracle's own readers of JSON and XML: slow, small, and sharing nothing with those of the adapters, so that a
//! mistake cannot be made twice alike. They read what a careful person would accept, and nothing else.

/// A JSON value; numbers keep their text, objects their order and what stands in them twice.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    Word(String),
    Number(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads a whole document; none where it is not one, or too deep for a person to follow.
    pub(crate) fn read(text: &str) -> Option<Json> {
        let mut reader = Reader { rest: text };
        let value = reader.json(64)?;
        reader.space();
        reader.rest.is_empty().then_some(value)
    }

    /// The one field of this name, in whatever case; none where there is none, or more than one.
    pub(crate) fn field(&self, name: &str) -> Option<&Json> {
        let Json::Object(fields) = self else { return None };
        let mut found = fields.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
        let (_, value) = found.next()?;
        found.next().is_none().then_some(value)
    }

    /// The text of a text, number or word.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Json::Word(text) | Json::Number(text) | Json::Text(text) => Some(text),
            Json::List(_) | Json::Object(_) => None,
        }
    }

    pub(crate) fn is_word(&self, word: &str) -> bool {
        matches!(self, Json::Word(own) if own == word)
    }
}

/// An XML element: its name without a prefix, its attributes, its own text, and what is in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Xml {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) text: String,
    pub(crate) children: Vec<Xml>,
}

impl Xml {
    /// Reads a whole document; none where it is not one, or has a document type.
    pub(crate) fn read(text: &str) -> Option<Xml> {
        let mut reader = Reader { rest: text };
        reader.misc()?;
        let root = reader.element(64)?;
        reader.misc()?;
        reader.rest.is_empty().then_some(root)
    }

    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    pub(crate) fn child(&self, name: &str) -> Option<&Xml> {
        let mut found = self.children.iter().filter(|child| child.is(name));
        let child = found.next()?;
        found.next().is_none().then_some(child)
    }

    /// The value of an attribute by its name without a prefix.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
    }

    fn eat(&mut self, text: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(text)?;
        Some(())
    }

    /// Everything up to `mark`, which is passed over.
    fn until(&mut self, mark: &str) -> Option<&'a str> {
        let (before, after) = self.rest.split_once(mark)?;
        self.rest = after;
        Some(before)
    }

    fn json(&mut self, depth: usize) -> Option<Json> {
        let depth = depth.checked_sub(1)?;
        self.space();
        match self.rest.chars().next()? {
            '{' => self.object(depth),
            '[' => {
                self.eat("[")?;
                let mut items = Vec::new();
                self.space();
                if self.eat("]").is_some() {
                    return Some(Json::List(items));
                }
                loop {
                    items.push(self.json(depth)?);
                    self.space();
                    if self.eat("]").is_some() {
                        return Some(Json::List(items));
                    }
                    self.eat(",")?;
                }
            }
            '"' => self.json_text().map(Json::Text),
            _ => {
                let end = self.rest.find([',', ']', '}', ' ', '\t', '\r', '\n', ':']).unwrap_or(self.rest.len());
                let (word, rest) = self.rest.split_at(end);
                self.rest = rest;
                let word = word.to_owned();
                match word.as_str() {
                    "true" | "false" | "null" => Some(Json::Word(word)),
                    _ => word.starts_with(|c: char| c == '-' || c.is_ascii_digit()).then_some(Json::Number(word)),
                }
            }
        }
    }

    fn object(&mut self, depth: usize) -> Option<Json> {
        self.eat("{")?;
        let mut fields = Vec::new();
        self.space();
        if self.eat("}").is_some() {
            return Some(Json::Object(fields));
        }
        loop {
            self.space();
            let name = self.json_text()?;
            self.space();
            self.eat(":")?;
            fields.push((name, self.json(depth)?));
            self.space();
            if self.eat("}").is_some() {
                return Some(Json::Object(fields));
            }
            self.eat(",")?;
        }
    }

    fn json_text(&mut self) -> Option<String> {
        self.eat("\"")?;
        let mut units: Vec<u16> = Vec::new();
        loop {
            let character = self.rest.chars().next()?;
            self.rest = &self.rest[character.len_utf8()..];
            match character {
                '"' => return Some(String::from_utf16_lossy(&units)),
                '\\' => {
                    let escape = self.rest.chars().next()?;
                    self.rest = &self.rest[escape.len_utf8()..];
                    units.push(match escape {
                        'n' => 10,
                        'r' => 13,
                        't' => 9,
                        'b' => 8,
                        'f' => 12,
                        '"' | '\\' | '/' => escape as u16,
                        'u' => {
                            let digits = self.rest.get(..4)?;
                            self.rest = &self.rest[4..];
                            u16::from_str_radix(digits, 16).ok()?
                        }
                        _ => return None,
                    });
                }
                other => units.extend(other.encode_utf16(&mut [0; 2]).iter()),
            }
        }
    }

    /// What may stand beside the root: space, a declaration, comments, instructions.
    fn misc(&mut self) -> Option<()> {
        loop {
            // Whatever is empty to the eye: a form feed there is no word.
            self.rest = self.rest.trim_start();
            if self.eat("<?").is_some() {
                self.until("?>")?;
            } else if self.eat("<!--").is_some() {
                self.until("-->")?;
            } else {
                return Some(());
            }
        }
    }

    fn element(&mut self, depth: usize) -> Option<Xml> {
        let depth = depth.checked_sub(1)?;
        self.eat("<")?;
        let end = self.rest.find(['>', '/', ' ', '\t', '\r', '\n'])?;
        let (full, rest) = self.rest.split_at(end);
        self.rest = rest;
        let mut element = Xml { name: local(full), ..Xml::default() };
        if full.is_empty() || full.starts_with(['!', '?']) {
            return None;
        }
        if self.attributes(&mut element)? {
            return Some(element);
        }
        loop {
            if self.eat("</").is_some() {
                let name = self.until(">")?;
                return (name.trim_end() == full).then_some(element);
            } else if self.eat("<!--").is_some() {
                self.until("-->")?;
            } else if self.eat("<![CDATA[").is_some() {
                element.text.push_str(self.until("]]>")?);
            } else if self.eat("<?").is_some() {
                self.until("?>")?;
            } else if self.rest.starts_with('<') {
                element.children.push(self.element(depth)?);
            } else if self.eat("&").is_some() {
                element.text.push(entity(self.until(";")?)?);
            } else {
                let end = self.rest.find(['<', '&'])?;
                let (text, rest) = self.rest.split_at(end);
                element.text.push_str(text);
                self.rest = rest;
            }
        }
    }

    /// Reads attributes to the end of the tag. True where the element is empty.
    fn attributes(&mut self, element: &mut Xml) -> Option<bool> {
        loop {
            self.space();
            if self.eat("/>").is_some() {
                return Some(true);
            }
            if self.eat(">").is_some() {
                return Some(false);
            }
            let name = self.until("=")?.trim();
            self.space();
            let quote = if self.eat("\"").is_some() { "\"" } else { self.eat("'").map(|()| "'")? };
            let value = self.until(quote)?;
            element.attributes.push((local(name), value.to_owned()));
        }
    }
}

fn local(name: &str) -> String {
    name.rsplit(':').next().unwrap_or_default().to_owned()
}

fn entity(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)
        }
    }
}
