//! What must hold for any bytes (`tests/it/properties.rs`); the targets only call it.

#![allow(dead_code, missing_docs, reason = "parts of the tests' reader are for others")]

#[path = "../it/support/events.rs"]
mod events;
#[path = "../it/properties.rs"]
pub mod properties;

mod support {
    pub(crate) use super::events;
}
