//! A week in some minutes, by hand: rotations and clients without end, and nothing that grows.

use crate::support::http::{connect, get, read_head};
use crate::support::writer::text;
use crate::support::{Client, Place, Server, assert_lines, numbered, wait_for};
use std::fs;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// What must not grow.
#[derive(Debug)]
struct Costs {
    resident: u64,
    descriptors: usize,
    threads: usize,
    watches: usize,
}

impl Costs {
    fn of(server: &Server) -> Costs {
        let tasks =
            fs::read_dir(format!("/proc/{}/task", server.pid().as_raw_pid())).expect("a living child");
        Costs {
            resident: server.memory("VmRSS"),
            descriptors: server.descriptors(),
            threads: tasks.count(),
            watches: server.watches(),
        }
    }
}

/// One client of its kind: most of them leave without a word.
fn visit(server: &Server, number: usize) {
    let host = server.address;
    let mut socket = connect(host);
    let abort = |socket: &std::net::TcpStream| {
        let _ = socket2::SockRef::from(socket).set_linger(Some(Duration::ZERO));
    };
    let request =
        |target: &str| format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    match number % 8 {
        // Half a head, then a reset.
        0 => {
            let _ = socket.write_all(b"GET / HTTP/1.1\r\nHost: ");
            abort(&socket);
        }
        // A stream that is cut after its head.
        1 | 2 => {
            let _ = socket.write_all(request("/stream-logs?lines=5").as_bytes());
            assert_eq!(read_head(&mut socket).0.status, 200);
            abort(&socket);
        }
        // A filtered stream that is cut at once.
        3 => {
            let target = format!("/stream-logs?lines=5&grep=rotation-{}", number % 50);
            let _ = socket.write_all(request(&target).as_bytes());
            abort(&socket);
        }
        // What is refused.
        4 => {
            let _ = socket.write_all(request("/stream-logs?nonsense=1").as_bytes());
            assert_eq!(read_head(&mut socket).0.status, 400);
        }
        _ => {
            let targets = ["/api/lines?file=f&at=end&before=5", "/api/files", "/healthz"];
            let _ = socket.write_all(request(targets[number % 3]).as_bytes());
            let mut answer = Vec::new();
            socket.read_to_end(&mut answer).expect("an answer");
            assert!(
                answer.starts_with(b"HTTP/1.1 200 ") || answer.starts_with(b"HTTP/1.1 404 "),
                "{answer:?}"
            );
        }
    }
}

/// So many rotations, and so many clients beside them; one client stays, and gets every line once.
fn soak(rotations: usize, visits: usize) {
    let place = Place::with("f", "");
    let server = Server::start(&place, &["f"]);
    let mut client = Client::all(&server);
    let done = AtomicUsize::new(0);
    let rotate = |client: &mut Client, number: usize| {
        let lines = numbered(&format!("rotation-{number}"), 1, 3);
        place.append("f", text(&lines));
        assert_lines(&client.take(3), &lines);
        assert!(!client.saw("gap"), "{:?}", client.events);
        client.events.clear();
        for old in (1..4).rev() {
            if place.path(&format!("f.{old}")).exists() {
                place.rename(&format!("f.{old}"), &format!("f.{}", old + 1));
            }
        }
        place.rename("f", "f.1");
        place.write("f", "");
    };
    let begin = Instant::now();
    // What is made once and kept is made before the first look.
    (0..rotations / 10).for_each(|number| rotate(&mut client, number));
    (0..visits / 10).for_each(|number| visit(&server, number));
    let settle = |what: &str, base: usize| {
        wait_for(what, || (server.descriptors() <= base).then_some(()));
        Costs::of(&server)
    };
    let first = settle("the first descriptors to go back", 64);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in visits / 10..visits {
                visit(&server, number);
                done.fetch_add(1, Ordering::Relaxed);
            }
        });
        (rotations / 10..rotations).for_each(|number| rotate(&mut client, number));
    });
    // Threads that wait for blocking work end after ten idle seconds.
    wait_for("threads to go back", || (Costs::of(&server).threads <= first.threads + 2).then_some(()));
    let last = settle("descriptors to go back", first.descriptors + 8);
    eprintln!(
        "{rotations} rotations and {visits} clients in {:?}\n  after a tenth: {first:?}\n  at the end:    {last:?}",
        begin.elapsed()
    );
    assert_eq!(done.into_inner(), visits - visits / 10);
    assert!(last.watches <= first.watches + 1, "{first:?}, {last:?}");
    // The allocator keeps some of what it had at the worst moment; what leaks at each turn is more.
    assert!(last.resident < first.resident + (8 << 20), "{first:?}, {last:?}");
    let metrics = get(&server, "/metrics").text();
    assert!(metrics.contains("\nlogcast_clients 1\n"), "only the client that stayed: {metrics}");
}

#[test]
fn little_grows_over_rotations_and_clients() {
    soak(60, 600);
}

#[test]
#[ignore = "by hand: cargo test --release --test it -- --ignored --nocapture soak::a_week"]
fn a_week_of_rotations_and_clients() {
    soak(10_000, 100_000);
}
