//! What generated lines look like: one function a style.

use super::clock::Clock;
use super::push_number;
use fastrand::Rng;

/// The levels, from the least to the most important.
pub const LEVELS: [&str; 5] = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];
/// How often each occurs if nothing is said: the tutorial's log has nothing but INFO.
pub const DEFAULT_WEIGHTS: [u32; LEVELS.len()] = [0, 1, 0, 0, 0];
/// A mix as a service writes it, for the other styles.
pub const MIXED_WEIGHTS: [u32; LEVELS.len()] = [12, 80, 5, 3, 0];

/// A style.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `TIME - log_app - INFO - log message num: 0`
    Tutorial,
    /// One JSON object a line.
    Json,
    /// `level=info msg="…"`
    Logfmt,
    /// nginx's access log, Combined Log Format.
    Nginx,
    /// log4j's, with stack traces.
    Java,
    /// What a daemon writes by way of syslog.
    Syslog,
}

impl Style {
    /// All of them.
    pub const ALL: [Style; 6] =
        [Style::Tutorial, Style::Json, Style::Logfmt, Style::Nginx, Style::Java, Style::Syslog];
}

/// Appends a record without its last newline: a line, or with a stack trace several.
pub fn push(style: Style, out: &mut Vec<u8>, number: u64, level: usize, rng: &mut Rng, clock: &Clock) {
    match style {
        Style::Tutorial => tutorial(out, number, level, clock),
        Style::Json => json(out, number, level, rng, clock),
        Style::Logfmt => logfmt(out, number, level, rng, clock),
        Style::Nginx => nginx(out, level, rng, clock),
        Style::Java => java(out, number, level, rng, clock),
        Style::Syslog => syslog(out, number, level, rng, clock),
    }
}

const WORDS: [&str; 8] = [
    "payment authorised",
    "cache miss",
    "order synced",
    "token refreshed",
    "checkout",
    "fetched rows",
    "retry",
    "queue drained",
];
const PATHS: [&str; 6] = ["/", "/api/orders", "/api/users/7", "/assets/app.js", "/login", "/health"];
const CLASSES: [&str; 4] =
    ["o.e.shop.OrderService", "o.e.shop.PaymentClient", "o.e.db.Pool", "o.e.http.Dispatcher"];

fn word(rng: &mut Rng) -> &'static [u8] {
    WORDS[rng.usize(0..WORDS.len())].as_bytes()
}

fn tutorial(out: &mut Vec<u8>, number: u64, level: usize, clock: &Clock) {
    clock.push_asctime(out);
    out.extend_from_slice(b" - log_app - ");
    out.extend_from_slice(LEVELS[level].as_bytes());
    out.extend_from_slice(b" - log message num: ");
    push_number(out, number);
}

fn json(out: &mut Vec<u8>, number: u64, level: usize, rng: &mut Rng, clock: &Clock) {
    out.extend_from_slice(br#"{"time":""#);
    clock.push_iso(out);
    out.extend_from_slice(br#"","level":""#);
    out.extend(LEVELS[level].bytes().map(|byte| byte.to_ascii_lowercase()));
    out.extend_from_slice(br#"","msg":""#);
    out.extend_from_slice(word(rng));
    out.extend_from_slice(br#"","order":"#);
    push_number(out, rng.u64(10_000..999_999));
    out.extend_from_slice(br#","ms":"#);
    push_number(out, rng.u64(1..900));
    out.extend_from_slice(br#","user":{"id":"#);
    push_number(out, rng.u64(1..99_999));
    out.extend_from_slice(br#","plan":"pro"},"n":"#);
    push_number(out, number);
    out.push(b'}');
}

fn logfmt(out: &mut Vec<u8>, number: u64, level: usize, rng: &mut Rng, clock: &Clock) {
    out.extend_from_slice(b"time=");
    clock.push_iso(out);
    out.extend_from_slice(b" level=");
    out.extend(LEVELS[level].bytes().map(|byte| byte.to_ascii_lowercase()));
    out.extend_from_slice(b" msg=\"");
    out.extend_from_slice(word(rng));
    out.extend_from_slice(b"\" shard=");
    push_number(out, rng.u64(0..64));
    out.extend_from_slice(b" took=");
    push_number(out, rng.u64(1..500));
    out.extend_from_slice(b"ms n=");
    push_number(out, number);
}

fn nginx(out: &mut Vec<u8>, level: usize, rng: &mut Rng, clock: &Clock) {
    for part in 0..4 {
        if part > 0 {
            out.push(b'.');
        }
        push_number(out, if part == 0 { 10 } else { rng.u64(0..255) });
    }
    out.extend_from_slice(b" - - [");
    clock.push_clf(out);
    out.extend_from_slice(b"] \"GET ");
    out.extend_from_slice(PATHS[rng.usize(0..PATHS.len())].as_bytes());
    out.extend_from_slice(b" HTTP/1.1\" ");
    out.extend_from_slice([&b"304"[..], b"200", b"404", b"502", b"500"][level]);
    out.push(b' ');
    push_number(out, rng.u64(120..50_000));
    out.extend_from_slice(b" \"-\" \"Mozilla/5.0 (X11; Linux x86_64)\"");
}

fn java(out: &mut Vec<u8>, number: u64, level: usize, rng: &mut Rng, clock: &Clock) {
    clock.push_asctime(out);
    out.push(b' ');
    out.extend_from_slice([&b"DEBUG"[..], b"INFO ", b"WARN ", b"ERROR", b"FATAL"][level]);
    out.extend_from_slice(b" [worker-");
    push_number(out, rng.u64(1..16));
    out.extend_from_slice(b"] ");
    out.extend_from_slice(CLASSES[rng.usize(0..CLASSES.len())].as_bytes());
    out.extend_from_slice(b" - ");
    out.extend_from_slice(word(rng));
    out.extend_from_slice(b" #");
    push_number(out, number);
    if level >= 3 {
        out.extend_from_slice(b"\njava.lang.IllegalStateException: pool closed");
        for _ in 0..rng.usize(3..12) {
            out.extend_from_slice(b"\n\tat ");
            out.extend_from_slice(CLASSES[rng.usize(0..CLASSES.len())].as_bytes());
            out.extend_from_slice(b".run(Source.java:");
            push_number(out, rng.u64(10..900));
            out.push(b')');
        }
    }
}

fn syslog(out: &mut Vec<u8>, number: u64, level: usize, rng: &mut Rng, clock: &Clock) {
    clock.push_syslog(out);
    out.extend_from_slice(b" shop-1 orderd[");
    push_number(out, rng.u64(800..820));
    out.extend_from_slice(b"]: ");
    out.extend_from_slice([&b"debug"[..], b"info", b"warning", b"error", b"crit"][level]);
    out.extend_from_slice(b": ");
    out.extend_from_slice(word(rng));
    out.extend_from_slice(b" n=");
    push_number(out, number);
}
