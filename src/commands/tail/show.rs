//! Lines as they are printed: with names in front where there are several streams or files, harmless on a terminal,
//! with what was wished marked.

use super::names::Labels;
use super::paint::{Paint, sgr};
use crate::commands::plain;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

/// The colours of names, in turn: all but black, white and the grey between.
const COLOURS: [u8; 6] = [36, 33, 32, 35, 34, 31];

/// How all lines are printed.
#[derive(Debug, Clone, Default)]
pub(super) struct How {
    /// Whether a line is an object, into which the name goes.
    pub(super) json: bool,
    /// Whether a terminal reads it.
    pub(super) terminal: bool,
    /// Whether names are coloured.
    pub(super) color: bool,
    /// What is marked.
    pub(super) paint: Arc<Paint>,
}

/// How the lines of one stream are printed.
#[derive(Debug, Default)]
pub(super) struct Show {
    how: How,
    number: usize,
    /// The stream's name, as wide as the widest; `None` where it is the only one.
    name: Option<String>,
    /// What stands before a line of which no file is told.
    front: Vec<u8>,
    files: Labels,
}

impl Show {
    /// For the stream with this number and name, `None` where it is the only one; names are as wide as the widest.
    pub(super) fn new(number: usize, name: Option<(String, usize)>, how: How) -> Show {
        let front = match &name {
            Some((name, _)) if how.json => {
                format!(r#"{{"source":{},"#, crate::log::encode::json_string(name)).into_bytes()
            }
            Some((name, width)) => front(&format!("{:width$}", plain(name)), number, how.color),
            None => Vec::new(),
        };
        let name = name.map(|(name, width)| format!("{:width$} ", plain(&name)));
        Show { how, number, name, front, files: Labels::default() }
    }

    /// Whether a line is an object.
    pub(super) fn is_json(&self) -> bool {
        self.how.json
    }

    /// Learns which files there are: each gets its shortest name that no other has.
    pub(super) fn learn<'a>(&mut self, names: impl Iterator<Item = &'a str>) {
        self.files = Labels::new(names);
    }

    /// Appends a line.
    pub(super) fn line(&self, text: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(&self.front);
        let text = match self.how.json && !self.front.is_empty() {
            true => text.strip_prefix(b"{").unwrap_or(text),
            false => text,
        };
        self.text(text, out);
    }

    /// Appends a line of a file, its name in front.
    pub(super) fn file_line(&mut self, file: &str, text: &str, out: &mut Vec<u8>) {
        let (label, number) = self.files.get(file);
        match &self.name {
            None => out.extend_from_slice(&front(&label, number, self.how.color)),
            Some(name) => {
                out.extend_from_slice(&front(&format!("{name}{label}"), self.number, self.how.color))
            }
        }
        // As a stream of text has it.
        match text.contains('\r') {
            true => self.text(text.replace('\r', "\u{240d}").as_bytes(), out),
            false => self.text(text.as_bytes(), out),
        }
    }

    fn text(&self, text: &[u8], out: &mut Vec<u8>) {
        if self.how.terminal || !self.how.paint.is_empty() {
            let text = String::from_utf8_lossy(text);
            let text = if self.how.terminal { harmless(&text) } else { text };
            self.how.paint.line(&text, out);
        } else {
            out.extend_from_slice(text);
        }
        out.push(b'\n');
    }
}

/// A name before a line.
fn front(name: &str, number: usize, color: bool) -> Vec<u8> {
    match color {
        true => format!("\x1b[{}m{name} |\x1b[0m ", COLOURS[number % COLOURS.len()]).into_bytes(),
        false => format!("{name} | ").into_bytes(),
    }
}

/// Text that can do nothing to a terminal but colour itself: of the control characters tabs and SGR sequences stay,
/// the others are shown. Colours end with the line.
fn harmless(text: &str) -> Cow<'_, str> {
    if !text.chars().any(char::is_control) {
        return Cow::Borrowed(text);
    }
    let (mut out, mut rest, mut coloured) = (String::with_capacity(text.len() + 8), text, false);
    while let Some(c) = rest.chars().next() {
        let len = sgr(rest);
        if len > 0 {
            out.push_str(&rest[..len]);
            coloured = true;
            rest = &rest[len..];
            continue;
        }
        rest = &rest[c.len_utf8()..];
        match c {
            '\t' => out.push(c),
            // The pictures of the control characters stand in their order.
            '\0'..='\x1f' => out.extend(char::from_u32(0x2400 + c as u32)),
            '\x7f' => out.push('\u{2421}'),
            c if c.is_control() => _ = write!(out, "\\u{{{:x}}}", c as u32),
            c => out.push(c),
        }
    }
    if coloured {
        out.push_str("\x1b[0m");
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_can_only_colour_itself() {
        for (text, expected) in [
            ("plain ü\u{2028}", "plain ü\u{2028}"),
            ("a\tb", "a\tb"),
            ("\x1b[1;31mred\x1b[m", "\x1b[1;31mred\x1b[m\x1b[0m"),
            ("\x1b[2Jgone", "␛[2Jgone"),
            ("\x1b]0;title\x07", "␛]0;title␇"),
            ("\x1b[", "␛["),
            ("\x1b[31", "␛[31"),
            ("\u{9b}2J\x7f\0\r", "\\u{9b}2J␡␀␍"),
            ("\x1b[?25lx", "␛[?25lx"),
        ] {
            assert_eq!(harmless(text), expected, "{text:?}");
        }
    }

    #[test]
    fn names_stand_in_front() {
        let shown = |show: &Show, text: &[u8]| {
            let mut out = Vec::new();
            show.line(text, &mut out);
            String::from_utf8(out).unwrap()
        };
        let how = |json, color| How { json, color, ..How::default() };
        let named = |json, color| Show::new(1, Some(("web".to_owned(), 5)), how(json, color));
        assert_eq!(shown(&Show::new(0, None, how(false, true)), b"a"), "a\n");
        assert_eq!(shown(&named(false, false), b"a"), "web   | a\n");
        assert_eq!(shown(&named(false, true), b"a"), "\x1b[33mweb   |\x1b[0m a\n");
        assert_eq!(shown(&named(true, true), br#"{"file":"f"}"#), "{\"source\":\"web\",\"file\":\"f\"}\n");
    }

    #[test]
    fn so_do_files() {
        let of = |show: &mut Show, file: &str| {
            let mut out = Vec::new();
            show.file_line(file, "a\rb", &mut out);
            String::from_utf8(out).unwrap()
        };
        let how = |color| How { color, ..How::default() };
        let mut one = Show::new(0, None, how(true));
        one.learn(["x/app.log", "y/db.log"].into_iter());
        assert_eq!(of(&mut one, "y/db.log"), "\x1b[33mdb.log  |\x1b[0m a␍b\n");
        let mut several = Show::new(1, Some(("web".to_owned(), 5)), how(false));
        several.learn(["x/app.log", "y/db.log"].into_iter());
        assert_eq!(of(&mut several, "y/db.log"), "web   db.log  | a␍b\n");
        assert_eq!(of(&mut several, "z/db.log"), "web   z/db.log | a␍b\n");
    }
}
