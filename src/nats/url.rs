//! Where the engine is and how to get in:
//! `nats://[user[:password]|token@]host[:port][,host…][/subjects][?stream=&creds=&nkey=&ca=&cert=&key=]`.
//!
//! Pure. Subjects are taken as they stand: `%2E` is part of a subject here, never an escape of the URL. What is secret
//! is never shown: [`Url`]'s `Display` and `Debug` write `***`.

use super::subject::check_filter;
use percent_encoding::percent_decode_str;
use std::fmt;
use std::path::PathBuf;

/// The port of a server that names none.
pub const DEFAULT_PORT: u16 = 4222;
/// The subjects of a URL that names none.
pub const DEFAULT_FILTER: &str = "logs.>";
/// The longest URL that is read, in bytes.
const MAX_BYTES: usize = 4096;
/// The most servers, and the most subjects, that one names.
const MAX_PARTS: usize = 16;

/// Something that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text, for the one who asks for it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// Nobody in particular.
    None,
    /// A user, perhaps with a password.
    User {
        /// The name.
        name: String,
        /// The password.
        password: Secret,
    },
    /// Whoever has the token.
    Token(Secret),
}

/// Host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// A name or an address; an IPv6 address without its brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// A URL of the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// Whether it insists on TLS; a server that asks for TLS gets it anyway.
    pub tls: bool,
    /// The servers, at least one.
    pub servers: Vec<Address>,
    /// Who asks.
    pub auth: Auth,
    /// Subjects, wildcards perhaps; empty if the URL names none ([`Url::filters_or_default`]).
    pub filters: Vec<String>,
    /// The stream, if it is not to be found by its subjects.
    pub stream: Option<String>,
    /// A credentials file (JWT and seed).
    pub creds: Option<PathBuf>,
    /// A file with an nkey's seed.
    pub nkey: Option<PathBuf>,
    /// Certificates to trust instead of the system's (PEM).
    pub ca: Option<PathBuf>,
    /// Our certificate (PEM), with [`Url::key`].
    pub cert: Option<PathBuf>,
    /// Its key (PEM).
    pub key: Option<PathBuf>,
}

/// Whether a text looks like a URL of the engine.
pub fn is_nats(text: &str) -> bool {
    ["nats://", "natss://", "tls://"]
        .iter()
        .any(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

impl Url {
    /// Reads a URL; `env` answers for `LOGCAST_NATS_USER`, `LOGCAST_NATS_PASSWORD` and `LOGCAST_NATS_TOKEN`, which count
    /// where the URL names nobody.
    ///
    /// # Errors
    /// One line about what is wrong with it, which never shows a secret.
    pub fn parse(text: &str, env: impl Fn(&str) -> Option<String>) -> Result<Url, String> {
        if text.len() > MAX_BYTES {
            return Err(format!("longer than {MAX_BYTES} bytes"));
        }
        if text.chars().any(|c| c.is_control() || c == ' ') {
            return Err("a URL holds no spaces or control characters".to_owned());
        }
        let (scheme, rest) = text.split_once("://").ok_or("must begin with nats:// or tls://")?;
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "nats" => false,
            "natss" | "tls" => true,
            _ => return Err("must begin with nats:// or tls://".to_owned()),
        };
        let (rest, query) = rest.split_once('?').map_or((rest, ""), |(rest, query)| (rest, query));
        let (authority, path) =
            rest.split_once('/').map_or((rest, ""), |(authority, path)| (authority, path));
        let (userinfo, hosts) = match authority.rsplit_once('@') {
            Some((userinfo, hosts)) => (Some(userinfo), hosts),
            None => (None, authority),
        };
        let servers: Vec<&str> = hosts.split(',').collect();
        if servers.len() > MAX_PARTS {
            return Err(format!("names more than {MAX_PARTS} servers"));
        }
        let filters: Vec<String> = match path {
            "" => Vec::new(),
            path => path.split(',').map(str::to_owned).collect(),
        };
        if filters.len() > MAX_PARTS {
            return Err(format!("names more than {MAX_PARTS} subjects"));
        }
        let mut url = Url {
            tls,
            servers: servers.into_iter().map(address).collect::<Result<_, _>>()?,
            auth: auth(userinfo, env)?,
            filters,
            stream: None,
            creds: None,
            nkey: None,
            ca: None,
            cert: None,
            key: None,
        };
        url.read_query(query)?;
        if url.cert.is_some() != url.key.is_some() {
            return Err("cert= and key= belong together".to_owned());
        }
        Ok(url)
    }

    fn read_query(&mut self, query: &str) -> Result<(), String> {
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decoded(value)?;
            if value.is_empty() {
                return Err(format!("{}= has no value", shown(name)));
            }
            let file = || Some(PathBuf::from(&value));
            match name {
                "stream" => self.stream = Some(stream_name(&value)?.to_owned()),
                "creds" => self.creds = file(),
                "nkey" => self.nkey = file(),
                "ca" => self.ca = file(),
                "cert" => self.cert = file(),
                "key" => self.key = file(),
                _ => {
                    let known = "stream, creds, nkey, ca, cert and key";
                    return Err(format!("there is no parameter {}; there are {known}", shown(name)));
                }
            }
        }
        Ok(())
    }

    /// The subjects to read: those it names, else [`DEFAULT_FILTER`].
    ///
    /// # Errors
    /// One line about a subject that cannot be one.
    pub fn filters_or_default(&self) -> Result<Vec<String>, String> {
        if self.filters.is_empty() {
            return Ok(vec![DEFAULT_FILTER.to_owned()]);
        }
        for filter in &self.filters {
            check_filter(filter)?;
        }
        Ok(self.filters.clone())
    }

    /// The servers, for people: `host:port`, or several with commas.
    pub fn place(&self) -> String {
        let servers: Vec<String> = self.servers.iter().map(Address::to_string).collect();
        format!("{}://{}", if self.tls { "tls" } else { "nats" }, servers.join(","))
    }

    /// The user's name, if there is one to show.
    pub fn user(&self) -> Option<&str> {
        match &self.auth {
            Auth::User { name, .. } => Some(name),
            _ => None,
        }
    }
}

impl fmt::Display for Url {
    /// The URL without its secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers: Vec<String> = self.servers.iter().map(Address::to_string).collect();
        f.write_str(if self.tls { "tls://" } else { "nats://" })?;
        match &self.auth {
            Auth::None => {}
            Auth::User { name, password } if password.reveal().is_empty() => write!(f, "{}@", shown(name))?,
            Auth::User { name, .. } => write!(f, "{}:***@", shown(name))?,
            Auth::Token(_) => f.write_str("***@")?,
        }
        f.write_str(&servers.join(","))?;
        if !self.filters.is_empty() {
            write!(f, "/{}", self.filters.join(","))?;
        }
        let files = [
            ("creds", &self.creds),
            ("nkey", &self.nkey),
            ("ca", &self.ca),
            ("cert", &self.cert),
            ("key", &self.key),
        ];
        let stream = self.stream.as_ref().map(|stream| format!("stream={stream}"));
        let files =
            files.iter().filter_map(|(name, file)| Some(format!("{name}={}", file.as_ref()?.display())));
        let query: Vec<String> = stream.into_iter().chain(files).collect();
        if !query.is_empty() {
            write!(f, "?{}", query.join("&"))?;
        }
        Ok(())
    }
}

/// A name for a message: short, and without what a terminal would act on.
fn shown(text: &str) -> String {
    text.chars().take(64).flat_map(char::escape_debug).collect()
}

fn decoded(text: &str) -> Result<String, String> {
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_| "an escape is not UTF-8".to_owned())?;
    match decoded.chars().any(char::is_control) {
        true => Err("an escape stands for a control character".to_owned()),
        false => Ok(decoded.into_owned()),
    }
}

fn auth(userinfo: Option<&str>, env: impl Fn(&str) -> Option<String>) -> Result<Auth, String> {
    let env = |name: &str| env(name).filter(|value| !value.is_empty());
    let Some(userinfo) = userinfo else {
        return Ok(match (env("LOGCAST_NATS_USER"), env("LOGCAST_NATS_TOKEN")) {
            (Some(name), _) => {
                let password = env("LOGCAST_NATS_PASSWORD").unwrap_or_default();
                Auth::User { name, password: Secret::new(password) }
            }
            (None, Some(token)) => Auth::Token(Secret::new(token)),
            (None, None) => Auth::None,
        });
    };
    match userinfo.split_once(':') {
        Some((name, password)) => {
            Ok(Auth::User { name: decoded(name)?, password: Secret::new(decoded(password)?) })
        }
        None if userinfo.is_empty() => Err("there is nothing before the @".to_owned()),
        // `user@` with the password beside it, else a token: the server knows no user without a password.
        None => match env("LOGCAST_NATS_PASSWORD") {
            Some(password) => Ok(Auth::User { name: decoded(userinfo)?, password: Secret::new(password) }),
            None => Ok(Auth::Token(Secret::new(decoded(userinfo)?))),
        },
    }
}

fn address(text: &str) -> Result<Address, String> {
    let port = |text: &str| match text.parse::<u16>() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(format!("{} is not a port", shown(text))),
    };
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or("a [ has no ]")?;
        if host.parse::<std::net::Ipv6Addr>().is_err() {
            return Err(format!("{} is not an IPv6 address", shown(host)));
        }
        match after.strip_prefix(':') {
            Some(after) => (host, port(after)?),
            None if after.is_empty() => (host, DEFAULT_PORT),
            None => return Err("only a port may stand behind the ]".to_owned()),
        }
    } else {
        match text.split_once(':') {
            Some((host, after)) => (host, port(after)?),
            None => (text, DEFAULT_PORT),
        }
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-_:".contains(c);
    match !host.is_empty() && host.len() <= 253 && host.chars().all(plain) {
        true => Ok(Address { host: host.to_owned(), port }),
        false if host.is_empty() => Err("it names no server".to_owned()),
        false => Err(format!("{} is not a server's name", shown(host))),
    }
}

/// A name that a stream can have.
///
/// # Errors
/// One line about what is wrong with it.
pub fn stream_name(text: &str) -> Result<&str, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match !text.is_empty() && text.len() <= 255 && text.chars().all(plain) {
        true => Ok(text),
        false => Err(format!("{} is no name of a stream: letters, digits, - and _ are", shown(text))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn none(_: &str) -> Option<String> {
        None
    }

    fn parse(text: &str) -> Url {
        Url::parse(text, none).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn all_parts_are_read() {
        let url = parse(
            "nats://ship:p%40ss@a.lan,b.lan:4333,[::1]:5/logs.web1.var.log.app%2Elog,x.>?stream=logs&ca=/etc/ca.pem&cert=c.pem&key=k.pem",
        );
        let servers: Vec<String> = url.servers.iter().map(Address::to_string).collect();
        assert_eq!(servers, ["a.lan:4222", "b.lan:4333", "[::1]:5"]);
        assert_eq!(url.auth, Auth::User { name: "ship".to_owned(), password: Secret::new("p@ss") });
        assert_eq!(url.filters, ["logs.web1.var.log.app%2Elog", "x.>"]);
        assert_eq!((url.stream.as_deref(), url.tls), (Some("logs"), false));
        assert_eq!(url.ca, Some(PathBuf::from("/etc/ca.pem")));
        assert_eq!(parse("TLS://h").tls, parse("natss://h").tls);
        assert_eq!(parse("nats://h").filters_or_default(), Ok(vec!["logs.>".to_owned()]));
        assert_eq!(parse("nats://tok3n@h").auth, Auth::Token(Secret::new("tok3n")));
    }

    #[test]
    fn the_environment_counts_where_the_url_names_nobody() {
        let env = |name: &str| match name {
            "LOGCAST_NATS_USER" => Some("u".to_owned()),
            "LOGCAST_NATS_PASSWORD" => Some("p".to_owned()),
            _ => None,
        };
        let user = |name: &str, password: &str| Auth::User {
            name: name.to_owned(),
            password: Secret::new(password),
        };
        assert_eq!(Url::parse("nats://h", env).unwrap().auth, user("u", "p"));
        assert_eq!(Url::parse("nats://x:y@h", env).unwrap().auth, user("x", "y"));
        assert_eq!(Url::parse("nats://x@h", env).unwrap().auth, user("x", "p"));
        let token = |name: &str| (name == "LOGCAST_NATS_TOKEN").then(|| "t".to_owned());
        assert_eq!(Url::parse("nats://h", token).unwrap().auth, Auth::Token(Secret::new("t")));
    }

    #[test]
    fn a_secret_is_never_shown() {
        for text in ["nats://ship:s3cret@h/x.>", "nats://s3cret@h", "tls://ship:s3cret@h?stream=s"] {
            let url = parse(text);
            assert!(!format!("{url} {url:?}").contains("s3cret"), "{url}");
        }
        assert_eq!(parse("nats://ship:s3cret@h").to_string(), "nats://ship:***@h:4222");
        for text in ["nats://u:s3cret@:99999/x", "nats://u:s3cret@h?what=1", "nats://u:s3cret@h:0"] {
            let error = Url::parse(text, none).unwrap_err();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, word) in [
            ("http://h", "must begin"),
            ("h", "must begin"),
            ("nats://", "no server"),
            ("nats://h:0", "port"),
            ("nats://h:x", "port"),
            ("nats://[::1", "no ]"),
            ("nats://[x]", "IPv6"),
            ("nats://a b", "spaces"),
            ("nats://h/\n", "control"),
            ("nats://@h", "before the @"),
            ("nats://h?x=1", "no parameter x"),
            ("nats://h?ca=", "no value"),
            ("nats://h?cert=a", "belong together"),
            ("nats://h?stream=a.b", "no name of a stream"),
            ("nats://h?creds=%00", "control"),
            ("nats://h?creds=%ff", "UTF-8"),
            ("nats://é", "not a server's name"),
        ] {
            let error = Url::parse(text, none).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
        assert!(Url::parse(&format!("nats://h/{}", "a".repeat(5000)), none).is_err());
        assert!(Url::parse(&format!("nats://{}", vec!["h"; 17].join(",")), none).is_err());
        assert!(parse("nats://h/a..b").filters_or_default().is_err());
    }

    #[test]
    fn what_is_shown_is_read_back() {
        for text in ["nats://h:4222/logs.>?stream=logs&ca=x", "tls://a:1,[::1]:2"] {
            assert_eq!(parse(text).to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(nats://)?[ -~é]{0,80}") {
            if let Ok(url) = Url::parse(&text, none) {
                prop_assert!(!url.servers.is_empty());
                let _ = url.filters_or_default();
            }
        }
    }
}
