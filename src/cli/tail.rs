//! The arguments of `logcast tail`, and their way to the command's options.

use super::color::Color;
use crate::commands::http::{self, Fingerprint};
use crate::commands::{Failure, color_talk, tail};
use crate::live::backlog::Backlog;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// What to print.
#[derive(Debug, Args)]
pub(super) struct TailArgs {
    /// What logcast serve printed, the page or the stream, or nats://HOST/SUBJECTS; NAME=URL gives a name
    #[arg(value_name = "URL", required = true)]
    urls: Vec<String>,
    /// What to begin with: the last N lines of each file, from line N on, or all [default: what the server gives]
    #[arg(short = 'n', long, value_name = "N|+N|all", value_parser = super::backlog, allow_hyphen_values = true)]
    lines: Option<Backlog>,
    /// Only lines that match this regular expression; repeated: that match all of them
    #[arg(short, long, value_name = "REGEX")]
    grep: Vec<String>,
    /// No lines that match this regular expression; may be repeated
    #[arg(short = 'v', long, value_name = "REGEX")]
    exclude: Vec<String>,
    /// Only lines of these levels: warn+ means at least, error,fatal a list
    #[arg(long, value_name = "LEVELS")]
    level: Option<String>,
    /// Only lines from this time on: 15m (ago), 14:02 (today), 2026-11-24T14:02:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only lines before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Only this file of the server, HOST:PATH in a stream of an engine; may be repeated
    #[arg(long = "file", value_name = "NAME")]
    files: Vec<String>,
    /// Print an object a line, with file, offset, level and time
    #[arg(long)]
    json: bool,
    /// Print what there is and end
    #[arg(long)]
    no_follow: bool,
    /// Accepted for those who type tail: it is what it does anyway
    #[arg(short = 'f', short_alias = 'F', long, hide = true, conflicts_with = "no_follow")]
    follow: bool,
    /// Wait for a server that is not there yet, too
    #[arg(long)]
    retry: bool,
    /// The token of URLs that hold none
    #[arg(long, env = "LOGCAST_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// The name and the password that a server with --auth asks for
    #[arg(long, value_name = "NAME:PASSWORD", env = "LOGCAST_USER", hide_env_values = true, value_parser = user)]
    user: Option<String>,
    /// Trust this certificate (its SHA-256), and no other; serve --tls-self-signed prints it
    #[arg(long, value_name = "SHA256", value_parser = fingerprint)]
    fingerprint: Option<Fingerprint>,
    /// Keep the place in this file and go on from there the next time
    #[arg(long, value_name = "FILE")]
    cursor_file: Option<PathBuf>,
    /// Say only what is wrong
    #[arg(short, long)]
    quiet: bool,
    /// Mark what matches this regular expression, where colours are on; may be repeated
    #[arg(long, value_name = "REGEX")]
    highlight: Vec<String>,
    /// When a line has the name of its stream and file in front: auto means where there are several
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Names::Auto)]
    names: Names,
    /// When to colour names, marks and warnings
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    color: Color,
}

pub(super) fn user(text: &str) -> Result<String, &'static str> {
    match text.split_once(':') {
        Some((name, _)) if !name.is_empty() => Ok(text.to_owned()),
        _ => Err("must be NAME:PASSWORD"),
    }
}

pub(super) fn fingerprint(text: &str) -> Result<Fingerprint, String> {
    http::fingerprint(text).ok_or_else(|| "must be 64 hexadecimal digits, perhaps with colons".to_owned())
}

/// The values of `--names`, which need no help of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Names {
    Auto,
    Always,
    Never,
}

/// Runs the command.
pub(super) fn run(args: TailArgs) -> Result<u8, Failure> {
    color_talk(args.color.on(&std::io::stderr()));
    tail::run(&tail::Options {
        urls: args.urls,
        lines: args.lines,
        grep: args.grep,
        exclude: args.exclude,
        level: args.level,
        since: args.since,
        until: args.until,
        files: args.files,
        json: args.json,
        follow: !args.no_follow,
        retry: args.retry,
        token: args.token,
        user: args.user,
        fingerprint: args.fingerprint,
        cursor_file: args.cursor_file,
        quiet: args.quiet,
        color: args.color.on(&std::io::stdout()),
        highlight: args.highlight,
        names: match args.names {
            Names::Auto => tail::Names::Auto,
            Names::Always => tail::Names::Always,
            Names::Never => tail::Names::Never,
        },
    })
}
