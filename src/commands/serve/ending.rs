//! The end that comes by itself: all sources have ended, and the clients that are there have all of them.

use super::ONCE_STALL;
use crate::live::feed::Hub;
use crate::live::source::State;
use std::time::{Duration, Instant};

/// Waits until all sources have ended.
pub(in crate::commands) async fn all_ended(hub: &Hub) {
    loop {
        let sources = hub.sources();
        if !sources.is_empty() && sources.iter().all(|source| source.status().state == State::Ended) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until the clients that are there have all, or take nothing any more.
pub(in crate::commands) async fn all_taken(hub: &Hub) {
    // Who read the URL may be on the way.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let (mut blocks, mut since) = (hub.blocks(), Instant::now());
    while hub.clients() > 0 && since.elapsed() < ONCE_STALL {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if hub.blocks() != blocks {
            (blocks, since) = (hub.blocks(), Instant::now());
        }
    }
}
