/**
 * What the user chose, kept in the browser: theme, wrap, density, times, keys. Nothing here is needed for the page to work: where
 * storage is refused, the choices last as long as the page.
 */

const KEY = 'logcast';
const NARROW = '(max-width: 640px)';

/** Whether this is a phone's screen, as the style sheets say. */
export const narrow = () => matchMedia(NARROW).matches;

/** @typedef {{theme: 'auto'|'dark'|'light', wrap: boolean, density: 'compact'|'cozy'|'roomy', time: 'clock'|'ago'|'delta'|'off', zone: 'written'|'local'|'utc', numbers: boolean, keys: 'on'|'log'|'off', announce: boolean, awake: boolean}} Choices */

const DENSITIES = /** @type {const} */ (['compact', 'cozy', 'roomy']);
const TIMES = /** @type {const} */ (['clock', 'ago', 'delta', 'off']);
const ZONES = /** @type {const} */ (['written', 'local', 'utc']);
const KEYS = /** @type {const} */ (['on', 'log', 'off']);
const THEMES = /** @type {const} */ (['auto', 'dark', 'light']);

/** @returns {Partial<Choices>} */
function stored() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}') ?? {};
  } catch {
    return {};
  }
}

const was = stored();
/** @type {Choices} */
export const choices = {
  theme: THEMES.find((theme) => theme === was.theme) ?? 'auto',
  wrap: typeof was.wrap === 'boolean' ? was.wrap : narrow(),
  density: DENSITIES.find((density) => density === was.density) ?? 'cozy',
  time: TIMES.find((time) => time === was.time) ?? 'clock',
  zone: ZONES.find((zone) => zone === was.zone) ?? 'written',
  numbers: typeof was.numbers === 'boolean' ? was.numbers : !narrow(),
  keys: KEYS.find((keys) => keys === was.keys) ?? 'on',
  announce: was.announce === true,
  awake: was.awake === true,
};

/** @param {Partial<Choices>} change */
export function choose(change) {
  Object.assign(choices, change);
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...stored(), ...change }));
  } catch {
    // Private windows may refuse; the choice still holds for this page.
  }
  apply();
}

/** Puts the choices on the document, where CSS reads them. */
export function apply() {
  const { dataset } = document.documentElement;
  dataset.theme = choices.theme;
  dataset.wrap = String(choices.wrap);
  dataset.density = choices.density;
  dataset.time = choices.time;
}

export function isDark() {
  return choices.theme === 'dark' || (choices.theme === 'auto' && !matchMedia('(prefers-color-scheme: light)').matches);
}

export function nextTheme() {
  return THEMES[(THEMES.indexOf(choices.theme) + 1) % THEMES.length];
}

/** @param {number} by */
export function density(by) {
  return DENSITIES[Math.max(0, Math.min(DENSITIES.length - 1, DENSITIES.indexOf(choices.density) + by))];
}

export function nextTime() {
  return TIMES[(TIMES.indexOf(choices.time) + 1) % TIMES.length];
}

export function nextZone() {
  return ZONES[(ZONES.indexOf(choices.zone) + 1) % ZONES.length];
}

/** Whether the page was never opened in this browser; asked once. */
export function firstVisit() {
  const first = !('seen' in was);
  try {
    if (first) localStorage.setItem(KEY, JSON.stringify({ ...stored(), seen: true }));
  } catch {
    return false; // where nothing is kept, every visit would be the first
  }
  return first;
}
