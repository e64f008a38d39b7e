//! Who asks, and how, as far as it can be believed: what a trusted proxy says counts, what others say does not.

use std::net::IpAddr;
use std::str::FromStr;
use warp::http::HeaderMap;

/// The most addresses of a chain of proxies that are looked at.
const MOST_HOPS: usize = 32;

/// Who asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asker {
    /// The client's address; over a unix socket there is none.
    pub peer: Option<IpAddr>,
    /// Whether the client's way here is known to be TLS.
    pub secure: bool,
    /// Whether it is a process of the server's own user, on this machine.
    pub own: bool,
    /// The host that a trusted proxy was asked for.
    pub host: Option<String>,
}

/// Proxies that are believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    nets: Vec<ipnet::IpNet>,
    unix: bool,
}

/// A proxy as it is named: an address, a network, or whoever comes over a unix socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proxy {
    /// Addresses.
    Net(ipnet::IpNet),
    /// Unix sockets.
    Unix,
}

impl FromStr for Proxy {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Proxy, &'static str> {
        if text == "unix" {
            return Ok(Proxy::Unix);
        }
        let net = text.parse::<ipnet::IpNet>().or_else(|_| text.parse::<IpAddr>().map(ipnet::IpNet::from));
        net.map(Proxy::Net).map_err(|_| "must be an address, a network like 10.0.0.0/8, or unix")
    }
}

impl FromIterator<Proxy> for Proxies {
    fn from_iter<I: IntoIterator<Item = Proxy>>(named: I) -> Proxies {
        let mut proxies = Proxies::default();
        for proxy in named {
            match proxy {
                Proxy::Net(net) => proxies.nets.push(net),
                Proxy::Unix => proxies.unix = true,
            }
        }
        proxies
    }
}

impl Proxies {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.nets.is_empty() && !self.unix
    }

    /// Whether what comes from here is believed.
    pub fn trusts(&self, peer: Option<IpAddr>) -> bool {
        peer.map_or(self.unix, |peer| self.nets.iter().any(|net| net.contains(&peer.to_canonical())))
    }

    /// Who asks, from the connection and what the request says of the way before it.
    pub fn asker(&self, connection: Asker, headers: &HeaderMap) -> Asker {
        if !self.trusts(connection.peer) {
            return connection;
        }
        let last = |name| list(headers, name).next_back().filter(|value| !value.is_empty());
        let forwarded = list(headers, "x-forwarded-for").rev().take(MOST_HOPS);
        let mut asker = Asker {
            // Whoever comes through a proxy is not the proxy's user.
            own: false,
            secure: last("x-forwarded-proto").map_or(connection.secure, |value| value == "https"),
            host: last("x-forwarded-host").map(str::to_owned),
            ..connection
        };
        for hop in forwarded {
            // From the nearest on: the first that is not trusted is the client, what stands before it anybody may write.
            let Some(hop) = address(hop) else { break };
            asker.peer = Some(hop);
            if !self.trusts(asker.peer) {
                break;
            }
        }
        asker
    }
}

/// The elements of a header that is a list, however many lines it has.
fn list<'a>(headers: &'a HeaderMap, name: &'static str) -> impl DoubleEndedIterator<Item = &'a str> {
    let lines: Vec<&str> = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("")).collect();
    lines.into_iter().flat_map(|line| line.split(',')).map(str::trim).collect::<Vec<_>>().into_iter()
}

/// An address as proxies write it: bare, or with a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let found = bare.parse().ok().or_else(|| text.parse::<std::net::SocketAddr>().ok().map(|a| a.ip()));
    found.map(|ip: IpAddr| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use warp::http::HeaderValue;

    fn ask(trusted: &[&str], peer: Option<&str>, headers: &[(&'static str, &'static str)]) -> Asker {
        let proxies: Proxies = trusted.iter().map(|text| text.parse::<Proxy>().unwrap()).collect();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        let peer = peer.map(|peer| peer.parse().unwrap());
        proxies.asker(Asker { peer, own: true, ..Asker::default() }, &map)
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let said = [
            ("x-forwarded-for", "203.0.113.9"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "logs.example"),
        ];
        let connection = Asker { peer: "192.0.2.1".parse().ok(), own: true, ..Asker::default() };
        assert_eq!(ask(&[], Some("192.0.2.1"), &said), connection);
        assert_eq!(ask(&["127.0.0.1", "unix"], Some("192.0.2.1"), &said), connection);
        let expected = Asker {
            peer: "203.0.113.9".parse().ok(),
            secure: true,
            own: false,
            host: Some("logs.example".to_owned()),
        };
        assert_eq!(ask(&["192.0.2.0/24"], Some("192.0.2.1"), &said), expected);
        assert_eq!(ask(&["unix"], None, &said), expected);
        assert_eq!(ask(&["127.0.0.1"], None, &said).peer, None);
    }

    #[test]
    fn the_client_is_the_first_that_is_not_trusted() {
        let trusted = ["127.0.0.1", "10.0.0.0/8", "::1"];
        for (value, expected) in [
            ("203.0.113.9, 10.1.2.3", "203.0.113.9"),
            ("1.2.3.4, 203.0.113.9, 10.1.2.3", "203.0.113.9"),
            ("1.2.3.4, 203.0.113.9", "203.0.113.9"),
            ("10.9.9.9", "10.9.9.9"),
            ("1.2.3.4, nonsense, 10.1.2.3", "10.1.2.3"),
            ("nonsense", "127.0.0.1"),
            ("", "127.0.0.1"),
            ("[2001:db8::1]:443, ::1", "2001:db8::1"),
            ("203.0.113.9:5000", "203.0.113.9"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
        ] {
            let asker = ask(&trusted, Some("127.0.0.1"), &[("x-forwarded-for", value)]);
            assert_eq!(asker.peer, expected.parse().ok(), "{value}");
        }
        let lines = [("x-forwarded-for", "1.2.3.4"), ("x-forwarded-for", "203.0.113.9")];
        assert_eq!(ask(&trusted, Some("127.0.0.1"), &lines).peer, "203.0.113.9".parse().ok());
    }

    #[test]
    fn how_proxies_are_named() {
        for good in ["127.0.0.1", "::1", "10.0.0.0/8", "fd00::/8", "unix"] {
            assert!(good.parse::<Proxy>().is_ok(), "{good}");
        }
        for bad in ["", "localhost", "10.0.0.0/33", "*", "127.0.0.1:80"] {
            assert!(bad.parse::<Proxy>().is_err(), "{bad}");
        }
    }
}
