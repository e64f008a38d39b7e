/**
 * What is asked for: terms that lines must or must not hold, levels, a range of time. Pure.
 *
 * One query object goes into every request that filters (`params`), into the address bar (`link.js`) and into the words
 * that people read. A term is text unless it says that it is a regular expression; capitals matter if it has one, or if it
 * says so.
 */

/** @typedef {{text: string, not: boolean, regex: boolean, capitals: boolean, of?: Whose}} Term  `of`: not what stands in a line but whose it is */
/** @typedef {'host'|'origin'} Whose  in a stream of many: the host, or the host and the file */
/** @typedef {'fatal'|'error'|'warn'|'info'|'debug'|'trace'|'none'} Level  `none`: no level is known of the line, nor of one above that it follows */
/** @typedef {{terms: Term[], levels: Level[]|null, since: string, until: string}} Query  `levels`: the ones shown, null for all lines */

/** @type {Level[]} */
export const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'none'];
/** The server takes 16 patterns; one is left for the search. */
export const MOST_TERMS = 15;

/** @returns {Query} */
export function nothing() {
  return { terms: [], levels: null, since: '', until: '' };
}

/** @param {Query} query */
export function isNothing(query) {
  return !query.terms.length && query.levels === null && !query.since && !query.until;
}

/** @param {string} text */
function hasCapital(text) {
  return /\p{Lu}/u.test(text);
}

/** Whether capitals matter in it; a class like `\S` is none. @param {Term} term */
function exact(term) {
  return term.capitals || hasCapital(term.regex ? term.text.replace(/\\(?:[pP]\{[^}]*\}|.)/gu, '') : term.text);
}

/** @param {string} text */
function escape(text) {
  return text.replace(/[\\^$.*+?()[\]{}|#&~-]/g, '\\$&');
}

/**
 * The parameters of a request. Terms of different kinds travel as regular expressions, because a request has one syntax.
 * @param {Query} query @param {Term[]} [more]  further terms, such as the one that is searched for
 * @returns {[string, string][]}
 */
export function params(query, more = []) {
  const all = [...query.terms, ...more].filter(({ text }) => text !== '');
  const terms = all.filter(({ of }) => !of);
  /** @type {[string, string][]} */
  const out = all.flatMap(({ of, text }) => (of ? [[of, text]] : []));
  const alike = terms.every(({ regex, capitals }) => regex === terms[0].regex && capitals === terms[0].capitals);
  for (const term of terms) {
    const source = term.regex ? term.text : escape(term.text);
    out.push([term.not ? 'exclude' : 'grep', alike ? term.text : exact(term) ? source : `(?i)${source}`]);
  }
  if (terms.length) {
    out.push(['syntax', alike && !terms[0].regex ? 'literal' : 'regex']);
    out.push(['case', !alike || terms[0].capitals ? 'yes' : 'smart']);
  }
  if (query.levels) out.push(['level', query.levels.join()]);
  if (query.since) out.push(['since', query.since]);
  if (query.until) out.push(['until', query.until]);
  return out;
}

/** The steps in which a browser may find nothing in a row: it tries all ways, which the server does not. */
const STEPS = 2e7;

/**
 * In how much of a row a pattern may be looked for: each part that repeats as it likes takes as many ways as there are
 * characters, each choice two; a group that repeats what has choices takes more than there is time for.
 * @param {string} source
 */
export function reach(source) {
  let ways = 1;
  let rest = source.replace(/\\.|\[(?:\\.|[^\]])*\]/gsu, 'x').replace(/\(\?[^)]*?[:>)]/gu, '(').replace(/([^)])\{\d+\}/gu, '$1');
  for (let was = ''; was !== rest; ) {
    was = rest;
    rest = rest.replace(/\(([^()]*)\)(?![*+{])/gu, (_, inner) => {
      ways *= 2 ** (inner.split('|').length - 1);
      return inner.replaceAll('|', '');
    });
    rest = rest.replace(/\([^()*+?{|]*\)/gu, 'x');
  }
  if (rest.includes('(')) return 0;
  const most = rest.split('|').map((part) => (part.match(/[*+]|\{\d+,/gu)?.length ?? 0));
  ways *= 2 ** rest.split('?').length / 2;
  return Math.floor((STEPS / ways) ** (1 / (Math.max(...most) + 1)));
}

/** How the browser finds a term in a line, to mark it; null where its syntax is not the server's. @param {Term} term */
export function matcher(term) {
  if (term.of) return null;
  let source = term.regex ? term.text.replace(/\(\?P</g, '(?<') : escape(term.text).replace(/\\[#&~-]/g, (c) => c[1]);
  let flags = exact(term) ? 'gu' : 'giu';
  if (source.startsWith('(?i)')) {
    source = source.slice(4);
    flags = 'giu';
  }
  try {
    return new RegExp(source, flags);
  } catch {
    return null;
  }
}

/** The lines of one host, or of one of its files. @param {string} text @param {Whose} of @returns {Term} */
export function whose(text, of) {
  return { text, not: false, regex: false, capitals: true, of };
}

/** @param {Term} term */
export function termWords(term) {
  return term.of ? `from ${term.text}` : term.regex ? `/${term.text}/` : term.text;
}

/** The query in words, for the line that says that nothing was found. @param {Query} query */
export function words(query) {
  const out = query.terms.map((term) => (term.of ? termWords(term) : `${term.not ? 'without' : 'with'} “${termWords(term)}”`));
  if (query.levels) out.push(query.levels.length ? `at ${query.levels.join(', ')}` : 'at no level');
  if (query.since || query.until) out.push('in this range of time');
  return out.join(', ');
}

/** @param {Term} a @param {Term} b */
export function sameTerm(a, b) {
  return a.text === b.text && a.not === b.not && a.regex === b.regex && a.capitals === b.capitals && a.of === b.of;
}
