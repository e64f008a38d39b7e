//! A transcript of pipelines, compared with `tests/golden/pipelines.txt`: what each prints, and the exit code of every
//! part of it. In the shell of most scripts, with the tools that stand beside logcast there.
//!
//! `URL` and `DB` are the pages of two servers, over `app.log` and `db.log`; each pipeline runs in a folder that holds
//! both files and what the ones before it left.

use crate::support::server::{LOGCAST, run};
use crate::support::writer::golden;
use crate::support::{Place, Server, have};
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// The pipelines. What comes before `|:` is a program that has to be there.
const TYPED: &str = r#"
# a stream, read by others
logcast tail -n all "$URL" | head -n 2
logcast tail --no-follow -n all "$URL" | grep -c ERROR
logcast tail -n all "$URL" | grep -m 1 ERROR
logcast tail -n all "$URL" --level warn+ --no-follow | sed 's/^/> /'
jq |: logcast tail --no-follow -n all --json "$URL" | jq -r 'select(.level == "error") | "\(.offset) \(.text)"'
logcast tail --no-follow -n 2 "$URL" | xargs -d '\n' -n 1 echo got:
logcast tail --no-follow -n all "$URL" | tee copy | wc -l
cmp copy app.log && echo the same
logcast tail --no-follow -n all app="$URL" db="$DB" | sort
logcast tail --no-follow -n all --names never app="$URL" db="$DB" | sort | head -n 1
logcast tail --no-follow -n all --cursor-file place "$DB" | wc -l
logcast tail --no-follow -n all --cursor-file place "$DB" | wc -l
logcast tail --no-follow --highlight slow --color always -n all "$URL" | cat -v | grep slow
setsid -w logcast tail --no-follow -n 1 "$URL" </dev/null

# a pipe, served
seq 3 | logcast --tee --once --port 0 2>/dev/null | sed 's/^/tee: /'
seq 100000 | logcast --tee --once --port 0 2>/dev/null | head -n 1
cat app.log | logcast --once --port 0 | head -n 1
logcast run --port 0 sh -c 'echo out; echo err >&2; exit 3' 2>/dev/null
logcast run --port 0 seq 100000 2>/dev/null | tail -n 1
logcast run --port 0 seq 100000 2>/dev/null | head -n 1
logcast run --port 0 no-such-command 2>&1 | grep error

# in a script
logcast healthcheck "$URL" && echo well
logcast healthcheck http://127.0.0.1:1/ || echo ill
logcast tail --no-follow http://127.0.0.1:1/ | wc -l
logcast check nothing 2>/dev/null || echo "code $?"
logcast tail --no-follow -n all "$URL" --grep '(' || echo "code $?"

# made logs
logcast generate --count 1000 --rate 0 --start 2026-11-24T10:00:00Z | gzip | gunzip | tail -n 1
logcast generate --rate 0 | head -c 5
logcast generate --rate 0 --count 3 --format json --seed 7 --start 2026-11-24T10:00:00Z | tee made | wc -l
logcast generate --sequence --rate 0 --count 350 --rotate 100,rename,4 r.log; ls r.log*
cat r.log.3 r.log.2 r.log.1 r.log | logcast check
cat r.log.3 r.log.1 r.log | logcast check
logcast generate --sequence --rate 0 --count 500 | sed 100d | logcast check -
logcast --no-follow --port 0 --lines all r.log --quiet >urls & while ! read -r url <urls; do sleep 0.05; done 2>/dev/null; logcast check "$url"; echo "code $?"; kill $!; wait $!

# nobody reads, nothing fits
logcast --help | head -n 1
logcast completions bash | head -c 0
logcast man | head -c 0
logcast generate --count 5 >/dev/full
logcast tail --no-follow -n all "$URL" >/dev/full
logcast check r.log >/dev/full
logcast --help >/dev/full
logcast --no-follow --once --port 0 app.log >/dev/full
logcast --no-follow --once --port 0 app.log >&-
logcast tail --no-follow -n all --cursor-file closed "$DB" >&-; ls closed
logcast generate --count 5 >&-
logcast check r.log >&-
seq 3 | logcast --tee --once --port 0 >&-
logcast run --port 0 touch ran >&-; ls ran
logcast run --no-show --port 0 true >&-
logcast --version >&-
logcast generate --count 5 --rate 0 >/dev/null
logcast generate --count 5 --rate 0 1<>/dev/null
logcast --no-follow --once --port 0 app.log 2>&-
logcast tail --no-follow -n 1 "$URL" 2>&-
logcast --no-such-flag 2>&-
logcast --no-such-flag 2>/dev/full
logcast <&-

# a small terminal
script |: script -qec 'stty rows 25 cols 40; logcast tail --help' /dev/null | tr -d '\r' | awk 'length > 40'
script |: script -qec 'stty rows 25 cols 40; logcast tail --no-follow -n 1 "$DB"' /dev/null | tr -d '\r'
script |: script -qec 'stty rows 25 cols 40; logcast tail --no-follow -n all --grep failed "$URL"' /dev/null | cat -v
script |: script -qec 'stty rows 25 cols 40; logcast --once --no-follow --port 0 app.log | cat' /dev/null | grep -o 'http://[^ ]*/stream-logs'
"#;

const APP: &str = "2026-11-24T10:00:01Z INFO started
2026-11-24T10:00:02Z WARN slow
2026-11-24T10:00:03Z ERROR failed
  at main
2026-11-24T10:00:04Z INFO stopped
";

/// The port of a server that a pipeline starts is any.
fn without_ports(text: &str) -> String {
    let mut parts = text.split("127.0.0.1:");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let port = if digits > 3 { "PORT" } else { &part[..digits] };
        write!(out, "127.0.0.1:{port}{}", &part[digits..]).expect("a string");
    }
    out
}

#[test]
fn every_pipeline_does_what_is_committed() {
    let place = Place::with("app.log", APP);
    place.write("db.log", "db one\ndb two\n");
    let (app, db) = (Server::start(&place, &["app.log"]), Server::start(&place, &["db.log"]));
    let folder = Path::new(LOGCAST).parent().expect("a folder").display();
    let path = format!("PATH={folder}:{}", std::env::var("PATH").expect("a path"));
    let (url, page) = (format!("URL={}", app.page), format!("DB={}", db.page));
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/pipelines.txt");
    let committed = fs::read_to_string(committed).unwrap_or_default();
    let mut table = String::new();
    for line in TYPED.trim().lines() {
        let (needs, typed) =
            line.split_once(" |: ").map_or((None, line), |(program, typed)| (Some(program), typed));
        if typed.is_empty() || typed.starts_with('#') {
            writeln!(table, "{typed}").expect("a string");
            continue;
        }
        if needs.is_some_and(|program| !have(program)) {
            // It cannot be tried here: what is committed stands.
            let head = format!("$ {typed}\n");
            let rest = committed.split_once(&head).map_or("", |(_, rest)| rest);
            let end = rest.find("\n$ ").or(rest.find("\n\n")).map_or(rest.len(), |at| at + 1);
            write!(table, "{head}{}", &rest[..end]).expect("a string");
            continue;
        }
        let script = format!("{typed}\necho \"${{PIPESTATUS[@]}}\" >codes");
        // A pipeline that hangs is ended as a whole, its last part too.
        let words = ["env", &path, &url, &page, "TERM=xterm", "timeout", "15", "bash", "-c", &script];
        let outcome = run(&place, &words);
        assert_ne!(outcome.code, Some(124), "it hangs: {typed}");
        assert!(!outcome.stderr.contains("panicked"), "{typed}: {}", outcome.stderr);
        let mark = |text: &str| {
            let text = text.replace(&app.page, "$URL/").replace(&db.page, "$DB/");
            let own = format!("http://{}/", app.address);
            without_ports(&text.replace(&own, "$URL/"))
        };
        let codes = fs::read_to_string(place.path("codes")).expect("the codes");
        write!(table, "$ {typed}\n{}", mark(&outcome.stdout)).expect("a string");
        if !outcome.stdout.is_empty() && !outcome.stdout.ends_with('\n') {
            table.push('\n');
        }
        for line in mark(&outcome.stderr).lines() {
            writeln!(table, "2> {line}").expect("a string");
        }
        write!(table, "exit {codes}").expect("a string");
    }
    golden("tests/golden/pipelines.txt", &table);
}
