/**
 * The two small boxes: `:` asks for a place, Ctrl-K for an act by its name.
 */

import { make } from './dom.js';
import { BINDINGS, sign } from './keys.js';
import { el } from './status.js';

/**
 * How well `typed` fits as a subsequence, greater is better, -1 for not at all.
 * @param {string} typed @param {string} name
 */
export function score(typed, name) {
  const text = name.toLowerCase();
  let at = -1;
  let points = 0;
  for (const c of typed.toLowerCase().replace(/\s/g, '')) {
    const next = text.indexOf(c, at + 1);
    if (next < 0) return -1;
    points += next === at + 1 ? 3 : 0;
    points += next === 0 || text[next - 1] === ' ' ? 2 : 0;
    at = next;
  }
  return points - text.length / 100;
}

const SHOWN = 14;

/** What has no key. @type {[string, string][]} */
const KEYLESS = [['merge-files', 'choose the files of the merged view'], ['labels-off', 'take all colour labels off']];

/** @typedef {{name: string, key?: string, run: () => void}} Choice */

/** @param {(act: string) => void} act @param {() => Choice[]} [more]  further choices, as they are when the box opens */
export function palette(act, more = () => []) {
  const box = /** @type {HTMLDialogElement} */ (el('palette'));
  const field = /** @type {HTMLInputElement} */ (box.querySelector('input'));
  const list = /** @type {HTMLElement} */ (box.querySelector('[role=listbox]'));
  /** @type {Choice[]} */
  let all = [];
  /** @type {Choice[]} */
  let shown = [];
  let at = 0;

  function draw() {
    shown = field.value.trim() === '' ? all.slice(0, SHOWN) : all.map((choice) => ({ choice, points: score(field.value, choice.name) }))
      .filter(({ points }) => points >= 0).sort((a, b) => b.points - a.points).slice(0, SHOWN).map(({ choice }) => choice);
    at = Math.max(0, Math.min(at, shown.length - 1));
    list.replaceChildren(...shown.map(({ name, key }, i) => make('div', { role: 'option', id: `option-${i}`, 'aria-selected': String(i === at), click: () => choose(i) }, name, ...(key ? [make('kbd', {}, key)] : []))));
    field.setAttribute('aria-activedescendant', shown.length ? `option-${at}` : '');
    list.children[at]?.scrollIntoView({ block: 'nearest' });
  }

  /** @param {number} i */
  function choose(i) {
    const choice = shown[i];
    box.close();
    choice?.run();
  }

  field.addEventListener('input', () => { at = 0; draw(); });
  field.addEventListener('keydown', (event) => {
    const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (by) {
      at = (at + by + shown.length) % Math.max(1, shown.length);
      draw();
    } else if (event.key === 'Enter') choose(at);
    else return;
    event.preventDefault();
  });
  box.addEventListener('click', ({ target }) => { if (target === box) box.close(); });
  return () => {
    all = [
      ...BINDINGS.map(({ does, keys, act: name }) => ({ name: does, key: sign(keys[0]), run: () => act(name) })),
      ...KEYLESS.map(([name, does]) => ({ name: does, run: () => act(name) })),
      ...more(),
    ];
    field.value = '';
    at = 0;
    draw();
    box.showModal();
  };
}

/**
 * The box stands over the log and takes nothing from it: to have all lines inert, and then not, costs as much as to draw
 * them. It is gone when the cursor goes elsewhere, as it does with a jump.
 * @param {(typed: string) => Promise<string>} go  gives the words of what went wrong, or ''
 */
export function goBox(go) {
  const box = /** @type {HTMLDialogElement} */ (el('goto'));
  const form = /** @type {HTMLFormElement} */ (box.querySelector('form'));
  const field = /** @type {HTMLInputElement} */ (box.querySelector('input'));
  const words = /** @type {HTMLElement} */ (box.querySelector('.problem'));
  let turn = 0;
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const mine = turn += 1;
    const wrong = await go(field.value);
    if (mine !== turn) return; // somebody types on
    words.textContent = wrong;
    if (wrong) field.setAttribute('aria-invalid', 'true');
    else if (box.open) el('log').focus({ preventScroll: true });
  });
  field.addEventListener('input', () => { turn += 1; });
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !box.open) return;
    event.stopPropagation(); // of what is open only the box closes
    box.close();
  }, true);
  for (const kind of ['focusin', 'pointerdown']) {
    document.addEventListener(kind, ({ target }) => { if (box.open && !box.contains(/** @type {Node} */ (target))) box.close(); });
  }
  return () => {
    turn += 1;
    field.value = '';
    words.textContent = '';
    field.removeAttribute('aria-invalid');
    box.show();
  };
}
