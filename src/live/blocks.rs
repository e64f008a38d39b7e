//! Blocks that clients read on their own account and share: many that lag, or that begin at the same place, read and
//! encode each block once.
//!
//! Blocks end at the last line before a multiple of their size, so that readers from any place meet at the same edges
//! after one block. The cache is small and short-lived: it serves those who read side by side, and is never the truth.

use super::feed::lock;
use crate::log::encode::Stamp;
use crate::log::segment::Place;
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::OnceCell;

/// The most blocks that a view keeps: with the largest encoded ones some 4 MiB.
const MAX_BLOCKS: usize = 12;

/// A block once somebody has read it: its bytes on the wire and the place behind its last line.
pub(super) type Slot = OnceCell<(Bytes, Place)>;

/// What a block depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    /// The segment's number.
    pub(super) serial: u64,
    /// Where it begins.
    pub(super) from: Place,
    /// The offset that it must not pass.
    pub(super) to: u64,
    /// What stands around the moving part of its ids.
    pub(super) stamp: Stamp,
}

/// The blocks of a view that were read last.
#[derive(Debug, Default)]
pub(super) struct Blocks(Mutex<VecDeque<(Key, Arc<Slot>, Instant)>>);

impl Blocks {
    /// The slot of a block, made if there is none.
    pub(super) fn slot(&self, key: Key) -> Arc<Slot> {
        let mut blocks = lock(&self.0);
        // The newest are at the back, and wanted most.
        if let Some((_, slot, _)) = blocks.iter().rev().find(|(own, ..)| *own == key) {
            return slot.clone();
        }
        if blocks.len() == MAX_BLOCKS {
            blocks.pop_front();
        }
        let slot = Arc::new(Slot::new());
        blocks.push_back((key, slot.clone(), Instant::now()));
        slot
    }

    /// Gives up what is older than `age`.
    pub(super) fn expire(&self, age: Duration) {
        lock(&self.0).retain(|(_, _, at)| at.elapsed() <= age);
    }
}

/// Where a block of about `size` bytes from an offset ends at most.
pub(super) fn edge(from: u64, size: u64) -> u64 {
    let next = (from / size + 1) * size;
    // A last line ends a little before an edge; the block after it is not the rest up to there.
    if next - from < size / 4 { next + size } else { next }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_from_any_place_meet_at_the_same_edges() {
        assert_eq!(edge(0, 100), 100);
        assert_eq!(edge(60, 100), 100);
        assert_eq!(edge(90, 100), 200);
        assert_eq!(edge(100, 100), 200);
    }

    #[test]
    fn a_block_is_one_slot_and_old_ones_go() {
        let blocks = Blocks::default();
        let key =
            |offset| Key { serial: 1, from: Place { offset, check: 7 }, to: 900, stamp: Stamp::default() };
        let first = blocks.slot(key(0));
        assert!(Arc::ptr_eq(&first, &blocks.slot(key(0))));
        for offset in 1..=MAX_BLOCKS as u64 {
            blocks.slot(key(offset));
        }
        assert!(!Arc::ptr_eq(&first, &blocks.slot(key(0))));
        blocks.expire(Duration::ZERO);
        assert!(lock(&blocks.0).is_empty());
    }
}
