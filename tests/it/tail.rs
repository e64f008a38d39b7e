//! `logcast tail`: what it prints is what was written, whatever is cut, restarted or killed in between.

use crate::support::server::{LOGCAST, run};
use crate::support::{DEADLINE, Place, Server, assert_lines, have, numbered, wait_for, writer::text};
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A `logcast tail` that runs.
struct Tail(Child);

impl Tail {
    #[track_caller]
    fn start<S: AsRef<OsStr>>(place: &Place, args: &[S], stdout: Stdio) -> Tail {
        let child = Command::new(LOGCAST)
            .arg("tail")
            .args(args)
            .current_dir(place.root())
            .env_remove("LOGCAST_TOKEN")
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(File::options().create(true).append(true).open(place.path("tail.err")).expect("a file"))
            .spawn();
        Tail(child.expect("a tail"))
    }

    /// With its output appended to a file.
    #[track_caller]
    fn into_file<S: AsRef<OsStr>>(place: &Place, args: &[S], name: &str) -> Tail {
        Tail::start(place, args, Stdio::from(place.appender(name)))
    }

    fn end(&mut self, signal: Signal) -> ExitStatus {
        kill_process(Pid::from_child(&self.0), signal).expect("a signal to a living child");
        self.wait()
    }

    fn wait(&mut self) -> ExitStatus {
        wait_for("the tail to end", || self.0.try_wait().expect("a child"))
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A network that is cut: passes connections on to an address, each for so many bytes.
struct Cutter {
    address: SocketAddr,
    cuts: Arc<AtomicUsize>,
}

impl Cutter {
    fn start(to: SocketAddr, most: usize, seed: u64) -> Cutter {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let cuts = Arc::new(AtomicUsize::new(0));
        let count = cuts.clone();
        eprintln!("seed {seed}");
        let mut random = fastrand::Rng::with_seed(seed);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // A server that is not there refuses: so does the network.
                let Ok(server) = TcpStream::connect(to) else { continue };
                let budget = match count.load(Ordering::Relaxed) < most {
                    true => random.usize(1..60_000),
                    false => usize::MAX,
                };
                let (ask, answer) =
                    (client.try_clone().expect("a socket"), server.try_clone().expect("a socket"));
                std::thread::spawn(move || pass(ask, server, usize::MAX));
                let count = count.clone();
                std::thread::spawn(move || {
                    if pass(answer, client, budget) {
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        Cutter { address, cuts }
    }

    fn cuts(&self) -> usize {
        self.cuts.load(Ordering::Relaxed)
    }
}

/// Copies so many bytes, then cuts both; true if it was the budget that ended it.
fn pass(mut from: TcpStream, mut to: TcpStream, mut budget: usize) -> bool {
    let mut block = [0; 16_384];
    let cut = loop {
        let Ok(len @ 1..) = from.read(&mut block) else { break false };
        let len = len.min(budget);
        if to.write_all(&block[..len]).is_err() {
            break false;
        }
        budget -= len;
        if budget == 0 {
            break true;
        }
    };
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    cut
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |meta| meta.len())
}

/// Waits until `name` holds as much as the log; as long as it goes on it may take its time.
#[track_caller]
fn until_whole(place: &Place, name: &str, log: &str) {
    let (mut seen, mut since) = (0, Instant::now());
    loop {
        let (got, all) = (size(&place.path(name)), size(&place.path(log)));
        if got >= all {
            return;
        }
        if got > seen {
            (seen, since) = (got, Instant::now());
        }
        assert!(since.elapsed() < DEADLINE, "{name} stands at {got} of {all} bytes");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[track_caller]
fn check(place: &Place, name: &str) -> String {
    let outcome = run(place, &[LOGCAST, "check", name]);
    outcome.stdout.lines().last().unwrap_or_default().to_owned()
}

#[test]
fn a_hundred_cuts_and_five_restarts() {
    let place = Place::with("app.log", "");
    let mut server = Server::start(&place, &["app.log"]);
    let cutter = Cutter::start(server.address, 100, fastrand::u64(..));
    let url = format!("http://{}/", cutter.address);
    let mut tail = Tail::into_file(&place, &[&url, "-n", "all"], "out");
    let words = [LOGCAST, "generate", "app.log", "--sequence", "--rate", "20000", "--quiet"];
    let mut writer =
        Command::new(words[0]).args(&words[1..]).current_dir(place.root()).spawn().expect("a writer");
    let end = Instant::now() + DEADLINE * 3;
    for restart in 1..=5 {
        while cutter.cuts() < restart * 18 {
            assert!(Instant::now() < end, "only {} cuts", cutter.cuts());
            std::thread::sleep(Duration::from_millis(10));
        }
        if restart % 2 == 0 {
            server.kill();
        } else {
            server.end(Signal::TERM);
        }
        server.restart();
    }
    while cutter.cuts() < 100 {
        assert!(Instant::now() < end, "only {} cuts", cutter.cuts());
        std::thread::sleep(Duration::from_millis(10));
    }
    kill_process(Pid::from_child(&writer), Signal::TERM).expect("a signal");
    writer.wait().expect("the writer's end");
    until_whole(&place, "out", "app.log");
    assert_eq!(tail.end(Signal::TERM).code(), Some(0));
    assert!(fs::read(place.path("out")).expect("out") == fs::read(place.path("app.log")).expect("the log"));
    let verdict = check(&place, "out");
    assert!(verdict.contains("lost=0 doubled=0 out_of_order=0 altered=0"), "{verdict}");
}

#[test]
fn a_cursor_file_goes_on_after_rotation() {
    let lines = numbered("line", 1, 40);
    let place = Place::with("app.log", text(&lines[..10]));
    let server = Server::start(&place, &["app.log"]);
    let words = [LOGCAST, "tail", &server.page, "--no-follow", "-n", "all", "--cursor-file", "place"];
    let once = || {
        let outcome = run(&place, &words);
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
        outcome.stdout
    };
    let mut got = once();
    assert_eq!(once(), "", "nothing new");
    place.append("app.log", text(&lines[10..20]));
    wait_for("new lines", || {
        let new = once();
        got.push_str(&new);
        (got.lines().count() >= 20).then_some(())
    });
    place.append("app.log", text(&lines[20..25]));
    place.rename("app.log", "app.log.1");
    place.write("app.log", text(&lines[25..40]));
    wait_for("the new file", || {
        let new = run(&place, &words);
        assert_eq!(new.code, Some(0), "{}", new.stderr);
        got.push_str(&new.stdout);
        (got.lines().count() >= 40).then_some(())
    });
    assert_lines(&got.lines().collect::<Vec<_>>(), &lines);
    let kept = fs::read_to_string(place.path("place")).expect("the place");
    assert!(kept.trim_end().ends_with(&format!(" http://{}/stream-logs", server.address)), "{kept}");
}

#[test]
fn kill_9_loses_nothing_between_runs() {
    let place = Place::with("app.log", "");
    let server = Server::start(&place, &["app.log"]);
    let words =
        [LOGCAST, "generate", "app.log", "--sequence", "--rate", "20000", "--count", "60000", "--quiet"];
    let mut writer =
        Command::new(words[0]).args(&words[1..]).current_dir(place.root()).spawn().expect("a writer");
    let args = [server.page.as_str(), "-n", "all", "--cursor-file", "place"];
    let mut runs = 0;
    while writer.try_wait().expect("a child").is_none() {
        let before = size(&place.path("out"));
        let mut tail = Tail::into_file(&place, &args, "out");
        wait_for("some lines", || {
            (size(&place.path("out")) > before + 100_000
                || size(&place.path("out")) > size(&place.path("app.log")))
            .then_some(())
        });
        tail.end(Signal::KILL);
        runs += 1;
    }
    let mut last = Tail::into_file(&place, &args, "out");
    wait_for("the last line", || {
        let all = fs::read(place.path("out")).expect("out");
        let end = String::from_utf8_lossy(&all[all.len().saturating_sub(200)..]).into_owned();
        end.contains("seq=59999 ").then_some(())
    });
    assert_eq!(last.end(Signal::INT).code(), Some(0));
    assert!(runs > 2, "killed {runs} times only");
    // A line that was cut off by the kill comes again; it reads as altered or as no number.
    let verdict = check(&place, "out");
    assert!(verdict.contains(" lost=0 "), "{verdict}");
}

#[test]
fn what_a_reader_left_in_the_pipe_comes_again() {
    let place = Place::new();
    assert_eq!(
        run(&place, &[LOGCAST, "generate", "app.log", "--sequence", "--rate", "0", "--count", "20000"]).code,
        Some(0)
    );
    let server = Server::start(&place, &["app.log"]);
    let args = [server.page.as_str(), "-n", "all", "--no-follow", "--cursor-file", "place"];
    let mut read = Vec::new();
    for _ in 0..100 {
        let mut tail = Tail::start(&place, &args, Stdio::piped());
        let mut pipe = tail.0.stdout.take().expect("piped");
        let (mut block, mut len) = ([0; 3000], 0);
        while len < 90_000 {
            let Ok(n @ 1..) = pipe.read(&mut block) else { break };
            read.extend_from_slice(&block[..n]);
            len += n;
        }
        drop(pipe);
        assert_eq!(tail.wait().code(), Some(0));
        if read.last() != Some(&b'\n') {
            read.push(b'\n');
        }
        if String::from_utf8_lossy(&read).contains("seq=19999 sum=") && len < 90_000 {
            break;
        }
    }
    place.write("read", &read);
    let verdict = check(&place, "read");
    assert!(verdict.contains(" lost=0 ") && verdict.contains(" gaps=0 "), "{verdict}");
}

#[test]
fn several_streams_with_names() {
    let (one, two) = (Place::with("a", "a1\na2\n"), Place::with("b", "b1\n"));
    let (a, b) = (Server::start(&one, &["a"]), Server::start(&two, &["b"]));
    let outcome =
        run(&one, &[LOGCAST, "tail", "--no-follow", &format!("left={}", a.page), &format!("r={}", b.page)]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    let mut lines: Vec<&str> = outcome.stdout.lines().collect();
    lines.sort_unstable();
    assert_lines(&lines, &["left | a1", "left | a2", "r    | b1"]);
    let outcome = run(&one, &[LOGCAST, "tail", "--no-follow", "--json", &a.page, &b.stream]);
    let objects: Vec<serde_json::Value> =
        outcome.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(
        objects
            .iter()
            .any(|object| object["text"] == "b1" && object["source"] == b.address.to_string().as_str())
    );
    // One that is not there does not hold up the others.
    let outcome =
        run(&one, &[LOGCAST, "tail", "--no-follow", "x=http://127.0.0.1:1/", &format!("a={}", a.page)]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), "a | a1\na | a2\n"));
    assert!(
        outcome.stderr.starts_with("error: cannot tail 'http://127.0.0.1:1/stream-logs': Connection refused")
    );
}

#[test]
fn files_of_one_stream_have_names() {
    let place = Place::with("a.log", "a1\n");
    place.write("b.log", "b1\nb\r2\n");
    let server = Server::start(&place, &["*.log"]);
    let tail = |args: &[&str]| {
        let words: Vec<&str> =
            [LOGCAST, "tail", "-n", "all", &server.page].iter().chain(args).copied().collect();
        let outcome = run(&place, &words);
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{args:?}");
        let mut lines: Vec<String> = outcome.stdout.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    };
    assert_lines(&tail(&["--no-follow"]), &["a.log | a1", "b.log | b1", "b.log | b␍2"]);
    assert_lines(&tail(&["--no-follow", "--names", "never"]), &["a1", "b1", "b␍2"]);
    assert_lines(&tail(&["--no-follow", "--file", "a.log"]), &["a1"]);
    assert_lines(&tail(&["--no-follow", "--file", "a.log", "--names", "always"]), &["a.log | a1"]);
}

#[test]
fn a_file_that_joins_makes_names_needed() {
    let place = Place::with("a.log", "a1\n");
    let server = Server::start(&place, &["*.log", "sub/*.log"]);
    let mut tail = Tail::into_file(&place, &[server.page.as_str(), "-n", "all"], "out");
    let out = || fs::read_to_string(place.path("out")).unwrap_or_default();
    wait_for("the first line", || (out() == "a1\n").then_some(()));
    place.folder("sub");
    place.write("sub/a.log", "other\n");
    wait_for("a name", || out().ends_with("sub/a.log | other\n").then_some(()));
    place.append("a.log", "a2\n");
    wait_for("a name for the first", || out().ends_with("a.log     | a2\n").then_some(()));
    assert_eq!(out(), "a1\nsub/a.log | other\na.log     | a2\n");
    assert_eq!(tail.end(Signal::TERM).code(), Some(0));
    assert_eq!(fs::read_to_string(place.path("tail.err")).expect("stderr"), "");
}

/// More files than an id can hold: the ids of the files are put together, so that cuts and restarts lose nothing.
#[test]
fn a_hundred_files_through_cuts_and_a_restart() {
    let place = Place::new();
    place.folder("logs");
    let generate = |count: &str| {
        let words = [
            LOGCAST,
            "generate",
            "--rate",
            "0",
            "--sequence",
            "--count",
            count,
            "--files",
            "100",
            "logs/f.log",
        ];
        assert_eq!(run(&place, &words).code, Some(0));
    };
    generate("20000");
    let mut server = Server::start(&place, &["logs/*.log"]);
    // Each line costs kilobytes of ids here, so that many cuts come before the first one, each followed by a longer wait.
    let cutter = Cutter::start(server.address, 10, fastrand::u64(..));
    let url = format!("http://{}/", cutter.address);
    // The first answer may be cut in its head.
    let args = [url.as_str(), "-n", "all", "--names", "never", "--cursor-file", "place", "--retry"];
    let mut tail = Tail::into_file(&place, &args, "out");
    let lines = || fs::read_to_string(place.path("out")).unwrap_or_default().lines().count();
    let until = |count: usize| {
        let (mut seen, mut since) = (0, Instant::now());
        while lines() < count {
            if lines() > seen {
                (seen, since) = (lines(), Instant::now());
            }
            assert!(since.elapsed() < DEADLINE, "{seen} lines of {count}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    until(5000);
    server.end(Signal::TERM);
    server.restart();
    until(20_000);
    // Another run goes on where this one was.
    assert_eq!(tail.end(Signal::TERM).code(), Some(0));
    generate("10000");
    let mut tail = Tail::into_file(&place, &args, "out");
    until(30_000);
    assert_eq!(tail.end(Signal::TERM).code(), Some(0));
    assert!(cutter.cuts() > 0, "no cut");
    // Files are one after the other: each line is there once, in the order of its file.
    let all = fs::read_to_string(place.path("out")).expect("out");
    let mut written = Vec::new();
    for number in 1..=100 {
        let text = fs::read_to_string(place.path(&format!("logs/f-{number}.log"))).expect("a log");
        written.extend(text.lines().map(str::to_owned));
    }
    let (mut got, mut expected): (Vec<&str>, Vec<&str>) =
        (all.lines().collect(), written.iter().map(String::as_str).collect());
    got.sort_unstable();
    expected.sort_unstable();
    assert_lines(&got, &expected);
    let said = fs::read_to_string(place.path("tail.err")).expect("stderr");
    assert!(!said.contains("missing"), "{said}");
}

#[test]
fn a_reader_that_goes_away() {
    let place = Place::with("f", "one\ntwo\nthree\n");
    let server = Server::start(&place, &["f"]);
    let mut tail = Tail::start(&place, &[server.page.as_str()], Stdio::piped());
    let mut pipe = tail.0.stdout.take().expect("piped");
    let mut first = [0; 4];
    pipe.read_exact(&mut first).expect("a line");
    drop(pipe);
    // Nothing more is written: it ends all the same.
    assert_eq!(tail.wait().code(), Some(0));
    assert_eq!(fs::read_to_string(place.path("tail.err")).expect("stderr"), "");
}

#[test]
fn filters_are_the_server_s() {
    let place = Place::with(
        "f",
        "2026-11-24T10:00:00Z INFO a\n2026-11-24T11:00:00Z ERROR b\n2026-11-24T12:00:00Z WARN c x\n",
    );
    place.write("g", "other\n");
    let server = Server::start(&place, &["f", "g"]);
    for (args, expected) in [
        (&["--file", "g"][..], &["other"][..]),
        (&["--file", "f", "--level", "warn+", "-v", "x"], &["2026-11-24T11:00:00Z ERROR b"]),
        (&["--file", "f", "-g", "INFO|WARN", "-n", "1"], &["2026-11-24T12:00:00Z WARN c x"]),
        (
            &["--file", "f", "--since", "2026-11-24T10:30:00Z", "--until", "2026-11-24T11:30:00Z"],
            &["2026-11-24T11:00:00Z ERROR b"],
        ),
    ] {
        let mut words = vec![LOGCAST, "tail", &server.page, "--no-follow"];
        words.extend(args);
        let outcome = run(&place, &words);
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{args:?}");
        assert_lines(&outcome.stdout.lines().collect::<Vec<_>>(), expected);
    }
}

#[test]
fn a_span_is_meant_from_the_start_on() {
    let place = Place::with("f", "one\n");
    let server = Server::start(&place, &["f"]);
    let hello = crate::support::Client::open(&server, "since=15m&until=2099-01-01T00:00:00Z").hello().json();
    assert_eq!(hello["until"], "2099-01-01T00:00:00Z");
    let since = hello["since"].as_str().expect("a time");
    let hello = crate::support::Client::open(&server, &format!("since={since}")).hello().json();
    assert_eq!(hello["since"], since);
    assert!(hello["until"].is_null());
}

#[test]
fn it_ends_with_what_it_reads() {
    let place = Place::new();
    let mut server = Server::start_with_stdin(&place, &["-"]);
    let mut tail = Tail::into_file(&place, &[server.page.as_str()], "out");
    let mut stdin = server.stdin.take().expect("piped");
    stdin.write_all(b"one\ntwo").expect("a write");
    wait_for("a line", || (size(&place.path("out")) == 4).then_some(()));
    drop(stdin);
    assert_eq!(tail.wait().code(), Some(0));
    assert_eq!(fs::read_to_string(place.path("out")).expect("out"), "one\ntwo\n");
    assert_eq!(fs::read_to_string(place.path("tail.err")).expect("stderr"), "'stdin' has ended\n");
}

#[test]
fn a_server_that_comes_late_is_waited_for() {
    let place = Place::with("f", "one\n");
    let mut server = Server::start(&place, &["f"]);
    server.end(Signal::TERM);
    let mut tail = Tail::into_file(&place, &[server.page.as_str(), "--retry"], "out");
    wait_for("a word about it", || {
        fs::read_to_string(place.path("tail.err")).ok()?.ends_with("trying again\n").then_some(())
    });
    server.restart();
    wait_for("the line", || (size(&place.path("out")) == 4).then_some(()));
    assert_eq!(tail.end(Signal::INT).code(), Some(0));
}

#[test]
fn a_terminal_is_not_written_to_by_a_line() {
    if !have("script") {
        return;
    }
    let place = Place::with("f", "a\x1b[2Jb\x07 \x1b[31mred\n");
    let server = Server::start(&place, &["f"]);
    let command = format!("{LOGCAST} tail --no-follow {}", server.page);
    let outcome = run(&place, &["script", "-qec", &command, "typescript"]);
    assert_eq!(outcome.stdout.trim_end(), "a␛[2Jb␇ \x1b[31mred\x1b[0m", "{}", outcome.stderr);
}

#[test]
fn what_cannot_be_read() {
    let place = Place::with("f", "one\n");
    let server = Server::start(&place, &["f", "--token", "secret-token"]);
    let own = format!("http://{}/stream-logs", server.address);
    let page = format!("http://{}/", server.address);
    let plain = TcpListener::bind("127.0.0.1:0").expect("a port");
    let other = format!("http://{}/", plain.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for mut socket in plain.incoming().flatten() {
            let mut ask = [0; 4096];
            let _ = socket.read(&mut ask);
            let _ = socket
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nhi");
        }
    });
    let refused = |args: &[&str], code: i32, expected: String| {
        let words: Vec<&str> = [LOGCAST, "tail"].iter().chain(args).copied().collect();
        let outcome = run(&place, &words);
        assert_eq!(
            (outcome.code, outcome.stderr.as_str(), outcome.stdout.as_str()),
            (Some(code), expected.as_str(), ""),
            "{args:?}"
        );
    };
    let waits = "help: is logcast serve running there? With --retry it is waited for\n";
    let gone = "error: cannot tail 'http://127.0.0.1:1/stream-logs': Connection refused (os error 111)\n";
    refused(&["http://127.0.0.1:1"], 1, format!("{gone}{waits}"));
    refused(
        &["localhost:8000"],
        2,
        "error: cannot tail 'localhost:8000': it is no URL\nhelp: did you mean http://localhost:8000 ?\n"
            .to_owned(),
    );
    refused(
        &[&page],
        1,
        format!(
            "error: cannot tail '{own}': a token is needed\nhelp: copy the URL that logcast serve printed, or give --token or --user\n"
        ),
    );
    refused(
        &[&page, "--token", "wrong-token"],
        1,
        format!(
            "error: cannot tail '{own}': this token is wrong\nhelp: copy the URL that logcast serve printed\n"
        ),
    );
    refused(
        &[&server.page, "--grep", "("],
        2,
        format!(
            "error: cannot tail '{own}': grep: unclosed group\nhelp: it is a regular expression: a backslash before ( [ . * and the like makes them plain\n"
        ),
    );
    refused(
        &[&server.page, "--file", "g"],
        1,
        format!(
            "error: cannot tail '{own}': file: no source has this name; /api/files lists them\nhelp: its page lists the files it serves\n"
        ),
    );
    refused(
        &[&other],
        1,
        format!(
            "error: cannot tail '{other}stream-logs': the answer is text/html, not an event stream\nhelp: give the URL that logcast serve printed\n"
        ),
    );
    refused(
        &[&page, &page],
        2,
        format!("error: cannot tail '{own}': it is given twice\nhelp: name each once\n"),
    );
    refused(&[&page, "--cursor-file", "f"], 1, "error: cannot use 'f': it holds something else than places of logcast tail\nhelp: choose another --cursor-file\n".to_owned());
    // The token that the URL holds goes into no message and no file.
    let outcome = run(&place, &[LOGCAST, "tail", &server.page, "--no-follow", "--cursor-file", "place"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), "one\n"));
    assert!(!fs::read_to_string(place.path("place")).expect("the place").contains("secret"));
}
