/**
 * The settings: what keys change too, by name, and what has no key. All of it is kept in this browser.
 */

import { dialog, icon, make } from './dom.js';
import { choices, choose } from './settings.js';

/** @typedef {keyof import('./settings.js').Choices} Name */

/** @type {{name: Name, words: string, of: [string, string][]}[]} */
const SELECTS = [
  { name: 'theme', words: 'Theme', of: [['auto', 'As the system'], ['dark', 'Dark'], ['light', 'Light']] },
  { name: 'density', words: 'Density', of: [['compact', 'Compact'], ['cozy', 'Cozy'], ['roomy', 'Roomy']] },
  { name: 'time', words: 'Times', of: [['clock', 'Time of day'], ['ago', 'Age'], ['delta', 'Distance from the line above'], ['off', 'None']] },
  { name: 'zone', words: 'Zone', of: [['written', 'As written'], ['local', 'Of this browser'], ['utc', 'UTC']] },
  { name: 'keys', words: 'Single keys', of: [['on', 'Act anywhere'], ['log', 'Act in the log only'], ['off', 'Off']] },
];
/** @type {{name: Name, words: string, more: string}[]} */
const SWITCHES = [
  { name: 'wrap', words: 'Wrap long lines', more: '' },
  { name: 'announce', words: 'Announce new lines', more: 'A screen reader says how many came, at most every 5 seconds.' },
  { name: 'awake', words: 'Keep the screen awake', more: 'While following; it needs HTTPS or localhost.' },
];

/** @param {import('./app.js').App} app */
export function settingsBox({ act, view, say }) {
  /** @param {Partial<import('./settings.js').Choices>} change */
  function set(change) {
    view.keepPlace(() => choose(change));
    act('dress');
    say();
  }

  const box = dialog('settings', 'Settings', (body) => {
    const selects = SELECTS.flatMap(({ name, words, of }) => {
      const field = make('select', { id: `set-${name}`, change: () => set({ [name]: field.value }) },
        ...of.map(([value, label]) => make('option', { value, selected: choices[name] === value }, label)));
      return [make('label', { for: `set-${name}` }, words), field];
    });
    const switches = SWITCHES.map(({ name, words, more }) => {
      const field = make('input', { type: 'checkbox', id: `set-${name}`, change: () => set({ [name]: field.checked }) });
      field.checked = choices[name] === true;
      return make('label', { class: 'switch' }, field, make('span', {}, words, ...(more ? [make('small', {}, more)] : [])));
    });
    body.replaceChildren(make('div', { class: 'settings two' }, ...selects), make('div', { class: 'settings' }, ...switches),
      make('p', { class: 'quiet' }, 'Kept in this browser.'));
  });

  const gear = make('button', { type: 'button', id: 'gear', class: 'icon', 'aria-label': 'Settings', title: 'Settings (,)', click: () => box.open() },
    icon('M2 4.5h6.5M12.5 4.5H14M2 11.5h1.5M7.5 11.5H14M10.5 2.6v3.8M5.5 9.6v3.8'));
  document.querySelector('.tools')?.insertBefore(gear, document.querySelector('#help'));
  return { settings: () => box.open() };
}
