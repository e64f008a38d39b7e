/**
 * The files as tabs. One stream carries all of them, so that a change of tab costs no connection.
 *
 * At most `MOST` tabs are drawn; where there are more files, the last tab opens the list of all by name.
 */

import { make } from './dom.js';
import { suffixes } from './format.js';
import { MERGED } from './sources.js';

const MOST = 24;
const HUES = 8;

/** @param {HTMLElement} root @param {(name: string) => void} choose @param {() => void} [all]  shows the list of all */
export function tabs(root, choose, all = () => {}) {
  /** @type {Map<string, HTMLButtonElement>} */
  const buttons = new Map();
  /** @type {HTMLButtonElement|null} */
  let rest = null;
  let drawn = '';
  let count = 0;
  /** @type {Map<string, string>} */
  let labels = new Map();
  root.addEventListener('keydown', (event) => {
    const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (!by) return;
    event.preventDefault();
    const list = [...buttons.values()];
    const at = list.findIndex((button) => button.ariaSelected === 'true');
    const to = list[(at + by + list.length) % list.length];
    to.click();
    to.focus();
  });

  /** @param {string} name @param {number} i */
  function tabOf(name, i) {
    const tab = make('button', { type: 'button', role: 'tab', 'data-name': name, 'aria-controls': 'log', click: () => choose(name) },
      make('span', { class: name === MERGED ? 'dot both' : 'dot' }), make('span', { class: 'label' }));
    tab.style.setProperty('--hue', `var(--hue${i % HUES})`);
    return tab;
  }

  return {
    /** @param {string[]} names @param {string} active @param {(name: string) => string} state */
    draw(names, active, state) {
      if (names.length !== count) {
        count = names.length;
        labels = suffixes(names.filter((name) => name !== MERGED));
        labels.set(MERGED, 'Merged');
      }
      let shown = names;
      if (names.length > MOST) {
        shown = names.slice(0, MOST - 2);
        for (const name of [active, MERGED]) if (name && !shown.includes(name)) shown.push(name);
      }
      const key = shown.join('\n');
      if (key !== drawn) {
        drawn = key;
        for (const [name, button] of buttons) if (!shown.includes(name)) {
          button.remove();
          buttons.delete(name);
        }
        for (const name of shown) {
          const button = buttons.get(name) ?? tabOf(name, names.indexOf(name));
          buttons.set(name, button);
          root.append(button);
        }
        rest?.remove();
        rest = null;
        if (shown.length < names.length) {
          rest = make('button', { type: 'button', class: 'rest', click: all }, `${names.length - shown.length} more…`);
          root.after(rest);
        }
      }
      for (const [name, button] of buttons) {
        const label = /** @type {HTMLElement} */ (button.lastElementChild);
        const text = labels.get(name) ?? name;
        if (label.textContent !== text) label.textContent = text;
        const words = state(name);
        const title = name === MERGED ? 'All files as one, by time (M)' : words === 'following' ? name : `${name} (${words})`;
        if (button.title !== title) button.title = title;
        if (button.dataset.state !== words) button.dataset.state = words;
        if (button.ariaSelected !== String(name === active)) {
          button.ariaSelected = String(name === active);
          button.tabIndex = name === active ? 0 : -1;
          if (name === active) button.scrollIntoView({ block: 'nearest', inline: 'nearest' });
        }
      }
    },
  };
}
