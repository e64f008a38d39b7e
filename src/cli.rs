//! The command line: the one source of flags, help, man page and completions, and the way from arguments to the
//! options of a command. Nothing below this layer knows it.

mod color;
mod config;
mod generate;
mod pages;
mod redact;
mod serve;
#[cfg(feature = "nats")]
mod ship;
mod tail;
mod values;
mod wrong;

use self::color::Color;
use self::generate::GenerateArgs;
use self::serve::{RunArgs, ServeArgs};
use self::tail::TailArgs;
use self::wrong::usage;
use crate::commands::http::Fingerprint;
use crate::commands::{Failure, check, color_talk, complain, hash, health, out};
use crate::live::backlog::Backlog;
use crate::web::params::parse_backlog;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use jiff::tz::TimeZone;
use std::ffi::OsString;
use std::io::{self, Write};
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
    /// Print the lines of streams as they come, like tail -F; reconnects and goes on where it was
    Tail(TailArgs),
    /// Verify lines written by generate --sequence: none lost, doubled, out of order
    Check {
        /// A file, - for standard input, or the URL of a page or stream
        #[arg(value_name = "FILE|URL|-", default_value = "-")]
        source: OsString,
        /// End after this many numbered lines
        #[arg(long, value_name = "N")]
        count: Option<u64>,
        /// End when a URL has been silent for so many seconds
        #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=86_400))]
        idle: u64,
        /// The token of a URL that holds none
        #[arg(long, env = "LOGCAST_TOKEN", hide_env_values = true)]
        token: Option<String>,
        /// The name and the password that a server with --auth asks for
        #[arg(long, value_name = "NAME:PASSWORD", env = "LOGCAST_USER", hide_env_values = true, value_parser = tail::user)]
        user: Option<String>,
        /// Trust this certificate (its SHA-256), and no other; serve --tls-self-signed prints it
        #[arg(long, value_name = "SHA256", value_parser = tail::fingerprint)]
        fingerprint: Option<Fingerprint>,
    },
    /// Publish files into a stream of NATS JetStream, exactly once
    #[cfg(feature = "nats")]
    Ship(ship::ShipArgs),
    /// Run a command and serve its output as two sources, stdout and stderr; end with its exit code
    Run(RunArgs),
    /// Ask a server whether it is well: exit code 0 or 1, for containers
    Healthcheck {
        /// The URL of its page, or of any route
        #[arg(value_name = "URL", default_value = "http://127.0.0.1:8000/")]
        url: String,
    },
    /// Make the hash of a password, for serve --auth NAME:HASH; the password is asked for, or read from standard input
    Hash {
        /// The name to put before it
        #[arg(value_name = "NAME")]
        name: Option<String>,
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
    color_talk(Color::Auto.on(&io::stderr()));
    let args: Vec<OsString> = std::env::args_os().collect();
    let definition = with_environment(command(), args.get(1));
    let matches = match definition.clone().try_get_matches_from(&args) {
        Ok(matches) => matches,
        Err(error) => return usage(&error, &args),
    };
    let matches = match config::with_config(definition, &matches) {
        Ok(definition) => match definition.try_get_matches_from(&args) {
            Ok(matches) => matches,
            Err(error) => return usage(&error, &args),
        },
        Err(failure) => return fail(&failure),
    };
    let result = match Cli::from_arg_matches(&matches) {
        Ok(cli) => run(cli),
        Err(error) => return usage(&error, &args),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(failure) => fail(&failure),
    }
}

fn fail(failure: &Failure) -> ExitCode {
    complain(failure);
    ExitCode::from(failure.code)
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

/// Runs the command; gives the exit code.
fn run(cli: Cli) -> Result<u8, Failure> {
    let done = match cli.command {
        Some(Command::Tail(args)) => return tail::run(args),
        Some(Command::Run(args)) => return serve::run_command(args),
        Some(Command::Healthcheck { url }) => health::run(&url),
        Some(Command::Hash { name }) => print(hash::run(name.as_deref())?.as_bytes()),
        Some(Command::Serve(args)) => serve::run(args),
        #[cfg(feature = "nats")]
        Some(Command::Ship(args)) => ship::run(args),
        Some(Command::Generate(args)) => generate::run(args),
        Some(Command::Check { source, count, idle, token, user, fingerprint }) => {
            let idle = Duration::from_secs(idle);
            check::run(&check::Options { source, token, user, fingerprint, count, idle })
        }
        Some(Command::Completions { shell }) => print(&pages::completions(shell)),
        Some(Command::Man { command }) => print(&pages::man(command.as_deref())?),
        None => serve::run(cli.serve),
    };
    done.map(|()| 0)
}

fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = out::stdout()?.lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::refused(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(()),
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
