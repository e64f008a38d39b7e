/**
 * Saving what is shown: the bytes of the file, or those of the lines that the filter keeps, straight from the server.
 */

import { rawUrl } from './api.js';
import { bytes, count } from './format.js';
import { isNothing, words } from './query.js';
import { el } from './status.js';

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

  function draw() {
    const store = app.sources.file;
    const to = wanted();
    if (!store || !to) return;
    link.href = rawUrl(to.file, to.query);
    const chosen = span();
    const size = part() === 'selected' && chosen ? chosen.last.next - chosen.first.offset : part() === 'on' && app.view.top ? store.life.tip - app.view.top.offset : store.life.tip - store.life.from;
    about.textContent = kept() && filter.kept ? `The lines ${words(filter.query)}, at most ${bytes(size)}, byte for byte.` : `${part() === 'all' ? 'At least ' : ''}${bytes(size)}, byte for byte as in the file.`;
  }

  form.addEventListener('change', draw);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    link.click();
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
      option(filtered ? 'lines' : 'lines', filtered ? 'kept' : 'all').checked = true;
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
