# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_logcast_global_optspecs
    string join \n p/port= b/bind= n/lines= tz= spool-limit= max-clients= max-per-address= token= token-file= auth= auth-file= no-auth tls-cert= tls-key= tls-self-signed allow-origin= allow-host= base-path= trusted-proxy= access-log= redact= redact-secrets title= highlight= open qr config= no-config color= v/verbose q/quiet no-follow no-history history f/follow retry poll= tee once h/help V/version
end

function __fish_logcast_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_logcast_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_logcast_using_subcommand
    set -l cmd (__fish_logcast_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c logcast -n "__fish_logcast_needs_command" -s p -l port -d 'The port; 0 means any free one [default: 8000, or the next free one]' -r
complete -c logcast -n "__fish_logcast_needs_command" -s b -l bind -d 'The address, name or unix socket path to serve on; may be repeated [default: 127.0.0.1]' -r
complete -c logcast -n "__fish_logcast_needs_command" -s n -l lines -d 'What a new client gets first: the last N lines of each file, from line N on, or all' -r
complete -c logcast -n "__fish_logcast_needs_command" -l tz -d 'The zone of times that do not name one: a name like Europe/Berlin, UTC or local' -r
complete -c logcast -n "__fish_logcast_needs_command" -l spool-limit -d 'How much of a pipe is kept: a size like 64M or 1GiB' -r
complete -c logcast -n "__fish_logcast_needs_command" -l max-clients -d 'The most connections at once [default: 10000, or what the system allows]' -r
complete -c logcast -n "__fish_logcast_needs_command" -l max-per-address -d 'The most connections at once of one address; this machine\'s own are not counted' -r
complete -c logcast -n "__fish_logcast_needs_command" -l token -d 'Clients need this token' -r
complete -c logcast -n "__fish_logcast_needs_command" -l token-file -d 'Clients need the token in this file' -r -F
complete -c logcast -n "__fish_logcast_needs_command" -l auth -d 'Let in who has this name and password; logcast hash makes the HASH (argon2, or bcrypt); may be repeated' -r
complete -c logcast -n "__fish_logcast_needs_command" -l auth-file -d 'The same from a file, one a line, as htpasswd -B writes it' -r -F
complete -c logcast -n "__fish_logcast_needs_command" -l tls-cert -d 'Speak TLS with this certificate (PEM, the chain); read again when it changes' -r -F
complete -c logcast -n "__fish_logcast_needs_command" -l tls-key -d 'The certificate\'s private key (PEM)' -r -F
complete -c logcast -n "__fish_logcast_needs_command" -l allow-origin -d 'Let pages of this origin read the stream: https://NAME, null (a page opened from disk) or *' -r
complete -c logcast -n "__fish_logcast_needs_command" -l allow-host -d 'A name under which this host is reached, for proxies and other machines' -r
complete -c logcast -n "__fish_logcast_needs_command" -l base-path -d 'Serve below this path, as /logs, for a proxy that passes it on' -r
complete -c logcast -n "__fish_logcast_needs_command" -l trusted-proxy -d 'Believe what this proxy says of its clients (X-Forwarded-For, -Proto, -Host): an address, a network, or unix' -r
complete -c logcast -n "__fish_logcast_needs_command" -l access-log -d 'Write a line of JSON for each request to this file; opened anew on SIGHUP' -r -F
complete -c logcast -n "__fish_logcast_needs_command" -l redact -d 'Replace what this regular expression matches in every line; of one with groups, what its groups match; may be repeated' -r
complete -c logcast -n "__fish_logcast_needs_command" -l title -d 'The page\'s title' -r
complete -c logcast -n "__fish_logcast_needs_command" -l highlight -d 'Mark what matches this regular expression on the page; may be repeated' -r
complete -c logcast -n "__fish_logcast_needs_command" -l config -d 'Read options from this file [default: ~/.config/logcast/config.toml, if it is there]' -r -F
complete -c logcast -n "__fish_logcast_needs_command" -l color -d 'When to colour errors and warnings' -r -f -a "auto\t''
always\t''
never\t''"
complete -c logcast -n "__fish_logcast_needs_command" -l poll -d 'Look at everything this often, for file systems that tell nothing [default: 1000, alone: 250]' -r
complete -c logcast -n "__fish_logcast_needs_command" -l no-auth -d 'Serve without a token what other machines, or other users of this one, could not read otherwise'
complete -c logcast -n "__fish_logcast_needs_command" -l tls-self-signed -d 'Speak TLS with a certificate made for this run; its fingerprint is on standard error'
complete -c logcast -n "__fish_logcast_needs_command" -l redact-secrets -d 'Replace what looks like a secret: tokens, keys and passwords, private keys, card numbers'
complete -c logcast -n "__fish_logcast_needs_command" -l open -d 'Open the page in the browser'
complete -c logcast -n "__fish_logcast_needs_command" -l qr -d 'Draw the page\'s URL for a telephone, on a terminal and where other machines are served'
complete -c logcast -n "__fish_logcast_needs_command" -l no-config -d 'Read no configuration file'
complete -c logcast -n "__fish_logcast_needs_command" -s v -l verbose -d 'Say who asks for what and what happens to files, on standard error; twice, connections too'
complete -c logcast -n "__fish_logcast_needs_command" -s q -l quiet -d 'Say nothing but errors'
complete -c logcast -n "__fish_logcast_needs_command" -l no-follow -d 'Serve the files as they are now, and do not wait for more'
complete -c logcast -n "__fish_logcast_needs_command" -l no-history -d 'Do not count rotated files beside a log (NAME.1, NAME-20261122.gz) as its beginning'
complete -c logcast -n "__fish_logcast_needs_command" -l history -d 'The default: what is found beside a log counts'
complete -c logcast -n "__fish_logcast_needs_command" -s f -l follow -d 'Accepted for those who type tail: it is what it does anyway'
complete -c logcast -n "__fish_logcast_needs_command" -l retry -d 'As -f'
complete -c logcast -n "__fish_logcast_needs_command" -l tee -d 'Pass standard input on to standard output; the URLs go to standard error'
complete -c logcast -n "__fish_logcast_needs_command" -l once -d 'End when all sources have ended'
complete -c logcast -n "__fish_logcast_needs_command" -s h -l help -d 'Print help'
complete -c logcast -n "__fish_logcast_needs_command" -s V -l version -d 'Print version'
complete -c logcast -n "__fish_logcast_needs_command" -a "generate" -d 'Write sample logs to a file or to standard output'
complete -c logcast -n "__fish_logcast_needs_command" -a "tail" -d 'Print the lines of streams as they come, like tail -F; reconnects and goes on where it was'
complete -c logcast -n "__fish_logcast_needs_command" -a "ship" -d 'Publish files into a stream of NATS JetStream, exactly once'
complete -c logcast -n "__fish_logcast_needs_command" -a "run" -d 'Run a command and serve its output as two sources, stdout and stderr; end with its exit code'
complete -c logcast -n "__fish_logcast_needs_command" -a "healthcheck" -d 'Ask a server whether it is well: exit code 0 or 1, for containers'
complete -c logcast -n "__fish_logcast_needs_command" -a "hash" -d 'Make the hash of a password, for serve --auth NAME:HASH; the password is asked for, or read from standard input'
complete -c logcast -n "__fish_logcast_needs_command" -a "completions" -d 'Print the completions of a shell'
complete -c logcast -n "__fish_logcast_needs_command" -a "man" -d 'Print the man page, or that of a command'
complete -c logcast -n "__fish_logcast_needs_command" -a "serve" -d 'Follow files and serve them as an event stream and a live page (the default)'
complete -c logcast -n "__fish_logcast_needs_command" -a "check" -d 'Verify lines written by generate --sequence: none lost, doubled, out of order'
complete -c logcast -n "__fish_logcast_needs_command" -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c logcast -n "__fish_logcast_using_subcommand generate" -l format -d 'What lines look like; a mixture is json=3,nginx=1' -r -f -a "plain\t'Python\'s logging, one message with a number'
json\t'One JSON object a line'
logfmt\t'Pairs key=value'
nginx\t'nginx\'s access log, combined'
apache\t'Apache\'s access log with virtual hosts'
syslog\t'RFC 3164, with priority'
syslog5424\t'RFC 5424, with structured data'
log4j\t'Java\'s, with stack traces'
python\t'Python\'s logging, with tracebacks'
go\t'Go\'s log, with stacks of goroutines'
rust-tracing\t'Rust\'s tracing'
ansi\t'Coloured for a terminal'
cri\t'A container\'s output as Kubernetes keeps it'
hostile\t'Everything that breaks viewers'"
complete -c logcast -n "__fish_logcast_using_subcommand generate" -l rate -d 'Lines a second, 10..1000 for bursts; 0 is as fast as it can [default: a line each 0.3 s]' -r
complete -c logcast -n "__fish_logcast_using_subcommand generate" -l count -d 'How many lines [default: for ever]' -r
complete -c logcast -n "__fish_logcast_using_subcommand generate" -l size -d 'How much: a size like 10G' -r
complete -c logcast -n "__fish_logcast_using_subcommand generate" -l duration -d 'How long: a span like 30s or 1h30m' -r
complete -c logcast -n "__fish_logcast_using_subcommand generate" -l since -d 'The times of lines go from this time (2h, 14:02, 2026-11-24) up to now; without an end it then goes on live' -r
complete -c logcast -n "__fish_logcast_using_subcommand generate" -l start -d 'The time of the first line; the others follow by the rate [default: now, and the real clock]' -r
complete -c logcast -n "__fish_logcast_using_subcommand generate" -l levels -d 'Which levels, and how often relative to each other: info=90,error=1 [default: as the story has it]' -r -f -a "trace\t''
debug\t''
info\t''
warn\t''
error\t''
fatal\t''"
complete -c logcast -n "__fish_logcast_using_subcommand generate" -l seed -d 'With the same options the same seed gives the same text; with --start the same bytes, wherever' -r
complete -c logcast -n "__fish_logcast_using_subcommand generate" -l rotate -d 'Rotate the file while writing it: after so many lines or bytes, how, and how many old files to keep' -r -f -a "rename\t''
copytruncate\t''
truncate\t''"
complete -c logcast -n "__fish_logcast_using_subcommand generate" -l rotate-every -d 'As the first part of --rotate' -r
complete -c logcast -n "__fish_logcast_using_subcommand generate" -l keep -d 'As the last part of --rotate' -r
complete -c logcast -n "__fish_logcast_using_subcommand generate" -l files -d 'Spread the lines over so many files, app-1.log and so on, the first the busiest' -r
complete -c logcast -n "__fish_logcast_using_subcommand generate" -l sequence -d 'End each line with ` seq=N sum=H`, which logcast check verifies'
complete -c logcast -n "__fish_logcast_using_subcommand generate" -s q -l quiet -d 'Show no progress'
complete -c logcast -n "__fish_logcast_using_subcommand generate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c logcast -n "__fish_logcast_using_subcommand tail" -s n -l lines -d 'What to begin with: the last N lines of each file, from line N on, or all [default: what the server gives]' -r
complete -c logcast -n "__fish_logcast_using_subcommand tail" -s g -l grep -d 'Only lines that match this regular expression; repeated: that match all of them' -r
complete -c logcast -n "__fish_logcast_using_subcommand tail" -s v -l exclude -d 'No lines that match this regular expression; may be repeated' -r
complete -c logcast -n "__fish_logcast_using_subcommand tail" -l level -d 'Only lines of these levels: warn+ means at least, error,fatal a list' -r
complete -c logcast -n "__fish_logcast_using_subcommand tail" -l since -d 'Only lines from this time on: 15m (ago), 14:02 (today), 2026-11-24T14:02:00Z' -r
complete -c logcast -n "__fish_logcast_using_subcommand tail" -l until -d 'Only lines before this time' -r
complete -c logcast -n "__fish_logcast_using_subcommand tail" -l file -d 'Only this file of the server, HOST:PATH in a stream of an engine; may be repeated' -r
complete -c logcast -n "__fish_logcast_using_subcommand tail" -l token -d 'The token of URLs that hold none' -r
complete -c logcast -n "__fish_logcast_using_subcommand tail" -l user -d 'The name and the password that a server with --auth asks for' -r
complete -c logcast -n "__fish_logcast_using_subcommand tail" -l fingerprint -d 'Trust this certificate (its SHA-256), and no other; serve --tls-self-signed prints it' -r
complete -c logcast -n "__fish_logcast_using_subcommand tail" -l cursor-file -d 'Keep the place in this file and go on from there the next time' -r -F
complete -c logcast -n "__fish_logcast_using_subcommand tail" -l highlight -d 'Mark what matches this regular expression, where colours are on; may be repeated' -r
complete -c logcast -n "__fish_logcast_using_subcommand tail" -l names -d 'When a line has the name of its stream and file in front: auto means where there are several' -r -f -a "auto\t''
always\t''
never\t''"
complete -c logcast -n "__fish_logcast_using_subcommand tail" -l color -d 'When to colour names, marks and warnings' -r -f -a "auto\t''
always\t''
never\t''"
complete -c logcast -n "__fish_logcast_using_subcommand tail" -l json -d 'Print an object a line, with file, offset, level and time'
complete -c logcast -n "__fish_logcast_using_subcommand tail" -l no-follow -d 'Print what there is and end'
complete -c logcast -n "__fish_logcast_using_subcommand tail" -s f -l follow -d 'Accepted for those who type tail: it is what it does anyway'
complete -c logcast -n "__fish_logcast_using_subcommand tail" -l retry -d 'Wait for a server that is not there yet, too'
complete -c logcast -n "__fish_logcast_using_subcommand tail" -s q -l quiet -d 'Say only what is wrong'
complete -c logcast -n "__fish_logcast_using_subcommand tail" -s h -l help -d 'Print help'
complete -c logcast -n "__fish_logcast_using_subcommand ship" -l to -d 'The engine: nats://[USER[:PASSWORD]@]HOST[:PORT][,HOST…][/SUBJECT][?stream=&creds=&nkey=&ca=&cert=&key=]' -r
complete -c logcast -n "__fish_logcast_using_subcommand ship" -l subject -d 'How the subject of a file is named; a plain word stands before .{host}.{path} [default: logs.{host}.{path}]' -r
complete -c logcast -n "__fish_logcast_using_subcommand ship" -l host-name -d 'The name of this host in subjects [default: what the system says]' -r
complete -c logcast -n "__fish_logcast_using_subcommand ship" -l stream -d 'The stream [default: the one that has these subjects]' -r
complete -c logcast -n "__fish_logcast_using_subcommand ship" -l from -d 'Where to begin with a file that was never shipped' -r -f -a "start\t'At the start of what the file holds'
end\t'At its end: only what comes'"
complete -c logcast -n "__fish_logcast_using_subcommand ship" -l interval -d 'The least time between two messages of a file that lags by less than a batch; 0 for as fast as it goes' -r
complete -c logcast -n "__fish_logcast_using_subcommand ship" -l batch-bytes -d 'The most bytes of a file in a message' -r
complete -c logcast -n "__fish_logcast_using_subcommand ship" -l compress -d 'How to compress messages: zstd saves disk and network, and other subscribers see it compressed' -r -f -a "none\t'The lines as they are'
zstd\t'Zstandard'"
complete -c logcast -n "__fish_logcast_using_subcommand ship" -l ack-timeout -d 'How long to wait for an acknowledgement' -r
complete -c logcast -n "__fish_logcast_using_subcommand ship" -l state -d 'The folder for notes and spools [default: $STATE_DIRECTORY, ~/.local/state/logcast or /var/lib/logcast]' -r -f -a "(__fish_complete_directories)"
complete -c logcast -n "__fish_logcast_using_subcommand ship" -l spool-limit -d 'How much of a pipe is kept while the engine is away; then its writer waits' -r
complete -c logcast -n "__fish_logcast_using_subcommand ship" -l poll -d 'Look at everything this often, for file systems that tell nothing [default: 1000, alone: 250]' -r
complete -c logcast -n "__fish_logcast_using_subcommand ship" -l replicas -d 'A new stream: on how many servers [default: 3 in a cluster, else 1]' -r
complete -c logcast -n "__fish_logcast_using_subcommand ship" -l retain -d 'A new stream: how long a message is kept' -r
complete -c logcast -n "__fish_logcast_using_subcommand ship" -l retain-bytes -d 'A new stream: how much is kept in all' -r
complete -c logcast -n "__fish_logcast_using_subcommand ship" -l storage -d 'A new stream: where' -r -f -a "file\t'On disk'
memory\t'In memory: gone when the servers are'"
complete -c logcast -n "__fish_logcast_using_subcommand ship" -l redact -d 'Replace what this regular expression matches in every line; of one with groups, what its groups match; may be repeated' -r
complete -c logcast -n "__fish_logcast_using_subcommand ship" -l color -d 'When to colour errors and warnings' -r -f -a "auto\t''
always\t''
never\t''"
complete -c logcast -n "__fish_logcast_using_subcommand ship" -l once -d 'Ship what there is and end: 0 if all of it was taken'
complete -c logcast -n "__fish_logcast_using_subcommand ship" -l no-create-stream -d 'Do not make the stream if there is none'
complete -c logcast -n "__fish_logcast_using_subcommand ship" -l create-stream -d 'The default: a stream that is not there is made'
complete -c logcast -n "__fish_logcast_using_subcommand ship" -l redact-secrets -d 'Replace what looks like a secret: tokens, keys and passwords, private keys, card numbers'
complete -c logcast -n "__fish_logcast_using_subcommand ship" -s q -l quiet -d 'Say nothing but errors'
complete -c logcast -n "__fish_logcast_using_subcommand ship" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c logcast -n "__fish_logcast_using_subcommand run" -s p -l port -d 'The port; 0 means any free one [default: 8000, or the next free one]' -r
complete -c logcast -n "__fish_logcast_using_subcommand run" -s b -l bind -d 'The address, name or unix socket path to serve on; may be repeated [default: 127.0.0.1]' -r
complete -c logcast -n "__fish_logcast_using_subcommand run" -s n -l lines -d 'What a new client gets first: the last N lines of each file, from line N on, or all' -r
complete -c logcast -n "__fish_logcast_using_subcommand run" -l tz -d 'The zone of times that do not name one: a name like Europe/Berlin, UTC or local' -r
complete -c logcast -n "__fish_logcast_using_subcommand run" -l spool-limit -d 'How much of a pipe is kept: a size like 64M or 1GiB' -r
complete -c logcast -n "__fish_logcast_using_subcommand run" -l max-clients -d 'The most connections at once [default: 10000, or what the system allows]' -r
complete -c logcast -n "__fish_logcast_using_subcommand run" -l max-per-address -d 'The most connections at once of one address; this machine\'s own are not counted' -r
complete -c logcast -n "__fish_logcast_using_subcommand run" -l token -d 'Clients need this token' -r
complete -c logcast -n "__fish_logcast_using_subcommand run" -l token-file -d 'Clients need the token in this file' -r -F
complete -c logcast -n "__fish_logcast_using_subcommand run" -l auth -d 'Let in who has this name and password; logcast hash makes the HASH (argon2, or bcrypt); may be repeated' -r
complete -c logcast -n "__fish_logcast_using_subcommand run" -l auth-file -d 'The same from a file, one a line, as htpasswd -B writes it' -r -F
complete -c logcast -n "__fish_logcast_using_subcommand run" -l tls-cert -d 'Speak TLS with this certificate (PEM, the chain); read again when it changes' -r -F
complete -c logcast -n "__fish_logcast_using_subcommand run" -l tls-key -d 'The certificate\'s private key (PEM)' -r -F
complete -c logcast -n "__fish_logcast_using_subcommand run" -l allow-origin -d 'Let pages of this origin read the stream: https://NAME, null (a page opened from disk) or *' -r
complete -c logcast -n "__fish_logcast_using_subcommand run" -l allow-host -d 'A name under which this host is reached, for proxies and other machines' -r
complete -c logcast -n "__fish_logcast_using_subcommand run" -l base-path -d 'Serve below this path, as /logs, for a proxy that passes it on' -r
complete -c logcast -n "__fish_logcast_using_subcommand run" -l trusted-proxy -d 'Believe what this proxy says of its clients (X-Forwarded-For, -Proto, -Host): an address, a network, or unix' -r
complete -c logcast -n "__fish_logcast_using_subcommand run" -l access-log -d 'Write a line of JSON for each request to this file; opened anew on SIGHUP' -r -F
complete -c logcast -n "__fish_logcast_using_subcommand run" -l redact -d 'Replace what this regular expression matches in every line; of one with groups, what its groups match; may be repeated' -r
complete -c logcast -n "__fish_logcast_using_subcommand run" -l title -d 'The page\'s title' -r
complete -c logcast -n "__fish_logcast_using_subcommand run" -l highlight -d 'Mark what matches this regular expression on the page; may be repeated' -r
complete -c logcast -n "__fish_logcast_using_subcommand run" -l config -d 'Read options from this file [default: ~/.config/logcast/config.toml, if it is there]' -r -F
complete -c logcast -n "__fish_logcast_using_subcommand run" -l color -d 'When to colour errors and warnings' -r -f -a "auto\t''
always\t''
never\t''"
complete -c logcast -n "__fish_logcast_using_subcommand run" -l no-auth -d 'Serve without a token what other machines, or other users of this one, could not read otherwise'
complete -c logcast -n "__fish_logcast_using_subcommand run" -l tls-self-signed -d 'Speak TLS with a certificate made for this run; its fingerprint is on standard error'
complete -c logcast -n "__fish_logcast_using_subcommand run" -l redact-secrets -d 'Replace what looks like a secret: tokens, keys and passwords, private keys, card numbers'
complete -c logcast -n "__fish_logcast_using_subcommand run" -l open -d 'Open the page in the browser'
complete -c logcast -n "__fish_logcast_using_subcommand run" -l qr -d 'Draw the page\'s URL for a telephone, on a terminal and where other machines are served'
complete -c logcast -n "__fish_logcast_using_subcommand run" -l no-config -d 'Read no configuration file'
complete -c logcast -n "__fish_logcast_using_subcommand run" -s v -l verbose -d 'Say who asks for what and what happens to files, on standard error; twice, connections too'
complete -c logcast -n "__fish_logcast_using_subcommand run" -s q -l quiet -d 'Say nothing but errors'
complete -c logcast -n "__fish_logcast_using_subcommand run" -l keep -d 'Serve on when the command has ended, until a signal comes'
complete -c logcast -n "__fish_logcast_using_subcommand run" -l no-show -d 'Do not show the command\'s output here as well; the URLs then go to standard output'
complete -c logcast -n "__fish_logcast_using_subcommand run" -s h -l help -d 'Print help'
complete -c logcast -n "__fish_logcast_using_subcommand healthcheck" -s h -l help -d 'Print help'
complete -c logcast -n "__fish_logcast_using_subcommand hash" -s h -l help -d 'Print help'
complete -c logcast -n "__fish_logcast_using_subcommand completions" -s h -l help -d 'Print help'
complete -c logcast -n "__fish_logcast_using_subcommand man" -s h -l help -d 'Print help'
complete -c logcast -n "__fish_logcast_using_subcommand serve" -s p -l port -d 'The port; 0 means any free one [default: 8000, or the next free one]' -r
complete -c logcast -n "__fish_logcast_using_subcommand serve" -s b -l bind -d 'The address, name or unix socket path to serve on; may be repeated [default: 127.0.0.1]' -r
complete -c logcast -n "__fish_logcast_using_subcommand serve" -s n -l lines -d 'What a new client gets first: the last N lines of each file, from line N on, or all' -r
complete -c logcast -n "__fish_logcast_using_subcommand serve" -l tz -d 'The zone of times that do not name one: a name like Europe/Berlin, UTC or local' -r
complete -c logcast -n "__fish_logcast_using_subcommand serve" -l spool-limit -d 'How much of a pipe is kept: a size like 64M or 1GiB' -r
complete -c logcast -n "__fish_logcast_using_subcommand serve" -l max-clients -d 'The most connections at once [default: 10000, or what the system allows]' -r
complete -c logcast -n "__fish_logcast_using_subcommand serve" -l max-per-address -d 'The most connections at once of one address; this machine\'s own are not counted' -r
complete -c logcast -n "__fish_logcast_using_subcommand serve" -l token -d 'Clients need this token' -r
complete -c logcast -n "__fish_logcast_using_subcommand serve" -l token-file -d 'Clients need the token in this file' -r -F
complete -c logcast -n "__fish_logcast_using_subcommand serve" -l auth -d 'Let in who has this name and password; logcast hash makes the HASH (argon2, or bcrypt); may be repeated' -r
complete -c logcast -n "__fish_logcast_using_subcommand serve" -l auth-file -d 'The same from a file, one a line, as htpasswd -B writes it' -r -F
complete -c logcast -n "__fish_logcast_using_subcommand serve" -l tls-cert -d 'Speak TLS with this certificate (PEM, the chain); read again when it changes' -r -F
complete -c logcast -n "__fish_logcast_using_subcommand serve" -l tls-key -d 'The certificate\'s private key (PEM)' -r -F
complete -c logcast -n "__fish_logcast_using_subcommand serve" -l allow-origin -d 'Let pages of this origin read the stream: https://NAME, null (a page opened from disk) or *' -r
complete -c logcast -n "__fish_logcast_using_subcommand serve" -l allow-host -d 'A name under which this host is reached, for proxies and other machines' -r
complete -c logcast -n "__fish_logcast_using_subcommand serve" -l base-path -d 'Serve below this path, as /logs, for a proxy that passes it on' -r
complete -c logcast -n "__fish_logcast_using_subcommand serve" -l trusted-proxy -d 'Believe what this proxy says of its clients (X-Forwarded-For, -Proto, -Host): an address, a network, or unix' -r
complete -c logcast -n "__fish_logcast_using_subcommand serve" -l access-log -d 'Write a line of JSON for each request to this file; opened anew on SIGHUP' -r -F
complete -c logcast -n "__fish_logcast_using_subcommand serve" -l redact -d 'Replace what this regular expression matches in every line; of one with groups, what its groups match; may be repeated' -r
complete -c logcast -n "__fish_logcast_using_subcommand serve" -l title -d 'The page\'s title' -r
complete -c logcast -n "__fish_logcast_using_subcommand serve" -l highlight -d 'Mark what matches this regular expression on the page; may be repeated' -r
complete -c logcast -n "__fish_logcast_using_subcommand serve" -l config -d 'Read options from this file [default: ~/.config/logcast/config.toml, if it is there]' -r -F
complete -c logcast -n "__fish_logcast_using_subcommand serve" -l color -d 'When to colour errors and warnings' -r -f -a "auto\t''
always\t''
never\t''"
complete -c logcast -n "__fish_logcast_using_subcommand serve" -l poll -d 'Look at everything this often, for file systems that tell nothing [default: 1000, alone: 250]' -r
complete -c logcast -n "__fish_logcast_using_subcommand serve" -l no-auth -d 'Serve without a token what other machines, or other users of this one, could not read otherwise'
complete -c logcast -n "__fish_logcast_using_subcommand serve" -l tls-self-signed -d 'Speak TLS with a certificate made for this run; its fingerprint is on standard error'
complete -c logcast -n "__fish_logcast_using_subcommand serve" -l redact-secrets -d 'Replace what looks like a secret: tokens, keys and passwords, private keys, card numbers'
complete -c logcast -n "__fish_logcast_using_subcommand serve" -l open -d 'Open the page in the browser'
complete -c logcast -n "__fish_logcast_using_subcommand serve" -l qr -d 'Draw the page\'s URL for a telephone, on a terminal and where other machines are served'
complete -c logcast -n "__fish_logcast_using_subcommand serve" -l no-config -d 'Read no configuration file'
complete -c logcast -n "__fish_logcast_using_subcommand serve" -s v -l verbose -d 'Say who asks for what and what happens to files, on standard error; twice, connections too'
complete -c logcast -n "__fish_logcast_using_subcommand serve" -s q -l quiet -d 'Say nothing but errors'
complete -c logcast -n "__fish_logcast_using_subcommand serve" -l no-follow -d 'Serve the files as they are now, and do not wait for more'
complete -c logcast -n "__fish_logcast_using_subcommand serve" -l no-history -d 'Do not count rotated files beside a log (NAME.1, NAME-20261122.gz) as its beginning'
complete -c logcast -n "__fish_logcast_using_subcommand serve" -l history -d 'The default: what is found beside a log counts'
complete -c logcast -n "__fish_logcast_using_subcommand serve" -s f -l follow -d 'Accepted for those who type tail: it is what it does anyway'
complete -c logcast -n "__fish_logcast_using_subcommand serve" -l retry -d 'As -f'
complete -c logcast -n "__fish_logcast_using_subcommand serve" -l tee -d 'Pass standard input on to standard output; the URLs go to standard error'
complete -c logcast -n "__fish_logcast_using_subcommand serve" -l once -d 'End when all sources have ended'
complete -c logcast -n "__fish_logcast_using_subcommand serve" -s h -l help -d 'Print help'
complete -c logcast -n "__fish_logcast_using_subcommand check" -l count -d 'End after this many numbered lines' -r
complete -c logcast -n "__fish_logcast_using_subcommand check" -l idle -d 'End when a URL has been silent for so many seconds' -r
complete -c logcast -n "__fish_logcast_using_subcommand check" -l token -d 'The token of a URL that holds none' -r
complete -c logcast -n "__fish_logcast_using_subcommand check" -l user -d 'The name and the password that a server with --auth asks for' -r
complete -c logcast -n "__fish_logcast_using_subcommand check" -l fingerprint -d 'Trust this certificate (its SHA-256), and no other; serve --tls-self-signed prints it' -r
complete -c logcast -n "__fish_logcast_using_subcommand check" -s h -l help -d 'Print help'
complete -c logcast -n "__fish_logcast_using_subcommand help; and not __fish_seen_subcommand_from generate tail ship run healthcheck hash completions man serve check help" -f -a "generate" -d 'Write sample logs to a file or to standard output'
complete -c logcast -n "__fish_logcast_using_subcommand help; and not __fish_seen_subcommand_from generate tail ship run healthcheck hash completions man serve check help" -f -a "tail" -d 'Print the lines of streams as they come, like tail -F; reconnects and goes on where it was'
complete -c logcast -n "__fish_logcast_using_subcommand help; and not __fish_seen_subcommand_from generate tail ship run healthcheck hash completions man serve check help" -f -a "ship" -d 'Publish files into a stream of NATS JetStream, exactly once'
complete -c logcast -n "__fish_logcast_using_subcommand help; and not __fish_seen_subcommand_from generate tail ship run healthcheck hash completions man serve check help" -f -a "run" -d 'Run a command and serve its output as two sources, stdout and stderr; end with its exit code'
complete -c logcast -n "__fish_logcast_using_subcommand help; and not __fish_seen_subcommand_from generate tail ship run healthcheck hash completions man serve check help" -f -a "healthcheck" -d 'Ask a server whether it is well: exit code 0 or 1, for containers'
complete -c logcast -n "__fish_logcast_using_subcommand help; and not __fish_seen_subcommand_from generate tail ship run healthcheck hash completions man serve check help" -f -a "hash" -d 'Make the hash of a password, for serve --auth NAME:HASH; the password is asked for, or read from standard input'
complete -c logcast -n "__fish_logcast_using_subcommand help; and not __fish_seen_subcommand_from generate tail ship run healthcheck hash completions man serve check help" -f -a "completions" -d 'Print the completions of a shell'
complete -c logcast -n "__fish_logcast_using_subcommand help; and not __fish_seen_subcommand_from generate tail ship run healthcheck hash completions man serve check help" -f -a "man" -d 'Print the man page, or that of a command'
complete -c logcast -n "__fish_logcast_using_subcommand help; and not __fish_seen_subcommand_from generate tail ship run healthcheck hash completions man serve check help" -f -a "serve" -d 'Follow files and serve them as an event stream and a live page (the default)'
complete -c logcast -n "__fish_logcast_using_subcommand help; and not __fish_seen_subcommand_from generate tail ship run healthcheck hash completions man serve check help" -f -a "check" -d 'Verify lines written by generate --sequence: none lost, doubled, out of order'
complete -c logcast -n "__fish_logcast_using_subcommand help; and not __fish_seen_subcommand_from generate tail ship run healthcheck hash completions man serve check help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c logcast -n "__fish_logcast_using_subcommand completions" -f -a "bash elvish fish powershell zsh"
complete -c logcast -n "__fish_logcast_using_subcommand man" -f -a "serve generate tail check ship run healthcheck hash completions man"
