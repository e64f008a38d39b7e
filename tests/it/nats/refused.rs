//! What is refused, and what is waited for: the words, the next step, and the exit code.

use super::Version;
use super::servers::Node;
use super::shipper::{Ship, once};
use super::stored::Stored;
use crate::support::server::{LOGCAST, run};
use crate::support::{Place, have};
use std::fs;

/// Ships once, and expects exit code 1 with these words.
#[track_caller]
fn refused(place: &Place, url: &str, more: &[&str], error: &str, help: &str) {
    let args: Vec<&str> = ["web=app.log"].iter().chain(more).copied().collect();
    let (code, said) = once(place, url, &args);
    assert_eq!(code, Some(1), "{said}");
    let first = said.lines().find(|line| line.starts_with("error: ")).unwrap_or_default();
    assert!(first.contains(error), "{said}");
    let next = said.lines().find(|line| line.starts_with("help: ")).unwrap_or_default();
    assert!(next.contains(help), "{said}");
    assert!(!said.contains("s3cret"), "{said}");
    // Each is one line.
    assert!(said.lines().count() <= 2 + said.matches("warning: ").count(), "{said}");
}

#[test]
fn what_is_wrong_on_any_machine() {
    let place = Place::with("app.log", "one\n");
    place.folder("folder");
    for (args, words) in [
        (&["app.log"][..], "error: cannot ship: it is not said where to\nhelp: --to nats://HOST"),
        (&["app.log", "--to", "http://h"], "error: cannot ship to 'http://h': must begin with nats://"),
        (&["app.log", "--to", "nats://u:s3cret@h:x"], "error: cannot read the URL of --to: x is not a port"),
        (
            &["app.log", "--to", "nats://h/a.*"],
            "error: cannot name subjects 'a.*': a wildcard is not a subject to write to",
        ),
        (&["app.log", "--to", "nats://h", "--subject", "{x}"], "only {host} and {path} may stand in braces"),
        (&["app.log", "--to", "nats://h", "--stream", "a.b"], "a.b is no name of a stream"),
        (&["app.log", "--to", "nats://h", "--interval", "x"], "must be a time like 50ms or 1s, or 0"),
        (&["app.log", "--to", "nats://h", "--batch-bytes", "1"], "must be between 1KiB and 64MiB"),
        (&["app.log", "--to", "nats://h", "--replicas", "9"], "--replicas"),
        (&["folder", "--to", "nats://h"], "error: cannot follow 'folder': it is a folder"),
        (&["app.log", "-", "--once", "--to", "nats://h"], "error: cannot ship files and a pipe with --once"),
    ] {
        let words_typed: Vec<&str> =
            [LOGCAST, "ship", "--state", "state"].iter().chain(args).copied().collect();
        let outcome = run(&place, &words_typed);
        assert_eq!(outcome.code, Some(2), "{args:?}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(words) && !outcome.stderr.contains("s3cret"), "{}", outcome.stderr);
        assert_eq!(outcome.stdout, "");
    }
}

#[test]
fn nobody_is_there() {
    let place = Place::with("app.log", "one\n");
    let Some(mut node) = Node::start(&place, Version::Old, "") else { return };
    let url = node.url();
    node.kill();
    refused(&place, &url, &[], &format!("cannot reach '{url}': Connection refused"), "");
    // Without --once it waits, says so once, and goes on.
    let ship = Ship::start(&place, &url, &["web=app.log"]);
    ship.until_said("retrying, lines wait in their files");
    std::thread::sleep(std::time::Duration::from_millis(700));
    assert_eq!(ship.stderr().matches("retrying").count(), 1, "{}", ship.stderr());
    node.again();
    ship.until_said("made stream logs for logs.>, 1 replica");
    ship.until("the line", || Stored::open(&url).text() == b"one\n");
}

#[test]
fn credentials() {
    let place = Place::with("app.log", "one\n");
    let config = "authorization { users: [{ user: ship, password: s3cret }] }";
    let Some(node) = Node::start(&place, Version::Old, config) else { return };
    let at = |user: &str| format!("nats://{user}127.0.0.1:{}", node.port);
    refused(&place, &at(""), &[], "it refused these credentials", "user:password@ in the URL");
    refused(&place, &at("ship:s3cret2@"), &[], "it refused user 'ship' or the password", "creds=FILE");
    let (code, said) = once(&place, &at("ship:s3cret@"), &["web=app.log"]);
    assert_eq!(code, Some(0), "{said}");
    let token = "authorization { token: s3cret }";
    let Some(node) = Node::configured(
        &place,
        "token",
        Version::Old,
        &format!("jetstream {{ store_dir: \"STORE\" }}\n{token}"),
    ) else {
        return;
    };
    let at = |token: &str| format!("nats://{token}127.0.0.1:{}", node.port);
    refused(&place, &at("s3cret2@"), &[], "it refused these credentials", "");
    assert_eq!(once(&place, &at("s3cret@"), &["web=app.log"]).0, Some(0));
}

#[test]
fn an_nkey() {
    let place = Place::with("app.log", "one\n");
    let pair = nkeys_pair();
    let config = format!("authorization {{ users: [{{ nkey: {} }}] }}", pair.0);
    let Some(node) = Node::start(&place, Version::Old, &config) else { return };
    place.write("seed", format!("# a user\n{}\n", pair.1));
    place.write("none", "nothing\n");
    let at = |query: &str| format!("{}?nkey={query}", node.url());
    assert_eq!(once(&place, &at("seed"), &["web=app.log"]).0, Some(0));
    refused(&place, &at("none"), &[], "cannot read 'none': it holds no user's nkey seed", "");
    refused(&place, &at("absent"), &[], "cannot read 'absent': No such file", "");
    refused(
        &place,
        &format!("{}?creds=none", node.url()),
        &[],
        "cannot read 'none': it holds no credentials",
        "",
    );
    refused(&place, &node.url(), &[], "it refused these credentials", "nkey=FILE");
}

/// A user's nkey, public part and seed, made for this test.
pub(super) fn nkeys_pair() -> (&'static str, &'static str) {
    (
        "UA5ZU2OGKQEPDBJ2FJ7ZKIJVOXY5NWCXZPFWSA2DMYRS4Y24L3ALPHWQ",
        "SUACMPMPFLUEXTDWIOXEJQS2WIHKDZUH5MES534MMGZHWVGTKEXIDSB24E",
    )
}

#[test]
fn no_streams() {
    let place = Place::with("app.log", "one\n");
    let Some(node) = Node::configured(&place, "plain", Version::Old, "") else { return };
    refused(&place, &node.url(), &[], "it runs without JetStream", "nats-server -js");
    let config = "jetstream { store_dir: \"STORE\" }
        accounts { A { users: [{ user: a, password: p }] }, B { jetstream: enabled, users: [{ user: b, password: p }] } }";
    let Some(node) = Node::configured(&place, "accounts", Version::Old, config) else { return };
    let at = |user: &str| format!("nats://{user}:p@127.0.0.1:{}", node.port);
    refused(&place, &at("a"), &[], "JetStream is not enabled for this account", "jetstream: enabled");
    refused(
        &place,
        &at("b"),
        &["--no-create-stream"],
        "cannot find stream 'logs.>': there is none",
        "nats stream add logs",
    );
    refused(
        &place,
        &at("b"),
        &["--no-create-stream", "--stream", "x"],
        "cannot find stream 'x'",
        "nats stream add x",
    );
    refused(&place, &at("b"), &["--replicas", "3"], "cannot use stream 'logs'", "--replicas 1");
    assert_eq!(once(&place, &at("b"), &["web=app.log"]).0, Some(0));
    refused(
        &place,
        &at("b"),
        &["--stream", "logs", "--subject", "other"],
        "it does not hold the subjects other.>",
        "nats stream edit",
    );
}

#[test]
fn streams_that_are_not_fit() {
    let place = Place::with("app.log", "one\n");
    let Some(node) = Node::start(&place, Version::Old, "") else { return };
    let url = node.url();
    assert_eq!(once(&place, &url, &["web=app.log"]).0, Some(0));
    let stored = Stored::open(&url);
    let made =
        stored.ask("STREAM.CREATE.x", r#"{"name":"x","subjects":["x.>"],"storage":"file","num_replicas":1}"#);
    assert!(!made.contains("error"), "{made}");
    refused(
        &place,
        &url,
        &["--subject", "x"],
        "cannot use stream 'x': it does not allow direct get",
        "--allow-direct",
    );
    let made = stored.ask(
        "STREAM.CREATE.y",
        r#"{"name":"y","subjects":["y.>"],"storage":"file","num_replicas":1,"allow_direct":true,"no_ack":true}"#,
    );
    assert!(!made.contains("error"), "{made}");
    refused(&place, &url, &["--subject", "y"], "it acknowledges nothing", "--ack");
    // One of another name that has the subjects is found.
    let made = stored.ask(
        "STREAM.CREATE.all",
        r#"{"name":"all","subjects":["z.>"],"storage":"file","num_replicas":1,"allow_direct":true}"#,
    );
    assert!(!made.contains("error"), "{made}");
    assert_eq!(once(&place, &url, &["web=app.log", "--subject", "z"]).0, Some(0));
    assert!(stored.ask("STREAM.INFO.all", "").contains("\"messages\":1,"));
    let made = stored.ask(
        "STREAM.CREATE.part",
        r#"{"name":"part","subjects":["part.a.>"],"storage":"file","num_replicas":1,"allow_direct":true}"#,
    );
    assert!(!made.contains("error"), "{made}");
    refused(
        &place,
        &url,
        &["--subject", "part"],
        "cannot use stream 'part': it does not hold the subjects part.>",
        "nats stream edit part",
    );
}

#[test]
fn the_least_that_a_shipper_may() {
    let place = Place::with("app.log", "one\n");
    let config = |publish: &str| {
        format!(
            "authorization {{ users: [{{ user: admin, password: p }}, {{ user: ship, password: p, permissions: {{
                publish: {{ allow: [{publish}] }}, subscribe: {{ allow: [\"_INBOX.>\"] }} }} }}] }}"
        )
    };
    let all = [r#""logs.h.>""#, r#""$JS.API.STREAM.INFO.logs""#, r#""$JS.API.DIRECT.GET.logs.logs.h.>""#];
    let Some(node) = Node::start(&place, Version::Old, &config(&all.join(", "))) else { return };
    let at = |user: &str| format!("nats://{user}:p@127.0.0.1:{}", node.port);
    assert_eq!(once(&place, &at("admin"), &["x=app.log"]).0, Some(0));
    let (code, said) = once(&place, &at("ship"), &["web=app.log"]);
    assert_eq!(code, Some(0), "{said}");
    place.append("app.log", "two\n");
    assert_eq!(once(&place, &at("ship"), &["web=app.log"]).0, Some(0));
    assert_eq!(Stored::open(&at("admin")).messages().len(), 3);
    refused(
        &place,
        &at("ship"),
        &["--host-name", "g"],
        "cannot publish to '$JS.API.DIRECT.GET.logs.logs.g.web': no permission",
        "logs.g.>",
    );
    for (missing, words) in
        [(0, "cannot publish to 'logs.h."), (1, "STREAM.INFO.logs'"), (2, "DIRECT.GET.logs.logs.h.")]
    {
        let some: Vec<&str> =
            all.iter().enumerate().filter(|(at, _)| *at != missing).map(|(_, text)| *text).collect();
        let name = format!("less{missing}");
        let config = format!("jetstream {{ store_dir: \"STORE\" }}\n{}", config(&some.join(", ")));
        let Some(node) = Node::configured(&place, &name, Version::Old, &config) else { return };
        let at = |user: &str| format!("nats://{user}:p@127.0.0.1:{}", node.port);
        assert_eq!(once(&place, &at("admin"), &["x=app.log"]).0, Some(0));
        refused(&place, &at("ship"), &[], words, "the user needs the permission to publish to");
    }
}

/// Makes an authority, another one, and certificates of a server and a client; gives a server's configuration that has them,
/// and wants to see the client's if told so.
#[track_caller]
pub(super) fn certificates(place: &Place) -> impl Fn(bool) -> String {
    let openssl = |words: &[&str]| {
        let words: Vec<&str> = ["openssl"].iter().chain(words).copied().collect();
        let made = run(place, &words);
        assert_eq!(made.code, Some(0), "{}", made.stderr);
    };
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    let with = |more: &[&str]| openssl(&[&["req"], &key[..], more].concat());
    with(&["-x509", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=test-ca"]);
    with(&["-x509", "-keyout", "other.key", "-out", "other.pem", "-days", "2", "-subj", "/CN=other-ca"]);
    place.write("san", "subjectAltName=DNS:localhost,IP:127.0.0.1");
    for name in ["server", "client"] {
        let (csr, pem, own) = (format!("{name}.csr"), format!("{name}.pem"), format!("{name}.key"));
        with(&["-keyout", &own, "-out", &csr, "-subj", &format!("/CN={name}")]);
        openssl(&[
            "x509",
            "-req",
            "-in",
            &csr,
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-out",
            &pem,
            "-days",
            "2",
            "-extfile",
            "san",
        ]);
    }
    let root = place.root().display().to_string();
    move |verify: bool| {
        format!(
            "jetstream {{ store_dir: \"STORE\" }}
            tls {{ cert_file: \"{root}/server.pem\", key_file: \"{root}/server.key\", ca_file: \"{root}/ca.pem\", verify: {verify} }}"
        )
    }
}

#[test]
fn tls() {
    if !have("openssl") {
        return;
    }
    let place = Place::with("app.log", "one\n");
    let config = certificates(&place);
    let Some(node) = Node::configured(&place, "tls", Version::Old, &config(false)) else { return };
    let at = |query: &str| format!("{}{query}", node.url());
    refused(&place, &at(""), &[], "signed by no known authority", "add ?ca=FILE");
    refused(&place, &at("?ca=other.pem"), &[], "signed by no known authority", "add ?ca=FILE");
    refused(&place, &at("?ca=absent.pem"), &[], "cannot read 'absent.pem': No such file", "");
    assert_eq!(once(&place, &at("?ca=ca.pem"), &["web=app.log"]).0, Some(0));
    let insists = node.url().replace("nats://", "tls://") + "?ca=ca.pem";
    assert_eq!(once(&place, &insists, &["web=app.log"]).0, Some(0));
    let Some(node) = Node::configured(&place, "mtls", Version::Old, &config(true)) else { return };
    let at = |query: &str| format!("{}?ca=ca.pem{query}", node.url());
    refused(&place, &at(""), &[], "it wants a client certificate", "add ?cert=FILE&key=FILE");
    assert_eq!(once(&place, &at("&cert=client.pem&key=client.key"), &["web=app.log"]).0, Some(0));
    let Some(node) = Node::configured(&place, "clear", Version::Old, "jetstream { store_dir: \"STORE\" }")
    else {
        return;
    };
    let insists = node.url().replace("nats://", "tls://") + "?ca=ca.pem";
    refused(&place, &insists, &[], "cannot speak TLS with 'tls://127.0.0.1", "");
}

#[test]
fn a_folder_that_cannot_hold_notes_is_said_once() {
    let place = Place::with("app.log", "one\n");
    place.write("b.log", "two\n");
    let Some(node) = Node::start(&place, Version::Old, "") else { return };
    fs::write(place.path("state"), "a file, not a folder").expect("a file");
    let (code, said) = once(&place, &node.url(), &["app.log", "b.log"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(said.matches("warning: cannot note in --state").count(), 1, "{said}");
    assert_eq!(Stored::open(&node.url()).messages().len(), 2);
}
