//! The engine that logcast stands on beyond one machine: one `nats-server`, or three that keep everything thrice.

use crate::process::Process;
use anyhow::{Context, Result, bail};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// How long servers may take to be well, an election among three with it.
const HEALTHY: Duration = Duration::from_secs(30);

/// Running servers; they end with this handle.
pub(crate) struct Engine {
    nodes: Vec<Process>,
    /// Where clients connect, all servers in one URL.
    pub(crate) url: String,
}

/// The newer server that `tests/nats/install target/nats` fetches, else the machine's own.
pub(crate) fn program() -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
    let fetched = own.ancestors().map(|folder| folder.join("nats/nats-server"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let installed: Vec<PathBuf> = std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin")])
        .map(|f| f.join("nats-server"))
        .collect();
    fetched.chain(installed).find(|program| program.is_file())
}

impl Engine {
    /// Starts so many servers with their stores in a folder, and waits until they are well.
    pub(crate) fn start(program: &Path, folder: &Path, count: usize) -> Result<Engine> {
        let ports = free_ports(3 * count)?;
        let (clients, rest) = ports.split_at(count);
        let (monitors, routes) = rest.split_at(count);
        let all: Vec<String> = routes.iter().map(|port| format!("nats://127.0.0.1:{port}")).collect();
        let mut nodes = Vec::new();
        for at in 0..count {
            let store = folder.join(format!("store-{at}"));
            let mut text = format!(
                "server_name: n{at}\nlisten: 127.0.0.1:{}\nhttp: 127.0.0.1:{}\njetstream {{ store_dir: {:?} }}\n",
                clients[at], monitors[at], store
            );
            if count > 1 {
                text += &format!(
                    "cluster {{ name: bench, listen: 127.0.0.1:{}, routes: [{}] }}\n",
                    routes[at],
                    all.join(", ")
                );
            }
            let config = folder.join(format!("n{at}.conf"));
            std::fs::write(&config, text)?;
            nodes.push(Process::start(Command::new(program).arg("-c").arg(&config))?);
        }
        let until = Instant::now() + HEALTHY;
        while !monitors.iter().all(|&port| is_healthy(port)) {
            if Instant::now() > until {
                bail!("nats-server is not well after {HEALTHY:?}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let hosts: Vec<String> = clients.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        Ok(Engine { nodes, url: format!("nats://{}", hosts.join(",")) })
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.nodes.len()
    }

    /// Processor time of all servers so far.
    pub(crate) fn cpu_seconds(&self) -> Result<f64> {
        self.nodes.iter().map(Process::cpu_seconds).sum()
    }
}

/// Ports that were free a moment ago.
fn free_ports(count: usize) -> Result<Vec<u16>> {
    let held: Vec<TcpListener> =
        (0..count).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).collect::<std::io::Result<_>>()?;
    held.iter().map(|listener| Ok(listener.local_addr().context("an address")?.port())).collect()
}

fn is_healthy(monitor: u16) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, monitor))?;
        socket.set_read_timeout(Some(Duration::from_secs(2)))?;
        socket.write_all(b"GET /healthz HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        socket.take(4096).read_to_string(&mut answer)?;
        Ok(answer.contains("200 OK"))
    };
    ask().unwrap_or(false)
}
