//! The arguments of `logcast serve` and `logcast run`, and their way to the commands' options.

use super::color::Color;
use super::redact::RedactArgs;
use super::values::size;
use super::wrong::close;
use super::{backlog, command, zone};
use crate::commands::run::{self, Job};
use crate::commands::{Failure, color_talk, guard, serve};
use crate::live::backlog::Backlog;
use crate::web::asker::Proxy;
use crate::web::limits::PER_ADDRESS;
use crate::web::people::Person;
use crate::web::tls::Files;
use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args};
use jiff::tz::TimeZone;
use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What to serve.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Files, quoted globs, or - for standard input; NAME=PATH gives a name
    #[arg(value_name = "SOURCE")]
    sources: Vec<OsString>,
    #[command(flatten)]
    common: Common,
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
}

/// What to run.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// The command and its arguments
    #[arg(value_name = "CMD", required = true, trailing_var_arg = true)]
    command: Vec<OsString>,
    #[command(flatten)]
    common: Common,
    /// Serve on when the command has ended, until a signal comes
    #[arg(long, env = "LOGCAST_KEEP", value_parser = FalseyValueParser::new())]
    keep: bool,
    /// Do not show the command's output here as well; the URLs then go to standard output
    #[arg(long, env = "LOGCAST_NO_SHOW", value_parser = FalseyValueParser::new())]
    no_show: bool,
}

/// How to serve.
#[derive(Debug, Args)]
struct Common {
    /// The port; 0 means any free one [default: 8000, or the next free one]
    #[arg(short, long, env = "LOGCAST_PORT")]
    port: Option<u16>,
    /// The address, name or unix socket path to serve on; may be repeated [default: 127.0.0.1]
    #[arg(short, long, alias = "host", env = "LOGCAST_BIND", value_name = "ADDRESS", value_delimiter = ',')]
    bind: Vec<String>,
    /// What a new client gets first: the last N lines of each file, from line N on, or all
    #[arg(short = 'n', long, env = "LOGCAST_LINES", value_name = "N|+N|all", default_value = "10", value_parser = backlog, allow_hyphen_values = true)]
    lines: Backlog,
    /// The zone of times that do not name one: a name like Europe/Berlin, UTC or local
    #[arg(long, env = "LOGCAST_TZ", value_name = "ZONE", default_value = "local", value_parser = zone)]
    tz: TimeZone,
    /// How much of a pipe is kept: a size like 64M or 1GiB
    #[arg(long, env = "LOGCAST_SPOOL_LIMIT", value_name = "SIZE", default_value = "1GiB", value_parser = size)]
    spool_limit: u64,
    /// The most connections at once [default: 10000, or what the system allows]
    #[arg(long, env = "LOGCAST_MAX_CLIENTS", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_clients: Option<u32>,
    /// The most connections at once of one address; this machine's own are not counted
    #[arg(long, env = "LOGCAST_MAX_PER_ADDRESS", value_name = "N", default_value_t = PER_ADDRESS as u32, value_parser = clap::value_parser!(u32).range(1..))]
    max_per_address: u32,
    /// Clients need this token
    #[arg(long, env = "LOGCAST_TOKEN", hide_env_values = true, conflicts_with = "token_file")]
    token: Option<String>,
    /// Clients need the token in this file
    #[arg(long, env = "LOGCAST_TOKEN_FILE", value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Let in who has this name and password; logcast hash makes the HASH (argon2, or bcrypt); may be repeated
    #[arg(
        long,
        env = "LOGCAST_AUTH",
        hide_env_values = true,
        value_name = "NAME:HASH",
        value_delimiter = ' '
    )]
    auth: Vec<String>,
    /// The same from a file, one a line, as htpasswd -B writes it
    #[arg(long, env = "LOGCAST_AUTH_FILE", value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    auth_file: Option<PathBuf>,
    /// Serve without a token what other machines, or other users of this one, could not read otherwise
    #[arg(long, env = "LOGCAST_NO_AUTH", value_parser = FalseyValueParser::new(), conflicts_with_all = ["token", "token_file", "auth", "auth_file"])]
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
    /// Serve below this path, as /logs, for a proxy that passes it on
    #[arg(long, env = "LOGCAST_BASE_PATH", value_name = "PATH", default_value = "/", hide_default_value = true, value_parser = base_path)]
    base_path: String,
    /// Believe what this proxy says of its clients (X-Forwarded-For, -Proto, -Host): an address, a network, or unix
    #[arg(long, env = "LOGCAST_TRUSTED_PROXY", value_name = "PROXY", value_delimiter = ',')]
    trusted_proxy: Vec<Proxy>,
    /// Write a line of JSON for each request to this file; opened anew on SIGHUP
    #[arg(long, env = "LOGCAST_ACCESS_LOG", value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    access_log: Option<PathBuf>,
    #[command(flatten)]
    redact: RedactArgs,
    /// The page's title
    #[arg(long, env = "LOGCAST_TITLE")]
    title: Option<String>,
    /// Mark what matches this regular expression on the page; may be repeated
    #[arg(long, env = "LOGCAST_HIGHLIGHT", value_name = "REGEX")]
    highlight: Vec<String>,
    /// Open the page in the browser
    #[arg(long, env = "LOGCAST_OPEN", value_parser = FalseyValueParser::new())]
    open: bool,
    /// Draw the page's URL for a telephone, on a terminal and where other machines are served
    #[arg(long, env = "LOGCAST_QR", value_parser = FalseyValueParser::new())]
    qr: bool,
    /// Read options from this file [default: ~/.config/logcast/config.toml, if it is there]
    #[arg(long, env = "LOGCAST_CONFIG", value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    config: Option<PathBuf>,
    /// Read no configuration file
    #[arg(long, env = "LOGCAST_NO_CONFIG", value_parser = FalseyValueParser::new(), conflicts_with = "config")]
    no_config: bool,
    /// When to colour errors and warnings
    #[arg(long, env = "LOGCAST_COLOR", value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    color: Color,
    /// Say who asks for what and what happens to files, on standard error; twice, connections too
    #[arg(short, long, env = "LOGCAST_VERBOSE", action = ArgAction::Count, value_parser = verbosity, conflicts_with = "quiet")]
    verbose: u8,
    /// Say nothing but errors
    #[arg(short, long, env = "LOGCAST_QUIET", value_parser = FalseyValueParser::new())]
    quiet: bool,
}

/// Runs `serve`.
pub(super) fn run(args: ServeArgs) -> Result<(), Failure> {
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
    serve::run(serve::Options {
        sources,
        follow: !args.no_follow,
        history: !args.no_history,
        poll: args.poll.map(Duration::from_millis),
        tee: args.tee,
        once: args.once,
        ..options(args.common)?
    })
}

/// Runs `run`.
pub(super) fn run_command(args: RunArgs) -> Result<u8, Failure> {
    let job = Job { command: args.command, keep: args.keep, show: !args.no_show };
    run::run(serve::Options { tee: job.show, ..options(args.common)? }, job)
}

fn options(args: Common) -> Result<serve::Options, Failure> {
    color_talk(args.color.on(&io::stderr()));
    let token = match args.token_file {
        None => args.token,
        Some(path) => Some(read_token(&path)?),
    };
    if token.as_deref().is_some_and(|token| token.len() < 8 || !token.bytes().all(|b| b.is_ascii_graphic())) {
        let failure = Failure::usage("cannot use this token: it must be at least 8 visible ASCII characters");
        return Err(failure.help("--token \"$(head -c 16 /dev/urandom | base64)\" makes one"));
    }
    // Not by clap, which would repeat what may be a password in clear.
    let known = args.auth.iter().map(|text| Person::parse(text));
    let mut people = known.collect::<Result<Vec<Person>, _>>().map_err(|why| {
        Failure::usage(format!("cannot use what --auth says: {why}")).help("logcast hash NAME makes it")
    })?;
    if let Some(path) = &args.auth_file {
        people.extend(read_people(path)?);
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
    let redact = args.redact.redact()?;
    // Flags come in pairs; of a configuration file that is only seen here.
    if args.tls_cert.is_some() != args.tls_key.is_some() {
        return Err(Failure::usage("cannot speak TLS: a certificate and its key belong together")
            .help("give both --tls-cert and --tls-key"));
    }
    Ok(serve::Options {
        sources: Vec::new(),
        port: args.port,
        bind: args.bind,
        lines: args.lines,
        follow: true,
        history: true,
        zone: args.tz,
        redact,
        spool_limit: args.spool_limit,
        poll: None,
        tee: false,
        once: false,
        max_clients: args.max_clients.map(|n| n as usize),
        max_per_address: args.max_per_address as usize,
        token,
        people,
        no_auth: args.no_auth,
        base_path: args.base_path,
        trusted_proxies: args.trusted_proxy.into_iter().collect(),
        access_log: args.access_log,
        tls: match (args.tls_cert, args.tls_key) {
            (Some(certificate), Some(key)) => Some(guard::Certificate::Files(Files { certificate, key })),
            _ => args.tls_self_signed.then_some(guard::Certificate::Made),
        },
        allow_origin: args.allow_origin,
        allow_host: args.allow_host,
        title: args.title,
        highlight: args.highlight,
        open: args.open,
        qr: args.qr,
        verbose: args.verbose,
        quiet: args.quiet,
    })
}

fn read_token(path: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::refused(format!("cannot read '{}': {error}", path.display())))?;
    Ok(text.trim().to_owned())
}

/// People from a file: `NAME:HASH` a line, empty lines and those that begin with `#` left out.
fn read_people(path: &Path) -> Result<Vec<Person>, Failure> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::refused(format!("cannot read '{shown}': {error}")))?;
    let mut people = Vec::new();
    for (at, line) in text.lines().map(str::trim).enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = |why| Failure::refused(format!("cannot use '{shown}', line {}: {why}", at + 1));
        people.push(Person::parse(line).map_err(wrong)?);
    }
    match people.is_empty() {
        true => Err(Failure::refused(format!("cannot use '{shown}': nobody is in it"))),
        false => Ok(people),
    }
}

/// A path of plain names, without the slash at its end.
fn base_path(text: &str) -> Result<String, &'static str> {
    let path = text.trim_end_matches('/');
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let names = path.strip_prefix('/').unwrap_or(path);
    let good = |name: &str| !name.is_empty() && !matches!(name, "." | "..") && name.bytes().all(plain);
    match names.is_empty() {
        true if text.is_empty() || text == "/" => Ok(String::new()),
        false if names.len() <= 256 && names.split('/').all(good) => Ok(format!("/{names}")),
        _ => Err("must be a path like /logs, of letters, digits and - . _ ~"),
    }
}

/// How often `-v` is meant by a variable: a number, or a word for yes or no as with other flags.
fn verbosity(text: &str) -> Result<u8, String> {
    let no = ["", "0", "n", "no", "f", "false", "off"].contains(&text.to_ascii_lowercase().as_str());
    Ok(if no { 0 } else { text.parse().unwrap_or(1) })
}

/// Whether standard input brings something: a pipe, a file, a socket.
pub(super) fn stdin_is_input() -> bool {
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
    fn base_paths() {
        for (text, expected) in [
            ("", Some("")),
            ("/", Some("")),
            ("/logs", Some("/logs")),
            ("logs/", Some("/logs")),
            ("/a/b-c.d~e_f", Some("/a/b-c.d~e_f")),
            ("//", None),
            ("/a//b", None),
            ("//evil.example", None),
            ("/a/../b", None),
            ("/a b", None),
            ("/a?b", None),
            ("/%41", None),
        ] {
            assert_eq!(base_path(text).ok().as_deref(), expected, "{text}");
        }
    }
}
