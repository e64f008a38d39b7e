/**
 * What keys and buttons do, but for what concerns single lines (`rows.js`). One name for each act; the table of keys is in `keys.js`.
 */

import { MERGED } from './sources.js';
import { choices, choose, density, nextTheme, nextTime, nextZone } from './settings.js';
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

  /** @param {number} by */
  function turn(by) {
    const { tabs } = sources;
    if (tabs.length > 1) select(tabs[(tabs.indexOf(sources.active) + by + tabs.length) % tabs.length]);
  }

  return {
    'half-down': () => scroll(0.5),
    'half-up': () => scroll(-0.5),
    'page-down': () => scroll(1),
    'page-up': () => scroll(-1),
    start: () => view.jump(sources.active === MERGED ? 'start' : sources.shown?.store.life.from ?? 0, 0).catch(complain),
    end: () => view.setFollow(true),
    space: () => (view.follow ? view.setFollow(false) : scroll(1)),
    follow: () => view.setFollow(!view.follow),
    wrap: () => view.keepPlace(() => choose({ wrap: !choices.wrap })),
    left: () => log.scrollBy({ left: -120 }),
    right: () => log.scrollBy({ left: 120 }),
    smaller: () => view.keepPlace(() => choose({ density: density(-1) })),
    larger: () => view.keepPlace(() => choose({ density: density(1) })),
    theme: () => choose({ theme: nextTheme() }),
    time: () => choose({ time: nextTime() }),
    zone: () => choose({ zone: nextZone(), time: 'clock' }),
    'previous-file': () => turn(-1),
    'next-file': () => turn(1),
    help: () => /** @type {HTMLDialogElement} */ (el('sheet')).showModal(),
  };
}
