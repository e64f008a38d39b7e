/**
 * What keys and buttons do. One name for each act; the table of keys is in `keys.js`.
 */

import { choices, choose, density, nextTheme } from './settings.js';
import { el } from './status.js';

/**
 * @param {{sources: import('./sources.js').Sources, view: import('./view.js').View, select: (name: string) => void, complain: (error: unknown) => void}} app
 * @returns {Record<string, () => unknown>}
 */
export function acts({ sources, view, select, complain }) {
  const log = el('log');

  /** @param {number} pages */
  function scroll(pages) {
    if (pages < 0 && view.follow && log.scrollTop > 0) view.setFollow(false, 'scroll');
    if (!view.follow) log.scrollBy({ top: pages * (log.clientHeight - 40) });
  }

  /** Moves the focused row. @param {number} by */
  function step(by) {
    const { rows } = view.block;
    if (!rows.length) return;
    view.setFollow(false, 'user');
    const at = rows.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const start = by > 0 ? Math.min(view.first.index + 1, rows.length - 1) : rows.length - 1;
    const row = rows[Math.max(0, Math.min(rows.length - 1, at >= 0 ? at + by : start))];
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: 'nearest' });
  }

  /** @param {number} by */
  function turn(by) {
    const { names } = sources;
    if (names.length > 1) select(names[(names.indexOf(sources.active) + by + names.length) % names.length]);
  }

  return {
    next: () => step(1),
    previous: () => step(-1),
    'half-down': () => scroll(0.5),
    'half-up': () => scroll(-0.5),
    'page-down': () => scroll(1),
    'page-up': () => scroll(-1),
    start: () => view.jump(sources.shown?.store.life.from ?? 0, 0).catch(complain),
    end: () => view.setFollow(true),
    space: () => (view.follow ? view.setFollow(false) : scroll(1)),
    follow: () => view.setFollow(!view.follow),
    wrap: () => view.keepPlace(() => choose({ wrap: !choices.wrap })),
    left: () => log.scrollBy({ left: -120 }),
    right: () => log.scrollBy({ left: 120 }),
    smaller: () => view.keepPlace(() => choose({ density: density(-1) })),
    larger: () => view.keepPlace(() => choose({ density: density(1) })),
    theme: () => choose({ theme: nextTheme() }),
    'previous-file': () => turn(-1),
    'next-file': () => turn(1),
    help: () => /** @type {HTMLDialogElement} */ (el('sheet')).showModal(),
    close() {
      getSelection()?.removeAllRanges();
      log.focus({ preventScroll: true });
    },
  };
}
