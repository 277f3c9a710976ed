/** All deliveries to one endpoint, by state and time, with their total. */

import { html, nothing } from '../../vendor/lit-html.js';
import { call } from '../api.js';
import { endpointScreen } from '../parts/endpoint.js';
import { filters, STATES } from '../parts/filters.js';
import { follow } from '../parts/live.js';
import { extent, ofDeliveries } from '../parts/news.js';
import { deliveryTable, joined, newerRows } from '../parts/rows.js';
import { number } from '../parts/time.js';
import { empty, failing, loading, mention, pages, stale, tell } from '../parts/view.js';
import { address } from '../route.js';
import { can } from '../session.js';

/**
 * @typedef {import('../api.js').Schemas} Schemas
 * @typedef {{list: Schemas['DeliveryList'] | null, problem: import('../api.js').Problem | null, newer: number, again: boolean}} State
 */

/** @param {import('../app.js').Stage} stage */
export function open(stage) {
  const { route, signal, go } = stage;
  const { query } = route;
  const chosen = /** @type {{status?: Schemas['DeliveryStatus'], from?: string, to?: string}} */ (
    Object.fromEntries(['status', 'from', 'to'].flatMap((name) => (query.get(name) ? [[name, query.get(name)]] : [])))
  );
  const page = Number(query.get('page')) || 1;
  /** @type {State} */
  const state = { list: null, problem: null, newer: 0, again: false };
  const screen = endpointScreen(
    stage,
    'deliveries',
    'Deliveries',
    ({ id }) => {
      const path = `/endpoints/${id}/deliveries`;
      return html`${filters(path, query, [STATES], go)} ${summary(id, state.list, chosen)} ${newerRows(state.newer, showAll)} ${content(id, state, chosen, live.now)}
      ${state.list ? pages(state.list.meta, (to) => address(path, { ...chosen, page: to })) : nothing}`;
    },
    () => state.list !== null || state.problem !== null,
  );
  const showAll = () => {
    state.again = true;
    live.now();
  };
  const live = follow({
    ask: () =>
      call('get', '/{id}/deliveries', { ids: { id: screen.id }, query: { ...chosen, page, per_page: 20 }, signal }),
    show: (list) => {
      const { rows, newer } = joined(state.again ? undefined : state.list?.data, list.data);
      if (state.list) mention(ofDeliveries(state.list.data, rows));
      else tell(extent(list.meta, 'delivery', 'deliveries'));
      Object.assign(state, { list: { ...list, data: rows }, newer, again: false, problem: null });
      screen.draw();
    },
    fail: (problem) => {
      state.problem = problem;
      screen.draw();
    },
    pause: () => (page === 1 ? 10 : null),
    signal,
  });
}

/**
 * @param {string} id
 * @param {State['list']} list
 * @param {{status?: string, from?: string, to?: string}} chosen
 */
function summary(id, list, { status, from, to }) {
  if (!list || list.meta.total === 0) return nothing;
  const total = list.meta.total;
  const recover =
    status === 'failed' && can('retry')
      ? html`<a class="button" href=${address(`/endpoints/${id}/recoveries`, { since: from, until: to })}>Send these again…</a>`
      : nothing;
  return html`<div class="title-line"><p class="soft">${number(total)} ${total === 1 ? 'delivery' : 'deliveries'}</p>${recover}</div>`;
}

/**
 * @param {string} id
 * @param {State} state
 * @param {object} chosen
 * @param {() => void} retry
 */
function content(id, { list, problem }, chosen, retry) {
  if (!list) return problem ? failing(problem, retry) : loading(6);
  if (list.data.length > 0) return html`${stale(problem)}${deliveryTable('Deliveries', list.data, { endpoint: id })}`;
  if (Object.keys(chosen).length > 0) {
    return empty(
      'Nothing matches',
      'No delivery is in this state and time. What waits for its retry is not failed yet; look for what is being retried.',
    );
  }
  const test = can('retry')
    ? html`<a class="button" href=${address(`/endpoints/${id}/test`)}>Send a test event</a>`
    : nothing;
  return empty('Nothing has been sent yet', 'Events appear here after their first attempt.', test);
}
