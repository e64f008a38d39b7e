//! What a request for bytes says: which range (RFC 9110 § 14), of which state of the file (§ 8.8 and § 13), and under
//! which name they are saved (RFC 6266). Pure.

use crate::log::cursor::{generation_text, parse_generation};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::fmt::Write;
use std::ops::Range;

/// What a `Range` header asks of so many bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// All of them: no range, several, or what is no range of bytes.
    Whole,
    /// These.
    Part(Range<u64>),
    /// None that are there.
    Nothing,
}

/// Reads a `Range` header.
pub fn wanted(header: Option<&str>, size: u64) -> Wanted {
    match header.and_then(|text| parse(text, size)) {
        None => Wanted::Whole,
        Some(range) if range.is_empty() => Wanted::Nothing,
        Some(range) => Wanted::Part(range),
    }
}

fn parse(text: &str, size: u64) -> Option<Range<u64>> {
    let (unit, range) = text.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    // An empty element of a list is none (§ 5.6.1).
    let mut elements = range.split(',').map(str::trim).filter(|element| !element.is_empty());
    let (element, None) = (elements.next()?, elements.next()) else { return None };
    let (first, last) = element.split_once('-')?;
    match (number(first)?, number(last)?) {
        (None, None) => None,
        (None, Some(length)) => Some(size.saturating_sub(length)..size),
        (Some(first), None) => Some(first.min(size)..size),
        (Some(first), Some(last)) if first <= last => Some(first.min(size)..last.saturating_add(1).min(size)),
        _ => None,
    }
}

/// A number or none where there are no digits; `None` for anything else. One beyond the largest is the largest.
fn number(text: &str) -> Option<Option<u64>> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((!text.is_empty()).then(|| text.parse().unwrap_or(u64::MAX)))
}

/// What a strong `ETag` says: so much of this generation, with these last bytes. A log grows: what it was is proved
/// by its content, so that a download goes on in the longer file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validator {
    /// The generation.
    pub generation: u64,
    /// Where the bytes begin in it.
    pub from: u64,
    /// And where they end.
    pub to: u64,
    /// The hash of the last of them.
    pub check: u64,
}

impl Validator {
    /// The header's value.
    pub fn text(&self) -> String {
        let (generation, check) = (generation_text(self.generation), generation_text(self.check));
        format!("\"{generation}.{}.{}.{check}\"", self.from, self.to)
    }

    /// Reads one that [`Validator::text`] wrote.
    pub fn parse(text: &str) -> Option<Validator> {
        let mut parts = text.trim().strip_prefix('"')?.strip_suffix('"')?.split('.');
        let found = Validator {
            generation: parse_generation(parts.next()?.as_bytes())?,
            from: parts.next()?.parse().ok()?,
            to: parts.next()?.parse().ok()?,
            check: parse_generation(parts.next()?.as_bytes())?,
        };
        (parts.next().is_none() && found.text() == text.trim()).then_some(found)
    }

    /// Whether an `If-None-Match` header names it.
    pub fn is_in(&self, header: &str) -> bool {
        let own = self.text();
        header.split(',').map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == own)
    }
}

/// What stands for itself in `filename*` (RFC 5987, `attr-char`).
const ATTR: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The longest name that is given, in bytes.
const NAME_BYTES: usize = 200;

/// The `Content-Disposition` of a source's bytes: whatever its name, a file's name without a folder, and nothing that
/// ends the header or the name early.
pub fn disposition(name: &str, attachment: bool) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut last: String = last.chars().map(|char| if is_plain(char) { char } else { '_' }).collect();
    while last.len() > NAME_BYTES {
        last.pop();
    }
    // Blanks of every kind: a name that is nothing but them is none.
    let last = match last.trim_matches(|char: char| char.is_whitespace() || char == '.') {
        "" => "log",
        _ => last.trim(),
    };
    let kind = if attachment { "attachment" } else { "inline" };
    let ascii: String =
        last.chars().map(|char| if char.is_ascii() && !"\"%".contains(char) { char } else { '_' }).collect();
    let mut out = format!("{kind}; filename=\"{ascii}\"");
    if ascii != last {
        let _ = write!(out, "; filename*=UTF-8''{}", utf8_percent_encode(last, ATTR));
    }
    out
}

/// Whether a name that is saved may have it. Marks that turn the direction of writing hide what a name ends with.
fn is_plain(char: char) -> bool {
    !char.is_control()
        && !matches!(char, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
        && !r#":*?"<>|"#.contains(char)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        use Wanted::{Nothing, Part, Whole};
        for (text, is) in [
            ("bytes=0-0", Part(0..1)),
            ("bytes=0-9", Part(0..10)),
            ("bytes=0-", Part(0..10)),
            ("bytes=3-", Part(3..10)),
            ("Bytes = 3-4", Part(3..5)),
            ("bytes=3-99", Part(3..10)),
            ("bytes=9-18446744073709551615", Part(9..10)),
            ("bytes=9-99999999999999999999999", Part(9..10)),
            ("bytes=-1", Part(9..10)),
            ("bytes=-10", Part(0..10)),
            ("bytes=-99", Part(0..10)),
            ("bytes=, 2-3 ,", Part(2..4)),
            ("bytes=-0", Nothing),
            ("bytes=10-", Nothing),
            ("bytes=10-11", Nothing),
            ("bytes=99999999999999999999999-", Nothing),
            ("bytes=0-1,3-4", Whole),
            ("bytes=4-3", Whole),
            ("bytes=-", Whole),
            ("bytes=", Whole),
            ("bytes", Whole),
            ("lines=1-2", Whole),
            ("bytes=+1-2", Whole),
            ("bytes=1 -2", Whole),
            ("bytes=1-2-3", Whole),
            ("bytes=--1", Whole),
            ("bytes=a-b", Whole),
        ] {
            assert_eq!(wanted(Some(text), 10), is, "{text}");
        }
        assert_eq!(wanted(None, 10), Whole);
        assert_eq!(wanted(Some("bytes=0-"), 0), Nothing);
        assert_eq!(wanted(Some("bytes=-5"), 0), Nothing);
    }

    #[test]
    fn a_validator_is_read_as_written() {
        let own = Validator { generation: 77, from: 3, to: 1 << 40, check: 99 };
        assert_eq!(Validator::parse(&own.text()), Some(own));
        for text in
            ["", "\"\"", "W/\"AAAAAABN.3.5.AAAAAABj\"", "\"AAAAAABN.3.+5.AAAAAABj\"", "\"AAAAAABN.3.5\""]
        {
            assert_eq!(Validator::parse(text), None, "{text}");
        }
        let tag = own.text();
        assert!(own.is_in("*") && own.is_in(&tag) && own.is_in(&format!("\"x\", W/{tag}")));
        assert!(!own.is_in("\"x\"") && !Validator { to: 5, ..own }.is_in(&tag));
    }

    #[test]
    fn a_name_is_a_files_name_whatever_it_is() {
        for (name, is) in [
            ("/var/log/app.log", r#"inline; filename="app.log""#),
            ("a b.log", r#"inline; filename="a b.log""#),
            ("x\"; filename=evil.exe", r#"inline; filename="x_; filename=evil.exe""#),
            ("a\r\nset-cookie: b", r#"inline; filename="a__set-cookie_ b""#),
            ("../..", r#"inline; filename="log""#),
            ("logs/", r#"inline; filename="log""#),
            ("a\\..\\b.log", r#"inline; filename="b.log""#),
            ("übung.log", r#"inline; filename="_bung.log"; filename*=UTF-8''%C3%BCbung.log"#),
            ("100%.log", r#"inline; filename="100_.log"; filename*=UTF-8''100%25.log"#),
            ("exe.\u{202e}gol", r#"inline; filename="exe._gol""#),
            ("\u{a0}", r#"inline; filename="log""#),
            ("\u{2003}.\u{a0}", r#"inline; filename="log""#),
        ] {
            assert_eq!(disposition(name, false), is, "{name:?}");
        }
        assert!(disposition("a", true).starts_with("attachment; "));
        assert!(disposition(&"é".repeat(999), true).len() < 1_000);
    }

    proptest! {
        #[test]
        fn any_name_makes_a_header(name in "\\PC{0,40}|[\\x00-\\xff]{0,40}") {
            let value = disposition(&name, true);
            prop_assert!(warp::http::HeaderValue::from_str(&value).is_ok(), "{}", value);
            prop_assert_eq!(value.matches('"').count(), 2);
        }

        #[test]
        fn any_range_lies_within(text in "(bytes=)?[0-9]{0,3}-?[0-9]{0,22},?", size in 0u64..200) {
            if let Wanted::Part(range) = wanted(Some(&text), size) {
                prop_assert!(range.start < range.end && range.end <= size);
            }
        }
    }
}
