/** Adding an endpoint. What comes after, the secret, the code and a test event, is on the screen that it leads to. */

import { html, nothing } from '../../vendor/lit-html.js';
import { call } from '../api.js';
import { draftOf, fields, requestOf, rest } from '../parts/form.js';
import { crumbs, remember } from '../parts/head.js';
import { asProblem, follow } from '../parts/live.js';
import { keepSecret } from '../parts/secret.js';
import { explain, failing, loading, say, sentence } from '../parts/view.js';
import { address } from '../route.js';
import { can } from '../session.js';

/**
 * @typedef {import('../api.js').Problem} Problem
 * @typedef {{draft: import('../parts/form.js').Draft, enabled: boolean, types: import('../api.js').Schemas['EventType'][] | null,
 *   problem: Problem | null, failed: Problem | null, busy: boolean}} State
 */

/** @param {import('../app.js').Stage} stage */
export function open({ signal, paint, go }) {
  /** @type {State} */
  const state = { draft: draftOf({}), enabled: true, types: null, problem: null, failed: null, busy: false };
  const draw = () => paint('Add an endpoint', view(state, draw, submit, live.now));
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (state.busy) return;
    state.busy = true;
    draw();
    try {
      // It goes on when the reader leaves: what it answers is the only copy of the secret.
      const body = { ...requestOf(state.draft), enabled: state.enabled };
      const { secret, ...endpoint } = await call('post', '', { body });
      keepSecret(remember(endpoint).id, secret, 'created');
      if (signal.aborted) return say('The endpoint was added. Its test screen shows its secret.');
      say('The endpoint was added');
      go(address(`/endpoints/${endpoint.id}/test`), { replace: true });
    } catch (error) {
      const problem = asProblem(error);
      if (signal.aborted) return say(`The endpoint was not added. ${explain(problem).title}.`);
      Object.assign(state, { busy: false, problem });
      draw();
      document
        .querySelector('main')
        ?.querySelector('[aria-invalid="true"], [role="alert"]:not(:empty)')
        ?.scrollIntoView({ block: 'center' });
      /** @type {HTMLElement | null} */ (document.querySelector('main [aria-invalid="true"]'))?.focus();
    }
  };
  const live = follow({
    ask: () => call('get', '/event-types', { signal }),
    show: ({ data }) => {
      Object.assign(state, { types: data, failed: null });
      draw();
    },
    fail: (problem) => {
      state.failed = problem;
      draw();
    },
    signal,
  });
  draw();
}

/**
 * @param {State} state
 * @param {() => void} draw
 * @param {(event: SubmitEvent) => void} submit
 * @param {() => void} retry
 */
function view(state, draw, submit, retry) {
  return html`${crumbs([[address('/endpoints'), 'Endpoints']])}
    <div class="head"><div><h1>Add an endpoint</h1><p>A URL of yours that we send events to, each as a signed POST request.</p></div></div>
    ${can('write') ? body(state, draw, submit, retry) : html`<div class="state"><h2>Your access does not include this</h2><p>Ask whoever gave you access for a token that may change endpoints.</p></div>`}`;
}

/**
 * @param {State} state
 * @param {() => void} draw
 * @param {(event: SubmitEvent) => void} submit
 * @param {() => void} retry
 */
function body(state, draw, submit, retry) {
  if (!state.types) return state.failed ? failing(state.failed, retry) : loading(3);
  const enable = (/** @type {Event} */ event) =>
    (state.enabled = /** @type {HTMLInputElement} */ (event.target).checked);
  return html`<form class="card form" @submit=${submit}>
    ${fields({ draft: state.draft, types: state.types, problem: state.problem, draw })}
    <label class="choice"><input type="checkbox" .checked=${state.enabled} @change=${enable} /><span>Send events from the start<small>Otherwise it receives test events only, until you enable it.</small></span></label>
    ${trouble(state.problem)}
    <div class="actions">
      <button class="primary" aria-disabled=${state.busy}>${state.busy ? 'Adding…' : 'Add the endpoint'}</button>
      <a class="button" href=${address('/endpoints')}>Cancel</a>
    </div>
  </form>`;
}

/**
 * Says what is wrong with the form as a whole.
 * @param {Problem | null} problem
 */
export function trouble(problem) {
  if (!problem) return nothing;
  if (problem.status === 422) {
    const other = rest(problem);
    return other
      ? html`<p class="callout bad" role="alert">${other}</p>`
      : html`<p class="callout bad" role="alert">Some fields are not right yet; each says why.</p>`;
  }
  if (problem.status === 409) return html`<p class="callout bad" role="alert">${sentence(problem.message)}</p>`;
  const { title, text } = explain(problem);
  return html`<p class="callout bad" role="alert"><b>${title}</b>${text}</p>`;
}
