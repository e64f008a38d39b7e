/**
 * The token: from the address bar, where the link carried it, or from the panel. It is exchanged for a cookie that scripts
 * cannot read, and is kept nowhere in the page.
 */

import { session } from './api.js';

/** Takes `?token=` out of the address bar and exchanges it. @returns {Promise<void>} */
export async function exchange() {
  const url = new URL(location.href);
  const token = url.searchParams.get('token');
  if (token === null) return;
  url.searchParams.delete('token');
  history.replaceState(history.state, '', url);
  await session(token).catch(() => false); // a wrong one ends at the panel
}

/**
 * Shows the panel until a token was taken.
 * @param {HTMLElement} panel @returns {Promise<void>}
 */
export function ask(panel) {
  const form = /** @type {HTMLFormElement} */ (panel.querySelector('form'));
  const field = /** @type {HTMLInputElement} */ (panel.querySelector('input'));
  const words = /** @type {HTMLElement} */ (panel.querySelector('.problem'));
  panel.hidden = false;
  field.value = '';
  field.focus();
  return new Promise((resolve) => {
    form.onsubmit = async (event) => {
      event.preventDefault();
      words.textContent = '';
      field.removeAttribute('aria-invalid');
      try {
        if (await session(field.value.trim())) {
          panel.hidden = true;
          field.value = '';
          resolve();
          return;
        }
        words.textContent = 'This token is not the right one.';
      } catch (error) {
        words.textContent = `The token could not be checked: ${/** @type {Error} */ (error).message}.`;
      }
      field.setAttribute('aria-invalid', 'true');
      field.select();
    };
  });
}
