//! Binding: from names and ports to listeners, with an error that says what to do.
//!
//! The default port, if it is taken, gives way to the next free one; a port that was given does not. A unix
//! socket is made for its owner alone, and one that a killed server left over is replaced. Sockets that systemd has
//! bound (socket activation, sd_listen_fds(3)) take the place of the default address.

use super::{Failure, plain};
use crate::web::server::{Listener, SocketFile};
use listenfd::ListenFd;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

/// The port, if none is given.
const DEFAULT_PORT: u16 = 8000;
/// How many ports after a busy default one are tried.
const NEXT_PORTS: u16 = 100;

/// What is bound.
pub(super) struct Bound {
    /// The listeners.
    pub(super) listeners: Vec<Listener>,
    /// Their addresses, unix sockets left out.
    pub(super) addresses: Vec<SocketAddr>,
    /// The paths of unix sockets.
    pub(super) sockets: Vec<String>,
}

impl Bound {
    /// Where it is, for people.
    pub(super) fn names(&self) -> String {
        let addresses = self.addresses.iter().map(SocketAddr::to_string);
        addresses.chain(self.sockets.iter().cloned()).collect::<Vec<_>>().join(", ")
    }
}

/// Binds every name: addresses, host names, paths of unix sockets; loopback if there is none. All addresses have
/// one port; `talk` hears of another than the default one.
pub(super) fn bind(binds: &[String], port: Option<u16>, talk: &dyn Fn(&str)) -> Result<Bound, Failure> {
    let mut bound = Bound { listeners: Vec::new(), addresses: Vec::new(), sockets: Vec::new() };
    take_passed(&mut bound)?;
    let default = [String::from("127.0.0.1")];
    let names = if binds.is_empty() && bound.listeners.is_empty() { &default[..] } else { binds };
    let mut port = port;
    for name in names {
        if name.contains('/') {
            bound.listeners.push(bind_unix(name)?);
            bound.sockets.push(name.clone());
            continue;
        }
        for address in resolve(name)? {
            // All addresses of one server have one port.
            let listener = bind_tcp(address, port, talk)?;
            let address = listener
                .local_addr()
                .map_err(|error| Failure::refused(format!("cannot bind '{name}': {error}")))?;
            port = Some(address.port());
            bound.addresses.push(address);
            bound.listeners.push(Listener::Tcp(listener));
        }
    }
    Ok(bound)
}

/// Takes the sockets that were passed to this process.
fn take_passed(bound: &mut Bound) -> Result<(), Failure> {
    let mut passed = ListenFd::from_env();
    for at in 0..passed.len() {
        let refused =
            |error: io::Error| Failure::refused(format!("cannot take socket {at} of systemd: {error}"));
        if let Ok(Some(listener)) = passed.take_tcp_listener(at) {
            listener.set_nonblocking(true).map_err(refused)?;
            bound.addresses.push(listener.local_addr().map_err(refused)?);
            let listener = tokio::net::TcpListener::from_std(listener).map_err(refused)?;
            bound.listeners.push(Listener::Tcp(listener));
            continue;
        }
        let Ok(Some(listener)) = passed.take_unix_listener(at) else {
            let failure =
                Failure::refused(format!("cannot take socket {at} of systemd: it is none to listen on"));
            return Err(failure.help("the unit's socket needs ListenStream="));
        };
        listener.set_nonblocking(true).map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        bound.sockets.push(address.as_pathname().map_or_else(String::new, |path| path.display().to_string()));
        let listener = tokio::net::UnixListener::from_std(listener).map_err(refused)?;
        // Its file is systemd's.
        bound.listeners.push(Listener::Unix(listener, None));
    }
    Ok(())
}

fn resolve(name: &str) -> Result<Vec<IpAddr>, Failure> {
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse() {
        return Ok(vec![address]);
    }
    let found = (bare, 0)
        .to_socket_addrs()
        .map_err(|error| Failure::refused(format!("cannot bind '{name}': {error}")))?;
    let mut found: Vec<IpAddr> = found.map(|address| address.ip()).collect();
    found.dedup();
    // A machine without IPv6 may still name it.
    found.retain(|address| found_usable(*address));
    match found.is_empty() {
        true => Err(Failure::refused(format!("cannot bind '{name}': it has no address on this machine"))),
        false => Ok(found),
    }
}

fn found_usable(address: IpAddr) -> bool {
    address.is_ipv4() || std::net::TcpListener::bind((address, 0)).is_ok()
}

fn bind_tcp(
    address: IpAddr,
    port: Option<u16>,
    talk: &dyn Fn(&str),
) -> Result<tokio::net::TcpListener, Failure> {
    let first = port.unwrap_or(DEFAULT_PORT);
    let last = if port.is_some() { first } else { first + NEXT_PORTS };
    for try_port in first..=last {
        match listen(SocketAddr::new(address, try_port)) {
            Ok(listener) => {
                if try_port != first {
                    talk(&format!("port {first} is taken, serving on {try_port}"));
                }
                return Ok(listener);
            }
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && try_port < last => {}
            Err(error) => {
                let shown = SocketAddr::new(address, try_port);
                let failure = Failure::refused(format!("cannot bind '{shown}': {error}"));
                return Err(match error.kind() {
                    io::ErrorKind::AddrInUse => {
                        failure.help("choose another port with --port, or any free one with --port 0")
                    }
                    io::ErrorKind::PermissionDenied => {
                        failure.help("ports below 1024 need a privilege; choose another with --port")
                    }
                    io::ErrorKind::AddrNotAvailable => failure
                        .help("it is no address of this machine; `ip address` lists them, 0.0.0.0 is all"),
                    _ => failure,
                });
            }
        }
    }
    unreachable!("the last port is answered for")
}

fn listen(address: SocketAddr) -> io::Result<tokio::net::TcpListener> {
    let socket = socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::STREAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(1024)?;
    tokio::net::TcpListener::from_std(socket.into())
}

fn bind_unix(name: &str) -> Result<Listener, Failure> {
    let refused = |error: io::Error| Failure::refused(format!("cannot bind '{}': {error}", plain(name)));
    let path = Path::new(name);
    if let Ok(meta) = std::fs::symlink_metadata(path)
        && !meta.file_type().is_socket()
    {
        let failure =
            Failure::refused(format!("cannot bind '{}': there is a file, not a socket", plain(name)));
        return Err(failure.help("an address has no slash; a socket has a path of its own"));
    }
    // A socket that nobody answers is left over from a server that was killed.
    if std::fs::symlink_metadata(path).is_ok_and(|meta| meta.file_type().is_socket()) && is_stale(path) {
        std::fs::remove_file(path).map_err(refused)?;
    }
    let mask = rustix::process::umask(rustix::fs::Mode::from_bits_truncate(0o177));
    let listener = tokio::net::UnixListener::bind(path);
    rustix::process::umask(mask);
    Ok(Listener::Unix(listener.map_err(refused)?, Some(SocketFile::made(path))))
}

/// Whether nobody listens on a socket. One whose queue is full does not answer, and is not waited for.
fn is_stale(path: &Path) -> bool {
    let connect = || {
        let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.connect(&socket2::SockAddr::unix(path)?)
    };
    connect().is_err_and(|error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused)
}
