/**
 * The followed files and what the stream says about them. Knows no DOM: events in, stores and counts changed.
 */

import { bytes, suffixes } from './format.js';
import { Rate } from './state.js';
import { Store } from './store.js';

/** @typedef {import('./api.js').FileInfo} FileInfo */
/**
 * @typedef {object} Source
 * @property {Store|import('./merged.js').Merged} store
 * @property {Rate} rate
 * @property {number} lastLine  when the last line came
 * @property {number} flooded   when lines were last skipped
 * @property {{received: number, skipped: number}|null} paused  the counts when following ended
 * @property {{life: number, offset: number}|null} place  where it was left, null for the end
 */

/** The name of the merged view: no file has it. */
export const MERGED = '\0merged';

export class Sources {
  /** @param {(query: import('./api.js').LinesQuery) => Promise<import('./api.js').LinesAnswer>} fetchLines */
  constructor(fetchLines) {
    this.fetchLines = fetchLines;
    /** @type {Map<string, Source>} */
    this.all = new Map();
    this.active = '';
    /** The merged view, once somebody asked for it. @type {Source|null} */
    this.merged = null;
    this.version = '';
    /** The server's zone: what a time without one means. */
    this.zone = '';
    this.updated = false;
    this.labelled = 0;
  }

  get names() {
    return [...this.all.keys()];
  }

  /** What can be shown: the files, and where there are several, all of them as one. */
  get tabs() {
    return this.all.size > 1 ? [...this.all.keys(), MERGED] : [...this.all.keys()];
  }

  /** @param {string} name */
  get(name) {
    return name === MERGED ? this.merged ?? undefined : this.all.get(name);
  }

  /** The shown one. */
  get shown() {
    return this.get(this.active);
  }

  /** The store of the shown file; none while several are shown as one. @returns {Store|undefined} */
  get file() {
    const store = this.shown?.store;
    return store instanceof Store ? store : undefined;
  }

  /** What a list of files says; new ones join. @param {FileInfo[]} files @param {boolean} [anew] nothing told what happened since the last list */
  meet(files, anew = false) {
    for (const info of files) {
      let source = this.all.get(info.name);
      const first = !source;
      if (!source) {
        source = sourceOf(new Store(info.name, this.fetchLines));
        this.all.set(info.name, source);
      }
      const store = /** @type {Store} */ (source.store);
      // What it does not know is read; then the list is met again, or the next tick.
      if (!first && anew) void store.skipTo(info).then(() => store.meet(info, false));
      store.meet(info, first);
    }
    if (this.labelled === this.all.size) return;
    this.labelled = this.all.size;
    for (const [name, label] of suffixes(this.names)) /** @type {Source} */ (this.all.get(name)).store.label = label;
  }

  /** @param {string} event @param {any} data @param {{keep: boolean, now: number}} at */
  received(event, data, { keep, now }) {
    if (event === 'hello' || event === 'list') {
      this.updated = this.version !== '' && this.version !== data.version;
      this.version ||= data.version;
    }
    if (event === 'hello' || event === 'tick' || event === 'list') {
      this.meet(data.files, event === 'list');
      return;
    }
    const source = this.all.get(data.file);
    if (!source) return;
    if (event === 'batch') this.batch(source, data, keep, now);
    else notice(/** @type {Store} */ (source.store), event, data, now);
  }

  /** @param {Source} source @param {any} data @param {boolean} keep @param {number} now */
  batch(source, data, keep, now) {
    const { lines, skip, from, to } = data;
    const shown = this.shown?.store;
    const merged = shown && 'parts' in shown && shown.stores.includes(/** @type {Store} */ (source.store)) ? this.shown : null;
    // Only what is shown is kept: the others' lines are read by range when somebody turns to them.
    /** @type {Store} */ (source.store).batch(data, keep && (shown === source.store || merged !== null));
    if (merged && shown && 'parts' in shown) shown.heard(data.file, data, now);
    const average = lines.length ? (to - from - skip) / lines.length : 100;
    for (const one of merged ? [source, merged] : [source]) {
      one.rate.add(lines.length + (skip ? skip / Math.max(1, average) : 0), now);
      one.lastLine = now;
      if (skip > 0) one.flooded = now;
    }
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

/** What the page counts of a store from its beginning. @param {Source['store']} store @returns {Source} */
export function sourceOf(store) {
  return { store, rate: new Rate(), lastLine: 0, flooded: 0, paused: null, place: null };
}

/** @param {Store} store @param {string} event @param {any} data @param {number} now */
function notice(store, event, data, now) {
  const at = new Date(data.at ?? now).toLocaleTimeString('en-GB');
  const generation = data.generation ?? null;
  const rotated = `${store.label} was rotated at ${at}`;
  // A list of files may have told it first; or the new file begins like the old one, and its first lines will tell.
  if (event === 'rotated' && generation !== null && generation === store.life.generation) store.back = rotated;
  else if (event === 'rotated') store.begin(generation, rotated);
  else if (event === 'truncated') store.begin(generation, `${store.label} was truncated at ${at} (${bytes(store.size)} before)`);
  else if (event === 'gap') store.note(`Lines are missing here${data.bytes ? ` (${bytes(data.bytes)})` : ''}: ${data.reason ?? 'the server does not say why'}`);
  else if (event === 'waiting') store.state = 'waiting';
  else if (event === 'resumed') {
    store.state = 'following';
    store.back = `${store.label} is back since ${at}`;
  }
  else if (event === 'ended') store.state = 'ended';
}
