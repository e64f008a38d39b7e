//! TLS: by curl, as everybody's client speaks it. Needs curl with HTTP/2 and openssl, and says so where they are missing.

use crate::support::server::run;
use crate::support::{Place, Server, have, wait_for};
use rustix::process::Signal;

/// A certificate for `localhost` in `NAME.pem` and `NAME.key`.
#[track_caller]
fn certificate(place: &Place, name: &str) {
    let (pem, key) = (format!("{name}.pem"), format!("{name}.key"));
    let made = run(
        place,
        &[
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
            "-subj",
            &format!("/CN={name}"),
            "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout",
            &key,
            "-out",
            &pem,
        ],
    );
    assert_eq!(made.code, Some(0), "{}", made.stderr);
}

#[test]
fn both_versions_of_http_and_what_is_no_tls() {
    if !have("curl") || !have("openssl") {
        return;
    }
    let place = Place::with("f", "one\ntwo\n");
    certificate(&place, "first");
    let server =
        Server::start(&place, &["f", "--tls-cert", "first.pem", "--tls-key", "first.key", "--no-follow"]);
    assert!(server.page.starts_with("https://127.0.0.1:"), "{}", server.page);
    let url = format!("{}?lines=all", server.stream);
    for (version, told) in [("--http1.1", "1.1"), ("--http2", "2")] {
        let got = run(
            &place,
            &[
                "curl",
                "-sS",
                version,
                "--cacert",
                "first.pem",
                "-H",
                "Accept: text/plain",
                "-w",
                "%{http_version} %{http_code}",
                &url,
            ],
        );
        assert_eq!(got.stdout, format!("one\ntwo\n{told} 200"), "{}", got.stderr);
    }
    let old = run(&place, &["curl", "-sS", "--tls-max", "1.1", "--cacert", "first.pem", &url]);
    assert_ne!(old.code, Some(0), "TLS 1.1 is refused");
    let plain = run(&place, &["curl", "-sS", "-m", "5", &url.replace("https", "http")]);
    assert_ne!(plain.code, Some(0), "who speaks no TLS is not served");
}

#[test]
fn a_certificate_is_read_again_on_a_hangup_and_a_bad_one_is_not_taken() {
    if !have("curl") || !have("openssl") {
        return;
    }
    let place = Place::with("f", "one\n");
    certificate(&place, "first");
    certificate(&place, "second");
    let mut server = Server::start(&place, &["f", "--tls-cert", "first.pem", "--tls-key", "first.key"]);
    let url = format!("{}healthz", server.page);
    let speaks = |name: &str| {
        let got = run(&place, &["curl", "-sS", "--cacert", &format!("{name}.pem"), &url]);
        (got.code == Some(0)).then_some(())
    };
    wait_for("the first certificate", || speaks("first"));
    place.copy("second.pem", "first.pem.new");
    place.write("first.pem", "no certificate");
    server.signal(Signal::HUP);
    wait_for("a warning", || server.stderr().contains("the certificate stays as it was").then_some(()));
    assert!(server.alive());
    place.copy("second.pem", "first.pem");
    place.copy("second.key", "first.key");
    server.signal(Signal::HUP);
    wait_for("the second certificate", || speaks("second"));
}

#[test]
fn a_certificate_that_is_made_is_told_by_its_fingerprint() {
    if !have("curl") || !have("openssl") {
        return;
    }
    let place = Place::with("f", "one\n");
    let server = Server::start(&place, &["f", "--tls-self-signed"]);
    let told = wait_for("a fingerprint", || {
        let text = server.stderr();
        text.lines().find_map(|line| line.strip_prefix("certificate: SHA-256 ")).map(str::to_owned)
    });
    let seen = run(
        &place,
        &[
            "sh",
            "-c",
            &format!(
                "openssl s_client -connect {} </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256 -checkhost localhost",
                server.address
            ),
        ],
    );
    assert!(seen.stdout.contains(&told), "{told}\n{}", seen.stdout);
    assert!(seen.stdout.contains("does match certificate"), "{}", seen.stdout);
}

#[test]
fn what_is_no_certificate_is_said_at_the_start() {
    let place = Place::with("f", "one\n");
    place.write("bad.pem", "nothing");
    for (words, told) in [
        (["--tls-cert", "none.pem", "--tls-key", "bad.pem"], "error: cannot read 'none.pem': No such file"),
        (
            ["--tls-cert", "bad.pem", "--tls-key", "bad.pem"],
            "error: cannot read 'bad.pem': it holds no certificate",
        ),
    ] {
        let mut all = vec![crate::support::server::LOGCAST, "serve", "f", "--port", "0"];
        all.extend(words);
        let failed = run(&place, &all);
        assert_eq!(failed.code, Some(1));
        assert!(failed.stderr.starts_with(told), "{}", failed.stderr);
    }
}
