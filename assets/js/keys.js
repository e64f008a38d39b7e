/**
 * The keys: one table, which the handler and the `?` sheet both read. Single keys act only while nobody types.
 */

import { make } from './dom.js';
import { choices } from './settings.js';

/** @typedef {{keys: string[], act: string, does: string, group: string, acts?: string[]}} Binding  `acts`: one for each key, where they differ */

/** @type {Binding[]} */
export const BINDINGS = [
  { group: 'Move', keys: ['j', 'ArrowDown'], act: 'next', does: 'next line' },
  { group: 'Move', keys: ['k', 'ArrowUp'], act: 'previous', does: 'previous line' },
  { group: 'Move', keys: ['d', 'Ctrl-d'], act: 'half-down', does: 'half a page down' },
  { group: 'Move', keys: ['u', 'Ctrl-u'], act: 'half-up', does: 'half a page up' },
  { group: 'Move', keys: ['PageDown'], act: 'page-down', does: 'page down' },
  { group: 'Move', keys: ['b', 'PageUp', 'Shift-Space'], act: 'page-up', does: 'page up' },
  { group: 'Move', keys: ['g', 'Home'], act: 'start', does: 'start of the file' },
  { group: 'Move', keys: ['G', 'End'], act: 'end', does: 'end of the file, and follow' },
  { group: 'Move', keys: [':'], act: 'goto', does: 'go to a line, 50%, a time, a byte' },
  { group: 'Move', keys: ['e'], act: 'next-error', does: 'next error' },
  { group: 'Move', keys: ['E'], act: 'previous-error', does: 'previous error' },
  { group: 'Find', keys: ['/', 'Ctrl-f'], act: 'find', does: 'search the whole file' },
  { group: 'Find', keys: ['n'], act: 'next-match', does: 'next match' },
  { group: 'Find', keys: ['N'], act: 'previous-match', does: 'previous match' },
  { group: 'Find', keys: ['*'], act: 'word', does: 'search for the selection or word' },
  { group: 'Find', keys: ['&'], act: 'keep', does: 'show only lines with, or ! without' },
  { group: 'Find', keys: ['.'], act: 'context', does: 'this line among all others, and back' },
  { group: 'Find', keys: ['S'], act: 'saved', does: 'saved filters' },
  { group: 'Find', keys: ['i'], act: 'histogram', does: 'lines over time' },
  { group: 'Levels', keys: ['1'], act: 'level-1', does: 'errors on or off' },
  { group: 'Levels', keys: ['2'], act: 'level-2', does: 'warnings on or off' },
  { group: 'Levels', keys: ['3'], act: 'level-3', does: 'info on or off' },
  { group: 'Levels', keys: ['4'], act: 'level-4', does: 'debug on or off' },
  { group: 'Levels', keys: ['5'], act: 'level-5', does: 'trace on or off' },
  { group: 'Levels', keys: ['6'], act: 'level-6', does: 'lines without a level on or off' },
  { group: 'Levels', keys: ['Shift-1', 'Shift-2', 'Shift-3', 'Shift-4', 'Shift-5', 'Shift-6'], acts: ['only-1', 'only-2', 'only-3', 'only-4', 'only-5', 'only-6'], act: '', does: 'only this level (or with Alt)' },
  { group: 'Levels', keys: ['0'], act: 'all-levels', does: 'all levels' },
  { group: 'Follow', keys: ['Space'], act: 'space', does: 'pause; page down while paused' },
  { group: 'Follow', keys: ['f', 'F'], act: 'follow', does: 'follow on or off' },
  { group: 'A line', keys: ['Enter', 'o'], act: 'detail', does: 'its fields and whole text' },
  { group: 'A line', keys: ['z'], act: 'fold', does: 'fold or unfold this trace' },
  { group: 'A line', keys: ['v', 'V'], act: 'select', does: 'select lines from here' },
  { group: 'A line', keys: ['c'], act: 'copy', does: 'copy the line or the selected ones' },
  { group: 'A line', keys: ['C'], act: 'copy-named', does: 'copy with file and place' },
  { group: 'A line', keys: ['y'], act: 'link', does: 'copy a link to the line' },
  { group: 'A line', keys: ['m'], act: 'mark', does: 'mark the line' },
  { group: 'A line', keys: ["'"], act: 'next-mark', does: 'next mark' },
  { group: 'A line', keys: ['"'], act: 'previous-mark', does: 'previous mark' },
  { group: 'Show', keys: ['w'], act: 'wrap', does: 'wrap long lines' },
  { group: 'Show', keys: ['#'], act: 'numbers', does: 'line numbers' },
  { group: 'Show', keys: ['h', 'ArrowLeft'], act: 'left', does: 'sideways to the left' },
  { group: 'Show', keys: ['l', 'ArrowRight'], act: 'right', does: 'sideways to the right' },
  { group: 'Show', keys: ['Z'], act: 'fold-all', does: 'fold or unfold all traces' },
  { group: 'Show', keys: ['r'], act: 'repeats', does: 'collapse repeated messages' },
  { group: 'Show', keys: ['t'], act: 'time', does: 'times, ages, distances, none' },
  { group: 'Show', keys: ['T'], act: 'zone', does: 'zone: as written, local, UTC' },
  { group: 'Show', keys: ['-'], act: 'smaller', does: 'smaller, denser' },
  { group: 'Show', keys: ['+', '='], act: 'larger', does: 'larger, roomier' },
  { group: 'Show', keys: ['D'], act: 'theme', does: 'theme: automatic, dark, light' },
  { group: 'Show', keys: ['H'], act: 'label', does: 'colour the selected word everywhere' },
  { group: 'Show', keys: ['x'], act: 'columns', does: 'fields as columns, or lines as written' },
  { group: 'Show', keys: ['X'], act: 'fields', does: 'choose columns and hidden fields' },
  { group: 'Page', keys: ['s'], act: 'save', does: 'save what is shown' },
  { group: 'Page', keys: ['['], act: 'previous-file', does: 'previous file' },
  { group: 'Page', keys: [']'], act: 'next-file', does: 'next file' },
  { group: 'Page', keys: ['Ctrl-k'], act: 'palette', does: 'all of this by name' },
  { group: 'Page', keys: ['M'], act: 'merged', does: 'all files as one, by time' },
  { group: 'Page', keys: ['B'], act: 'notify', does: 'tell me when a line has a text' },
  { group: 'Page', keys: [','], act: 'settings', does: 'settings' },
  { group: 'Page', keys: ['L'], act: 'health', does: 'health: delays, rates, files' },
  { group: 'Page', keys: ['?'], act: 'help', does: 'this sheet' },
  { group: 'Page', keys: ['Escape', 'q'], act: 'close', does: 'close what is open' },
];

/** @param {KeyboardEvent} event the name of the key as the table writes it */
export function nameOf(event) {
  const key = event.key === ' ' ? 'Space' : event.key;
  const digit = /^(?:Digit|Numpad)([1-6])$/.exec(event.code)?.[1];
  // On some keyboards the digits are with Shift themselves, and # is Shift-3.
  if (digit && (event.altKey || (event.shiftKey && key !== digit && key !== '#'))) return `Shift-${digit}`;
  if (event.ctrlKey || event.metaKey) return `Ctrl-${key.toLowerCase()}`;
  return key === 'Space' && event.shiftKey ? 'Shift-Space' : key;
}

/** @type {Map<string, string>} */
const acts = new Map(BINDINGS.flatMap((binding) => binding.keys.map((key, i) => [key, binding.acts?.[i] ?? binding.act])));

/** @param {KeyboardEvent} event @returns {string|undefined} */
export function actOf(event) {
  if ((event.altKey && !/^(Digit|Numpad)[1-6]$/.test(event.code)) || event.isComposing) return undefined;
  const target = /** @type {Element|null} */ (event.target);
  if (target?.closest('input, textarea, select, [contenteditable]')) return undefined;
  const name = nameOf(event);
  // Single keys can be turned off, or act only where the log has the focus (WCAG 2.1.4).
  if (!name.startsWith('Ctrl-') && name !== 'Escape' && (choices.keys === 'off' || (choices.keys === 'log' && !target?.closest('#log')))) return undefined;
  // Space and Enter press the button that has the focus.
  if ((name === 'Space' || name === 'Enter') && target?.closest('button, a, summary')) return undefined;
  if (target?.closest('[role=scrollbar], [role=tab]') && /^(Arrow|Home|End|Page)/.test(name)) return undefined;
  return acts.get(name);
}

const SIGNS = /** @type {Record<string, string>} */ ({ ArrowDown: '↓', ArrowUp: '↑', ArrowLeft: '←', ArrowRight: '→', PageUp: 'PgUp', PageDown: 'PgDn', Escape: 'Esc' });

/** @param {string} key */
export function sign(key) {
  return SIGNS[key] ?? key;
}

/** Fills the sheet from the table. @param {HTMLElement} root */
export function fillSheet(root) {
  for (const group of new Set(BINDINGS.map((binding) => binding.group))) {
    const acts = BINDINGS.filter((binding) => binding.group === group);
    root.append(make('section', {}, make('h3', {}, group), make('dl', {}, ...acts.flatMap(({ keys, does }) => [
      make('dt', {}, ...keys.flatMap((key) => [make('kbd', {}, sign(key)), ' '])), make('dd', {}, does)]))));
  }
}
