/**
 * Lines over time, stacked by level, over the whole file: click goes there, dragging chooses a range, keys do both.
 *
 * The wheel looks closer, and sideways it (or Shift with it) moves on. Lines without times are counted along the file.
 *
 * The server counts, sampled while the file is large and not yet indexed: then the caption says ≈. The canvas is drawn when
 * the counts or the size change; what moves with every scroll is an element of its own.
 */

import { histogram } from './api.js';
import { bytes, short } from './format.js';
import { el, put } from './status.js';
import { Scale, clockWords, rangeWords, spanWords } from './when.js';

const BUCKETS = 240;
const EVERY_MS = 3000; // a file that grows is counted anew, this often at most
const ZOOM_MS = 60; // the wheel turns faster than anybody counts
const CLOSEST_MS = 2000;
const FEW = 1000; // lines without times: for fewer the rail is enough
const BAR = 5; // px, with its gap
const SLIGHT = 1.5; // px: one error among ten million lines is seen
/** From the ground up; the rare and important ones on top. @type {{levels: string[], colour: string}[]} */
const LAYERS = [
  { levels: ['none', 'trace', 'debug'], colour: '--bar-debug' },
  { levels: ['info'], colour: '--bar-info' },
  { levels: ['warn'], colour: '--bar-warn' },
  { levels: ['error', 'fatal'], colour: '--bar-error' },
];

/**
 * @param {import('./app.js').App} app
 * @param {{range: () => {since: string, until: string}, choose: (since: number|null, until: number|null) => void, go: (at: number, place: boolean) => void, here: (place: boolean) => number|null}} hooks  `go`, `here`: a time in ms, or a byte where lines have no times
 */
export function hist(app, hooks) {
  const { bus, sources } = app;
  const root = el('hist');
  const plot = el('hist-plot');
  const canvas = /** @type {HTMLCanvasElement} */ (plot.querySelector('canvas'));
  /** @type {import('./api.js').Bars|null} */
  let bars = null;
  /** The part that the wheel chose. @type {import('./api.js').Bars|null} */
  let closer = null;
  let scale = new Scale(null, 1);
  /** The axis of the whole file, whatever part is shown. */
  let whole = new Scale(null, 1);
  /** The part of time that the wheel chose, in ms. @type {{from: number, to: number}|null} */
  let zoom = null;
  let zooming = 0;
  let wanted = true;
  let file = '';
  let asked = 0;
  let timer = 0;
  let failed = 0;
  let width = 0; // of the plot, kept: to ask for it in a frame lays out what the frame has written
  /** @type {{from: number, to: number}|null} in px, while somebody drags */
  let drag = null;
  let key = -1; // the column that the keys stand on
  let anchor = -1;

  async function read() {
    window.clearTimeout(timer);
    timer = 0;
    const name = sources.file?.name;
    if (!name || document.hidden) return;
    asked = Date.now();
    try {
      const got = await histogram(name, BUCKETS);
      if (name !== sources.active) return;
      bars = got;
      whole = new Scale(got, Math.max(1, got.counts.length));
      if (zoom) {
        const part = await histogram(name, BUCKETS, zoom);
        if (name === sources.active && zoom && part.start !== null) closer = part;
      }
      failed = 0;
    } catch (error) {
      failed += 1;
      if (name !== sources.active || failed < 2) return; // the picture of a moment ago is better than none
      bars = null;
    }
    bus.emit('bars', bars);
    show();
  }

  function later() {
    if (timer || failed > 3) return;
    timer = window.setTimeout(read, Math.max(0, asked + EVERY_MS * (1 + failed) - Date.now()));
  }

  function show() {
    const has = bars !== null && bars.start !== null && bars.counts.length > 0 && (!bars.place || bars.lines >= FEW);
    root.hidden = !wanted || !has;
    if (!root.hidden) draw();
  }

  /** Sums the buckets for the columns that fit. */
  function draw() {
    width = plot.clientWidth;
    const height = plot.clientHeight;
    const shown = closer ?? bars;
    if (!shown || shown.start === null || !width) return;
    const columns = Math.max(1, Math.min(shown.counts.length, Math.floor(width / BAR)));
    scale = new Scale(shown, columns);
    const dpr = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * dpr);
    canvas.height = Math.round(height * dpr);
    const pen = canvas.getContext('2d');
    if (!pen) return;
    pen.scale(dpr, dpr);
    const style = getComputedStyle(root);
    const most = Math.max(1, ...scale.columns.map((column) => column.all));
    const step = width / columns;
    const room = height - 20; // above them stands the caption
    for (const [i, column] of scale.columns.entries()) {
      let y = height;
      for (const layer of LAYERS) {
        const n = layer.levels.reduce((sum, level) => sum + (column.of[level] ?? 0), 0);
        if (!n) continue;
        const h = Math.max(layer.levels.includes('warn') || layer.levels.includes('error') ? SLIGHT : 0.5, (n / most) * room);
        pen.fillStyle = style.getPropertyValue(layer.colour);
        pen.fillRect(i * step, y - h, Math.max(1, step - 1), h);
        y -= h;
      }
    }
    caption();
    range();
    here();
  }

  function caption() {
    const { first, last } = scale;
    if (first === null || last === null) return;
    if (scale.place) {
      put(el('hist-caption'), `${bars?.exact ? '' : '≈ '}${bytes(last - first)}, lines without times`);
      put(el('hist-summary'), `${bars?.exact ? '' : 'About '}${short(bars?.lines ?? 0)} lines without times, along the file. Arrow keys move, Enter goes there.`);
      return;
    }
    put(el('hist-caption'), `${closer ? 'closer · ' : ''}${(closer ?? bars)?.exact ? '' : '≈ '}${spanWords(first, last)}`);
    const sum = (/** @type {string[]} */ levels) => scale.columns.reduce((all, { of }) => all + levels.reduce((n, level) => n + (of[level] ?? 0), 0), 0);
    put(el('hist-summary'), `${bars?.exact ? '' : 'About '}${short(sum(LAYERS.flatMap(({ levels }) => levels)))} lines from ${clockWords(first, true)} to ${clockWords(last, true)}: ${short(sum(['error', 'fatal']))} errors, ${short(sum(['warn']))} warnings. Arrow keys move, Enter goes there, Shift with arrows chooses a range, Escape shows all.`);
  }

  /** The chosen range, or the one that is being chosen. */
  function range() {
    const node = el('hist-range');
    let from = NaN;
    let to = NaN;
    if (scale.place) return void (node.hidden = true);
    if (drag) [from, to] = [Math.min(drag.from, drag.to), Math.max(drag.from, drag.to)];
    else if (anchor >= 0 && key >= 0) [from, to] = [(Math.min(anchor, key) * width) / scale.columns.length, ((Math.max(anchor, key) + 1) * width) / scale.columns.length];
    else {
      const { since, until } = hooks.range();
      if (since || until) [from, to] = [since ? scale.part(Date.parse(since)) * width : 0, until ? scale.part(Date.parse(until)) * width : width];
    }
    node.hidden = !(to >= from);
    if (node.hidden) return;
    node.style.transform = `translateX(${from}px)`;
    node.style.width = `${Math.max(2, to - from)}px`;
  }

  /** Where the screen stands. */
  function here() {
    if (root.hidden) return;
    const ms = hooks.here(scale.place);
    const node = el('hist-here');
    const part = ms === null ? -1 : scale.part(ms);
    node.hidden = part < 0 || part > 1;
    if (!node.hidden) node.style.transform = `translateX(${Math.round(part * (width - 2))}px)`;
  }

  /** @param {number} px */
  function tip(px) {
    const node = el('hist-tip');
    const column = scale.columns[Math.max(0, Math.min(scale.columns.length - 1, Math.floor((px / Math.max(1, width)) * scale.columns.length)))];
    if (!column) return;
    node.hidden = false;
    const parts = LAYERS.toReversed().flatMap(({ levels }) => {
      const n = levels.reduce((sum, level) => sum + (column.of[level] ?? 0), 0);
      return n ? [`${short(n)} ${levels.includes('error') ? 'errors' : levels.includes('warn') ? 'warnings' : levels.includes('info') ? 'info' : 'other'}`] : [];
    });
    const time = scale.place ? bytes(column.start - (scale.first ?? 0)) : drag ? rangeWords(scale.at(Math.min(drag.from, drag.to) / width), scale.at(Math.max(drag.from, drag.to) / width)) : clockWords(column.start, scale.days > 1);
    put(node, `${time} · ${parts.join(', ') || 'no lines'}`);
    node.style.transform = `translateX(${Math.max(0, Math.min(width - node.offsetWidth, px + 10))}px)`;
  }

  const px = (/** @type {MouseEvent} */ event) => Math.max(0, Math.min(width, event.clientX - plot.getBoundingClientRect().left));
  plot.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    plot.setPointerCapture(event.pointerId);
    drag = { from: px(event), to: px(event) };
    anchor = key = -1;
  });
  plot.addEventListener('pointermove', (event) => {
    if (drag) drag.to = px(event);
    if (drag && Math.abs(drag.to - drag.from) > 3) range();
    tip(px(event));
  });
  plot.addEventListener('pointerleave', () => { if (!drag) el('hist-tip').hidden = true; });
  plot.addEventListener('pointercancel', () => { drag = null; range(); });
  plot.addEventListener('pointerup', (event) => {
    if (!drag) return;
    const { from } = drag;
    const to = px(event);
    drag = null;
    el('hist-tip').hidden = true;
    if (Math.abs(to - from) > 3 && !scale.place) hooks.choose(scale.at(Math.min(from, to) / width), scale.at(Math.max(from, to) / width));
    else if (bars) hooks.go(scale.columns[Math.max(0, Math.min(scale.columns.length - 1, Math.floor((to / width) * scale.columns.length)))].start, scale.place);
    range();
  });
  plot.addEventListener('dblclick', () => {
    look(null);
    if (hooks.range().since || hooks.range().until) hooks.choose(null, null);
  });

  /** Shows a part of time closer, or all of it. @param {{from: number, to: number}|null} part */
  function look(part) {
    const [first, last] = [whole.first ?? 0, whole.last ?? 0];
    zoom = part && part.to - part.from < last - first ? { from: Math.max(first, Math.min(part.from, last - (part.to - part.from))), to: 0 } : null;
    if (zoom && part) zoom.to = Math.min(last, zoom.from + part.to - part.from);
    if (!zoom) closer = null;
    window.clearTimeout(zooming);
    zooming = window.setTimeout(zoom ? read : show, zoom ? ZOOM_MS : 0);
  }
  plot.addEventListener('wheel', (event) => {
    if (whole.first === null || whole.last === null || whole.place || event.ctrlKey) return;
    event.preventDefault();
    const now = zoom ?? { from: whole.first, to: whole.last };
    const span = now.to - now.from;
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey) {
      const by = Math.sign(event.deltaX || event.deltaY) * span * 0.1;
      look({ from: now.from + by, to: now.to + by });
    } else {
      const wide = Math.max(CLOSEST_MS, span * (event.deltaY < 0 ? 0.7 : 1 / 0.7));
      const at = px(event) / Math.max(1, width);
      const middle = now.from + at * span;
      look({ from: middle - at * wide, to: middle + (1 - at) * wide });
    }
  }, { passive: false });
  plot.addEventListener('keydown', (event) => {
    const last = scale.columns.length - 1;
    const by = { ArrowLeft: -1, ArrowRight: 1, Home: -last, End: last }[event.key] ?? 0;
    if (by) {
      const was = key < 0 ? Math.round(Math.max(0, Math.min(1, scale.part(hooks.here(scale.place) ?? 0))) * last) : key;
      anchor = event.shiftKey && !scale.place ? (anchor < 0 ? was : anchor) : -1;
      key = Math.max(0, Math.min(last, was + by));
      tip(((key + 0.5) * width) / (last + 1) - 10);
      range();
    } else if (event.key === 'Enter' && key >= 0) {
      if (anchor >= 0) hooks.choose(scale.columns[Math.min(anchor, key)].start, scale.columns[Math.max(anchor, key)].end);
      else hooks.go(scale.columns[key].start, scale.place);
      anchor = -1;
    } else if (event.key === 'Escape' && (key >= 0 || hooks.range().since || hooks.range().until)) {
      if (anchor < 0) hooks.choose(null, null);
      anchor = key = -1;
      el('hist-tip').hidden = true;
      range();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  plot.addEventListener('blur', () => { el('hist-tip').hidden = true; });
  new ResizeObserver(() => { if (!root.hidden) draw(); }).observe(plot);
  bus.on('drawn', here);
  bus.on('query', range);
  bus.on('dress', () => { if (!root.hidden) draw(); });
  bus.on('show', () => {
    if (file === sources.active) return;
    file = sources.active;
    bars = closer = zoom = null;
    failed = 0;
    whole = new Scale(null, 1);
    bus.emit('bars', null);
    show();
    void read();
  });
  bus.on('event', ({ event, data }) => {
    // What was sampled is counted once the index has passed.
    const counted = event === 'tick' && bars !== null && !bars.exact && !bars.place && sources.file?.lines !== null;
    if (counted || (event === 'batch' && data.file === sources.active)) later();
  });
  document.addEventListener('visibilitychange', () => { if (!document.hidden) later(); });

  return {
    get scale() { return whole; },
    get bars() { return bars; },
    toggle() {
      wanted = !wanted;
      show();
      if (wanted && root.hidden) app.toast(bars ? 'These lines are too few to count' : 'The lines are not counted yet');
    },
  };
}
