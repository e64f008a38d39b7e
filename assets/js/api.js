/**
 * The requests of the page. Every URL is relative, so that the page works under any base path.
 *
 * An answer that is not a success becomes a `Problem` with the server's own words (RFC 9457).
 */

/** @typedef {{name: string, state: string, generation: string|null, size: number, tip: number, from?: number, lines?: number|null, indexed?: number, history?: {name: string, size: number}[]}} FileInfo */
/** @typedef {{offset: number, next: number, text: string, level?: string, time?: string, cut?: boolean|number, origin?: string}} WireLine */
/** @typedef {{file: string, generation: string|null, from: number, to: number, at: number, size: number, begin?: number, line?: number|null, cursor?: string, previous?: string, next?: string, more?: boolean, partial?: string, lines: WireLine[]}} LinesAnswer
 *   `previous`, `next`: cursors into the generations before and after; `more`: a filter's scan stopped before it had all lines */
/** @typedef {{file: string, at: string|number, before?: number, after?: number, generation?: string|null, filters?: Filters}} LinesQuery */
/** @typedef {[string, string][]} Filters */

export class Problem extends Error {
  /** @param {number} status @param {string} words @param {{parameter?: string, offset?: number, after?: number}} [more]  which parameter was wrong and where; when to try again */
  constructor(status, words, more = {}) {
    super(words);
    this.more = more;
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
      const after = Number(answer.headers.get('retry-after')) || undefined;
      throw new Problem(answer.status, body.detail || body.title || `${answer.status} ${answer.statusText}`, { parameter: body.parameter, offset: body.offset, after });
    }
    return answer;
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(0, 'the server does not answer');
  } finally {
    clearTimeout(timer);
  }
}

/** @returns {Promise<{version: string, now: string, zone?: string, title?: string, highlight?: string[], files: FileInfo[]}>} */
export async function files() {
  return (await ask('api/files')).json();
}

/** @param {LinesQuery} query */
function linesUrl(query) {
  const q = new URLSearchParams({ file: query.file, at: String(query.at), before: String(query.before ?? 0), after: String(query.after ?? 0) });
  if (query.generation) q.set('generation', query.generation);
  for (const [name, value] of query.filters ?? []) q.append(name, value);
  return `api/lines?${q}`;
}

/** Whole lines around a place. @param {LinesQuery} query @returns {Promise<LinesAnswer>} */
export async function lines(query) {
  return (await ask(linesUrl(query), { headers: { accept: 'application/json' } })).json();
}

/** @typedef {{file: string, start: number|null, bucket: number, levels: string[], counts: number[][], exact: boolean, lines: number, place?: boolean}} Bars  `place`: along the bytes of the file, not over time */

/** Lines over time, or where they have none, along the file. @param {string} file @param {number} buckets @param {{from: number, to: number}|null} [part]  ms @returns {Promise<Bars>} */
export async function histogram(file, buckets, part) {
  const q = new URLSearchParams({ file, buckets: String(buckets) });
  if (part) q.set('since', new Date(part.from).toISOString());
  if (part) q.set('until', new Date(part.to).toISOString());
  const bars = await (await ask(`api/histogram?${q}`)).json();
  if (bars.start !== null || part) return bars;
  // Lines without times are counted along the file.
  q.set('by', 'place');
  return { ...(await (await ask(`api/histogram?${q}`)).json()), place: true };
}

/** A longer line than this in a stream of records is no record. */
const RECORD = 64_000_000;

/**
 * A search: hands on each record as it comes, until it ends or is stopped. No time-out: the server says how far it is every 100 ms.
 * @param {[string, string][]} query @param {AbortSignal} signal @param {(record: any) => void} each
 */
export async function search(query, signal, each) {
  const answer = await ask(`api/search?${new URLSearchParams(query)}`, { headers: { accept: 'application/x-ndjson' }, signal }).catch((error) => {
    throw signal.aborted ? new DOMException('stopped', 'AbortError') : error;
  });
  const reader = /** @type {ReadableStream<Uint8Array>} */ (answer.body).getReader();
  const decoder = new TextDecoder();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    rest += decoder.decode(value, { stream: !done });
    const lines = rest.split('\n');
    rest = done ? '' : lines.pop() ?? '';
    if (rest.length > RECORD) throw new Problem(0, 'the answer of the search makes no sense');
    for (const line of lines) if (line) each(JSON.parse(line));
    if (done) return;
  }
}

/** Where the bytes of a file are. @param {string} file @param {[string, string][]} query */
export function rawUrl(file, query) {
  const q = new URLSearchParams(query).toString();
  return `raw/${file.split('/').map(encodeURIComponent).join('/')}${q ? `?${q}` : ''}`;
}

/** The text of a file's bytes from one place to another. @param {string} file @param {[string, string][]} query @param {number} most bytes */
export async function raw(file, query, most) {
  const answer = await ask(rawUrl(file, query));
  const reader = /** @type {ReadableStream<Uint8Array>} */ (answer.body).getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (let size = 0; ;) {
    const { done, value } = await reader.read();
    text += decoder.decode(value, { stream: !done });
    size += value?.length ?? 0;
    if (done) return text;
    if (size > most) {
      await reader.cancel();
      throw new RangeError('this is more than a clipboard can take: download it (s)');
    }
  }
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
