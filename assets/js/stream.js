/**
 * The live stream: one EventSource for all files, watched, and reopened from the last cursor.
 *
 * Invariant: at most one EventSource is open, and what it gets is handed on in order. The browser's own reconnection is
 * not left to itself: it can neither notice a server that is stopped with the socket open, nor tell how often it tried.
 * After any doubt the source is closed and a new one asks for what follows the last cursor. Knows no DOM.
 */

/** @typedef {'connecting'|'open'|'lost'|'closed'} Phase */
/**
 * @typedef {object} Hooks
 * @property {(cursor: string) => string} url
 * @property {(event: string, data: any, text: string, cursor: string) => void} event
 * @property {(phase: Phase, tries: number) => void} phase
 * @property {() => void} refused  the server answered with something that is no stream
 */

const EVENTS = ['hello', 'batch', 'tick', 'rotated', 'truncated', 'waiting', 'resumed', 'gap', 'ended', 'cursor'];
/** A `tick` comes each second; after this silence the connection is not believed. */
const SILENCE_MS = 5000;
const RETRY_MS = [300, 1000, 1000, 2000, 3000, 5000];

export class Stream {
  /** @param {Hooks} hooks */
  constructor(hooks) {
    this.hooks = hooks;
    this.cursor = '';
    this.tries = 0;
    /** When the next try begins (ms), 0 while none is planned. */
    this.retryAt = 0;
    /** @type {EventSource|null} */
    this.source = null;
    this.heard = 0;
    this.retry = 0;
    this.dog = 0;
  }

  open() {
    this.drop();
    this.heard = Date.now();
    this.retryAt = 0;
    const source = new EventSource(this.hooks.url(this.cursor));
    this.source = source;
    this.hooks.phase(this.tries ? 'lost' : 'connecting', this.tries);
    for (const name of EVENTS) {
      source.addEventListener(name, (event) => {
        if (this.source !== source) return;
        this.heard = Date.now();
        const { data, lastEventId } = /** @type {MessageEvent<string>} */ (event);
        // The data first: if it cannot be read, the cursor must not move past it.
        const value = JSON.parse(data);
        if (name === 'hello') {
          this.tries = 0;
          this.hooks.phase('open', 0);
        }
        this.hooks.event(name, value, data, lastEventId);
        if (lastEventId) this.cursor = lastEventId;
      });
    }
    source.onerror = () => {
      if (this.source !== source) return;
      if (source.readyState === EventSource.CLOSED) this.hooks.refused();
      this.lose();
    };
    this.dog = window.setInterval(() => {
      if (Date.now() - this.heard > SILENCE_MS) this.lose();
    }, 500);
  }

  /** The connection is not believed any more: close it, try again soon. */
  lose() {
    this.drop();
    const wait = RETRY_MS[Math.min(this.tries, RETRY_MS.length - 1)];
    this.tries += 1;
    this.retryAt = Date.now() + wait;
    this.retry = window.setTimeout(() => this.open(), wait);
    this.hooks.phase('lost', this.tries);
  }

  /** Tries at once, if a try was planned. */
  hurry() {
    if (this.retryAt) this.open();
  }

  close() {
    this.drop();
    this.hooks.phase('closed', 0);
  }

  drop() {
    this.source?.close();
    this.source = null;
    this.retryAt = 0;
    window.clearTimeout(this.retry);
    window.clearInterval(this.dog);
  }
}
