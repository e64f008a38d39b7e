/**
 * Filters that the user keeps by name, in this browser. A saved filter is what stands in the address bar for it.
 */

import { button, make } from './dom.js';
import { hashOf, shownOf } from './link.js';
import { isNothing, words } from './query.js';
import { el } from './status.js';

const KEY = 'logcast-filters';
const MOST = 50;

/** @typedef {{name: string, hash: string}} Saved */

/** @returns {Saved[]} */
function stored() {
  try {
    const all = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(all) ? all.filter((one) => typeof one?.name === 'string' && typeof one?.hash === 'string').slice(0, MOST) : [];
  } catch {
    return [];
  }
}

/** @param {import('./app.js').App} app @param {ReturnType<typeof import('./filter.js').filter>} filter */
export function saved(app, filter) {
  const box = /** @type {HTMLDialogElement} */ (el('saved'));
  const form = /** @type {HTMLFormElement} */ (box.querySelector('form'));
  const field = /** @type {HTMLInputElement} */ (box.querySelector('input'));
  const list = /** @type {HTMLElement} */ (box.querySelector('ul'));
  let all = stored();

  function keep() {
    try {
      localStorage.setItem(KEY, JSON.stringify(all));
    } catch {
      app.toast('The browser keeps nothing: the filter lasts as long as this page');
    }
  }

  function draw() {
    form.hidden = isNothing(filter.query);
    list.replaceChildren(...all.map((one) => {
      const { query } = shownOf(one.hash);
      const use = make('button', { type: 'button', class: 'use', click: () => {
        box.close();
        void filter.set(query);
      } }, make('b', {}, one.name), make('span', {}, words(query)));
      const drop = button('✕', () => {
        all = all.filter((other) => other !== one);
        keep();
        draw();
        (/** @type {HTMLElement|null} */ (list.querySelector('.use')) ?? box.querySelector('button'))?.focus();
      }, { class: 'icon', 'aria-label': `Forget ${one.name}` });
      return make('li', {}, use, drop);
    }));
    /** @type {HTMLElement} */ (box.querySelector('.none')).hidden = all.length > 0;
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const name = field.value.trim().slice(0, 60);
    if (!name) return;
    all = [{ name, hash: hashOf({ file: '', place: null, query: filter.query, find: null }) }, ...all.filter((one) => one.name !== name)].slice(0, MOST);
    keep();
    draw();
    field.value = '';
    app.toast(`Saved: ${name}`);
  });
  list.addEventListener('keydown', (event) => {
    const by = event.key === 'ArrowDown' || event.key === 'j' ? 1 : event.key === 'ArrowUp' || event.key === 'k' ? -1 : 0;
    if (!by) return;
    event.preventDefault();
    const uses = /** @type {HTMLElement[]} */ ([...list.querySelectorAll('.use')]);
    const at = uses.findIndex((use) => use.parentElement?.contains(document.activeElement));
    uses[(at + by + uses.length) % uses.length]?.focus();
  });
  box.addEventListener('click', ({ target }) => {
    if (target === box || /** @type {Element} */ (target).closest('[data-close]')) box.close();
  });
  return {
    open() {
      draw();
      box.showModal();
      if (!form.hidden && !all.length) field.focus();
      else /** @type {HTMLElement|null} */ (list.querySelector('.use'))?.focus();
    },
  };
}
