//! Formats of keys and values: JSON and logfmt.

use super::LOWER;
use super::clock::Clock;
use super::fields::{id, key, pairs, value};
use super::pen::{number, word, words};
use super::story::Event;

/// One object; a fault is told with its stack.
pub(super) fn json(out: &mut Vec<u8>, event: &Event, record: u64, clock: &Clock) {
    word(out, r#"{"time":""#);
    clock.push_iso(out);
    words(out, &[r#"","level":""#, LOWER[event.level], r#"","service":""#, event.service.name]);
    words(out, &[r#"","msg":""#, event.text, "\""]);
    if let Some(request) = event.request {
        word(out, r#","request":""#);
        id(out, request);
        out.push(b'"');
    }
    for &field in event.fields {
        let (key, is_number) = key(field);
        words(out, &[",\"", key, if is_number { "\":" } else { "\":\"" }]);
        value(out, event, field);
        if !is_number {
            out.push(b'"');
        }
    }
    if let Some(fault) = event.fault {
        words(out, &[r#","error":""#, fault.cause, r#"","stack":""#, fault.python]);
        for frame in fault.frames {
            words(out, &[r"\n  at ", frame.package, ".", frame.class, ".", frame.method, ":"]);
            number(out, frame.line);
        }
        out.push(b'"');
    }
    word(out, r#","n":"#);
    number(out, record);
    out.push(b'}');
}

/// Pairs.
pub(super) fn logfmt(out: &mut Vec<u8>, event: &Event, record: u64, clock: &Clock) {
    word(out, "time=");
    clock.push_iso(out);
    words(out, &[" level=", LOWER[event.level], " service=", event.service.name]);
    words(out, &[" msg=\"", event.text, "\""]);
    pairs(out, event);
    if let Some(fault) = event.fault {
        words(out, &[" error=\"", fault.cause, "\" kind=", fault.python]);
    }
    word(out, " n=");
    number(out, record);
}
