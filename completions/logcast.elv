
use builtin;
use str;

set edit:completion:arg-completer[logcast] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'logcast'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'logcast'= {
            cand -p 'The port; 0 means any free one [default: 8000, or the next free one]'
            cand --port 'The port; 0 means any free one [default: 8000, or the next free one]'
            cand -b 'The address, name or unix socket path to serve on; may be repeated [default: 127.0.0.1]'
            cand --bind 'The address, name or unix socket path to serve on; may be repeated [default: 127.0.0.1]'
            cand -n 'What a new client gets first: the last N lines of each file, from line N on, or all'
            cand --lines 'What a new client gets first: the last N lines of each file, from line N on, or all'
            cand --tz 'The zone of times that do not name one: a name like Europe/Berlin, UTC or local'
            cand --spool-limit 'How much of a pipe is kept: a size like 64M or 1GiB'
            cand --max-clients 'The most connections at once [default: 10000, or what the system allows]'
            cand --max-per-address 'The most connections at once of one address; this machine''s own are not counted'
            cand --token 'Clients need this token'
            cand --token-file 'Clients need the token in this file'
            cand --auth 'Let in who has this name and password; logcast hash makes the HASH (argon2, or bcrypt); may be repeated'
            cand --auth-file 'The same from a file, one a line, as htpasswd -B writes it'
            cand --tls-cert 'Speak TLS with this certificate (PEM, the chain); read again when it changes'
            cand --tls-key 'The certificate''s private key (PEM)'
            cand --allow-origin 'Let pages of this origin read the stream: https://NAME, null (a page opened from disk) or *'
            cand --allow-host 'A name under which this host is reached, for proxies and other machines'
            cand --base-path 'Serve below this path, as /logs, for a proxy that passes it on'
            cand --trusted-proxy 'Believe what this proxy says of its clients (X-Forwarded-For, -Proto, -Host): an address, a network, or unix'
            cand --access-log 'Write a line of JSON for each request to this file; opened anew on SIGHUP'
            cand --redact 'Replace what this regular expression matches in every line; of one with groups, what its groups match; may be repeated'
            cand --title 'The page''s title'
            cand --highlight 'Mark what matches this regular expression on the page; may be repeated'
            cand --config 'Read options from this file [default: ~/.config/logcast/config.toml, if it is there]'
            cand --color 'When to colour errors and warnings'
            cand --poll 'Look at everything this often, for file systems that tell nothing [default: 1000, alone: 250]'
            cand --no-auth 'Serve without a token what other machines, or other users of this one, could not read otherwise'
            cand --tls-self-signed 'Speak TLS with a certificate made for this run; its fingerprint is on standard error'
            cand --redact-secrets 'Replace what looks like a secret: tokens, keys and passwords, private keys, card numbers'
            cand --open 'Open the page in the browser'
            cand --qr 'Draw the page''s URL for a telephone, on a terminal and where other machines are served'
            cand --no-config 'Read no configuration file'
            cand -v 'Say who asks for what and what happens to files, on standard error; twice, connections too'
            cand --verbose 'Say who asks for what and what happens to files, on standard error; twice, connections too'
            cand -q 'Say nothing but errors'
            cand --quiet 'Say nothing but errors'
            cand --no-follow 'Serve the files as they are now, and do not wait for more'
            cand --no-history 'Do not count rotated files beside a log (NAME.1, NAME-20261122.gz) as its beginning'
            cand --history 'The default: what is found beside a log counts'
            cand -f 'Accepted for those who type tail: it is what it does anyway'
            cand --follow 'Accepted for those who type tail: it is what it does anyway'
            cand --retry 'As -f'
            cand --tee 'Pass standard input on to standard output; the URLs go to standard error'
            cand --once 'End when all sources have ended'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
            cand generate 'Write sample logs to a file or to standard output'
            cand tail 'Print the lines of streams as they come, like tail -F; reconnects and goes on where it was'
            cand ship 'Publish files into a stream of NATS JetStream, exactly once'
            cand run 'Run a command and serve its output as two sources, stdout and stderr; end with its exit code'
            cand healthcheck 'Ask a server whether it is well: exit code 0 or 1, for containers'
            cand hash 'Make the hash of a password, for serve --auth NAME:HASH; the password is asked for, or read from standard input'
            cand completions 'Print the completions of a shell'
            cand man 'Print the man page, or that of a command'
            cand serve 'Follow files and serve them as an event stream and a live page (the default)'
            cand check 'Verify lines written by generate --sequence: none lost, doubled, out of order'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'logcast;generate'= {
            cand --format 'What lines look like; a mixture is json=3,nginx=1'
            cand --rate 'Lines a second, 10..1000 for bursts; 0 is as fast as it can [default: a line each 0.3 s]'
            cand --count 'How many lines [default: for ever]'
            cand --size 'How much: a size like 10G'
            cand --duration 'How long: a span like 30s or 1h30m'
            cand --since 'The times of lines go from this time (2h, 14:02, 2026-11-24) up to now; without an end it then goes on live'
            cand --start 'The time of the first line; the others follow by the rate [default: now, and the real clock]'
            cand --levels 'Which levels, and how often relative to each other: info=90,error=1 [default: as the story has it]'
            cand --seed 'With the same options the same seed gives the same text; with --start the same bytes, wherever'
            cand --rotate 'Rotate the file while writing it: after so many lines or bytes, how, and how many old files to keep'
            cand --rotate-every 'As the first part of --rotate'
            cand --keep 'As the last part of --rotate'
            cand --files 'Spread the lines over so many files, app-1.log and so on, the first the busiest'
            cand --sequence 'End each line with ` seq=N sum=H`, which logcast check verifies'
            cand -q 'Show no progress'
            cand --quiet 'Show no progress'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'logcast;tail'= {
            cand -n 'What to begin with: the last N lines of each file, from line N on, or all [default: what the server gives]'
            cand --lines 'What to begin with: the last N lines of each file, from line N on, or all [default: what the server gives]'
            cand -g 'Only lines that match this regular expression; repeated: that match all of them'
            cand --grep 'Only lines that match this regular expression; repeated: that match all of them'
            cand -v 'No lines that match this regular expression; may be repeated'
            cand --exclude 'No lines that match this regular expression; may be repeated'
            cand --level 'Only lines of these levels: warn+ means at least, error,fatal a list'
            cand --since 'Only lines from this time on: 15m (ago), 14:02 (today), 2026-11-24T14:02:00Z'
            cand --until 'Only lines before this time'
            cand --file 'Only this file of the server, HOST:PATH in a stream of an engine; may be repeated'
            cand --token 'The token of URLs that hold none'
            cand --user 'The name and the password that a server with --auth asks for'
            cand --fingerprint 'Trust this certificate (its SHA-256), and no other; serve --tls-self-signed prints it'
            cand --cursor-file 'Keep the place in this file and go on from there the next time'
            cand --highlight 'Mark what matches this regular expression, where colours are on; may be repeated'
            cand --names 'When a line has the name of its stream and file in front: auto means where there are several'
            cand --color 'When to colour names, marks and warnings'
            cand --json 'Print an object a line, with file, offset, level and time'
            cand --no-follow 'Print what there is and end'
            cand -f 'Accepted for those who type tail: it is what it does anyway'
            cand --follow 'Accepted for those who type tail: it is what it does anyway'
            cand --retry 'Wait for a server that is not there yet, too'
            cand -q 'Say only what is wrong'
            cand --quiet 'Say only what is wrong'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'logcast;ship'= {
            cand --to 'The engine: nats://[USER[:PASSWORD]@]HOST[:PORT][,HOST…][/SUBJECT][?stream=&creds=&nkey=&ca=&cert=&key=]'
            cand --subject 'How the subject of a file is named; a plain word stands before .{host}.{path} [default: logs.{host}.{path}]'
            cand --host-name 'The name of this host in subjects [default: what the system says]'
            cand --stream 'The stream [default: the one that has these subjects]'
            cand --from 'Where to begin with a file that was never shipped'
            cand --interval 'The least time between two messages of a file that lags by less than a batch; 0 for as fast as it goes'
            cand --batch-bytes 'The most bytes of a file in a message'
            cand --compress 'How to compress messages: zstd saves disk and network, and other subscribers see it compressed'
            cand --ack-timeout 'How long to wait for an acknowledgement'
            cand --state 'The folder for notes and spools [default: $STATE_DIRECTORY, ~/.local/state/logcast or /var/lib/logcast]'
            cand --spool-limit 'How much of a pipe is kept while the engine is away; then its writer waits'
            cand --poll 'Look at everything this often, for file systems that tell nothing [default: 1000, alone: 250]'
            cand --replicas 'A new stream: on how many servers [default: 3 in a cluster, else 1]'
            cand --retain 'A new stream: how long a message is kept'
            cand --retain-bytes 'A new stream: how much is kept in all'
            cand --storage 'A new stream: where'
            cand --redact 'Replace what this regular expression matches in every line; of one with groups, what its groups match; may be repeated'
            cand --color 'When to colour errors and warnings'
            cand --once 'Ship what there is and end: 0 if all of it was taken'
            cand --no-create-stream 'Do not make the stream if there is none'
            cand --create-stream 'The default: a stream that is not there is made'
            cand --redact-secrets 'Replace what looks like a secret: tokens, keys and passwords, private keys, card numbers'
            cand -q 'Say nothing but errors'
            cand --quiet 'Say nothing but errors'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'logcast;run'= {
            cand -p 'The port; 0 means any free one [default: 8000, or the next free one]'
            cand --port 'The port; 0 means any free one [default: 8000, or the next free one]'
            cand -b 'The address, name or unix socket path to serve on; may be repeated [default: 127.0.0.1]'
            cand --bind 'The address, name or unix socket path to serve on; may be repeated [default: 127.0.0.1]'
            cand -n 'What a new client gets first: the last N lines of each file, from line N on, or all'
            cand --lines 'What a new client gets first: the last N lines of each file, from line N on, or all'
            cand --tz 'The zone of times that do not name one: a name like Europe/Berlin, UTC or local'
            cand --spool-limit 'How much of a pipe is kept: a size like 64M or 1GiB'
            cand --max-clients 'The most connections at once [default: 10000, or what the system allows]'
            cand --max-per-address 'The most connections at once of one address; this machine''s own are not counted'
            cand --token 'Clients need this token'
            cand --token-file 'Clients need the token in this file'
            cand --auth 'Let in who has this name and password; logcast hash makes the HASH (argon2, or bcrypt); may be repeated'
            cand --auth-file 'The same from a file, one a line, as htpasswd -B writes it'
            cand --tls-cert 'Speak TLS with this certificate (PEM, the chain); read again when it changes'
            cand --tls-key 'The certificate''s private key (PEM)'
            cand --allow-origin 'Let pages of this origin read the stream: https://NAME, null (a page opened from disk) or *'
            cand --allow-host 'A name under which this host is reached, for proxies and other machines'
            cand --base-path 'Serve below this path, as /logs, for a proxy that passes it on'
            cand --trusted-proxy 'Believe what this proxy says of its clients (X-Forwarded-For, -Proto, -Host): an address, a network, or unix'
            cand --access-log 'Write a line of JSON for each request to this file; opened anew on SIGHUP'
            cand --redact 'Replace what this regular expression matches in every line; of one with groups, what its groups match; may be repeated'
            cand --title 'The page''s title'
            cand --highlight 'Mark what matches this regular expression on the page; may be repeated'
            cand --config 'Read options from this file [default: ~/.config/logcast/config.toml, if it is there]'
            cand --color 'When to colour errors and warnings'
            cand --no-auth 'Serve without a token what other machines, or other users of this one, could not read otherwise'
            cand --tls-self-signed 'Speak TLS with a certificate made for this run; its fingerprint is on standard error'
            cand --redact-secrets 'Replace what looks like a secret: tokens, keys and passwords, private keys, card numbers'
            cand --open 'Open the page in the browser'
            cand --qr 'Draw the page''s URL for a telephone, on a terminal and where other machines are served'
            cand --no-config 'Read no configuration file'
            cand -v 'Say who asks for what and what happens to files, on standard error; twice, connections too'
            cand --verbose 'Say who asks for what and what happens to files, on standard error; twice, connections too'
            cand -q 'Say nothing but errors'
            cand --quiet 'Say nothing but errors'
            cand --keep 'Serve on when the command has ended, until a signal comes'
            cand --no-show 'Do not show the command''s output here as well; the URLs then go to standard output'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'logcast;healthcheck'= {
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'logcast;hash'= {
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'logcast;completions'= {
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'logcast;man'= {
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'logcast;serve'= {
            cand -p 'The port; 0 means any free one [default: 8000, or the next free one]'
            cand --port 'The port; 0 means any free one [default: 8000, or the next free one]'
            cand -b 'The address, name or unix socket path to serve on; may be repeated [default: 127.0.0.1]'
            cand --bind 'The address, name or unix socket path to serve on; may be repeated [default: 127.0.0.1]'
            cand -n 'What a new client gets first: the last N lines of each file, from line N on, or all'
            cand --lines 'What a new client gets first: the last N lines of each file, from line N on, or all'
            cand --tz 'The zone of times that do not name one: a name like Europe/Berlin, UTC or local'
            cand --spool-limit 'How much of a pipe is kept: a size like 64M or 1GiB'
            cand --max-clients 'The most connections at once [default: 10000, or what the system allows]'
            cand --max-per-address 'The most connections at once of one address; this machine''s own are not counted'
            cand --token 'Clients need this token'
            cand --token-file 'Clients need the token in this file'
            cand --auth 'Let in who has this name and password; logcast hash makes the HASH (argon2, or bcrypt); may be repeated'
            cand --auth-file 'The same from a file, one a line, as htpasswd -B writes it'
            cand --tls-cert 'Speak TLS with this certificate (PEM, the chain); read again when it changes'
            cand --tls-key 'The certificate''s private key (PEM)'
            cand --allow-origin 'Let pages of this origin read the stream: https://NAME, null (a page opened from disk) or *'
            cand --allow-host 'A name under which this host is reached, for proxies and other machines'
            cand --base-path 'Serve below this path, as /logs, for a proxy that passes it on'
            cand --trusted-proxy 'Believe what this proxy says of its clients (X-Forwarded-For, -Proto, -Host): an address, a network, or unix'
            cand --access-log 'Write a line of JSON for each request to this file; opened anew on SIGHUP'
            cand --redact 'Replace what this regular expression matches in every line; of one with groups, what its groups match; may be repeated'
            cand --title 'The page''s title'
            cand --highlight 'Mark what matches this regular expression on the page; may be repeated'
            cand --config 'Read options from this file [default: ~/.config/logcast/config.toml, if it is there]'
            cand --color 'When to colour errors and warnings'
            cand --poll 'Look at everything this often, for file systems that tell nothing [default: 1000, alone: 250]'
            cand --no-auth 'Serve without a token what other machines, or other users of this one, could not read otherwise'
            cand --tls-self-signed 'Speak TLS with a certificate made for this run; its fingerprint is on standard error'
            cand --redact-secrets 'Replace what looks like a secret: tokens, keys and passwords, private keys, card numbers'
            cand --open 'Open the page in the browser'
            cand --qr 'Draw the page''s URL for a telephone, on a terminal and where other machines are served'
            cand --no-config 'Read no configuration file'
            cand -v 'Say who asks for what and what happens to files, on standard error; twice, connections too'
            cand --verbose 'Say who asks for what and what happens to files, on standard error; twice, connections too'
            cand -q 'Say nothing but errors'
            cand --quiet 'Say nothing but errors'
            cand --no-follow 'Serve the files as they are now, and do not wait for more'
            cand --no-history 'Do not count rotated files beside a log (NAME.1, NAME-20261122.gz) as its beginning'
            cand --history 'The default: what is found beside a log counts'
            cand -f 'Accepted for those who type tail: it is what it does anyway'
            cand --follow 'Accepted for those who type tail: it is what it does anyway'
            cand --retry 'As -f'
            cand --tee 'Pass standard input on to standard output; the URLs go to standard error'
            cand --once 'End when all sources have ended'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'logcast;check'= {
            cand --count 'End after this many numbered lines'
            cand --idle 'End when a URL has been silent for so many seconds'
            cand --token 'The token of a URL that holds none'
            cand --user 'The name and the password that a server with --auth asks for'
            cand --fingerprint 'Trust this certificate (its SHA-256), and no other; serve --tls-self-signed prints it'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'logcast;help'= {
            cand generate 'Write sample logs to a file or to standard output'
            cand tail 'Print the lines of streams as they come, like tail -F; reconnects and goes on where it was'
            cand ship 'Publish files into a stream of NATS JetStream, exactly once'
            cand run 'Run a command and serve its output as two sources, stdout and stderr; end with its exit code'
            cand healthcheck 'Ask a server whether it is well: exit code 0 or 1, for containers'
            cand hash 'Make the hash of a password, for serve --auth NAME:HASH; the password is asked for, or read from standard input'
            cand completions 'Print the completions of a shell'
            cand man 'Print the man page, or that of a command'
            cand serve 'Follow files and serve them as an event stream and a live page (the default)'
            cand check 'Verify lines written by generate --sequence: none lost, doubled, out of order'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'logcast;help;generate'= {
        }
        &'logcast;help;tail'= {
        }
        &'logcast;help;ship'= {
        }
        &'logcast;help;run'= {
        }
        &'logcast;help;healthcheck'= {
        }
        &'logcast;help;hash'= {
        }
        &'logcast;help;completions'= {
        }
        &'logcast;help;man'= {
        }
        &'logcast;help;serve'= {
        }
        &'logcast;help;check'= {
        }
        &'logcast;help;help'= {
        }
    ]
    $completions[$command]
}
