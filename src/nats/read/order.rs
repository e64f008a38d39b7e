//! Whether a message was left out on the way, told by what `ship` writes into each: where its bytes stand in the file.
//!
//! A reader's numbers tell nothing of that: other subjects' messages, and those that were deleted, leave holes in them
//! too. A hole in a file's bytes is looked at: what the stream has of them is asked for again.

use super::{At, LOOK_TIMEOUT, Reader, Stop, reason};
use crate::nats::error::Error;
use crate::nats::message::At as Range;
use std::collections::HashMap;

/// The most subjects that are remembered: some hundred bytes each.
const MOST_SUBJECTS: usize = 65_536;

/// How often a message that was left out is asked for again before that is told.
const LEFT_OUT_TRIES: u32 = 5;

/// The last range of each subject.
#[derive(Debug, Default)]
pub(super) struct Order(HashMap<String, Last>);

#[derive(Debug, Clone, Copy)]
struct Last {
    generation: u64,
    end: u64,
    sequence: u64,
}

impl Order {
    /// The number of the subject's last message, if a range does not go on where that one ended: between them something
    /// was lost, deleted or left out.
    pub(super) fn jumps(&self, subject: &str, at: &Range) -> Option<u64> {
        let last = self.0.get(subject)?;
        (last.generation == at.generation && at.start > last.end).then_some(last.sequence)
    }

    /// Remembers a range.
    pub(super) fn saw(&mut self, subject: &str, at: &Range, sequence: u64) {
        let last = Last { generation: at.generation, end: at.end, sequence };
        match self.0.get_mut(subject) {
            Some(own) => *own = last,
            None => {
                if self.0.len() == MOST_SUBJECTS {
                    self.0.clear();
                }
                self.0.insert(subject.to_owned(), last);
            }
        }
    }

    /// Forgets all: the stream is another one.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

impl Reader {
    /// Looks whether a message of a subject was left out before this one, where its range says that it may be so.
    pub(super) async fn all_came(
        &mut self,
        at: &At,
        subject: &str,
        range: &Range,
        sequence: u64,
    ) -> Result<(), Stop> {
        let Some(last) = self.order.jumps(subject, range).filter(|_| at.stream.info.config.allow_direct)
        else {
            return Ok(());
        };
        let next = at.stream.next(subject, last + 1, LOOK_TIMEOUT).await?;
        if next.is_none_or(|next| next.seq >= sequence) {
            // What is not there was deleted, or lost by the shipper, which told it.
            return Ok(());
        }
        let tries = self.left_out.filter(|(before, _)| *before == sequence).map_or(0, |(_, tries)| tries);
        self.left_out = Some((sequence, tries + 1));
        if tries < LEFT_OUT_TRIES {
            // Another consumer, on another server perhaps, begins behind what came last.
            return Err(Error::Unavailable { cause: "messages were left out on the way".to_owned() }.into());
        }
        at.writer.say("gap", reason("messages were left out on the way"));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_that_does_not_go_on_is_found() {
        let at = |generation, start, end| Range { generation, check: 0, start, end };
        let mut order = Order::default();
        assert_eq!(order.jumps("a", &at(1, 5, 9)), None, "it began before");
        order.saw("a", &at(1, 5, 9), 7);
        assert_eq!(order.jumps("a", &at(1, 9, 12)), None);
        assert_eq!(order.jumps("a", &at(1, 10, 12)), Some(7));
        assert_eq!(order.jumps("a", &at(1, 5, 9)), None, "what comes again leaves nothing out");
        assert_eq!(order.jumps("a", &at(2, 10, 12)), None, "another life");
        assert_eq!(order.jumps("b", &at(1, 10, 12)), None);
        for n in 0..MOST_SUBJECTS {
            order.saw(&n.to_string(), &at(1, 0, 1), 1);
        }
        assert!(order.0.len() <= MOST_SUBJECTS);
        order.clear();
        assert_eq!(order.jumps("1", &at(1, 10, 12)), None);
    }
}
