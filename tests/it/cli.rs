//! The command line: help and completions are what is committed, and every wrong use gets one line and its code.

use crate::support::Place;
use crate::support::server::{LOGCAST, run};
use std::fs;
use std::net::TcpListener;
use std::path::Path;

/// Compares with a committed file, or writes it if UPDATE_GOLDEN is set.
#[track_caller]
fn golden(path: &str, text: &str) {
    let full = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(full.parent().expect("a folder")).expect("a folder");
        fs::write(&full, text).expect(path);
        return;
    }
    let committed = fs::read_to_string(&full).unwrap_or_default();
    let parts = committed.lines().zip(text.lines()).find(|(a, b)| a != b);
    assert!(committed == text, "{path} is not what the program says: {parts:?}; UPDATE_GOLDEN=1 rewrites it");
}

/// stdout of `logcast ARGS` in a terminal of 100 columns.
#[track_caller]
fn said(args: &[&str]) -> String {
    let words: Vec<&str> = ["env", "COLUMNS=100", LOGCAST].into_iter().chain(args.iter().copied()).collect();
    let outcome = run(&Place::new(), &words);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{args:?}");
    outcome.stdout
}

#[test]
fn help_is_what_is_committed() {
    golden("tests/golden/help.txt", &said(&["--help"]));
    let definition = logcast::cli::command();
    let mut names: Vec<&str> = definition.get_subcommands().map(clap::Command::get_name).collect();
    names.sort_unstable();
    for required in ["check", "completions", "generate", "man", "serve"] {
        assert!(names.contains(&required), "{required} is no command");
    }
    for name in names {
        golden(&format!("tests/golden/help-{name}.txt"), &said(&[name, "--help"]));
    }
}

#[test]
fn completions_are_what_is_committed() {
    for (shell, file) in [
        ("bash", "logcast.bash"),
        ("zsh", "_logcast"),
        ("fish", "logcast.fish"),
        ("elvish", "logcast.elv"),
        ("powershell", "_logcast.ps1"),
    ] {
        golden(&format!("completions/{file}"), &said(&["completions", shell]));
    }
}

#[test]
fn the_version_is_the_package_s() {
    assert_eq!(said(&["--version"]), concat!("logcast ", env!("CARGO_PKG_VERSION"), "\n"));
}

/// The exit code and all of stderr; stdout stays empty.
#[track_caller]
fn refused(args: &[&str], code: i32, expected: &str) {
    let place = Place::with("f", "one\n");
    fs::create_dir(place.path("folder")).expect("a folder");
    let words: Vec<&str> = std::iter::once(LOGCAST).chain(args.iter().copied()).collect();
    let outcome = run(&place, &words);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(code), expected), "{args:?}");
    assert_eq!(outcome.stdout, "", "{args:?}");
}

#[test]
fn wrong_use_of_serve() {
    let folder = "error: cannot follow 'folder': it is a folder\nhelp: logcast 'folder/*.log'\n";
    refused(&["folder"], 2, folder);
    refused(&["serve", "folder"], 2, folder);
    refused(&["/dev/null"], 2, "error: cannot follow '/dev/null': it is a device\n");
    refused(
        &["f", "--prot", "1"],
        2,
        "error: unexpected argument '--prot' found\nhelp: did you mean '--port'?\n",
    );
    refused(
        &["f", "--zzz"],
        2,
        "error: unexpected argument '--zzz' found\nhelp: logcast --help lists what there is\n",
    );
    refused(
        &["f", "--port", "70000"],
        2,
        "error: invalid value '70000' for '--port <PORT>': 70000 is not in 0..=65535\n\
         help: logcast --help lists what there is\n",
    );
    refused(
        &["f", "--tz", "Mars/Olympus"],
        2,
        "error: invalid value 'Mars/Olympus' for '--tz <ZONE>': no such zone; Europe/Berlin, UTC and local are\n\
         help: logcast --help lists what there is\n",
    );
    refused(
        &["sevre"],
        2,
        "error: cannot follow 'sevre': No such file or directory\n\
         help: did you mean the command `logcast serve`? For a file that is not there yet: ./sevre\n",
    );
    refused(
        &[],
        2,
        "error: cannot serve nothing: name a file\n\
         help: logcast app.log, or a command's output: make | logcast; logcast --help tells more\n",
    );
}

#[test]
fn a_port_that_is_taken() {
    let other = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = other.local_addr().expect("an address");
    let expected = format!(
        "error: cannot bind '{address}': Address already in use (os error 98)\n\
         help: choose another port with --port, or any free one with --port 0\n"
    );
    refused(&["f", "--port", &address.port().to_string()], 1, &expected);
}

#[test]
fn wrong_use_of_generate_and_check() {
    refused(
        &["generate", "folder"],
        2,
        "error: cannot write to 'folder': it is a folder\nhelp: logcast generate 'folder/app.log'\n",
    );
    refused(
        &["generate", "nowhere/f"],
        1,
        "error: cannot write to 'nowhere/f': No such file or directory (os error 2)\n",
    );
    refused(
        &["generate", "--rotate", "rename", "-"],
        2,
        "error: cannot rotate standard output: name a file\n",
    );
    refused(
        &["generate", "--rotate", "rename", "/dev/null"],
        2,
        "error: cannot rotate '/dev/null': it is no regular file\n",
    );
    refused(
        &["generate", "--style", "jsn"],
        2,
        "error: invalid value 'jsn' for '--style <STYLE>'\nhelp: did you mean 'json'?\n",
    );
    let listed = "help: logcast --help lists what there is\n";
    for (flag, value, cause) in [
        ("--rate <RATE>", "fast", "must be a number of lines a second"),
        ("--rate <RATE>", "-1", "must be a number of lines a second"),
        ("--size <SIZE>", "10X", "must be a size like 64M or 1GiB"),
        ("--start <TIME>", "noon", "must be a time like 2020-12-22T20:37:09Z"),
        ("--rotate-every <LINES|SIZE>", "0", "must be a number of lines like 1000, or a size like 10M"),
        ("--levels <LEVEL[=N],…>", "LOUD", "levels are DEBUG, INFO, WARNING, ERROR, CRITICAL"),
    ] {
        let (name, _) = flag.split_once(' ').expect("a flag and its value");
        let expected = format!("error: invalid value '{value}' for '{flag}': {cause}\n{listed}");
        refused(&["generate", &format!("{name}={value}")], 2, &expected);
    }
    refused(&["check", "folder"], 2, "error: cannot check 'folder': it is a folder\n");
    refused(&["check", "none"], 1, "error: cannot read 'none': No such file or directory (os error 2)\n");
    refused(
        &["check", "https://127.0.0.1/"],
        2,
        "error: cannot check 'https://127.0.0.1/': only http:// is known\n\
         help: curl -N -H Accept:text/plain URL | logcast check\n",
    );
}

#[test]
fn wrong_use_of_completions() {
    refused(
        &["completions", "bsh"],
        2,
        "error: invalid value 'bsh' for '<SHELL>'\nhelp: did you mean 'bash'?\n",
    );
}
