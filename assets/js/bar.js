/**
 * The bar above the log: level chips with counts, one chip for each filter, the range of time, the saved filters.
 */

import { button, icon, make } from './dom.js';
import { count, short } from './format.js';
import { LEVELS, isNothing, termWords } from './query.js';
import { el } from './status.js';

/** @typedef {import('./query.js').Level} Level */

/** @type {{name: string, short: string, levels: Level[]}[]} the chips in the order of their keys; a fatal line is an error too */
export const CHIPS = [
  { name: 'errors', short: 'ERR', levels: ['error', 'fatal'] },
  { name: 'warnings', short: 'WRN', levels: ['warn'] },
  { name: 'info', short: 'INF', levels: ['info'] },
  { name: 'debug', short: 'DBG', levels: ['debug'] },
  { name: 'trace', short: 'TRC', levels: ['trace'] },
  { name: 'without a level', short: 'none', levels: ['none'] },
];

const CROSS = 'M4.5 4.5l7 7M11.5 4.5l-7 7';

/**
 * @param {import('./app.js').App} app @param {ReturnType<typeof import('./filter.js').filter>} filter
 * @param {{rangeWords: () => string, openSaved: () => void}} more
 */
export function bar(app, filter, more) {
  /** Lines of each level in the shown file. @type {{of: Map<string, number>, exact: boolean}|null} */
  let counts = null;
  const chips = CHIPS.map((chip, i) => {
    const node = make('button', { type: 'button', class: 'level', 'data-level': chip.levels[0], click: (event) => (event.shiftKey || event.altKey ? only(i) : toggle(i)) },
      make('span', {}, chip.short), make('span', { class: 'number' }), make('kbd', { 'aria-hidden': 'true' }, String(i + 1)));
    el('levels').append(node);
    return node;
  });

  /** @param {number} i */
  function shows(i) {
    const { levels } = filter.query;
    return levels === null || CHIPS[i].levels.some((level) => levels.includes(level));
  }

  /** @param {number} i */
  function toggle(i) {
    const now = filter.query.levels ?? LEVELS;
    const mine = CHIPS[i].levels;
    const levels = shows(i) ? now.filter((level) => !mine.includes(level)) : LEVELS.filter((level) => mine.includes(level) || now.includes(level));
    void filter.change({ levels: levels.length === LEVELS.length ? null : levels });
  }

  /** @param {number} i */
  function only(i) {
    void filter.change({ levels: [...CHIPS[i].levels].sort((a, b) => LEVELS.indexOf(a) - LEVELS.indexOf(b)) });
  }

  /** @param {string} label @param {string} cls @param {string} does @param {() => void} remove */
  function chip(label, cls, does, remove) {
    return make('span', { class: `chip ${cls}` }, make('span', { title: label }, label),
      make('button', { type: 'button', 'aria-label': `${does}: ${label}`, title: does, click: remove }, icon(CROSS)));
  }

  function draw() {
    const { query, rests } = filter;
    chips.forEach((node, i) => {
      const on = shows(i);
      node.ariaPressed = String(on);
      const n = counts ? CHIPS[i].levels.reduce((sum, level) => sum + (counts?.of.get(level) ?? 0), 0) : null;
      const number = /** @type {HTMLElement} */ (node.children[1]);
      const text = n === null ? '' : short(n);
      if (number.textContent !== text) number.textContent = text;
      // Most files have no such line: then there is nothing to choose.
      if (CHIPS[i].levels[0] === 'none') node.hidden = on && n === 0 && counts?.exact === true;
      const many = n === null ? '' : `${counts?.exact ? '' : 'about '}${count(n)} lines · `;
      // Its name is what is seen, so that who speaks to the page can say it; the title says more.
      node.title = `${CHIPS[i].name}: ${many}${on ? 'shown' : 'hidden'} (${i + 1}; with Shift: only these)`;
    });
    const shown = rests ?? query;
    const nodes = shown.terms.map((term) => chip(`${term.not ? 'not ' : ''}${termWords(term)}`, term.not ? 'not' : 'only', 'Remove this filter', () => void filter.remove(term)));
    const range = more.rangeWords();
    if (range) nodes.push(chip(range, 'range', 'Show all times', () => void filter.change({ since: '', until: '' })));
    const root = el('kept');
    root.classList.toggle('rests', rests !== null);
    const buttons = [];
    if (rests) buttons.push(plain('Back to the filter', () => filter.context(), '.'));
    else if (!isNothing(query)) buttons.push(plain('Clear', () => filter.clear(), ''));
    const saved = button('', more.openSaved, { class: 'mini', id: 'saved-open', 'aria-label': 'Saved filters', title: 'Saved filters (S)' });
    saved.append(icon('M4 2.5h8v11L8 10.6 4 13.5z'));
    const had = document.activeElement?.id === 'saved-open';
    root.replaceChildren(...nodes, ...buttons, saved);
    if (had) saved.focus();
  }

  /** @param {string} label @param {() => void} does @param {string} key */
  function plain(label, does, key) {
    const node = button(label, does, { class: 'text-button' });
    if (key) node.append(' ', make('kbd', {}, key));
    return node;
  }

  app.bus.on('query', draw);
  app.bus.on('bars', (/** @type {import('./api.js').Bars|null} */ bars) => {
    counts = bars && bars.start !== null ? { exact: bars.exact, of: new Map(bars.levels.map((level, i) => [level, bars.counts.reduce((sum, bucket) => sum + bucket[i], 0)])) } : null;
    draw();
  });
  draw();

  /** @type {Record<string, () => unknown>} */
  const acts = { 'all-levels': () => filter.change({ levels: null }) };
  CHIPS.forEach((_, i) => {
    acts[`level-${i + 1}`] = () => toggle(i);
    acts[`only-${i + 1}`] = () => only(i);
  });
  return { acts, draw };
}
