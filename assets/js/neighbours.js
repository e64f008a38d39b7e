/**
 * The lives before and after one: met when somebody scrolls there, and asked for the name that a life lost. Knows no DOM.
 */

import { isGone } from './lives.js';

/** @typedef {import('./store.js').Store} Store */
/** @typedef {import('./store.js').Item} Item */

/** Meets the life after one, where its lines go on. @param {Store} store @param {number} id @param {number} n */
export async function newer(store, id, n) {
  const { ages } = store;
  const { next } = store.lives[id];
  const answer = next ? await store.fetchLines({ file: store.name, at: next, after: n }).catch(isGone) : null;
  if (!answer) {
    ages.join(id, ages.ids.findLast((other) => other > id) ?? store.current);
    return;
  }
  store.took(answer, ages.addAfter(id, answer.generation || null, store.divider));
}

/** The end of the life before one. @param {Store} store @param {number} id @param {number} n */
async function previous(store, id, n) {
  const life = store.lives[id];
  // Lines that came by the stream do not tell whether there is an older file.
  if (!life.previous && life.down !== null) await store.read({ file: store.name, at: life.from, before: 1, generation: life.generation }, id);
  return life.previous ? store.fetchLines({ file: store.name, at: life.previous, before: n }).catch(isGone) : null;
}

/** Meets the life before one, if there is one: its end. @param {Store} store @param {number} id @param {number} n @returns {Promise<Item[]>} */
export async function older(store, id, n) {
  const answer = await previous(store, id, n);
  if (!answer?.generation) {
    store.lives[id].down = null;
    return [];
  }
  return store.weave(store.took(answer, store.ages.addBefore(id, answer.generation, store.divider)));
}

/** Asks for the name of a life that lost its own. @param {Store} store @param {number} id */
export async function learnName(store, id) {
  const { up } = store.lives[id];
  if (typeof up !== 'number' || !store.ages.isNameless(id)) return;
  await learnName(store, up);
  const answer = await previous(store, up, 1);
  if (answer?.generation) store.lives[id].generation = answer.generation;
}
