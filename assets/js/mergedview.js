/**
 * Lines of several files in one view: which files are in it, the colour and the name before each line, the choice of files.
 * A stream of an engine is one source with lines of many hosts: those have a name and a colour too.
 */

import { button, dialog, make } from './dom.js';
import { Merged } from './merged.js';
import { narrow } from './settings.js';
import { MERGED, sourceOf } from './sources.js';
import { MOST_PARTS } from './weave.js';

const KEY = 'logcast-merged';
const HUES = 8;

/** @returns {string[]} */
function stored() {
  try {
    const names = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [];
  } catch {
    return [];
  }
}

/** @param {import('./app.js').App} app */
export function mergedView({ sources, view, select, toast }) {
  let chosen = stored();

  function names() {
    const there = chosen.filter((name) => sources.all.has(name));
    return (there.length > 1 ? there : sources.names).slice(0, MOST_PARTS);
  }

  /** The merged view of the chosen files, made anew where they changed. */
  function source() {
    const wanted = names();
    const was = sources.merged?.store;
    if (was && 'parts' in was && was.stores.map(({ name }) => name).join('\n') === wanted.join('\n')) return sources.merged ?? undefined;
    const stores = wanted.flatMap((name) => sources.all.get(name)?.store ?? []);
    sources.merged = sourceOf(new Merged(MERGED, /** @type {import('./store.js').Store[]} */ (stores), () => view.schedule()));
    return sources.merged;
  }

  // One cell more in each row; CSS puts it first.
  view.block.dressers.push((row, item) => {
    const { file = '', origin } = item;
    if (!file && !origin) return;
    const cell = document.createElement('span');
    cell.className = 'file';
    const hue = origin ? [...origin].reduce((sum, char) => sum + char.charCodeAt(0), 0) : [...sources.all.keys()].indexOf(file);
    cell.style.setProperty('--hue', `var(--hue${hue % HUES})`);
    const name = origin ? origin.replace(/:.*\//, ':') : sources.all.get(file)?.store.label ?? file;
    cell.textContent = narrow() ? middle(name.replace(/\.\w+$/, ''), 8) : middle(name, 14);
    cell.title = origin ?? file;
    row.append(cell);
  });

  const box = dialog('merge', 'Files in the merged view', (body) => {
    const on = new Set(names());
    const boxes = sources.names.slice(0, 500).map((name) => {
      const field = make('input', { type: 'checkbox', change: () => {
        if (field.checked && on.size >= MOST_PARTS) field.checked = false;
        else if (field.checked) on.add(name);
        else on.delete(name);
        words.textContent = `${on.size} of at most ${MOST_PARTS}`;
      } });
      field.checked = on.has(name);
      return make('label', { class: 'switch' }, field, make('span', {}, name));
    });
    const words = make('p', { class: 'quiet', role: 'status' }, `${on.size} of at most ${MOST_PARTS}`);
    body.replaceChildren(make('div', { class: 'settings' }, ...boxes), words, make('p', { class: 'acts' }, button('Show them as one', () => {
      chosen = sources.names.filter((name) => on.has(name));
      try {
        localStorage.setItem(KEY, JSON.stringify(chosen));
      } catch {
        // Refused by the browser: the choice lasts as long as the page.
      }
      box.node.close();
      if (sources.active === MERGED) sources.active = '';
      select(MERGED);
    }, { class: 'button primary' })));
  });

  return {
    source,
    /** The files on the screen. */
    shown: () => (sources.active === MERGED ? names() : sources.active ? [sources.active] : []),
    acts: {
      merged() {
        if (sources.all.size < 2) toast('Only one file is served');
        else if (sources.active === MERGED) select(sources.names[0]);
        else select(MERGED);
      },
      'merge-files': () => box.open(),
    },
  };
}

/** Cuts a name in its middle. @param {string} name @param {number} most */
export function middle(name, most) {
  if (name.length <= most) return name;
  const head = Math.ceil((most - 1) / 2);
  return `${name.slice(0, head)}…${name.slice(name.length - (most - 1 - head))}`;
}
