/** Dialogs that say what something means before it happens. */

import { html, nothing, render } from '../../vendor/lit-html.js';
import { Problem } from '../api.js';
import { asProblem } from './live.js';
import { explain, say } from './view.js';

/**
 * Asks before something is done, does it, and returns the outcome; `null` if the reader would rather not, or leaves the screen.
 * While it is done the dialog stays open, and says so if it fails.
 * @template T
 * @param {object} what
 * @param {string} what.title a question
 * @param {unknown} what.text
 * @param {string} what.yes the button: "Delete the endpoint"
 * @param {string} what.doing "Deleting…"
 * @param {string} [what.no] the other button
 * @param {boolean} [what.danger] whether it can't be undone
 * @param {AbortSignal} signal of the screen that asks
 * @param {() => Promise<T>} act
 * @returns {Promise<T | null>}
 */
export function confirm({ title, text, yes, doing, no = 'Cancel', danger = false }, signal, act) {
  const dialog = document.createElement('dialog');
  dialog.setAttribute('aria-labelledby', 'dialog-title');
  document.body.append(dialog);
  const state = { busy: false, error: '' };
  return new Promise((resolve) => {
    const close = (/** @type {T | null} */ outcome) => {
      dialog.close();
      dialog.remove();
      resolve(outcome);
    };
    const go = async () => {
      if (state.busy) return;
      Object.assign(state, { busy: true, error: '' });
      draw();
      try {
        close(await act());
      } catch (error) {
        if (signal.aborted) {
          if (error instanceof Problem) say(explain(error).title);
          return;
        }
        const said = explain(asProblem(error));
        Object.assign(state, { busy: false, error: `${said.title}. ${said.text}` });
        draw();
      }
    };
    const draw = () =>
      render(
        html`<h2 id="dialog-title">${title}</h2>
          ${text} ${state.error ? html`<p class="callout bad" role="alert">${state.error}</p>` : nothing}
          <div class="actions">
            <button type="button" aria-disabled=${state.busy} @click=${() => !state.busy && close(null)}>${no}</button>
            <button type="button" class="primary ${danger ? 'danger' : ''}" aria-disabled=${state.busy} @click=${go}>${state.busy ? doing : yes}</button>
          </div>`,
        dialog,
      );
    dialog.addEventListener('cancel', (event) => {
      event.preventDefault();
      if (!state.busy) close(null);
    });
    // A second Escape closes it without asking.
    dialog.addEventListener('close', () => {
      if (!dialog.isConnected) return;
      if (state.busy) dialog.showModal();
      else close(null);
    });
    signal.addEventListener('abort', () => close(null));
    draw();
    dialog.showModal();
  });
}
