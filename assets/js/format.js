/**
 * Numbers, sizes and spans in words. Pure; one formatter is made and kept, because `toLocaleString`
 * builds a new one on each call and shows in profiles.
 */

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** `1204` → `1,204`. @param {number} n */
export function count(n) {
  return whole.format(n);
}

/** `51234` → `51k`, for rates where the last digits only flicker. @param {number} n */
export function short(n) {
  if (n < 10_000) return whole.format(Math.round(n));
  if (n < 999_500) return `${Math.round(n / 1000)}k`;
  return `${(n / 1e6).toFixed(1)}M`;
}

/** Bytes in decimal units, as file managers and disks count. @param {number} n */
export function bytes(n) {
  if (n < 1000) return `${n} B`;
  const units = ['kB', 'MB', 'GB', 'TB', 'PB'];
  let value = n;
  let unit = -1;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0)} ${units[unit]}`;
}

/** A span of milliseconds, in its largest unit: `4 min`. @param {number} ms */
export function span(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 172_800) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86_400)} days`;
}

/** The share of `part` in `all`, as the foot line says it. @param {number} part @param {number} all */
export function percent(part, all) {
  if (all <= 0) return '100 %';
  const p = Math.min(100, (part / all) * 100);
  return `${p > 0 && p < 100 ? p.toFixed(1) : p.toFixed(0)} %`;
}

/**
 * The shortest distinct suffix of each path, by whole path parts.
 * @param {string[]} names @returns {Map<string, string>}
 */
export function suffixes(names) {
  /** @type {Map<string, string>} */
  const out = new Map();
  let open = [...new Set(names)].map((name) => ({ name, parts: name.split('/').filter(Boolean) }));
  for (let take = 1; open.length; take += 1) {
    /** @type {Map<string, number>} */
    const seen = new Map();
    const suffix = (/** @type {string[]} */ parts) => parts.slice(-take).join('/');
    for (const { parts } of open) seen.set(suffix(parts), (seen.get(suffix(parts)) ?? 0) + 1);
    // One that needed fewer parts has a name that no longer one ends with, else they would have clashed.
    open = open.filter(({ name, parts }) => {
      const done = parts.length <= take || seen.get(suffix(parts)) === 1;
      if (done) out.set(name, suffix(parts) || name);
      return !done;
    });
  }
  return out;
}
