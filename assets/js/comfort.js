/**
 * Mounts what makes the log comfortable to live with; each part is a module of its own.
 */

import { announce } from './announce.js';
import { attention } from './attention.js';
import { fieldBox } from './fieldbox.js';
import { health } from './health.js';
import { labels } from './labels.js';
import { mergedView } from './mergedview.js';
import { settingsBox } from './settingsbox.js';
import { wished } from './wished.js';

/**
 * @param {import('./app.js').App} app @param {{facts: import('./status.js').Facts, stream: import('./share.js').Shared}} page
 * @returns {{acts: Record<string, () => unknown>, waits: () => boolean, merged: () => import('./sources.js').Source|undefined, shown: () => string[], wish: (wanted: string[]) => void}}
 *   `waits`: somebody is to be told of a line, so the stream must not rest; `merged`: makes the merged view; `shown`: the files on the screen;
 *   `wish`: marks what the server was told to
 */
export function comfort(app, page) {
  announce(app);
  const calls = attention(app, page);
  const merged = mergedView(app);
  return {
    acts: { ...health(app, page), ...fieldBox(app), ...labels(app), ...settingsBox(app), ...merged.acts, ...calls.acts },
    merged: merged.source,
    shown: merged.shown,
    waits: () => calls.waits,
    wish: wished(app).wish,
  };
}
