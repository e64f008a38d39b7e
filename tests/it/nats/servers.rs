//! Servers of the engine: started in a test's folder on ports of their own, killed by their handles.

use super::{Version, server};
use crate::support::{Place, wait_for};
use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

/// A port that nobody listens on, outside of the range that outgoing connections take; never the same one twice.
fn free_port() -> u16 {
    static TAKEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);
    let mut taken = TAKEN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let taken = taken.get_or_insert_default();
    for _ in 0..1000 {
        let port = fastrand::u16(11_000..31_000);
        if taken.insert(port) && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free");
}

/// One server.
pub(super) struct Node {
    program: PathBuf,
    folder: PathBuf,
    name: String,
    /// Where clients connect.
    pub(super) port: u16,
    monitor: u16,
    child: Option<Child>,
}

impl Node {
    /// A server with JetStream; `more` is added to its configuration.
    #[track_caller]
    pub(super) fn start(place: &Place, version: Version, more: &str) -> Option<Node> {
        Node::configured(place, "one", version, &format!("jetstream {{ store_dir: \"STORE\" }}\n{more}"))
    }

    /// A server with this configuration; `STORE` stands for its folder.
    #[track_caller]
    pub(super) fn configured(place: &Place, name: &str, version: Version, config: &str) -> Option<Node> {
        let program = server(version)?;
        let folder = place.path(&format!("server-{name}"));
        fs::create_dir_all(&folder).expect("a folder");
        for _ in 0..5 {
            let mut node = Node {
                program: program.clone(),
                folder: folder.clone(),
                name: name.to_owned(),
                port: free_port(),
                monitor: free_port(),
                child: None,
            };
            node.write(config);
            if node.run() {
                return Some(node);
            }
        }
        panic!("the server does not start: {}", fs::read_to_string(folder.join("log")).unwrap_or_default());
    }

    fn write(&self, config: &str) {
        let store = self.folder.join("store");
        let config = config.replace("STORE", store.to_str().expect("a name in UTF-8"));
        let own = format!(
            "server_name: {}\nlisten: 127.0.0.1:{}\nhttp: 127.0.0.1:{}\n{config}\n",
            self.name, self.port, self.monitor
        );
        fs::write(self.folder.join("conf"), own).expect("a configuration");
    }

    /// Starts it; false if it ended, for its port was taken after all.
    fn run(&mut self) -> bool {
        self.spawn();
        let monitor = self.monitor;
        wait_for("a healthy server", || {
            if self.child.as_mut().expect("started").try_wait().expect("a child").is_some() {
                return Some(false);
            }
            get(monitor, "/healthz").filter(|answer| answer.contains("200 OK")).map(|_| true)
        })
    }

    fn spawn(&mut self) {
        let log = fs::File::options().append(true).create(true).open(self.folder.join("log")).expect("a log");
        let child = Command::new(&self.program)
            .arg("-c")
            .arg(self.folder.join("conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        self.child = Some(child.expect("a server to start"));
    }

    /// `kill -9`.
    pub(super) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("a server to kill");
            child.wait().expect("a server to reap");
        }
    }

    /// Starts it again, on the same port with the same store.
    pub(super) fn again(&mut self) {
        assert!(self.run(), "the server does not start again");
    }

    /// Starts it again without a wait: of a cluster one alone does not get well.
    pub(super) fn spawn_again(&mut self) {
        self.spawn();
    }

    /// Its store.
    pub(super) fn store(&self) -> PathBuf {
        self.folder.join("store")
    }

    /// Where it is.
    pub(super) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            let lines: Vec<&str> = log.lines().rev().take(15).collect();
            eprintln!("--- the end of server {}'s log, newest first:\n{}", self.name, lines.join("\n"));
        }
    }
}

/// Three servers that keep everything thrice.
pub(super) struct Cluster {
    pub(super) nodes: Vec<Node>,
}

impl Cluster {
    #[track_caller]
    pub(super) fn start(place: &Place, version: Version) -> Option<Cluster> {
        let program = server(version)?;
        let routes: Vec<u16> = (0..3).map(|_| free_port()).collect();
        let urls: Vec<String> = routes.iter().map(|port| format!("nats://127.0.0.1:{port}")).collect();
        let mut nodes = Vec::new();
        for (at, route) in routes.iter().enumerate() {
            let name = format!("n{at}");
            let folder = place.path(&format!("server-{name}"));
            fs::create_dir_all(&folder).expect("a folder");
            let (port, monitor) = (free_port(), free_port());
            let mut node = Node { program: program.clone(), folder, name, port, monitor, child: None };
            node.write(&format!(
                "jetstream {{ store_dir: \"STORE\" }}\ncluster {{ name: lc, listen: 127.0.0.1:{route}, routes: [{}] }}",
                urls.join(", ")
            ));
            node.spawn();
            nodes.push(node);
        }
        let cluster = Cluster { nodes };
        cluster.until_healthy();
        Some(cluster)
    }

    /// Waits until every server that runs says it is well.
    pub(super) fn until_healthy(&self) {
        for node in self.nodes.iter().filter(|node| node.child.is_some()) {
            wait_for("a healthy server of a cluster", || {
                get(node.monitor, "/healthz").filter(|answer| answer.contains("200 OK"))
            });
        }
    }

    /// The servers' URL.
    pub(super) fn url(&self) -> String {
        self.nodes.iter().fold("nats://".to_owned(), |mut url, node| {
            let comma = if url.ends_with('/') { "" } else { "," };
            let _ = write!(url, "{comma}127.0.0.1:{}", node.port);
            url
        })
    }

    /// Which server leads a stream.
    pub(super) fn leader(&self, stream: &str) -> usize {
        wait_for("a leader", || {
            let running = self.nodes.iter().filter(|node| node.child.is_some());
            let answers = running.filter_map(|node| get(node.monitor, "/jsz?streams=true"));
            answers.into_iter().find_map(|answer| {
                let body: serde_json::Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1)?).ok()?;
                let streams = body["account_details"][0]["stream_detail"].as_array()?.clone();
                let own = streams.iter().find(|own| own["name"] == stream)?;
                let leader =
                    own["cluster"]["leader"].as_str().filter(|leader| !leader.is_empty())?.to_owned();
                self.nodes.iter().position(|node| node.name == leader && node.child.is_some())
            })
        })
    }
}

/// What a server's monitor says; `None` if it does not.
fn get(port: u16, path: &str) -> Option<String> {
    let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    socket.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    write!(socket, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").ok()?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).ok()?;
    Some(answer)
}
