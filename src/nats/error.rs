//! What the engine, or the way to it, refuses: one line each, with a next step where there is one.
//!
//! [`Error::waits`] tells what passes by itself (a server that is away, an election, a full stream) from what somebody has
//! to change.

use std::fmt;

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// A file that the URL names cannot be used.
    File {
        /// The file.
        path: String,
        /// Why.
        cause: String,
    },
    /// No server answers.
    Unreachable {
        /// Where.
        place: String,
        /// Why.
        cause: String,
    },
    /// The server does not take these credentials.
    Refused {
        /// Where.
        place: String,
        /// The user's name, if there is one.
        user: Option<String>,
    },
    /// The server's certificate is signed by nobody known.
    UnknownIssuer {
        /// Where.
        place: String,
    },
    /// The server wants a certificate of ours.
    CertificateWanted {
        /// Where.
        place: String,
    },
    /// Another failure of TLS.
    Tls {
        /// Where.
        place: String,
        /// Why.
        cause: String,
    },
    /// The server has no streams at all.
    NoJetStream {
        /// Where.
        place: String,
    },
    /// The account has no streams.
    NoAccount {
        /// Where.
        place: String,
    },
    /// There is no stream of these subjects.
    NoStream {
        /// The stream's name, or the subjects.
        wanted: String,
        /// What would make it.
        make: String,
    },
    /// The stream is not as it has to be.
    Unfit {
        /// The stream.
        stream: String,
        /// What is wrong with it.
        cause: String,
        /// What mends it.
        help: String,
    },
    /// The user may not do this.
    Denied {
        /// `publish to` or `subscribe to`.
        verb: &'static str,
        /// The subject.
        subject: String,
    },
    /// The stream or its disk takes no more.
    Full {
        /// The server's words.
        cause: String,
    },
    /// The subject's last message is not the one that was expected.
    WrongSequence,
    /// The message is larger than the server or the stream takes.
    TooLarge {
        /// The server's words.
        cause: String,
    },
    /// No answer for now: a time-out, an election, a lost connection.
    Unavailable {
        /// Why.
        cause: String,
    },
    /// Anything else that the server says.
    Api {
        /// The server's number for it.
        code: u64,
        /// The server's words.
        cause: String,
    },
}

impl Error {
    /// Whether waiting may help.
    pub fn waits(&self) -> bool {
        matches!(
            self,
            Error::Unreachable { .. } | Error::Unavailable { .. } | Error::Full { .. } | Error::WrongSequence
        )
    }

    /// A next step.
    pub fn help(&self) -> Option<String> {
        let help = match self {
            Error::Refused { .. } => {
                "give ?creds=FILE, ?nkey=FILE or user:password@ in the URL, or LOGCAST_NATS_USER and LOGCAST_NATS_PASSWORD"
            }
            Error::UnknownIssuer { .. } => "add ?ca=FILE, the certificate of the authority that signed it",
            Error::CertificateWanted { .. } => "add ?cert=FILE&key=FILE",
            Error::NoJetStream { .. } => {
                "start it with `nats-server -js -sd DIR`, or put `jetstream {}` into its configuration"
            }
            Error::NoAccount { .. } => {
                "put `jetstream: enabled` into the account in the server's configuration"
            }
            Error::NoStream { make, .. } => make,
            Error::Unfit { help, .. } => help,
            Error::Denied { verb, subject } => return Some(permission(verb, subject)),
            _ => return None,
        };
        Some(help.to_owned())
    }

    /// Reads the `error` of an answer.
    pub(super) fn api(place: &str, error: &Answer) -> Error {
        let place = place.to_owned();
        let cause: String = error.description.chars().take(300).collect();
        match error.err_code {
            10039 => Error::NoAccount { place },
            10076 => Error::NoJetStream { place },
            10071 | 10164 => Error::WrongSequence,
            10002 | 10023 | 10028 | 10047 | 10077 | 10122 => Error::Full { cause },
            10054 | 10097 => Error::TooLarge { cause },
            _ if error.code == 503 => Error::Unavailable { cause },
            code => Error::Api { code, cause },
        }
    }
}

/// The `error` of a JetStream answer.
#[derive(Debug, Default, serde::Deserialize)]
pub(super) struct Answer {
    #[serde(default)]
    pub(super) code: u64,
    #[serde(default)]
    pub(super) err_code: u64,
    #[serde(default)]
    pub(super) description: String,
}

/// Which permission is missing, as the configuration of a server writes it.
fn permission(verb: &str, subject: &str) -> String {
    let wide = match subject.strip_prefix("$JS.API.DIRECT.GET.") {
        Some(rest) => {
            let mut tokens = rest.split('.');
            let known: Vec<&str> = tokens.by_ref().take(3).collect();
            format!("$JS.API.DIRECT.GET.{}.>", known.join("."))
        }
        None if subject.starts_with('$') || subject.starts_with("_INBOX") => subject.to_owned(),
        None => {
            let known: Vec<&str> = subject.split('.').take(2).collect();
            format!("{}.>", known.join("."))
        }
    };
    format!("the user needs the permission to {verb} \"{wide}\"")
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::File { path, cause } => write!(f, "cannot read '{path}': {cause}"),
            Error::Unreachable { place, cause } => write!(f, "cannot reach '{place}': {cause}"),
            Error::Refused { place, user: Some(user) } => {
                write!(f, "cannot enter '{place}': it refused user '{user}' or the password")
            }
            Error::Refused { place, user: None } => {
                write!(f, "cannot enter '{place}': it refused these credentials")
            }
            Error::UnknownIssuer { place } => {
                write!(f, "cannot trust '{place}': its certificate is signed by no known authority")
            }
            Error::CertificateWanted { place } => {
                write!(f, "cannot enter '{place}': it wants a client certificate")
            }
            Error::Tls { place, cause } => write!(f, "cannot speak TLS with '{place}': {cause}"),
            Error::NoJetStream { place } => write!(f, "cannot use '{place}': it runs without JetStream"),
            Error::NoAccount { place } => {
                write!(f, "cannot use '{place}': JetStream is not enabled for this account")
            }
            Error::NoStream { wanted, .. } => write!(f, "cannot find stream '{wanted}': there is none"),
            Error::Unfit { stream, cause, .. } => write!(f, "cannot use stream '{stream}': {cause}"),
            Error::Denied { verb, subject } => write!(f, "cannot {verb} '{subject}': no permission"),
            Error::Full { cause } => write!(f, "the stream is full: {cause}"),
            Error::WrongSequence => f.write_str("another one wrote to the subject"),
            Error::TooLarge { cause } => write!(f, "the message is too large: {cause}"),
            Error::Unavailable { cause } => write!(f, "the engine does not answer: {cause}"),
            Error::Api { code, cause } => write!(f, "the engine refused: {cause} ({code})"),
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_permission_that_is_missing_is_said() {
        for (subject, expected) in [
            ("logs.web1.var.log.app%2Elog", "\"logs.web1.>\""),
            ("$JS.API.DIRECT.GET.logs.logs.web1.var.log.x", "\"$JS.API.DIRECT.GET.logs.logs.web1.>\""),
            ("$JS.API.STREAM.INFO.logs", "\"$JS.API.STREAM.INFO.logs\""),
        ] {
            let error = Error::Denied { verb: "publish to", subject: subject.to_owned() };
            assert!(error.help().is_some_and(|help| help.contains(expected)), "{error:?}");
            assert!(!error.waits());
        }
    }

    #[test]
    fn the_server_s_numbers_are_understood() {
        let api = |code, err_code| {
            Error::api("nats://h", &Answer { code, err_code, description: "words".to_owned() })
        };
        assert_eq!(api(400, 10071), Error::WrongSequence);
        assert!(matches!(api(400, 10077), Error::Full { .. }) && api(400, 10077).waits());
        assert!(matches!(api(503, 10008), Error::Unavailable { .. }));
        assert!(matches!(api(400, 10065), Error::Api { code: 10065, .. }) && !api(400, 10065).waits());
        assert!(matches!(api(503, 10076), Error::NoJetStream { .. }));
    }
}
