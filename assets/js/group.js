/**
 * Lines that belong together become one item: a stack trace under its head, a repeated message with its count.
 *
 * Display only, and undone at any time: a group spans exactly the bytes of its lines, so that contiguity holds. Pure.
 * What the user opened stays open: a group is known by life and offset of its head, not by its place in the page.
 */

import { runs, isPlain } from './ansi.js';
import { isContinuation, isFrame, parse } from './line.js';

/** @typedef {import('./store.js').Item} Item */
/**
 * @typedef {object} Shape
 * @property {Set<string>} open     groups that the user unfolded
 * @property {Set<string>} details  lines whose detail is shown
 * @property {boolean} all          nothing is folded
 * @property {boolean} repeats      equal messages are collapsed
 */

/** Fewer followers than this are shown: a fold would save nothing. */
const FEW = 3;
/** A group is not longer than this; what follows begins another one. */
const LONGEST = 5000;

/** @returns {Shape} */
export function shape() {
  return { open: new Set(), details: new Set(), all: false, repeats: false };
}

/** @param {Item} item */
export function keyOf(item) {
  return `${item.life}:${item.offset}`;
}

/** @param {string} text */
export function plain(text) {
  return isPlain(text) ? text : runs(text).map((run) => run.text).join('');
}

/** The message with all numbers and ids alike, as the eye compares. @param {string} text */
export function signature(text) {
  const clean = plain(text.length > 2000 ? text.slice(0, 2000) : text);
  return clean.slice(parse(clean).message)
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, '#')
    .replace(/\b(?=[a-f]*\d)[0-9a-f]{6,}\b/gi, '#')
    .replace(/\d+(?:[.,:]\d+)*/g, '#');
}

/** @param {Item} item @param {Item|undefined} head @param {Shape} how @returns {'trace'|'repeat'|null} */
function joins(item, head, how) {
  if (!head || item.kind !== 'line' || head.kind !== 'line' || item.life !== head.life || item.file !== head.file || item.origin !== head.origin || item.loose) return null;
  if (isContinuation(plain(item.text.slice(0, 200)))) return 'trace';
  if (how.repeats && signature(item.text) === signature(head.text)) return 'repeat';
  return null;
}

/** @param {Item[]} items */
export function ungroup(items) {
  return items.flatMap((item) => {
    if (!item.under && !item.spread) return [item];
    const { under = [], why: _why, own, spread: _spread, ...head } = item;
    return [{ ...head, next: own ?? item.next }, ...under];
  });
}

/** Whether a run of followers under this head may fold: prose that is only indented may not. @param {Item} head @param {Item} first */
function mayFold(head, first) {
  const text = plain(head.text.slice(0, 200));
  const facts = parse(text);
  return isFrame(plain(first.text.slice(0, 200))) || facts.clock !== '' || facts.level !== null;
}

/** @param {Item[]} items  not grouped @param {Shape} how @returns {Item[]} */
export function group(items, how) {
  /** @type {Item[]} */
  const out = [];
  for (let i = 0; i < items.length; ) {
    const head = items[i];
    let end = i + 1;
    const why = end < items.length ? joins(items[end], head, how) : null;
    if (why) while (end < items.length && end - i < LONGEST && joins(items[end], head, how) === why) end += 1;
    const under = items.slice(i + 1, end);
    const folds = why === 'repeat' ? under.length > 0 : why === 'trace' && under.length > FEW && !how.all && mayFold(head, under[0]);
    if (folds && why) {
      if (how.open.has(keyOf(head))) out.push({ ...head, own: head.next, spread: under.length, why }, ...under);
      else out.push({ ...head, own: head.next, next: under[under.length - 1].next, under, why });
    } else {
      out.push(...items.slice(i, end));
    }
    i = end;
  }
  return out;
}

/** Index where the last run of a block begins: what comes next may belong to it. @param {Item[]} items @param {Shape} how */
export function tailStart(items, how) {
  let i = items.length - 1;
  while (i > 0 && !items[i].under && !items[i].spread && joins(items[i], items[i - 1], how)) i -= 1;
  return Math.max(0, i);
}

/** How many items at the head of a block belong to what ends with `before`. @param {Item[]} items @param {Item|undefined} before @param {Shape} how */
export function headEnd(items, before, how) {
  let i = 0;
  while (i < items.length && joins(items[i], i ? items[i - 1] : before, how)) i += 1;
  return i;
}
