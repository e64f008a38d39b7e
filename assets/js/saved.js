/**
 * Filters that the user keeps by name, in this browser. A saved filter is what stands in the address bar for it.
 */

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
      const row = document.createElement('li');
      const use = document.createElement('button');
      use.type = 'button';
      use.className = 'use';
      const name = document.createElement('b');
      name.textContent = one.name;
      const what = document.createElement('span');
      what.textContent = words(shownOf(one.hash).query);
      use.append(name, what);
      use.addEventListener('click', () => {
        box.close();
        void filter.set(shownOf(one.hash).query);
      });
      const drop = document.createElement('button');
      drop.type = 'button';
      drop.className = 'icon';
      drop.textContent = '✕';
      drop.ariaLabel = `Forget ${one.name}`;
      drop.addEventListener('click', () => {
        all = all.filter((other) => other !== one);
        keep();
        draw();
        (/** @type {HTMLElement|null} */ (list.querySelector('.use')) ?? box.querySelector('button'))?.focus();
      });
      row.append(use, drop);
      return row;
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
