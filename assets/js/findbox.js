/**
 * The search box: find marks lines among all others, keep shows only lines that match. One key apart: `/` and `&`.
 */

import { Find } from './find.js';
import { count, short } from './format.js';
import { params } from './query.js';
import { nextMerged } from './findmerged.js';
import { Merged } from './merged.js';
import { el, put } from './status.js';
import { timeOf } from './weave.js';

/** @typedef {import('./query.js').Term} Term */

const TYPING_MS = 200;
const WORDS_MS = 100;

/** @param {import('./app.js').App} app @param {ReturnType<typeof import('./filter.js').filter>} filter */
export function findBox(app, filter) {
  const { bus, sources, view } = app;
  const form = /** @type {HTMLFormElement} */ (el('find'));
  const field = /** @type {HTMLInputElement} */ (el('find-field'));
  /** @type {'find'|'keep'} */
  let mode = 'find';
  let typing = 0;
  let drawn = 0;
  let later = 0;
  let going = 0;
  const toggles = { regex: false, capitals: false };
  const find = new Find({
    changed,
    failed(error) {
      wrong(error.status === 400 ? plainly(error) : `The server said: ${error.message}`);
      changed();
    },
    query: () => filter.query,
    store: () => sources.file,
    files: () => merged()?.stores.map(({ name }) => name) ?? (sources.file ? [sources.file.name] : []),
  });

  /** The merged view, where it is shown. */
  const merged = () => (view.store instanceof Merged ? view.store : null);

  /** @param {string} words */
  function wrong(words) {
    put(el('find-problem'), words);
    el('find-problem').hidden = !words;
    if (words) field.setAttribute('aria-invalid', 'true');
    else field.removeAttribute('aria-invalid');
  }

  /** What is typed. @param {boolean} [keep] @returns {Term} */
  function typed(keep = mode === 'keep') {
    const not = keep && field.value.startsWith('!');
    return { text: not ? field.value.slice(1) : field.value, not, ...toggles };
  }

  function changed() {
    const now = Date.now();
    const { result } = find;
    if (now - drawn < WORDS_MS && !result?.done) {
      later ||= window.setTimeout(() => { later = 0; changed(); }, WORDS_MS);
      return;
    }
    drawn = now;
    const text = words();
    put(el('find-words'), text);
    if (result?.done && text) put(el('said'), text);
    form.classList.toggle('busy', find.term !== null && !result?.done);
    form.classList.toggle('none', Boolean(result?.done && !result.hits));
    for (const id of ['find-previous', 'find-next']) el(id).hidden = !find.term;
    bus.emit('found', find);
  }

  function words() {
    const { result, term } = find;
    if (!term || mode === 'keep') return '';
    if (!result) return 'searching…';
    const matches = `${result.hits < 10_000 ? count(result.hits) : short(result.hits)} ${result.hits === 1 ? 'match' : 'matches'}`;
    if (!result.done) return `${matches} · ${result.of ? Math.floor((100 * result.bytes) / result.of) : 0} %`;
    if (result.stopped && result.stopped !== 'limit') return `${matches}, stopped at ${result.of ? Math.floor((100 * result.bytes) / result.of) : 0} %`;
    if (!result.hits) return 'no match';
    const item = app.cursor();
    const at = item?.kind === 'line' && !view.follow ? find.number(sources.file?.lives[item.life]?.generation ?? null, item.offset) : 0;
    return at ? `${count(at)} of ${count(result.hits)}` : matches;
  }

  /** Searches for what is typed, if it is not searched for already. */
  function search() {
    window.clearTimeout(typing);
    typing = 0;
    wrong('');
    const term = typed(false);
    const { term: was } = find;
    if (was && was.text === term.text && was.regex === term.regex && was.capitals === term.capitals) return;
    find.set(term);
    bus.emit('searched');
  }

  /** @param {1|-1} by */
  async function next(by) {
    if (!find.term) {
      open('find');
      return;
    }
    const mine = going += 1;
    const store = sources.file;
    const several = merged();
    if (!store && !several) return;
    const slow = window.setTimeout(() => app.toast('Searching for the next match…', 60_000), 700);
    try {
      const item = app.cursor();
      if (several) {
        const query = { ...filter.query, terms: [...filter.query.terms, find.term] };
        const to = await nextMerged(several, query, view.follow ? null : item, view.follow ? -1 : by);
        if (mine === going) await there(to, by);
        return;
      }
      if (!store) return;
      const { turn } = view.loader;
      // Who follows looks at the end: the newest match is the first.
      const from = view.follow || !item ? { life: store.current, offset: store.life.tip, next: store.life.tip }
        : { life: item.life, offset: item.offset, next: app.pointed() ? item.own ?? item.next : item.offset };
      const to = await find.next(from, view.follow ? -1 : by);
      if (mine !== going || turn !== view.loader.turn) return; // somebody went elsewhere meanwhile
      if (!to) {
        if (find.term) app.toast('No line matches');
        return;
      }
      await app.goTo(to.offset, 0.3, to.generation);
      if (to.wrapped) app.toast(by > 0 ? 'Past the end: on from the start' : 'Past the start: on from the end');
      else app.toast('');
      changed();
    } catch (error) {
      app.complain(error);
    } finally {
      window.clearTimeout(slow);
    }
  }

  /** @param {{item: import('./store.js').Item, wrapped: boolean}|null} to @param {1|-1} by */
  async function there(to, by) {
    const ms = to?.item.of ? timeOf(to.item.of) : null;
    if (!to) return app.toast('No line matches');
    await app.goTo(ms === null ? 'start' : `time:${new Date(ms).toISOString()}`, 0.3);
    app.point(to.item);
    return app.toast(!to.wrapped ? '' : by > 0 ? 'Past the end: on from the start' : 'Past the start: on from the end');
  }

  /** Adds what is typed to the filters, if the server can read it. */
  async function keep() {
    const term = typed(true);
    if (!term.text) {
      if (!filter.clear()) app.toast('No filter is set');
      leave();
      return;
    }
    const store = sources.file;
    try {
      if (store) await store.fetchLines({ file: store.name, at: 'end', after: 1, filters: params(filter.query, [term]) });
    } catch (error) {
      wrong(plainly(/** @type {import('./api.js').Problem} */ (error)));
      return;
    }
    wrong('');
    field.value = '';
    set('find');
    el('log').focus({ preventScroll: true });
    filter.add(term);
    leave();
  }

  /** @param {'find'|'keep'} to */
  function set(to) {
    mode = to;
    form.dataset.mode = mode;
    el('find-mode').hidden = mode === 'find';
    field.placeholder = mode === 'find' ? 'Search the whole file' : 'only lines with…   ! first: without';
    field.ariaLabel = mode === 'find' ? 'Search the whole file' : 'Show only lines with (an exclamation mark first: without)';
    el('find-keep').ariaPressed = String(mode === 'keep');
    field.value = mode === 'find' ? find.term?.text ?? '' : '';
    wrong('');
    changed();
  }

  /** @param {'find'|'keep'} to */
  function open(to) {
    document.body.classList.add('seeking');
    if (mode !== to) set(to);
    field.focus();
    field.select();
  }

  function leave() {
    document.body.classList.remove('seeking');
    if (mode === 'keep') set('find');
    if (document.activeElement === field) el('log').focus({ preventScroll: true });
  }

  form.addEventListener('submit', (event) => event.preventDefault());
  field.addEventListener('input', () => {
    window.clearTimeout(typing);
    wrong('');
    if (mode === 'find') typing = window.setTimeout(search, TYPING_MS);
  });
  field.addEventListener('keydown', (event) => {
    if (event.isComposing) return;
    if (event.key === 'Escape') {
      if (mode === 'find' && !field.value) find.set(null);
      leave();
    } else if (event.key === 'Enter' && (mode === 'keep' || event.ctrlKey || event.metaKey)) {
      if (mode === 'find') find.set(null);
      void keep();
    } else if (event.key === 'Enter') {
      search();
      if (find.term) void next(event.shiftKey ? -1 : 1);
      document.body.classList.remove('seeking');
    } else if (event.key === '&' && !field.value && mode === 'find') set('keep');
    else if (event.key === '/' && !field.value && mode === 'keep') set('find');
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  for (const [id, name] of /** @type {const} */ ([['find-regex', 'regex'], ['find-case', 'capitals']])) {
    el(id).addEventListener('click', () => {
      toggles[name] = !toggles[name];
      el(id).ariaPressed = String(toggles[name]);
      if (mode === 'find' && field.value) search();
      field.focus();
    });
  }
  el('find-keep').addEventListener('click', () => {
    if (mode === 'keep' && field.value) void keep();
    else if (mode === 'find' && field.value) {
      find.set(null);
      void keep();
    } else open(mode === 'find' ? 'keep' : 'find');
  });
  el('find-next').addEventListener('click', () => void next(1));
  el('find-previous').addEventListener('click', () => void next(-1));
  el('seek').addEventListener('click', () => open('find'));
  bus.on('show', () => find.again());
  bus.on('event', () => find.grew());
  bus.on('moved', () => { if (find.term) changed(); });
  set('find');

  /** @param {Term|null} term */
  function show(term) {
    Object.assign(toggles, { regex: term?.regex ?? false, capitals: term?.capitals ?? false });
    el('find-regex').ariaPressed = String(toggles.regex);
    el('find-case').ariaPressed = String(toggles.capitals);
    field.value = term?.text ?? '';
    find.set(term);
  }

  return {
    find,
    show,
    /** @returns {boolean} whether there was a search */
    clear() {
      if (!find.term) return false;
      field.value = '';
      find.set(null);
      bus.emit('searched');
      return true;
    },
    acts: {
      find: () => open('find'),
      keep: () => open('keep'),
      'next-match': () => next(1),
      'previous-match': () => next(-1),
      word() {
        const text = wordAt(getSelection());
        if (!text) return app.toast('Select a word first: * searches for it');
        show({ text, not: false, regex: false, capitals: false });
        bus.emit('searched');
        return next(1);
      },
    },
  };
}

/** What is wrong with a pattern, without the parameter's name. @param {import('./api.js').Problem} error */
function plainly({ message }) {
  return message.replace(/^(grep|exclude)( at byte \d+)?: /, '');
}

/** The selected text, or the word that was clicked at. @param {Selection|null} selection */
function wordAt(selection) {
  const text = String(selection ?? '').trim();
  if (text) return text.split('\n')[0].slice(0, 300);
  const node = selection?.anchorNode;
  if (!selection || node?.nodeType !== Node.TEXT_NODE || !el('block').contains(node)) return '';
  const all = node.textContent ?? '';
  const at = selection.anchorOffset;
  const before = /[\p{L}\p{N}_.-]*$/u.exec(all.slice(0, at))?.[0] ?? '';
  const after = /^[\p{L}\p{N}_.-]*/u.exec(all.slice(at))?.[0] ?? '';
  return (before + after).replace(/^[.-]+|[.-]+$/g, '');
}
