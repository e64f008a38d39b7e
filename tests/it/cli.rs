//! The command line: help and completions are what is committed, and every wrong use gets one line and its code.

use crate::support::Place;
use crate::support::server::{LOGCAST, run};
use crate::support::writer::golden;

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
