/**
 * The requests of the page. Every URL is relative, so that the page works under any base path.
 *
 * An answer that is not a success becomes a `Problem` with the server's own words (RFC 9457).
 */

/** @typedef {{name: string, state: string, generation: string|null, size: number, tip: number, from?: number}} FileInfo */
/** @typedef {{offset: number, next: number, text: string, cut?: boolean|number}} WireLine */
/** @typedef {{file: string, generation: string|null, from: number, to: number, at: number, size: number, partial?: string, lines: WireLine[]}} LinesAnswer */
/** @typedef {{file: string, at: string|number, before?: number, after?: number, generation?: string|null}} LinesQuery */

export class Problem extends Error {
  /** @param {number} status @param {string} words */
  constructor(status, words) {
    super(words);
    /** 0 means that no answer came at all. */
    this.status = status;
  }
}

/** No request of the page may hang for ever: a stopped server is found out by this. */
const TIMEOUT_MS = 15_000;

/** @param {string} url @param {RequestInit} [init] */
async function ask(url, init = {}) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), TIMEOUT_MS);
  try {
    const answer = await fetch(url, { credentials: 'same-origin', cache: 'no-store', signal: stop.signal, ...init });
    if (!answer.ok) {
      const body = await answer.json().catch(() => ({}));
      throw new Problem(answer.status, body.detail || body.title || `${answer.status} ${answer.statusText}`);
    }
    return answer;
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(0, 'the server does not answer');
  } finally {
    clearTimeout(timer);
  }
}

/** @returns {Promise<{version: string, now: string, title?: string, files: FileInfo[]}>} */
export async function files() {
  return (await ask('api/files')).json();
}

/** @param {LinesQuery} query */
function linesUrl(query) {
  const q = new URLSearchParams({ file: query.file, at: String(query.at), before: String(query.before ?? 0), after: String(query.after ?? 0) });
  if (query.generation) q.set('generation', query.generation);
  return `api/lines?${q}`;
}

/** Whole lines around a place. @param {LinesQuery} query @returns {Promise<LinesAnswer>} */
export async function lines(query) {
  return (await ask(linesUrl(query), { headers: { accept: 'application/json' } })).json();
}

/** @param {string} token @returns {Promise<boolean>} whether the server took it */
export async function session(token) {
  try {
    await ask('api/session', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ token }) });
    return true;
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return false;
    throw error;
  }
}

/** @param {string} cursor '' for none @param {string[]} [files] none for all */
export function streamUrl(cursor, files = []) {
  const q = new URLSearchParams({ view: 'live', lines: '0' });
  if (cursor) q.set('from', cursor);
  for (const file of files) q.append('file', file);
  return `stream-logs?${q}`;
}
