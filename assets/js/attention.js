/**
 * What calls somebody back who looks elsewhere: the count of new lines in the title, a dot in the icon, and, where somebody asked
 * for it, a word when a line has a certain text. Nothing is asked of the browser before that.
 */

import { button, dialog, make } from './dom.js';
import { count } from './format.js';
import { el } from './status.js';

const EVERY_MS = 30_000; // between two notifications
const ICON = 64;

/**
 * @param {import('./app.js').App} app @param {{facts: import('./status.js').Facts}} page
 */
export function attention({ bus, sources, say, toast }, { facts }) {
  let term = '';
  let hits = 0;
  let told = 0;
  /** @type {{received: number, skipped: number}|null} */
  let since = null;
  let badge = '';
  const plainIcon = document.querySelector('link[rel=icon]')?.getAttribute('href') ?? '';

  /** @param {''|'new'|'hit'} kind */
  function draw(kind) {
    if (kind === badge) return;
    badge = kind;
    const link = /** @type {HTMLLinkElement} */ (document.querySelector('link[rel=icon]'));
    if (!kind) {
      link.type = 'image/svg+xml';
      link.href = plainIcon;
      return;
    }
    const canvas = make('canvas', { width: String(ICON), height: String(ICON) });
    const to = canvas.getContext('2d');
    if (!to) return;
    to.fillStyle = '#6fdd8b';
    to.fillRect(8, 8, 24, 24);
    to.fillStyle = '#6cb6ff';
    to.fillRect(32, 32, 24, 24);
    to.fillStyle = kind === 'hit' ? '#ff8b82' : '#f0b849';
    to.beginPath();
    to.arc(47, 17, 15, 0, 7);
    to.fill();
    link.type = 'image/png';
    link.href = canvas.toDataURL('image/png');
  }

  function look() {
    const source = sources.shown;
    const { lines } = source && since ? sources.fresh({ ...source, paused: since }) : { lines: 0 };
    facts.unread = document.hidden ? lines : 0;
    facts.alert = hits > 0;
    draw(hits > 0 ? 'hit' : facts.unread > 0 ? 'new' : '');
  }

  /** @param {number} n @param {string} line @param {string} file */
  function hit(n, line, file) {
    hits += n;
    const now = Date.now();
    if (now - told < EVERY_MS || typeof Notification !== 'function' || Notification.permission !== 'granted' || !document.hidden) return;
    told = now;
    const notice = new Notification(`${count(hits)} ${hits === 1 ? 'line' : 'lines'} with ${term} in ${file}`, { body: line.slice(0, 200), tag: `logcast ${file}` });
    notice.onclick = () => { window.focus(); notice.close(); };
  }

  bus.on('event', ({ event, data }) => {
    if (event === 'batch' && term) {
      const small = term === term.toLowerCase();
      const found = data.lines.filter((/** @type {string} */ line) => (small ? line.toLowerCase() : line).includes(term));
      if (found.length) hit(found.length, found[found.length - 1], data.file);
    }
    if (event !== 'batch' && event !== 'tick') return;
    if (document.hidden || hits) {
      look();
      say();
    }
  });
  bus.on('show', () => { since = null; });
  document.addEventListener('visibilitychange', () => {
    const source = sources.shown;
    since = document.hidden && source ? sources.mark(source) : null;
    if (!document.hidden) hits = 0;
    look();
    say();
  });
  // Somebody who is here has seen it.
  document.addEventListener('pointerdown', seen);
  document.addEventListener('keydown', seen);
  function seen() {
    if (!hits) return;
    hits = 0;
    look();
    say();
  }

  const box = dialog('notify', 'Tell me when', (body) => {
    const field = make('input', { id: 'notify-field', autocomplete: 'off', spellcheck: 'false', placeholder: 'out of memory' });
    field.value = term;
    const form = make('form', { class: 'settings', submit: (event) => { event.preventDefault(); set(field.value); } },
      make('label', { for: 'notify-field' }, 'A new line contains'), field,
      make('p', { class: 'quiet' }, 'The title and the icon of this tab show it. Capitals matter where you type one. In a flood only the lines that are sent are looked at.'),
      make('p', { class: 'acts' }, make('button', { type: 'submit', class: 'button primary' }, 'Tell me'), button('Nothing any more', () => set('')),
        ...(typeof Notification === 'function' && Notification.permission === 'default' ? [button('Allow notifications', () => void Notification.requestPermission().then(() => box.open()))] : [])));
    body.replaceChildren(form);
  });

  /** @param {string} words */
  function set(words) {
    term = words.trim().slice(0, 200);
    hits = 0;
    look();
    box.node.close();
    el('state').classList.toggle('waits', term !== '');
    toast(term ? `You are told when a line has ${term}` : 'You are told nothing');
    say();
  }

  return {
    /** Whether the stream must not rest while this tab is hidden. */
    get waits() {
      return term !== '';
    },
    acts: { notify: () => box.open() },
  };
}
