//! Time and level from the fields of a JSON object.
//!
//! The scanner knows just enough JSON to tell a key of the outer object from everything else: a string is skipped
//! with its escapes, a nested value with its depth. What it looks for inside are ECS' `log.level` and MongoDB's
//! `t.$date`. It stops when it has what was asked for.

use super::level::{self, Level};
use super::stamp::{self, Stamp};
use super::words;
use super::{HEAD_BYTES, Want};
use memchr::memchr2;

/// How much of a JSON line is looked at.
const JSON_BYTES: usize = 4096;

/// What the fields say.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Found {
    pub(super) time: Option<Stamp>,
    pub(super) level: Option<Level>,
}

/// True if the line begins as an object does that has members.
#[inline]
pub(super) fn is_json(line: &[u8]) -> bool {
    match line {
        [b'{', b'"', ..] => true,
        [b'{', rest @ ..] => rest.first() == Some(&b' ') && rest.trim_ascii_start().first() == Some(&b'"'),
        _ => false,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Time,
    Level,
    /// Python's numbers, where 10 is debug.
    PythonLevel,
    /// An HTTP status, if nothing else tells the level.
    Status,
    /// The text that Docker wrapped.
    Text,
    Other,
}

fn json_field(key: &[u8]) -> Field {
    match key {
        b"time"
        | b"ts"
        | b"t"
        | b"timestamp"
        | b"@timestamp"
        | b"@t"
        | b"datetime"
        | b"date"
        | b"eventTime"
        | b"asctime"
        | b"Timestamp"
        | b"Time"
        | b"timeMillis"
        | b"__REALTIME_TIMESTAMP"
        | b"time_local"
        | b"time_iso8601"
        | b"start_time"
        | b"requestReceivedTimestamp"
        | b"created_at"
        | b"logTime" => Field::Time,
        b"levelno" => Field::PythonLevel,
        b"status" | b"status_code" | b"statusCode" => Field::Status,
        b"log" => Field::Text,
        _ if names_level(key) => Field::Level,
        _ => Field::Other,
    }
}

/// True for the names of fields that hold a level.
pub(super) fn names_level(key: &[u8]) -> bool {
    matches!(
        key,
        b"level"
            | b"lvl"
            | b"severity"
            | b"levelname"
            | b"log.level"
            | b"loglevel"
            | b"log_level"
            | b"logLevel"
            | b"level_name"
            | b"severity_text"
            | b"severityText"
            | b"SeverityText"
            | b"Level"
            | b"LEVEL"
            | b"LogLevel"
            | b"@l"
            | b"s"
            | b"PRIORITY"
    )
}

/// Reads the fields of an object.
pub(super) fn json(line: &[u8], want: Want) -> Found {
    let mut found = Found::default();
    let mut late = None;
    let mut scan = Json { text: &line[..line.len().min(JSON_BYTES)], at: 1 };
    let _ = scan.members(|scan, key| {
        let field = json_field(key);
        let value = scan.value()?;
        match field {
            Field::Time if want.time && found.time.is_none() => found.time = value.time(),
            Field::Level | Field::PythonLevel if want.level && found.level.is_none() => {
                found.level = value.level(field == Field::PythonLevel);
            }
            Field::Status if want.level => late = late.or(value.number().and_then(level::status)),
            Field::Text if want.level => {
                late = match value {
                    Value::String(text) => wrapped(text).or(late),
                    Value::Nested(text) => {
                        nested(text, b"level").and_then(|value| value.level(false)).or(late)
                    }
                    Value::Bare(_) => late,
                };
            }
            _ => {}
        }
        let done = (found.time.is_some() || !want.time) && (found.level.is_some() || !want.level);
        (!done).then_some(())
    });
    found.level = found.level.or(late);
    found
}

/// The level of the line that Docker wrapped: its head is unwrapped first, for it may have colours and quotes.
fn wrapped(text: &[u8]) -> Option<Level> {
    let (mut head, mut used, mut at) = ([0; HEAD_BYTES], 0, 0);
    while at < text.len() && used < HEAD_BYTES {
        let mut byte = text[at];
        at += 1;
        if byte == b'\\' {
            byte = match text.get(at) {
                Some(b'n' | b'r') => b' ',
                Some(b't') => b'\t',
                // Only what is ASCII matters here.
                Some(b'u') => {
                    let code = text.get(at + 1..at + 5).and_then(|code| std::str::from_utf8(code).ok());
                    at += 4;
                    code.and_then(|code| u8::from_str_radix(code, 16).ok())
                        .filter(u8::is_ascii)
                        .unwrap_or(b'?')
                }
                Some(&other) => other,
                None => break,
            };
            at += 1;
        }
        head[used] = byte;
        used += 1;
    }
    super::level(&head[..used])
}

/// A member of an object inside.
fn nested<'a>(text: &'a [u8], name: &[u8]) -> Option<Value<'a>> {
    let mut found = None;
    let mut scan = Json { text, at: 1 };
    let _ = scan.members(|scan, key| {
        let value = scan.value()?;
        if key == name {
            found = Some(value);
            return None;
        }
        Some(())
    });
    found
}

enum Value<'a> {
    String(&'a [u8]),
    Bare(&'a [u8]),
    /// An object or an array, from its bracket on.
    Nested(&'a [u8]),
}

impl Value<'_> {
    fn time(&self) -> Option<Stamp> {
        match self {
            Value::String(text) => text_time(text),
            Value::Bare(text) => stamp::epoch_number(text),
            Value::Nested(text) => match nested(text, b"$date")? {
                Value::String(text) => text_time(text),
                _ => None,
            },
        }
    }

    fn number(&self) -> Option<u64> {
        match self {
            Value::String(text) | Value::Bare(text) => number(text),
            Value::Nested(_) => None,
        }
    }

    fn level(&self, python: bool) -> Option<Level> {
        match (self.number(), self) {
            (Some(number), _) => numbered(number, python),
            (None, Value::String(text)) => words::named(text),
            _ => None,
        }
    }
}

/// The level of a number: syslog's up to 7, then pino's and bunyan's tens.
pub(super) fn numbered(number: u64, python: bool) -> Option<Level> {
    let number = if python { number + 10 } else { number };
    Some(match number {
        0..=7 => return level::severity(number),
        10..20 => Level::Trace,
        20..30 => Level::Debug,
        30..40 => Level::Info,
        40..50 => Level::Warn,
        50..60 => Level::Error,
        60..=70 => Level::Fatal,
        _ => return None,
    })
}

pub(super) fn number(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 9 {
        return None;
    }
    text.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u64::from(byte - b'0')))
}

pub(super) fn text_time(text: &[u8]) -> Option<Stamp> {
    if text.is_empty() {
        return None;
    }
    stamp::epoch_number(text).or_else(|| stamp::at(text, 0).map(|(stamp, _)| stamp))
}

pub(super) struct Json<'a> {
    pub(super) text: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Json<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    /// Calls `each` with every key; it reads the value, or ends the walk with `None`. Ends with `None` at
    /// whatever is not JSON.
    fn members(&mut self, mut each: impl FnMut(&mut Json<'a>, &'a [u8]) -> Option<()>) -> Option<()> {
        loop {
            self.blanks();
            if self.peek()? != b'"' {
                return None;
            }
            let key = self.string()?;
            self.blanks();
            if self.peek()? != b':' {
                return None;
            }
            self.at += 1;
            self.blanks();
            each(self, key)?;
            self.blanks();
            if self.peek()? != b',' {
                return Some(());
            }
            self.at += 1;
        }
    }

    /// The string that begins here, without its quotes, its escapes as they are.
    #[inline]
    pub(super) fn string(&mut self) -> Option<&'a [u8]> {
        let from = self.at + 1;
        let mut at = from;
        loop {
            at += memchr2(b'"', b'\\', self.text.get(at..)?)?;
            if self.text[at] == b'"' {
                self.at = at + 1;
                return Some(&self.text[from..at]);
            }
            at += 2;
        }
    }

    fn value(&mut self) -> Option<Value<'a>> {
        let from = self.at;
        match self.peek()? {
            b'"' => self.string().map(Value::String),
            b'{' | b'[' => {
                let mut depth = 0;
                loop {
                    match self.peek()? {
                        b'"' => {
                            self.string()?;
                            continue;
                        }
                        b'{' | b'[' => depth += 1,
                        b'}' | b']' => depth -= 1,
                        _ => {}
                    }
                    self.at += 1;
                    if depth == 0 {
                        return Some(Value::Nested(&self.text[from..self.at]));
                    }
                }
            }
            _ => {
                while !matches!(self.peek()?, b',' | b'}' | b']' | b' ') {
                    self.at += 1;
                }
                Some(Value::Bare(&self.text[from..self.at]))
            }
        }
    }
}
