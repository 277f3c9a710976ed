/** Changing an endpoint, and what can't be taken back: another secret, and its end. */

import { html } from '../../vendor/lit-html.js';
import { call } from '../api.js';
import { confirm } from '../parts/dialog.js';
import { endpointScreen } from '../parts/endpoint.js';
import { changesOf, draftOf, fields, renewed } from '../parts/form.js';
import { remember } from '../parts/head.js';
import { asProblem, follow } from '../parts/live.js';
import { keepSecret } from '../parts/secret.js';
import { explain, failing, loading, say } from '../parts/view.js';
import { shortUrl } from '../parts/words.js';
import { address } from '../route.js';
import { can } from '../session.js';
import { trouble } from './create.js';

/**
 * @typedef {import('../api.js').Schemas} Schemas
 * @typedef {import('../api.js').Problem} Problem
 * @typedef {import('../parts/form.js').Draft} Draft
 * @typedef {{draft: Draft | null, stored: Draft | null, types: Schemas['EventType'][] | null, failed: Problem | null, problem: Problem | null, busy: boolean}} State
 */

/** @param {import('../app.js').Stage} stage */
export function open(stage) {
  const { signal, go } = stage;
  /** @type {State} */
  const state = { draft: null, stored: null, types: null, failed: null, problem: null, busy: false };
  const ids = { id: stage.route.params.endpoint ?? '' };
  const screen = endpointScreen(stage, 'settings', 'Settings', (endpoint, fresh) => {
    if (!can('write'))
      return html`<div class="state"><h2>Your access does not include this</h2><p>Ask whoever gave you access for a token that may change endpoints.</p></div>`;
    if (fresh && !state.busy) take(endpoint);
    return html`<div class="stack">${change()} ${power(endpoint)} ${rotation(endpoint)} ${removal(endpoint)}</div>`;
  });

  const take = (/** @type {Schemas['Endpoint']} */ endpoint) => {
    const { draft, stored } = state;
    state.draft = draft && stored ? renewed(draft, stored, draftOf(endpoint)) : draftOf(endpoint);
    state.stored = draftOf(endpoint);
  };
  const save = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (state.busy || !state.draft || !state.stored) return;
    state.busy = true;
    screen.draw();
    try {
      const endpoint = await call('patch', '/{id}', { ids, body: changesOf(state.draft, state.stored), signal });
      Object.assign(state, { draft: null, stored: null, problem: null, busy: false });
      screen.set(endpoint);
      say('Saved');
    } catch (error) {
      if (signal.aborted) return;
      Object.assign(state, { problem: asProblem(error), busy: false });
      screen.draw();
      /** @type {HTMLElement | null} */ (document.querySelector('main [aria-invalid="true"]'))?.focus();
    }
  };
  const change = () => {
    if (!state.types || !state.draft)
      return html`<section class="card">${state.failed ? failing(state.failed, types.now) : loading(3)}</section>`;
    return html`<form class="card form" @submit=${save}>
      ${fields({ draft: state.draft, types: state.types, problem: state.problem, draw: screen.draw })} ${trouble(state.problem)}
      <div class="actions"><button class="primary" aria-disabled=${state.busy}>${state.busy ? 'Saving…' : 'Save'}</button></div>
    </form>`;
  };

  const switchTo = async (/** @type {boolean} */ enabled) => {
    const act = () => call('patch', '/{id}', { ids, body: { enabled }, signal });
    try {
      const endpoint = enabled ? await act() : await confirm(DISABLE, signal, act);
      if (!endpoint) return;
      screen.set(endpoint);
      say(enabled ? 'The endpoint is enabled' : 'The endpoint is disabled');
    } catch (error) {
      if (!signal.aborted) say(explain(asProblem(error)).title);
    }
  };
  const power = (/** @type {Schemas['Endpoint']} */ { enabled }) => html`<section class="card danger-card">
    <div><h2>${enabled ? 'Disable' : 'Enable'}</h2><p>${enabled ? 'Stop sending events for now. Test events still work.' : 'Send events again. The record of failures starts anew.'}</p></div>
    ${enabled ? html`<button @click=${() => switchTo(false)}>Disable…</button>` : html`<button class="primary" @click=${() => switchTo(true)}>Enable</button>`}
  </section>`;

  const rotate = async () => {
    const rotated = await confirm(ROTATE, signal, async () => {
      // It goes on when the reader leaves: what it answers is the only copy of the secret.
      const { secret, ...endpoint } = await call('post', '/{id}/rotate-secret', { ids });
      keepSecret(remember(endpoint).id, secret, 'rotated');
      if (signal.aborted) say("The secret was rotated. The endpoint's test screen shows it.");
      return endpoint;
    });
    if (!rotated) return;
    say('The secret was rotated');
    go(address(`/endpoints/${ids.id}/test`));
  };
  const rotation = (/** @type {Schemas['Endpoint']} */ _) => html`<section class="card danger-card">
    <div><h2>Rotate the secret</h2><p>Make another signing secret, when the old one is lost or may have leaked.</p></div>
    <button @click=${rotate}>Rotate…</button>
  </section>`;

  const remove = async (/** @type {Schemas['Endpoint']} */ endpoint) => {
    const gone = await confirm(deletion(endpoint), signal, async () => {
      await call('delete', '/{id}', { ids, signal });
      return true;
    });
    if (!gone) return;
    say('The endpoint was deleted');
    go(address('/endpoints'));
  };
  const removal = (/** @type {Schemas['Endpoint']} */ endpoint) => html`<section class="card danger-card">
    <div><h2>Delete</h2><p>Remove the endpoint with its secret and its history.</p></div>
    <button class="danger" @click=${() => remove(endpoint)}>Delete…</button>
  </section>`;

  const types = follow({
    ask: () => call('get', '/event-types', { signal }),
    show: ({ data }) => {
      Object.assign(state, { types: data, failed: null });
      screen.draw();
    },
    fail: (problem) => {
      state.failed = problem;
      screen.draw();
    },
    signal,
  });
}

const DISABLE = {
  title: 'Disable this endpoint?',
  text: html`<p>Until it is enabled again:</p>
    <ul>
      <li>It gets no events. They can be recovered later, for as long as they are kept.</li>
      <li>What is waiting for a retry ends as failed.</li>
      <li>Test events still work.</li>
    </ul>`,
  yes: 'Disable it',
  doing: 'Disabling…',
};

const ROTATE = {
  title: 'Rotate the signing secret?',
  text: html`<ul>
      <li>You are shown a new secret, once.</li>
      <li>The old one signs nothing from then on, not even retries of older events.</li>
      <li>Until your receiver knows the new one, it rejects our requests. They are retried, and arrive once it does.</li>
    </ul>
    <p>Let your receiver check with two secrets first; then rotate, give it the new one at once, and take the old one out.</p>`,
  yes: 'Rotate the secret',
  doing: 'Rotating…',
  danger: true,
};

/** @param {Schemas['Endpoint']} endpoint */
function deletion(endpoint) {
  return {
    title: 'Delete this endpoint?',
    text: html`<p><b>${shortUrl(endpoint)}</b></p>
      <ul>
        <li>Nothing is sent to it any more, and what waits for a retry is dropped.</li>
        <li>Its secret and the history of its deliveries are deleted.</li>
        <li>This can't be undone. To stop for a while, disable it instead.</li>
      </ul>`,
    yes: 'Delete it for good',
    doing: 'Deleting…',
    danger: true,
  };
}
