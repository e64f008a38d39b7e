//! Every error that a user can meet on the command line, provoked and compared with `tests/golden/errors.txt`.
//!
//! Each is one line that says what is wrong and, nearly always, one that says what to do; the exit code is 1 for what
//! this machine refused and 2 for what is wrong on any; stdout stays empty; never a word of a panic.

use crate::support::Place;
use crate::support::server::{LOGCAST, run};
use crate::support::writer::golden;
use std::fmt::Write;
use std::fs;
use std::net::TcpListener;
use std::path::Path;

/// What is typed. `PORT` stands for a port that is taken.
const TYPED: &str = "
# words that are no options, commands or files
logcast f --prot 1
logcast f --zzz
logcast sevre
logcast generte
logcast serve f --no-folow
logcast
logcast completions
logcast completions bsh
logcast completions tcsh
logcast man serv
logcast man nothing
logcast generate f g

# sources
logcast folder
logcast serve folder
logcast /dev/null
logcast - -

# options of serve
logcast f --port 70000
logcast f --port PORT
logcast f --bind 192.0.2.1
logcast f --bind nowhere/socket
logcast f --bind ./f
logcast f --lines x
logcast f --tz Mars/Olympus
logcast f --spool-limit 10X
logcast f --poll=1
logcast f --max-clients 0
logcast f --token short
logcast f --token-file none
logcast f --token 12345678 --token-file f
logcast f --token 12345678 --no-auth
logcast f --allow-origin example.org
logcast f --tee
logcast f --no-follow -f
logcast f --tls-cert none
logcast f --tls-cert none --tls-key none
logcast f --tls-cert f --tls-key f
logcast f --tls-cert f --tls-self-signed
logcast f --redact a(
logcast f --redact=
logcast f --redact x\\ny

# generate
logcast generate folder
logcast generate nowhere/app.log
logcast generate f/app.log
logcast generate --count 5 /dev/full
logcast generate --rotate 10M,rename -
logcast generate --rotate rename /dev/null
logcast generate --rotate sometimes f
logcast generate --rotate renmae f
logcast generate --rotate 0 f
logcast generate --rotate rename
logcast generate --keep 3 f
logcast generate --rotate rename --keep 0 f
logcast generate --rotate rename --rotate-every 0 f
logcast generate --files 3
logcast generate --files 3 -
logcast generate --files 0 f
logcast generate --files 1000 f
logcast generate --format jsn
logcast generate --format json=3,ngnix=1
logcast generate --format yaml
logcast generate --format json=many
logcast generate --style jaca
logcast generate --rate fast
logcast generate --rate=-1
logcast generate --rate 1000..10
logcast generate --size 10X
logcast generate --count -5
logcast generate --count many
logcast generate --duration 5
logcast generate --start noon
logcast generate --since tomorrow
logcast generate --since 2999-01-01
logcast generate --since 1h --rate 0
logcast generate --since 1h --start 2026-11-24T10:00:00Z
logcast generate --levels loud
logcast generate --levels eror=5
logcast generate --levels info=x
logcast generate --levels info=0
logcast generate --seed x
logcast generate --sequnce

# check
logcast check folder
logcast check none
logcast check f
logcast check torn
logcast check https://127.0.0.1/
logcast check http://
logcast check http://127.0.0.1:1/
logcast check --idle 0
logcast check --count x
";

fn place() -> Place {
    let place = Place::with("f", "one\n");
    fs::create_dir(place.path("folder")).expect("a folder");
    // The second line says another number than its sum does.
    place.write("torn", "text seq=0 sum=00000000\n");
    place
}

#[test]
fn every_error_is_what_is_committed() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let place = place();
    let (mut table, mut wrong) = (String::new(), Vec::new());
    for typed in TYPED.lines() {
        let Some(words) = typed.strip_prefix("logcast") else {
            writeln!(table, "{typed}").expect("a string");
            continue;
        };
        let words = words.replace("PORT", &port);
        let words: Vec<&str> = std::iter::once(LOGCAST).chain(words.split_whitespace()).collect();
        let outcome = run(&place, &words);
        let lines: Vec<&str> = outcome.stderr.lines().collect();
        let is_good = matches!(outcome.code, Some(1 | 2))
            // `check` says what it found before.
            && (outcome.stdout.is_empty() || outcome.stdout.contains("altered="))
            && lines.len() <= 2
            && lines.first().is_some_and(|line| line.starts_with("error: "))
            && lines.get(1).is_none_or(|line| line.starts_with("help: "))
            && !outcome.stderr.contains("panicked");
        if !is_good {
            wrong.push(format!("{typed}: {:?} {:?} {:?}", outcome.code, outcome.stdout, outcome.stderr));
        }
        let stderr = outcome.stderr.replace(&port, "PORT");
        writeln!(table, "$ {typed}\n{stderr}exit {}", outcome.code.unwrap_or(-1)).expect("a string");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    golden("tests/golden/errors.txt", table.trim_start());
}

#[test]
fn usage_errors_have_a_next_step() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/errors.txt");
    let table = fs::read_to_string(path).expect("the table");
    let without: Vec<&str> = table
        .split("$ ")
        .filter(|case| case.contains("\nexit 2") && !case.contains("\nhelp: "))
        .filter_map(|case| case.lines().next())
        .collect();
    assert!(without.is_empty(), "no help: {without:?}");
}

#[test]
fn names_cannot_write_to_the_terminal() {
    let place = place();
    for words in [
        [LOGCAST, "check", "a\u{1b}[2Jb"],
        [LOGCAST, "--a\u{1b}[2J", "f"],
        [LOGCAST, "generate", "--format=\u{1b}]0;x\u{7}"],
        [LOGCAST, "man", "a\nerror: b"],
    ] {
        let outcome = run(&place, &words);
        assert_eq!(outcome.code, Some(if words[1] == "check" { 1 } else { 2 }), "{words:?}");
        let shown = outcome.stderr.bytes().filter(|byte| *byte != b'\n');
        assert!(shown.into_iter().all(|byte| !byte.is_ascii_control()), "{:?}", outcome.stderr);
        assert!(outcome.stderr.lines().count() <= 2, "{:?}", outcome.stderr);
    }
}
