/**
 * What the parts of the page get to work with. Only types: `main.js` makes the one that there is.
 *
 * @typedef {object} App
 * @property {import('./bus.js').Bus} bus
 * @property {import('./sources.js').Sources} sources
 * @property {import('./view.js').View} view
 * @property {(words: string, ms?: number) => void} toast
 * @property {(error: unknown) => void} complain   what failed, for the banner
 * @property {() => void} say                      the words around the log may have changed
 * @property {(name: string) => unknown} act       does what a key does
 * @property {(item: import('./store.js').Item) => boolean} point  puts the cursor on a line that is in the document
 * @property {(at: string|number, part: number, generation?: string|null) => Promise<boolean>} goTo
 * @property {() => import('./store.js').Item|null} cursor  the line that the keys act on
 * @property {() => boolean} pointed  whether somebody put the cursor on that line
 * @property {(item: import('./store.js').Item, by: number) => Promise<number>} offsetBy  where the line is that is some lines away
 * @property {(name: string) => void} select       shows another file
 */

export {};
