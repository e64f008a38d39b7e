/**
 * What one does with fields: in a detail by keys and buttons, in a dialog for all fields of the file.
 *
 * `=` and `!` are for the filter: it is told by the bus, with the words as they stand in the line.
 */

import { Columns } from './columns.js';
import { FIELD_ACTS } from './detail.js';
import { button, dialog, make } from './dom.js';
import { fieldsOf } from './fields.js';
import { plain } from './group.js';
import { whose } from './query.js';
import { el } from './status.js';

const MOST = 60; // fields in the dialog

/** @param {import('./app.js').App} app */
export function fieldBox({ bus, sources, view, toast, select }) {
  const { block } = view;
  const columns = new Columns();
  const file = () => sources.active;

  function redraw() {
    view.keepPlace(() => block.refill());
  }

  block.dressers.push((row, item) => columns.dress(item.file ?? file(), row, item.text));
  bus.on('drawn', () => {
    if (columns.grew()) block.refill();
  });

  /** @param {'only'|'not'|'hide'|'pin'} act @param {HTMLElement} tr */
  function does(act, tr) {
    const field = tr.dataset.field ?? '';
    const row = /** @type {HTMLElement} */ (tr.closest('.row'));
    const item = block.items[block.rows.indexOf(row)];
    const value = tr.querySelector('td')?.textContent ?? '';
    const of = /** @type {import('./query.js').Whose|undefined} */ (tr.dataset.of);
    if (!item || (of && act !== 'only')) return;
    const name = item.file ?? file();
    if (act === 'hide' || act === 'pin') {
      const on = columns.toggle(name, field, act === 'hide' ? 'hidden' : 'pinned');
      redraw();
      // The detail was made anew: the focus goes on where it was.
      /** @type {HTMLElement|null} */ (row.querySelector(`tr[data-field="${CSS.escape(field)}"] [data-field="${act}"]`))?.focus({ preventScroll: true });
      toast(act === 'hide' ? `${field} is ${on ? 'hidden' : 'shown again'} in this file` : `${field} is ${on ? 'a column now' : 'no column any more'}`);
    } else {
      if (item.file) select(name); // filters are of one file
      bus.emit('keep', of ? whose(value, of) : { text: asWritten(plain(item.text), field, value), not: act === 'not', regex: false, capitals: true });
    }
  }

  el('block').addEventListener('click', (event) => {
    const target = /** @type {HTMLElement} */ (event.target).closest('button');
    const tr = /** @type {HTMLElement|null} */ (target?.closest('tr[data-field]') ?? null);
    const pressed = /** @type {HTMLElement} */ (event.target).closest('tr[data-field]');
    // A finger has no hover: a tap on a field shows what one can do with it.
    if (!target && pressed) pressed.classList.toggle('tapped');
    if (!target?.dataset.field || !tr) return;
    event.stopImmediatePropagation();
    does(/** @type {any} */ (target.dataset.field), tr);
  }, true);
  el('block').addEventListener('keydown', (event) => {
    const tr = /** @type {HTMLElement|null} */ (/** @type {Element} */ (event.target).closest('tr[data-field]'));
    if (!tr || event.ctrlKey || event.altKey || event.metaKey) return;
    const act = FIELD_ACTS.find(([, key]) => key === event.key)?.[0];
    const by = event.key === 'ArrowDown' || event.key === 'j' ? 1 : event.key === 'ArrowUp' || event.key === 'k' ? -1 : 0;
    if (act) does(act, tr);
    else if (by) {
      const rows = [.../** @type {HTMLElement} */ (tr.parentElement).children];
      rows[rows.indexOf(tr) + by]?.querySelector('button')?.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });

  const box = dialog('fields', 'Fields', fill);

  /** @param {HTMLElement} body */
  function fill(body) {
    const name = file();
    const { pinned, hidden } = columns.of(name);
    /** @type {Map<string, string>} */
    const seen = new Map();
    for (const item of block.items) {
      if (item.kind !== 'line' || seen.size >= MOST) continue;
      for (const [field, value] of fieldsOf(plain(item.text))?.fields ?? []) if (!seen.has(field) && seen.size < MOST) seen.set(field, value);
    }
    const names = [...new Set([...pinned, ...seen.keys(), ...hidden])];
    if (!names.length) {
      body.replaceChildren(make('p', { class: 'lead' }, 'No line on the screen has fields: JSON and key=value lines do.'));
      return;
    }
    const again = (/** @type {string} */ key) => {
      redraw();
      fill(body);
      /** @type {HTMLElement|null} */ (body.querySelector(`[data-key="${CSS.escape(key)}"]`))?.focus();
    };
    const rows = names.map((field) => {
      const at = pinned.indexOf(field);
      /** @param {string} words @param {string} does @param {boolean} on @param {() => void} act */
      const toggle = (words, does, on, act) => button(words, () => { act(); again(`${does} ${field}`); }, { 'aria-pressed': String(on), 'aria-label': `${words} ${field}`, 'data-key': `${does} ${field}` });
      const move = (/** @type {string} */ sign, /** @type {number} */ by, /** @type {string} */ words) =>
        button(sign, () => { columns.move(name, field, by); again(`${sign} ${field}`); }, { class: 'icon', 'aria-label': `Move ${field} ${words}`, 'data-key': `${sign} ${field}`, disabled: at < 0 || at + by < 0 || at + by >= pinned.length });
      return make('tr', {}, make('th', { scope: 'row' }, field), make('td', { class: 'sample' }, (seen.get(field) ?? '').slice(0, 60)),
        make('td', { class: 'does' }, toggle('Column', 'pin', at >= 0, () => columns.toggle(name, field, 'pinned')), toggle('Hide', 'hide', hidden.includes(field), () => columns.toggle(name, field, 'hidden')), move('↑', -1, 'up'), move('↓', 1, 'down')));
    });
    body.replaceChildren(
      make('p', { class: 'lead' }, 'Columns stand before the message, in this order. Kept in this browser for this file.'),
      make('table', { class: 'grid' }, make('tbody', {}, ...rows)),
      make('p', { class: 'acts' }, button('Show lines as written', () => { columns.set(name, { pinned: [], hidden: [] }); redraw(); fill(body); })),
    );
  }

  return {
    fields: () => box.open(`Fields of ${sources.shown?.store.label ?? ''}`),
    columns() {
      columns.on = !columns.on;
      redraw();
      toast(columns.on ? 'Fields are shown as chosen' : 'Lines are shown as written');
    },
  };
}

/** How the field stands in the line, for a literal filter. @param {string} line @param {string} field @param {string} value */
export function asWritten(line, field, value) {
  const key = field.split('.').pop() ?? field;
  const quoted = JSON.stringify(value);
  const ways = [`"${key}":${quoted}`, `"${key}":${value}`, `"${key}": ${quoted}`, `"${key}": ${value}`, `${field}=${quoted}`, `${field}=${value}`, quoted, value];
  return ways.find((way) => line.includes(way)) ?? value;
}
