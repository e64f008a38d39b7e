//! logcast turns log files into a URL: it follows files and serves them over HTTP as a Server-Sent Events
//! stream and as a live page.
//!
//! The idea in one sentence: **the file is the buffer**. The server keeps no history; a client is a
//! [cursor](log::cursor) into the followed file, and sending is reading forward from it.
//!
//! The modules are layers, and imports go down only (`tests/it/layers.rs` reads the `use` lines):
//! `cli` (5) → `commands`, `generate` (4) → `web` (3) → `live`, `nats` (2) → `log` files (1) → `log` pure (0).

#![forbid(unsafe_code)]

pub mod cli;
pub mod commands;
pub mod generate;
pub mod live;
pub mod log;
#[cfg(feature = "nats")]
pub mod nats;
pub mod web;
