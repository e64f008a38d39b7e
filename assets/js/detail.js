/**
 * The detail of a line: its fields as a table, the whole text where the row shows only a part, and what one can do
 * with it. Built when a row is opened, and again when its row was recycled.
 */

import { bytes, count } from './format.js';
import { fieldsOf } from './fields.js';
import { plain } from './group.js';
import { parse } from './line.js';

/** The text shown in a detail; what is longer is copied whole, but not laid out. */
const SHOWN = 100_000;

/** @param {string} tag @param {string} [text] @param {string} [cls] */
function make(tag, text = '', cls = '') {
  const node = document.createElement(tag);
  if (text) node.textContent = text;
  if (cls) node.className = cls;
  return node;
}

/** What one can do with a field: `columns.js` does it. */
export const FIELD_ACTS = /** @type {const} */ ([
  ['only', '=', 'Show only lines with this value'],
  ['not', '!', 'Leave lines with this value out'],
  ['hide', 'x', 'Hide this field in all lines'],
  ['pin', 'p', 'Show this field as a column'],
]);

/** @param {string} key */
function fieldActs(key) {
  const cell = make('td', '', 'does');
  for (const [act, sign, words] of FIELD_ACTS) {
    const button = make('button', sign === 'x' ? '×' : sign === 'p' ? '⇤' : sign === '!' ? '≠' : sign, 'mini');
    button.setAttribute('type', 'button');
    button.dataset.field = act;
    button.setAttribute('aria-label', `${words}: ${key}`);
    button.title = `${words} (${sign})`;
    cell.append(button);
  }
  return cell;
}

/** @param {import('./store.js').Item} item @returns {HTMLElement} */
export function detail(item) {
  const root = make('div', '', 'detail');
  const text = plain(item.text);
  const found = fieldsOf(text);
  const { ms, level } = parse(text);
  const table = make('table');
  table.append(make('caption', found ? `Fields of this line, ${found.kind}` : 'About this line', 'quiet'));
  const body = make('tbody');
  /** @param {string} key @param {string} value @param {string} cls */
  const row = (key, value, cls) => {
    const tr = make('tr', '', cls);
    const th = make('th', key);
    th.setAttribute('scope', 'row');
    const td = /** @type {HTMLTableCellElement} */ (make('td', value));
    if (cls === 'about') td.colSpan = 2;
    tr.append(th, td);
    body.append(tr);
  };
  for (const [key, value] of found?.fields ?? []) {
    row(key || 'value', value, 'field');
    const tr = /** @type {HTMLElement} */ (body.lastElementChild);
    tr.dataset.field = key;
    tr.append(fieldActs(key));
  }
  if (ms !== null) row('time', `${new Date(ms).toLocaleString('sv-SE')} local · ${new Date(ms).toISOString()}`, 'about');
  if (level && !found) row('level', level, 'about');
  if (item.origin) row('from', item.origin, 'about');
  const end = item.own ?? item.next;
  row('place', `byte ${count(item.offset)} · ${bytes(end - item.offset)} long`, 'about');
  body.lastElementChild?.lastElementChild?.prepend(make('span', '', 'nth')); // the line's number, where numbers.js knows it
  table.append(body);
  root.append(table);
  if (!found || item.text.length > 8192 || text !== item.text) {
    root.append(make('pre', text.length > SHOWN ? `${text.slice(0, SHOWN)}\n… ${count(text.length - SHOWN)} more characters, which Copy takes too` : text));
  }
  if (item.cut) root.append(make('p', 'The server cut this line: it is longer than its limit.', 'problem'));
  const acts = make('p', '', 'acts');
  for (const [act, label, key] of [['copy', 'Copy line', 'c'], ['link', 'Copy link', 'y'], ['mark', 'Mark', 'm'], ['detail', 'Close', 'Enter']]) {
    const button = make('button', label, 'button');
    button.setAttribute('type', 'button');
    button.dataset.act = act;
    button.append(make('kbd', key));
    acts.append(button);
  }
  root.append(acts);
  return root;
}
