//! The integration tests: one binary, a module per theme, the real program in a folder of its own each time.
//!
//! The invariant behind most of them: the data of all events, joined, equals the complete lines written, in
//! order, each once, unless a `gap` says otherwise. Numbers in doc comments are rows of the fault catalogue.

#![allow(clippy::print_stderr, reason = "what a failed or skipped test has to say goes to stderr")]

mod support;

mod archives;
mod cli;
mod clients;
mod comfort;
mod encodings;
mod errors;
mod filter;
mod follow;
mod formats;
mod generate;
mod history;
mod index;
mod input;
mod layers;
mod machine;
mod metrics;
mod model;
mod process;
mod raw;
mod records;
mod redact;
mod resume;
mod rotate;
mod roundtrip;
mod run;
mod search;
mod shells;
mod stream;
mod tail;
mod tls;
