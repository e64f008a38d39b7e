/**
 * The detail of a line: its fields as a table, the whole text where the row shows only a part, and what one can do
 * with it. Built when a row is opened, and again when its row was recycled.
 */

import { make } from './dom.js';
import { fieldsOf } from './fields.js';
import { bytes, count } from './format.js';
import { plain } from './group.js';
import { parse } from './line.js';

/** The text shown in a detail; what is longer is copied whole, but not laid out. */
const SHOWN = 100_000;

/** What one can do with a field: `columns.js` does it. */
export const FIELD_ACTS = /** @type {const} */ ([
  ['only', '=', 'Show only lines with this value'],
  ['not', '!', 'Leave lines with this value out'],
  ['hide', 'x', 'Hide this field in all lines'],
  ['pin', 'p', 'Show this field as a column'],
]);

/** @param {string} key @param {number} [most] */
function fieldActs(key, most) {
  return make('td', { class: 'does' }, ...FIELD_ACTS.slice(0, most).map(([act, sign, words]) => make('button', {
    type: 'button', class: 'mini', 'data-field': act, 'aria-label': `${words}: ${key}`, title: `${words} (${sign})`,
  }, { x: '×', p: '⇤', '!': '≠', '=': '=' }[sign])));
}

/** The host and the file that a line came from; a subject that is no file's has no host. @param {string} [origin] @returns {Record<string, string>} */
function whoseOf(origin) {
  return !origin ? {} : origin.includes(':') ? { host: origin.split(':')[0], origin } : { origin };
}

/** @param {import('./store.js').Item} item @returns {HTMLElement} */
export function detail(item) {
  const root = make('div', { class: 'detail' });
  const text = plain(item.text);
  const found = fieldsOf(text);
  const { ms, level } = parse(text);
  const body = make('tbody');
  /** @param {string} key @param {string} value @param {string} cls */
  const row = (key, value, cls) => {
    const tr = make('tr', { class: cls }, make('th', { scope: 'row' }, key), make('td', cls === 'about' ? { colspan: '2' } : {}, value));
    body.append(tr);
    return tr;
  };
  for (const [key, value] of found?.fields ?? []) {
    const tr = row(key || 'value', value, 'field');
    tr.dataset.field = key;
    tr.append(fieldActs(key));
  }
  for (const [of, value] of Object.entries(whoseOf(item.origin))) {
    const name = of === 'host' ? 'from host' : 'from file';
    const tr = row(name, value, 'field');
    tr.dataset.field = tr.dataset.of = of;
    tr.append(fieldActs(name, 1));
  }
  if (ms !== null) row('time', `${new Date(ms).toLocaleString('sv-SE')} local · ${new Date(ms).toISOString()}`, 'about');
  if (level && !found) row('level', level, 'about');
  const end = item.own ?? item.next;
  row('place', `byte ${count(item.offset)} · ${bytes(end - item.offset)} long`, 'about');
  body.lastElementChild?.lastElementChild?.prepend(make('span', { class: 'nth' })); // the line's number, where numbers.js knows it
  root.append(make('table', {}, make('caption', { class: 'quiet' }, found ? `Fields of this line, ${found.kind}` : 'About this line'), body));
  if (!found || item.text.length > 8192 || text !== item.text) {
    root.append(make('pre', {}, text.length > SHOWN ? `${text.slice(0, SHOWN)}\n… ${count(text.length - SHOWN)} more characters, which Copy takes too` : text));
  }
  if (item.cut) root.append(make('p', { class: 'problem' }, 'The server cut this line: it is longer than its limit.'));
  root.append(make('p', { class: 'acts' }, ...[['copy', 'Copy line', 'c'], ['link', 'Copy link', 'y'], ['mark', 'Mark', 'm'], ['detail', 'Close', 'Enter']]
    .map(([act, label, key]) => make('button', { type: 'button', class: 'button', 'data-act': act }, label, make('kbd', {}, key)))));
  return root;
}
