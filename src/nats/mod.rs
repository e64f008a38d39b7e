//! Beyond one machine: NATS JetStream, as a place that log lines are shipped to and served from.
//!
//! What both halves share: the URL ([`url`]), the connection ([`connect`]), subjects ([`subject`]), what a message holds
//! ([`message`]) and the requests to a stream ([`stream`]). All errors are [`error::Error`]. `ship` publishes; nothing else
//! here writes to a stream.

pub mod connect;
pub mod error;
pub mod message;
pub mod read;
pub mod ship;
pub mod stream;
pub mod subject;
pub mod url;
