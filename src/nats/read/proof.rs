//! Whether a stream still is what was read of it.
//!
//! A store that lost what it had acknowledged (a power loss, a copy that was put back) gives the same numbers to other
//! messages. When each was stored tells them apart.

use super::Stop;
use crate::log::ledger::{Found, Ledger, Message};
use crate::nats::stream::Stream;
use std::time::Duration;

/// How long a look at one message takes at most.
const GET_TIMEOUT: Duration = Duration::from_secs(2);
/// How often a message that is not there is looked for, and the wait between: a replica that lags does not have it yet.
const GET_TRIES: u32 = 3;
const GET_AGAIN: Duration = Duration::from_millis(200);

/// Whether a message that came again, for a server began before the number it was given, is the one that was read.
pub(super) fn is_known(ledger: &Ledger, sequence: u64, stored: u64) -> Result<bool, Stop> {
    Ok(match ledger.find(sequence)? {
        Found::Here(message) => message.stored == stored,
        // It held no whole line, or was of no use any more: nothing tells that it is another.
        _ => true,
    })
}

/// The number of the last message that was read and is still the one that was read; `last` is that of the last one that
/// was read. What the stream has deleted by its own rules counts as there.
pub(super) async fn still_there(stream: &Stream, ledger: &Ledger, last: u64) -> Result<u64, Stop> {
    let state = &stream.info.state;
    let same = async |message: &Message| -> Result<bool, Stop> {
        if message.sequence < state.first_seq {
            return Ok(true);
        }
        // Without direct get nothing but the numbers tell.
        if message.sequence > state.last_seq || !stream.info.config.allow_direct {
            return Ok(message.sequence <= state.last_seq);
        }
        for tries in 0..GET_TRIES {
            if tries > 0 {
                tokio::time::sleep(GET_AGAIN).await;
            }
            if let Some(found) = stream.get(message.sequence, GET_TIMEOUT).await? {
                return Ok((found.time / 1_000_000) as u64 == message.stored);
            }
        }
        // One that is not there was deleted: nothing else may have its number.
        Ok(true)
    };
    let Some(newest) = ledger.last()? else { return Ok(last.min(state.last_seq)) };
    if last <= state.last_seq && same(&newest).await? {
        return Ok(last);
    }
    // The greatest that is the same: all before it are too.
    let oldest = ledger.first()?.map_or(0, |first| first.sequence.saturating_sub(1));
    let (mut low, mut high) = (oldest, newest.sequence);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        let message = match ledger.find(middle)? {
            Found::Here(message) | Found::Passed(message) => message,
            _ => newest,
        };
        match same(&message).await? {
            true => low = message.sequence.max(middle).min(high),
            false => high = middle - 1,
        }
    }
    Ok(low.min(state.last_seq))
}
