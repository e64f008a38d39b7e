// node node.mjs npm|undici|own FOLDER URL: prints each message as one line of JSON, and comes back by itself.
//
// `own` is the EventSource that Node.js has built in (node --experimental-eventsource).
import { createRequire } from 'node:module';

const [kind, folder, url] = process.argv.slice(2);
const require = createRequire(`${folder}/`);
const EventSource = kind === 'own' ? globalThis.EventSource : require(kind === 'npm' ? 'eventsource' : 'undici').EventSource;
const source = new EventSource(url);
const say = (fields) => process.stdout.write(`${JSON.stringify(fields)}\n`);
source.onmessage = ({ data, lastEventId }) => say({ data, id: lastEventId });
source.addEventListener('gap', ({ data }) => say({ gap: data }));
// undici's timer for coming back does not keep the process alive.
setInterval(() => {}, 60_000);
