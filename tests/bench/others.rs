//! What people use today, where it is installed: `tail -F` over websocketd or socat, and a Python server.

use crate::decode::{Look, Shape};
use crate::load::{Load, Request};
use crate::options::Options;
use crate::process::Process;
use anyhow::{Context, Result, bail, ensure};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take to listen.
const LISTENS: Duration = Duration::from_secs(20);

/// One of them.
pub(crate) struct Other {
    pub(crate) name: &'static str,
    /// Lines that are written, and how many a second; 0 is full speed.
    pub(crate) lines: u64,
    pub(crate) rate: u64,
    how: How,
}

enum How {
    Websocketd,
    Socat,
    /// The interpreter of an environment of its own.
    Python(Option<PathBuf>),
}

/// A running one.
pub(crate) struct Running {
    pub(crate) process: Process,
    request: Request,
}

/// All of them.
pub(crate) fn all(options: &Options) -> Vec<Other> {
    let python = python().inspect_err(|why| eprintln!("no Python server: {why:#}")).ok();
    let _ = options;
    vec![
        Other { name: "tail-socat", lines: 3_000_000, rate: 0, how: How::Socat },
        Other { name: "tail-websocketd", lines: 500_000, rate: 0, how: How::Websocketd },
        Other { name: "python", lines: 10, rate: 10, how: How::Python(python) },
    ]
}

impl Other {
    /// Starts it on a log.
    pub(crate) fn start(&self, log: &Path) -> Result<Running> {
        let path = log.to_str().context("a path in UTF-8")?;
        // Free a moment ago: these programs cannot say which port they took.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let port = address.port().to_string();
        let (mut command, target, shape) = match &self.how {
            How::Websocketd => {
                let mut command = Command::new("websocketd");
                command.args([
                    "--address=127.0.0.1",
                    &format!("--port={port}"),
                    "tail",
                    "-n",
                    "0",
                    "-F",
                    path,
                ]);
                (command, "/", Shape::FRAMES)
            }
            How::Socat => {
                let mut command = Command::new("socat");
                let listen = format!("TCP-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr");
                command.args([listen, format!("EXEC:tail -n 0 -F {path}")]);
                (command, "", Shape::RAW)
            }
            How::Python(None) => bail!("no environment with FastAPI, sse-starlette and sh"),
            How::Python(Some(python)) => {
                let mut command = Command::new(python);
                command.args([concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/tutorial.py"), path, &port]);
                (command, "/stream-logs", Shape::DATA_ONLY)
            }
        };
        let process = Process::start(&mut command)?;
        listening(address)?;
        let request = Request::events(address, target, shape, Look::Count);
        Ok(Running { process, request })
    }
}

impl Running {
    /// A client of it.
    pub(crate) fn open(&self) -> Result<Load> {
        Load::ask(1, &self.request)
    }
}

fn listening(address: SocketAddr) -> Result<()> {
    let until = Instant::now() + LISTENS;
    while TcpStream::connect(address).is_err() {
        ensure!(Instant::now() < until, "it does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// An environment beside the build's output, made once.
fn python() -> Result<PathBuf> {
    let exe = std::env::current_exe()?;
    let folder = exe.parent().context("a folder")?.join("tutorial-python");
    let python = folder.join("bin/python3");
    let quiet = |command: &mut Command| -> Result<()> {
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        ensure!(status.success(), "{command:?} failed");
        Ok(())
    };
    let ready = |python: &Path| {
        quiet(Command::new(python).args(["-c", "import fastapi, sse_starlette, sh, uvicorn"])).is_ok()
    };
    if !ready(&python) {
        quiet(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        let packages = ["fastapi", "sse-starlette", "sh", "uvicorn"];
        quiet(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(packages))?;
    }
    ensure!(ready(&python), "its packages are not there");
    Ok(python)
}
