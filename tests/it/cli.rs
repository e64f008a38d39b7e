//! The command line: help and completions as committed, and what bad usage is told.
//!
//! What is committed but derived (`tests/golden`, `completions`, the options in the README) is made by the program
//! and compared here; `UPDATE_GOLDEN=1` rewrites it. Messages are compared whole: status, stdout and stderr.

use crate::support::server::{LOGCAST, Outcome, run};
use crate::support::{Place, Server};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs the program with arguments; the width of the terminal that runs the tests plays no part.
#[track_caller]
fn logcast(place: &Place, args: &[&str]) -> Outcome {
    let words = ["env", "-u", "COLUMNS", LOGCAST];
    run(place, &words.iter().chain(args).collect::<Vec<_>>())
}

/// What a command that succeeds prints.
#[track_caller]
fn printed(args: &[&str]) -> String {
    let outcome = logcast(&Place::new(), args);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{args:?}");
    outcome.stdout
}

/// Compares a committed file with what the program makes, or rewrites it.
#[track_caller]
fn committed(path: &str, made: &str) {
    let path: PathBuf = repository().join(path);
    if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
        std::fs::write(&path, made).expect("a file to rewrite");
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let line = kept.lines().zip(made.lines()).take_while(|(a, b)| a == b).count();
    assert!(
        kept == made,
        "{} is not what the program makes: line {} is {:?}, made is {:?}; UPDATE_GOLDEN=1 rewrites it",
        path.display(),
        line + 1,
        kept.lines().nth(line),
        made.lines().nth(line),
    );
}

/// The help of the program and of every command.
#[test]
fn help() {
    committed("tests/golden/help.txt", &printed(&["--help"]));
    let definition = logcast::cli::command();
    let names: Vec<&str> = definition.get_subcommands().map(|command| command.get_name()).collect();
    assert!(names.contains(&"serve"), "{names:?}");
    for name in names {
        let text = printed(&[name, "--help"]);
        assert_eq!(text, printed(&["help", name]), "{name}");
        committed(&format!("tests/golden/help-{name}.txt"), &text);
    }
}

/// The completions that are shipped.
#[test]
fn completions() {
    for (shell, file) in [
        ("bash", "logcast.bash"),
        ("zsh", "_logcast"),
        ("fish", "logcast.fish"),
        ("elvish", "logcast.elv"),
        ("powershell", "_logcast.ps1"),
    ] {
        let text = printed(&["completions", shell]);
        assert!(text.contains("allow-origin"), "{shell}: {text}");
        committed(&format!("completions/{file}"), &text);
    }
}

/// The README shows the options as they are.
#[test]
fn options_in_the_readme() {
    let readme = std::fs::read_to_string(repository().join("README.md")).expect("a README");
    let begin = "<!-- made from `logcast serve --help` -->\n```text\n";
    let (before, rest) = readme.split_once(begin).expect("the place of the options");
    let (_, after) = rest.split_once("```\n").expect("the end of the options");
    let help = printed(&["serve", "--help"]);
    let options = help.split_once("Options:\n").expect("options").1;
    committed("README.md", &format!("{before}{begin}{options}```\n{after}"));
}

/// The man page is roff and names every command.
#[test]
fn man_page() {
    let text = printed(&["man"]);
    assert!(text.contains(".TH logcast 1"), "{text}");
    for command in logcast::cli::command().get_subcommands() {
        assert!(text.contains(command.get_name()), "{}", command.get_name());
    }
}

/// `--version` is the version of the package.
#[test]
fn version() {
    assert_eq!(printed(&["--version"]), format!("logcast {}\n", env!("CARGO_PKG_VERSION")));
}

/// Rows 80, 81, 84: what can never work is told in one line, perhaps with a next step, and the status is 2.
#[test]
fn bad_usage() {
    const LIST: &str = "help: logcast --help lists what there is\n";
    let place = Place::with("f", "one\n");
    place.folder("logs");
    let cases: &[(&[&str], &str, &str)] = &[
        (&["logs"], "cannot follow 'logs': it is a folder", "help: logcast 'logs/*.log'\n"),
        (&["serve", "logs/"], "cannot follow 'logs/': it is a folder", "help: logcast 'logs/*.log'\n"),
        (&["/dev/zero"], "cannot follow '/dev/zero': it is a device", ""),
        (&["f", "-", "-"], "cannot follow '-': it is a source already", ""),
        (&[""], "cannot follow '': an empty name is no source", ""),
        (&["f", "--bogus"], "unexpected argument '--bogus' found", LIST),
        (&["f", "--line", "5"], "unexpected argument '--line' found", "help: did you mean '--lines'?\n"),
        (
            &["f", "--port", "70000"],
            "invalid value '70000' for '--port <PORT>': 70000 is not in 0..=65535",
            LIST,
        ),
        (
            &["f", "--lines", "ten"],
            "invalid value 'ten' for '--lines <N|+N|all>': must be N, +N or all",
            LIST,
        ),
        (
            &["serv"],
            "cannot follow 'serv': No such file or directory",
            "help: did you mean the command `logcast serve`? For a file that is not there yet: ./serv\n",
        ),
        (
            &[],
            "cannot serve nothing: name a file",
            "help: logcast app.log, or a command's output: make | logcast; logcast --help tells more\n",
        ),
        (&["f", "--tee"], "cannot tee: standard input is no source", "help: logcast --tee - <app.log\n"),
        (
            &["f", "--token", "short"],
            "cannot use this token: it must be at least 8 visible ASCII characters",
            "",
        ),
        (
            &["f", "--allow-origin", "example.org"],
            "cannot allow the origin 'example.org': it is no origin",
            "help: an origin is like https://example.org, null or *\n",
        ),
        (
            &["generate", "--style", "jso"],
            "invalid value 'jso' for '--style <STYLE>'",
            "help: did you mean 'json'?\n",
        ),
        (
            &["generate", "--levels", "LOUD"],
            "invalid value 'LOUD' for '--levels <LEVEL[=N],…>': levels are DEBUG, INFO, WARNING, ERROR, CRITICAL",
            LIST,
        ),
        (&["completions"], "the following required arguments were not provided: <SHELL>", LIST),
        (
            &["generate", "--rotate", "rename"],
            "the following required arguments were not provided: <FILE>",
            LIST,
        ),
    ];
    for (args, message, help) in cases {
        let outcome = logcast(&place, args);
        assert_eq!(outcome.stderr, format!("error: {message}\n{help}"), "{args:?}");
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{args:?}");
    }
}

/// Row 76: a port that somebody has is refused by this machine: status 1, and the way out.
#[test]
fn port_taken_is_told() {
    let place = Place::with("f", "one\n");
    let other = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = other.local_addr().expect("an address").port().to_string();
    let outcome = logcast(&place, &["f", "--port", &port]);
    let expected = format!(
        "error: cannot bind '127.0.0.1:{port}': Address already in use (os error 98)\n\
         help: choose another port with --port, or any free one with --port 0\n"
    );
    assert_eq!(outcome.stderr, expected);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""));
}

/// The environment gives the port; the command line has the last word.
#[test]
fn port_from_the_environment() {
    let place = Place::with("f", "one\n");
    let other = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = other.local_addr().expect("an address").port();
    let variable = format!("LOGCAST_PORT={port}");
    let outcome = run(&place, &["env", &variable, LOGCAST, "f"]);
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    assert!(
        outcome.stderr.starts_with(&format!("error: cannot bind '127.0.0.1:{port}': ")),
        "{}",
        outcome.stderr
    );
    let words = ["env", &variable, LOGCAST, "f", "--port", "0"];
    let server = Server::launch(&place, &words, std::process::Stdio::null());
    assert_ne!(server.address.port(), port);
    let outcome = run(&place, &["env", "LOGCAST_PORT=70000", LOGCAST, "f"]);
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
}

/// Row 61: a reader that has enough ends the writer without a word, status 0.
#[test]
fn reader_that_has_enough() {
    let place = Place::new();
    for (args, first) in [
        ("generate --rate 0 --start 2020-12-22T20:37:09.123Z", "2020-12-22 20:37:09,123 - log_app - INFO"),
        ("--help", "Turn log files into a URL"),
        ("completions bash", "_logcast()"),
    ] {
        let script = format!("{{ \"$0\" {args}; echo \"status $?\" >&2; }} | head -n 1");
        let outcome = run(&place, &["sh", "-c", &script, LOGCAST]);
        assert!(outcome.stdout.starts_with(first), "{args}: {}", outcome.stdout);
        assert_eq!(outcome.stdout.lines().count(), 1, "{args}");
        assert_eq!(outcome.stderr, "status 0\n", "{args}");
    }
}
