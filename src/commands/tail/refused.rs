//! Why a server gives no stream, in the words of this program, and whether that is a matter of time.

use super::stream::Stream;
use crate::commands::{Failure, PLAIN_CHARACTERS, http, plain};
use hyper::body::Incoming;
use hyper::{Response, header};
use serde_json::Value;

/// Why there is no stream, and whether it is a matter of time.
pub(super) struct Refusal {
    /// What to say.
    pub(super) failure: Failure,
    /// Whether it may be otherwise later.
    pub(super) later: bool,
}

impl Stream {
    /// What an error of the server means.
    pub(super) async fn refusal(&self, response: &mut Response<Incoming>) -> Refusal {
        let status = response.status();
        let location = response.headers().get(header::LOCATION).and_then(|to| to.to_str().ok()).map(plain);
        let body: Value = serde_json::from_slice(&http::small(response.body_mut()).await).unwrap_or_default();
        let text = |name: &str| body[name].as_str().map(plain);
        let cause = text("detail").unwrap_or_else(|| format!("the server says '{status}'"));
        let named = match text("parameter") {
            Some(parameter) => format!("{parameter}: {cause}"),
            None => cause,
        };
        let failure = self.failure(&named);
        let failure = match status.as_u16() {
            300..=399 if let Some(to) = location => {
                self.failure("it is somewhere else").help(format!("logcast tail '{to}'"))
            }
            // What the server does not understand would not be understood anywhere.
            400 if body["detail"].is_string() => Failure { code: 2, ..failure }.help(match body["parameter"]
                .as_str()
            {
                Some("grep" | "exclude") => PLAIN_CHARACTERS,
                Some("level") => "--level error,fatal names levels, warn+ means at least warn",
                Some("since" | "until") => "a time is like 15m (ago), 14:02 (today) or 2026-11-24T14:02:00Z",
                _ => "logcast tail --help lists what there is",
            }),
            401 if self.address.login.is_some() => self
                .failure("this name or password is wrong")
                .help("serve --auth and --auth-file say who may read"),
            401 if self.address.token.is_some() => {
                self.failure("this token is wrong").help("copy the URL that logcast serve printed")
            }
            401 => failure.help("copy the URL that logcast serve printed, or give --token or --user"),
            404 if body["parameter"] == "file" => failure.help("its page lists the files it serves"),
            404 => failure.help("give the URL that logcast serve printed"),
            _ => failure,
        };
        let later = status.is_server_error() || matches!(status.as_u16(), 404 | 408 | 425 | 429);
        Refusal { failure, later }
    }
}
