//! The arguments of `logcast ship`, and their way to the command's options.

// The help of an option shows what may be left out in brackets; they are no links.
#![allow(rustdoc::broken_intra_doc_links)]

use super::color::Color;
use super::redact::RedactArgs;
use super::serve::stdin_is_input;
use super::values::{size, span};
use crate::commands::{Failure, color_talk, ship};
use crate::nats::ship::First;
use crate::nats::stream::{Create, Storage};
use crate::nats::url::stream_name;
use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// What to ship, and where.
#[derive(Debug, Args)]
pub(super) struct ShipArgs {
    /// Files, quoted globs, or - for standard input; NAME=PATH gives a name
    #[arg(value_name = "SOURCE", value_hint = clap::ValueHint::AnyPath)]
    sources: Vec<OsString>,
    /// The engine: nats://[USER[:PASSWORD]@]HOST[:PORT][,HOST…][/SUBJECT][?stream=&creds=&nkey=&ca=&cert=&key=]
    #[arg(long, env = "LOGCAST_TO", value_name = "URL", hide_env_values = true)]
    to: Option<String>,
    /// How the subject of a file is named; a plain word stands before .{host}.{path} [default: logs.{host}.{path}]
    #[arg(long, env = "LOGCAST_SUBJECT", value_name = "TEMPLATE")]
    subject: Option<String>,
    /// The name of this host in subjects [default: what the system says]
    #[arg(long, env = "LOGCAST_HOST_NAME", value_name = "NAME")]
    host_name: Option<String>,
    /// The stream [default: the one that has these subjects]
    #[arg(long, env = "LOGCAST_STREAM", value_name = "NAME", value_parser = stream)]
    stream: Option<String>,
    /// Where to begin with a file that was never shipped
    #[arg(long, env = "LOGCAST_FROM", value_name = "PLACE", value_enum, default_value_t = Begin::Start)]
    from: Begin,
    /// The least time between two messages of a file that lags by less than a batch; 0 for as fast as it goes
    #[arg(long, env = "LOGCAST_INTERVAL", value_name = "TIME", default_value = "20ms", value_parser = interval)]
    interval: Duration,
    /// The most bytes of a file in a message
    #[arg(long, env = "LOGCAST_BATCH_BYTES", value_name = "SIZE", default_value = "128KiB", value_parser = batch)]
    batch_bytes: usize,
    /// How to compress messages: zstd saves disk and network, and other subscribers see it compressed
    #[arg(long, env = "LOGCAST_COMPRESS", value_name = "HOW", value_enum, default_value_t = Compress::None)]
    compress: Compress,
    /// How long to wait for an acknowledgement
    #[arg(long, env = "LOGCAST_ACK_TIMEOUT", value_name = "TIME", default_value = "2s", value_parser = ack)]
    ack_timeout: Duration,
    /// Ship what there is and end: 0 if all of it was taken
    #[arg(long, env = "LOGCAST_ONCE", value_parser = FalseyValueParser::new())]
    once: bool,
    /// The folder for notes and spools [default: $STATE_DIRECTORY, ~/.local/state/logcast or /var/lib/logcast]
    #[arg(long, env = "LOGCAST_STATE", value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    state: Option<PathBuf>,
    /// How much of a pipe is kept while the engine is away; then its writer waits
    #[arg(long, env = "LOGCAST_SPOOL_LIMIT", value_name = "SIZE", default_value = "1GiB", value_parser = size)]
    spool_limit: u64,
    /// Look at everything this often, for file systems that tell nothing [default: 1000, alone: 250]
    #[arg(long, env = "LOGCAST_POLL", value_name = "MS", num_args = 0..=1, require_equals = true, default_missing_value = "250",
          value_parser = clap::value_parser!(u64).range(10..=60_000))]
    poll: Option<u64>,
    /// Do not make the stream if there is none
    #[arg(long, env = "LOGCAST_NO_CREATE_STREAM", value_parser = FalseyValueParser::new(), conflicts_with = "create_stream")]
    no_create_stream: bool,
    /// The default: a stream that is not there is made
    #[arg(long, hide = true, overrides_with = "create_stream")]
    create_stream: bool,
    /// A new stream: on how many servers [default: 3 in a cluster, else 1]
    #[arg(long, env = "LOGCAST_REPLICAS", value_name = "N", value_parser = clap::value_parser!(u8).range(1..=5))]
    replicas: Option<u8>,
    /// A new stream: how long a message is kept
    #[arg(long, env = "LOGCAST_RETAIN", value_name = "TIME", default_value = "7d", value_parser = span)]
    retain: Duration,
    /// A new stream: how much is kept in all
    #[arg(long, env = "LOGCAST_RETAIN_BYTES", value_name = "SIZE", default_value = "10GiB", value_parser = size)]
    retain_bytes: u64,
    /// A new stream: where
    #[arg(long, env = "LOGCAST_STORAGE", value_name = "WHERE", value_enum, default_value_t = Where::File)]
    storage: Where,
    #[command(flatten)]
    redact: RedactArgs,
    /// When to colour errors and warnings
    #[arg(long, env = "LOGCAST_COLOR", value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    color: Color,
    /// Say nothing but errors
    #[arg(short, long, env = "LOGCAST_QUIET", value_parser = FalseyValueParser::new())]
    quiet: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Begin {
    /// At the start of what the file holds
    Start,
    /// At its end: only what comes
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Compress {
    /// The lines as they are
    None,
    /// Zstandard
    Zstd,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Where {
    /// On disk
    File,
    /// In memory: gone when the servers are
    Memory,
}

fn stream(text: &str) -> Result<String, String> {
    stream_name(text).map(str::to_owned)
}

/// A span that may be short or nothing: `50ms`, `0`.
fn interval(text: &str) -> Result<Duration, String> {
    let wrong = || "must be a time like 50ms or 1s, or 0".to_owned();
    let time = match text.strip_suffix("ms").or_else(|| (text == "0").then_some(text)) {
        Some(number) => number.parse().map(Duration::from_millis).map_err(|_| wrong())?,
        None => span(text).map_err(|_| wrong())?,
    };
    if time <= Duration::from_secs(60) { Ok(time) } else { Err("must be a minute at most".to_owned()) }
}

fn ack(text: &str) -> Result<Duration, String> {
    let time = interval(text)?;
    let least = Duration::from_millis(50);
    if time >= least { Ok(time) } else { Err("must be 50ms at least".to_owned()) }
}

fn batch(text: &str) -> Result<usize, String> {
    match size(text)? {
        bytes @ 1024..=67_108_864 => usize::try_from(bytes).map_err(|_| "too large".to_owned()),
        _ => Err("must be between 1KiB and 64MiB".to_owned()),
    }
}

/// Runs the command.
pub(super) fn run(args: ShipArgs) -> Result<(), Failure> {
    color_talk(args.color.on(&std::io::stderr()));
    let mut sources = args.sources;
    if sources.is_empty() {
        if !stdin_is_input() {
            let help =
                "logcast ship '/var/log/app/*.log' --to nats://HOST, or make | logcast ship --to nats://HOST";
            return Err(Failure::usage("cannot ship nothing: name a file").help(help));
        }
        sources.push(OsString::from("-"));
    }
    let Some(to) = args.to else {
        let failure = Failure::usage("cannot ship: it is not said where to");
        return Err(failure.help("--to nats://HOST"));
    };
    let create = Create {
        replicas: args.replicas.map(usize::from),
        retain: args.retain,
        retain_bytes: args.retain_bytes,
        storage: match args.storage {
            Where::File => Storage::File,
            Where::Memory => Storage::Memory,
        },
    };
    ship::run(ship::Options {
        sources,
        to,
        subject: args.subject,
        host_name: args.host_name,
        stream: args.stream,
        first: match args.from {
            Begin::Start => First::Start,
            Begin::End => First::End,
        },
        interval: args.interval,
        batch_bytes: args.batch_bytes,
        compress: args.compress == Compress::Zstd,
        ack_timeout: args.ack_timeout,
        once: args.once,
        state: args.state,
        spool_limit: args.spool_limit,
        poll: args.poll.map(Duration::from_millis),
        create: (!args.no_create_stream).then_some(create),
        redact: args.redact.redact()?,
        quiet: args.quiet,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes() {
        assert_eq!(interval("0"), Ok(Duration::ZERO));
        assert_eq!(interval("50ms"), Ok(Duration::from_millis(50)));
        assert_eq!(interval("2s"), Ok(Duration::from_secs(2)));
        for wrong in ["", "ms", "5", "-1ms", "2h", "99999999999999999999ms"] {
            assert!(interval(wrong).is_err(), "{wrong}");
        }
        assert!(ack("10ms").is_err() && ack("0").is_err() && ack("2s").is_ok());
        assert!(batch("1").is_err() && batch("1G").is_err());
        assert_eq!(batch("128KiB"), Ok(128 << 10));
    }
}
