//! The process: how it starts and ends, what it prints, what standard input gives, what it costs.

use crate::support::http::{connect, get, read_head};
use crate::support::server::{LOGCAST, run};
use crate::support::writer::text;
use crate::support::{
    Client, Place, Server, assert_lines, assert_nothing_lost_silently, have, numbered, wait_for,
};
use rustix::process::Signal;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Rows 69 and 70: a signal ends it with 0 soon, streams by their last chunk, a stalled client included.
#[test]
fn signals_end_it() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let place = Place::with("f", text(&numbered("a", 1, 100_000)));
        let mut server = Server::start(&place, &["f"]);
        let _stalled = Client::all(&server);
        let mut reading = Client::open(&server, "lines=5");
        reading.hello();
        reading.take(5);
        let start = Instant::now();
        let status = server.end(signal);
        assert_eq!(status.code(), Some(0), "{signal:?}: {status:?}\n{}", server.stderr());
        assert!(start.elapsed() < Duration::from_secs(5), "{signal:?}: {:?}", start.elapsed());
        reading.read_to_end();
    }
}

/// Row 71: under nohup a lost terminal is nothing to it.
#[test]
fn nohup() {
    if !have("nohup") {
        return;
    }
    let place = Place::with("f", "one\n");
    let mut server = Server::launch(&place, &["nohup", LOGCAST, "serve", "f", "--port", "0"], Stdio::null());
    server.signal(Signal::HUP);
    let mut client = Client::all(&server);
    assert_lines(&client.take(1), &["one"]);
    assert!(server.alive());
}

/// Row 72: a second signal stops at once.
#[test]
fn second_signal() {
    let place = Place::with("f", text(&numbered("a", 1, 100_000)));
    let mut server = Server::start(&place, &["f"]);
    let _stalled = Client::all(&server);
    server.signal(Signal::INT);
    // The program may be gone already: then there is nothing to send to.
    if server.alive() {
        server.signal(Signal::INT);
    }
    let start = Instant::now();
    server.wait();
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

/// A restart on the same port, with a client that was connected.
#[test]
fn same_port_again() {
    let place = Place::with("f", "one\n");
    let mut server = Server::start(&place, &["f"]);
    let mut client = Client::all(&server);
    client.take(1);
    server.end(Signal::TERM);
    server.restart();
    let mut client = Client::resume(&server, "", &client.cut());
    place.append("f", "two\n");
    assert_lines(&client.take(1), &["two"]);
}

/// Row 76: the port is taken: status 1, a message that names it, no panic.
#[test]
fn port_taken() {
    let place = Place::with("f", "one\n");
    let other = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = other.local_addr().expect("an address").port().to_string();
    let outcome = run(&place, &[LOGCAST, "serve", "f", "--port", &port]);
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    assert!(outcome.stderr.starts_with("error: cannot "), "{}", outcome.stderr);
    assert!(outcome.stderr.contains(&port), "{}", outcome.stderr);
    assert_eq!(outcome.stdout, "");
}

/// Row 84: ports that are none, and one that needs rights.
#[test]
fn bad_ports() {
    let place = Place::with("f", "one\n");
    for port in ["70000", "-1", "http", ""] {
        let outcome = run(&place, &[LOGCAST, "serve", "f", "--port", port]);
        assert_eq!(outcome.code, Some(2), "{port:?}: {}", outcome.stderr);
        assert!(outcome.stderr.starts_with("error: "), "{}", outcome.stderr);
    }
    if !have("unshare") || !have("setpriv") {
        return;
    }
    // In a network of its own port 80 is reserved as ever; the loopback there has to be raised by root.
    std::fs::set_permissions(place.root(), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("a mode");
    std::fs::copy(LOGCAST, place.path("logcast")).expect("a copy that the other user can run");
    let program = place.path("logcast").display().to_string();
    let script = "ip link set lo up 2>/dev/null || true; \
                  echo 1024 >/proc/sys/net/ipv4/ip_unprivileged_port_start; \
                  exec setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all \
                  \"$0\" serve f --port 80";
    if run(&place, &["unshare", "-n", "true"]).code != Some(0) {
        eprintln!("skipped: no network namespaces here");
        return;
    }
    let outcome = run(&place, &["unshare", "-n", "sh", "-c", script, &program]);
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("80"), "{}", outcome.stderr);
}

/// Row 61: stdout that takes nothing: it serves on or ends with a status, and never panics.
#[test]
fn stdout_full_or_closed() {
    let place = Place::with("f", "one\n");
    for words in [
        "exec \"$0\" serve f --port 0 --once --no-follow >/dev/full",
        "exec \"$0\" serve f --port 0 >&-",
        "\"$0\" generate --count 100000 --rate 0 | head -1 >/dev/null",
    ] {
        let script = words.to_owned();
        let mut child = Command::new("sh")
            .args(["-c", &script, LOGCAST])
            .current_dir(place.root())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut stderr = child.stderr.take().expect("piped");
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut all = String::new();
            let _ = stderr.read_to_string(&mut all);
            let _ = sender.send(all);
        });
        let end = Instant::now() + Duration::from_secs(3);
        while child.try_wait().expect("a child").is_none() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = child.kill();
        let status = child.wait().expect("a child");
        let said = receiver.recv_timeout(Duration::from_secs(5)).expect("stderr");
        assert!(!said.contains("panicked"), "{words}: {said}");
        assert_ne!(status.code(), Some(101), "{words}");
    }
}

/// Row 86: with stdout closed, nothing that it opens becomes its stdout.
#[test]
fn closed_stdout_reaches_no_file() {
    let place = Place::with("f", "one\n");
    let script = "exec \"$0\" serve f --port 0 >&-";
    let mut child = Command::new("sh")
        .args(["-c", script, LOGCAST])
        .current_dir(place.root())
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell");
    let fd = format!("/proc/{}/fd/1", child.id());
    let end = Instant::now() + Duration::from_secs(2);
    let mut one = None;
    while child.try_wait().expect("a child").is_none() && Instant::now() < end {
        one = std::fs::read_link(&fd).ok();
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    let _ = child.wait();
    let one = one.map(|path| path.display().to_string()).unwrap_or_default();
    assert!(one.is_empty() || one == "/dev/null", "descriptor 1 became {one}");
    assert_eq!(std::fs::read_to_string(place.path("f")).expect("the file"), "one\n");
}

/// stdout is two bare URLs and nothing else, even after the end.
#[test]
fn stdout_is_two_urls() {
    let place = Place::with("f", "one\n");
    let server = Server::start(&place, &["f"]);
    assert_eq!(server.page, format!("http://{}/", server.address));
    assert_eq!(server.stream, format!("http://{}/stream-logs", server.address));
    assert_eq!(get(&server, "/healthz").status, 200);
}

/// Row 78: standard input: its lines, the last without newline too; late clients get all; it serves on.
#[test]
fn stdin_to_its_end() {
    let place = Place::new();
    let mut server = Server::start_with_stdin(&place, &["-"]);
    let mut client = Client::all(&server);
    let mut pipe = server.stdin.take().expect("a pipe");
    pipe.write_all(b"one\ntwo\n\xff\0binary\n").expect("a write");
    assert_lines(&client.take(3), &["one", "two", "\u{fffd}\0binary"]);
    pipe.write_all(b"last").expect("a write");
    drop(pipe);
    assert_lines(&client.take(1), &["last"]);
    client.until(|event| event.name == "ended");
    let mut late = Client::all(&server);
    assert_lines(&late.take(4), &["one", "two", "\u{fffd}\0binary", "last"]);
    assert!(server.alive());
}

/// Row 79: a producer that is killed in the middle of a line: the cut line is the last one.
#[test]
fn producer_killed() {
    let place = Place::new();
    assert_eq!(run(&place, &["mkfifo", "p"]).code, Some(0));
    let mut producer = Command::new("sh")
        .args(["-c", "exec >p; echo whole; printf half; kill -9 $$"])
        .current_dir(place.root())
        .spawn()
        .expect("a shell");
    let words = ["sh", "-c", "exec \"$0\" serve - --port 0 <p", LOGCAST];
    let server = Server::launch(&place, &words, Stdio::null());
    let mut client = Client::all(&server);
    assert_lines(&client.take(2), &["whole", "half"]);
    client.until(|event| event.name == "ended");
    producer.wait().expect("a child to reap");
}

/// `--once` ends with the source; its clients get everything and a last chunk.
#[test]
fn once() {
    let place = Place::new();
    let mut server = Server::start_with_stdin(&place, &["-", "--once"]);
    let mut client = Client::all(&server);
    let mut pipe = server.stdin.take().expect("a pipe");
    pipe.write_all(b"one\ntwo\n").expect("a write");
    drop(pipe);
    let events = client.read_to_end();
    let lines: Vec<&str> =
        events.iter().filter(|event| event.is_line()).map(|event| event.data.as_str()).collect();
    assert_lines(&lines, &["one", "two"]);
    assert_eq!(events.last().map(|event| event.name.as_str()), Some("ended"));
    assert_eq!(server.wait().code(), Some(0));
}

/// A client that reads nothing never holds up the pipe's writer.
#[test]
fn stdin_is_never_held_up() {
    let place = Place::new();
    let mut server = Server::start_with_stdin(&place, &["-"]);
    let _stalled = Client::all(&server);
    let mut pipe = server.stdin.take().expect("a pipe");
    let writer = std::thread::spawn(move || {
        let lines = text(&numbered("n", 1, 500_000));
        pipe.write_all(lines.as_bytes()).expect("a write");
    });
    wait_for("the writer to be done", || writer.is_finished().then_some(()));
    let mut tail = Client::open(&server, "lines=1");
    tail.lines_to("n-500000");
}

/// With `--tee` stdout is standard input byte for byte, and the URLs are on stderr.
#[test]
fn tee() {
    let place = Place::with("in", b"one\r\n\xff\0two\nlast without newline");
    let script = "exec \"$0\" serve - --tee --once --port 0 <in >out";
    let outcome = run(&place, &["sh", "-c", script, LOGCAST]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let out = std::fs::read(place.path("out")).expect("the output");
    assert_eq!(out, b"one\r\n\xff\0two\nlast without newline");
    assert!(outcome.stderr.contains("/stream-logs"), "{}", outcome.stderr);
}

/// A bounded spool throws the oldest out and says so.
#[test]
fn spool_limit() {
    let place = Place::new();
    let mut server = Server::start_with_stdin(&place, &["-", "--spool-limit", "256K"]);
    let mut client = Client::open(&server, "lines=0");
    client.hello();
    let id = client.cut();
    let mut pipe = server.stdin.take().expect("a pipe");
    let lines = numbered("spooled-line", 1, 100_000);
    pipe.write_all(text(&lines).as_bytes()).expect("a write");
    let mut tail = Client::open(&server, "lines=3");
    tail.lines_to("spooled-line-100000");
    let mut client = Client::resume(&server, "", &id);
    let rest = client.lines_to("spooled-line-100000");
    assert!(client.saw("gap"), "{:?}", &client.events[..3]);
    assert_lines(&rest, &lines[lines.len() - rest.len()..]);
    assert!(rest.len() > 1000 && rest.len() < 60_000, "{} lines are kept", rest.len());
}

/// A pipe that is faster than everybody, over a spool that is too small: what was given up is said where it was.
#[test]
fn pipe_outruns_the_spool() {
    for _ in 0..3 {
        let place = Place::new();
        let mut server = Server::start_with_stdin(&place, &["-", "--spool-limit", "64K"]);
        let mut clients: Vec<Client> = (0..2).map(|_| Client::open(&server, "lines=0")).collect();
        clients.iter_mut().for_each(|client| drop(client.hello()));
        let mut lines = numbered("a line for a spool that is too small", 1, 30_000);
        lines.push("after the flood".to_owned());
        server.stdin.take().expect("a pipe").write_all(text(&lines).as_bytes()).expect("a write");
        for client in &mut clients {
            let events = client.until(|event| event.is_line() && event.data == "after the flood");
            assert_nothing_lost_silently(&events, &lines);
        }
        assert!(!server.stderr().contains("panicked"), "{}", server.stderr());
    }
}

/// Row 81: little address space and twenty clients that read all: history is read in blocks.
#[test]
fn little_memory() {
    let lines = numbered("a line of some length, again and again", 1, 200_000);
    let place = Place::with("f", text(&lines));
    let script = "ulimit -v 1500000; exec \"$0\" serve f --port 0";
    let server = Server::launch(&place, &["sh", "-c", script, LOGCAST], Stdio::null());
    let mut clients: Vec<Client> = (0..20).map(|_| Client::all(&server)).collect();
    for client in &mut clients[..3] {
        assert_lines(&client.take(200_000), &lines);
    }
    let most = server.memory("VmHWM");
    assert!(most < 100 << 20, "{most} bytes at the most");
}

/// Few descriptors: connections are refused or wait, the file is never taken for gone.
#[test]
fn few_descriptors() {
    let place = Place::with("f", "one\n");
    let script = "ulimit -n 96; exec \"$0\" serve f --port 0";
    let server = Server::launch(&place, &["sh", "-c", script, LOGCAST], Stdio::null());
    let mut client = Client::all(&server);
    client.take(1);
    let crowd: Vec<_> = (0..200).map(|_| crate::support::http::connect(server.address)).collect();
    place.rename("f", "f.1");
    place.write("f", text(&numbered("b", 1, 5)));
    assert_lines(&client.take(5), &numbered("b", 1, 5));
    drop(crowd);
    wait_for("a free place", || {
        let answer = crate::support::http::raw(
            &server,
            format!("GET /healthz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", server.address)
                .as_bytes(),
        );
        answer.filter(|answer| answer.status == 200)
    });
    place.append("f", "more\n");
    assert_lines(&client.take(1), &["more"]);
    assert!(!client.saw("gap"), "{:?}", client.events);
}

/// Row 112: readers that leave early leave nothing behind.
#[test]
fn early_readers() {
    if !have("curl") {
        return;
    }
    let place = Place::with("f", text(&numbered("a", 1, 1000)));
    let server = Server::start(&place, &["f"]);
    let base = server.descriptors();
    for filter in ["head -3", "grep -m1 a-000500"] {
        let script = format!("curl -sN '{}?lines=all' | {filter} >/dev/null & wait $!", server.stream);
        assert_eq!(run(&place, &["sh", "-c", &script]).code, Some(0), "{filter}");
    }
    // curl sees its closed pipe at the next bytes.
    for number in 0..100 {
        place.append("f", format!("{number}\n"));
    }
    wait_for("descriptors to go back", || (server.descriptors() <= base + 2).then_some(()));
}

/// Row 85: no HOME, no stdin, a clean environment and a folder that cannot be written.
#[test]
fn bare_environment() {
    let place = Place::with("f", "one\n");
    let script = "exec env -i \"$0\" serve \"$1\" --port 0 <&-";
    let file = place.path("f").display().to_string();
    let server =
        Server::launch(&place, &["sh", "-c", &format!("cd / && {script}"), LOGCAST, &file], Stdio::null());
    let mut client = Client::all(&server);
    assert_lines(&client.take(1), &["one"]);
}

/// Row 115: it listens on loopback only.
#[test]
fn loopback_only() {
    let place = Place::with("f", "one\n");
    let server = Server::start(&place, &["f"]);
    let port = format!(":{:04X}", server.address.port());
    let table = std::fs::read_to_string("/proc/net/tcp").expect("the table of sockets");
    let own: Vec<&str> = table
        .lines()
        .filter_map(|line| line.split_whitespace().nth(1).filter(|_| line.contains(" 0A ")))
        .filter(|local| local.ends_with(&port))
        .collect();
    assert_eq!(own, [format!("0100007F{port}")]);
}

/// `--once` waits for a client that is slow but takes what comes.
#[test]
fn once_waits_for_slow_clients() {
    let place = Place::new();
    let mut server = Server::start_with_stdin(&place, &["-", "--once", "--lines", "all"]);
    let mut socket = connect(server.address);
    socket
        .write_all(b"GET /stream-logs HTTP/1.0\r\nHost: localhost\r\nAccept: text/plain\r\n\r\n")
        .expect("a request");
    let (head, first) = read_head(&mut socket);
    assert_eq!(head.status, 200);
    let lines = text(&numbered("n", 1, 1_000_000));
    let mut pipe = server.stdin.take().expect("a pipe");
    pipe.write_all(lines.as_bytes()).expect("a write");
    drop(pipe);
    let (mut got, mut buf) = (first, vec![0; 256 << 10]);
    loop {
        match socket.read(&mut buf).expect("a read") {
            0 => break,
            n => got.extend_from_slice(&buf[..n]),
        }
        // Slower than the drain of a stop would allow.
        std::thread::sleep(Duration::from_millis(40));
    }
    assert!(got == lines.as_bytes(), "{} of {} bytes", got.len(), lines.len());
    assert_eq!(server.wait().code(), Some(0));
}

/// A FIFO that may only be read, and one that comes after the start.
#[test]
fn more_fifos() {
    let place = Place::new();
    let server = Server::start(&place, &["late"]);
    let mut client = Client::all(&server);
    assert_eq!(run(&place, &["mkfifo", "late"]).code, Some(0));
    for word in ["one", "two"] {
        let script = format!("echo {word} >late");
        assert_eq!(run(&place, &["sh", "-c", &script]).code, Some(0));
        assert_lines(&client.take(1), &[word]);
    }
    let outcome = run(&place, &["bash", "-c", "\"$0\" --once --port 0 <(echo through a shell)", LOGCAST]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
}

/// More files than the soft limit of descriptors allows: the limit is raised before they are opened.
#[test]
fn many_files_and_a_soft_limit() {
    let place = Place::new();
    place.folder("d");
    for n in 0..200 {
        place.write(&format!("d/{n}.log"), "old\n");
    }
    let words = ["sh", "-c", "ulimit -Sn 64; exec \"$0\" 'd/*.log' --port 0", LOGCAST];
    let server = Server::launch(&place, &words, Stdio::null());
    let mut client = Client::open(&server, "lines=0");
    client.hello();
    place.append("d/7.log", "new\n");
    assert_lines(&client.take(1), &["new"]);
    assert!(!client.saw("resumed"), "{:?}", client.events);
}

/// Words for yes and no in the environment; a variable of `serve` is nothing to another command, an empty one nothing.
#[test]
fn environment() {
    let place = Place::with("f", "one\n");
    let env = |words: &str| {
        run(&place, &["sh", "-c", &format!("{words} exec \"$0\" generate --count 1 --rate 0"), LOGCAST])
    };
    for words in ["LOGCAST_QUIET=1", "LOGCAST_PORT=bad", "LOGCAST_PORT="] {
        let outcome = env(words);
        assert_eq!(outcome.code, Some(0), "{words}: {}", outcome.stderr);
    }
    let words =
        ["sh", "-c", "LOGCAST_QUIET=yes LOGCAST_TITLE= LOGCAST_NO_FOLLOW=0 exec \"$0\" f --port 0", LOGCAST];
    let server = Server::launch(&place, &words, Stdio::null());
    let mut client = Client::all(&server);
    assert_lines(&client.take(1), &["one"]);
    place.append("f", "two\n");
    assert_lines(&client.take(1), &["two"]);
}
