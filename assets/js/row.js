/**
 * One row of the log: made once, filled many times.
 *
 * Text from a log reaches the document through text nodes and nothing else. `.text` holds the whole line as it was
 * written (without escape sequences); the part that the columns already show is in a `.pre` that CSS hides.
 */

import { fit, runs } from './ansi.js';
import { setTime } from './clock.js';
import { SHORT, isContinuation, parse, tints } from './line.js';

/** @typedef {import('./store.js').Item} Item */

/** Longer lines are cut in the row; the rest is a matter for the detail. */
const SHOWN = 8192;
/** Values are tinted in the head of a line only. */
const TINTED = 2048;

export const look = { background: '#0e1116', text: '#e2e6ec', tint: true };

/** @returns {HTMLElement} */
export function make() {
  const row = document.createElement('div');
  row.tabIndex = -1;
  for (const name of ['clock', 'lvl', 'text']) {
    const cell = document.createElement('span');
    cell.className = name;
    row.append(cell);
  }
  return row;
}

/**
 * @param {HTMLElement} row @param {Item} item
 * @returns {{clock: string, level: string|null}} what the row turned out to have
 */
export function fill(row, item) {
  const [, lvl, text] = /** @type {HTMLElement[]} */ ([...row.children]);
  while (row.children.length > 3) row.lastElementChild?.remove();
  row.dataset.offset = String(item.offset);
  row.dataset.life = String(item.life);
  if (item.kind === 'note') {
    row.className = 'row note';
    row.removeAttribute('data-level');
    setTime(row, { clock: '', ms: null });
    lvl.textContent = '';
    text.replaceChildren(item.text);
    return { clock: '', level: null };
  }
  const shown = item.text.length > SHOWN ? item.text.slice(0, SHOWN) : item.text;
  const parts = runs(shown);
  const plain = parts.length === 1 ? parts[0].text : parts.map((part) => part.text).join('');
  const facts = parse(plain);
  row.className = item.kind === 'partial' ? 'row partial' : isContinuation(plain) ? 'row cont' : 'row';
  if (item.why) {
    row.classList.add('grouped');
    row.append(foldChip(item));
  }
  if (facts.level) row.dataset.level = facts.level;
  else row.removeAttribute('data-level');
  setTime(row, facts);
  lvl.textContent = facts.level ? SHORT[facts.level] : '';
  // `pre` is hidden only where the columns show the same.
  text.replaceChildren(...body(parts, facts.clock || facts.level ? facts.message : 0));
  if (shown.length < item.text.length || item.cut) {
    const more = document.createElement('span');
    more.className = 'more';
    more.textContent = item.cut ? '… cut: longer than the server sends' : `… +${(item.text.length - shown.length).toLocaleString('en-US')} chars`;
    row.append(more);
  }
  return facts;
}

/** What is folded here, and the button that opens it. @param {Item} item */
function foldChip(item) {
  const chip = document.createElement('button');
  chip.type = 'button';
  chip.tabIndex = -1;
  chip.className = 'fold';
  chip.dataset.act = 'fold';
  const n = item.under?.length ?? item.spread ?? 0;
  chip.ariaExpanded = String(!item.under);
  if (item.why === 'repeat') chip.textContent = `${item.under ? '▸' : '▾'} ×${(n + 1).toLocaleString('en-US')}`;
  else chip.textContent = item.under ? `▸ +${n.toLocaleString('en-US')} lines` : `▾ ${n.toLocaleString('en-US')} lines`;
  return chip;
}

/** @param {import('./ansi.js').Run[]} parts @param {number} message @returns {Node[]} */
function body(parts, message) {
  /** @type {Node[]} */
  const out = [];
  let at = 0;
  for (const part of parts) {
    const cut = Math.max(0, Math.min(part.text.length, message - at));
    if (cut > 0) {
      const brace = at === 0 && part.text.startsWith('{') ? 1 : 0; // an object still begins like one
      if (brace) out.push(document.createTextNode('{'));
      const pre = document.createElement('span');
      pre.className = 'pre';
      pre.textContent = part.text.slice(brace, cut);
      out.push(pre);
    }
    const rest = cut ? part.text.slice(cut) : part.text;
    if (rest) {
      if (part.cls || part.fg || part.bg || part.href) out.push(styled(part, rest));
      else if (look.tint) tinted(out, rest);
      else out.push(document.createTextNode(rest));
    }
    at += part.text.length;
  }
  return out;
}

/** @param {import('./ansi.js').Run} part @param {string} text */
function styled(part, text) {
  const el = document.createElement(part.href ? 'a' : 'span');
  if (el instanceof HTMLAnchorElement) {
    el.href = part.href;
    el.target = '_blank';
    el.rel = 'noopener noreferrer';
    el.title = part.href;
  }
  el.className = part.cls;
  if (part.bg) el.style.backgroundColor = part.bg;
  if (part.fg || part.bg) el.style.color = fit(part.fg || look.text, part.bg || look.background);
  el.textContent = text;
  return el;
}

/** @param {Node[]} out @param {string} text */
function tinted(out, text) {
  let at = 0;
  for (const [start, end, kind] of tints(text.length > TINTED ? text.slice(0, TINTED) : text)) {
    if (start > at) out.push(document.createTextNode(text.slice(at, start)));
    const el = document.createElement('span');
    el.className = `v-${kind}`;
    el.textContent = text.slice(start, end);
    out.push(el);
    at = end;
  }
  if (at < text.length) out.push(document.createTextNode(text.slice(at)));
}
