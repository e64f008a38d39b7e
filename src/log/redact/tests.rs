//! What is replaced and what is not, and that blocks do not matter.

use super::*;
use proptest::prelude::*;

fn secrets() -> Arc<Redactor> {
    Redactor::new(&Rules { secrets: true, ..Rules::default() }).unwrap().unwrap()
}

fn own(patterns: &[&str]) -> Arc<Redactor> {
    let patterns = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
    Redactor::new(&Rules { patterns, secrets: false }).unwrap().unwrap()
}

fn all(redactor: &Redactor, text: &str) -> String {
    let mut out = Vec::new();
    redactor.lines(text.as_bytes(), &mut out);
    String::from_utf8(out).unwrap()
}

/// A key as `openssl` writes it, and none.
fn pem(lines: usize) -> String {
    let body: String = (0..lines).map(|n| format!("MIIEowIBAAKCAQEA{:048}\n", n * 7919)).collect();
    format!("-----BEGIN RSA PRIVATE KEY-----\n{body}Zm9v\n-----END RSA PRIVATE KEY-----\n")
}

/// What must not be seen, in lines as programs write them, and what is shown instead.
const SECRET: &[(&str, &str)] = &[
    ("user=ann password=hunter2 ok", "user=ann password=[redacted:password] ok"),
    ("password = hunter2", "password = [redacted:password]"),
    ("PASSWORD=hunter2;Server=x", "PASSWORD=[redacted:password];Server=x"),
    (r#"{"password":"hun\"ter2","user":"ann"}"#, r#"{"password":"[redacted:password]","user":"ann"}"#),
    (r#"{"Password" : "hunter 2" }"#, r#"{"Password" : "[redacted:password]" }"#),
    (
        r#"body="{\"password\":\"hunter2\",\"n\":1}""#,
        r#"body="{\"password\":\"[redacted:password]\",\"n\":1}""#,
    ),
    ("password: hunter2", "password: [redacted:password]"),
    ("password: 'a b'", "password: '[redacted:password]'"),
    (
        r#"Login { user: "ann", password: Some("hunter2") }"#,
        r#"Login { user: "ann", password: Some("[redacted:password]") }"#,
    ),
    ("user[password]=hunter2&x=1", "user[password]=[redacted:password]&x=1"),
    ("POST /in?user%5Bpassword%5D=hunter2&x=1", "POST /in?user%5Bpassword%5D=[redacted:password]&x=1"),
    ("<password>hunter2</password>", "<password>[redacted:password]</password>"),
    ("DB_PASSWD=hunter2", "DB_PASSWD=[redacted:password]"),
    ("passphrase=open sesame", "passphrase=[redacted:password] sesame"),
    ("userPwd=hunter2", "userPwd=[redacted:password]"),
    ("GET /x?token=abc123&page=2 200", "GET /x?token=[redacted:token]&page=2 200"),
    ("access_token: 8f14e45fceea167a", "access_token: [redacted:token]"),
    (r#""refreshToken":"abc""#, r#""refreshToken":"[redacted:token]""#),
    ("client_secret=s3cr3t", "client_secret=[redacted:secret]"),
    ("secretKey => 'abc'", "secretKey => '[redacted:secret]'"),
    (
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "aws_secret_access_key = [redacted:secret]",
    ),
    (
        "api_key=xyz apikey: 'xyz' API-KEY=xyz",
        "api_key=[redacted:api-key] apikey: '[redacted:api-key]' API-KEY=[redacted:api-key]",
    ),
    ("x-api-key: 0123456789abcdef", "x-api-key: [redacted:api-key]"),
    ("AccountKey=abc/def==;EndpointSuffix=x", "AccountKey=[redacted:api-key];EndpointSuffix=x"),
    ("password=\"never closed and cut", "password=\"[redacted:password]"),
    ("Authorization: Bearer abcdef123456", "Authorization: Bearer [redacted:bearer]"),
    ("Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic [redacted:basic]"),
    (r#""authorization":"Bearer abcdef""#, r#""authorization":"Bearer [redacted:bearer]""#),
    (r#""authorization":"token 0123""#, r#""authorization":"token [redacted:authorization]""#),
    ("authorization=0123456789abcdef", "authorization=[redacted:authorization]"),
    ("with Bearer 0123456789abcdef.x now", "with Bearer [redacted:bearer] now"),
    ("curl -H 'basic dXNlcjpwYXNz'", "curl -H 'basic [redacted:basic]'"),
    ("t eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln-_x!", "t [redacted:jwt]!"),
    ("postgres://ann:hunter2@db:5432/x", "postgres://ann:[redacted:url-password]@db:5432/x"),
    ("redis://:hunter2@cache", "redis://:[redacted:url-password]@cache"),
    ("https://u:p%40@ss@host/", "https://u:[redacted:url-password]@host/"),
    ("key AKIAIOSFODNN7EXAMPLE used", "key [redacted:aws-key] used"),
    ("ghp_0123456789abcdefghijklmnopqrstuvwxyz", "[redacted:github]"),
    ("x=%20ghp_0123456789abcdefghijklmnopqrstuvwxyz", "x=%20[redacted:github]"),
    ("github_pat_11ABCDEFG0123456789_abcdefghij", "[redacted:github]"),
    ("glpat-ABCDEFGHIJ0123456789", "[redacted:gitlab]"),
    ("xoxb-123456789012-abcdefABCDEF", "[redacted:slack]"),
    (
        "https://hooks.slack.com/services/T00000000/B00000000/abcdefghijkl0123456789mn",
        "https://hooks.slack.com/[redacted:slack]",
    ),
    ("sk_live_0123456789abcdef", "[redacted:stripe]"),
    ("AIzaSyA0123456789abcdefghijklmnopqrstuv", "[redacted:google]"),
    ("sk-proj-0123456789abcdefghijklmn", "[redacted:openai]"),
    ("npm_0123456789abcdefghijklmnopqrstuvwxyz", "[redacted:npm]"),
    ("paid with 4111 1111 1111 1111 today", "paid with [redacted:card] today"),
    ("pan=5555555555554444,", "pan=[redacted:card],"),
    (
        r#"{"key":"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADAN\n-----END PRIVATE KEY-----\n"}"#,
        r#"{"key":"-----BEGIN PRIVATE KEY-----[redacted:private-key]-----END PRIVATE KEY-----\n"}"#,
    ),
];

/// What is none, and stays.
const PLAIN: &[&str] = &[
    "2026-11-27 09:12:17,123 - log_app - INFO - log message num: 17",
    r#"{"time":"2026-11-27T09:12:17.123456Z","level":"info","span":{"id":"00f067aa0ba902b7"}}"#,
    r#"192.0.2.7 - - [27/Nov/2026:09:12:17 +0000] "GET /img/logo.png HTTP/1.1" 200 5316 "https://example.org/a:b/c@d" "Mozilla/5.0""#,
    "tokens=512 max_tokens: 4096 token_count=7 token_type=bearer",
    "invalid token: unexpected end of input",
    "password is wrong",
    "password=null secret=\"\" token=undefined password=***",
    "token::parse failed",
    "the secret of it: work",
    "secretName: db-secret-name",
    "bearer of bad news",
    "basic authentication is off",
    "Authorization: required",
    "task-0123456789abcdefghijklmnop risk-free",
    "Asia/Tokyo AKIA",
    "eyJ is how they begin",
    "msg.id hf_ npm_run sk-learn-is-a-library-for-models",
    "http://host:8080/path?x=user@example.org",
    "mailto:a@b see https://host/a:b@c",
    "order 1234567890123456 at 1764234737123",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "-----BEGIN CERTIFICATE-----",
    "MIIEowIBAAKCAQEA0123456789012345678901234567890123456789",
    "no PRIVATE KEY here",
];

#[test]
fn secrets_are_replaced_and_their_surroundings_stay() {
    let redactor = secrets();
    for (line, shown) in SECRET {
        assert_eq!(all(&redactor, line), *shown);
        assert_eq!(all(&redactor, &format!("a\n{line}\r\nb\n")), format!("a\n{shown}\r\nb\n"));
    }
}

#[test]
fn other_lines_stay_as_they_are() {
    let redactor = secrets();
    for line in PLAIN {
        assert_eq!(all(&redactor, line), *line);
    }
}

#[test]
fn what_was_replaced_stays_so() {
    let redactor = secrets();
    for (_, shown) in SECRET {
        assert_eq!(all(&redactor, shown), *shown);
    }
}

#[test]
fn an_own_pattern_means_its_groups_or_all_of_it() {
    for (patterns, line, shown) in [
        (&[r"\d+"][..], "order 48 of 7", "order [redacted] of [redacted]"),
        (&[r"pin=(\d+)"], "pin=1234 pin=", "pin=[redacted] pin="),
        (&[r"(?P<user>\w+)@(?P<host>\w+)"], "ann@example", "[redacted:user]@[redacted:host]"),
        (&[r"id=(\d+)|name \w+"], "id=7 name ann", "id=[redacted] [redacted]"),
        (&["ann", "bob"], "ann and bob", "[redacted] and [redacted]"),
        (&["abc", "bcd"], "abcd", "[redacted][redacted]"),
        (&["x*"], "axxb", "a[redacted]b"),
        (&["^a"], "aa", "[redacted]a"),
        (&["a$"], "aa", "a[redacted]"),
        (&[r"\Aa"], "aa", "[redacted]a"),
    ] {
        let redactor = own(patterns);
        assert_eq!(all(&redactor, line), shown, "{patterns:?}");
        for around in ["zz\n{}\nzz\n", "\u{feff}{}\n", "{}\r\n{}\r\n"] {
            assert_eq!(
                all(&redactor, &around.replace("{}", line)),
                around.replace("{}", shown),
                "{patterns:?}"
            );
        }
    }
}

#[test]
fn what_is_no_pattern_says_where() {
    for (pattern, offset) in [("a(", Some(1)), ("a\nb", Some(1)), (r"a\nb", Some(1)), ("", None)] {
        let rules = Rules { patterns: vec![pattern.to_owned()], secrets: false };
        let error = Redactor::new(&rules).unwrap_err();
        assert_eq!((error.parameter, error.offset), ("redact", offset), "{pattern:?}: {error}");
    }
    assert!(Redactor::new(&Rules::default()).unwrap().is_none());
}

#[test]
fn a_private_key_is_masked_line_by_line() {
    let redactor = secrets();
    let shown = all(&redactor, &format!("before\n{}after MIIEowIBAAKCAQEA\n", pem(25)));
    let masked = "[redacted:private-key]\n".repeat(26);
    let expected = format!(
        "before\n-----BEGIN RSA PRIVATE KEY-----\n{masked}-----END RSA PRIVATE KEY-----\nafter MIIEowIBAAKCAQEA\n"
    );
    assert_eq!(shown, expected);
    // With what a logger writes before each line, and lines of others between.
    let logged: String =
        pem(3).lines().map(|line| format!("09:12:17 INFO {line}\n09:12:17 INFO GET /index 200\n")).collect();
    let shown = all(&redactor, &logged);
    assert!(!shown.contains("MIIE"), "{shown}");
    assert_eq!(shown.matches("GET /index 200").count(), 6);
}

#[test]
fn a_beginning_hides_no_more_than_a_key_can_be_long() {
    let redactor = secrets();
    let line = "MIIEowIBAAKCAQEAMIIEowIBAAKCAQEA\n";
    let text = format!("-----BEGIN EC PRIVATE KEY-----\nGET /index 200\n{}", line.repeat(1_000));
    let shown = all(&redactor, &text);
    assert!(shown.contains("\nGET /index 200\n"));
    let hidden = shown.matches("private-key").count();
    assert_eq!(hidden as u64, (LOOK_BACK_BYTES - 31 - 15) / line.len() as u64 + 1);
    assert!(shown.ends_with(line));
}

#[test]
fn an_unfinished_line_shows_no_beginning_of_a_secret() {
    let redactor = secrets();
    let shown = |text: &str| {
        let shown = redactor.unfinished(State::default(), text.as_bytes());
        shown.map_or(String::new(), |shown| String::from_utf8(shown).unwrap())
    };
    for (text, expected) in [
        ("progress 10% done", "progress 10%"),
        ("password=hun", ""),
        ("try AKIAIOS", "try"),
        ("login \"password\": \"my lon", "login \"password\": \"[redacted:password]"),
        ("card 4111 1111 1111 11", "card"),
        ("4111", ""),
        ("Authorization: Bearer ab", "Authorization: Bearer"),
        ("token=abc123 then x", "token=[redacted:token] then"),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
    assert_eq!(own(&["a b"]).unfinished(State::default(), b"x a "), None);
    let mut within = State::default();
    within.pass(b"-----BEGIN PRIVATE KEY-----\n");
    assert_eq!(redactor.unfinished(within, b"MIIEowIBAAKCAQEA x").unwrap(), b"[redacted:private-key]");
}

#[test]
fn a_long_line_is_cut_behind_what_is_replaced() {
    let secret = "password=hunter2hunter2";
    for (at, expected) in [
        (LINE_LIMIT - 12, "x password=[redacted:password]"),
        (LINE_LIMIT - 1_000, "x password=[redacted:password] "),
        (LINE_LIMIT + 10, "xxxx"),
    ] {
        let text = format!("{} {secret} {}", "x".repeat(at), "y".repeat(200_000));
        let seen = &text.as_bytes()[..LINE_LIMIT + EDGE_BYTES];
        let shown = String::from_utf8(secrets().long(&mut State::default(), seen, None)).unwrap();
        assert!(!shown.contains("hunter"), "{at}");
        assert!(shown[LINE_LIMIT - 2_000..].contains(expected), "{at}");
        assert!(shown.len() < LINE_LIMIT + 50);
    }
    // A pattern that needs to see what is behind the cut.
    let text = [b"x".repeat(LINE_LIMIT - 4), b"abcdefgh".to_vec(), b"y".repeat(100)].concat();
    let shown = own(&["abcdefgh"]).long(&mut State::default(), &text, None);
    assert!(shown.ends_with(b"xx[redacted]"));
}

/// Lines with and without secrets, in any order, some of keys.
fn some_lines() -> impl Strategy<Value = Vec<String>> {
    let line = prop_oneof![
        prop::sample::select(SECRET).prop_map(|(line, _)| line.to_owned()),
        prop::sample::select(PLAIN).prop_map(str::to_owned),
        Just("-----BEGIN RSA PRIVATE KEY-----".to_owned()),
        Just("-----END RSA PRIVATE KEY-----".to_owned()),
        Just("MIIEowIBAAKCAQEA0123456789".to_owned()),
        "[ -~é\u{10a}]{0,40}",
        Just(String::new()),
        Just("4111 1111".to_owned()),
        Just("x".repeat(9_000)),
    ];
    prop::collection::vec((line, any::<bool>()), 0..40)
        .prop_map(|lines| lines.into_iter().map(|(line, cr)| line + if cr { "\r\n" } else { "\n" }).collect())
}

proptest! {
    #[test]
    fn blocks_do_not_matter(lines in some_lines(), cut in 0usize..40, block in 1usize..3_000, ends in any::<bool>()) {
        let mut text = lines.concat();
        if !ends {
            text.push_str("password=last");
        }
        for redactor in [secrets(), own(&[r"\d{4}", "log_(app)"])] {
            let whole = all(&redactor, &text);
            // In two runs of whole lines.
            let cut: usize = lines.iter().take(cut).map(String::len).sum();
            let (mut state, mut parts) = (State::default(), Vec::new());
            for part in [&text.as_bytes()[..cut], &text.as_bytes()[cut..]] {
                let shown = redactor.run(&mut state, part);
                parts.extend(shown.map_or(part.to_vec(), |(shown, _)| shown));
            }
            prop_assert_eq!(std::str::from_utf8(&parts).unwrap(), &whole);
            // In blocks that are cut anywhere.
            let mut veil = Veil::new(redactor.clone(), State::default(), None);
            let mut out = Vec::new();
            text.as_bytes().chunks(block).for_each(|block| veil.push(block, &mut out));
            veil.finish(false, &mut out);
            prop_assert_eq!(std::str::from_utf8(&out).unwrap(), &whole);
        }
    }

    #[test]
    fn lines_stay_lines_and_know_their_places(lines in some_lines()) {
        let text = lines.concat();
        let redactor = secrets();
        let (shown, map) = redactor.run(&mut State::default(), text.as_bytes())
            .unwrap_or_else(|| (text.clone().into_bytes(), Map::default()));
        let (mut raw, mut count) = (0, 0);
        for (line, own) in super::lines(&shown).zip(&lines) {
            prop_assert_eq!(map.raw(line.from as u64), raw);
            raw += own.len() as u64;
            prop_assert_eq!(map.raw(line.to as u64), raw);
            count += 1;
            if PLAIN.contains(&own.trim_end()) && !text.contains("BEGIN RSA") {
                prop_assert_eq!(&shown[line.from..line.to], own.as_bytes());
            }
        }
        prop_assert_eq!(count, lines.len());
    }

    #[test]
    fn no_secret_is_left(before in "[ -~]{0,30}", after in "[ -~]{0,30}", n in 0usize..6) {
        let (line, secret) = [
            ("password=Zq7xW9tt", "Zq7xW9tt"),
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.Zq7xW9tt", "Zq7xW9tt"),
            ("ghp_Zq7xW9tt0123456789abcdefghijklmnopqr", "Zq7xW9tt"),
            ("https://u:Zq7xW9tt@h/", "Zq7xW9tt"),
            ("Bearer Zq7xW9tt0123", "Zq7xW9tt"),
            ("AKIAZQ7XW9TTABCDEFGH", "ZQ7XW9TT"),
        ][n];
        let shown = all(&secrets(), &format!("{before} {line} {after}\n"));
        prop_assert!(!shown.contains(secret), "{}", shown);
    }

    #[test]
    fn no_match_of_an_own_pattern_is_left(text in "[a-e0-9 \n]{0,200}") {
        let redactor = own(&["[0-9]+", "b[cd]"]);
        let shown = all(&redactor, &text).replace("[redacted]", "");
        prop_assert!(!shown.contains(|c: char| c.is_ascii_digit()));
        prop_assert_eq!(shown.matches('\n').count(), text.matches('\n').count());
        // What is none stays, byte for byte.
        let plain: String = text.replace(|c: char| c.is_ascii_digit() || c == 'b', "");
        prop_assert_eq!(all(&redactor, &plain), plain);
    }

    #[test]
    fn any_bytes_are_looked_at_without_panic(run in prop::collection::vec(any::<u8>(), 0..400), tail in "[ -~]{0,60}") {
        let run = [&run[..], b"password=\"", tail.as_bytes(), b"\\", &run].concat();
        let redactor = secrets();
        let newlines = |bytes: &[u8]| bytes.iter().filter(|&&byte| byte == b'\n').count();
        let mut out = Vec::new();
        redactor.lines(&run, &mut out);
        prop_assert_eq!(newlines(&out), newlines(&run));
        let _ = redactor.unfinished(State::default(), &run);
    }
}
