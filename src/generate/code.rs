//! What the logging of programming languages writes, with stacks that go on over several lines.

use super::clock::Clock;
use super::fields::{id, key, sentence, value};
use super::pen::{hex, number, word, words};
use super::story::Event;
use super::words::{ERROR, Fault};
use super::{PYTHON, UPPER};

/// The levels in five columns.
const FIVE: [&str; 6] = ["TRACE", "DEBUG", "INFO ", "WARN ", "ERROR", "FATAL"];
/// Rust's, which has none above ERROR.
const RUST: [&str; 6] = ["TRACE", "DEBUG", " INFO", " WARN", "ERROR", "ERROR"];
/// Colours by level, the last one white on red.
const COLOURS: [&str; 6] = ["\x1b[35m", "\x1b[34m", "\x1b[32m", "\x1b[33m", "\x1b[1;31m", "\x1b[1;37;41m"];

/// log4j, with the thread and a stack trace with its cause.
pub(super) fn log4j(out: &mut Vec<u8>, event: &Event, clock: &Clock) {
    clock.push_asctime(out);
    words(out, &[" ", FIVE[event.level], " [http-"]);
    number(out, event.request.map_or(0, |id| id % 16));
    words(out, &["] o.e.shop.", event.service.name, ".", event.service.class, " - "]);
    sentence(out, event);
    let Some(fault) = event.fault else { return };
    words(out, &["\norg.example.shop.ShopException: ", fault.over]);
    let (inner, outer) = fault.frames.split_at(fault.frames.len() / 2);
    java_frames(out, outer);
    words(out, &["\nCaused by: ", fault.java, ": ", fault.cause]);
    java_frames(out, inner);
    word(out, "\n\t... ");
    number(out, outer.len() as u64);
    word(out, " more");
}

fn java_frames(out: &mut Vec<u8>, frames: &[super::words::Frame]) {
    for frame in frames {
        words(out, &["\n\tat org.example.shop.", frame.package, ".", frame.class, ".", frame.method, "("]);
        words(out, &[frame.class, ".java:"]);
        number(out, frame.line);
        out.push(b')');
    }
}

/// Python's logging, with a traceback.
pub(super) fn python(out: &mut Vec<u8>, event: &Event, clock: &Clock) {
    clock.push_asctime(out);
    words(out, &[" - shop.", event.service.name, " - ", PYTHON[event.level], " - "]);
    sentence(out, event);
    let Some(fault) = event.fault else { return };
    word(out, "\nTraceback (most recent call last):");
    for frame in fault.frames.iter().rev() {
        words(out, &["\n  File \"/srv/shop/", frame.package, ".py\", line "]);
        number(out, frame.line);
        words(out, &[", in ", frame.method, "\n    ", frame.code]);
    }
    words(out, &["\n", fault.python, ": ", fault.cause]);
}

/// Go's log package with microseconds and file, and the goroutine's stack.
pub(super) fn go(out: &mut Vec<u8>, event: &Event, clock: &Clock) {
    clock.push_go(out);
    words(out, &[" ", event.service.name, ".go:"]);
    number(out, event.service.pid % 300 + event.text.len() as u64);
    words(out, &[": ", UPPER[event.level], " "]);
    sentence(out, event);
    let Some(fault) = event.fault else { return };
    word(out, "\ngoroutine ");
    number(out, event.request.map_or(1, |id| id % 900 + 17));
    word(out, " [running]:");
    for frame in fault.frames {
        words(
            out,
            &["\n\texample.org/shop/", frame.package, ".(*", frame.class, ").", frame.method, "(0xc000"],
        );
        hex::<6>(out, event.order * 64);
        words(out, &[")\n\t\t/srv/shop/", frame.package, "/", frame.method, ".go:"]);
        number(out, frame.line);
        word(out, " +0x1a4");
    }
}

/// Rust's tracing without colours: the span is the request.
pub(super) fn rust_tracing(out: &mut Vec<u8>, event: &Event, clock: &Clock) {
    clock.push_utc::<6>(out);
    words(out, &[" ", RUST[event.level], " "]);
    if let Some(request) = event.request {
        word(out, "request{id=");
        id(out, request);
        word(out, "}: ");
    }
    words(out, &["shop::", event.service.name, ": ", event.text]);
    for &field in event.fields {
        words(out, &[" ", key(field).0, "="]);
        value(out, event, field);
    }
    if let Some(fault) = event.fault {
        words(out, &[" error=\"", fault.cause, "\""]);
    }
}

/// The same for a terminal: levels, names and keys in colours, the service in one of 256, a mark in true colour.
pub(super) fn ansi(out: &mut Vec<u8>, event: &Event, clock: &Clock) {
    word(out, "\x1b[2m");
    clock.push_utc::<3>(out);
    words(out, &["\x1b[0m ", COLOURS[event.level], FIVE[event.level], "\x1b[0m \x1b[38;5;"]);
    number(out, event.service.pid % 200 + 20);
    words(out, &["m", event.service.name, "\x1b[0m ", event.text]);
    for &field in event.fields {
        words(out, &[" \x1b[3;36m", key(field).0, "\x1b[0m\x1b[2m=\x1b[0m"]);
        value(out, event, field);
    }
    if let Some(request) = event.request {
        word(out, " \x1b[2mrequest=");
        id(out, request);
        word(out, "\x1b[0m");
    }
    if event.level >= ERROR {
        word(out, " \x1b[38;2;255;135;0m\u{25cf}\x1b[0m");
        rest(out, event.fault);
    }
}

fn rest(out: &mut Vec<u8>, fault: Option<&Fault>) {
    if let Some(fault) = fault {
        words(out, &[" \x1b[4;31m", fault.cause, "\x1b[0m"]);
    }
}
