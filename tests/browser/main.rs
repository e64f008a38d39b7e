//! The browser tests: real Chromium, driven by thirtyfour, against the real program; and once through it in Firefox.
//!
//! Without `/usr/bin/chromium`, `/usr/bin/chromedriver` or `/usr/bin/firefox-esr` each test says so and passes, unless
//! `LOGCAST_TEST_BROWSER=1` (as in `.ci/run`): then it fails. Every test ends with a look at the browser's own
//! log: a console error, a report of the content security policy or an open dialog fails it.

#![allow(clippy::print_stderr, reason = "what a failed or skipped test has to say goes to stderr")]

#[allow(dead_code, unused_imports, reason = "the helpers of both test binaries; each uses its part")]
#[path = "../it/support/mod.rs"]
mod support;

#[cfg(feature = "nats")]
#[allow(dead_code, reason = "a helper of both test binaries; each uses its part")]
#[path = "../it/nats/fake.rs"]
mod fake;

mod access;
mod asking;
mod chromium;
mod code;
mod comfort;
mod figures;
mod filter;
mod find;
mod firefox;
mod going;
mod health;
mod keys;
mod marionette;
mod merged;
mod page;
mod pictures;
mod share;
mod states;
mod tutorial;
