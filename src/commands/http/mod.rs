//! The client of the commands: one request over one connection, by TCP, TLS, a unix socket or to a server in this process.
//!
//! hyper speaks HTTP, rustls TLS with the certificates that this system trusts. Every wait has an end. There are no
//! redirects, proxies, cookies and pools: an error says where a server sends to.

mod address;
pub(super) mod events;
pub(super) mod kept;
mod trust;

pub use address::{Address, Here, Peer, without_secrets};
pub use trust::{Fingerprint, fingerprint};

use crate::web::asker::Asker;
use crate::web::server;
use bytes::Bytes;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper::{Request, Response, header};
use hyper_util::rt::TokioIo;
use std::io;
use std::pin::Pin;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

/// How long a name, a connection and its TLS may take, each.
const CONNECT: Duration = Duration::from_secs(10);
/// How long the head of an answer may take: a server may have to look far back for lines that a filter keeps.
const HEAD: Duration = Duration::from_secs(60);
/// hyper's buffer, the most that one read brings.
const BUFFER: usize = 256 << 10;
/// The most that is read of an answer that is not a stream.
const SMALL: usize = 64 << 10;

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// Why there is no answer.
#[derive(Debug)]
pub struct NoAnswer {
    /// The cause.
    pub cause: String,
    /// A next step, where this is no matter of time.
    pub help: Option<&'static str>,
}

impl NoAnswer {
    fn of(cause: impl ToString) -> NoAnswer {
        NoAnswer { cause: cause.to_string(), help: None }
    }
}

/// Sends a GET and returns when the head of the answer is there.
///
/// # Errors
/// Why there is none.
pub async fn get(address: &Address, headers: &[(&str, &str)]) -> Result<Response<Incoming>, NoAnswer> {
    let stream = connect(address).await?;
    let mut builder = http1::Builder::new();
    builder.max_buf_size(BUFFER);
    let (mut sender, connection) =
        builder.handshake::<_, String>(TokioIo::new(stream)).await.map_err(|error| of_http(&error))?;
    // It lives as long as the answer is read.
    tokio::spawn(connection);
    let mut request = Request::get(address.target()).header(header::HOST, address.host());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let proof = match (&address.login, &address.token) {
        (Some(login), _) => Some(format!("Basic {}", base64(login.as_bytes()))),
        (None, token) => token.as_ref().map(|token| format!("Bearer {token}")),
    };
    if let Some(proof) = proof {
        request = request.header(header::AUTHORIZATION, proof);
    }
    let request = request.body(String::new()).map_err(NoAnswer::of)?;
    match timeout(HEAD, sender.send_request(request)).await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(error)) => Err(of_http(&error)),
        Err(_) => Err(NoAnswer::of("it does not answer")),
    }
}

/// base64 with its padding (RFC 4648 § 4).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for part in bytes.chunks(3) {
        let bits =
            part.iter().fold(0u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - part.len()));
        for at in 0..4 {
            let digit = char::from(DIGITS[(bits >> (18 - 6 * at) & 63) as usize]);
            out.push(if at <= part.len() { digit } else { '=' });
        }
    }
    out
}

/// The next bytes of a body; `None` at its end.
///
/// # Errors
/// Why it was cut.
pub async fn next(body: &mut Incoming) -> Result<Option<Bytes>, NoAnswer> {
    loop {
        match std::future::poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await {
            None => return Ok(None),
            Some(Err(error)) => return Err(of_http(&error)),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

/// The beginning of a body that should be small.
pub async fn small(body: &mut Incoming) -> Vec<u8> {
    let mut all = Vec::new();
    let read = async {
        while let Ok(Some(bytes)) = next(body).await {
            all.extend_from_slice(&bytes[..bytes.len().min(SMALL - all.len())]);
            if all.len() == SMALL {
                break;
            }
        }
    };
    let _ = timeout(CONNECT, read).await;
    all
}

async fn connect(address: &Address) -> Result<Box<dyn Io>, NoAnswer> {
    let late = |_| NoAnswer::of("it does not answer");
    let (tls, host, port) = match &address.peer {
        Peer::Unix(path) => {
            let stream = timeout(CONNECT, UnixStream::connect(path)).await.map_err(late)?;
            return Ok(Box::new(stream.map_err(NoAnswer::of)?));
        }
        Peer::Here(here) => {
            let (ours, theirs) = tokio::io::duplex(BUFFER);
            tokio::spawn(server::connection(theirs, Asker::default(), here.state.clone(), false));
            return Ok(Box::new(ours));
        }
        Peer::Tcp { tls, host, port } => (*tls, host.as_str(), *port),
    };
    let found = timeout(CONNECT, lookup_host((host, port))).await.map_err(late)?;
    let mut tried = Err(NoAnswer::of("the name has no address"));
    for found in found.map_err(NoAnswer::of)? {
        tried = match timeout(CONNECT, TcpStream::connect(found)).await {
            Ok(connected) => connected.map_err(NoAnswer::of),
            Err(elapsed) => Err(late(elapsed)),
        };
        if tried.is_ok() {
            break;
        }
    }
    let stream = tried?;
    if !tls {
        return Ok(Box::new(stream));
    }
    let name = ServerName::try_from(host.to_owned()).map_err(NoAnswer::of)?;
    let connector = TlsConnector::from(trust::tls_config(address.fingerprint)?);
    let secured = timeout(CONNECT, connector.connect(name, stream)).await.map_err(late)?;
    Ok(Box::new(secured.map_err(|error| of_tls(&error))?))
}

fn of_tls(error: &io::Error) -> NoAnswer {
    use tokio_rustls::rustls::{CertificateError, Error};
    let help = match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure)) => {
            return NoAnswer { cause: "its certificate has another fingerprint".to_owned(), help: None };
        }
        Some(Error::InvalidCertificate(_)) => {
            Some("SSL_CERT_FILE=FILE names other certificates to trust, --fingerprint a certificate")
        }
        Some(Error::InvalidMessage(_)) => Some("perhaps the server speaks http:// only"),
        _ => None,
    };
    NoAnswer { cause: error.to_string(), help }
}

/// hyper's error in the words of its cause.
fn of_http(error: &hyper::Error) -> NoAnswer {
    if error.is_parse() {
        let help = Some("perhaps the server speaks https:// only, or is something else");
        return NoAnswer { cause: "the answer is no HTTP".to_owned(), help };
    }
    let cause = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    NoAnswer { cause, help: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_the_standard() {
        for (text, expected) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("eva:correct horse", "ZXZhOmNvcnJlY3QgaG9yc2U="),
            ("ü~?", "w7x+Pw=="),
        ] {
            assert_eq!(base64(text.as_bytes()), expected, "{text}");
        }
    }
}
