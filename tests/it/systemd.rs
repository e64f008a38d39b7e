//! Sockets: unix ones, and those that a service manager passes; and the words that it is told.

use crate::support::server::{LOGCAST, run};
use crate::support::{Client, Place, Server, wait_for};
use rustix::process::Signal;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The answer to a request over a unix socket.
fn over(path: &Path, target: &str) -> Option<String> {
    let mut socket = UnixStream::connect(path).ok()?;
    socket.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    write!(socket, "GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).ok()?;
    Some(answer)
}

/// A child that is ended with the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `logcast serve ARGS` that gets `passed` as the first socket of socket activation.
fn activated(place: &Place, passed: OwnedFd, args: &[&str]) -> Ended {
    // The shell's number stays with what it becomes.
    let script = "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" serve \"$@\" >out 2>err";
    let child = Command::new("sh")
        .args(["-c", script, LOGCAST])
        .args(args)
        .current_dir(place.root())
        .env("XDG_CONFIG_HOME", place.root())
        .stdin(Stdio::from(passed))
        .spawn()
        .expect("a shell");
    Ended(child)
}

#[test]
fn a_unix_socket_is_its_owners_and_goes_with_the_server() {
    let place = Place::with("f", "one\n");
    let path = place.path("s");
    // One that a killed server left over is replaced.
    drop(UnixListener::bind(&path).expect("a socket"));
    let mut server = Server::start(&place, &["f", "--bind", "127.0.0.1", "--bind", "./s"]);
    let mode = std::fs::symlink_metadata(&path).expect("the socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(over(&path, "/raw/f").expect("an answer").ends_with("\r\n\r\none\n"));
    // One that is listened on is not.
    let second = run(&place, &[LOGCAST, "serve", "f", "--bind", "./s"]);
    assert_eq!(second.code, Some(1));
    assert!(
        second.stderr.starts_with("error: cannot bind './s': Address already in use"),
        "{}",
        second.stderr
    );
    assert!(over(&path, "/healthz").is_some());
    server.end(Signal::TERM);
    assert!(!path.exists());
    // Another server's socket at the same path stays.
    let mut server = Server::start(&place, &["f", "--bind", "127.0.0.1", "--bind", "./s"]);
    std::fs::remove_file(&path).expect("the socket");
    let _other = UnixListener::bind(&path).expect("another's socket");
    server.end(Signal::TERM);
    assert!(path.exists());
}

#[test]
fn a_socket_that_was_passed() {
    let place = Place::with("f", "one\n");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let _child = activated(&place, listener.into(), &["f"]);
    let urls = wait_for("the URLs", || {
        let text = std::fs::read_to_string(place.path("out")).ok()?;
        (text.lines().count() == 2).then_some(text)
    });
    assert_eq!(urls, format!("http://{address}/\nhttp://{address}/stream-logs\n"));
    let answer = run(&place, &["curl", "-sS", &format!("http://{address}/raw/f")]);
    assert!(answer.code.is_none_or(|code| code != 0) || answer.stdout == "one\n", "{}", answer.stderr);
}

#[test]
fn a_unix_socket_that_was_passed_stays_the_managers() {
    let place = Place::with("f", "one\n");
    let path = place.path("s");
    let listener = UnixListener::bind(&path).expect("a socket");
    let mut child = activated(&place, listener.into(), &["f"]);
    let answer = wait_for("an answer", || over(&path, "/raw/f"));
    assert!(answer.ends_with("one\n"), "{answer}");
    rustix::process::kill_process(rustix::process::Pid::from_child(&child.0), Signal::TERM)
        .expect("a signal");
    let status = wait_for("the end", || child.0.try_wait().expect("a child"));
    assert_eq!(status.code(), Some(0));
    assert!(path.exists(), "the socket's file is not ours");
    let datagrams = UnixDatagram::bind(place.path("d")).expect("a socket");
    let mut refused = activated(&place, datagrams.into(), &["f"]);
    let status = wait_for("the end", || refused.0.try_wait().expect("a child"));
    assert_eq!(status.code(), Some(1));
    let said = std::fs::read_to_string(place.path("err")).expect("stderr");
    assert!(said.starts_with("error: cannot take socket 0 of systemd"), "{said}");
}

#[test]
fn the_service_manager_is_told() {
    let place = Place::with("f", "one\n");
    let manager = UnixDatagram::bind(place.path("notify")).expect("a socket");
    manager.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out");
    let next = || {
        let mut bytes = [0; 1024];
        let len = manager.recv(&mut bytes).expect("a word in time");
        String::from_utf8_lossy(&bytes[..len]).into_owned()
    };
    let notify = format!("NOTIFY_SOCKET={}", place.path("notify").display());
    let words = [
        "env",
        &notify,
        "WATCHDOG_USEC=200000",
        LOGCAST,
        "serve",
        "f",
        "--port",
        "0",
        "--token",
        "secret-token",
    ];
    let mut server = Server::launch(&place, &words, Stdio::null());
    let ready = next();
    let expected = format!("READY=1\nSTATUS=serving on {}\n", server.address);
    assert_eq!(ready, expected);
    for _ in 0..3 {
        assert_eq!(next(), "WATCHDOG=1\n");
    }
    Client::open(&server, "lines=all&token=secret-token").take(1);
    server.signal(Signal::TERM);
    let last = (0..100).map(|_| next()).find(|word| word != "WATCHDOG=1\n").expect("a last word");
    assert_eq!(last, "STOPPING=1\n");
    assert_eq!(server.wait().code(), Some(0));
}
