//! The integration tests: one binary, a module per theme, the real program in a folder of its own each time.
//!
//! The invariant behind most of them: the data of all events, joined, equals the complete lines written, in
//! order, each once, unless a `gap` says otherwise. Numbers in doc comments are rows of the fault catalogue.

#![allow(clippy::print_stderr, reason = "what a failed or skipped test has to say goes to stderr")]

mod support;

mod accesslog;
mod archives;
mod cli;
mod clients;
mod comfort;
mod encodings;
mod errors;
mod filter;
mod follow;
mod formats;
mod fuzz;
mod generate;
mod guard;
mod history;
mod index;
mod input;
mod layers;
mod limits;
mod machine;
mod metrics;
mod model;
#[cfg(feature = "nats")]
mod nats;
mod package;
mod pipelines;
mod private;
mod process;
mod properties;
mod proxies;
mod raw;
mod records;
mod redact;
mod resume;
mod rotate;
mod roundtrip;
mod run;
mod search;
mod shells;
mod soak;
mod stream;
mod supply;
mod systemd;
mod tail;
mod threats;
mod tls;
