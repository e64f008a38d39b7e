/**
 * The followed files and what the stream says about them. Knows no DOM: events in, stores and counts changed.
 */

import { bytes, suffixes } from './format.js';
import { Rate } from './state.js';
import { Store } from './store.js';

/** @typedef {import('./api.js').FileInfo} FileInfo */
/**
 * @typedef {object} Source
 * @property {Store} store
 * @property {Rate} rate
 * @property {number} lastLine  when the last line came
 * @property {number} flooded   when lines were last skipped
 * @property {{received: number, skipped: number}|null} paused  the counts when following ended
 * @property {{life: number, offset: number}|null} place  where it was left, null for the end
 */

export class Sources {
  /** @param {(query: import('./api.js').LinesQuery) => Promise<import('./api.js').LinesAnswer>} fetchLines */
  constructor(fetchLines) {
    this.fetchLines = fetchLines;
    /** @type {Map<string, Source>} */
    this.all = new Map();
    this.active = '';
    this.version = '';
    /** The server's zone: what a time without one means. */
    this.zone = '';
    this.updated = false;
    this.labelled = 0;
  }

  get names() {
    return [...this.all.keys()];
  }

  /** The shown one. */
  get shown() {
    return this.all.get(this.active);
  }

  /** What a list of files says; new ones join. @param {FileInfo[]} files */
  meet(files) {
    for (const info of files) {
      let source = this.all.get(info.name);
      const first = !source;
      if (!source) {
        source = { store: new Store(info.name, this.fetchLines), rate: new Rate(), lastLine: 0, flooded: 0, paused: null, place: null };
        this.all.set(info.name, source);
      }
      source.store.meet(info, first);
    }
    if (this.labelled === this.all.size) return;
    this.labelled = this.all.size;
    for (const [name, label] of suffixes(this.names)) /** @type {Source} */ (this.all.get(name)).store.label = label;
  }

  /** @param {string} event @param {any} data @param {{keep: boolean, now: number}} at */
  received(event, data, { keep, now }) {
    if (event === 'hello') {
      this.updated = this.version !== '' && this.version !== data.version;
      this.version ||= data.version;
    }
    if (event === 'hello' || event === 'tick') {
      this.meet(data.files);
      return;
    }
    const source = this.all.get(data.file);
    if (!source) return;
    if (event === 'batch') this.batch(source, data, keep, now);
    else notice(source.store, event, data, now);
  }

  /** @param {Source} source @param {any} data @param {boolean} keep @param {number} now */
  batch(source, data, keep, now) {
    const { lines, skip, from, to } = data;
    source.store.batch(data, keep);
    const average = lines.length ? (to - from - skip) / lines.length : 100;
    source.rate.add(lines.length + (skip ? skip / Math.max(1, average) : 0), now);
    source.lastLine = now;
    if (skip > 0) source.flooded = now;
  }

  /** Counts from here: what comes now, nobody has seen. @param {Source} source */
  mark({ store }) {
    return { received: store.received, skipped: store.skippedBytes };
  }

  /** Lines since following ended; `about` where some of them were counted by their bytes. @param {Source|undefined} source */
  fresh(source) {
    if (!source?.paused) return { lines: 0, about: false };
    const { store, paused } = source;
    const skipped = store.skippedBytes - paused.skipped;
    const average = store.received ? Math.max(1, store.receivedBytes / store.received) : 100;
    return { lines: store.received - paused.received + Math.round(skipped / average), about: skipped > 0 };
  }
}

/** @param {Store} store @param {string} event @param {any} data @param {number} now */
function notice(store, event, data, now) {
  const at = new Date(data.at ?? now).toLocaleTimeString('en-GB');
  const generation = data.generation ?? null;
  if (event === 'rotated') store.begin(generation, `${store.label} was rotated at ${at}`);
  else if (event === 'truncated') store.begin(generation, `${store.label} was truncated at ${at} (${bytes(store.size)} before)`);
  else if (event === 'gap') store.note(`Lines are missing here${data.bytes ? ` (${bytes(data.bytes)})` : ''}: ${data.reason ?? 'the server does not say why'}`);
  else if (event === 'waiting') store.state = 'waiting';
  else if (event === 'resumed') {
    store.state = 'following';
    store.back = `${store.label} is back since ${at}`;
  }
  else if (event === 'ended') store.state = 'ended';
}
