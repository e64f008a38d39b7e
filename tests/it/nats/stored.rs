//! What a stream holds, read back message by message and put together again.

use logcast::nats::connect::Link;
use logcast::nats::message::Head;
use logcast::nats::stream::{Stream, Wanted};
use logcast::nats::url::Url;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;

const TIMEOUT: Duration = Duration::from_secs(10);

/// A message, its payload inflated.
pub(super) struct Message {
    pub(super) subject: String,
    pub(super) head: Head,
    pub(super) body: Vec<u8>,
}

/// A reader of one stream.
pub(super) struct Stored {
    runtime: Runtime,
    stream: Stream,
}

impl Stored {
    /// Connects; the stream `logs` has to be there.
    #[track_caller]
    pub(super) fn open(url: &str) -> Stored {
        Stored::named(url, "logs", "logs.>")
    }

    #[track_caller]
    pub(super) fn named(url: &str, name: &str, filter: &str) -> Stored {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let stream = runtime.block_on(async {
            let url = Url::parse(url, |_| None).expect("a URL");
            let link = Link::connect(&url, "test", Arc::new(|_| {})).await.expect("a connection");
            let wanted = Wanted {
                name: Some(name.to_owned()),
                usual: name.to_owned(),
                filter: filter.to_owned(),
                create: None,
            };
            let link = Arc::new(link);
            // During an election nobody answers.
            for _ in 0..100 {
                match Stream::open(link.clone(), &wanted).await {
                    Ok(stream) => return stream,
                    Err(error) if error.waits() => tokio::time::sleep(Duration::from_millis(100)).await,
                    Err(error) => panic!("{error}"),
                }
            }
            panic!("the stream cannot be opened");
        });
        Stored { runtime, stream }
    }

    /// All messages, in order.
    pub(super) fn messages(&self) -> Vec<Message> {
        self.runtime.block_on(async {
            let mut look = self.stream.look().await;
            // The server may have been killed and started again since the last look.
            for _ in 0..100 {
                if !matches!(&look, Err(error) if error.waits()) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
                look = self.stream.look().await;
            }
            let info = look.expect("an answer").expect("a stream");
            let mut messages = Vec::new();
            for seq in info.state.first_seq.max(1)..=info.state.last_seq {
                let Some(stored) = self.stream.get(seq, TIMEOUT).await.expect("an answer") else { continue };
                let body = stored.head.body(&stored.payload).expect("a payload that can be read");
                messages.push(Message { subject: stored.subject, head: stored.head, body: body.to_vec() });
            }
            messages
        })
    }

    /// The bytes of all messages of one generation after another, each generation's in order: ranges must join without
    /// holes or overlaps.
    #[track_caller]
    pub(super) fn generations(&self) -> Vec<(u64, Vec<u8>)> {
        join(&self.messages())
    }

    /// The same as one text.
    #[track_caller]
    pub(super) fn text(&self) -> Vec<u8> {
        self.generations().into_iter().flat_map(|(_, text)| text).collect()
    }

    /// Publishes a message as another program would.
    pub(super) fn publish(&self, subject: &str, payload: &str) {
        self.runtime.block_on(async {
            let payload = payload.to_owned().into_bytes().into();
            self.stream
                .append(subject, async_nats::HeaderMap::new(), payload, 0, TIMEOUT)
                .await
                .expect("an acknowledgement");
        });
    }

    /// Publishes a message with headers like ours behind the message with this number.
    pub(super) fn append(&self, subject: &str, head: &Head, payload: &str, expected: u64) {
        self.runtime.block_on(async {
            let payload = payload.to_owned().into_bytes().into();
            self.stream
                .append(subject, head.write(), payload, expected, TIMEOUT)
                .await
                .expect("an acknowledgement");
        });
    }

    /// Asks the API, and gives the answer.
    pub(super) fn ask(&self, name: &str, request: &str) -> String {
        self.runtime.block_on(async {
            let payload = request.to_owned().into_bytes().into();
            let answer = self.stream.link().request(&format!("$JS.API.{name}"), None, payload, TIMEOUT).await;
            String::from_utf8_lossy(&answer.expect("an answer").payload).into_owned()
        })
    }
}

/// Joins the ranges of each generation.
#[track_caller]
pub(super) fn join(messages: &[Message]) -> Vec<(u64, Vec<u8>)> {
    let mut joined: Vec<(u64, u64, Vec<u8>)> = Vec::new();
    for message in messages {
        let at = message.head.at.expect("a message of ours");
        if message.body.is_empty() {
            continue;
        }
        match joined.iter_mut().find(|(generation, ..)| *generation == at.generation) {
            Some((_, end, text)) => {
                assert_eq!(at.start, *end, "a hole or an overlap: {at} in {}", message.subject);
                *end = at.end;
                text.extend_from_slice(&message.body);
            }
            None => joined.push((at.generation, at.end, message.body.clone())),
        }
        assert_eq!(at.end - at.start, message.body.len() as u64, "{at}");
    }
    joined.into_iter().map(|(generation, _, text)| (generation, text)).collect()
}

/// Compares what is stored with what was written, and says where they part.
#[track_caller]
pub(super) fn assert_same(stored: &[u8], written: &[u8]) {
    if stored == written {
        return;
    }
    let at = stored.iter().zip(written).position(|(a, b)| a != b).unwrap_or(stored.len().min(written.len()));
    let show = |text: &[u8]| {
        String::from_utf8_lossy(&text[at.saturating_sub(60)..text.len().min(at + 60)]).into_owned()
    };
    panic!(
        "{} bytes stored of {}; they part at {at}: {:?} instead of {:?}",
        stored.len(),
        written.len(),
        show(stored),
        show(written)
    );
}
