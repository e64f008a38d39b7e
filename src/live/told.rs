//! What one who follows a single source waits for: that something moved, and what was lost.
//!
//! Views wake all their clients; who has thousands of sources to look after wants to hear of the one that moved.

use super::feed::lock;
use super::view::Content;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// How many losses are remembered until they are asked for; beyond that the oldest are told as one.
const MOST_LOSSES: usize = 64;

/// Lines that were lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// What happened.
    pub reason: String,
    /// How many bytes, if that is known.
    pub bytes: Option<u64>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Told {
    moved: Notify,
    wanted: AtomicBool,
    losses: Mutex<VecDeque<Loss>>,
}

impl Told {
    /// Says that losses are to be remembered from now on.
    pub fn want(&self) {
        self.wanted.store(true, Ordering::Release);
    }

    /// Waits until something moved since the last wait; one waits at a time.
    pub async fn moved(&self) {
        self.moved.notified().await;
    }

    /// Takes the oldest loss that was not taken yet.
    pub fn take_loss(&self) -> Option<Loss> {
        lock(&self.losses).pop_front()
    }

    /// Says what was published.
    pub(super) fn say(&self, content: &Content<'_>) {
        if !self.wanted.load(Ordering::Acquire) {
            return;
        }
        if let Content::Notice { name: "gap", body } = content {
            let mut losses = lock(&self.losses);
            losses.push_back(loss(body));
            if losses.len() > MOST_LOSSES {
                let (first, second) = (losses.pop_front(), losses.front_mut());
                if let (Some(first), Some(second)) = (first, second) {
                    second.bytes = first.bytes.zip(second.bytes).map(|(one, two)| one + two);
                }
            }
        }
        self.moved.notify_one();
    }
}

/// Reads the members of a `gap` notice.
fn loss(body: &str) -> Loss {
    let members: serde_json::Value = serde_json::from_str(&format!("{{{body}}}")).unwrap_or_default();
    let reason = members["reason"].as_str().unwrap_or("lines were lost").to_owned();
    Loss { reason, bytes: members["bytes"].as_u64() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_remembered_once_they_are_wanted_and_never_too_many() {
        let told = Told::default();
        let gap = |body: &str| Content::Notice { name: "gap", body: body.to_owned() };
        told.say(&gap(r#""reason":"before""#));
        assert_eq!(told.take_loss(), None);
        told.want();
        told.say(&gap(r#""file":"a","reason":"cut","bytes":7"#));
        let cut = Loss { reason: "cut".to_owned(), bytes: Some(7) };
        assert_eq!((told.take_loss(), told.take_loss()), (Some(cut), None));
        for _ in 0..MOST_LOSSES + 10 {
            told.say(&gap(r#""reason":"cut","bytes":1"#));
        }
        let all: Vec<Loss> = std::iter::from_fn(|| told.take_loss()).collect();
        assert_eq!(all.len(), MOST_LOSSES);
        assert_eq!(all.iter().filter_map(|loss| loss.bytes).sum::<u64>(), MOST_LOSSES as u64 + 10);
    }
}
