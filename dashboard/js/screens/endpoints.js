/** All endpoints of the workspace: where events are sent, how each is, and what the last 24 hours brought. */

import { html, nothing } from '../../vendor/lit-html.js';
import { call } from '../api.js';
import { asProblem, follow } from '../parts/live.js';
import { number, percent } from '../parts/time.js';
import { badge, empty, failing, loading, pages, stale, table, urlParts } from '../parts/view.js';
import { healthDetail, healthWord } from '../parts/words.js';
import { address } from '../route.js';
import { can } from '../session.js';

/**
 * @typedef {import('../api.js').Schemas} Schemas
 * @typedef {{buckets: Schemas['Statistics'][] | null, failed: boolean}} Figures
 * @typedef {{list: Schemas['EndpointList'] | null, problem: import('../api.js').Problem | null, figures: Map<string, Figures>}} State
 */

/** How often the list is asked for again, in seconds. */
const FRESH_SECONDS = 30;

/** @param {import('../app.js').Stage} stage */
export function open({ route, signal, again, paint }) {
  const page = Number(route.query.get('page')) || 1;
  /** @type {State} */
  const state = { list: null, problem: null, figures: new Map() };
  const draw = () => {
    paint('Endpoints', view(state, live.now));
    watch();
  };
  const watch = watcher(state, signal, () => draw());
  const live = follow({
    ask: () => call('get', '', { query: { page, per_page: 20 }, signal }),
    show: (list) => {
      Object.assign(state, { list, problem: null });
      draw();
    },
    fail: (problem) => {
      state.problem = problem;
      draw();
    },
    pause: () => FRESH_SECONDS,
    signal,
  });
  if (!again) draw();
}

/**
 * @param {State} state
 * @param {() => void} retry
 */
function view({ list, problem, figures }, retry) {
  const action = can('write')
    ? html`<a class="button primary" href=${address('/endpoints/new')}>Add an endpoint</a>`
    : nothing;
  return html`<div class="head">
      <div><h1>Endpoints</h1><p>Where your events are sent.</p></div>
      ${list && list.meta.total > 0 ? action : nothing}
    </div>
    ${list ? stale(problem) : nothing} ${content(list, problem, figures, action, retry)}`;
}

/**
 * @param {State['list']} list
 * @param {State['problem']} problem
 * @param {State['figures']} figures
 * @param {unknown} action
 * @param {() => void} retry
 */
function content(list, problem, figures, action, retry) {
  if (!list) return problem ? failing(problem, retry) : loading();
  if (list.meta.total === 0) {
    return empty(
      'No endpoints yet',
      'An endpoint is a URL of yours that we send events to, each as a signed POST request.',
      action,
    );
  }
  return html`${table(
    'Endpoints',
    [
      { label: 'Endpoint', kind: 'main', cell: name },
      {
        label: 'State',
        cell: (endpoint) => html`${badge(healthWord(endpoint))} <small class="block">${healthDetail(endpoint)}</small>`,
      },
      {
        label: 'Last 24 hours',
        kind: 'figures',
        cell: (endpoint) => html`<div data-figures=${endpoint.id}>${day(figures.get(endpoint.id))}</div>`,
      },
      { label: 'Event types', cell: ({ events }) => (events[0] === '*' ? 'All' : number(events.length)) },
    ],
    list.data,
  )}
  ${pages(list.meta, (page) => address('/endpoints', { page }))}`;
}

/** @param {Schemas['Endpoint']} endpoint */
function name({ id, url, description }) {
  return html`<a class="row" href=${address(`/endpoints/${id}`)}>${urlParts(url)}</a>
    ${description ? html`<small class="block clip">${description}</small>` : nothing}`;
}

/** @param {Figures | undefined} figures */
function day(figures) {
  if (figures?.failed) return html`<small>Not available</small>`;
  if (!figures?.buckets) return html`<span class="spark wait"></span>`;
  const all = figures.buckets.reduce((sum, { deliveries }) => sum + deliveries, 0);
  if (all === 0) return html`<small>No events</small>`;
  const delivered = figures.buckets.reduce((sum, bucket) => sum + bucket.delivered, 0);
  return html`${spark(figures.buckets)}<small>${number(all)}, ${percent(delivered, all)} delivered</small>`;
}

/** @type {(buckets: Schemas['Statistics'][]) => unknown} */
let spark = () => nothing;

/**
 * Asks for the figures of each endpoint when it comes into view, once.
 * @param {State} state
 * @param {AbortSignal} signal
 * @param {() => void} draw
 */
function watcher(state, signal, draw) {
  const load = async (/** @type {string} */ id) => {
    if (state.figures.has(id)) return;
    state.figures.set(id, { buckets: null, failed: false });
    try {
      ({ spark } = await import('../parts/chart.js'));
      const { count } = await import('../parts/figures.js');
      const to = new Date();
      const { buckets } = await count(id, new Date(to.getTime() - 23 * 3_600_000), to, 'hour', signal);
      state.figures.set(id, { buckets, failed: false });
    } catch (error) {
      if (signal.aborted) return;
      asProblem(error);
      state.figures.set(id, { buckets: null, failed: true });
    }
    draw();
  };
  const observer = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (isIntersecting) load(/** @type {HTMLElement} */ (target).dataset.figures ?? '');
    }
  });
  signal.addEventListener('abort', () => observer.disconnect());
  return () => {
    for (const element of document.querySelectorAll('[data-figures]')) observer.observe(element);
  };
}
