//! Making a stream that is not there.

use super::{Stream, api, info, strange};
use crate::nats::connect::Link;
use crate::nats::error::Error;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// The window in which servers look for doubled message ids, which we do not use.
const DUPLICATE_WINDOW: Duration = Duration::from_secs(120);
/// How often it is asked for while no answer comes, and how long after the last time.
const TRIES: usize = 3;
const PAUSE: Duration = Duration::from_millis(300);

/// Where a stream keeps its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// On disk.
    File,
    /// In memory.
    Memory,
}

/// How to make a stream that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Create {
    /// How many servers keep it; `None`: three in a cluster, else one.
    pub replicas: Option<usize>,
    /// How long a message is kept.
    pub retain: Duration,
    /// How much is kept in all, in bytes.
    pub retain_bytes: u64,
    /// Where.
    pub storage: Storage,
}

impl Stream {
    pub(super) async fn create(
        link: Arc<Link>,
        name: &str,
        filter: &str,
        create: &Create,
    ) -> Result<Stream, Error> {
        let clustered = link.client().server_info().cluster.is_some();
        let window = create.retain.min(DUPLICATE_WINDOW);
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).min(i64::MAX as u64);
        let mut config = json!({
            "name": name,
            "subjects": [filter],
            "storage": match create.storage { Storage::File => "file", Storage::Memory => "memory" },
            "retention": "limits",
            "discard": "old",
            "max_age": nanos(create.retain),
            "max_bytes": create.retain_bytes.min(i64::MAX as u64),
            "max_msgs": -1,
            "max_msgs_per_subject": -1,
            "max_consumers": -1,
            "max_msg_size": -1,
            "num_replicas": create.replicas.unwrap_or(if clustered { 3 } else { 1 }),
            "duplicate_window": nanos(window),
            "allow_direct": true,
        });
        if link.is_at_least(2, 10) {
            config["compression"] = json!("s2");
            config["metadata"] = json!({ "logcast": "1" });
        }
        let request = format!("STREAM.CREATE.{name}");
        let mut answer = api(&link, &request, &config).await;
        // An election may lose the answer to what was done; asked the same again, the server says what it made.
        for _ in 1..TRIES {
            if !matches!(&answer, Err(error) if error.waits()) {
                break;
            }
            tokio::time::sleep(PAUSE).await;
            answer = api(&link, &request, &config).await;
        }
        let body = answer?;
        match body.error {
            None => {
                let info = body.info.ok_or_else(|| strange("to STREAM.CREATE"))?;
                Ok(Stream { link, name: name.to_owned(), info, made: true })
            }
            // Another one was quicker, with other settings: it is as it is.
            Some(error) if error.err_code == 10058 => {
                let info = info(&link, name).await?.ok_or_else(|| strange("to STREAM.INFO"))?;
                Stream::checked(link, info, filter)
            }
            Some(error) => Err(Error::api(link.place(), &error)),
        }
    }
}
