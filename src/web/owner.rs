//! Whose process holds the other end of a loopback connection, as the kernel's table of sockets tells (sock_diag(7)).
//!
//! A log in a closed folder, such as a home, is no secret to its own user, and they need no token to read it here; other
//! users of the machine reach loopback as well. Asking costs a system call or two, once a connection.

use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};

/// A request for sockets of a family (`SOCK_DIAG_BY_FAMILY`), and that it is one (`NLM_F_REQUEST`).
const BY_FAMILY: u16 = 20;
const REQUEST: u16 = 1;
/// The families and the protocol (`AF_INET`, `AF_INET6`, `IPPROTO_TCP`).
const INET: u8 = 2;
const INET6: u8 = 10;
const TCP: u8 = 6;
/// The size of a message's header, of a request behind it, and of what an answer has at least.
const HEADER: usize = 16;
const QUESTION: usize = 56;
const ANSWER: usize = 72;
/// What users are shown as that have no number here (`overflowuid`).
const NOBODY: u32 = 65_534;

/// Whether a connection from `peer` to `local` is of this process's own user, or of root, who may read anything.
/// Whoever cannot be found is somebody else.
pub fn is_own(peer: SocketAddr, local: SocketAddr) -> bool {
    let own = rustix::process::geteuid().as_raw();
    user(peer, local).is_some_and(|user| user == 0 || user == own && own != NOBODY)
}

/// Whether this machine tells, tried on a connection of our own.
pub fn can_tell() -> bool {
    let tried = || {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let client = TcpStream::connect(listener.local_addr()?)?;
        Ok::<_, std::io::Error>(is_own(client.local_addr()?, client.peer_addr()?))
    };
    tried().unwrap_or(false)
}

/// The user of the process that holds the socket with this address, connected to that one.
fn user(address: SocketAddr, other: SocketAddr) -> Option<u32> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::NETLINK, SocketType::DGRAM, flags, Some(SOCK_DIAG)).ok()?;
    let kernel = SocketAddrNetlink::new(0, 0);
    sendto(&socket, &question(address, other), SendFlags::empty(), &kernel).ok()?;
    // The answer is there when the question was taken.
    let mut answer = [0u8; 1024];
    let (len, _) = recv(&socket, &mut answer[..], RecvFlags::DONTWAIT).ok()?;
    read(&answer[..len], address, other)
}

/// Ports and addresses as both messages have them.
fn pair(address: SocketAddr, other: SocketAddr) -> [u8; 36] {
    let mut out = [0; 36];
    out[..2].copy_from_slice(&address.port().to_be_bytes());
    out[2..4].copy_from_slice(&other.port().to_be_bytes());
    for (at, ip) in [(4, address.ip()), (20, other.ip())] {
        match ip.to_canonical() {
            IpAddr::V4(ip) => out[at..at + 4].copy_from_slice(&ip.octets()),
            IpAddr::V6(ip) => out[at..at + 16].copy_from_slice(&ip.octets()),
        }
    }
    out
}

fn question(address: SocketAddr, other: SocketAddr) -> [u8; HEADER + QUESTION] {
    let mut out = [0; HEADER + QUESTION];
    out[..4].copy_from_slice(&((HEADER + QUESTION) as u32).to_ne_bytes());
    out[4..6].copy_from_slice(&BY_FAMILY.to_ne_bytes());
    out[6..8].copy_from_slice(&REQUEST.to_ne_bytes());
    out[HEADER] = if address.ip().to_canonical().is_ipv4() { INET } else { INET6 };
    out[HEADER + 1] = TCP;
    // In any state, on any interface, whatever its cookie.
    out[HEADER + 4..HEADER + 8].fill(0xff);
    out[HEADER + 8..HEADER + 44].copy_from_slice(&pair(address, other));
    out[HEADER + 48..].fill(0xff);
    out
}

/// The user in an answer about this very connection.
fn read(answer: &[u8], address: SocketAddr, other: SocketAddr) -> Option<u32> {
    let body = answer.get(HEADER..HEADER + ANSWER)?;
    let number = |bytes: &[u8]| bytes.try_into().map(u32::from_ne_bytes).ok();
    if answer.get(4..6)? != BY_FAMILY.to_ne_bytes() || body[4..8] != pair(address, other)[..4] {
        return None;
    }
    // A socket that its process has closed is nobody's any more: the kernel shows it as root's, without an inode.
    if number(&body[68..72])? == 0 {
        return None;
    }
    number(&body[64..68])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_connections_and_those_that_are_gone() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address) else { continue };
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (peer, local) = (client.local_addr().unwrap(), client.peer_addr().unwrap());
            let own = rustix::process::geteuid().as_raw();
            assert_eq!(user(peer, local), Some(own), "{address}");
            assert!(is_own(peer, local));
            let (server, _) = listener.accept().unwrap();
            drop(client);
            assert_eq!(user(peer, local), None, "closed: {address}");
            drop(server);
            assert_eq!(user(peer, local), None, "gone: {address}");
        }
        assert!(can_tell());
    }

    #[test]
    fn an_answer_about_something_else_is_none() {
        let (a, b) = ("127.0.0.1:5".parse().unwrap(), "127.0.0.1:6".parse().unwrap());
        let mut answer = vec![0u8; HEADER + ANSWER];
        answer[4..6].copy_from_slice(&BY_FAMILY.to_ne_bytes());
        answer[HEADER + 4..HEADER + 40].copy_from_slice(&pair(a, b));
        answer[HEADER + 68] = 1;
        assert_eq!(read(&answer, a, b), Some(0));
        assert_eq!(read(&answer, b, a), None);
        assert_eq!(read(&answer[..HEADER + ANSWER - 1], a, b), None);
        // An error of the kernel.
        answer[4] = 2;
        assert_eq!(read(&answer, a, b), None);
    }
}
