//! The level of a line that is not JSON: words, syslog numbers, glog's letter, an access log's status.
//!
//! What is most certain comes first: a number or a letter that a format has for it, the answer of a server in its
//! access log, and only then words ([`words`](super::words)).

use super::words::{letter, words};
use super::{locate, stamp, trace};
use memchr::{memchr, memchr_iter};

/// How bad it is, from the least to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Every step.
    Trace,
    /// For those who look for a fault.
    Debug,
    /// What happened.
    Info,
    /// What may go wrong.
    Warn,
    /// What went wrong.
    Error,
    /// What ended it.
    Fatal,
}

impl Level {
    /// All levels, from the least to the worst.
    pub const ALL: [Level; 6] =
        [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error, Level::Fatal];

    /// Its name, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Level::Trace => "trace",
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
            Level::Fatal => "fatal",
        }
    }
}

/// How far into an access log's line its status is looked for: the request may be long.
const REQUEST_BYTES: usize = 8192;

/// The level of a syslog severity.
pub(super) fn severity(number: u64) -> Option<Level> {
    Some(match number {
        0..=2 => Level::Fatal,
        3 => Level::Error,
        4 => Level::Warn,
        5 | 6 => Level::Info,
        7 => Level::Debug,
        _ => return None,
    })
}

/// The level of an HTTP status.
pub(super) fn status(number: u64) -> Option<Level> {
    Some(match number {
        500..=599 => Level::Error,
        400..=499 => Level::Warn,
        100..=399 => Level::Info,
        _ => return None,
    })
}

/// The level of a line that is neither JSON nor begins with pairs; `head` is its beginning without escapes.
pub(super) fn plain(line: &[u8], head: &[u8]) -> Option<Level> {
    match *head.first()? {
        b' ' | b'\t' => return indented(line, head),
        b'<' if head.get(1).is_some_and(u8::is_ascii_digit) => {
            let digits: &[u8] = &head[1..memchr(b'>', &head[..head.len().min(6)])?];
            let number = digits
                .iter()
                .try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u64::from(byte - b'0')))?;
            return (number < 192).then(|| severity(number % 8))?;
        }
        byte @ (b'I' | b'W' | b'E' | b'F' | b'D')
            if head.get(1).is_some_and(u8::is_ascii_digit) && locate::glog(head).is_some() =>
        {
            return letter(byte);
        }
        b't' if head.starts_with(b"thread '") => {
            return memchr::memmem::find(head, b" panicked at ").map(|_| Level::Error);
        }
        b'E' if head.starts_with(b"Exception in thread ") => return Some(Level::Error),
        b'0'..=b'9' => {
            if let Some(level) = redis(head) {
                return Some(level);
            }
        }
        // A thrown error says what went wrong below, in words of its own.
        b'a'..=b'z' | b'A'..=b'Z' | b'-' if trace::starts(head) => return None,
        _ => {}
    }
    match access(line, head) {
        Some(level) => Some(level),
        None => words(line, head),
    }
}

/// An indented line has a level only right at its beginning, or after its time.
fn indented(line: &[u8], head: &[u8]) -> Option<Level> {
    let text = head.trim_ascii_start();
    if head.len() - text.len() == 1 && words(b"", &text[..text.len().min(5)]).is_some() {
        return words(b"", &text[..text.len().min(5)]);
    }
    stamp::at(head, head.len() - text.len()).and_then(|_| words(line, text))
}

/// `1234:M 24 Nov 2026 10:00:00.123 * text`: the sign says it.
fn redis(head: &[u8]) -> Option<Level> {
    let colon = head[..head.len().min(8)].iter().position(|byte| !byte.is_ascii_digit())?;
    if head[colon] != b':' || !matches!(head.get(colon + 1)?, b'M' | b'S' | b'C' | b'X') {
        return None;
    }
    let (_, end) = stamp::at(head, colon + 3)?;
    Some(match (head.get(end)?, head.get(end + 1)?, head.get(end + 2)?) {
        (b' ', b'.' | b'-', b' ') => Level::Debug,
        (b' ', b'*', b' ') => Level::Info,
        (b' ', b'#', b' ') => Level::Warn,
        _ => return None,
    })
}

/// `… [24/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 502 …`: the first number after the request.
fn access(line: &[u8], head: &[u8]) -> Option<Level> {
    let time = memchr_iter(b'[', head).take(4).find(|&at| {
        let byte = |n: usize| head.get(at + n).copied().unwrap_or(0);
        byte(3) == b'/' && byte(7) == b'/' && byte(1).is_ascii_digit() && byte(4).is_ascii_alphabetic()
    })?;
    let line = &line[..line.len().min(REQUEST_BYTES)];
    let mut at = time + memchr(b'"', line.get(time..)?)? + 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', line.get(at..)?)?;
        if line[at] == b'"' {
            break;
        }
        at += 2;
    }
    let rest = line.get(at + 1..)?.strip_prefix(b" ")?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits != 3 {
        return None;
    }
    status(rest[..3].iter().fold(0, |sum, byte| sum * 10 + u64::from(byte - b'0')))
}
