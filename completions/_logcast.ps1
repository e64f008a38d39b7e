
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'logcast' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'logcast'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'logcast' {
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'The port; 0 means any free one [default: 8000, or the next free one]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'The port; 0 means any free one [default: 8000, or the next free one]')
            [CompletionResult]::new('-b', '-b', [CompletionResultType]::ParameterName, 'The address, name or unix socket path to serve on; may be repeated [default: 127.0.0.1]')
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'The address, name or unix socket path to serve on; may be repeated [default: 127.0.0.1]')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'What a new client gets first: the last N lines of each file, from line N on, or all')
            [CompletionResult]::new('--lines', '--lines', [CompletionResultType]::ParameterName, 'What a new client gets first: the last N lines of each file, from line N on, or all')
            [CompletionResult]::new('--tz', '--tz', [CompletionResultType]::ParameterName, 'The zone of times that do not name one: a name like Europe/Berlin, UTC or local')
            [CompletionResult]::new('--spool-limit', '--spool-limit', [CompletionResultType]::ParameterName, 'How much of a pipe is kept: a size like 64M or 1GiB')
            [CompletionResult]::new('--max-clients', '--max-clients', [CompletionResultType]::ParameterName, 'The most connections at once [default: 10000, or what the system allows]')
            [CompletionResult]::new('--max-per-address', '--max-per-address', [CompletionResultType]::ParameterName, 'The most connections at once of one address; this machine''s own are not counted')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Clients need this token')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Clients need the token in this file')
            [CompletionResult]::new('--auth', '--auth', [CompletionResultType]::ParameterName, 'Let in who has this name and password; logcast hash makes the HASH (argon2, or bcrypt); may be repeated')
            [CompletionResult]::new('--auth-file', '--auth-file', [CompletionResultType]::ParameterName, 'The same from a file, one a line, as htpasswd -B writes it')
            [CompletionResult]::new('--tls-cert', '--tls-cert', [CompletionResultType]::ParameterName, 'Speak TLS with this certificate (PEM, the chain); read again when it changes')
            [CompletionResult]::new('--tls-key', '--tls-key', [CompletionResultType]::ParameterName, 'The certificate''s private key (PEM)')
            [CompletionResult]::new('--allow-origin', '--allow-origin', [CompletionResultType]::ParameterName, 'Let pages of this origin read the stream: https://NAME, null (a page opened from disk) or *')
            [CompletionResult]::new('--allow-host', '--allow-host', [CompletionResultType]::ParameterName, 'A name under which this host is reached, for proxies and other machines')
            [CompletionResult]::new('--base-path', '--base-path', [CompletionResultType]::ParameterName, 'Serve below this path, as /logs, for a proxy that passes it on')
            [CompletionResult]::new('--trusted-proxy', '--trusted-proxy', [CompletionResultType]::ParameterName, 'Believe what this proxy says of its clients (X-Forwarded-For, -Proto, -Host): an address, a network, or unix')
            [CompletionResult]::new('--access-log', '--access-log', [CompletionResultType]::ParameterName, 'Write a line of JSON for each request to this file; opened anew on SIGHUP')
            [CompletionResult]::new('--redact', '--redact', [CompletionResultType]::ParameterName, 'Replace what this regular expression matches in every line; of one with groups, what its groups match; may be repeated')
            [CompletionResult]::new('--title', '--title', [CompletionResultType]::ParameterName, 'The page''s title')
            [CompletionResult]::new('--highlight', '--highlight', [CompletionResultType]::ParameterName, 'Mark what matches this regular expression on the page; may be repeated')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read options from this file [default: ~/.config/logcast/config.toml, if it is there]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour errors and warnings')
            [CompletionResult]::new('--poll', '--poll', [CompletionResultType]::ParameterName, 'Look at everything this often, for file systems that tell nothing [default: 1000, alone: 250]')
            [CompletionResult]::new('--no-auth', '--no-auth', [CompletionResultType]::ParameterName, 'Serve without a token what other machines, or other users of this one, could not read otherwise')
            [CompletionResult]::new('--tls-self-signed', '--tls-self-signed', [CompletionResultType]::ParameterName, 'Speak TLS with a certificate made for this run; its fingerprint is on standard error')
            [CompletionResult]::new('--redact-secrets', '--redact-secrets', [CompletionResultType]::ParameterName, 'Replace what looks like a secret: tokens, keys and passwords, private keys, card numbers')
            [CompletionResult]::new('--open', '--open', [CompletionResultType]::ParameterName, 'Open the page in the browser')
            [CompletionResult]::new('--qr', '--qr', [CompletionResultType]::ParameterName, 'Draw the page''s URL for a telephone, on a terminal and where other machines are served')
            [CompletionResult]::new('--no-config', '--no-config', [CompletionResultType]::ParameterName, 'Read no configuration file')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say who asks for what and what happens to files, on standard error; twice, connections too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say who asks for what and what happens to files, on standard error; twice, connections too')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--no-follow', '--no-follow', [CompletionResultType]::ParameterName, 'Serve the files as they are now, and do not wait for more')
            [CompletionResult]::new('--no-history', '--no-history', [CompletionResultType]::ParameterName, 'Do not count rotated files beside a log (NAME.1, NAME-20261122.gz) as its beginning')
            [CompletionResult]::new('--history', '--history', [CompletionResultType]::ParameterName, 'The default: what is found beside a log counts')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Accepted for those who type tail: it is what it does anyway')
            [CompletionResult]::new('--follow', '--follow', [CompletionResultType]::ParameterName, 'Accepted for those who type tail: it is what it does anyway')
            [CompletionResult]::new('--retry', '--retry', [CompletionResultType]::ParameterName, 'As -f')
            [CompletionResult]::new('--tee', '--tee', [CompletionResultType]::ParameterName, 'Pass standard input on to standard output; the URLs go to standard error')
            [CompletionResult]::new('--once', '--once', [CompletionResultType]::ParameterName, 'End when all sources have ended')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('generate', 'generate', [CompletionResultType]::ParameterValue, 'Write sample logs to a file or to standard output')
            [CompletionResult]::new('tail', 'tail', [CompletionResultType]::ParameterValue, 'Print the lines of streams as they come, like tail -F; reconnects and goes on where it was')
            [CompletionResult]::new('ship', 'ship', [CompletionResultType]::ParameterValue, 'Publish files into a stream of NATS JetStream, exactly once')
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'Run a command and serve its output as two sources, stdout and stderr; end with its exit code')
            [CompletionResult]::new('healthcheck', 'healthcheck', [CompletionResultType]::ParameterValue, 'Ask a server whether it is well: exit code 0 or 1, for containers')
            [CompletionResult]::new('hash', 'hash', [CompletionResultType]::ParameterValue, 'Make the hash of a password, for serve --auth NAME:HASH; the password is asked for, or read from standard input')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print the completions of a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print the man page, or that of a command')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Follow files and serve them as an event stream and a live page (the default)')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Verify lines written by generate --sequence: none lost, doubled, out of order')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'logcast;generate' {
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'What lines look like; a mixture is json=3,nginx=1')
            [CompletionResult]::new('--rate', '--rate', [CompletionResultType]::ParameterName, 'Lines a second, 10..1000 for bursts; 0 is as fast as it can [default: a line each 0.3 s]')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'How many lines [default: for ever]')
            [CompletionResult]::new('--size', '--size', [CompletionResultType]::ParameterName, 'How much: a size like 10G')
            [CompletionResult]::new('--duration', '--duration', [CompletionResultType]::ParameterName, 'How long: a span like 30s or 1h30m')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'The times of lines go from this time (2h, 14:02, 2026-11-24) up to now; without an end it then goes on live')
            [CompletionResult]::new('--start', '--start', [CompletionResultType]::ParameterName, 'The time of the first line; the others follow by the rate [default: now, and the real clock]')
            [CompletionResult]::new('--levels', '--levels', [CompletionResultType]::ParameterName, 'Which levels, and how often relative to each other: info=90,error=1 [default: as the story has it]')
            [CompletionResult]::new('--seed', '--seed', [CompletionResultType]::ParameterName, 'With the same options the same seed gives the same text; with --start the same bytes, wherever')
            [CompletionResult]::new('--rotate', '--rotate', [CompletionResultType]::ParameterName, 'Rotate the file while writing it: after so many lines or bytes, how, and how many old files to keep')
            [CompletionResult]::new('--rotate-every', '--rotate-every', [CompletionResultType]::ParameterName, 'As the first part of --rotate')
            [CompletionResult]::new('--keep', '--keep', [CompletionResultType]::ParameterName, 'As the last part of --rotate')
            [CompletionResult]::new('--files', '--files', [CompletionResultType]::ParameterName, 'Spread the lines over so many files, app-1.log and so on, the first the busiest')
            [CompletionResult]::new('--sequence', '--sequence', [CompletionResultType]::ParameterName, 'End each line with ` seq=N sum=H`, which logcast check verifies')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Show no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Show no progress')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'logcast;tail' {
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'What to begin with: the last N lines of each file, from line N on, or all [default: what the server gives]')
            [CompletionResult]::new('--lines', '--lines', [CompletionResultType]::ParameterName, 'What to begin with: the last N lines of each file, from line N on, or all [default: what the server gives]')
            [CompletionResult]::new('-g', '-g', [CompletionResultType]::ParameterName, 'Only lines that match this regular expression; repeated: that match all of them')
            [CompletionResult]::new('--grep', '--grep', [CompletionResultType]::ParameterName, 'Only lines that match this regular expression; repeated: that match all of them')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'No lines that match this regular expression; may be repeated')
            [CompletionResult]::new('--exclude', '--exclude', [CompletionResultType]::ParameterName, 'No lines that match this regular expression; may be repeated')
            [CompletionResult]::new('--level', '--level', [CompletionResultType]::ParameterName, 'Only lines of these levels: warn+ means at least, error,fatal a list')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Only lines from this time on: 15m (ago), 14:02 (today), 2026-11-24T14:02:00Z')
            [CompletionResult]::new('--until', '--until', [CompletionResultType]::ParameterName, 'Only lines before this time')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'Only this file of the server, HOST:PATH in a stream of an engine; may be repeated')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'The token of URLs that hold none')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'The name and the password that a server with --auth asks for')
            [CompletionResult]::new('--fingerprint', '--fingerprint', [CompletionResultType]::ParameterName, 'Trust this certificate (its SHA-256), and no other; serve --tls-self-signed prints it')
            [CompletionResult]::new('--cursor-file', '--cursor-file', [CompletionResultType]::ParameterName, 'Keep the place in this file and go on from there the next time')
            [CompletionResult]::new('--highlight', '--highlight', [CompletionResultType]::ParameterName, 'Mark what matches this regular expression, where colours are on; may be repeated')
            [CompletionResult]::new('--names', '--names', [CompletionResultType]::ParameterName, 'When a line has the name of its stream and file in front: auto means where there are several')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour names, marks and warnings')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print an object a line, with file, offset, level and time')
            [CompletionResult]::new('--no-follow', '--no-follow', [CompletionResultType]::ParameterName, 'Print what there is and end')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Accepted for those who type tail: it is what it does anyway')
            [CompletionResult]::new('--follow', '--follow', [CompletionResultType]::ParameterName, 'Accepted for those who type tail: it is what it does anyway')
            [CompletionResult]::new('--retry', '--retry', [CompletionResultType]::ParameterName, 'Wait for a server that is not there yet, too')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what is wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what is wrong')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'logcast;ship' {
            [CompletionResult]::new('--to', '--to', [CompletionResultType]::ParameterName, 'The engine: nats://[USER[:PASSWORD]@]HOST[:PORT][,HOST…][/SUBJECT][?stream=&creds=&nkey=&ca=&cert=&key=]')
            [CompletionResult]::new('--subject', '--subject', [CompletionResultType]::ParameterName, 'How the subject of a file is named; a plain word stands before .{host}.{path} [default: logs.{host}.{path}]')
            [CompletionResult]::new('--host-name', '--host-name', [CompletionResultType]::ParameterName, 'The name of this host in subjects [default: what the system says]')
            [CompletionResult]::new('--stream', '--stream', [CompletionResultType]::ParameterName, 'The stream [default: the one that has these subjects]')
            [CompletionResult]::new('--from', '--from', [CompletionResultType]::ParameterName, 'Where to begin with a file that was never shipped')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'The least time between two messages of a file that lags by less than a batch; 0 for as fast as it goes')
            [CompletionResult]::new('--batch-bytes', '--batch-bytes', [CompletionResultType]::ParameterName, 'The most bytes of a file in a message')
            [CompletionResult]::new('--compress', '--compress', [CompletionResultType]::ParameterName, 'How to compress messages: zstd saves disk and network, and other subscribers see it compressed')
            [CompletionResult]::new('--ack-timeout', '--ack-timeout', [CompletionResultType]::ParameterName, 'How long to wait for an acknowledgement')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'The folder for notes and spools [default: $STATE_DIRECTORY, ~/.local/state/logcast or /var/lib/logcast]')
            [CompletionResult]::new('--spool-limit', '--spool-limit', [CompletionResultType]::ParameterName, 'How much of a pipe is kept while the engine is away; then its writer waits')
            [CompletionResult]::new('--poll', '--poll', [CompletionResultType]::ParameterName, 'Look at everything this often, for file systems that tell nothing [default: 1000, alone: 250]')
            [CompletionResult]::new('--replicas', '--replicas', [CompletionResultType]::ParameterName, 'A new stream: on how many servers [default: 3 in a cluster, else 1]')
            [CompletionResult]::new('--retain', '--retain', [CompletionResultType]::ParameterName, 'A new stream: how long a message is kept')
            [CompletionResult]::new('--retain-bytes', '--retain-bytes', [CompletionResultType]::ParameterName, 'A new stream: how much is kept in all')
            [CompletionResult]::new('--storage', '--storage', [CompletionResultType]::ParameterName, 'A new stream: where')
            [CompletionResult]::new('--redact', '--redact', [CompletionResultType]::ParameterName, 'Replace what this regular expression matches in every line; of one with groups, what its groups match; may be repeated')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour errors and warnings')
            [CompletionResult]::new('--once', '--once', [CompletionResultType]::ParameterName, 'Ship what there is and end: 0 if all of it was taken')
            [CompletionResult]::new('--no-create-stream', '--no-create-stream', [CompletionResultType]::ParameterName, 'Do not make the stream if there is none')
            [CompletionResult]::new('--create-stream', '--create-stream', [CompletionResultType]::ParameterName, 'The default: a stream that is not there is made')
            [CompletionResult]::new('--redact-secrets', '--redact-secrets', [CompletionResultType]::ParameterName, 'Replace what looks like a secret: tokens, keys and passwords, private keys, card numbers')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'logcast;run' {
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'The port; 0 means any free one [default: 8000, or the next free one]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'The port; 0 means any free one [default: 8000, or the next free one]')
            [CompletionResult]::new('-b', '-b', [CompletionResultType]::ParameterName, 'The address, name or unix socket path to serve on; may be repeated [default: 127.0.0.1]')
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'The address, name or unix socket path to serve on; may be repeated [default: 127.0.0.1]')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'What a new client gets first: the last N lines of each file, from line N on, or all')
            [CompletionResult]::new('--lines', '--lines', [CompletionResultType]::ParameterName, 'What a new client gets first: the last N lines of each file, from line N on, or all')
            [CompletionResult]::new('--tz', '--tz', [CompletionResultType]::ParameterName, 'The zone of times that do not name one: a name like Europe/Berlin, UTC or local')
            [CompletionResult]::new('--spool-limit', '--spool-limit', [CompletionResultType]::ParameterName, 'How much of a pipe is kept: a size like 64M or 1GiB')
            [CompletionResult]::new('--max-clients', '--max-clients', [CompletionResultType]::ParameterName, 'The most connections at once [default: 10000, or what the system allows]')
            [CompletionResult]::new('--max-per-address', '--max-per-address', [CompletionResultType]::ParameterName, 'The most connections at once of one address; this machine''s own are not counted')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Clients need this token')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Clients need the token in this file')
            [CompletionResult]::new('--auth', '--auth', [CompletionResultType]::ParameterName, 'Let in who has this name and password; logcast hash makes the HASH (argon2, or bcrypt); may be repeated')
            [CompletionResult]::new('--auth-file', '--auth-file', [CompletionResultType]::ParameterName, 'The same from a file, one a line, as htpasswd -B writes it')
            [CompletionResult]::new('--tls-cert', '--tls-cert', [CompletionResultType]::ParameterName, 'Speak TLS with this certificate (PEM, the chain); read again when it changes')
            [CompletionResult]::new('--tls-key', '--tls-key', [CompletionResultType]::ParameterName, 'The certificate''s private key (PEM)')
            [CompletionResult]::new('--allow-origin', '--allow-origin', [CompletionResultType]::ParameterName, 'Let pages of this origin read the stream: https://NAME, null (a page opened from disk) or *')
            [CompletionResult]::new('--allow-host', '--allow-host', [CompletionResultType]::ParameterName, 'A name under which this host is reached, for proxies and other machines')
            [CompletionResult]::new('--base-path', '--base-path', [CompletionResultType]::ParameterName, 'Serve below this path, as /logs, for a proxy that passes it on')
            [CompletionResult]::new('--trusted-proxy', '--trusted-proxy', [CompletionResultType]::ParameterName, 'Believe what this proxy says of its clients (X-Forwarded-For, -Proto, -Host): an address, a network, or unix')
            [CompletionResult]::new('--access-log', '--access-log', [CompletionResultType]::ParameterName, 'Write a line of JSON for each request to this file; opened anew on SIGHUP')
            [CompletionResult]::new('--redact', '--redact', [CompletionResultType]::ParameterName, 'Replace what this regular expression matches in every line; of one with groups, what its groups match; may be repeated')
            [CompletionResult]::new('--title', '--title', [CompletionResultType]::ParameterName, 'The page''s title')
            [CompletionResult]::new('--highlight', '--highlight', [CompletionResultType]::ParameterName, 'Mark what matches this regular expression on the page; may be repeated')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read options from this file [default: ~/.config/logcast/config.toml, if it is there]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour errors and warnings')
            [CompletionResult]::new('--no-auth', '--no-auth', [CompletionResultType]::ParameterName, 'Serve without a token what other machines, or other users of this one, could not read otherwise')
            [CompletionResult]::new('--tls-self-signed', '--tls-self-signed', [CompletionResultType]::ParameterName, 'Speak TLS with a certificate made for this run; its fingerprint is on standard error')
            [CompletionResult]::new('--redact-secrets', '--redact-secrets', [CompletionResultType]::ParameterName, 'Replace what looks like a secret: tokens, keys and passwords, private keys, card numbers')
            [CompletionResult]::new('--open', '--open', [CompletionResultType]::ParameterName, 'Open the page in the browser')
            [CompletionResult]::new('--qr', '--qr', [CompletionResultType]::ParameterName, 'Draw the page''s URL for a telephone, on a terminal and where other machines are served')
            [CompletionResult]::new('--no-config', '--no-config', [CompletionResultType]::ParameterName, 'Read no configuration file')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say who asks for what and what happens to files, on standard error; twice, connections too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say who asks for what and what happens to files, on standard error; twice, connections too')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--keep', '--keep', [CompletionResultType]::ParameterName, 'Serve on when the command has ended, until a signal comes')
            [CompletionResult]::new('--no-show', '--no-show', [CompletionResultType]::ParameterName, 'Do not show the command''s output here as well; the URLs then go to standard output')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'logcast;healthcheck' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'logcast;hash' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'logcast;completions' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'logcast;man' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'logcast;serve' {
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'The port; 0 means any free one [default: 8000, or the next free one]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'The port; 0 means any free one [default: 8000, or the next free one]')
            [CompletionResult]::new('-b', '-b', [CompletionResultType]::ParameterName, 'The address, name or unix socket path to serve on; may be repeated [default: 127.0.0.1]')
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'The address, name or unix socket path to serve on; may be repeated [default: 127.0.0.1]')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'What a new client gets first: the last N lines of each file, from line N on, or all')
            [CompletionResult]::new('--lines', '--lines', [CompletionResultType]::ParameterName, 'What a new client gets first: the last N lines of each file, from line N on, or all')
            [CompletionResult]::new('--tz', '--tz', [CompletionResultType]::ParameterName, 'The zone of times that do not name one: a name like Europe/Berlin, UTC or local')
            [CompletionResult]::new('--spool-limit', '--spool-limit', [CompletionResultType]::ParameterName, 'How much of a pipe is kept: a size like 64M or 1GiB')
            [CompletionResult]::new('--max-clients', '--max-clients', [CompletionResultType]::ParameterName, 'The most connections at once [default: 10000, or what the system allows]')
            [CompletionResult]::new('--max-per-address', '--max-per-address', [CompletionResultType]::ParameterName, 'The most connections at once of one address; this machine''s own are not counted')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Clients need this token')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Clients need the token in this file')
            [CompletionResult]::new('--auth', '--auth', [CompletionResultType]::ParameterName, 'Let in who has this name and password; logcast hash makes the HASH (argon2, or bcrypt); may be repeated')
            [CompletionResult]::new('--auth-file', '--auth-file', [CompletionResultType]::ParameterName, 'The same from a file, one a line, as htpasswd -B writes it')
            [CompletionResult]::new('--tls-cert', '--tls-cert', [CompletionResultType]::ParameterName, 'Speak TLS with this certificate (PEM, the chain); read again when it changes')
            [CompletionResult]::new('--tls-key', '--tls-key', [CompletionResultType]::ParameterName, 'The certificate''s private key (PEM)')
            [CompletionResult]::new('--allow-origin', '--allow-origin', [CompletionResultType]::ParameterName, 'Let pages of this origin read the stream: https://NAME, null (a page opened from disk) or *')
            [CompletionResult]::new('--allow-host', '--allow-host', [CompletionResultType]::ParameterName, 'A name under which this host is reached, for proxies and other machines')
            [CompletionResult]::new('--base-path', '--base-path', [CompletionResultType]::ParameterName, 'Serve below this path, as /logs, for a proxy that passes it on')
            [CompletionResult]::new('--trusted-proxy', '--trusted-proxy', [CompletionResultType]::ParameterName, 'Believe what this proxy says of its clients (X-Forwarded-For, -Proto, -Host): an address, a network, or unix')
            [CompletionResult]::new('--access-log', '--access-log', [CompletionResultType]::ParameterName, 'Write a line of JSON for each request to this file; opened anew on SIGHUP')
            [CompletionResult]::new('--redact', '--redact', [CompletionResultType]::ParameterName, 'Replace what this regular expression matches in every line; of one with groups, what its groups match; may be repeated')
            [CompletionResult]::new('--title', '--title', [CompletionResultType]::ParameterName, 'The page''s title')
            [CompletionResult]::new('--highlight', '--highlight', [CompletionResultType]::ParameterName, 'Mark what matches this regular expression on the page; may be repeated')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read options from this file [default: ~/.config/logcast/config.toml, if it is there]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour errors and warnings')
            [CompletionResult]::new('--poll', '--poll', [CompletionResultType]::ParameterName, 'Look at everything this often, for file systems that tell nothing [default: 1000, alone: 250]')
            [CompletionResult]::new('--no-auth', '--no-auth', [CompletionResultType]::ParameterName, 'Serve without a token what other machines, or other users of this one, could not read otherwise')
            [CompletionResult]::new('--tls-self-signed', '--tls-self-signed', [CompletionResultType]::ParameterName, 'Speak TLS with a certificate made for this run; its fingerprint is on standard error')
            [CompletionResult]::new('--redact-secrets', '--redact-secrets', [CompletionResultType]::ParameterName, 'Replace what looks like a secret: tokens, keys and passwords, private keys, card numbers')
            [CompletionResult]::new('--open', '--open', [CompletionResultType]::ParameterName, 'Open the page in the browser')
            [CompletionResult]::new('--qr', '--qr', [CompletionResultType]::ParameterName, 'Draw the page''s URL for a telephone, on a terminal and where other machines are served')
            [CompletionResult]::new('--no-config', '--no-config', [CompletionResultType]::ParameterName, 'Read no configuration file')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say who asks for what and what happens to files, on standard error; twice, connections too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say who asks for what and what happens to files, on standard error; twice, connections too')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing but errors')
            [CompletionResult]::new('--no-follow', '--no-follow', [CompletionResultType]::ParameterName, 'Serve the files as they are now, and do not wait for more')
            [CompletionResult]::new('--no-history', '--no-history', [CompletionResultType]::ParameterName, 'Do not count rotated files beside a log (NAME.1, NAME-20261122.gz) as its beginning')
            [CompletionResult]::new('--history', '--history', [CompletionResultType]::ParameterName, 'The default: what is found beside a log counts')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Accepted for those who type tail: it is what it does anyway')
            [CompletionResult]::new('--follow', '--follow', [CompletionResultType]::ParameterName, 'Accepted for those who type tail: it is what it does anyway')
            [CompletionResult]::new('--retry', '--retry', [CompletionResultType]::ParameterName, 'As -f')
            [CompletionResult]::new('--tee', '--tee', [CompletionResultType]::ParameterName, 'Pass standard input on to standard output; the URLs go to standard error')
            [CompletionResult]::new('--once', '--once', [CompletionResultType]::ParameterName, 'End when all sources have ended')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'logcast;check' {
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'End after this many numbered lines')
            [CompletionResult]::new('--idle', '--idle', [CompletionResultType]::ParameterName, 'End when a URL has been silent for so many seconds')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'The token of a URL that holds none')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'The name and the password that a server with --auth asks for')
            [CompletionResult]::new('--fingerprint', '--fingerprint', [CompletionResultType]::ParameterName, 'Trust this certificate (its SHA-256), and no other; serve --tls-self-signed prints it')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'logcast;help' {
            [CompletionResult]::new('generate', 'generate', [CompletionResultType]::ParameterValue, 'Write sample logs to a file or to standard output')
            [CompletionResult]::new('tail', 'tail', [CompletionResultType]::ParameterValue, 'Print the lines of streams as they come, like tail -F; reconnects and goes on where it was')
            [CompletionResult]::new('ship', 'ship', [CompletionResultType]::ParameterValue, 'Publish files into a stream of NATS JetStream, exactly once')
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'Run a command and serve its output as two sources, stdout and stderr; end with its exit code')
            [CompletionResult]::new('healthcheck', 'healthcheck', [CompletionResultType]::ParameterValue, 'Ask a server whether it is well: exit code 0 or 1, for containers')
            [CompletionResult]::new('hash', 'hash', [CompletionResultType]::ParameterValue, 'Make the hash of a password, for serve --auth NAME:HASH; the password is asked for, or read from standard input')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print the completions of a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print the man page, or that of a command')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Follow files and serve them as an event stream and a live page (the default)')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Verify lines written by generate --sequence: none lost, doubled, out of order')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'logcast;help;generate' {
            break
        }
        'logcast;help;tail' {
            break
        }
        'logcast;help;ship' {
            break
        }
        'logcast;help;run' {
            break
        }
        'logcast;help;healthcheck' {
            break
        }
        'logcast;help;hash' {
            break
        }
        'logcast;help;completions' {
            break
        }
        'logcast;help;man' {
            break
        }
        'logcast;help;serve' {
            break
        }
        'logcast;help;check' {
            break
        }
        'logcast;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
