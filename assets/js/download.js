/**
 * Saving what is shown: the bytes of the file, or those of the lines that the filter keeps, straight from the server; or the
 * lines as JSON, which the page collects from a search.
 */

import { rawUrl, search } from './api.js';
import { bytes, count, percent } from './format.js';
import { LEVELS, isNothing, words } from './query.js';
import { el } from './status.js';

/** Characters of JSON: the browser holds them until they are saved. More is a matter for `curl` and the stream. */
const MOST = 250_000_000;
const PART = 1_000_000; // characters of one part: a string that grows line by line is copied again and again

/**
 * @param {import('./app.js').App} app @param {ReturnType<typeof import('./filter.js').filter>} filter
 * @param {() => {first: import('./store.js').Item, last: import('./store.js').Item}|null} span  the selected lines
 */
export function download(app, filter, span) {
  const box = /** @type {HTMLDialogElement} */ (el('download'));
  const form = /** @type {HTMLFormElement} */ (box.querySelector('form'));
  const about = /** @type {HTMLElement} */ (form.querySelector('.about'));
  const link = /** @type {HTMLAnchorElement} */ (form.querySelector('a'));
  /** @param {string} name @param {string} value */
  const option = (name, value) => /** @type {HTMLInputElement} */ (form.querySelector(`input[name=${name}][value=${value}]`));
  const kept = () => option('lines', 'kept').checked;
  const json = () => option('as', 'json').checked;
  let stop = new AbortController();
  let forced = false;
  const part = () => /** @type {HTMLInputElement} */ (form.querySelector('input[name=part]:checked'))?.value ?? 'file';

  /** @returns {{file: string, query: [string, string][]}|null} */
  function wanted() {
    const store = app.sources.file;
    if (!store) return null;
    /** @type {[string, string][]} */
    const query = [];
    const chosen = span();
    const top = app.view.top;
    if (part() === 'selected' && chosen) {
      const { generation } = store.lives[chosen.first.life];
      query.push(['from', String(chosen.first.offset)], ['to', String(chosen.last.next)], ['generation', generation ?? '']);
    } else if (part() === 'on' && top) {
      query.push(['from', String(top.offset)], ['generation', store.lives[top.life].generation ?? '']);
    } else if (part() === 'all') query.push(['history', 'true']);
    if (kept() && filter.kept) query.push(...filter.kept.filters);
    query.push(['download', 'true']);
    return { file: store.name, query: query.filter(([, value]) => value !== '') };
  }

  /** Collects the lines as JSON. @param {import('./store.js').Store} store @param {[string, string][]} query  what `wanted` says */
  async function collect(store, query) {
    stop.abort();
    stop = new AbortController();
    const { signal } = stop;
    const of = (/** @type {string} */ name) => query.find(([own]) => own === name)?.[1];
    const generation = of('generation') ?? store.life.generation;
    const to = Number(of('to') ?? Infinity);
    const filters = kept() && filter.kept ? filter.kept.filters : [];
    /** @type {[string, string][]} */
    const asked = [['file', store.name], ['mode', 'filter'], ['order', 'oldest'], ['limit', 'all'], ...filters];
    // A search needs a filter; all levels and none are all lines.
    if (!filters.length) asked.push(['level', LEVELS.join()]);
    if (!of('history')) asked.push(['from', of('from') ?? String(store.life.from)], ['generation', generation ?? '']);
    /** @type {string[]} */
    const parts = [''];
    let size = 0;
    let ended = '';
    await search(asked.filter(([, value]) => value), signal, (record) => {
      const { progress, gap, cursor, ...line } = record;
      if (progress && !ended) app.toast(`Collecting… ${percent(progress.bytes, progress.of)}`, 60_000);
      if (gap) ended ||= `The JSON has a gap: ${gap.reason}`;
      if (line.text === undefined || ended) return;
      if (!of('history') && (line.generation !== generation || line.offset >= to)) return;
      const text = `${JSON.stringify(line)}\n`;
      size += text.length;
      if (size > MOST) {
        ended = `Only the first ${bytes(MOST)} of JSON are saved: for more, curl the stream (see the README)`;
        stop.abort();
        return;
      }
      if (parts[parts.length - 1].length > PART) parts.push('');
      parts[parts.length - 1] += text;
    }).catch((error) => { if (!signal.aborted) throw error; });
    if (signal.aborted && !ended) return;
    const url = URL.createObjectURL(new Blob(parts, { type: 'application/x-ndjson' }));
    const saved = document.createElement('a');
    saved.href = url;
    saved.download = `${store.name.split('/').pop()}.ndjson`;
    saved.click();
    window.setTimeout(() => URL.revokeObjectURL(url), 60_000);
    app.toast(ended || `Saved ${bytes(size)} of JSON`, ended ? 10_000 : 2500);
  }

  function draw() {
    const store = app.sources.file;
    // Bytes do not tell whose they are.
    const whose = kept() && filter.query.terms.some(({ of }) => of);
    option('as', 'raw').disabled = whose;
    if (whose !== forced) option('as', whose ? 'json' : 'raw').checked = true;
    forced = whose;
    const to = wanted();
    if (!store || !to) return;
    link.href = rawUrl(to.file, to.query);
    const chosen = span();
    const size = part() === 'selected' && chosen ? chosen.last.next - chosen.first.offset : part() === 'on' && app.view.top ? store.life.tip - app.view.top.offset : store.life.tip - store.life.from;
    link.hidden = json();
    if (json()) about.textContent = `${kept() && filter.kept ? `The lines ${words(filter.query)}` : 'The lines'}, at most ${bytes(size)} of them, as JSON.`;
    else about.textContent = kept() && filter.kept ? `The lines ${words(filter.query)}, at most ${bytes(size)}, byte for byte.` : `${part() === 'all' ? 'At least ' : ''}${bytes(size)}, byte for byte as in the file.`;
  }

  form.addEventListener('change', draw);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const [store, to] = [app.sources.file, wanted()];
    if (!json()) link.click();
    else if (store && to) {
      box.close();
      void collect(store, to.query).catch((error) => {
        app.toast('');
        app.complain(error);
      });
    }
  });
  link.addEventListener('click', () => {
    box.close();
    app.toast('The download begins');
  });
  box.addEventListener('click', ({ target }) => {
    if (target === box || /** @type {Element} */ (target).closest('[data-close]')) box.close();
  });

  return {
    open() {
      const store = app.sources.file;
      if (!store) return;
      const filtered = !isNothing(filter.query);
      option('lines', 'kept').disabled = !filtered;
      option('lines', filtered ? 'kept' : 'all').checked = true;
      const chosen = span();
      option('part', 'selected').disabled = !chosen || chosen.first.life !== chosen.last.life;
      option('part', chosen && chosen.first.life === chosen.last.life ? 'selected' : 'file').checked = true;
      option('part', 'on').disabled = app.view.follow;
      /** @type {HTMLElement} */ (form.querySelector('.name')).textContent = `${store.label}${store.lines ? ` · ${count(store.lines)} lines` : ''}`;
      draw();
      box.showModal();
    },
  };
}
