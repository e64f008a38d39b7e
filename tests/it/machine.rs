//! What the machine does to it: disks that fail or fill, file systems that go, clocks that jump, networks without
//! IPv6, clients that crawl. Each needs a means of this machine (a namespace, a tracer) and says so where it has none.

use crate::support::http::connect;
use crate::support::server::{LOGCAST, run};
use crate::support::writer::text;
use crate::support::{
    Client, Place, Server, assert_lines, assert_nothing_lost_silently, have, numbered, wait_for,
};
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Runs a script where the server lives: in its mount namespace and its folder.
#[track_caller]
fn inside(place: &Place, server: &Server, script: &str) {
    let pid = server.pid().as_raw_pid().to_string();
    let script = format!("cd '{}' && {script}", place.root().display());
    let outcome = run(place, &["nsenter", "-m", "-t", &pid, "sh", "-c", &script]);
    assert_eq!(outcome.code, Some(0), "{script}: {}", outcome.stderr);
}

/// Whether a script runs in new namespaces of these kinds; says so on stderr if not.
fn can_unshare(place: &Place, kinds: &str, script: &str) -> bool {
    if !have("unshare") || !have("nsenter") {
        return false;
    }
    let can = run(place, &["unshare", kinds, "sh", "-c", script]).code == Some(0);
    if !can {
        eprintln!("skipped: unshare {kinds} cannot run {script:?} here");
    }
    can
}

/// A tracer that makes reads fail until it is dropped.
struct Failing {
    strace: Child,
}

impl Failing {
    /// Every positioned read of the server gives EIO from here on.
    fn reads(server: &Server) -> Option<Failing> {
        if !have("strace") {
            return None;
        }
        let pid = server.pid().as_raw_pid();
        let strace = Command::new("strace")
            .args([
                "-f",
                "-q",
                "-e",
                "trace=pread64",
                "-e",
                "inject=pread64:error=EIO",
                "-o",
                "/dev/null",
                "-p",
            ])
            .arg(pid.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("strace");
        let mut failing = Failing { strace };
        let traced = wait_for("strace to hold all threads, or to give up", || {
            if failing.strace.try_wait().expect("a child").is_some() {
                return Some(false);
            }
            let threads = std::fs::read_dir(format!("/proc/{pid}/task")).expect("threads");
            let free = threads.flatten().any(|thread| {
                std::fs::read_to_string(thread.path().join("status"))
                    .is_ok_and(|status| status.contains("TracerPid:\t0"))
            });
            (!free).then_some(true)
        });
        if !traced {
            eprintln!("skipped: no process can be traced here");
        }
        traced.then_some(failing)
    }
}

impl Drop for Failing {
    fn drop(&mut self) {
        // A tracer that ends lets go of what it traced.
        let _ = self.strace.kill();
        let _ = self.strace.wait();
    }
}

/// Row 63: reads that fail for a while lose nothing, and are not tried without a pause.
#[test]
fn reads_fail() {
    let place = Place::with("f", text(&numbered("a", 1, 20)));
    let server = Server::start(&place, &["f"]);
    let mut client = Client::all(&server);
    client.take(20);
    let Some(failing) = Failing::reads(&server) else { return };
    let before = server.ticks();
    place.append("f", text(&numbered("b", 1, 20)));
    client.quiet(Duration::from_secs(3));
    let ticks = server.ticks() - before;
    assert!(ticks < 60, "{ticks} hundredths of a second in three seconds of failure");
    drop(failing);
    assert_lines(&client.take(20), &numbered("b", 1, 20));
    place.append("f", "end\n");
    assert_lines(&client.take(1), &["end"]);
    assert!(!client.saw("gap"), "{:?}", client.events);
}

/// Row 64: the disk is full where standard input is kept: what cannot be kept is said, and it serves on.
#[test]
fn spool_on_a_full_disk() {
    let place = Place::with("f", "one\n");
    place.folder("tmp");
    let mount = "mount -t tmpfs -o size=256k t tmp";
    if !can_unshare(&place, "-m", mount) {
        return;
    }
    let script = format!("{mount} && TMPDIR=$PWD/tmp exec \"$0\" serve f - --port 0");
    let mut server = Server::launch(&place, &["unshare", "-m", "sh", "-c", &script, LOGCAST], Stdio::piped());
    let mut client = Client::open(&server, "lines=all&file=f");
    assert_lines(&client.take(1), &["one"]);
    let mut pipe = server.stdin.take().expect("a pipe");
    let mut last = Client::open(&server, "lines=0&file=stdin");
    last.hello();
    let mut lines = numbered("a line for a disk that is too small", 1, 30_000);
    let flood = text(&lines);
    let writer = std::thread::spawn(move || {
        // The writer must not be held up, and must not be killed by a closed pipe.
        pipe.write_all(flood.as_bytes()).map(|()| pipe)
    });
    wait_for("the writer not to be held up", || writer.is_finished().then_some(()));
    let pipe = writer.join().expect("the writer");
    place.append("f", "two\n");
    assert_lines(&client.take(1), &["two"]);
    assert!(server.alive());
    let mut pipe = pipe.expect("a pipe that is still read");
    pipe.write_all(b"after the flood\n").expect("a pipe that is still read");
    let events = last.until(|event| event.is_line() && event.data == "after the flood");
    lines.push("after the flood".to_owned());
    assert_nothing_lost_silently(&events, &lines);
}

/// Row 65: the file system goes away under the file, and comes back with another.
#[test]
fn unmounted() {
    let place = Place::new();
    place.folder("m");
    let mount = "mount -t tmpfs t m && echo one >m/f";
    if !can_unshare(&place, "-m", mount) {
        return;
    }
    let script = format!("{mount} && exec \"$0\" serve m/f --port 0");
    let server = Server::launch(&place, &["unshare", "-m", "sh", "-c", &script, LOGCAST], Stdio::null());
    let mut client = Client::all(&server);
    assert_lines(&client.take(1), &["one"]);
    inside(&place, &server, "umount -l m");
    client.until(|event| event.name == "waiting");
    inside(&place, &server, "mount -t tmpfs t m && echo two >m/f");
    assert_lines(&client.take(1), &["two"]);
    inside(&place, &server, "echo three >>m/f");
    assert_lines(&client.take(1), &["three"]);
}

/// The library that gives a process a clock of its own, which a file sets.
fn faketime() -> Option<std::path::PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?.flatten();
    let found =
        folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1")).find(|path| path.exists());
    if found.is_none() {
        eprintln!("skipped: there is no libfaketime");
    }
    found
}

/// Row 82: the clock is set forward and back by an hour: lines, rotations and heartbeats come as ever.
#[test]
fn clock_steps() {
    let Some(library) = faketime() else { return };
    let place = Place::with("f", "one\n");
    place.write("clock", "+0");
    let script = "LD_PRELOAD=\"$1\" FAKETIME_TIMESTAMP_FILE=\"$PWD/clock\" FAKETIME_NO_CACHE=1 DONT_FAKE_MONOTONIC=1 \
                  exec \"$0\" serve f --port 0";
    let library = library.display().to_string();
    let server = Server::launch(&place, &["sh", "-c", script, LOGCAST, &library], Stdio::null());
    let mut client = Client::all(&server);
    client.take(1);
    let hour = |client: &Client| {
        let at =
            client.events.iter().rev().find(|event| event.name == "rotated").expect("a notice").json()["at"]
                .clone();
        at.as_str().expect("a time").parse::<jiff::Timestamp>().expect("a time")
    };
    let mut times = Vec::new();
    for (turn, clock) in ["+3600", "-3600", "+0"].into_iter().enumerate() {
        place.write("clock", clock);
        let lines = numbered(&format!("turn-{turn}"), 1, 5);
        place.append("f", text(&lines));
        assert_lines(&client.take(5), &lines);
        place.rename("f", &format!("f.{turn}"));
        place.write("f", format!("new {turn}\n"));
        assert_lines(&client.take(1), &[format!("new {turn}")]);
        times.push(hour(&client));
    }
    let apart = times[0].duration_since(times[1]).as_secs();
    assert!((7000..7400).contains(&apart), "the clock was set by {apart} s: {times:?}");
    place.write("clock", "-3600");
    let comments = client.comments().len();
    client.until_comment(comments + 1, Duration::from_secs(40));
    assert!(!client.saw("gap"), "{:?}", client.events);
}

/// Row 83: without IPv6 the default works, and `::1` is refused in words.
#[test]
fn without_ipv6() {
    let place = Place::with("f", "one\n");
    let alone = "ip link set lo up && echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6";
    if !have("ip") || !can_unshare(&place, "-n", alone) {
        return;
    }
    let refused = format!("{alone} && exec \"$0\" serve f --port 0 --bind ::1");
    let outcome = run(&place, &["unshare", "-n", "sh", "-c", &refused, LOGCAST]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""), "{}", outcome.stderr);
    assert!(outcome.stderr.starts_with("error: cannot "), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("::1"), "{}", outcome.stderr);
    if !have("curl") {
        return;
    }
    let script = format!("{alone} && exec \"$0\" serve f --port 0");
    let server = Server::launch(&place, &["unshare", "-n", "sh", "-c", &script, LOGCAST], Stdio::null());
    let pid = server.pid().as_raw_pid().to_string();
    let port = server.address.port();
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("http://{host}:{port}/stream-logs?lines=all&follow=false");
        let outcome = run(&place, &["nsenter", "-n", "-t", &pid, "curl", "-sS", "--noproxy", "*", &url]);
        assert!(outcome.stdout.contains("data: one\n"), "{host}: {} {}", outcome.stdout, outcome.stderr);
    }
}

/// Row 103: a client that crawls through a long file costs little, and holds up nobody.
#[test]
fn slow_reader() {
    let lines = numbered(&"a line that is somewhat longer than others ".repeat(20), 1, 50_000);
    let place = Place::with("f", text(&lines));
    let server = Server::start(&place, &["f"]);
    let mut slow = connect(server.address);
    let request = format!("GET /stream-logs?lines=all HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
    slow.write_all(request.as_bytes()).expect("a request");
    let mut live = Client::open(&server, "lines=0");
    live.hello();
    let (mut read, mut block, start) = (0, [0; 1024], Instant::now());
    for number in 0..40 {
        read += slow.read(&mut block).expect("some bytes");
        place.append("f", format!("live {number}\n"));
        assert_lines(&live.take(1), &[format!("live {number}")]);
    }
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert!(read > 1024, "{read} bytes for the slow one");
    let most = server.memory("VmHWM");
    assert!(most < 64 << 20, "{most} bytes at the most");
}
