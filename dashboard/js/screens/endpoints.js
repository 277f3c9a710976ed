/** All endpoints of the workspace: where events are sent, how each is, and what the last 24 hours brought. */

import { html, nothing } from '../../vendor/lit-html.js';
import { call } from '../api.js';
import { asProblem, follow } from '../parts/live.js';
import { extent, ofEndpoints } from '../parts/news.js';
import { number, percent } from '../parts/time.js';
import { badge, empty, failing, loading, pages, stale, table, tell, urlParts } from '../parts/view.js';
import { healthDetail, healthWord } from '../parts/words.js';
import { address } from '../route.js';
import { can } from '../session.js';

/**
 * @typedef {import('../api.js').Schemas} Schemas
 * @typedef {{buckets: Schemas['Statistics'][] | null, complete: boolean, failed: boolean, dueMs: number}} Figures
 * `dueMs` is when they are to be asked for again.
 * @typedef {{list: Schemas['EndpointList'] | null, problem: import('../api.js').Problem | null, figures: Map<string, Figures>}} State
 */

/** How often the list is asked for again, in seconds. */
const FRESH_SECONDS = 30;

/** After how many seconds figures are asked for again: those that are there, and those that were refused. */
const FIGURES_SECONDS = 300;
const REFUSED_SECONDS = 20;

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
      tell(state.list ? ofEndpoints(state.list.data, list.data) : extent(list.meta, 'endpoint', 'endpoints'));
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
  if (!figures?.buckets) {
    return figures?.failed ? html`<small>Not available</small>` : html`<span class="spark wait"></span>`;
  }
  if (!figures.complete) return html`${spark(figures.buckets)}<small>Still counting</small>`;
  const all = figures.buckets.reduce((sum, { deliveries }) => sum + deliveries, 0);
  if (all === 0) return html`<small>No events</small>`;
  const delivered = figures.buckets.reduce((sum, bucket) => sum + bucket.delivered, 0);
  return html`${spark(figures.buckets)}<small>${number(all)}, ${percent(delivered, all)} delivered</small>`;
}

/** @type {(buckets: Schemas['Statistics'][]) => unknown} */
let spark = () => nothing;

/**
 * Asks for the figures of each endpoint when it comes into view, and again when they are old or not complete.
 * @param {State} state
 * @param {AbortSignal} signal
 * @param {() => void} draw
 */
function watcher(state, signal, draw) {
  const load = async (/** @type {string} */ id) => {
    const known = state.figures.get(id);
    const askedMs = Date.now();
    if (known && askedMs < known.dueMs) return;
    const before = known ?? { buckets: null, complete: true, failed: false };
    state.figures.set(id, { ...before, dueMs: Number.POSITIVE_INFINITY });
    try {
      ({ spark } = await import('../parts/chart.js'));
      const { count, MORE_SECONDS } = await import('../parts/figures.js');
      const to = new Date();
      const counted = await count(id, new Date(to.getTime() - 23 * 3_600_000), to, 'hour', signal);
      const seconds = counted.complete ? FIGURES_SECONDS : MORE_SECONDS;
      state.figures.set(id, { ...counted, failed: false, dueMs: askedMs + seconds * 1000 });
      if (!counted.complete) setTimeout(() => !document.hidden && !signal.aborted && watch(), seconds * 1000);
    } catch (error) {
      if (signal.aborted) return;
      asProblem(error);
      state.figures.set(id, { ...before, failed: true, dueMs: Date.now() + REFUSED_SECONDS * 1000 });
    }
    draw();
  };
  const observer = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (isIntersecting) load(/** @type {HTMLElement} */ (target).dataset.figures ?? '');
    }
  });
  signal.addEventListener('abort', () => observer.disconnect());
  const watch = () => {
    for (const element of document.querySelectorAll('[data-figures]')) {
      // What is observed already says nothing new, although it may show another endpoint by now.
      observer.unobserve(element);
      observer.observe(element);
    }
  };
  return watch;
}
