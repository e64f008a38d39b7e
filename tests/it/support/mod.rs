//! What the tests share: the program (`server`), a strict reader (`client`) and the hand that writes (`writer`).
//!
//! Every wait has a deadline and says what it waited for. Nothing here sleeps in order to synchronise: where a
//! fact can only be looked at, `wait_for` looks again until it holds.

pub(crate) mod client;
pub(crate) mod events;
pub(crate) mod http;
pub(crate) mod server;
pub(crate) mod writer;

pub(crate) use client::Client;
pub(crate) use events::Event;
pub(crate) use http::Response;
pub(crate) use server::Server;
pub(crate) use writer::{Place, numbered};

use std::time::{Duration, Instant};

/// How long anything may take on a loaded machine before it counts as broken.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);
/// The time between two looks at a fact.
pub(crate) const LOOK: Duration = Duration::from_millis(10);

/// Looks until `fact` gives something; panics with `what` after the deadline.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, mut fact: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = fact() {
            return found;
        }
        assert!(Instant::now() < end, "waited {DEADLINE:?} for {what}");
        std::thread::sleep(LOOK);
    }
}

/// Compares lines and shows the first place where they part.
#[track_caller]
pub(crate) fn assert_lines<A: AsRef<str>, B: AsRef<str>>(got: &[A], expected: &[B]) {
    let first = got.iter().zip(expected).position(|(a, b)| a.as_ref() != b.as_ref());
    if first.is_none() && got.len() == expected.len() {
        return;
    }
    let place = first.unwrap_or(got.len().min(expected.len()));
    let show = |text: Option<&str>| text.map(|text| text.chars().take(200).collect::<String>());
    panic!(
        "{} lines for {}; they part at number {place}: got {:?}, expected {:?}",
        got.len(),
        expected.len(),
        show(got.get(place).map(AsRef::as_ref)),
        show(expected.get(place).map(AsRef::as_ref)),
    );
}

/// Whether a program is installed; says so on stderr if not.
pub(crate) fn have(program: &str) -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()));
    if !found {
        eprintln!("skipped: there is no {program} on this machine");
    }
    found
}

/// Asserts that the events are lines out of `written`, in order, each once, with a `gap` wherever some are left out.
#[track_caller]
pub(crate) fn assert_nothing_lost_silently<S: AsRef<str>>(events: &[Event], written: &[S]) {
    let (mut at, mut gap) = (0, false);
    for event in events {
        if !event.is_line() {
            gap |= event.name == "gap";
            continue;
        }
        let found = written[at..].iter().position(|line| line.as_ref() == event.data);
        let jump = found.unwrap_or_else(|| {
            panic!("{:?} came after line {at}: doubled, out of order or never written", event.data)
        });
        assert!(jump == 0 || gap, "{jump} lines from {:?} on were lost in silence", written[at].as_ref());
        at += jump + 1;
        gap = false;
    }
    assert!(at == written.len() || gap, "nothing after line {at} of {}", written.len());
}
