//! URLs as people give them: of the page, of the stream, of a server behind a proxy's path, of a unix socket.
//!
//! A token is taken out of the query at once: it goes into a header, and into no message and no file.

use super::Fingerprint;
use crate::web::State;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// What stays as it is in a value of a query.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Whom to connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peer {
    /// A host and a port, by TLS or not.
    Tcp {
        /// Whether it is `https`.
        tls: bool,
        /// A name or an address, without brackets.
        host: String,
        /// The port.
        port: u16,
    },
    /// A unix socket.
    Unix(PathBuf),
    /// A server in this process.
    Here(Here),
}

/// A server in this process: what it serves, and what people call it.
#[derive(Clone)]
pub struct Here {
    /// The URL of what it serves, without its secrets.
    pub shown: String,
    /// What it serves.
    pub state: Arc<State>,
}

impl fmt::Debug for Here {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Here").field(&self.shown).finish()
    }
}

impl PartialEq for Here {
    fn eq(&self, other: &Here) -> bool {
        Arc::ptr_eq(&self.state, &other.state)
    }
}

impl Eq for Here {}

/// A URL, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Whom to connect to.
    pub peer: Peer,
    /// The path, with its slash.
    pub path: String,
    /// The query's parameters as they are written.
    pub query: Vec<(String, String)>,
    /// The token that the query held.
    pub token: Option<String>,
    /// A name and a password, `NAME:PASSWORD`, instead.
    pub login: Option<String>,
    /// The only certificate to trust, if there is one.
    pub fingerprint: Option<Fingerprint>,
}

impl Address {
    /// A server in this process.
    pub fn here(here: Here) -> Address {
        let (path, query) = ("/".to_owned(), Vec::new());
        Address { peer: Peer::Here(here), path, query, token: None, login: None, fingerprint: None }
    }

    /// Takes a URL apart.
    ///
    /// # Errors
    /// What is wrong with it, and what would be right.
    pub fn parse(url: &str) -> Result<Address, (String, String)> {
        let wrong = |cause: &str| Err((cause.to_owned(), "a URL is like http://host:8000/".to_owned()));
        if url.bytes().any(|byte| byte.is_ascii_control() || byte == b' ') {
            return wrong("a blank or a control character is in it");
        }
        let (peer, rest) = if let Some(rest) = url.strip_prefix("unix:") {
            let (path, rest) = rest.rsplit_once(":/").map_or((rest, ""), |(path, rest)| (path, rest));
            if path.is_empty() {
                return wrong("it names no socket");
            }
            (Peer::Unix(PathBuf::from(path)), format!("/{rest}"))
        } else {
            let (scheme, rest) = match url.split_once("://") {
                Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
                None => return Err(("it is no URL".to_owned(), format!("did you mean http://{url} ?"))),
            };
            let tls = match scheme.as_str() {
                "http" => false,
                "https" => true,
                _ => return wrong("only http://, https:// and unix: are known"),
            };
            let (host, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
            let (host, port) = match host_and_port(host) {
                Ok((host, port)) => (host, port.unwrap_or(if tls { 443 } else { 80 })),
                Err(cause) => return wrong(cause),
            };
            (Peer::Tcp { tls, host, port }, rest.to_owned())
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut address = Address {
            peer,
            path: if path.is_empty() { "/".to_owned() } else { path.to_owned() },
            query: Vec::new(),
            token: None,
            login: None,
            fingerprint: None,
        };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match name {
                "token" => address.token = Some(percent_decode_str(value).decode_utf8_lossy().into_owned()),
                _ => address.query.push((name.to_owned(), value.to_owned())),
            }
        }
        Ok(address)
    }

    /// Another path of the same server: the page's URL, or that of any route, tells where the server is.
    pub fn route(mut self, route: &str) -> Address {
        let at = ["/stream-logs", "/healthz"].iter().find_map(|known| self.path.strip_suffix(known));
        let base = at.unwrap_or(self.path.trim_end_matches('/')).to_owned();
        self.path = format!("{base}/{route}");
        self
    }

    /// Sets a parameter to these values, instead of what the URL says of it.
    pub fn set<S: AsRef<str>>(&mut self, name: &str, values: impl IntoIterator<Item = S>) {
        self.query.retain(|(own, _)| own != name);
        let values = values.into_iter();
        let encoded = values.map(|value| utf8_percent_encode(value.as_ref(), VALUE).to_string());
        self.query.extend(encoded.map(|value| (name.to_owned(), value)));
    }

    /// Path and query, as a request names them.
    pub fn target(&self) -> String {
        let pairs: Vec<String> = self.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        match pairs.is_empty() {
            true => self.path.clone(),
            false => format!("{}?{}", self.path, pairs.join("&")),
        }
    }

    /// Host and port, for people and for the `Host` header; the port only where it is not the usual one.
    pub fn host(&self) -> String {
        match &self.peer {
            Peer::Unix(_) | Peer::Here(_) => "localhost".to_owned(),
            Peer::Tcp { tls, host, port } => {
                let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
                match (tls, port) {
                    (false, 80) | (true, 443) => host,
                    _ => format!("{host}:{port}"),
                }
            }
        }
    }

    /// The URL without query and token, for people.
    pub fn shown(&self) -> String {
        match &self.peer {
            Peer::Unix(path) => format!("unix:{}:{}", path.display(), self.path),
            Peer::Here(here) => here.shown.clone(),
            Peer::Tcp { tls, .. } => {
                format!("http{}://{}{}", if *tls { "s" } else { "" }, self.host(), self.path)
            }
        }
    }
}

/// A text that should have been a URL, for an error: without a token, a name and a password.
pub fn without_secrets(url: &str) -> String {
    let url = url.split_once("token=").map_or(url, |(before, _)| before);
    let (scheme, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| (scheme, rest));
    match rest.rsplit_once('@') {
        Some((_, host)) if scheme.is_empty() => host.to_owned(),
        Some((_, host)) => format!("{scheme}://{host}"),
        None => url.to_owned(),
    }
}

fn host_and_port(text: &str) -> Result<(String, Option<u16>), &'static str> {
    if text.contains('@') {
        return Err("a name and a password in a URL are not known");
    }
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or("a bracket is not closed")?;
            (host, rest.strip_prefix(':'))
        }
        None => text.rsplit_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    if host.is_empty() {
        return Err("it names no host");
    }
    let port = match port {
        None | Some("") => None,
        Some(port) => Some(port.parse().map_err(|_| "its port is no number up to 65535")?),
    };
    Ok((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_means_its_stream() {
        for (url, shown, target, token) in [
            ("http://127.0.0.1:8000/", "http://127.0.0.1:8000/stream-logs", "/stream-logs", None),
            ("http://[::1]:8000", "http://[::1]:8000/stream-logs", "/stream-logs", None),
            ("HTTPS://h", "https://h/stream-logs", "/stream-logs", None),
            (
                "https://h:443/logs/?token=a%2Fb",
                "https://h/logs/stream-logs",
                "/logs/stream-logs",
                Some("a/b"),
            ),
            ("http://h/stream-logs?lines=all&x", "http://h/stream-logs", "/stream-logs?lines=all&x=", None),
            (
                "http://h/logs/stream-logs?token=t&lines=1#top",
                "http://h/logs/stream-logs",
                "/logs/stream-logs?lines=1",
                Some("t"),
            ),
            ("unix:/run/a.sock", "unix:/run/a.sock:/stream-logs", "/stream-logs", None),
            (
                "unix:/run/a.sock:/stream-logs?lines=1",
                "unix:/run/a.sock:/stream-logs",
                "/stream-logs?lines=1",
                None,
            ),
        ] {
            let address = Address::parse(url).unwrap().route("stream-logs");
            assert_eq!((address.shown().as_str(), address.target().as_str()), (shown, target), "{url}");
            assert_eq!(address.token.as_deref(), token, "{url}");
        }
    }

    #[test]
    fn what_is_no_url() {
        for (url, cause) in [
            ("h:8000", "it is no URL"),
            ("ftp://h/", "only http://, https:// and unix: are known"),
            ("http:///x", "it names no host"),
            ("http://h:70000/", "its port is no number up to 65535"),
            ("http://[::1/", "a bracket is not closed"),
            ("http://a:b@h/", "a name and a password in a URL are not known"),
            ("http://h/a b", "a blank or a control character is in it"),
            ("unix:", "it names no socket"),
        ] {
            assert_eq!(Address::parse(url).unwrap_err().0, cause, "{url}");
        }
    }

    #[test]
    fn an_error_tells_no_secret() {
        for (url, expected) in [
            ("http://a:b@h/x", "http://h/x"),
            ("a:b@h", "h"),
            ("h:1/?token=secret", "h:1/?"),
            ("http://h/", "http://h/"),
        ] {
            assert_eq!(without_secrets(url), expected, "{url}");
        }
    }

    #[test]
    fn an_option_wins() {
        let mut address = Address::parse("http://h/?grep=a&lines=5").unwrap();
        address.set("grep", ["b c", "ü&"]);
        assert_eq!(address.target(), "/?lines=5&grep=b%20c&grep=%C3%BC%26");
    }
}
