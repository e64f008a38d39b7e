//! Time and level from `key=value` pairs.

use super::fields::{Found, Json, names_level, number, numbered, text_time};
use super::{Want, level, words};

/// How many pairs are looked at in a line that begins with one.
const PAIRS: usize = 24;

/// Where the key ends that the text begins with, if a `=` follows it.
#[inline]
fn key_end(text: &[u8]) -> Option<usize> {
    let first = text.first()?;
    if !(first.is_ascii_alphabetic() || matches!(first, b'_' | b'@')) {
        return None;
    }
    let end = text.iter().take(40).position(|byte| {
        !(byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'@' | b'-' | b'/'))
    })?;
    (text[end] == b'=' && text.get(end + 1) != Some(&b'=')).then_some(end)
}

/// True if a line begins with `key=`.
#[inline]
pub(super) fn is_pair(text: &[u8]) -> bool {
    key_end(text).is_some()
}

/// True if two pairs stand at the beginning.
pub(super) fn is_logfmt(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    let mut count = 0;
    pairs(text, |_, _| {
        count += 1;
        count < 2
    });
    count == 2
}

/// Calls `each` with the pairs at the beginning until it says no; a word that is no pair ends them.
fn pairs<'a>(text: &'a [u8], mut each: impl FnMut(&'a [u8], &'a [u8]) -> bool) {
    let mut at = 0;
    for _ in 0..PAIRS {
        while text.get(at) == Some(&b' ') {
            at += 1;
        }
        let Some(end) = key_end(&text[at..]) else { return };
        let key = &text[at..at + end];
        at += end + 1;
        let value = if text.get(at) == Some(&b'"') {
            let mut scan = Json { text, at };
            let Some(value) = scan.string() else { return };
            at = scan.at;
            value
        } else {
            let end = memchr::memchr(b' ', &text[at..]).map_or(text.len(), |end| at + end);
            let value = &text[at..end];
            at = end;
            value
        };
        if !each(key, value) {
            return;
        }
    }
}

/// Reads the pairs that a line begins with.
pub(super) fn read(text: &[u8], want: Want) -> Found {
    let mut found = Found::default();
    let mut late = None;
    pairs(text, |key, value| {
        match key {
            b"time" | b"ts" | b"timestamp" | b"t" | b"at" | b"@timestamp" | b"datetime" | b"date"
                if want.time && found.time.is_none() =>
            {
                found.time = text_time(value);
            }
            _ => {}
        }
        if want.level && key == b"status" {
            late = number(value).and_then(level::status);
        }
        if want.level && found.level.is_none() && (names_level(key) || key == b"at") {
            found.level = match number(value) {
                Some(number) => numbered(number, false),
                None => words::named(value),
            };
        }
        let done = (found.time.is_some() || !want.time) && (found.level.is_some() || !want.level);
        !done
    });
    found.level = found.level.or(late);
    found
}
