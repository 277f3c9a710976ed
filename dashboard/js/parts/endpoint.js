/** What all screens of one endpoint do: load it, keep it fresh, and show its head above their own part. */

import { html } from '../../vendor/lit-html.js';
import { call } from '../api.js';
import { head, recall, remember } from './head.js';
import { follow } from './live.js';
import { ofEndpoints } from './news.js';
import { failing, loading, stale, tell } from './view.js';
import { shortUrl } from './words.js';

/** How often an endpoint is asked for again, in seconds. */
const FRESH_SECONDS = 15;

/**
 * @typedef {import('../api.js').Schemas['Endpoint']} Endpoint
 * @typedef {Parameters<typeof head>[1]} Tab
 */

/**
 * Shows a screen of the endpoint in the address.
 * @param {import('../app.js').Stage} stage
 * @param {Tab} tab
 * @param {string} title of the screen, before the endpoint's name
 * @param {(endpoint: Endpoint, fresh: boolean) => unknown} body is told whether the endpoint is as the API says now, or as seen before
 * @param {() => boolean} [ready] whether there is something to show; until then, what was shown for another query stays
 * @returns {{id: string, draw: () => void, set: (endpoint: Endpoint) => void}}
 */
export function endpointScreen({ route, signal, again, paint }, tab, title, body, ready = () => true) {
  const id = route.params.endpoint ?? '';
  /** @type {{endpoint: Endpoint | null, fresh: boolean, problem: import('../api.js').Problem | null}} */
  const state = { endpoint: recall(id), fresh: false, problem: null };
  const draw = () => {
    const { endpoint, fresh, problem } = state;
    if (again && !ready() && !problem) return;
    if (endpoint && problem?.status !== 404) {
      return paint(
        `${title ? `${title}: ` : ''}${shortUrl(endpoint)}`,
        html`${head(endpoint, tab)} ${stale(problem)} ${body(endpoint, fresh)}`,
      );
    }
    paint(
      'Endpoint',
      problem
        ? html`<h1 class="hidden">Endpoint</h1>${failing(problem, live.now)}`
        : html`<h1 class="hidden">Endpoint</h1>${loading()}`,
    );
  };
  const show = (/** @type {Endpoint} */ endpoint) => {
    Object.assign(state, { endpoint: remember(endpoint), fresh: true, problem: null });
    draw();
  };
  const set = (/** @type {Endpoint} */ endpoint) => {
    show(endpoint);
    live.now(); // What was asked before the change may be answered after it, and is then not shown.
  };
  const live = follow({
    ask: () => call('get', '/{id}', { ids: { id }, signal }),
    show: (endpoint) => {
      if (state.endpoint) tell(ofEndpoints([state.endpoint], [endpoint]));
      show(endpoint);
    },
    fail: (problem) => {
      state.problem = problem;
      draw();
    },
    pause: () => FRESH_SECONDS,
    signal,
  });
  if (!again) queueMicrotask(draw);
  return { id, draw, set };
}
