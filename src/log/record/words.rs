//! Words that are levels, and where in a text they count as one.
//!
//! A word counts only whole, and only where it stands as a mark: in capitals, in brackets, before a colon, or first
//! after the time. The first mark wins, so that `INFO … error=nil` is info and `no error here` is nothing.

use super::level::{self, Level};
use super::{Want, fields, locate};

/// How far into a line a word is looked for, in bytes.
const WORD_BYTES: usize = 192;
/// Where a word counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// In capitals anywhere; else as a mark or first.
    Place,
    /// In capitals anywhere; else only as a mark.
    Mark,
    /// Only as a mark, or in capitals right after the time.
    MarkAlways,
}

const WORD: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let it = byte as u8;
        // Bytes of other alphabets are letters.
        table[byte] = it.is_ascii_alphanumeric() || it == b'_' || it >= 0x80;
        byte += 1;
    }
    table
};

/// The first eight letters of a word as a number.
const fn key(word: &[u8]) -> u64 {
    let (mut value, mut at) = (0, 0);
    while at < word.len() {
        value = value << 8 | (word[at] | 0x20) as u64;
        at += 1;
    }
    value
}

/// The words of at most eight letters.
const WORDS: [(&[u8], Level, Needs); 42] = {
    use Level::{Debug, Error, Fatal, Info, Trace, Warn};
    use Needs::{Mark, MarkAlways, Place};
    [
        (b"fatal", Fatal, Place),
        (b"ftl", Fatal, Place),
        (b"fata", Fatal, Place),
        (b"crit", Fatal, Place),
        (b"critical", Fatal, Place),
        (b"emerg", Fatal, Place),
        (b"alert", Fatal, Mark),
        (b"panic", Fatal, Mark),
        (b"error", Error, Place),
        (b"err", Error, Place),
        (b"erro", Error, Place),
        (b"eror", Error, Place),
        (b"severe", Error, Mark),
        (b"fail", Error, MarkAlways),
        (b"warn", Warn, Place),
        (b"warning", Warn, Place),
        (b"wrn", Warn, Place),
        (b"info", Info, Place),
        (b"inf", Info, Mark),
        (b"notice", Info, Mark),
        (b"note", Info, MarkAlways),
        (b"log", Info, MarkAlways),
        (b"system", Info, MarkAlways),
        (b"success", Info, MarkAlways),
        (b"debug", Debug, Place),
        (b"dbg", Debug, Place),
        (b"debu", Debug, Place),
        (b"dbug", Debug, Place),
        (b"fine", Debug, MarkAlways),
        (b"config", Debug, MarkAlways),
        (b"debug1", Debug, MarkAlways),
        (b"debug2", Debug, MarkAlways),
        (b"debug3", Debug, MarkAlways),
        (b"debug4", Debug, MarkAlways),
        (b"debug5", Debug, MarkAlways),
        (b"trace", Trace, Mark),
        (b"trc", Trace, Mark),
        (b"trac", Trace, Mark),
        (b"trce", Trace, Mark),
        (b"verbose", Trace, Mark),
        (b"finer", Trace, MarkAlways),
        (b"finest", Trace, MarkAlways),
    ]
};

/// Where a word's key has its slot; the factor is one for which no two words share one.
const fn slot(key: u64, factor: u64) -> usize {
    (key.wrapping_mul(factor) >> (64 - 9)) as usize
}

/// A factor, and for every slot the number of its word plus one.
const SLOTS: (u64, [u8; 512]) = {
    let mut factor: u64 = 0x9e37_79b9_7f4a_7c15;
    loop {
        let (mut slots, mut at) = ([0; 512], 0);
        while at < WORDS.len() {
            let own = slot(key(WORDS[at].0), factor);
            if slots[own] != 0 {
                break;
            }
            slots[own] = at as u8 + 1;
            at += 1;
        }
        if at == WORDS.len() {
            break (factor, slots);
        }
        factor = factor.wrapping_mul(0xd129_0d3a_b21e_44c5) | 1;
    }
};
static SLOT: [u8; 512] = SLOTS.1;
static KEYS: [u64; WORDS.len()] = {
    let (mut keys, mut at) = ([0; WORDS.len()], 0);
    while at < WORDS.len() {
        keys[at] = key(WORDS[at].0);
        at += 1;
    }
    keys
};

/// The level that a word of at most eight letters names.
#[inline]
fn short_word(key_of_word: u64) -> Option<(Level, Needs)> {
    let number = usize::from(SLOT[slot(key_of_word, SLOTS.0)]).checked_sub(1)?;
    (KEYS[number] == key_of_word).then(|| (WORDS[number].1, WORDS[number].2))
}

pub(super) fn letter(byte: u8) -> Option<Level> {
    Some(match byte {
        b'F' | b'C' => Level::Fatal,
        b'E' => Level::Error,
        b'W' => Level::Warn,
        b'I' => Level::Info,
        b'D' => Level::Debug,
        b'V' | b'T' => Level::Trace,
        _ => return None,
    })
}

/// The level that a field's value names, in whatever case.
pub(super) fn named(value: &[u8]) -> Option<Level> {
    let value = value.trim_ascii();
    match value.len() {
        1 => letter(value[0].to_ascii_uppercase()),
        // MongoDB's `D1` to `D5`.
        2 if value[0] == b'D' && value[1].is_ascii_digit() => Some(Level::Debug),
        2..=8 => short_word(key(value)).map(|(level, _)| level),
        _ => long_word(value).map(|(level, _)| level),
    }
}

fn long_word(word: &[u8]) -> Option<(Level, Needs)> {
    if word.eq_ignore_ascii_case(b"emergency") {
        Some((Level::Fatal, Needs::Mark))
    } else if word.eq_ignore_ascii_case(b"information") {
        Some((Level::Info, Needs::MarkAlways))
    } else {
        None
    }
}

/// The first word that is a level.
pub(super) fn words(line: &[u8], head: &[u8]) -> Option<Level> {
    let end = head.len().min(WORD_BYTES);
    let (mut at, mut first) = (0, true);
    while at < end {
        let byte = head[at];
        if !WORD[byte as usize] {
            if byte == b'{' && head.get(at + 1) == Some(&b'"') {
                // What a collector put its own head before. Escapes moved things: then the rest is not the line's.
                let rest = if line.starts_with(&head[..at]) { &line[at..] } else { &head[at..] };
                return fields::json(rest, Want { time: false, level: true }).level;
            }
            if byte == b'%'
                && let Some(level) = cisco(&head[at..])
            {
                return Some(level);
            }
            at += 1;
            continue;
        }
        let (from, mut value) = (at, 0u64);
        while at < head.len() && WORD[head[at] as usize] {
            value = value << 8 | u64::from(head[at] | 0x20);
            at += 1;
        }
        let word = Word { head, from, to: at, first };
        let found = match at - from {
            1 | 2 => word.letter(),
            // What a collector put its own head before may be glog's.
            5 if head[from + 1].is_ascii_digit() => {
                locate::glog(&head[from..]).and_then(|_| letter(head[from]))
            }
            3..=8 => short_word(value).and_then(|(level, needs)| word.judge(level, needs)),
            9 | 11 => long_word(&head[from..at]).and_then(|(level, needs)| word.judge(level, needs)),
            _ => None,
        };
        if found.is_some() {
            return found;
        }
        first = first && tells_time(&head[from..at], value);
    }
    None
}

/// `%ASA-4-106023:`
fn cisco(text: &[u8]) -> Option<Level> {
    let dash =
        text[1..text.len().min(24)].iter().position(|byte| !byte.is_ascii_uppercase() && *byte != b'_')? + 1;
    match text.get(dash..dash + 3)? {
        [b'-', digit, b'-'] if dash > 2 => level::severity(u64::from(digit.wrapping_sub(b'0'))),
        _ => None,
    }
}

/// The words that times are made of, besides numbers.
const TIME_WORDS: [u64; 33] = {
    const NAMES: &[u8; 99] = b"janfebmaraprmayjunjulaugsepoctnovdecmontuewedthufrisatsunutcgmtcetestedtpstpdtmskeetwetjstcstbstist";
    let (mut keys, mut at) = ([0; 33], 0);
    while at < keys.len() {
        keys[at] = key(&[NAMES[3 * at], NAMES[3 * at + 1], NAMES[3 * at + 2]]);
        at += 1;
    }
    keys
};

/// True for the parts of a time; `key` is that of the word.
fn tells_time(word: &[u8], key: u64) -> bool {
    match word.len() {
        _ if word[0].is_ascii_digit() => true,
        1 => matches!(word[0], b'T' | b'Z'),
        2 => matches!(word, b"AM" | b"PM"),
        3 => TIME_WORDS.contains(&key),
        4 => matches!(word, b"CEST" | b"EEST" | b"WEST"),
        _ => false,
    }
}

/// A word in its place.
struct Word<'a> {
    head: &'a [u8],
    from: usize,
    to: usize,
    /// Nothing but a time came before it.
    first: bool,
}

impl Word<'_> {
    fn before(&self) -> u8 {
        self.from.checked_sub(1).map_or(0, |at| self.head[at])
    }

    fn after(&self) -> u8 {
        self.head.get(self.to).copied().unwrap_or(0)
    }

    /// One letter counts in brackets, or between blanks right after the time; `D1` to `D5` are MongoDB's.
    fn letter(&self) -> Option<Level> {
        let word = &self.head[self.from..self.to];
        if word.len() == 2 && !(word[0] == b'D' && (b'1'..=b'5').contains(&word[1])) {
            return None;
        }
        let level = letter(word[0])?;
        let fits = match (self.before(), self.after()) {
            (b'[', b']') | (b'(', b')') | (b'<', b'>') => true,
            (b'[', b' ') => {
                self.from == 1 && self.head.get(2..4).is_some_and(|next| next[1].is_ascii_digit())
            }
            (0, b',') => self.head.get(self.to..self.to + 3) == Some(b", ["),
            (b' ' | b'\t', b' ' | b'\t') => self.first && self.from > 8,
            (b'|', b'|') => true,
            _ => false,
        };
        fits.then_some(level)
    }

    fn judge(&self, level: Level, needs: Needs) -> Option<Level> {
        let (before, after) = (self.before(), self.after());
        let word = &self.head[self.from..self.to];
        if before == b'=' || before == b'"' && self.from > 1 && self.head[self.from - 2] == b'=' {
            let key = &self.head[..self.from - if before == b'=' { 1 } else { 2 }];
            let start = key
                .iter()
                .rposition(|byte| matches!(byte, b' ' | b'\t' | b',' | b'{'))
                .map_or(0, |at| at + 1);
            return fields::names_level(&key[start..]).then_some(level);
        }
        let caps = word.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        let title = word[0].is_ascii_uppercase();
        let lower = !caps && word[1..].iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let open = match before {
            0 | b' ' | b'\t' | b'[' | b'(' | b'<' | b'|' | b':' | b',' | b'-' | b'*' | b']' | b'#' => true,
            b'"' => after == b'"',
            b'\'' => after == b'\'',
            b'/' => after == b']',
            b'.' => return self.facility().then_some(level),
            _ => false,
        };
        let closed = match after {
            0 | b' ' | b'\t' | b']' | b')' | b'>' | b'|' | b':' | b',' | b'"' | b'\'' | b'}' | b'['
            | b';' => true,
            b'/' => caps,
            _ => false,
        };
        if !(open && closed && (caps || lower)) {
            return None;
        }
        let counts = match needs {
            Needs::Place => caps || self.first || self.marked(caps, title),
            Needs::Mark => caps || self.marked(caps, title),
            // A time has room before it: a line that only begins with `LOG` says nothing.
            Needs::MarkAlways => self.marked(caps, title) || caps && self.first && self.from > 8,
        };
        counts.then_some(level)
    }

    /// True if the word is set apart: in brackets, between bars or dashes, before a colon.
    fn marked(&self, caps: bool, title: bool) -> bool {
        let left = self.head[..self.from].iter().rev().find(|byte| !matches!(byte, b' ' | b'\t'));
        let right = self.head[self.to..].iter().find(|byte| !matches!(byte, b' ' | b'\t'));
        let (left, right) = (left.copied().unwrap_or(0), right.copied().unwrap_or(0));
        match (left, right) {
            (b'[', b']') | (b'(', b')') | (b'<', b'>') | (b'"', b'"') | (b'|', b'|') => return true,
            (b':', b']') if self.before() == b':' => return true,
            (b'-', b'-') if self.before() == b' ' && self.after() == b' ' => return true,
            _ => {}
        }
        if self.before() == b'\t' && self.after() == b'\t' {
            return true;
        }
        // `fatal error: ` is one mark.
        let rest = &self.head[self.to..];
        let colon = rest.starts_with(b":") || rest.len() > 7 && rest[..7].eq_ignore_ascii_case(b" error:");
        let ends = matches!(rest.get(1), None | Some(b' ' | b'\t' | b'e' | b'E'));
        colon
            && (caps
                || title
                || ends && (self.first || matches!(left, b':' | b']' | b')' | b'>' | b'-' | b'|')))
    }

    /// `daemon.err`, as logread writes it.
    fn facility(&self) -> bool {
        const NAMES: [&[u8]; 13] = [
            b"kern",
            b"user",
            b"mail",
            b"daemon",
            b"auth",
            b"syslog",
            b"lpr",
            b"news",
            b"uucp",
            b"cron",
            b"authpriv",
            b"ftp",
            b"local",
        ];
        let text = &self.head[..self.from - 1];
        let start = text.iter().rposition(|&byte| !WORD[byte as usize]).map_or(0, |at| at + 1);
        let name = text[start..].trim_suffix_digit();
        self.after() == b' ' && NAMES.contains(&name)
    }
}

trait TrimDigit {
    fn trim_suffix_digit(&self) -> &[u8];
}

impl TrimDigit for [u8] {
    fn trim_suffix_digit(&self) -> &[u8] {
        match self.split_last() {
            Some((last, rest)) if last.is_ascii_digit() => rest,
            _ => self,
        }
    }
}
