//! The URLs: two on stdout for programs, the others on stderr for people, a browser's and a telephone's.

use super::Options;
use crate::commands::bind::Bound;
use crate::commands::{plain, talk};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use std::io::{self, IsTerminal, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// What means nothing else in a URL (RFC 3986 § 2.3): a token may be any text.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Says where the server is, and does with it what the options want. The browser gets a token of its own, if there is one.
pub(super) fn say(options: &Options, bound: &Bound, token: Option<&str>, once: Option<&str>, secure: bool) {
    let scheme = if secure { "https" } else { "http" };
    let query =
        token.map_or(String::new(), |token| format!("?token={}", utf8_percent_encode(token, UNRESERVED)));
    let below = &options.base_path;
    let page = |ip: IpAddr, port: u16| format!("{scheme}://{}{below}/{query}", SocketAddr::new(ip, port));
    let mut urls: Vec<(String, String)> = bound
        .addresses
        .iter()
        .map(|address| {
            let ip = match address.ip() {
                ip if !ip.is_unspecified() => ip,
                _ => IpAddr::V4(Ipv4Addr::LOCALHOST),
            };
            let base = format!("{scheme}://{}{below}", SocketAddr::new(ip, address.port()));
            (format!("{base}/{query}"), format!("{base}/stream-logs{query}"))
        })
        .collect();
    urls.extend(bound.sockets.iter().map(|path| {
        let base = format!("unix:{}", plain(path));
        let page = if below.is_empty() { base.clone() } else { format!("{base}:{below}/") };
        (page, format!("{base}:{below}/stream-logs{query}"))
    }));
    let lines: Vec<&str> =
        urls.first().map_or(Vec::new(), |(page, stream)| vec![page.as_str(), stream.as_str()]);
    if options.tee {
        // stdout is the lines; the URLs are asked for, quiet or not.
        for line in &lines {
            talk(false, line);
        }
    } else {
        let text = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        let mut out = io::stdout().lock();
        // Whoever closed stdout does not want them; one that is full may still be served by the port it was given.
        if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush())
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            talk(options.quiet, &format!("warning: cannot write the URLs to stdout: {error}"));
        }
    }
    // What a wildcard means to other machines.
    let wild = bound.addresses.iter().filter(|address| address.ip().is_unspecified());
    let outer: Vec<String> =
        wild.filter_map(|address| Some(page(outer_address(address.ip())?, address.port()))).collect();
    for page in urls.iter().skip(1).map(|(page, _)| page).chain(&outer) {
        talk(options.quiet, &format!("also: {page}"));
    }
    let over_ssh = std::env::var("SSH_CONNECTION").ok();
    if let (Some(connection), Some(address)) = (over_ssh, bound.addresses.first())
        && bound.addresses.iter().all(|address| address.ip().is_loopback())
        && let Some(hint) = ssh_hint(&connection, std::env::var("USER").ok().as_deref(), *address)
    {
        talk(options.quiet, &hint);
    }
    if options.open && !bound.addresses.is_empty() {
        let page = lines.first().copied().unwrap_or_default();
        let bare = page.split('?').next().unwrap_or_default();
        open(&once.map_or(page.to_owned(), |once| format!("{bare}?token={once}")), options.quiet);
    }
    if options.qr {
        let named = bound.addresses.iter().filter(|address| !address.ip().is_loopback());
        let named = named.filter(|address| !address.ip().is_unspecified());
        let reachable =
            outer.first().cloned().or(named.map(|address| page(address.ip(), address.port())).next());
        match reachable {
            Some(url) => draw(&url),
            None => talk(options.quiet, "warning: no QR code: only this machine is served; see --bind"),
        }
    }
}

/// The address of this machine for others, as the routes tell; nothing is sent.
fn outer_address(wildcard: IpAddr) -> Option<IpAddr> {
    // Addresses that are kept for documentation: every machine with a way out has a route to them.
    let far: IpAddr = match wildcard {
        IpAddr::V4(_) => Ipv4Addr::new(192, 0, 2, 1).into(),
        IpAddr::V6(_) => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
    };
    let socket = UdpSocket::bind((wildcard, 0)).ok()?;
    socket.connect((far, 9)).ok()?;
    let own = socket.local_addr().ok()?.ip();
    (!own.is_loopback() && !own.is_unspecified()).then_some(own)
}

/// How to reach a loopback address from where somebody came by ssh; `connection` is `SSH_CONNECTION`.
fn ssh_hint(connection: &str, user: Option<&str>, address: SocketAddr) -> Option<String> {
    let mut words = connection.split(' ').skip(2);
    let (host, port): (IpAddr, u16) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let user = user.filter(|user| !user.is_empty()).map_or(String::new(), |user| format!("{user}@"));
    let option = if port == 22 { String::new() } else { format!("-p {port} ") };
    let own = address.port();
    Some(format!("over ssh, on your own machine: ssh {option}-L {own}:{address} {user}{host}"))
}

/// Has the desktop open a URL, without waiting for it.
fn open(url: &str, quiet: bool) {
    let null = Stdio::null;
    // A group of its own: Ctrl-C here must not end the browser.
    let opened = Command::new("xdg-open")
        .arg(url)
        .stdin(null())
        .stdout(null())
        .stderr(null())
        .process_group(0)
        .spawn();
    match opened {
        Err(error) => talk(quiet, &format!("warning: cannot open the page: xdg-open: {error}")),
        Ok(mut child) => {
            std::thread::spawn(move || match child.wait() {
                Ok(status) if !status.success() => {
                    talk(quiet, &format!("warning: cannot open the page: xdg-open: {status}"));
                }
                _ => {}
            });
        }
    }
}

/// Draws a URL on stderr, if that is a terminal: light on dark, whatever its colours are.
fn draw(url: &str) {
    if !io::stderr().is_terminal() {
        return;
    }
    let Ok(code) = QrCode::new(url) else { return };
    let picture = code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build();
    let text: String = picture.lines().map(|line| format!("\x1b[97;40m{line}\x1b[0m\n")).collect();
    let _ = io::stderr().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_for_who_came_by_ssh() {
        let address = "127.0.0.1:8000".parse().unwrap();
        for (connection, user, expected) in [
            ("192.0.2.7 50000 192.0.2.1 22", Some("eva"), Some("ssh -L 8000:127.0.0.1:8000 eva@192.0.2.1")),
            ("192.0.2.7 50000 192.0.2.1 2222", None, Some("ssh -p 2222 -L 8000:127.0.0.1:8000 192.0.2.1")),
            ("UNKNOWN", None, None),
            ("", None, None),
        ] {
            let hint = ssh_hint(connection, user, address);
            let command = hint.as_deref().map(|hint| hint.split_once(": ").unwrap().1);
            assert_eq!(command, expected, "{connection}");
        }
    }
}
