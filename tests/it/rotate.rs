//! Files that are renamed, replaced, truncated and removed while they are followed.

use crate::support::writer::text;
use crate::support::{Client, Place, Server, assert_lines, have, numbered, wait_for};
use std::fs;
use std::io::Write;
use std::time::Duration;

/// A server over `f` with 20 lines, and a client that has read them.
fn begin() -> (Place, Server, Client) {
    let lines = numbered("a", 1, 20);
    let place = Place::with("f", text(&lines));
    let server = Server::start(&place, &["f"]);
    let mut client = Client::all(&server);
    assert_lines(&client.take(20), &lines);
    (place, server, client)
}

/// Row 4: the unfinished last line of a file that was renamed is a line of its own.
#[test]
fn unfinished_line_of_the_old_file() {
    let place = Place::with("f", "one\ntwo\nunfinished");
    let server = Server::start(&place, &["f"]);
    let mut client = Client::all(&server);
    assert_lines(&client.take(2), &["one", "two"]);
    place.rename("f", "f.1");
    place.write("f", "three\n");
    let mut lines = client.take(2);
    // The new file is not held back for the old one's end.
    lines.sort();
    assert_lines(&lines, &["three", "unfinished"]);
    place.append("f", "four\n");
    assert_lines(&client.take(1), &["four"]);
}

/// Row 21: editors replace (vim) or rewrite (nano) a file when they save it.
#[test]
fn editors() {
    let (place, _server, mut client) = begin();
    let edited = numbered("vim", 1, 5);
    place.write("f.swp", text(&edited));
    place.rename("f", "f~");
    place.rename("f.swp", "f");
    assert_lines(&client.take(5), &edited);
    assert!(client.saw("rotated"), "{:?}", client.events);
    let edited = numbered("nano", 1, 3);
    place.write("f", text(&edited));
    assert_lines(&client.take(3), &edited);
    assert!(client.saw("truncated"), "{:?}", client.events);
    place.append("f", "after\n");
    assert_lines(&client.take(1), &["after"]);
}

/// Row 22: rename and create; a new client's backlog is the end of the log.
#[test]
fn rename_and_create() {
    let (place, server, mut client) = begin();
    place.rename("f", "f.1");
    place.write("f", text(&numbered("b", 1, 10)));
    place.append("f", "more\n");
    let mut expected = numbered("b", 1, 10);
    expected.push("more".to_owned());
    assert_lines(&client.take(11), &expected);
    assert_eq!(client.events.iter().filter(|event| event.name == "rotated").count(), 1);
    let rotated = client.events.iter().find(|event| event.name == "rotated").expect("a notice").json();
    assert_eq!(rotated["file"], "f");
    assert!(rotated["at"].is_string() && rotated["generation"].is_string(), "{rotated}");
    let mut tail = Client::open(&server, "lines=5");
    tail.hello();
    assert_lines(&tail.take(5), &expected[6..]);
    // Ten lines reach back into the file before where the new one has fewer.
    place.rename("f", "f.2");
    place.write("f", "c\n");
    assert_lines(&client.take(1), &["c"]);
    let mut tail = Client::open(&server, "lines=3");
    tail.hello();
    assert_lines(&tail.take(3), &["b-000010", "more", "c"]);
}

/// Row 23: the stream stays open over a time without any file.
#[test]
fn long_absence() {
    let (place, _server, mut client) = begin();
    place.rename("f", "f.1");
    client.until(|event| event.name == "waiting");
    place.write("f", text(&numbered("b", 1, 5)));
    assert_lines(&client.take(5), &numbered("b", 1, 5));
    assert!(client.saw("resumed") || client.saw("rotated"), "{:?}", client.events);
}

/// Row 24: copytruncate, four times, with a notice each.
#[test]
fn copy_and_truncate() {
    let place = Place::with("f", "");
    let server = Server::start(&place, &["f"]);
    let mut client = Client::all(&server);
    for turn in 1..=4 {
        let lines = numbered(&format!("turn{turn}"), 1, 50);
        for line in &lines {
            place.append("f", format!("{line}\n"));
        }
        assert_lines(&client.take(50), &lines);
        place.copy("f", &format!("f.{turn}"));
        place.truncate("f", 0);
        client.until(|event| event.name == "truncated");
    }
    place.append("f", "end\n");
    assert_lines(&client.take(1), &["end"]);
}

/// Row 24: a writer without O_APPEND leaves a hole of NULs after a truncation; nobody gets those.
#[test]
fn no_run_of_nuls() {
    let place = Place::new();
    let mut writer = fs::File::create(place.path("f")).expect("a file");
    let server = Server::start(&place, &["f"]);
    let mut client = Client::all(&server);
    writer.write_all(text(&numbered("a", 1, 2000)).as_bytes()).expect("a write");
    client.take(2000);
    place.copy("f", "f.1");
    place.truncate("f", 0);
    client.until(|event| event.name == "truncated");
    // The descriptor's place is where it was: this write makes a hole before it.
    writer.write_all(text(&numbered("b", 1, 5)).as_bytes()).expect("a write");
    let lines = client.take(5);
    assert!(lines.iter().all(|line| !line.contains('\0')), "{lines:?}");
    assert_lines(&lines, &numbered("b", 1, 5));
}

/// Row 26: a rewrite in place, and then the identical rewrite.
#[test]
fn rewrites() {
    let place = Place::with("f", text(&numbered("a", 1, 10)));
    let server = Server::start(&place, &["f"]);
    let mut client = Client::all(&server);
    client.take(10);
    let new = numbered("b", 1, 5);
    place.write("f", text(&new));
    assert_lines(&client.take(5), &new);
    place.write("f", text(&new));
    place.append("f", "end\n");
    let lines = client.lines_to("end");
    let mut twice = new.clone();
    twice.push("end".to_owned());
    assert!(lines == twice || lines == ["end"], "once more or not at all, never in part: {lines:?}");
}

/// Row 26: content of the very same size, and larger: found by content.
#[test]
fn rewrite_of_the_same_size() {
    let (place, _server, mut client) = begin();
    place.write("f", text(&numbered("b", 1, 20)));
    assert_lines(&client.take(20), &numbered("b", 1, 20));
    assert!(client.saw("truncated"));
    place.write("f", text(&numbered("c", 1, 90)));
    assert_lines(&client.take(90), &numbered("c", 1, 90));
}

/// Row 27: truncated and grown past the old size while nobody looked.
#[test]
fn rewritten_while_stopped() {
    let (place, server, mut client) = begin();
    server.freeze();
    place.write("f", text(&numbered("b", 1, 60)));
    server.thaw();
    assert_lines(&client.take(60), &numbered("b", 1, 60));
    assert!(client.saw("truncated"));
}

/// Row 28: replaced by a rename while nobody looked.
#[test]
fn replaced_while_stopped() {
    let (place, server, mut client) = begin();
    server.freeze();
    place.write("t", text(&numbered("b", 1, 40)));
    place.rename("t", "f");
    server.thaw();
    assert_lines(&client.take(40), &numbered("b", 1, 40));
    assert!(client.saw("rotated"));
}

/// Rows 27 and 28: lines that were written before the rename, unseen, are read from the file that left.
#[test]
fn written_and_renamed_while_stopped() {
    let (place, server, mut client) = begin();
    server.freeze();
    place.append("f", text(&numbered("late", 1, 30)));
    place.rename("f", "f.1");
    place.write("f", text(&numbered("b", 1, 7)));
    server.thaw();
    let mut expected = numbered("late", 1, 30);
    expected.extend(numbered("b", 1, 7));
    assert_lines(&client.take(37), &expected);
    assert!(!client.saw("gap"), "{:?}", client.events);
}

/// Row 29: removed and written anew, five times without a pause between.
#[test]
fn removed_and_written_anew() {
    let place = Place::with("f", "zero\n");
    let server = Server::start(&place, &["f"]);
    let mut client = Client::all(&server);
    client.take(1);
    for turn in 1..=5 {
        let lines = numbered(&format!("g{turn}"), 1, turn * 3);
        place.remove("f");
        place.write("f", text(&lines));
        assert_lines(&client.take(turn * 3), &lines);
    }
}

/// Row 32: the folder goes away and comes back.
#[test]
fn folder_recreated() {
    let place = Place::new();
    place.folder("logs");
    place.write("logs/app.log", text(&numbered("a", 1, 3)));
    let server = Server::start(&place, &["logs/app.log"]);
    let mut client = Client::all(&server);
    client.take(3);
    fs::remove_dir_all(place.path("logs")).expect("a folder to remove");
    client.until(|event| event.name == "waiting");
    place.folder("logs");
    place.write("logs/app.log", text(&numbered("b", 1, 3)));
    assert_lines(&client.take(3), &numbered("b", 1, 3));
    place.append("logs/app.log", "more\n");
    assert_lines(&client.take(1), &["more"]);
}

/// Row 34: the old file is read on, in another folder too, while the new one is there already.
#[test]
fn late_lines_of_the_old_file() {
    let (place, _server, mut client) = begin();
    let mut old = place.appender("f");
    place.folder("archive");
    place.rename("f", "archive/f.1");
    place.write("f", text(&numbered("new", 1, 10)));
    let late = numbered("late", 1, 10);
    for line in &late {
        old.write_all(format!("{line}\n").as_bytes()).expect("a write");
    }
    let lines = client.take(20);
    let part =
        |prefix: &str| lines.iter().filter(|line| line.starts_with(prefix)).cloned().collect::<Vec<_>>();
    assert_lines(&part("new"), &numbered("new", 1, 10));
    assert_lines(&part("late"), &late);
    old.write_all(b"last of the old\n").expect("a write");
    place.append("f", "last of the new\n");
    let mut lines = client.take(2);
    lines.sort();
    assert_lines(&lines, &["last of the new", "last of the old"]);
}

/// Row 36: twenty rotations without a pause: all lines, or a notice that says what is gone.
#[test]
fn twenty_rotations() {
    let (place, _server, mut client) = begin();
    let mut expected = Vec::new();
    for turn in 1..=20 {
        for old in (1..turn).rev() {
            place.rename(&format!("f.{old}"), &format!("f.{}", old + 1));
        }
        place.rename("f", "f.1");
        let lines = numbered(&format!("r{turn:02}"), 1, 20);
        place.write("f", text(&lines));
        expected.extend(lines);
    }
    place.append("f", "end\n");
    expected.push("end".to_owned());
    let lines = client.lines_to("end");
    let mut runs: Vec<&str> = lines.iter().map(|line| &line[..3]).collect();
    runs.dedup();
    let mut rest = expected.iter();
    assert!(lines.iter().all(|line| rest.any(|other| other == line)), "out of order or doubled: {runs:?}");
    assert!(lines.len() == expected.len() || client.saw("gap"), "lost in silence: {runs:?}");
}

/// Row 36: the same while the server stands still: what happened is found among the siblings.
#[test]
fn rotations_between_two_looks() {
    let (place, server, mut client) = begin();
    let mut expected = Vec::new();
    server.freeze();
    for turn in 1..=3 {
        for old in (1..turn).rev() {
            place.rename(&format!("f.{old}"), &format!("f.{}", old + 1));
        }
        place.rename("f", "f.1");
        let lines = numbered(&format!("r{turn}"), 1, 20);
        place.write("f", text(&lines));
        expected.extend(lines);
    }
    server.thaw();
    assert_lines(&client.take(60), &expected);
    assert!(!client.saw("gap"), "{:?}", client.events);
}

/// Row 43: other ways to name a rotated file, and a copy that is made under another name first.
#[test]
fn other_names() {
    let (place, server, mut client) = begin();
    place.folder("old");
    let mut all = numbered("a", 1, 20);
    for (turn, name) in ["f-20261122", "old/f.1", "f.tmp", "f-2026-11-22.bak"].into_iter().enumerate() {
        let lines = numbered(&format!("t{turn}"), 1, 5);
        if name == "f.tmp" {
            place.copy("f", "f.tmp");
            place.rename("f.tmp", "f.1");
            place.truncate("f", 0);
            client.until(|event| event.name == "truncated");
            place.append("f", text(&lines));
        } else {
            place.rename("f", name);
            place.write("f", text(&lines));
        }
        assert_lines(&client.take(5), &lines);
        all.extend(lines);
    }
    let lines: Vec<_> =
        client.events.iter().filter(|event| event.is_line()).map(|event| &event.data).collect();
    assert_lines(&lines, &all);
    // A file beside that only looks like a sibling is nobody's history.
    place.write("f.other", "not ours\n");
    let mut tail = Client::open(&server, "lines=12");
    let lines = tail.take(10);
    assert!(lines.iter().all(|line| line != "not ours"), "{lines:?}");
}

/// Row 44: the real logrotate, 32 times, by create and by copytruncate.
#[test]
fn logrotate() {
    if !have("logrotate") {
        return;
    }
    // A day has one name by date, so that style turns once.
    let styles = [
        ("create 0644", 10),
        ("copytruncate", 10),
        ("compress\n  create 0644", 11),
        ("dateext\n  create 0644", 1),
    ];
    for (style, turns) in styles {
        let place = Place::with("f", "");
        let path = place.path("f").display().to_string();
        let owner = "su root root\n  ";
        place.write("conf", format!("{path} {{\n  {owner}rotate 40\n  {style}\n}}\n"));
        fs::set_permissions(place.path("conf"), std::os::unix::fs::PermissionsExt::from_mode(0o644))
            .expect("a mode");
        let server = Server::start(&place, &["f"]);
        let mut client = Client::all(&server);
        for turn in 1..=turns {
            let lines = numbered(&format!("turn{turn}"), 1, 25);
            place.append("f", text(&lines));
            // copytruncate loses by nature what nobody read before; rename does not: there is no wait then.
            let read_first = style == "copytruncate";
            if read_first {
                assert_lines(&client.take(25), &lines);
            }
            let outcome = crate::support::server::run(&place, &["logrotate", "-f", "-s", "state", "conf"]);
            assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
            if !read_first {
                assert_lines(&client.take(25), &lines);
            }
        }
        place.append("f", "end\n");
        assert_lines(&client.take(1), &["end"]);
        assert!(!client.saw("gap"), "{style}: {:?}", client.events);
    }
}

/// Row 45: many rotations leave no descriptor and no watch behind.
#[test]
fn nothing_left_behind() {
    let (place, server, mut client) = begin();
    let before = (server.descriptors(), server.watches());
    for turn in 0..200 {
        place.rename("f", "f.1");
        place.write("f", format!("turn {turn}\n"));
        assert_lines(&client.take(1), &[format!("turn {turn}")]);
    }
    wait_for("descriptors and watches to go back", || {
        let now = (server.descriptors(), server.watches());
        (now.0 <= before.0 + 2 && now.1 <= before.1).then_some(())
    });
    wait_for("removed files to be let go", || {
        let folder = fs::read_dir(format!("/proc/{}/fd", server.pid().as_raw_pid())).expect("descriptors");
        let mut open = folder.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
        (!open.any(|path| path.to_string_lossy().contains("(deleted)"))).then_some(())
    });
}

/// Row 55: a removed file is read on while its writer writes, and let go afterwards.
#[test]
fn removed_under_its_writer() {
    let (place, server, mut client) = begin();
    let mut writer = place.appender("f");
    place.remove("f");
    for line in numbered("ghost", 1, 10) {
        writer.write_all(format!("{line}\n").as_bytes()).expect("a write");
    }
    assert_lines(&client.take(10), &numbered("ghost", 1, 10));
    drop(writer);
    place.write("f", "new\n");
    assert_lines(&client.take(1), &["new"]);
    wait_for("the removed file to be let go", || {
        let folder = fs::read_dir(format!("/proc/{}/fd", server.pid().as_raw_pid())).ok()?;
        let mut paths = folder.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
        (!paths.any(|path| path.to_string_lossy().contains("(deleted)"))).then_some(())
    });
    client.quiet(Duration::from_millis(100));
}

/// Row 24: a line that is written between copy and cut, and read before the cut, does not make the copy news.
#[test]
fn written_between_copy_and_cut() {
    let (place, _server, mut client) = begin();
    place.copy("f", "f.1");
    place.append("f", "between\n");
    assert_lines(&client.take(1), &["between"]);
    place.truncate("f", 0);
    place.append("f", "after\n");
    assert_lines(&client.take(1), &["after"]);
    assert!(client.saw("truncated") && !client.saw("rotated") && !client.saw("gap"), "{:?}", client.events);
}

/// Row 36: more rotations between two looks than are opened at once.
#[test]
fn a_hundred_rotations_while_stopped() {
    let (place, server, mut client) = begin();
    server.freeze();
    let mut lines = Vec::new();
    for turn in 1..=100 {
        for n in (1..turn).rev() {
            place.rename(&format!("f.{n}"), &format!("f.{}", n + 1));
        }
        place.rename("f", "f.1");
        let life = numbered(&format!("turn{turn}"), 1, 3);
        place.write("f", text(&life));
        lines.extend(life);
    }
    server.thaw();
    let mut got = client.take(lines.len());
    // Lives of one clock tick have no order that a look could find.
    let position = |line: &String| lines.iter().position(|own| own == line);
    let first = |life: &str| got.iter().position(|line| line.starts_with(life));
    for turn in 1..=100 {
        let at = first(&format!("turn{turn}-")).expect("a life");
        assert_lines(&got[at..at + 3], &numbered(&format!("turn{turn}"), 1, 3));
    }
    got.sort_by_key(position);
    assert_lines(&got, &lines);
    assert!(!client.saw("gap"), "{:?}", client.events);
}

/// Folders that are moved away, and links that are turned, leave no watch behind.
#[test]
fn no_watch_left_behind() {
    let place = Place::new();
    place.folder("logs");
    place.append("logs/f", "one\n");
    let server = Server::start(&place, &["logs/f"]);
    let mut client = Client::all(&server);
    assert_lines(&client.take(1), &["one"]);
    let before = server.watches();
    for turn in 0..3 {
        place.rename("logs", &format!("logs.{turn}"));
        client.until(|event| event.name == "waiting");
        place.folder("logs");
        place.append("logs/f", format!("turn {turn}\n"));
        assert_lines(&client.take(1), &[format!("turn {turn}")]);
    }
    wait_for("the old folders' watches to be gone", || (server.watches() <= before).then_some(()));
}
