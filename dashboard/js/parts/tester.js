/** Sending a test event: the sample first, then the request, the answer and how long it took, in one place. */

import { html, nothing } from '../../vendor/lit-html.js';
import { call, textOf } from '../api.js';
import { address } from '../route.js';
import { fieldText, indented, readable } from './json.js';
import { asProblem, follow, pauseAfter } from './live.js';
import { milliseconds } from './time.js';
import { badge, code, explain, say } from './view.js';
import { advice, outcomeWord } from './words.js';

/**
 * @typedef {import('../api.js').Schemas} Schemas
 * @typedef {{chosen: string, busy: boolean, error: string, delivery: Schemas['DeliveryWithAttempts'] | null}} Test
 */

/**
 * Returns a panel that sends test events to an endpoint.
 * @param {string} id
 * @param {AbortSignal} signal
 * @param {() => void} draw
 */
export function tester(id, signal, draw) {
  /** @type {Test} */
  const state = { chosen: '', busy: false, error: '', delivery: null };
  const send = async (/** @type {string} */ event) => {
    if (state.busy) return;
    Object.assign(state, { busy: true, error: '', delivery: null });
    draw();
    try {
      const { id: delivery_id } = await call('post', '/{id}/test', { ids: { id }, body: { event }, signal });
      watch(delivery_id);
    } catch (error) {
      if (signal.aborted) return;
      const said = explain(asProblem(error));
      Object.assign(state, { busy: false, error: `${said.title}. ${said.text}` });
      draw();
    }
  };
  const watch = (/** @type {string} */ delivery_id) =>
    follow({
      ask: () => call('get', '/{id}/deliveries/{delivery_id}', { ids: { id, delivery_id }, signal }),
      show: (delivery) => {
        Object.assign(state, { delivery, busy: delivery.status === 'pending', error: '' });
        if (!state.busy)
          say(delivery.status === 'delivered' ? 'The test event was delivered' : 'The test event failed');
        draw();
      },
      fail: (problem) => {
        Object.assign(state, { error: explain(problem).title, busy: pauseAfter(problem, 0) !== null });
        draw();
      },
      pause: ({ status }) => (status === 'pending' ? 1 : null),
      signal,
    });
  return (/** @type {Schemas['Endpoint']} */ endpoint, /** @type {Schemas['EventType'][]} */ types) =>
    panel(endpoint, types, state, send, draw);
}

/**
 * @param {Schemas['Endpoint']} endpoint
 * @param {Schemas['EventType'][]} types
 * @param {Test} state
 * @param {(event: string) => void} send
 * @param {() => void} draw
 */
function panel(endpoint, types, state, send, draw) {
  const type =
    types.find(({ name }) => name === state.chosen) ??
    types.find(({ name }) => endpoint.events.some((event) => event === name)) ??
    types[0];
  if (!type) return html`<p class="soft">There are no event types to test with.</p>`;
  const choose = (/** @type {Event} */ event) => {
    state.chosen = /** @type {HTMLSelectElement} */ (event.target).value;
    draw();
  };
  return html`<div class="form">
    <div class="tester">
      <div class="field">
        <label for="test-type">Event type</label>
        <select id="test-type" .value=${type.name} @change=${choose}>${types.map(({ name }) => html`<option value=${name} ?selected=${name === type.name}>${name}</option>`)}</select>
      </div>
      <button class="primary" aria-disabled=${state.busy} @click=${() => send(type.name)}>${state.busy ? 'Sending…' : 'Send the test event'}</button>
    </div>
    <details ?open=${!state.delivery && !state.busy}>
      <summary>The event that is sent, with a fresh id and time</summary>
      ${code(indented(JSON.stringify(type.sample)), 'the sample')}
    </details>
    <div aria-live="polite">${state.error ? html`<p class="callout bad">${state.error}</p>` : nothing} ${state.delivery ? outcome(endpoint, state.delivery) : nothing}</div>
  </div>`;
}

/**
 * @param {Schemas['Endpoint']} endpoint
 * @param {Schemas['DeliveryWithAttempts']} delivery
 */
function outcome(endpoint, delivery) {
  const attempt = delivery.attempts.at(-1);
  if (!attempt) return html`<p class="callout"><b>On its way</b>The answer appears here.</p>`;
  const why = advice(attempt, endpoint.url);
  const body = delivery.payload ? fieldText(textOf(delivery), 'payload') : null;
  return html`<div class="callout ${why ? 'bad' : 'good'}">
      <b>${why ? why.what : `The receiver answered ${attempt.http_status}: delivered.`}</b>
      ${why ? why.todo : 'Your endpoint is ready.'}
    </div>
    <div class="both">
      <section><h3>Request</h3>${code(`POST ${endpoint.url}\nwebhook-id: ${delivery.event_id}\n\n${body ? indented(body) : ''}`, 'the request')}</section>
      <section>
        <h3>Answer ${badge({ tone: why ? 'bad' : 'good', text: outcomeWord(attempt) })} <small>${milliseconds(attempt.duration_ms)}</small></h3>
        ${attempt.response_body ? code(readable(attempt.response_body), 'the answer') : html`<p class="soft">${attempt.http_status === null ? 'There was none.' : 'It had no body.'}</p>`}
      </section>
    </div>
    <p><a href=${address(`/endpoints/${endpoint.id}/deliveries/${delivery.id}`)}>Everything about this delivery</a></p>`;
}
