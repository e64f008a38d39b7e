//! Completions in the shells themselves, and the man pages: what a user gets after TAB, and after `man`.
//!
//! `LOGCAST_TEST_SHELLS=1` makes a shell that is not installed a failure.

use crate::support::server::{LOGCAST, run};
use crate::support::writer::golden;
use crate::support::{Place, have};
use std::path::Path;

/// What is typed before TAB, and what has to be among the offers.
const CASES: &[(&str, &[&str])] = &[
    ("logcast ge", &["generate"]),
    ("logcast generate --f", &["--format", "--files"]),
    ("logcast generate --format ", &["plain", "json", "hostile", "rust-tracing"]),
    ("logcast generate --format sys", &["syslog", "syslog5424"]),
    ("logcast generate --levels ", &["trace", "fatal"]),
    ("logcast generate --rotate ", &["rename", "copytruncate"]),
    ("logcast completions ", &["bash", "zsh", "fish", "powershell", "elvish"]),
    ("logcast app", &["app.log"]),
    ("logcast f app", &["app.log"]),
    ("logcast man ge", &["generate"]),
    ("logcast generate app", &["app.log"]),
    ("logcast check app", &["app.log"]),
    ("logcast serve app", &["app.log"]),
    ("logcast serve --token-file app", &["app.log"]),
];

fn is_there(shell: &str) -> bool {
    let is_there = have(shell);
    let required = std::env::var_os("LOGCAST_TEST_SHELLS").is_some();
    assert!(is_there || !required, "there is no {shell}, and LOGCAST_TEST_SHELLS asks for it");
    is_there
}

/// Runs `script` with the completions' path as `$1` and what is typed as `$2`; each line of stdout is an offer.
fn offers(shell: &[&str], script: &str, file: &str) {
    let place = Place::with("app.log", "one\n");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions").join(file);
    let file = file.to_str().expect("a path in UTF-8");
    // `logcast` is on the path, as after an installation; nothing of the user's own is read.
    let folder = Path::new(LOGCAST).parent().expect("a folder").display();
    let path = format!("PATH={folder}:{}", std::env::var("PATH").expect("a path"));
    let home = format!("HOME={}", place.root().display());
    for (typed, expected) in CASES {
        let mut words = vec!["env", "-u", "XDG_CONFIG_HOME", "-u", "XDG_DATA_HOME", &path, &home];
        words.extend(shell);
        words.extend([script, shell[0], file, typed]);
        let outcome = run(&place, &words);
        let found: Vec<&str> = outcome.stdout.lines().map(str::trim_end).collect();
        for word in *expected {
            let said = &outcome.stderr;
            assert!(found.contains(word), "{} offers no {word} for {typed:?}: {found:?} {said}", shell[0]);
        }
    }
}

#[test]
fn bash_completes() {
    if !is_there("bash") {
        return;
    }
    let script = r#"
        source "$1"
        read -ra COMP_WORDS <<<"$2"
        case "$2" in *' ') COMP_WORDS+=('') ;; esac
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        COMP_LINE=$2 COMP_POINT=${#2}
        COMPREPLY=()
        _logcast logcast "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}" 2>/dev/null
        # What bash does by itself where nothing is offered.
        if [ ${#COMPREPLY[@]} = 0 ] && [[ $(complete -p logcast) == *'-o default'* ]]; then
            COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}"))
        fi
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    offers(&["bash", "--norc", "-c"], script, "logcast.bash");
}

#[test]
fn zsh_completes() {
    if !is_there("zsh") {
        return;
    }
    // A zsh with a terminal of its own: completions exist only in its line editor. What is offered is printed where
    // it is handed over.
    let script = r#"
        cat >setup.zsh <<'SETUP'
            PROMPT= RPROMPT=
            fpath=($folder $fpath)
            autoload -Uz compinit && compinit -u -D
            zstyle ':completion:*' verbose no
            compadd() {
                # Calls that only ask what would fit are left alone.
                if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)* ]]; then builtin compadd "$@"; return; fi
                local -a hits
                builtin compadd -A hits "$@"
                (( $#hits )) && print -rl -- "offer:"$^hits"<"
                builtin compadd "$@"
            }
            finish() { print -r -- offers-end; exit }
            zle -N finish
            bindkey '^I' complete-word
            bindkey '^T' finish
            print -r -- shell-is ready
SETUP
        zmodload zsh/zpty
        export folder=${1:h}; zpty shell zsh -f
        zpty -w shell 'source ./setup.zsh'
        zpty -r -m shell line '*shell-is ready*'
        zpty -w -n shell "$2"$'\t'
        zpty -w -n shell $'\x14'
        zpty -r -m shell line '*offers-end*'
        print -r -- "$line" | tr -d '\r' | grep -o 'offer:[^<]*<' | sed 's/^offer://; s/<$//'
    "#;
    offers(&["zsh", "-f", "-c"], script, "_logcast");
}

#[test]
fn fish_completes() {
    if !is_there("fish") {
        return;
    }
    let script = r"
        source $argv[2]
        complete -C $argv[3] | string replace -r '\t.*' ''
    ";
    offers(&["fish", "--no-config", "-c"], script, "logcast.fish");
}

#[test]
fn man_pages_are_what_is_committed() {
    let print = |words: &[&str]| {
        let words: Vec<&str> = [LOGCAST, "man"].into_iter().chain(words.iter().copied()).collect();
        let outcome = run(&Place::new(), &words);
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{words:?}");
        assert!(outcome.stdout.contains(".TH logcast"), "{words:?}");
        outcome.stdout
    };
    golden("completions/man/logcast.1", &print(&[]));
    for command in logcast::cli::command().get_subcommands() {
        let name = command.get_name();
        golden(&format!("completions/man/logcast-{name}.1"), &print(&[name]));
    }
}

#[test]
fn man_shows_the_pages() {
    if !have("man") {
        return;
    }
    let place = Place::new();
    for words in [vec!["man"], vec!["man", "generate"]] {
        let script = r#""$0" "$@" >page.1 && MANWIDTH=80 man --warnings -l page.1"#;
        let all: Vec<&str> = ["sh", "-c", script, LOGCAST].into_iter().chain(words).collect();
        let outcome = run(&place, &all);
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
        assert!(outcome.stdout.contains("SYNOPSIS"), "{}", outcome.stdout);
    }
}
