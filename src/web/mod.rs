//! HTTP: one file per group of routes.
//!
//! warp is the router; connections are accepted and bounded by [`server`]. Every request passes one gate
//! ([`auth`]), every error is a [`problem`] (RFC 9457).

pub mod access;
pub mod asker;
pub mod assets;
pub mod auth;
pub mod download;
pub mod files;
pub mod filters;
pub mod histogram;
pub mod limits;
pub mod lines;
pub mod metrics;
pub mod owner;
pub mod params;
pub mod people;
pub mod problem;
pub mod range;
pub mod raw;
pub mod routes;
pub mod search;
pub mod server;
pub mod stream;
pub mod tls;
pub mod tries;

use crate::live::backlog::Backlog;
use crate::live::counts::Counter;
use crate::live::feed::Hub;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What the routes need.
#[derive(Debug)]
pub struct State {
    /// What is followed.
    pub hub: Arc<Hub>,
    /// Who may ask.
    pub policy: auth::Policy,
    /// What a client without a cursor gets first, if it does not say.
    pub backlog: Backlog,
    /// The page's title.
    pub title: Option<String>,
    /// Patterns that the page marks.
    pub highlight: Vec<String>,
    /// The certificate, where it speaks TLS.
    pub tls: Option<tls::Tls>,
    /// Requests that were refused.
    pub refused: routes::Refused,
    /// Connections that ended by a fault of ours.
    pub panics: Counter,
    /// How much at once.
    pub limits: limits::Limits,
    /// Where requests are written down.
    pub access: Option<access::Log>,
    /// Cancelled when the server stops: streams end.
    pub stop: CancellationToken,
    /// How long connections have then to end by themselves; [`server::DRAIN`] if nobody says.
    pub drain: OnceLock<Duration>,
}

impl State {
    /// What serves on loopback to everybody there, with nothing that an option would say.
    pub fn on_loopback(hub: Arc<Hub>) -> State {
        State {
            hub,
            policy: auth::Policy::default(),
            backlog: Backlog::Last(10),
            title: None,
            highlight: Vec::new(),
            tls: None,
            refused: routes::Refused::default(),
            panics: Counter::default(),
            limits: limits::Limits::new(usize::MAX, limits::PER_ADDRESS),
            access: None,
            stop: CancellationToken::new(),
            drain: OnceLock::new(),
        }
    }
}
