//! TLS: by curl, as everybody's client speaks it. Needs curl with HTTP/2 and openssl, and says so where they are missing.

use crate::support::server::{LOGCAST, run};
use crate::support::{Place, Server, have, wait_for};
use rustix::process::Signal;
use std::fs;

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

#[test]
fn tail_speaks_tls() {
    let place = Place::with("f", "one\n");
    let server = Server::start(&place, &["f", "--tls-self-signed"]);
    let said = wait_for("the fingerprint", || {
        let stderr = server.stderr();
        Some(stderr.lines().find_map(|line| line.strip_prefix("certificate: SHA-256 "))?.to_owned())
    });
    let tail = [LOGCAST, "tail", "--no-follow", &server.page];
    let outcome = run(&place, &[&tail[..], &["--fingerprint", &said]].concat());
    assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (Some(0), "one\n", ""));
    let outcome = run(&place, &[&tail[..], &["--fingerprint", &"00".repeat(32)]].concat());
    let expected =
        format!("error: cannot tail '{}': its certificate has another fingerprint\n", server.stream);
    assert!(outcome.code == Some(1) && outcome.stderr.starts_with(&expected), "{}", outcome.stderr);
    if !have("openssl") {
        return;
    }
    // rustls takes no authority's own certificate for a server's: one that it has signed.
    place.write("ext", "subjectAltName=IP:127.0.0.1\n");
    let make = "k='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
        openssl req -x509 $k -days 2 -subj /CN=ca -keyout ca.key -out ca.pem &&
        openssl req $k -subj /CN=own -keyout own.key -out own.csr &&
        openssl x509 -req -in own.csr -CA ca.pem -CAkey ca.key -days 2 -extfile ext -out own.pem";
    let made = run(&place, &["sh", "-c", make]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let server = Server::start(&place, &["f", "--tls-cert", "own.pem", "--tls-key", "own.key"]);
    let tail = [LOGCAST, "tail", "--no-follow", &server.page];
    let trusted = run(&place, &[&["env", "SSL_CERT_FILE=ca.pem"], &tail[..]].concat());
    assert_eq!((trusted.code, trusted.stdout.as_str()), (Some(0), "one\n"), "{}", trusted.stderr);
    let outcome = run(&place, &tail);
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("SSL_CERT_FILE"), "{}", outcome.stderr);
}

/// `check` reads a stream over TLS to its end, from the server whose certificate it was told, and from no other.
#[test]
fn check_speaks_tls() {
    let place = Place::new();
    let made = run(&place, &[LOGCAST, "generate", "--sequence", "--rate", "0", "--count", "500", "f"]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let server = Server::start(&place, &["f", "--tls-self-signed", "--no-follow", "--lines", "all"]);
    let said = wait_for("the fingerprint", || {
        let stderr = server.stderr();
        Some(stderr.lines().find_map(|line| line.strip_prefix("certificate: SHA-256 "))?.to_owned())
    });
    assert!(server.stream.starts_with("https://"), "{}", server.stream);
    for url in [&server.page, &server.stream] {
        let checked = run(&place, &[LOGCAST, "check", url, "--fingerprint", &said]);
        let whole = "lines=500 lost=0 doubled=0 out_of_order=0 altered=0 gaps=0 other=0\n";
        assert_eq!((checked.code, checked.stdout.as_str(), checked.stderr.as_str()), (Some(0), whole, ""));
    }
    let checked = run(&place, &[LOGCAST, "check", &server.page, "--fingerprint", &"00".repeat(32)]);
    assert_eq!((checked.code, checked.stdout.as_str()), (Some(1), ""));
    let untrusted = run(&place, &[LOGCAST, "check", &server.page]);
    assert_eq!((untrusted.code, untrusted.stdout.as_str()), (Some(1), ""), "{}", untrusted.stderr);
    // A line that is not whole is seen through TLS as well.
    place.write("f", fs::read_to_string(place.path("f")).expect("the log").replacen("seq=7 ", "seq=8 ", 1));
    let server = Server::start(&place, &["f", "--tls-self-signed", "--no-follow", "--lines", "all"]);
    let said = wait_for("the fingerprint", || {
        let stderr = server.stderr();
        Some(stderr.lines().find_map(|line| line.strip_prefix("certificate: SHA-256 "))?.to_owned())
    });
    let checked = run(&place, &[LOGCAST, "check", &server.page, "--fingerprint", &said]);
    assert_eq!(checked.code, Some(1), "{}", checked.stdout);
    assert!(checked.stdout.contains("lost: 7\n"), "{}", checked.stdout);
}
