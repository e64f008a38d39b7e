//! Our own accept loop around the router, because warp's has no header time-out, no connection limit, and its
//! graceful stop waits for ever for an open stream.
//!
//! Bounds: connections in all (the next one waits for its permit) and of one address, the time to send a request's head
//! (also that of an idle connection) and its body, the head's size, hyper's buffer and the kernel's unsent bytes, so
//! that a stalled client costs little. When the server stops, streams end by their token, idle connections are closed, and what is
//! stalled then is cut after a deadline.

use super::State;
use super::access::{Pending, Seen, Watched};
use super::asker::Asker;
use super::limits::{Limit, Place};
use super::owner;
use super::routes::{gate, routes};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::signal::unix::Signal;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tracing::{Level, debug, info};
use warp::reply::Reply;

/// How long a client may take to send a request's head, and how long a connection may be idle.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a client may take for the handshake of TLS.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Requests under way on one connection of HTTP/2: more tabs than anybody has.
const MAX_STREAMS: u32 = 100;
/// How long a client that is turned away has to read why, and how many have at once; the others are cut off.
const TURNED_AWAY: (Duration, usize) = (Duration::from_secs(1), 64);
/// How often a connection of HTTP/2 is asked whether it is there, and how long it may take to say so.
const PING: Duration = Duration::from_secs(20);
/// How often it is looked whether a certificate's files have changed.
const CERTIFICATE_EVERY: Duration = Duration::from_secs(10);
/// The largest head of a request.
const MAX_HEAD: usize = 16 << 10;
/// hyper's buffer of a connection.
const MAX_BUFFER: usize = 64 << 10;
/// Bytes in the kernel that were not sent yet; beyond it a socket is not writable.
const UNSENT: u32 = 128 << 10;
/// How long sent bytes may stay unacknowledged before the peer is given up.
const USER_TIMEOUT: Duration = Duration::from_secs(60);
/// How long connections have to end by themselves when the server stops.
pub const DRAIN: Duration = Duration::from_millis(1_500);
/// The waits after an accept that failed for want of descriptors.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(500));

/// A bound listener.
#[derive(Debug)]
pub enum Listener {
    /// TCP.
    Tcp(TcpListener),
    /// A unix socket; its file is removed at the end, if it is ours to remove.
    Unix(UnixListener, Option<SocketFile>),
}

/// The file of a unix socket that we made.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    is: Option<(u64, u64)>,
}

impl SocketFile {
    /// The file that is at the path now.
    pub fn made(path: &Path) -> SocketFile {
        SocketFile { path: path.to_owned(), is: ident(path) }
    }

    /// Removes it, unless another server has put its own there since.
    fn remove(&self) {
        if self.is.is_some() && self.is == ident(&self.path) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn ident(path: &Path) -> Option<(u64, u64)> {
    std::fs::symlink_metadata(path).ok().map(|meta| (meta.dev(), meta.ino()))
}

/// Serves until the state's token is cancelled, and then until all connections have ended or were cut.
pub async fn serve(listeners: Vec<Listener>, state: Arc<State>, max_connections: usize) {
    let permits = Arc::new(Semaphore::new(max_connections));
    let mut accepting = JoinSet::new();
    for listener in listeners {
        accepting.spawn(accept(listener, state.clone(), permits.clone()));
    }
    while accepting.join_next().await.is_some() {}
}

async fn accept(listener: Listener, state: Arc<State>, permits: Arc<Semaphore>) {
    let mut connections = JoinSet::new();
    let leaving = Arc::new(Semaphore::new(TURNED_AWAY.1));
    let mut backoff = BACKOFF.0;
    loop {
        // A panic ends its own connection only; the message is on stderr.
        while let Some(ended) = connections.try_join_next() {
            if ended.is_err_and(|error| error.is_panic()) {
                state.panics.one();
            }
        }
        let accepted = tokio::select! {
            () = state.stop.cancelled() => break,
            accepted = next(&listener) => accepted,
        };
        let stream = match accepted {
            Ok(accepted) => accepted,
            Err(error) if is_of_one_connection(&error) => continue,
            Err(_) => {
                tokio::select! {
                    () = state.stop.cancelled() => break,
                    () = tokio::time::sleep(backoff) => {}
                }
                backoff = (backoff * 2).min(BACKOFF.1);
                continue;
            }
        };
        backoff = BACKOFF.0;
        let Ok(place) = place_of(&stream, &state) else {
            if let (Stream::Tcp(stream, _), None, Ok(turn)) =
                (stream, &state.tls, leaving.clone().try_acquire_owned())
            {
                connections.spawn(turn_away(stream, turn));
            }
            continue;
        };
        let permit = match permits.clone().try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                state.limits.count(Limit::Connections);
                tokio::select! {
                    () = state.stop.cancelled() => break,
                    // The semaphore is never closed.
                    permit = permits.clone().acquire_owned() => match permit {
                        Ok(permit) => permit,
                        Err(_) => break,
                    },
                }
            }
        };
        let state = state.clone();
        connections.spawn(async move {
            match stream {
                Stream::Tcp(stream, peer) => {
                    let asker = asker(&stream, peer, &state);
                    tcp(stream, asker, state).await;
                }
                Stream::Unix(stream) => connection(stream, Asker::default(), state, false).await,
            }
            drop((permit, place));
        });
    }
    let file = match listener {
        Listener::Unix(_, file) => file,
        Listener::Tcp(_) => None,
    };
    let ended = async { while connections.join_next().await.is_some() {} };
    // What is left is stalled, and dropping the set ends it.
    let drain = state.drain.get().copied().unwrap_or(DRAIN);
    let _ = tokio::time::timeout(drain, ended).await;
    if let Some(file) = file {
        file.remove();
    }
}

/// An address, for people.
fn named(peer: Option<IpAddr>) -> String {
    peer.map_or_else(|| "unix".to_owned(), |peer| peer.to_string())
}

/// Who is at the other end of a connection.
fn asker(stream: &tokio::net::TcpStream, peer: IpAddr, state: &State) -> Asker {
    let is_own = || Ok::<_, io::Error>(owner::is_own(stream.peer_addr()?, stream.local_addr()?));
    let own = state.policy.own_only && peer.is_loopback() && is_own().unwrap_or(false);
    Asker { peer: Some(peer), secure: state.tls.is_some(), own, host: None }
}

enum Stream {
    Tcp(TcpStream, IpAddr),
    Unix(tokio::net::UnixStream),
}

/// A place among the connections of its address, where they are counted.
///
/// # Errors
/// There are too many.
fn place_of(stream: &Stream, state: &State) -> Result<Option<Place>, ()> {
    match stream {
        // Behind a proxy there are many clients, which it counts itself.
        Stream::Tcp(_, peer) if !peer.is_loopback() && !state.policy.proxies.trusts(Some(*peer)) => {
            match state.limits.enter(*peer) {
                None => {
                    state.limits.count(Limit::Address);
                    Err(())
                }
                place => Ok(place),
            }
        }
        _ => Ok(None),
    }
}

/// Says why to a client whose address has too many connections, without a look at what it asks.
async fn turn_away(mut stream: TcpStream, _turn: OwnedSemaphorePermit) {
    const BODY: &str = r#"{"type":"about:blank","title":"Too Many Requests","status":429,"detail":"too many connections from this address"}"#;
    let said = async {
        let head =
            "HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/problem+json\r\nRetry-After: 1";
        let answer = format!("{head}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{BODY}", BODY.len());
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await?;
        // A socket that is closed with unread bytes takes the answer with it.
        let mut asked = [0; 1024];
        while stream.read(&mut asked).await? > 0 {}
        io::Result::Ok(())
    };
    let _ = tokio::time::timeout(TURNED_AWAY.0, said).await;
}

async fn next(listener: &Listener) -> io::Result<Stream> {
    Ok(match listener {
        Listener::Tcp(listener) => {
            let (stream, peer) = listener.accept().await?;
            let socket = socket2::SockRef::from(&stream);
            // A socket that does not know an option works without it.
            let _ = socket.set_tcp_nodelay(true);
            let _ = socket.set_tcp_user_timeout(Some(USER_TIMEOUT));
            let _ = socket.set_tcp_notsent_lowat(UNSENT);
            Stream::Tcp(stream, peer.ip().to_canonical())
        }
        Listener::Unix(listener, _) => Stream::Unix(listener.accept().await?.0),
    })
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

async fn tcp(stream: TcpStream, asker: Asker, state: Arc<State>) {
    let Some(tls) = &state.tls else { return connection(stream, asker, state, false).await };
    let shake = tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.acceptor().accept(stream));
    let shaken = tokio::select! {
        shaken = shake => shaken,
        () = state.stop.cancelled() => return,
    };
    match shaken {
        Ok(Ok(stream)) => {
            let is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            connection(stream, asker, state, is_h2).await;
        }
        // Who speaks no TLS, or none of ours, or does not speak at all, is gone.
        Ok(Err(error)) => debug!("no TLS with {}: {error}", named(asker.peer)),
        Err(_) => debug!("no TLS with {}: it took too long", named(asker.peer)),
    }
}

/// Opens the access log anew when a hangup says so, and reads a certificate again then or when its files have changed,
/// for as long as the server runs.
pub async fn keep_files(state: Arc<State>, mut hangup: Option<Signal>, talk: impl Fn(&str)) {
    let stamp = || state.tls.as_ref().and_then(|tls| tls.stamp());
    let mut seen = stamp();
    loop {
        let told = async {
            match &mut hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        let told = tokio::select! {
            _ = told => true,
            () = tokio::time::sleep(CERTIFICATE_EVERY) => false,
        };
        if let Some(log) = state.access.as_ref().filter(|_| told) {
            log.reopen();
        }
        let now = stamp();
        let Some(tls) = &state.tls else { continue };
        if told || now.is_some() && now != seen {
            seen = now;
            if let Err(why) = tls.reload() {
                talk(&format!("warning: the certificate stays as it was: {why}"));
            }
        }
    }
}

/// Serves one connection to its end, over whatever carries it.
pub async fn connection<S>(stream: S, asker: Asker, state: Arc<State>, is_h2: bool)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let stop = state.stop.clone();
    let router = TowerToHyperService::new(warp::service(routes(state.clone())));
    let service = service_fn(move |request| {
        let (state, router, asker) = (state.clone(), router.clone(), asker.clone());
        async move {
            let route = |request| async move {
                match hyper::service::Service::call(&router, request).await {
                    Ok(response) => response.into_response(),
                    Err(never) => match never {},
                }
            };
            // Without the query, which may hold a token.
            let asked = tracing::enabled!(Level::INFO)
                .then(|| format!("{} {}", request.method(), request.uri().path()));
            let pending = state.access.as_ref().map(|log| Pending::new(log, &request));
            let stop = state.stop.clone();
            let response = gate(state, asker, request, route).await;
            if let Some(asked) = asked {
                let peer = response.extensions().get::<Seen>().and_then(|seen| seen.peer);
                let peer = named(peer);
                info!("{peer} {asked} {}", response.status().as_u16());
            }
            let note = pending.map(|pending| pending.answered(&response, stop));
            Ok::<_, Infallible>(response.map(|body| Watched::new(body, note)))
        }
    });
    if is_h2 {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .keep_alive_interval(PING)
            .keep_alive_timeout(PING)
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(MAX_HEAD as u32)
            .max_send_buf_size(MAX_BUFFER);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        tokio::select! {
            _ = connection.as_mut() => return,
            () = stop.cancelled() => {}
        }
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
        return;
    }
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_header_size(MAX_HEAD)
        .max_buf_size(MAX_BUFFER)
        .half_close(false);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    // An error here is a client's: it went away, or sent what is no HTTP.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = stop.cancelled() => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}
