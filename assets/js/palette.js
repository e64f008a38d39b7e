/**
 * The two small boxes: `:` asks for a place, Ctrl-K for an act by its name.
 */

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

/** @param {(act: string) => void} run */
export function palette(run) {
  const box = /** @type {HTMLDialogElement} */ (el('palette'));
  const field = /** @type {HTMLInputElement} */ (box.querySelector('input'));
  const list = /** @type {HTMLElement} */ (box.querySelector('[role=listbox]'));
  /** @type {import('./keys.js').Binding[]} */
  let shown = [];
  let at = 0;

  function draw() {
    shown = BINDINGS.filter(({ act }) => act).map((binding) => ({ binding, points: score(field.value, binding.does) }))
      .filter(({ points }) => points >= 0 || field.value === '').sort((a, b) => (field.value ? b.points - a.points : 0)).slice(0, 12).map(({ binding }) => binding);
    at = Math.max(0, Math.min(at, shown.length - 1));
    list.replaceChildren(...shown.map((binding, i) => {
      const option = document.createElement('div');
      option.role = 'option';
      option.id = `option-${i}`;
      option.ariaSelected = String(i === at);
      option.append(binding.does);
      const key = document.createElement('kbd');
      key.textContent = sign(binding.keys[0]);
      option.append(key);
      option.addEventListener('click', () => choose(i));
      return option;
    }));
    field.setAttribute('aria-activedescendant', shown.length ? `option-${at}` : '');
    list.children[at]?.scrollIntoView({ block: 'nearest' });
  }

  /** @param {number} i */
  function choose(i) {
    const binding = shown[i];
    box.close();
    if (binding) run(binding.act);
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
    field.value = '';
    at = 0;
    draw();
    box.showModal();
  };
}

/** @param {(typed: string) => Promise<string>} go  gives the words of what went wrong, or '' @param {() => void} there  it went well, and the box is closed */
export function goBox(go, there) {
  const box = /** @type {HTMLDialogElement} */ (el('goto'));
  const form = /** @type {HTMLFormElement} */ (box.querySelector('form'));
  const field = /** @type {HTMLInputElement} */ (box.querySelector('input'));
  const words = /** @type {HTMLElement} */ (box.querySelector('.problem'));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const wrong = await go(field.value);
    words.textContent = wrong;
    if (wrong) field.setAttribute('aria-invalid', 'true');
    else {
      box.close();
      there();
    }
  });
  box.addEventListener('click', ({ target }) => { if (target === box) box.close(); });
  return () => {
    field.value = '';
    words.textContent = '';
    field.removeAttribute('aria-invalid');
    box.showModal();
  };
}
