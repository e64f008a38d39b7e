/**
 * The fields of a structured line: JSON (nested as `a.b`) or logfmt. Pure.
 */

/** @typedef {[string, string][]} Fields */

const MOST = 200; // fields shown of one line
const DEEP = 6;

/** @param {unknown} value @param {string} path @param {Fields} out @param {number} depth */
function flatten(value, path, out, depth) {
  if (out.length >= MOST) return;
  if (value && typeof value === 'object' && !Array.isArray(value) && depth < DEEP && Object.keys(value).length) {
    for (const [key, inner] of Object.entries(value)) flatten(inner, path ? `${path}.${key}` : key, out, depth + 1);
  } else {
    out.push([path, typeof value === 'string' ? value : JSON.stringify(value)]);
  }
}

// A key must stand at the start or behind a blank, so that `?a=b` in a URL is no field.
const PAIR = /(?:^|[\s,(])([A-Za-z_][\w.@/-]{0,60})=("(?:[^"\\]|\\.)*"|[^\s,()"]+)/g;

/** @param {string} plain  a line without escape sequences @returns {{kind: 'json'|'logfmt', fields: Fields}|null} */
export function fieldsOf(plain) {
  const brace = plain.indexOf('{');
  if (brace >= 0 && plain.trimEnd().endsWith('}')) {
    try {
      /** @type {Fields} */
      const fields = [];
      flatten(JSON.parse(plain.slice(brace)), '', fields, 0);
      return fields.length ? { kind: 'json', fields } : null;
    } catch {
      // Braces that are not JSON: perhaps there are pairs.
    }
  }
  /** @type {Fields} */
  const fields = [];
  for (const [, key, value] of plain.matchAll(PAIR)) {
    if (fields.length >= MOST) break;
    fields.push([key, value.startsWith('"') ? unquote(value) : value]);
  }
  return fields.length ? { kind: 'logfmt', fields } : null;
}

/** @param {string} quoted */
function unquote(quoted) {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return quoted.slice(1, -1);
  }
}
