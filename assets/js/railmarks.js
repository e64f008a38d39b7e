/**
 * What is painted on the rail: errors at its left edge, matches at its right, the chosen range bright and the rest dim, and the
 * time under the pointer. Painted when one of them or the size changed, at most ten times a second.
 */

import { bytes, percent } from './format.js';
import { el, put } from './status.js';
import { clockWords } from './when.js';

const EVERY_MS = 100;
const ERRORS = ['error', 'fatal'];

/**
 * @param {import('./app.js').App} app
 * @param {{find: import('./find.js').Find, hist: {scale: import('./when.js').Scale}, range: () => Promise<[number, number]|null>, life: () => import('./lives.js').Life|null}} of
 */
export function railMarks(app, { find, hist, range, life }) {
  const root = el('rail');
  const canvas = /** @type {HTMLCanvasElement} */ (el('rail-marks'));
  let later = 0;
  /** The chosen range as parts of the file. @type {[number, number]|null} */
  let chosen = null;

  function soon() {
    later ||= window.setTimeout(() => { later = 0; paint(); }, EVERY_MS);
  }

  /** How many matches each pixel has. @param {number} height */
  function matches(height) {
    const of = life();
    const place = of && find.result?.places.get(of.generation ?? '');
    const out = new Float64Array(height);
    if (!place || !of || of.tip <= of.from) return out;
    const row = (/** @type {number} */ offset) => Math.max(0, Math.min(height - 1, Math.floor(((offset - of.from) / (of.tip - of.from)) * height)));
    if (place.part) for (const [part, n] of place.density) {
      const to = row(Math.min(of.tip, (part + 1) * place.part) - 1);
      const from = row(part * place.part);
      for (let y = from; y <= to; y += 1) out[y] += n / (to - from + 1);
    }
    // Single places are exact; the parts may be larger than a pixel.
    if (!place.part || place.hits.length < height) {
      out.fill(0);
      for (const offset of place.hits) out[row(offset)] += 1;
    }
    return out;
  }

  /** @param {number} height */
  function errors(height) {
    const out = new Float64Array(height);
    const { columns } = hist.scale;
    const all = columns.reduce((sum, column) => sum + column.all, 0);
    let sum = 0;
    for (const column of columns) {
      const n = ERRORS.reduce((count, level) => count + (column.of[level] ?? 0), 0);
      const from = Math.floor((sum / Math.max(1, all)) * height);
      sum += column.all;
      const to = Math.max(from, Math.ceil((sum / Math.max(1, all)) * height) - 1);
      for (let y = from; n && y <= Math.min(to, height - 1); y += 1) out[y] = Math.max(out[y], n / Math.max(1, column.all));
    }
    return out;
  }

  function paint() {
    const width = root.clientWidth;
    const height = root.clientHeight;
    const dpr = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * dpr);
    canvas.height = Math.round(height * dpr);
    const pen = canvas.getContext('2d');
    if (!pen || !height) return;
    pen.scale(dpr, dpr);
    const style = getComputedStyle(root);
    const colour = (/** @type {string} */ name) => style.getPropertyValue(name);
    pen.fillStyle = colour('--rail-error');
    errors(height).forEach((share, y) => {
      if (!share) return;
      pen.globalAlpha = Math.min(0.9, 0.25 + share * 4);
      pen.fillRect(0, y, 4, 1);
    });
    const marks = matches(height);
    const most = Math.max(1, ...marks);
    pen.fillStyle = colour('--found');
    let n = 0;
    marks.forEach((count, y) => {
      if (!count) return;
      n += 1;
      pen.globalAlpha = 0.45 + (0.55 * count) / most;
      pen.fillRect(width - 9, Math.max(0, y - 0.5), 8, 2);
    });
    root.dataset.marks = String(n);
    if (chosen) {
      pen.globalAlpha = 0.72;
      pen.fillStyle = colour('--rail-dim');
      pen.fillRect(0, 0, width, chosen[0] * height);
      pen.fillRect(0, chosen[1] * height, width, height - chosen[1] * height);
      pen.globalAlpha = 1;
      pen.fillStyle = colour('--rail-range');
      pen.fillRect(0, chosen[0] * height, 2, Math.max(2, (chosen[1] - chosen[0]) * height));
    }
    pen.globalAlpha = 1;
  }

  /** @param {PointerEvent} event */
  function tip(event) {
    const of = life();
    if (!of) return;
    const box = root.getBoundingClientRect();
    const part = Math.max(0, Math.min(1, (event.clientY - box.top) / Math.max(1, box.height)));
    const ms = of === app.sources.file?.life ? hist.scale.timeAtByte(part) : null;
    const node = el('rail-tip');
    node.hidden = false;
    put(node, `${ms === null ? '' : `≈ ${clockWords(ms, hist.scale.days > 1)} · `}${percent(part, 1)} · ${bytes(Math.round(of.from + part * (of.tip - of.from)))}`);
    node.style.transform = `translateY(${Math.max(0, Math.min(box.height - node.offsetHeight, part * box.height - node.offsetHeight / 2))}px)`;
  }
  root.addEventListener('pointermove', tip);
  root.addEventListener('pointerleave', () => { el('rail-tip').hidden = true; });
  new ResizeObserver(soon).observe(root);
  for (const name of ['found', 'bars', 'show', 'dress']) app.bus.on(name, soon);
  app.bus.on('query', async () => {
    chosen = await range().catch(() => null);
    soon();
  });
}
