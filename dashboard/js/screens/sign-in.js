/**
 * Signing in: with a link that was opened, or with a token that is pasted; as a screen, and as a dialog when a token has expired.
 * A link is exchanged only when the reader clicks, so that a mail scanner that follows it does not use it up.
 */

import { html, nothing, render } from '../../vendor/lit-html.js';
import { call } from '../api.js';
import { asProblem } from '../parts/live.js';
import { explain, say } from '../parts/view.js';
import { awaitAnother, begin, borrow, end, keepLink, pendingLink, session } from '../session.js';

/**
 * @typedef {{error: string, busy: boolean, link: string | null, useless: boolean}} State
 * `useless` says that the link is not going to work.
 */

/**
 * Shows the screen, and calls `done` once somebody has signed in.
 * @param {import('../app.js').Stage} stage
 * @param {() => void} done
 */
export function open({ paint }, done) {
  /** @type {State} */
  const state = { error: '', busy: false, link: pendingLink(), useless: false };
  const draw = () => paint('Sign in', html`<section class="door">${view(state, draw, done)}</section>`);
  draw();
}

/**
 * Asks for another token in a dialog, and resolves once there is one of the same workspace.
 * @returns {Promise<void>}
 */
export function ask() {
  const before = session();
  const dialog = document.createElement('dialog');
  dialog.setAttribute('aria-labelledby', 'door-title');
  dialog.className = 'door';
  document.body.append(dialog);
  dialog.addEventListener('cancel', (event) => event.preventDefault());
  // A second Escape closes it without asking; the requests that wait for it would then wait for ever.
  dialog.addEventListener('close', () => dialog.isConnected && dialog.showModal());
  return new Promise((resolve) => {
    /** @type {State} */
    const state = { error: '', busy: false, link: null, useless: false };
    let stopWaiting = () => {};
    const done = () => {
      stopWaiting();
      dialog.close();
      dialog.remove();
      if (before && session()?.workspace_id !== before.workspace_id) return location.reload();
      say('Signed in again');
      resolve();
    };
    if (before) stopWaiting = awaitAnother(before, done);
    const leave = () => {
      end();
      location.reload();
    };
    const draw = () =>
      render(
        html`${tokenForm('Your access has ended', 'Paste a new token to go on where you were. Nothing you entered is lost.', state, draw, done)}
          <p class="fine">If you came by a link, open a new one in another tab; this one then goes on by itself. Or <button class="link" type="button" @click=${leave}>sign out</button>.</p>`,
        dialog,
      );
    draw();
    dialog.showModal();
  });
}

/**
 * @param {State} state
 * @param {() => void} draw
 * @param {() => void} done
 */
function view(state, draw, done) {
  if (state.link) return linkForm(state, draw, done);
  return html`${tokenForm('Sign in', 'Paste the token that you were given for the webhooks API.', state, draw, done)}
    <p class="fine">Have you been sent a link? Open it in this tab. The token is kept by this tab, and those that you open from it, until they are closed.</p>`;
}

/**
 * @param {string} title
 * @param {string} text
 * @param {State} state
 * @param {() => void} draw
 * @param {() => void} done
 */
function tokenForm(title, text, state, draw, done) {
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const token = String(new FormData(form).get('token')).trim();
    await attempt(state, draw, async () => {
      const allowed = await call('get', '/token', { token });
      const before = session();
      const return_url = before?.workspace_id === allowed.workspace_id ? (before.return_url ?? null) : null;
      begin({ token, ...allowed, return_url });
      done();
    });
    form.querySelector('input')?.focus();
  };
  return html`<form @submit=${submit}>
    <h1 id="door-title">${title}</h1>
    <p>${text}</p>
    <label for="token">Token</label>
    <input id="token" name="token" type="password" required autocomplete="off" spellcheck="false" placeholder="efa_sk_…" autofocus aria-describedby="token-error" aria-invalid=${state.error !== ''} />
    ${problem(state, 'token-error')}
    <button class="primary" aria-disabled=${state.busy}>${state.busy ? 'Signing in…' : 'Sign in'}</button>
  </form>`;
}

/**
 * @param {State} state
 * @param {() => void} draw
 * @param {() => void} done
 */
function linkForm(state, draw, done) {
  const enter = async (/** @type {Event} */ event) => {
    event.preventDefault();
    await attempt(state, draw, async () => {
      begin(await call('post', '/sessions', { body: { link: state.link ?? '' }, token: null }));
      done();
    });
    if (!state.useless) return;
    keepLink(null);
    const borrowed = session() ? null : await borrow();
    if (borrowed) begin(borrowed);
    draw();
  };
  const other = () => {
    Object.assign(state, { link: null, error: '' });
    draw();
  };
  const still = session();
  return html`<form @submit=${enter}>
    <h1>Your webhooks</h1>
    <p>See where your events are sent, what arrived and what did not, and send it again.</p>
    ${problem(state, 'link-error')}
    ${
      state.useless
        ? html`${still ? html`<button class="primary" type="button" @click=${done}>Go on in ${still.workspace_id}</button>` : nothing}
            <button class=${still ? '' : 'primary'} type="button" @click=${other}>Use a token instead</button>`
        : html`<button class="primary" aria-disabled=${state.busy} autofocus>${state.busy ? 'Opening…' : 'Open the dashboard'}</button>`
    }
    <p class="fine">The link works once. This tab stays signed in until your access ends.</p>
  </form>`;
}

/**
 * @param {State} state
 * @param {string} id
 */
function problem({ error }, id) {
  return html`<p id=${id} class="field-error" role="alert">${error || nothing}</p>`;
}

/**
 * @param {State} state
 * @param {() => void} draw
 * @param {() => Promise<void>} act
 */
async function attempt(state, draw, act) {
  if (state.busy) return;
  Object.assign(state, { busy: true, error: '' });
  draw();
  try {
    await act();
    state.busy = false;
  } catch (error) {
    const failed = asProblem(error);
    const expired = state.link
      ? 'This link has been used already, or it has expired. Ask for a new one.'
      : 'This token is not valid: it may be cut off, expired or revoked.';
    const { status } = failed;
    Object.assign(state, {
      busy: false,
      useless: state.link !== null && status >= 400 && status < 500 && status !== 429,
      error: status === 401 ? expired : `${explain(failed).title}. ${explain(failed).text}`,
    });
    draw();
  }
}
