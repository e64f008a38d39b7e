/**
 * What somebody types after `:` → a place in the file. Pure.
 */

/**
 * @typedef {{kind: 'at', at: string|number} | {kind: 'lines', by: number} | {kind: 'end'} | {kind: 'wrong', words: string}} Goal
 */

/** @param {string} typed @returns {Goal} */
export function goal(typed) {
  const text = typed.trim().replace(/^:/, '').trim();
  if (text === '') return { kind: 'wrong', words: '' };
  if (/^(end|\$|G)$/.test(text)) return { kind: 'end' };
  if (/^(start|begin|0|g)$/.test(text)) return { kind: 'at', at: 0 };
  const share = /^(\d{1,3}(?:\.\d+)?)\s*%$/.exec(text);
  if (share && Number(share[1]) <= 100) return Number(share[1]) === 100 ? { kind: 'end' } : { kind: 'at', at: `${share[1]}%` };
  const byte = /^@\s*([\d,_]{1,20})$/.exec(text);
  if (byte) return { kind: 'at', at: Number(byte[1].replace(/[,_]/g, '')) };
  const by = /^([+-])\s*(\d{1,4})$/.exec(text);
  if (by) return { kind: 'lines', by: Number(by[2]) * (by[1] === '-' ? -1 : 1) };
  const line = /^[\d,_]{1,15}$/.exec(text);
  if (line) return { kind: 'at', at: `line:${text.replace(/[,_]/g, '')}` };
  const span = /^-?\s*(\d+(?:\.\d+)?\s*(?:ms|s|m|min|h|d))\s*(?:ago)?$/.exec(text);
  if (span) return { kind: 'at', at: `time:${span[1].replace(/\s+/g, '').replace('min', 'm')}` };
  if (/^\d{1,2}:\d\d(:\d\d([.,]\d+)?)?$/.test(text) || /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d:\d\d)?)?$/.test(text)) {
    return { kind: 'at', at: `time:${text.replace(' ', 'T')}` };
  }
  return { kind: 'wrong', words: 'Not understood. Try 50%, @1000000, +200, -200, start, end, 14:03 or a line number.' };
}
