/**
 * The rail: the scrollbar of the file, in bytes. Dragging jumps; at most one request is under way, the latest wins.
 */

import { bytes, percent } from './format.js';

/**
 * @param {HTMLElement} root @param {HTMLElement} thumb
 * @param {{jump: (part: number) => Promise<unknown>, key: (act: string) => void}} hooks
 */
export function rail(root, thumb, hooks) {
  let dragging = false;
  let running = false;
  /** @type {number|null} */
  let wanted = null;
  // Kept: to ask for a size in a frame lays out what the frame has written.
  let room = 0;
  let shown = -1;

  /** @param {number} part */
  function draw(part) {
    const y = Math.round(part * room);
    if (y === shown) return;
    shown = y;
    thumb.style.transform = `translateY(${y}px)`;
  }

  async function go() {
    if (running) return;
    running = true;
    while (wanted !== null) {
      const part = wanted;
      wanted = null;
      await hooks.jump(part);
    }
    running = false;
  }

  /** @param {PointerEvent} event */
  function point(event) {
    const box = root.getBoundingClientRect();
    const grip = thumb.offsetHeight;
    const part = Math.max(0, Math.min(1, (event.clientY - box.top - grip / 2) / Math.max(1, box.height - grip)));
    draw(part);
    wanted = part;
    go();
  }

  root.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    dragging = true;
    root.setPointerCapture(event.pointerId);
    root.classList.add('dragging');
    point(event);
    event.preventDefault();
  });
  root.addEventListener('pointermove', (event) => { if (dragging) point(event); });
  for (const name of /** @type {const} */ (['pointerup', 'pointercancel'])) {
    root.addEventListener(name, () => {
      dragging = false;
      root.classList.remove('dragging');
    });
  }
  const acts = /** @type {Record<string, string>} */ ({ ArrowDown: 'next', ArrowUp: 'previous', PageDown: 'page-down', PageUp: 'page-up', Home: 'start', End: 'end' });
  root.addEventListener('keydown', (event) => {
    if (!acts[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    hooks.key(acts[event.key]);
  });
  const sizes = new ResizeObserver(() => {
    room = Math.max(0, root.clientHeight - thumb.offsetHeight);
    shown = -1;
  });
  for (const node of [root, thumb]) sizes.observe(node);

  let ticked = '';

  return {
    /** Marks of the user, as parts of the file. @param {number[]} parts */
    ticks(parts) {
      const key = parts.map((part) => Math.round(part * room)).join();
      if (key === ticked) return;
      ticked = key;
      for (const old of root.querySelectorAll('.tick')) old.remove();
      for (const part of parts) {
        const tick = document.createElement('div');
        tick.className = 'tick';
        tick.style.top = `${(part * 100).toFixed(2)}%`;
        root.prepend(tick);
      }
    },
    /** @param {number} from @param {number} at @param {number} tip @param {number} line  0 while its number is not known */
    show(from, at, tip, line) {
      const part = tip > from ? (at - from) / (tip - from) : 1;
      if (!dragging) draw(part);
      const now = String(Math.round(part * 100));
      if (root.getAttribute('aria-valuenow') !== now) root.setAttribute('aria-valuenow', now);
      const words = `${percent(at - from, tip - from)}, ${line ? `line ${line}, ` : ''}${bytes(at)} of ${bytes(tip)}`;
      if (root.getAttribute('aria-valuetext') !== words) root.setAttribute('aria-valuetext', words);
    },
  };
}
