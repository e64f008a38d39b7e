//! `serve nats://…` of servers that want to know who asks; and who may then ask the one who serves.

use super::Version;
use super::jwt::operator;
use super::refused::{certificates, nkeys_pair};
use super::servers::Node;
use super::shipper::once;
use crate::support::http::get;
use crate::support::server::{LOGCAST, run};
use crate::support::{Client, Place, Server, have};
use std::process::Stdio;

const JETSTREAM: &str = "jetstream { store_dir: \"STORE\" }";

/// Serves with these variables set.
#[track_caller]
fn serve(place: &Place, url: &str, variables: &[&str]) -> Server {
    let url = url.replacen('?', "/logs.>?", 1);
    let words = [&["env"], variables, &[LOGCAST, "serve", &url, "--port", "0"]].concat();
    Server::launch(place, &words, Stdio::null())
}

/// What is served, asked for with the token that was printed.
#[track_caller]
fn first_line(server: &Server) -> String {
    let token =
        server.stream.split_once("token=").map(|(_, token)| format!("Authorization: Bearer {token}\r\n"));
    let mut client = Client::with_headers(server, "lines=all", &token.unwrap_or_default());
    client.take(1).remove(0)
}

/// Whether others on this machine are turned away.
#[track_caller]
fn wants_token(server: &Server) -> bool {
    let status = get(server, "/api/files").status;
    assert!(status == 200 || status == 401, "{status}");
    assert_eq!(server.stream.contains("token="), status == 401, "{}", server.stream);
    status == 401
}

/// What no other program may see.
#[track_caller]
fn tells_no_secret(server: &Server, secrets: &[&str]) {
    let shown = std::fs::read_to_string(format!("/proc/{}/cmdline", server.pid().as_raw_nonzero()));
    let token = server.stream.split_once("token=").map_or("", |(_, token)| token);
    let asked: Vec<String> = ["/api/files", "/metrics", "/"]
        .iter()
        .map(|path| String::from_utf8_lossy(&get(server, &format!("{path}?token={token}")).body).into_owned())
        .collect();
    let all = format!(
        "{}\n{}\n{}\n{}",
        shown.expect("a living process"),
        server.stderr(),
        server.page,
        asked.join("\n")
    );
    for secret in secrets {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
}

#[test]
fn a_server_that_lets_everybody_in_needs_no_token_on_loopback() {
    let place = Place::with("app.log", "one\n");
    let Some(node) = Node::start(&place, Version::Old, "") else { return };
    assert_eq!(once(&place, &node.url(), &["web=app.log"]).0, Some(0));
    let server = serve(&place, &node.url(), &[]);
    assert_eq!(first_line(&server), "one");
    assert!(!wants_token(&server));
    // Who says that it is for everybody is believed.
    let open = format!("nats://u:p@127.0.0.1:{}/logs.>", node.port);
    let server = Server::start(&place, &[&open, "--no-auth"]);
    assert!(!wants_token(&server));
}

#[test]
fn a_user_with_a_password_a_token_and_an_nkey() {
    let place = Place::with("app.log", "one\n");
    let (public, seed) = nkeys_pair();
    place.write("seed", seed);
    let user = ("authorization { users: [{ user: view, password: s3cret }] }", "view:s3cret@", "");
    let token = ("authorization { token: s3cret }", "s3cret@", "");
    let nkey = (&*format!("authorization {{ users: [{{ nkey: {public} }}] }}"), "", "?nkey=seed");
    let by: [&[&str]; 3] =
        [&["LOGCAST_NATS_USER=view", "LOGCAST_NATS_PASSWORD=s3cret"], &["LOGCAST_NATS_TOKEN=s3cret"], &[]];
    for (at, ((config, who, query), variables)) in [user, token, nkey].into_iter().zip(by).enumerate() {
        let config = format!("{JETSTREAM}\n{config}");
        let Some(node) = Node::configured(&place, &format!("auth{at}"), Version::Old, &config) else {
            return;
        };
        let url = format!("nats://{who}127.0.0.1:{}{query}", node.port);
        assert_eq!(once(&place, &url, &["web=app.log"]).0, Some(0), "{config}");
        // By variables and files, which others cannot see; then in the URL.
        let server = serve(&place, &format!("{}{query}", node.url()), variables);
        assert_eq!(first_line(&server), "one", "{config}");
        assert!(wants_token(&server), "{config}");
        tells_no_secret(&server, &["s3cret", seed]);
        assert_eq!(first_line(&serve(&place, &url, &[])), "one", "{config}");
        let wrong = ["env", "LOGCAST_NATS_TOKEN=s3cret2", LOGCAST, "serve", &node.url(), "--port", "0"];
        let outcome = run(&place, &wrong);
        assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("it refused these credentials"), "{}", outcome.stderr);
        assert!(!outcome.stderr.contains("s3cret"), "{}", outcome.stderr);
    }
}

#[test]
fn a_credentials_file_of_an_operator() {
    let place = Place::with("app.log", "one\n");
    let (config, creds) = operator();
    place.write("creds", &creds);
    let Some(node) = Node::configured(&place, "operator", Version::New, &config) else { return };
    let url = format!("{}?creds=creds", node.url());
    let (code, said) = once(&place, &url, &["web=app.log"]);
    assert_eq!(code, Some(0), "{said}");
    let server = serve(&place, &url, &[]);
    assert_eq!(first_line(&server), "one");
    assert!(wants_token(&server));
    let secrets: Vec<&str> = creds.lines().filter(|line| line.len() > 40).collect();
    assert_eq!(secrets.len(), 2);
    tells_no_secret(&server, &secrets);
    // Another operator's user is refused.
    place.write("other", operator().1);
    let outcome = run(&place, &[LOGCAST, "serve", &url.replace("=creds", "=other"), "--port", "0"]);
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("it refused these credentials"), "{}", outcome.stderr);
}

#[test]
fn tls_and_a_certificate_of_ours() {
    if !have("openssl") {
        return;
    }
    let place = Place::with("app.log", "one\n");
    let config = certificates(&place);
    for verify in [false, true] {
        let name = format!("tls-{verify}");
        let Some(node) = Node::configured(&place, &name, Version::Old, &config(verify)) else { return };
        let ours = if verify { "&cert=client.pem&key=client.key" } else { "" };
        let url = format!("{}?ca=ca.pem{ours}", node.url());
        assert_eq!(once(&place, &url, &["web=app.log"]).0, Some(0));
        let server = serve(&place, &url, &[]);
        assert_eq!(first_line(&server), "one");
        // A certificate of ours is a credential; an authority's is none.
        assert_eq!(wants_token(&server), verify);
        let missing = if verify { "?ca=ca.pem" } else { "" };
        let words = if verify { "it wants a client certificate" } else { "signed by no known authority" };
        let outcome = run(&place, &[LOGCAST, "serve", &format!("{}{missing}", node.url()), "--port", "0"]);
        assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(words), "{}", outcome.stderr);
    }
}
