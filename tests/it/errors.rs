//! Every error that a user can meet on the command line, provoked and compared with `tests/golden/errors.txt`.
//!
//! Each is one line that says what is wrong and, nearly always, one that says what to do; the exit code is 1 for what
//! this machine refused and 2 for what is wrong on any; stdout stays empty; never a word of a panic.

use crate::support::server::{LOGCAST, run};
use crate::support::writer::golden;
use crate::support::{Place, Server};
use std::fmt::Write;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// What is typed. `PORT` stands for a port that is taken, `SERVER` for a page that needs the token secret-token.
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
logcast http://127.0.0.1:1/?token=secret-token
logcast name=https://127.0.0.1:1/
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
logcast f --auth eva
logcast f --auth eva:secret
logcast f --auth eva:$2y$10$short
logcast f --auth-file none
logcast f --auth-file f
logcast f --auth-file f --no-auth
logcast f --base-path /a//b
logcast f --trusted-proxy localhost
logcast f --access-log nowhere/access
logcast f --access-log folder
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

# ship
logcast ship f
logcast ship f --to http://h
logcast ship f --to nats://h:0
logcast ship f --to nats://h --subject logs.{x}
logcast ship f --to nats://h/a.*
logcast ship f --to nats://h/a,b
logcast ship f --to nats://h?stream=a.b
logcast ship f --to nats://h --stream a.b
logcast ship f --to nats://h --interval x
logcast ship f --to nats://h --batch-bytes 1
logcast ship f --to nats://h --replicas 9
logcast ship f --to nats://h --from middle
logcast ship f --to nats://127.0.0.1:1 --once --state s
logcast ship folder --to nats://h

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

# hash
logcast hash eva
logcast hash eva jo

# check
logcast check folder
logcast check none
logcast check f
logcast check torn
logcast check http://
logcast check https://127.0.0.1:1/
logcast check http://127.0.0.1:1/
logcast check http://127.0.0.1:1/?token=secret-token
logcast check SERVER
logcast check SERVER --token wrong-token
logcast check SERVERnowhere --token secret-token
logcast check unix:
logcast check unix:none
logcast check --fingerprint 00 SERVER
logcast check --idle 0
logcast check --count x

# tail
logcast tail
logcast tail 127.0.0.1:8000
logcast tail f
logcast tail SERVER --user eva
logcast tail SERVER --user eva:password
logcast tail ftp://127.0.0.1/
logcast tail http://
logcast tail http://127.0.0.1:99999/
logcast tail http://me:secret@127.0.0.1/
logcast tail unix:
logcast tail unix:none
logcast tail http://127.0.0.1:1/
logcast tail http://127.0.0.1:1/ http://127.0.0.1:1/stream-logs
logcast tail http://nowhere.invalid/ --no-follow --grpe x
logcast tail https://SERVERHOST/ --token secret-token
logcast tail SERVER
logcast tail SERVER --token wrong-token
logcast tail SERVERnowhere --token secret-token
logcast tail SERVER --token secret-token --file g
logcast tail SERVER --token secret-token --grep (
logcast tail SERVER --token secret-token --exclude [
logcast tail SERVER --token secret-token --level loud
logcast tail SERVER --token secret-token --since noon
logcast tail SERVER --token secret-token --until noon
logcast tail SERVER --highlight (
logcast tail SERVER --highlight x\\
logcast tail SERVER --lines x
logcast tail SERVER --no-follow --follow
logcast tail SERVER --fingerprint 00
logcast tail SERVER --color some
logcast tail SERVER --names some
logcast tail SERVER --cursor-file f
logcast tail SERVER --cursor-file folder
logcast tail SERVER --cursor-file nowhere/place
logcast tail SERVER --cursor-file place

# run
logcast run
logcast run --no-such-option ls
logcast run -p 0 -q no-such-command
logcast run -p 0 -q ./f
logcast run -p 0 -q ./folder
logcast run -p PORT true
logcast run -p 0 --once true
logcast run -p 0 --spool-limit 1X true
logcast run -p 0 --highlight ( true
logcast run -p 0 --token short true

# healthcheck
logcast healthcheck 127.0.0.1:8000
logcast healthcheck http://
logcast healthcheck http://127.0.0.1:1/
logcast healthcheck unix:none
logcast healthcheck https://SERVERHOST/
logcast healthcheck http://SERVERHOST/nowhere
logcast healthcheck a b

# the configuration file
logcast f --config none
logcast f --config folder
logcast f --config f
logcast f --config key.toml
logcast f --config near.toml
logcast f --config value.toml
logcast f --config kind.toml
logcast f --config list.toml
logcast f --config twice.toml
logcast f --config table.toml
logcast f --config token.toml
logcast f --config pair.toml
logcast f --config pattern.toml
logcast f --config binary.toml
logcast f --config everybodys.toml
logcast f --config key.toml --no-config
logcast run --config key.toml true

# completions and man
logcast completions bash zsh
logcast completions ''
logcast man serve tail
";

fn place() -> Place {
    let place = Place::with("f", "one\n");
    fs::create_dir(place.path("folder")).expect("a folder");
    // The second line says another number than its sum does.
    place.write("torn", "text seq=0 sum=00000000\n");
    place.write("place", "AAAA http://elsewhere/stream-logs\n");
    for (name, text) in [
        ("key.toml", "port = 0\n\ncolour = \"never\"\n"),
        ("near.toml", "# a slip\nprot = 0\n"),
        ("value.toml", "title = \"a\"\nport = 70000\n"),
        ("kind.toml", "\n\nport = 1.5\n"),
        ("list.toml", "bind = [true]\n"),
        ("twice.toml", "port = 0\nport = 1\n"),
        ("table.toml", "[serve]\nport = 0\n"),
        ("token.toml", "token = \"short\"\n"),
        ("pair.toml", "tls-cert = \"f\"\n"),
        ("pattern.toml", "highlight = [\"ok\", \"(\"]\n"),
    ] {
        place.write(name, text);
    }
    place.write("binary.toml", b"port = \xff\n");
    place.write("everybodys.toml", "port = 0\n");
    let mode = fs::Permissions::from_mode(0o666);
    fs::set_permissions(place.path("everybodys.toml"), mode).expect("a mode");
    place
}

#[test]
fn every_error_is_what_is_committed() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let place = place();
    let server = Server::start(&place, &["f", "--token", "secret-token"]);
    let host = server.address.to_string();
    let (mut table, mut wrong) = (String::new(), Vec::new());
    for typed in TYPED.lines() {
        let Some(words) = typed.strip_prefix("logcast") else {
            writeln!(table, "{typed}").expect("a string");
            continue;
        };
        let words = words.replace("PORT", &port);
        let words = words.replace("SERVERHOST", &host).replace("SERVER", &format!("http://{host}/"));
        let words: Vec<&str> = std::iter::once(LOGCAST).chain(words.split_whitespace()).collect();
        let outcome = run(&place, &words);
        let lines: Vec<&str> = outcome.stderr.lines().collect();
        // 126 and 127 are a shell's own for what `run` cannot run.
        let is_good = matches!(outcome.code, Some(1 | 2 | 126 | 127))
            // `check` says what it found before.
            && (outcome.stdout.is_empty() || outcome.stdout.contains("altered="))
            && lines.len() <= 2
            && lines.first().is_some_and(|line| line.starts_with("error: "))
            && lines.get(1).is_none_or(|line| line.starts_with("help: "))
            && !outcome.stderr.contains("panicked");
        if !is_good {
            wrong.push(format!("{typed}: {:?} {:?} {:?}", outcome.code, outcome.stdout, outcome.stderr));
        }
        let stderr =
            outcome.stderr.replace(&format!("http://{host}/"), "SERVER").replace(&host, "SERVERHOST");
        let stderr = stderr.replace(&port, "PORT");
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
