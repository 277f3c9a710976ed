/** One event: what it says, and what became of it at every endpoint. */

import { html, nothing } from '../../vendor/lit-html.js';
import { call, textOf } from '../api.js';
import { crumbs, loadNames } from '../parts/head.js';
import { fieldText, indented } from '../parts/json.js';
import { follow } from '../parts/live.js';
import { deliveryTable } from '../parts/rows.js';
import { stamp, when } from '../parts/time.js';
import { code, copyButton, empty, failing, loading, stale } from '../parts/view.js';
import { shortUrl } from '../parts/words.js';
import { address } from '../route.js';

/**
 * @typedef {import('../api.js').Schemas} Schemas
 * @typedef {{event: Schemas['EventWithDeliveries'] | null, problem: import('../api.js').Problem | null, names: Map<string, string>}} State
 */

/** How long after an event was accepted its first attempts may still be under way, in milliseconds. */
const FRESH_MS = 60_000;

/** @param {import('../app.js').Stage} stage */
export function open({ route, signal, paint }) {
  const event_id = route.params.event ?? '';
  /** @type {State} */
  const state = { event: null, problem: null, names: new Map() };
  const draw = () => paint(state.event ? `${state.event.event} ${event_id}` : 'Event', view(state, live.now));
  const live = follow({
    ask: () => call('get', '/events/{event_id}', { ids: { event_id }, signal }),
    show: (event) => {
      Object.assign(state, { event, problem: null });
      draw();
    },
    fail: (problem) => {
      state.problem = problem;
      draw();
    },
    pause: ({ deliveries }) =>
      deliveries.length === 0 || deliveries.some(({ status }) => status === 'pending') ? 5 : 30,
    signal,
  });
  follow({
    ask: () => loadNames(signal),
    show: (endpoints) => {
      state.names = new Map(endpoints.map((endpoint) => [endpoint.id, shortUrl(endpoint)]));
      draw();
    },
    fail: () => {},
    signal,
  });
  draw();
}

/**
 * Says why no delivery is shown; there is none before its first attempt has ended.
 * @param {Schemas['EventWithDeliveries']} event
 */
function nobody({ accepted_at }) {
  if (Date.now() - Date.parse(accepted_at) < FRESH_MS)
    return empty('Nothing to show yet', 'Deliveries appear here once their first attempt has ended.');
  return empty(
    'It was not sent to any endpoint',
    'No endpoint was enabled and subscribed to it when it came. An endpoint that is now can get it by a recovery of what it missed.',
  );
}

/**
 * @param {State} state
 * @param {() => void} again
 */
function view({ event, problem, names }, again) {
  const above = crumbs([[address('/deliveries'), 'Deliveries']]);
  if (!event || problem?.status === 404)
    return html`${above}<h1 class="hidden">Event</h1>${problem ? failing(problem, again) : loading()}`;
  const payload = event.payload ? fieldText(textOf(event), 'payload') : null;
  return html`${above}
    <div class="head"><div><h1>${event.event}</h1><p>${event.test ? html`<span class="tag">test</span> ` : nothing}accepted ${when(event.accepted_at)}</p></div></div>
    ${stale(problem)}
    <div class="split">
      <div class="stack">
        <section class="card"><h2>What became of it</h2>
          ${event.deliveries.length > 0 ? deliveryTable('Deliveries of this event', event.deliveries, { endpoints: names, one: true }) : nobody(event)}
        </section>
        <section class="card"><h2>Content</h2>
          ${payload === null ? html`<p class="soft">It is no longer kept.</p>` : html`${code(indented(payload), 'the content')}<p class="fine note">Indented here; it is sent as the producer wrote it.</p>${copyButton(payload, 'the content as it is sent', 'Copy it as sent')}`}
        </section>
      </div>
      <section class="card"><h2>Details</h2>
        <dl class="facts">
          <div><dt>Event</dt><dd class="with-copy"><code>${event.id}</code>${copyButton(event.id, 'the id')}</dd></div>
          <div><dt>Happened, by its producer's clock</dt><dd>${stamp(event.created_at)}</dd></div>
          <div><dt>Accepted</dt><dd>${stamp(event.accepted_at)}</dd></div>
        </dl>
      </section>
    </div>`;
}
