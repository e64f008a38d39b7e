//! What an event says beside its text: keys and values, for the formats to put together.

use super::pen::{hex, number, two, word};
use super::story::Event;
use super::words::{Field, USERS};

/// The key, and whether the value is a number.
pub(super) fn key(field: Field) -> (&'static str, bool) {
    match field {
        Field::Method => ("method", false),
        Field::Path => ("path", false),
        Field::Status => ("status", true),
        Field::Ms => ("ms", true),
        Field::User => ("user", false),
        Field::Client => ("client", false),
        Field::Order => ("order", true),
        Field::Amount => ("amount", true),
        Field::Rows => ("rows", true),
        Field::Attempt => ("attempt", true),
        Field::Version => ("version", false),
        Field::InUse => ("in_use", true),
    }
}

/// The value of a field; never a blank or a quote in it.
pub(super) fn value(out: &mut Vec<u8>, event: &Event, field: Field) {
    match field {
        Field::Method => word(out, event.method),
        Field::Path => path(out, event),
        Field::Status => number(out, event.status.into()),
        Field::Ms => number(out, event.ms),
        Field::User => word(out, USERS[event.user]),
        Field::Client => client(out, event),
        Field::Order => number(out, event.order),
        Field::Amount => {
            number(out, event.cents / 100);
            out.push(b'.');
            out.extend_from_slice(&two((event.cents % 100) as u32));
        }
        Field::Rows => number(out, event.rows),
        Field::Attempt => number(out, event.attempt),
        Field::Version => word(out, event.version),
        Field::InUse => number(out, event.in_use),
    }
}

/// The path of the request.
pub(super) fn path(out: &mut Vec<u8>, event: &Event) {
    word(out, event.path);
    if event.with_order {
        number(out, event.order);
    }
}

/// The address of the user: one of those that are kept for documentation.
pub(super) fn client(out: &mut Vec<u8>, event: &Event) {
    word(out, "198.51.100.");
    number(out, event.user as u64 + 10);
}

/// The id of the request.
pub(super) fn id(out: &mut Vec<u8>, id: u64) {
    hex::<12>(out, id);
}

/// The text, and ` key=value` for all that belongs to it; a fault in quotes.
pub(super) fn sentence(out: &mut Vec<u8>, event: &Event) {
    word(out, event.text);
    pairs(out, event);
    if let Some(fault) = event.fault {
        word(out, " error=\"");
        word(out, fault.cause);
        out.push(b'"');
    }
}

/// ` key=value` for the request and each field.
pub(super) fn pairs(out: &mut Vec<u8>, event: &Event) {
    if let Some(request) = event.request {
        word(out, " request=");
        id(out, request);
    }
    for &field in event.fields {
        out.push(b' ');
        word(out, key(field).0);
        out.push(b'=');
        value(out, event, field);
    }
}
