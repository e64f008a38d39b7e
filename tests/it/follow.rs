//! What is there to follow: missing files, folders, pipes, links, users without rights, machines without watches.

use crate::support::server::{LOGCAST, run};
use crate::support::writer::text;
use crate::support::{Client, Place, Server, assert_lines, have, numbered};
use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Stdio;

/// Row 19: a file that can only be appended to.
#[test]
fn append_only() {
    let place = Place::with("f", "one\n");
    if !have("chattr") || run(&place, &["chattr", "+a", "f"]).code != Some(0) {
        eprintln!("skipped: chattr +a does not work here");
        return;
    }
    let server = Server::start(&place, &["f"]);
    let mut client = Client::all(&server);
    place.append("f", "two\n");
    let lines = client.take(2);
    run(&place, &["chattr", "-a", "f"]);
    assert_lines(&lines, &["one", "two"]);
}

/// Row 31: a link that points nowhere yet.
#[test]
fn dangling_link() {
    let place = Place::new();
    place.folder("elsewhere");
    symlink("elsewhere/target", place.path("f")).expect("a link");
    let server = Server::start(&place, &["f"]);
    let mut client = Client::all(&server);
    place.write("elsewhere/target", text(&numbered("x", 1, 3)));
    assert_lines(&client.take(3), &numbered("x", 1, 3));
    place.append("elsewhere/target", "more\n");
    assert_lines(&client.take(1), &["more"]);
}

/// A link that is turned to another file is a rotation.
#[test]
fn link_turned() {
    let place = Place::with("a", "a1\n");
    place.write("b", "b1\n");
    symlink("a", place.path("f")).expect("a link");
    let server = Server::start(&place, &["f"]);
    let mut client = Client::all(&server);
    assert_lines(&client.take(1), &["a1"]);
    symlink("b", place.path("new")).expect("a link");
    place.rename("new", "f");
    assert_lines(&client.take(1), &["b1"]);
    place.append("b", "b2\n");
    assert_lines(&client.take(1), &["b2"]);
}

/// Row 47: a file that is not there yet.
#[test]
fn missing_file() {
    let place = Place::new();
    let server = Server::start(&place, &["missing.log"]);
    let mut client = Client::open(&server, "");
    let hello = client.hello().json();
    assert_eq!(hello["files"][0]["state"], "waiting");
    place.write("missing.log", text(&numbered("x", 1, 3)));
    assert_lines(&client.take(3), &numbered("x", 1, 3));
}

/// Row 48: its folders are not there yet either.
#[test]
fn missing_folders() {
    let place = Place::new();
    let server = Server::start(&place, &["not/yet/app.log"]);
    let mut client = Client::all(&server);
    place.folder("not/yet");
    place.write("not/yet/app.log", text(&numbered("x", 1, 3)));
    assert_lines(&client.take(3), &numbered("x", 1, 3));
    place.append("not/yet/app.log", "more\n");
    assert_lines(&client.take(1), &["more"]);
}

/// Row 49: a file that this user may not read, until he may; said once.
#[test]
fn permission_comes() {
    if !have("setpriv") {
        return;
    }
    let place = Place::with("f", text(&numbered("x", 1, 3)));
    place.write("other", "o\n");
    fs::set_permissions(place.root(), PermissionsExt::from_mode(0o755)).expect("a mode");
    fs::set_permissions(place.path("f"), PermissionsExt::from_mode(0o000)).expect("a mode");
    fs::set_permissions(place.path("other"), PermissionsExt::from_mode(0o644)).expect("a mode");
    let program = place.path("logcast");
    fs::copy(LOGCAST, &program).expect("a copy that the other user can run");
    let program = program.display().to_string();
    let user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    let serve = [program.as_str(), "serve", "f", "other", "--no-auth", "--port", "0"];
    if run(&place, &[&user[..], &["true"]].concat()).code != Some(0) {
        eprintln!("skipped: this user cannot become another");
        return;
    }
    let server = Server::launch(&place, &[&user[..], &serve].concat(), Stdio::null());
    let mut client = Client::open(&server, "lines=all&file=f");
    client.hello();
    // Two looks of the follower, by the other file's lines, must not say it twice.
    let mut other = Client::open(&server, "lines=0&file=other");
    other.hello();
    for number in 0..20 {
        place.append("other", format!("{number}\n"));
        other.take(1);
    }
    fs::set_permissions(place.path("f"), PermissionsExt::from_mode(0o644)).expect("a mode");
    assert_lines(&client.take(3), &numbered("x", 1, 3));
    let said = server.stderr().lines().filter(|line| line.contains("ermission denied")).count();
    assert!(said <= 1, "said {said} times:\n{}", server.stderr());
}

/// Rows 50 and 53: what is no file is refused with its name and status 2.
#[test]
fn no_files() {
    let place = Place::new();
    place.folder("d");
    let _socket = std::os::unix::net::UnixListener::bind(place.path("s")).expect("a socket");
    for name in ["d", "/dev/null", "/dev/zero", "s"] {
        let outcome = run(&place, &[LOGCAST, "serve", name, "--port", "0"]);
        assert_eq!(outcome.code, Some(2), "{name}: {}", outcome.stderr);
        assert_eq!(outcome.stdout, "", "{name}");
        let first = outcome.stderr.lines().next().unwrap_or_default();
        assert!(
            first.starts_with("error: cannot ") && first.contains(&format!("'{name}'")),
            "{name}: {first}"
        );
    }
}

/// Row 51: a named pipe with three writers, one after another; nothing blocks at the start.
#[test]
fn named_pipe() {
    let place = Place::new();
    assert_eq!(run(&place, &["mkfifo", "p"]).code, Some(0));
    let server = Server::start(&place, &["p"]);
    let mut client = Client::all(&server);
    for writer in 1..=3 {
        let lines = numbered(&format!("w{writer}"), 1, 5);
        place.append("p", text(&lines));
        assert_lines(&client.take(5), &lines);
    }
}

/// Row 54: a file that is written through another name in another folder: no event tells of it.
#[test]
fn hard_link() {
    let place = Place::new();
    place.folder("logs");
    place.folder("other");
    place.write("logs/f", "one\n");
    fs::hard_link(place.path("logs/f"), place.path("other/l")).expect("a link");
    let server = Server::start(&place, &["logs/f"]);
    let mut client = Client::all(&server);
    client.take(1);
    place.append("other/l", "two\n");
    assert_lines(&client.take(1), &["two"]);
}

/// Rows 57 and 58: no watches, no instances: said once, and polled through a rotation.
#[test]
fn no_watches() {
    if !have("unshare") {
        return;
    }
    for limit in ["max_inotify_watches", "max_inotify_instances"] {
        let place = Place::with("f", text(&numbered("a", 1, 5)));
        let script = format!("echo 0 >/proc/sys/user/{limit} && exec \"$0\" serve f --port 0");
        let probe = format!("echo 0 >/proc/sys/user/{limit}");
        if run(&place, &["unshare", "-Ur", "sh", "-c", &probe]).code != Some(0) {
            eprintln!("skipped: no user namespaces here");
            return;
        }
        let server = Server::launch(&place, &["unshare", "-Ur", "sh", "-c", &script, LOGCAST], Stdio::null());
        let mut client = Client::all(&server);
        client.take(5);
        place.append("f", "six\n");
        place.rename("f", "f.1");
        place.write("f", text(&numbered("b", 1, 5)));
        let mut expected = vec!["six".to_owned()];
        expected.extend(numbered("b", 1, 5));
        assert_lines(&client.take(6), &expected);
        let stderr = server.stderr();
        assert_eq!(stderr.lines().filter(|line| line.contains("watch")).count(), 1, "{limit}:\n{stderr}");
    }
}

/// Row 62: the upper layer of an overlay: lines and a rotation there are found.
#[test]
fn overlay() {
    if !have("unshare") || !have("nsenter") {
        return;
    }
    let place = Place::new();
    place.folder("m");
    let mount = "mount -t tmpfs t m && cd m && mkdir lower upper work merged && echo one >lower/f \
         && mount -t overlay o -o lowerdir=lower,upperdir=upper,workdir=work merged";
    if run(&place, &["unshare", "-m", "sh", "-c", mount]).code != Some(0) {
        eprintln!("skipped: no overlay can be mounted here");
        return;
    }
    let serve = format!("{mount} && exec \"$0\" serve merged/f --port 0");
    let server = Server::launch(&place, &["unshare", "-m", "sh", "-c", &serve, LOGCAST], Stdio::null());
    let mut client = Client::all(&server);
    assert_lines(&client.take(1), &["one"]);
    let pid = server.pid().as_raw_pid().to_string();
    for (act, line) in [("echo two >>f", "two"), ("mv f f.1 && echo three >f", "three")] {
        let inside = format!("cd {}/m/merged && {act}", place.root().display());
        let outcome = run(&place, &["nsenter", "-m", "-t", &pid, "sh", "-c", &inside]);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        assert_lines(&client.take(1), &[line]);
    }
}

/// Row 66: one file under several names is exact under each.
#[test]
fn one_file_twice() {
    let place = Place::with("f", "one\n");
    symlink("f", place.path("link")).expect("a link");
    let server = Server::start(&place, &["f", "link", "./f"]);
    let names = crate::support::http::get(&server, "/api/files").json();
    let names: Vec<String> = names["files"]
        .as_array()
        .expect("files")
        .iter()
        .map(|file| file["name"].as_str().expect("a name").to_owned())
        .collect();
    assert!(!names.is_empty());
    for name in &names {
        let mut client = Client::open(
            &server,
            &format!("lines=all&file={}", name.replace('/', "%2F").replace(' ', "%20")),
        );
        client.hello();
        assert_lines(&client.take(1), &["one"]);
    }
    let mut clients: Vec<_> = names
        .iter()
        .map(|name| {
            Client::open(&server, &format!("lines=0&file={}", name.replace('/', "%2F").replace(' ', "%20")))
        })
        .collect();
    for client in &mut clients {
        client.hello();
    }
    place.append("f", "two\n");
    for client in &mut clients {
        assert_lines(&client.take(1), &["two"]);
    }
}

/// Row 67: files of the same base name in two folders.
#[test]
fn same_base_name() {
    let place = Place::new();
    for folder in ["x", "y"] {
        place.folder(folder);
        place.write(&format!("{folder}/app.log"), format!("from {folder}\n"));
    }
    let server = Server::start(&place, &["x/app.log", "y/app.log"]);
    for folder in ["x", "y"] {
        let mut client = Client::open(&server, &format!("lines=all&file={folder}%2Fapp.log"));
        assert_lines(&client.take(1), &[format!("from {folder}")]);
    }
}

/// Row 68: strange names are served, and nothing of them reaches the terminal raw.
#[test]
fn strange_names() {
    let long = "n".repeat(255);
    let names = ["-weird.log", "with blank", "100%", "a#b", "a&b=c", "it's \"quoted\"", "esc\x1b[31m", &long];
    for name in names {
        let place = Place::with(name, "one\n");
        let words = [LOGCAST, "serve", "--port", "0", "--", name];
        let server = Server::launch(&place, &words, Stdio::null());
        let mut client = Client::all(&server);
        assert_lines(&client.take(1), &["one"]);
        let files = crate::support::http::get(&server, "/api/files").json();
        assert_eq!(files["files"][0]["name"], name);
        assert!(!server.stderr().contains('\x1b'), "{:?}", server.stderr());
    }
}

/// Row 68: a name that is no UTF-8.
#[test]
fn name_without_utf8() {
    use std::os::unix::ffi::OsStrExt;
    let place = Place::new();
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9.log");
    fs::write(place.root().join(name), "one\n").expect("a file");
    let words = [LOGCAST.as_ref(), "serve".as_ref(), name, "--port".as_ref(), "0".as_ref()];
    let server = Server::launch(&place, &words, Stdio::null());
    let mut client = Client::all(&server);
    assert_lines(&client.take(1), &["one"]);
}

/// A quoted glob is looked at again: a file that joins is there with its first line.
#[test]
fn glob_joins() {
    let place = Place::with("a.log", "a1\n");
    let server = Server::start(&place, &["*.log"]);
    let mut client = Client::all(&server);
    assert_lines(&client.take(1), &["a1"]);
    place.write("b.log", "b1\nb2\n");
    assert_lines(&client.take(2), &["b1", "b2"]);
    let id = client.cut();
    place.append("a.log", "a2\n");
    place.append("b.log", "b3\n");
    let mut client = Client::resume(&server, "", &id);
    let mut lines = client.take(2);
    lines.sort();
    assert_lines(&lines, &["a2", "b3"]);
    assert!(!client.saw("gap"));
}

/// Row 77: three files, one missing, a client: nothing happens, and it costs nothing.
#[test]
fn idle() {
    let place = Place::with("a", "one\n");
    place.write("b", "one\n");
    let server = Server::start(&place, &["a", "b", "missing"]);
    let mut client = Client::all(&server);
    client.take(2);
    let before = server.ticks();
    client.quiet(std::time::Duration::from_secs(4));
    let used = server.ticks() - before;
    assert!(used < 40, "{used} hundredths of a second in four seconds");
}

/// Row 17: a writer that holds its descriptor open for ever is followed like any other.
#[test]
fn open_writer() {
    let place = Place::new();
    let mut file = place.appender("f");
    let server = Server::start(&place, &["f"]);
    let mut client = Client::all(&server);
    for line in numbered("w", 1, 100) {
        writeln!(file, "{line}").expect("a write");
    }
    assert_lines(&client.take(100), &numbered("w", 1, 100));
}
