//! Lines as they are printed: with a name in front where there are several streams, harmless on a terminal.

use crate::commands::plain;
use std::borrow::Cow;
use std::fmt::Write as _;

/// The colours of names, in turn: all but black, white and the grey between.
const COLOURS: [u8; 6] = [36, 33, 32, 35, 34, 31];

/// How the lines of one stream are printed.
#[derive(Debug, Clone, Default)]
pub(super) struct Show {
    /// What stands before each line.
    front: Vec<u8>,
    /// Whether a line is an object, into which the name goes.
    json: bool,
    /// Whether a terminal reads it.
    terminal: bool,
}

impl Show {
    /// For the stream with this number and name, `None` where it is the only one; names are as wide as the widest.
    pub(super) fn new(
        number: usize,
        name: Option<(String, usize)>,
        json: bool,
        terminal: bool,
        color: bool,
    ) -> Show {
        let front = match &name {
            None => String::new(),
            Some((name, _)) if json => format!(r#"{{"source":{},"#, crate::log::encode::json_string(name)),
            Some((name, width)) if color => {
                format!("\x1b[{}m{:width$} |\x1b[0m ", COLOURS[number % COLOURS.len()], plain(name))
            }
            Some((name, width)) => format!("{:width$} | ", plain(name)),
        };
        Show { front: front.into_bytes(), json, terminal }
    }

    /// Appends a line.
    pub(super) fn line(&self, text: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(&self.front);
        let text = match self.json && !self.front.is_empty() {
            true => text.strip_prefix(b"{").unwrap_or(text),
            false => text,
        };
        match self.terminal {
            true => out.extend_from_slice(harmless(&String::from_utf8_lossy(text)).as_bytes()),
            false => out.extend_from_slice(text),
        }
        out.push(b'\n');
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

/// The length of the SGR sequence that a text begins with: `ESC [`, digits and their separators, `m`.
fn sgr(text: &str) -> usize {
    let Some(body) = text.strip_prefix("\x1b[") else { return 0 };
    let digits = body.bytes().take_while(|byte| byte.is_ascii_digit() || matches!(byte, b';' | b':')).count();
    if body.as_bytes().get(digits) == Some(&b'm') && digits <= 64 { digits + 3 } else { 0 }
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
        let named = |json, color| Show::new(1, Some(("web".to_owned(), 5)), json, false, color);
        assert_eq!(shown(&Show::new(0, None, false, false, true), b"a"), "a\n");
        assert_eq!(shown(&named(false, false), b"a"), "web   | a\n");
        assert_eq!(shown(&named(false, true), b"a"), "\x1b[33mweb   |\x1b[0m a\n");
        assert_eq!(shown(&named(true, true), br#"{"file":"f"}"#), "{\"source\":\"web\",\"file\":\"f\"}\n");
    }
}
