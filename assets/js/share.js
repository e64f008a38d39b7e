/**
 * One stream for all tabs of a browser: it gives a server six connections over HTTP/1.1, and a stream keeps one.
 *
 * One tab leads: it has the stream and hands on what comes, the others join. Who leads is found over a BroadcastChannel
 * alone, because Web Locks are only there over HTTPS and on localhost. A tab asks who leads and takes over where nobody
 * answers; of two leaders the elder stays, so that a race costs a connection for a moment and nothing else. A leader that goes
 * says so, one that dies is missed after `SILENT_MS`; the new one goes on from the last cursor that it saw.
 * Invariant: every tab sees each event once and in order, or begins anew with the list of files. The stream is not
 * filtered; it carries the files that any tab shows. Knows no DOM.
 */

import { Stream } from './stream.js';

/** @typedef {import('./stream.js').Phase} Phase */
/**
 * @typedef {object} Hooks
 * @property {(cursor: string, files: string[]) => string} url
 * @property {(event: string, data: any) => void} event
 * @property {(phase: Phase, tries: number) => void} phase
 * @property {() => void} refused
 * @property {() => Promise<any>} files  the list of files, as `hello` has it
 */
/** @typedef {'rest'|'seek'|'lead'|'join'} Role */
/** @typedef {{kind: 'who'|'lead'|'state'|'event'|'resign'|'hurry', id: string, files?: string[], phase?: Phase, tries?: number, retryAt?: number, cursor?: string, name?: string, text?: string}} Message */

const SEEK_MS = 30; // for an answer; the first lines are read by range meanwhile
const BEAT_MS = 1000;
const SILENT_MS = 3500; // a hidden leader's timers may be late by a second
const MANY_TABS = 200; // whose files are remembered
const FEW_FILES = 32; // so many fit an id: with more, only those that are shown are streamed
/** They move nothing: the browser gives them the id of the event before. */
const STANDING = new Set(['hello', 'list', 'tick']);
const SEEN = 64; // events remembered, so that none comes twice when the leader changes

export class Shared {
  /** @param {string} name of the channel: tabs of one server and base path share it @param {Hooks} hooks */
  constructor(name, hooks) {
    this.hooks = hooks;
    /** @type {Role} */
    this.role = 'rest';
    // The elder one is the smaller one.
    this.id = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 10)}`;
    this.cursor = '';
    /** When the leader tries next, where it lost the server. */
    this.heldAt = 0;
    this.heard = 0;
    /** @type {string[]} the files that this tab shows */
    this.files = [];
    this.total = 0;
    /** @type {Map<string, string[]>} the files of the others */
    this.others = new Map();
    /** @type {string[]} */
    this.asked = [];
    /** @type {string[]} */
    this.seen = [];
    this.phase = /** @type {Phase} */ ('connecting');
    this.seeking = 0;
    this.beat = 0;
    this.known = false;
    this.anew = true;
    this.channel = typeof BroadcastChannel === 'function' ? new BroadcastChannel(name) : null;
    if (this.channel) this.channel.onmessage = ({ data }) => this.told(data);
    this.stream = new Stream({
      url: (cursor) => hooks.url(cursor, this.asked),
      event: (event, data, text, cursor) => {
        this.say({ kind: 'event', name: event, text, cursor });
        // Without a cursor nothing tells what happened before: the list of files has to.
        this.got(event === 'hello' && this.anew ? 'list' : event, data, cursor);
        if (event === 'hello') this.anew = false;
      },
      phase: (phase, tries) => {
        if (this.role === 'lead') this.turn(phase, tries);
      },
      refused: () => hooks.refused(),
    });
  }

  get retryAt() {
    return this.role === 'lead' ? this.stream.retryAt : this.heldAt;
  }

  /** Begins, or tries again at once. */
  open() {
    if (this.role === 'lead') this.stream.open();
    else if (this.role === 'join') this.say({ kind: 'hurry' });
    else this.seek(SEEK_MS);
  }

  hurry() {
    if (this.role === 'lead') this.stream.hurry();
    else if (this.role === 'join') this.say({ kind: 'hurry' });
  }

  /** Lets go: nothing is received any more. */
  close() {
    this.leave();
    this.turn('closed', 0);
  }

  /** Lets go without a word to the page: it is about to go itself. */
  leave() {
    const led = this.role === 'lead';
    this.role = 'rest';
    this.known = false;
    clearTimeout(this.seeking);
    clearInterval(this.beat);
    this.stream.drop();
    if (led) this.say({ kind: 'resign', cursor: this.cursor });
  }

  /** What this tab shows; where there are many files, only those are streamed. @param {string[]} files @param {number} total */
  want(files, total) {
    if (total === this.total && files.join('\n') === this.files.join('\n')) return;
    this.total = total;
    this.files = files;
    if (this.role === 'lead') this.widen();
    else if (this.role === 'join') this.say({ kind: 'who', files });
  }

  /** @param {number} wait */
  seek(wait) {
    this.role = 'seek';
    clearTimeout(this.seeking);
    clearInterval(this.beat);
    if (this.phase !== 'lost') this.turn('connecting', 0);
    if (!this.channel) return this.lead();
    this.say({ kind: 'who', files: this.files });
    this.seeking = setTimeout(() => this.lead(), wait * (1 + Math.random()));
    return undefined;
  }

  lead() {
    this.role = 'lead';
    this.asked = this.union();
    this.stream.cursor = this.asked.length ? '' : this.cursor; // it names the files of another leader
    this.anew = this.stream.cursor === '';
    this.say({ kind: 'lead', cursor: this.cursor });
    this.stream.open();
    clearInterval(this.beat);
    this.beat = setInterval(() => this.say({ kind: 'lead' }), BEAT_MS);
  }

  join() {
    clearTimeout(this.seeking);
    clearInterval(this.beat);
    this.stream.drop();
    this.role = 'join';
    this.heard = Date.now();
    this.beat = setInterval(() => {
      // A leader that died says nothing; the server's silence is told by the leader.
      if (Date.now() - this.heard > SILENT_MS) this.seek(SEEK_MS);
    }, 500);
    if (this.known) return;
    this.known = true;
    this.hooks.files().then((list) => {
      if (this.role !== 'rest') this.hooks.event('list', list);
    }, () => this.hooks.refused());
  }

  /** @param {Message} message */
  told(message) {
    const { kind, id } = message;
    if (id === this.id || this.role === 'rest') return;
    if (kind === 'who') return this.asks(message);
    if (kind === 'hurry') return this.role === 'lead' ? this.stream.hurry() : undefined;
    if (kind === 'resign') {
      this.others.delete(id);
      if (message.cursor && this.role === 'join') this.cursor = message.cursor;
      return this.role === 'join' ? this.seek(SEEK_MS / 2) : undefined;
    }
    // All else comes from one that leads.
    if (this.role === 'lead') {
      if (id > this.id) this.say({ kind: 'lead' });
      else this.join();
    } else if (this.role === 'seek') {
      this.join();
    }
    if (this.role !== 'join') return undefined;
    this.heard = Date.now();
    if (kind === 'state') {
      this.heldAt = message.retryAt ?? 0;
      this.turn(message.phase ?? 'open', message.tries ?? 0);
    } else if (kind === 'event' && message.name !== undefined && message.text !== undefined) {
      this.got(message.name, JSON.parse(message.text), message.cursor ?? '');
    }
    return undefined;
  }

  /** @param {Message} message */
  asks({ id, files }) {
    if (this.role !== 'lead') return;
    if (this.others.size < MANY_TABS || this.others.has(id)) this.others.set(id, files ?? []);
    this.say({ kind: 'state', phase: this.phase, tries: this.stream.tries, retryAt: this.stream.retryAt });
    this.widen();
  }

  /** @param {string} event @param {any} data @param {string} cursor */
  got(event, data, cursor) {
    if (cursor && !STANDING.has(event)) {
      const key = `${event} ${cursor}`;
      if (this.seen.includes(key)) return;
      this.seen.push(key);
      if (this.seen.length > SEEN) this.seen.shift();
    }
    if (cursor) this.cursor = cursor;
    if (event === 'hello' || event === 'list') this.known = true;
    this.hooks.event(event, data);
  }

  /** @param {Phase} phase @param {number} tries */
  turn(phase, tries) {
    this.phase = phase;
    this.hooks.phase(phase, tries);
    if (this.role === 'lead') this.say({ kind: 'state', phase, tries, retryAt: this.stream.retryAt });
  }

  /** The files to ask for: none named means all. */
  union() {
    if (this.total <= FEW_FILES) return [];
    return [...new Set([...this.files, ...[...this.others.values()].flat()])].sort().slice(0, FEW_FILES);
  }

  /** Asks for more files where somebody shows one that is not streamed yet. */
  widen() {
    const wanted = this.union();
    if (wanted.every((file) => this.asked.includes(file)) && (wanted.length > 0) === (this.asked.length > 0)) return;
    this.asked = wanted;
    // Its cursor says nothing about the new files: from the tips on; what lies between is read by range.
    this.stream.cursor = '';
    this.anew = true;
    this.stream.open();
  }

  /** @param {Omit<Message, 'id'>} message */
  say(message) {
    this.channel?.postMessage({ ...message, id: this.id });
  }
}
