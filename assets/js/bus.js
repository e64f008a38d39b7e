/**
 * What the parts tell each other: one name, any number of listeners, called at once and in the order they came. Knows no DOM.
 *
 * `drawn` a frame was drawn · `show` another file or another filter is shown · `event` something came by the stream ·
 * `query` what is filtered for changed · `found` what a search found changed · `dress` the look changed
 */

export class Bus {
  constructor() {
    /** @type {Map<string, ((data: any) => void)[]>} */
    this.listeners = new Map();
  }

  /** @param {string} name @param {(data: any) => void} listener */
  on(name, listener) {
    const all = this.listeners.get(name) ?? [];
    all.push(listener);
    this.listeners.set(name, all);
  }

  /** @param {string} name @param {any} [data] */
  emit(name, data) {
    for (const listener of this.listeners.get(name) ?? []) listener(data);
  }
}
