//! The command line: the one source of flags, help, man page and completions, and the way from arguments to the
//! options of a command. Nothing below this layer knows it.

mod generate;
mod pages;
mod values;
mod wrong;

use self::generate::GenerateArgs;
use self::values::size;
use self::wrong::{close, usage};
use crate::commands::{Failure, check, guard, serve};
use crate::live::backlog::Backlog;
use crate::web::params::parse_backlog;
use crate::web::tls::Files;
use clap::builder::FalseyValueParser;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use jiff::tz::TimeZone;
use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Turn log files into a URL: a live page and an event stream that loses nothing
#[derive(Debug, Parser)]
#[command(name = "logcast", version, max_term_width = 100, args_conflicts_with_subcommands = true)]
#[command(after_help = "Without a command it is serve: `logcast app.log`, `make | logcast`.")]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Follow files and serve them as an event stream and a live page (the default)
    Serve(ServeArgs),
    /// Write sample logs to a file or to standard output
    Generate(GenerateArgs),
    /// Verify lines written by generate --sequence: none lost, doubled, out of order
    Check {
        /// A file, - for standard input, or the http:// URL of a stream
        #[arg(value_name = "FILE|URL|-", default_value = "-")]
        source: OsString,
        /// End after this many numbered lines
        #[arg(long, value_name = "N")]
        count: Option<u64>,
        /// End when a URL has been silent for so many seconds
        #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=86_400))]
        idle: u64,
    },
    /// Print the completions of a shell
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
    /// Print the man page, or that of a command
    Man {
        /// The command
        #[arg(value_parser = pages::CommandName)]
        command: Option<String>,
    },
}

#[derive(Debug, Args)]
struct ServeArgs {
    /// Files, quoted globs, or - for standard input; NAME=PATH gives a name
    #[arg(value_name = "SOURCE")]
    sources: Vec<OsString>,
    /// The port; 0 means any free one [default: 8000, or the next free one]
    #[arg(short, long, env = "LOGCAST_PORT")]
    port: Option<u16>,
    /// The address, name or unix socket path to serve on; may be repeated [default: 127.0.0.1]
    #[arg(short, long, alias = "host", env = "LOGCAST_BIND", value_name = "ADDRESS", value_delimiter = ',')]
    bind: Vec<String>,
    /// What a new client gets first: the last N lines of each file, from line N on, or all
    #[arg(short = 'n', long, env = "LOGCAST_LINES", value_name = "N|+N|all", default_value = "10", value_parser = backlog, allow_hyphen_values = true)]
    lines: Backlog,
    /// Serve the files as they are now, and do not wait for more
    #[arg(long, env = "LOGCAST_NO_FOLLOW", value_parser = FalseyValueParser::new(), conflicts_with = "follow")]
    no_follow: bool,
    /// Do not count rotated files beside a log (NAME.1, NAME-20261122.gz) as its beginning
    #[arg(long, env = "LOGCAST_NO_HISTORY", value_parser = FalseyValueParser::new(), conflicts_with = "history")]
    no_history: bool,
    /// The default: what is found beside a log counts
    #[arg(long, hide = true, overrides_with = "history")]
    history: bool,
    /// Accepted for those who type tail: it is what it does anyway
    #[arg(short = 'f', short_alias = 'F', long, hide = true, overrides_with = "follow")]
    follow: bool,
    /// As -f
    #[arg(long, hide = true, overrides_with = "retry")]
    retry: bool,
    /// The zone of times that do not name one: a name like Europe/Berlin, UTC or local
    #[arg(long, env = "LOGCAST_TZ", value_name = "ZONE", default_value = "local", value_parser = zone)]
    tz: TimeZone,
    /// How much of a pipe is kept: a size like 64M or 1GiB
    #[arg(long, env = "LOGCAST_SPOOL_LIMIT", value_name = "SIZE", default_value = "1GiB", value_parser = size)]
    spool_limit: u64,
    /// Look at everything this often, for file systems that tell nothing [default: 1000, alone: 250]
    #[arg(long, env = "LOGCAST_POLL", value_name = "MS", num_args = 0..=1, require_equals = true, default_missing_value = "250",
          value_parser = clap::value_parser!(u64).range(10..=60_000))]
    poll: Option<u64>,
    /// Pass standard input on to standard output; the URLs go to standard error
    #[arg(long, env = "LOGCAST_TEE", value_parser = FalseyValueParser::new())]
    tee: bool,
    /// End when all sources have ended
    #[arg(long, env = "LOGCAST_ONCE", value_parser = FalseyValueParser::new())]
    once: bool,
    /// The most connections at once [default: 10000, or what the system allows]
    #[arg(long, env = "LOGCAST_MAX_CLIENTS", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_clients: Option<u32>,
    /// Clients need this token
    #[arg(long, env = "LOGCAST_TOKEN", hide_env_values = true, conflicts_with = "token_file")]
    token: Option<String>,
    /// Clients need the token in this file
    #[arg(long, env = "LOGCAST_TOKEN_FILE", value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Serve other machines without a token
    #[arg(long, env = "LOGCAST_NO_AUTH", value_parser = FalseyValueParser::new(), conflicts_with_all = ["token", "token_file"])]
    no_auth: bool,
    /// Speak TLS with this certificate (PEM, the chain); read again when it changes
    #[arg(long, env = "LOGCAST_TLS_CERT", value_name = "FILE", requires = "tls_key", value_hint = clap::ValueHint::FilePath)]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(long, env = "LOGCAST_TLS_KEY", value_name = "FILE", requires = "tls_cert", value_hint = clap::ValueHint::FilePath)]
    tls_key: Option<PathBuf>,
    /// Speak TLS with a certificate made for this run; its fingerprint is on standard error
    #[arg(long, env = "LOGCAST_TLS_SELF_SIGNED", value_parser = FalseyValueParser::new(), conflicts_with = "tls_cert")]
    tls_self_signed: bool,
    /// Let pages of this origin read the stream: https://NAME, null (a page opened from disk) or *
    #[arg(long, env = "LOGCAST_ALLOW_ORIGIN", value_name = "ORIGIN", value_delimiter = ',')]
    allow_origin: Vec<String>,
    /// A name under which this host is reached, for proxies and other machines
    #[arg(long, env = "LOGCAST_ALLOW_HOST", value_name = "NAME", value_delimiter = ',')]
    allow_host: Vec<String>,
    /// The page's title
    #[arg(long, env = "LOGCAST_TITLE")]
    title: Option<String>,
    /// Say nothing but errors
    #[arg(short, long, env = "LOGCAST_QUIET", value_parser = FalseyValueParser::new())]
    quiet: bool,
}

fn backlog(text: &str) -> Result<Backlog, String> {
    // `-n -5` is what `tail` takes for 5.
    parse_backlog(text.strip_prefix('-').unwrap_or(text)).ok_or_else(|| "must be N, +N or all".to_owned())
}

fn zone(text: &str) -> Result<TimeZone, String> {
    let unknown = |_| "no such zone; Europe/Berlin, UTC and local are".to_owned();
    let zone = match text {
        "local" => TimeZone::system(),
        _ => TimeZone::get(text).map_err(unknown)?,
    };
    // A machine that does not say where it is counts in UTC.
    Ok(if zone.is_unknown() { TimeZone::UTC } else { zone })
}

/// The program: reads the arguments of the process, runs the command, returns the exit code.
pub fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    let matches = match with_environment(command(), args.get(1)).try_get_matches_from(&args) {
        Ok(matches) => matches,
        Err(error) => return usage(&error, &args),
    };
    let result = match Cli::from_arg_matches(&matches) {
        Ok(cli) => run(cli),
        Err(error) => return usage(&error, &args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(io::stderr(), "{failure}");
            ExitCode::from(failure.code)
        }
    }
}

/// The definition as the environment has a say in it: a variable that is empty is none, and those of `serve` are not
/// another command's.
fn with_environment(command: clap::Command, first: Option<&OsString>) -> clap::Command {
    let other = first.is_some_and(|first| command.get_subcommands().any(|own| first == own.get_name()));
    let unset = |arg: clap::Arg, all: bool| {
        let empty = arg.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
        // clap cannot take a variable back; no variable has this name.
        if arg.get_env().is_some() && (all || empty) { arg.env("=").hide_env(true) } else { arg }
    };
    command
        .mut_args(|arg| unset(arg, other))
        .mut_subcommands(|command| command.mut_args(|arg| unset(arg, false)))
}

/// The definition, for completions, man page and tests.
pub fn command() -> clap::Command {
    Cli::command()
}

fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Some(Command::Serve(args)) => run_serve(args),
        Some(Command::Generate(args)) => generate::run(args),
        Some(Command::Check { source, count, idle }) => {
            check::run(&check::Options { source, count, idle: Duration::from_secs(idle) })
        }
        Some(Command::Completions { shell }) => print(&pages::completions(shell)),
        Some(Command::Man { command }) => print(&pages::man(command.as_deref())?),
        None => run_serve(cli.serve),
    }
}

fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::refused(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}

fn run_serve(args: ServeArgs) -> Result<(), Failure> {
    let mut sources = args.sources;
    if sources.is_empty() {
        if !stdin_is_input() {
            let help = "logcast app.log, or a command's output: make | logcast; logcast --help tells more";
            return Err(Failure::usage("cannot serve nothing: name a file").help(help));
        }
        sources.push(OsString::from("-"));
    }
    for source in &sources {
        check_command(source)?;
    }
    let token = match args.token_file {
        None => args.token,
        Some(path) => Some(read_token(&path)?),
    };
    if token.as_deref().is_some_and(|token| token.len() < 8 || !token.bytes().all(|b| b.is_ascii_graphic())) {
        return Err(Failure::usage("cannot use this token: it must be at least 8 visible ASCII characters"));
    }
    for origin in &args.allow_origin {
        let plain_origin = origin
            .split_once("://")
            .is_some_and(|(_, host)| !host.is_empty() && !host.trim_end_matches('/').contains('/'));
        if origin != "null" && origin != "*" && !plain_origin {
            let failure = Failure::usage(format!("cannot allow the origin '{origin}': it is no origin"));
            return Err(failure.help("an origin is like https://example.org, null or *"));
        }
    }
    serve::run(serve::Options {
        sources,
        port: args.port,
        bind: args.bind,
        lines: args.lines,
        follow: !args.no_follow,
        history: !args.no_history,
        zone: args.tz,
        spool_limit: args.spool_limit,
        poll: args.poll.map(Duration::from_millis),
        tee: args.tee,
        once: args.once,
        max_clients: args.max_clients.map(|n| n as usize),
        token,
        no_auth: args.no_auth,
        tls: match (args.tls_cert, args.tls_key) {
            (Some(certificate), Some(key)) => Some(guard::Certificate::Files(Files { certificate, key })),
            _ => args.tls_self_signed.then_some(guard::Certificate::Made),
        },
        allow_origin: args.allow_origin,
        allow_host: args.allow_host,
        title: args.title,
        quiet: args.quiet,
    })
}

fn read_token(path: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::refused(format!("cannot read '{}': {error}", path.display())))?;
    Ok(text.trim().to_owned())
}

/// Whether standard input brings something: a pipe, a file, a socket.
fn stdin_is_input() -> bool {
    if io::stdin().is_terminal() {
        return false;
    }
    let Ok(stdin) = std::fs::metadata("/dev/stdin") else { return false };
    let kind = stdin.file_type();
    kind.is_fifo() || kind.is_file() || kind.is_socket()
}

/// A bare word that is no file but looks like a command is most likely a slip.
fn check_command(source: &OsStr) -> Result<(), Failure> {
    let Some(word) = source.to_str() else { return Ok(()) };
    if word.is_empty() || !word.bytes().all(|byte| byte.is_ascii_lowercase()) || Path::new(word).exists() {
        return Ok(());
    }
    let command = command();
    let names = command.get_subcommands().map(|command| command.get_name().to_owned());
    match names.into_iter().find(|name| close(name, word)) {
        Some(name) => Err(Failure::usage(format!("cannot follow '{word}': No such file or directory")).help(
            format!("did you mean the command `logcast {name}`? For a file that is not there yet: ./{word}"),
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        command().debug_assert();
    }
}
