/** Setting a receiver up: its secret if it was just made, code that verifies requests, and a test event. */

import { html, nothing } from '../../vendor/lit-html.js';
import { call } from '../api.js';
import { endpointScreen } from '../parts/endpoint.js';
import { follow } from '../parts/live.js';
import { forgetSecret, secretBox, secretOf } from '../parts/secret.js';
import { verifying } from '../parts/snippets.js';
import { tester } from '../parts/tester.js';
import { code, failing, loading } from '../parts/view.js';
import { address } from '../route.js';
import { can } from '../session.js';

/**
 * @typedef {{types: import('../api.js').Schemas['EventType'][] | null, problem: import('../api.js').Problem | null, language: string}} State
 */

/** @param {import('../app.js').Stage} stage */
export function open(stage) {
  /** @type {State} */
  const state = { types: null, problem: null, language: 'Python' };
  const id = stage.route.params.endpoint ?? '';
  const test = tester(id, stage.signal, () => screen.draw());
  const screen = endpointScreen(
    stage,
    'test',
    'Test',
    (endpoint) => html`<div class="stack">
    ${secret(endpoint, screen.draw)} ${verify(endpoint, state, screen.draw)} ${can('retry') ? trial(endpoint) : nothing}
  </div>`,
  );
  const trial = (/** @type {import('../api.js').Schemas['Endpoint']} */ endpoint) => html`<section class="card">
    <h2>Send a test event</h2>
    <p>One attempt, marked as a test${endpoint.enabled ? '' : '; it also works while the endpoint is disabled'}.</p>
    ${state.types ? test(endpoint, state.types) : state.problem ? failing(state.problem, types.now) : loading(2)}
  </section>`;
  const types = follow({
    ask: () => call('get', '/event-types', { signal: stage.signal }),
    show: ({ data }) => {
      Object.assign(state, { types: data, problem: null });
      screen.draw();
    },
    fail: (problem) => {
      state.problem = problem;
      screen.draw();
    },
    signal: stage.signal,
  });
}

/**
 * @param {import('../api.js').Schemas['Endpoint']} endpoint
 * @param {() => void} draw
 */
function secret({ id }, draw) {
  const made = secretOf(id);
  if (!made) {
    return html`<section class="card">
      <h2>Signing secret</h2>
      <p>It was shown when the endpoint was added, and is not shown again.
        ${can('write') ? html`If it is lost, <a href=${address(`/endpoints/${id}/settings`)}>rotate it</a> in the settings.` : 'If it is lost, ask somebody who may change this endpoint to rotate it.'}</p>
    </section>`;
  }
  const stored = () => {
    forgetSecret(id);
    draw();
  };
  return html`<section class="card">
    <h2>${made.fresh === 'created' ? 'The endpoint is there. Store its signing secret now' : 'This is the new signing secret. Store it now'}</h2>
    <p>It is gone once you sign out, or reload or close this page. ${made.fresh === 'rotated' ? 'From now on every attempt is signed with it.' : 'With it your receiver can tell that a request came from us.'}</p>
    ${secretBox(made.secret)}
    <div class="actions"><button type="button" @click=${stored}>I have stored it</button></div>
  </section>`;
}

/**
 * @param {import('../api.js').Schemas['Endpoint']} endpoint
 * @param {State} state
 * @param {() => void} draw
 */
function verify(endpoint, state, draw) {
  const snippets = verifying(endpoint.url);
  const shown = snippets.find(({ name }) => name === state.language) ?? snippets[0];
  const choose = (/** @type {string} */ name) => () => {
    state.language = name;
    draw();
  };
  return html`<section class="card">
    <div class="title-line">
      <h2>${shown?.name === 'curl' ? 'Try your receiver by hand' : 'Verify requests'}</h2>
      <div class="switch" role="group" aria-label="Language">${snippets.map(({ name }) => html`<button type="button" aria-pressed=${name === shown?.name} @click=${choose(name)}>${name}</button>`)}</div>
    </div>
    ${shown?.name === 'curl' ? html`<p class="soft">Sends a request that is signed like ours, so you can try a receiver before it is public: put its address in place of the URL.</p>` : html`<p class="soft">Over the raw body, before it is parsed. Any <a href="https://www.standardwebhooks.com" rel="noreferrer">Standard Webhooks</a> library will do.</p>`}
    ${shown?.install ? code(shown.install, 'the command') : nothing} ${shown ? code(shown.code, 'the code') : nothing}
  </section>`;
}
