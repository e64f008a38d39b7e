//! Where a reader begins in a stream that is there already.
//!
//! A server begins a bounded number of bytes before the end: that is the history that its clients find. Who wants more
//! (all of it, all since a time, all behind a message) gets it as it is read, from the first message of it on.

use super::{At, HISTORY_BYTES, Reader, Stop, earlier};
use crate::live::fed::Identity;
use crate::nats::stream::Stream;
use std::time::Duration;
use xxhash_rust::xxh3::xxh3_64;

/// How long a look at one message takes at most.
const GET_TIMEOUT: Duration = Duration::from_secs(2);

/// How much of what is there is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum History {
    /// The last bytes, about so many; all of them are read before anybody is told of one.
    Bytes(u64),
    /// Everything.
    All,
    /// What was stored from this time on, in ms since 1970.
    Since(u64),
    /// From a message on that was stored at this time, in ms since 1970; from that time on if it is another one.
    From {
        /// Its number.
        sequence: u64,
        /// When it was stored.
        stored: u64,
    },
}

impl History {
    /// What a server reads.
    pub const SERVED: History = History::Bytes(HISTORY_BYTES);
}

impl Reader {
    /// The place before the first message that is read.
    pub(super) async fn start(&self, stream: Stream) -> Result<At, Stop> {
        let state = &stream.info.state;
        let oldest = state.first_seq.saturating_sub(1);
        let first = match self.options.history {
            _ if self.was_none => oldest,
            History::Bytes(budget) => {
                let share = budget.min(self.feed.limit / 2) as f64 / state.bytes.max(1) as f64;
                let count = (state.messages as f64 * share.min(1.0)) as u64;
                // Where messages were deleted there are fewer than numbers: then there is less history.
                state.last_seq.saturating_sub(count).max(oldest)
            }
            History::All => oldest,
            History::Since(time) => since(&stream, time).await?,
            History::From { sequence, stored } => match stands(&stream, sequence, stored).await? {
                true => sequence.saturating_sub(1).max(oldest),
                false => since(&stream, stored).await?,
            },
        };
        let identity = self.identity(&stream, first + 1);
        let mut writer = self.feed.clone().write(identity)?;
        if self.was_none || !matches!(self.options.history, History::Bytes(_)) {
            writer.begin()?;
        }
        writer.set_engine(std::sync::Arc::new(earlier::Earlier::new(
            &self.options,
            &self.filters,
            &self.feed,
            identity,
        )));
        let (created, until) = (stream.info.created.clone(), state.last_seq);
        Ok(At { stream, writer, identity, created, last: first, until, short: None, arrived: false })
    }

    pub(super) fn identity(&self, stream: &Stream, start: u64) -> Identity {
        let own = format!("{}\n{}", stream.name, stream.info.created);
        let reading = format!("{own}\n{:?}\n{start}\n{}", self.filters, jiff::Timestamp::now());
        Identity {
            generation: (xxh3_64(reading.as_bytes()) & ((1 << 48) - 1)).max(2),
            tie: (xxh3_64(own.as_bytes()) & 0xfff) as u16,
            start,
        }
    }
}

/// Whether a message is the one that was stored at a time, as far as anybody can tell.
async fn stands(stream: &Stream, sequence: u64, stored: u64) -> Result<bool, Stop> {
    let state = &stream.info.state;
    if sequence < state.first_seq || sequence > state.last_seq || !stream.info.config.allow_direct {
        return Ok(sequence <= state.last_seq + 1);
    }
    let found = stream.get(sequence, GET_TIMEOUT).await?;
    // A place before the first message has no time.
    Ok(found.is_none_or(|found| stored <= 1 || (found.time / 1_000_000) as u64 == stored))
}

/// The number before the first message that was stored at a time or later, found by bisection; before everything where
/// single messages cannot be read.
async fn since(stream: &Stream, time: u64) -> Result<u64, Stop> {
    let state = &stream.info.state;
    let oldest = state.first_seq.saturating_sub(1);
    if !stream.info.config.allow_direct {
        return Ok(oldest);
    }
    let (mut before, mut from) = (oldest, state.last_seq + 1);
    while from - before > 1 {
        let middle = before + (from - before) / 2;
        match stream.get(middle, GET_TIMEOUT).await? {
            Some(found) if ((found.time / 1_000_000) as u64) < time => before = middle,
            // One that was deleted tells nothing: rather too early than too late.
            _ => from = middle,
        }
    }
    Ok(before)
}
