//! The servers that are compared, each started on a log of its own.

use crate::decode::{Look, Shape};
use crate::load::Request;
use crate::options::Options;
use crate::process::Process;
use anyhow::{Context, Result};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The program that this benchmark was built with.
pub(crate) const LOGCAST: &str = env!("CARGO_BIN_EXE_logcast");

/// Who serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Logcast,
    /// Another build of it.
    Before(PathBuf),
    Bare,
    Naive,
    NaiveLoses,
}

impl Kind {
    /// Its name in tables.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Kind::Logcast => "logcast",
            Kind::Before(_) => "before",
            Kind::Bare => "bare",
            Kind::Naive => "naive",
            Kind::NaiveLoses => "naive-loses",
        }
    }

    /// The bare sender, logcast, and its other build where there is one.
    pub(crate) fn usual(options: &Options) -> Vec<Kind> {
        let mut kinds = vec![Kind::Bare];
        kinds.extend(Kind::ours(options));
        kinds
    }

    /// logcast, and its other build where there is one.
    pub(crate) fn ours(options: &Options) -> Vec<Kind> {
        let mut kinds = vec![Kind::Logcast];
        kinds.extend(options.before.clone().map(Kind::Before));
        kinds
    }
}

/// A running server.
pub(crate) struct Started {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    kind: Kind,
}

impl Started {
    /// Starts it on a file that is there, and waits until it listens.
    pub(crate) fn start(kind: &Kind, file: &Path) -> Result<Started> {
        let path = file.to_str().context("a path in UTF-8")?;
        let process = match kind {
            Kind::Logcast => serve(Path::new(LOGCAST), path)?,
            Kind::Before(program) => serve(program, path)?,
            Kind::Bare | Kind::Naive | Kind::NaiveLoses => Process::role(&[kind.name(), path])?,
        };
        let address = address_of(&process.line()?)?;
        Ok(Started { process, address, kind: kind.clone() })
    }

    /// A client that wants only what is written from now on.
    pub(crate) fn live(&self, look: Look) -> Request {
        let shape = match self.kind {
            Kind::Naive | Kind::NaiveLoses => Shape::WARP_EVENT,
            _ => Shape::EVENT,
        };
        Request::events(self.address, "/stream-logs?lines=0", shape, look)
    }
}

/// A build of logcast without what its environment would tell it.
pub(crate) fn logcast(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("LOGCAST_") {
            command.env_remove(name);
        }
    }
    command
}

/// Starts `logcast serve` on a source; it says its URL.
pub(crate) fn serve(program: &Path, source: &str) -> Result<Process> {
    Process::start(logcast(program).args(["serve", source, "--port", "0", "--quiet"]))
}

/// The address in `http://ADDRESS/`.
pub(crate) fn address_of(url: &str) -> Result<SocketAddr> {
    let rest = url.strip_prefix("http://").context("a URL")?;
    rest.split('/').next().unwrap_or_default().parse().context("an address and a port")
}
