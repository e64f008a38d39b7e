//! Access logs: a line for each request that was answered.

use super::clock::Clock;
use super::fields::{client, path};
use super::pen::{number, word, words};
use super::story::Event;
use super::words::{AGENTS, USERS};

/// nginx's `combined`.
pub(super) fn nginx(out: &mut Vec<u8>, event: &Event, clock: &Clock) {
    client(out, event);
    word(out, " - - [");
    combined(out, event, clock, "HTTP/1.1");
}

/// Apache's `vhost_combined`, with the user who signed in.
pub(super) fn apache(out: &mut Vec<u8>, event: &Event, clock: &Clock) {
    word(out, "shop.example.org:443 ");
    client(out, event);
    words(out, &[" - ", if event.with_order { USERS[event.user] } else { "-" }, " ["]);
    combined(out, event, clock, "HTTP/2.0");
}

fn combined(out: &mut Vec<u8>, event: &Event, clock: &Clock, version: &str) {
    clock.push_clf(out);
    words(out, &["] \"", event.method, " "]);
    path(out, event);
    words(out, &[" ", version, "\" "]);
    number(out, event.status.into());
    out.push(b' ');
    number(out, if event.status == 304 { 0 } else { 90 + event.rows * event.cents / 10 });
    let from = if event.method == "POST" { "https://shop.example.org/cart" } else { "-" };
    words(out, &[" \"", from, "\" \"", AGENTS[event.user % AGENTS.len()], "\""]);
}
