/**
 * The files as tabs. One stream carries all of them, so that a change of tab costs no connection.
 */

import { suffixes } from './format.js';

/** @param {HTMLElement} root @param {(name: string) => void} choose */
export function tabs(root, choose) {
  /** @type {Map<string, HTMLButtonElement>} */
  const buttons = new Map();
  root.addEventListener('keydown', (event) => {
    const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (!by) return;
    event.preventDefault();
    const all = [...buttons.values()];
    const at = all.findIndex((button) => button.ariaSelected === 'true');
    const to = all[(at + by + all.length) % all.length];
    to.click();
    to.focus();
  });
  return {
    /** @param {string[]} names @param {string} active @param {(name: string) => string} state */
    draw(names, active, state) {
      const labels = suffixes(names);
      names.forEach((name, i) => {
        let button = buttons.get(name);
        if (!button) {
          button = document.createElement('button');
          button.type = 'button';
          button.role = 'tab';
          button.dataset.name = name;
          button.style.setProperty('--hue', `var(--hue${i % 8})`);
          const dot = document.createElement('span');
          dot.className = 'dot';
          const label = document.createElement('span');
          label.className = 'label';
          button.append(dot, label);
          button.setAttribute('aria-controls', 'log');
          button.addEventListener('click', () => choose(name));
          buttons.set(name, button);
          root.append(button);
        }
        const label = /** @type {HTMLElement} */ (button.lastElementChild);
        if (label.textContent !== labels.get(name)) label.textContent = labels.get(name) ?? name;
        const words = state(name);
        button.title = words === 'following' ? name : `${name} (${words})`;
        button.dataset.state = words;
        if (button.ariaSelected !== String(name === active)) {
          button.ariaSelected = String(name === active);
          button.tabIndex = name === active ? 0 : -1;
          if (name === active) button.scrollIntoView({ block: 'nearest', inline: 'nearest' });
        }
      });
    },
  };
}
