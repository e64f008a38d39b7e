//! What the system keeps of programs: syslog's two formats, and a container's output on a Kubernetes node.

use super::clock::Clock;
use super::fields::{id, key, sentence, value};
use super::pen::{number, word, words};
use super::story::Event;
use super::words::ERROR;
use super::{LOWER, UPPER};

/// The severities of syslog, by level.
const SEVERITIES: [u64; 6] = [7, 7, 6, 4, 3, 2];
/// `local0`.
const FACILITY: u64 = 16;

fn priority(out: &mut Vec<u8>, event: &Event) {
    out.push(b'<');
    number(out, 8 * FACILITY + SEVERITIES[event.level]);
    out.push(b'>');
}

/// RFC 3164.
pub(super) fn syslog(out: &mut Vec<u8>, event: &Event, clock: &Clock) {
    priority(out, event);
    clock.push_syslog(out);
    words(out, &[" shop-1 ", event.service.name, "["]);
    number(out, event.service.pid);
    word(out, "]: ");
    sentence(out, event);
}

/// RFC 5424; what belongs to the text is structured data.
pub(super) fn syslog5424(out: &mut Vec<u8>, event: &Event, clock: &Clock) {
    priority(out, event);
    word(out, "1 ");
    clock.push_iso(out);
    words(out, &[" shop-1.example.org ", event.service.name, " "]);
    number(out, event.service.pid);
    words(out, &[" ", UPPER[event.level], " "]);
    let Some(request) = event.request else {
        word(out, "- ");
        word(out, event.text);
        return;
    };
    word(out, "[shop@32473 request=\"");
    id(out, request);
    out.push(b'"');
    for &field in event.fields {
        words(out, &[" ", key(field).0, "=\""]);
        value(out, event, field);
        out.push(b'"');
    }
    words(out, &["] ", event.text]);
    if let Some(fault) = event.fault {
        words(out, &[": ", fault.cause]);
    }
}

/// A container's output: the runtime's head before each line; a stack is as many entries as it has lines, and a
/// long line comes in parts.
pub(super) fn cri(out: &mut Vec<u8>, event: &Event, record: u64, clock: &Clock) {
    let stream = if event.level >= ERROR { " stderr " } else { " stdout " };
    let head = |out: &mut Vec<u8>, tag: &str| {
        clock.push_utc::<9>(out);
        words(out, &[stream, tag, " "]);
    };
    let is_cut = record % 50 == 49;
    head(out, if is_cut { "P" } else { "F" });
    words(out, &["level=", LOWER[event.level], " service=", event.service.name, " msg=\"", event.text, "\""]);
    if is_cut {
        out.push(b'\n');
        head(out, "F");
    }
    super::fields::pairs(out, event);
    let Some(fault) = event.fault else { return };
    words(out, &[" error=\"", fault.cause, "\""]);
    for frame in fault.frames {
        out.push(b'\n');
        head(out, "F");
        words(out, &["    at ", frame.package, ".", frame.method, ":"]);
        number(out, frame.line);
    }
}
