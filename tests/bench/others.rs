//! What people use today, where it is installed or can be: `tail -F` over websocketd or socat, frontail, a Python
//! server.

use crate::decode::{Look, Shape};
use crate::load::{Load, Request};
use crate::process::Process;
use anyhow::{Context, Result, bail, ensure};
use std::io::{Read, Write};
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
    /// Its program.
    Frontail(Option<PathBuf>),
    /// The interpreter of an environment of its own.
    Python(Option<PathBuf>),
}

/// A running one.
pub(crate) struct Running {
    pub(crate) process: Process,
    request: Request,
}

/// All of them.
pub(crate) fn all() -> Vec<Other> {
    let python = python().inspect_err(|why| eprintln!("no Python server: {why:#}")).ok();
    let frontail = frontail().inspect_err(|why| eprintln!("no frontail: {why:#}")).ok();
    vec![
        Other { name: "tail-socat", lines: 3_000_000, rate: 0, how: How::Socat },
        Other { name: "tail-websocketd", lines: 500_000, rate: 0, how: How::Websocketd },
        Other { name: "frontail", lines: 100_000, rate: 0, how: How::Frontail(frontail) },
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
                (command, "/", Shape::frames(2))
            }
            How::Socat => {
                let mut command = Command::new("socat");
                let listen = format!("TCP-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr");
                command.args([listen, format!("EXEC:tail -n 0 -F {path}")]);
                (command, "", Shape::RAW)
            }
            How::Frontail(None) => bail!("npm did not install it"),
            How::Frontail(Some(program)) => {
                let mut command = Command::new(program);
                command.args(["--host", "127.0.0.1", "--port", &port, "--lines", "0", path]);
                // Four bytes of frame, then `42/NAMESPACE,["line","…"]`.
                (command, "/socket.io/?EIO=3&transport=websocket", Shape::frames(4 + 47))
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
        let mut request = Request::events(address, target, shape, Look::Count);
        if matches!(self.how, How::Frontail(_)) {
            request.words = join(&namespace(address)?);
        }
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

/// The name under which frontail's page listens: 32 hexadecimal digits in it.
fn namespace(address: SocketAddr) -> Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(LISTENS))?;
    write!(stream, "GET / HTTP/1.0\r\n\r\n")?;
    let mut page = String::new();
    stream.take(1 << 20).read_to_string(&mut page)?;
    let words = page.split(|c: char| !c.is_ascii_hexdigit());
    words.map(str::to_owned).find(|word| word.len() == 32).context("a namespace in the page")
}

/// A frame that joins a namespace of socket.io, under a mask of zeros.
fn join(namespace: &str) -> Vec<u8> {
    let text = format!("40/{namespace}");
    let mut frame = vec![0x81, 0x80 | text.len() as u8, 0, 0, 0, 0];
    frame.extend_from_slice(text.as_bytes());
    frame
}

fn quiet(command: &mut Command) -> Result<()> {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    ensure!(status.success(), "{command:?} failed");
    Ok(())
}

/// A folder beside the build's output.
fn folder(name: &str) -> Result<PathBuf> {
    Ok(std::env::current_exe()?.parent().context("a folder")?.join(name))
}

/// Installed once, without what its packages would run.
fn frontail() -> Result<PathBuf> {
    let folder = folder("frontail")?;
    let program = folder.join("node_modules/.bin/frontail");
    if !program.exists() {
        let npm = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix"];
        quiet(Command::new("npm").args(npm).arg(&folder).arg("frontail@4"))?;
    }
    Ok(program)
}

/// An environment beside the build's output, made once.
fn python() -> Result<PathBuf> {
    let folder = folder("tutorial-python")?;
    let python = folder.join("bin/python3");
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
