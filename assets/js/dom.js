/**
 * Makes elements: a tag, what it has, what is in it. Text becomes text nodes and nothing else.
 */

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag @param {Record<string, string|boolean|((event: any) => void)>} [has]  attributes; a function is a listener, true an empty attribute, false none
 * @param {...(Node|string)} inside
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, has = {}, ...inside) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(has)) {
    if (typeof value === 'function') node.addEventListener(name, value);
    else if (value !== false) node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...inside);
  return node;
}

/** @param {string} words @param {(event: Event) => void} act @param {Record<string, string|boolean>} [has] */
export function button(words, act, has = {}) {
  return make('button', { type: 'button', class: 'button', click: act, ...has }, words);
}

/** A line icon, of a path in a square of 16. @param {string} path */
export function icon(path) {
  const space = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(space, 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('aria-hidden', 'true');
  const line = document.createElementNS(space, 'path');
  line.setAttribute('d', path);
  svg.append(line);
  return svg;
}

/**
 * A dialog with a title and a way out; it is filled when it opens.
 * @param {string} id @param {string} title @param {(body: HTMLElement) => void} fill
 */
export function dialog(id, title, fill) {
  const body = make('div', { class: 'sheet-body' });
  const words = make('h2', { id: `${id}-title` }, title);
  const node = make('dialog', { id, 'aria-labelledby': `${id}-title` },
    make('div', { class: 'sheet-head' }, words, button('✕', () => node.close(), { class: 'icon', 'aria-label': 'Close' })), body);
  node.addEventListener('click', ({ target }) => { if (target === node) node.close(); });
  document.body.append(node);
  return {
    node,
    body,
    /** @param {string} [name] */
    open(name) {
      if (name) words.textContent = name;
      body.replaceChildren();
      fill(body);
      if (!node.open) node.showModal();
    },
    fill() {
      if (node.open) fill(body);
    },
  };
}
