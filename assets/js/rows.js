/**
 * What one can do with lines: the cursor row, details, folds, selection, copy, marks and links.
 */

import { Problem } from './api.js';
import { count } from './format.js';
import { keyOf, plain } from './group.js';
import { parse } from './line.js';
import { Marks } from './marks.js';
import { Merged } from './merged.js';
import { Pick, bytesBetween, linesBetween, offsetFrom, selectedText, toClipboard } from './pick.js';
import { narrow } from './settings.js';
import { el } from './status.js';

/** @typedef {import('./store.js').Item} Item */

/**
 * @param {{sources: import('./sources.js').Sources, view: import('./view.js').View, toast: (words: string) => void, complain: (error: unknown) => void, url: (place: import('./link.js').Place) => URL}} app  `url`: the link to a place and what is shown there
 */
export function rowActs({ sources, view, toast, complain, url }) {
  const { block } = view;
  const marks = new Marks();
  const pick = new Pick();
  /** The line a link or a jump pointed at. @type {string} */
  let found = '';
  /** @type {Item|null} */
  let clicked = null;

  /** @param {unknown} error */
  function failed(error) {
    if (error instanceof Problem) complain(error);
    else toast(`That did not work: ${/** @type {Error} */ (error).message}`);
  }

  /** A line as its own file has it: in the merged view lines of several files stand together. @param {Item|null|undefined} item */
  function origin(item) {
    const store = item?.file ? sources.all.get(item.file)?.store : sources.shown?.store;
    return store && item ? { store: /** @type {import('./store.js').Store} */ (store), item: item.of ?? item } : null;
  }

  block.classes = (item) => {
    const own = item.kind === 'line' ? origin(item) : null;
    if (!own) return '';
    /** @type {string[]} */
    const out = [];
    if (pick.has(item)) out.push('sel');
    if (found && keyOf(item) === found) out.push('found');
    if (marks.has(own.store.name, own.store.lives[own.item.life]?.generation ?? null, own.item.offset)) out.push('marked');
    return out.join(' ');
  };

  /** Index of the cursor row: the focused one, else the first on the screen, else the last. */
  function cursor() {
    const row = document.activeElement?.closest('.row');
    const at = row ? block.rows.indexOf(/** @type {HTMLElement} */ (row)) : -1;
    return at >= 0 ? at : view.follow ? block.length - 1 : Math.min(view.first.index, block.length - 1);
  }

  /** @param {number} index */
  function focus(index) {
    const row = block.rows[Math.max(0, Math.min(block.length - 1, index))];
    if (!row) return;
    row.focus({ preventScroll: true });
    const [box, log] = [row.getBoundingClientRect(), view.log.getBoundingClientRect()];
    if (box.top < log.top || box.bottom > log.bottom) row.scrollIntoView({ block: 'nearest' });
    view.track.own(); // else a detail opened on the last line would begin to follow
  }

  /** Moves the cursor row. @param {number} by */
  function step(by) {
    if (!block.length) return;
    const focused = document.activeElement?.closest('.row');
    view.setFollow(false, 'user');
    focus(focused ? cursor() + by : by > 0 ? view.first.index + 1 : block.length - 1);
    if (pick.anchor) {
      pick.head = block.items[cursor()];
      block.decorate();
    }
  }

  /** @param {number} index @param {() => void} change */
  function alter(index, change) {
    if (!block.items[index]) return;
    view.setFollow(false, 'user');
    view.keepPlace(change);
    focus(index);
  }

  /** @param {number} index */
  function detail(index) {
    const item = block.items[index];
    if (item?.kind !== 'line') return;
    alter(index, () => {
      const key = keyOf(item);
      const { details } = block.shape;
      const had = details.delete(key);
      // On a phone the detail is a sheet over the foot of the page: one at a time.
      if (narrow()) {
        details.clear();
        block.items.forEach((one, i) => { if (block.rows[i].classList.contains('open')) block.note(block.rows[i], one); });
      }
      if (!had) details.add(key);
      block.note(block.rows[index], item);
    });
  }

  /** @param {number} index */
  function fold(index) {
    alter(index, () => { block.toggleFold(index); });
  }

  /** The lines between two items with their places. @param {Item} first @param {Item} last */
  async function linesOf(first, last) {
    const shown = view.store;
    if (shown instanceof Merged) return shown.between(first, last);
    return shown ? (await linesBetween(shown, first, last)).map((line) => ({ ...line, file: shown.name })) : [];
  }

  /** @param {boolean} names  with the file and the place before each line */
  async function copy(names) {
    const { store } = view;
    const item = block.items[cursor()];
    if (!item) return;
    const native = getSelection();
    if (!pick.span && native && !native.isCollapsed && !names) {
      await toClipboard(selectedText(native, block.rows) ?? String(native));
      toast('Copied the selection');
      return;
    }
    const [first, last] = pick.span ?? [item, item];
    let text = '';
    // Bytes do not tell whose they are.
    if (names || !store || store instanceof Merged || ('query' in store && store.query.terms.some(({ of }) => of))) for (const line of await linesOf(first, last)) text += `${names ? `${line.file}:${line.offset}: ` : ''}${line.text}\n`;
    else text = await bytesBetween(store, first, last);
    const lines = text.split('\n').length - 1;
    await toClipboard(text);
    toast(lines === 1 ? 'Copied the line' : `Copied ${count(lines)} lines`);
  }

  /** The link to the cursor row, in the address bar and on the clipboard. */
  async function link() {
    const own = origin(block.items[cursor()]);
    if (!own || own.item.kind !== 'line') return;
    const { store, item } = own;
    const { href } = url({ file: store.name, offset: item.offset, generation: store.lives[item.life].generation, time: parse(plain(item.text.slice(0, 400))).ms });
    history.replaceState(history.state, '', href);
    await toClipboard(href);
    toast('Copied the link to this line');
  }

  function mark() {
    const own = origin(block.items[cursor()]);
    if (!own || own.item.kind !== 'line') return;
    const { store, item } = own;
    const on = marks.toggle(store.name, store.lives[item.life].generation, item.offset);
    block.decorate();
    toast(on ? 'Marked: \' goes to the next mark' : 'Not marked any more');
  }

  /** @param {number} by */
  async function toMark(by) {
    const store = sources.shown?.store;
    if (!store || store instanceof Merged) {
      toast('Marks are found in the file itself: [ and ] turn to it');
      return;
    }
    const offsets = marks.offsets(store.name, store.life.generation);
    if (!offsets.length) {
      toast('No line is marked: m marks one');
      return;
    }
    const here = block.items[cursor()]?.offset ?? 0;
    const next = by > 0 ? offsets.find((o) => o > here) ?? offsets[0] : offsets.findLast((o) => o < here) ?? offsets[offsets.length - 1];
    await goTo(next, 0.3);
  }

  let typed = 0;
  for (const kind of ['input', 'focusin']) {
    document.addEventListener(kind, (event) => { if (event.target instanceof HTMLInputElement) typed += 1; });
  }

  /** Jumps, and puts the cursor on the line. @param {string|number} at @param {number} part @param {string|null} [generation] */
  async function goTo(at, part, generation) {
    const was = typed;
    const item = await view.jump(at, part, generation);
    if (!item) return false;
    found = keyOf(item);
    block.decorate();
    if (typed === was) focus(block.items.indexOf(item)); // a jump that comes late does not take the keys from who types meanwhile
    return true;
  }

  el('block').addEventListener('click', (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const index = block.rows.indexOf(/** @type {HTMLElement} */ (target.closest('.row')));
    const act = target.closest('button')?.dataset.act;
    if (index < 0) return;
    if (act) {
      focus(index);
      const acts = /** @type {Record<string, () => unknown>} */ ({ fold: () => fold(index), detail: () => detail(index), copy: () => copy(false).catch(failed), link: () => link().catch(failed), mark });
      acts[act]?.();
      event.stopPropagation();
    } else if (event.shiftKey && (pick.anchor || event.detail === 1)) {
      pick.anchor ??= clicked ?? block.items[index];
      pick.head = block.items[index];
      getSelection()?.removeAllRanges();
      block.decorate();
    } else if (target.closest('.clock, .lvl') || (/** @type {PointerEvent} */ (event).pointerType === 'touch' && block.items[index] === clicked && !target.closest('.detail, a'))) {
      detail(index);
    }
    clicked = block.items[index];
  });

  document.addEventListener('copy', (event) => {
    const selection = getSelection();
    if (!selection || !el('block').contains(selection.anchorNode)) return;
    const text = selectedText(selection, block.rows);
    if (text === null) return;
    event.clipboardData?.setData('text/plain', text);
    event.preventDefault();
  });

  return {
    marks,
    goTo,
    /** The line that the keys act on. */
    cursor: () => block.items[cursor()] ?? null,
    /** Whether somebody put the cursor on it, or a jump did. */
    pointed: () => document.activeElement?.closest('#block .row') !== null && document.activeElement !== null,
    /** Puts the cursor on a line, if it is in the document. @param {Item} item */
    point(item) {
      // In the merged view a number means something in one window only.
      const [file, of] = [item.file, item.of ?? item];
      const index = block.items.findIndex((one) => one.kind === 'line' && one.file === file && (one.of ?? one).life === of.life && (one.of ?? one).offset === of.offset);
      if (index < 0) return false;
      found = keyOf(block.items[index]);
      block.decorate();
      if (!document.activeElement?.closest('dialog')) focus(index); // a filter whose lines come late takes no keys from a box
      return true;
    },
    /** The selected lines, the first and the last. */
    span: () => (pick.span ? { first: pick.span[0], last: pick.span[1] } : null),
    /** Where the line is that is some lines away. @param {Item} item @param {number} by */
    offsetBy(item, by) {
      const shown = sources.shown?.store;
      if (shown instanceof Merged) return Promise.resolve(item.offset + by);
      return shown ? offsetFrom(shown, item, by) : Promise.resolve(item.offset);
    },
    /** @type {Record<string, () => unknown>} */
    acts: {
      next: () => step(1),
      previous: () => step(-1),
      detail: () => detail(cursor()),
      fold: () => fold(cursor()),
      'fold-all': () => view.keepPlace(() => {
        block.shape.all = !block.shape.all;
        block.shape.open.clear();
        block.regroup();
        toast(block.shape.all ? 'All traces are unfolded' : 'Traces are folded');
      }),
      repeats: () => view.keepPlace(() => {
        block.shape.repeats = !block.shape.repeats;
        block.regroup();
        toast(block.shape.repeats ? 'Repeats are collapsed' : 'Repeats are shown');
      }),
      select() {
        const item = block.items[cursor()];
        view.setFollow(false, 'user');
        if (pick.anchor) pick.drop();
        else if (item) {
          focus(cursor());
          pick.begin(item);
          toast('Selecting lines: j and k extend, c copies, Esc drops');
        }
        block.decorate();
      },
      copy: () => copy(false).catch(failed),
      'copy-named': () => copy(true).catch(failed),
      link: () => link().catch(failed),
      mark,
      'next-mark': () => toMark(1).catch(failed),
      'previous-mark': () => toMark(-1).catch(failed),
    },
    /** Ends the selection. @returns {boolean} whether there was one */
    drop() {
      const had = pick.anchor !== null;
      pick.drop();
      found = '';
      block.decorate();
      return had;
    },
  };
}
