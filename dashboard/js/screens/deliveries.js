/** Deliveries to all endpoints, newest first, by state, type, endpoint and time, and a search by id. */

import { html, nothing } from '../../vendor/lit-html.js';
import { call } from '../api.js';
import { filters, STATES } from '../parts/filters.js';
import { loadNames } from '../parts/head.js';
import { asProblem, follow } from '../parts/live.js';
import { extent, ofDeliveries } from '../parts/news.js';
import { deliveryTable, joined, newerRows } from '../parts/rows.js';
import { find } from '../parts/search.js';
import { local } from '../parts/time.js';
import { empty, explain, failing, loading, mention, say, stale, tell } from '../parts/view.js';
import { shortUrl } from '../parts/words.js';
import { address } from '../route.js';

/**
 * @typedef {import('../api.js').Schemas} Schemas
 * @typedef {{data: import('../parts/rows.js').Delivery[], next: string | null, asked: number}} List
 * @typedef {{list: List | null, problem: import('../api.js').Problem | null, endpoints: Schemas['Endpoint'][], types: Schemas['EventType'][],
 *   searching: string, newer: number, again: boolean}} State
 */

const NAMES = ['status', 'event', 'endpoint_id', 'from', 'to'];

/** How many pages without a match are asked for before the reader is asked whether to go on. */
const EMPTY_PAGES = 8;

/** @param {import('../app.js').Stage} stage */
export function open({ route, signal, again, paint, go }) {
  const { query } = route;
  const chosen = Object.fromEntries(NAMES.flatMap((name) => (query.get(name) ? [[name, query.get(name)]] : [])));
  const cursor = query.get('cursor') ?? '';
  /** @type {State} */
  const state = { list: null, problem: null, endpoints: [], types: [], searching: '', newer: 0, again: false };
  const draw = () => paint('Deliveries', view(state, query, chosen, cursor, go, search, live.now, showAll));
  const showAll = () => {
    state.again = true;
    live.now();
  };
  const search = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const id = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get('id')).trim();
    if (!id || state.searching) return;
    state.searching = id;
    draw();
    // The form that is on screen may be of the address before, as long as there is no answer; it works all the same.
    const here = location.hash;
    try {
      const found = await find(id);
      if (location.hash !== here) return;
      if (found) return go(found);
      say('Nothing has this id. Ids of events begin with evt_, those of deliveries with del_.');
    } catch (error) {
      if (location.hash === here) say(explain(asProblem(error)).title);
    } finally {
      state.searching = '';
      draw();
    }
  };
  const live = follow({
    ask: () => pageWithSomething(chosen, cursor, signal),
    show: (list) => {
      const { rows, newer } = joined(state.again ? undefined : state.list?.data, list.data);
      if (state.list) mention(ofDeliveries(state.list.data, rows));
      else
        tell(`${extent({ total: list.data.length }, 'delivery', 'deliveries')}${list.next ? ', and older ones' : ''}`);
      Object.assign(state, { list: { ...list, data: rows }, newer, again: false, problem: null });
      draw();
    },
    fail: (problem) => {
      state.problem = problem;
      draw();
    },
    pause: ({ asked }) => (cursor === '' ? 10 * asked : null),
    signal,
  });
  follow({
    ask: async () => ({
      endpoints: await loadNames(signal),
      types: (await call('get', '/event-types', { signal })).data,
    }),
    show: (names) => {
      Object.assign(state, names);
      if (state.list) draw();
    },
    fail: () => {},
    signal,
  });
  if (!again) draw();
}

/**
 * Returns the next page that has anything on it; a page may be empty because only so much is read at a time.
 * @param {object} chosen
 * @param {string} cursor
 * @param {AbortSignal} signal
 * @returns {Promise<List>}
 */
async function pageWithSomething(chosen, cursor, signal) {
  let from = cursor;
  for (let asked = 1; ; asked++) {
    const query = { ...chosen, per_page: 20, ...(from ? { cursor: from } : {}) };
    const { data, meta } = await call('get', '/deliveries', { query, signal });
    if (data.length > 0 || meta.next === null || asked === EMPTY_PAGES) return { data, next: meta.next, asked };
    from = meta.next;
  }
}

/**
 * @param {State} state
 * @param {URLSearchParams} query
 * @param {Record<string, string | null>} chosen
 * @param {string} cursor
 * @param {(address: string, how?: {replace: boolean}) => void} go
 * @param {(event: SubmitEvent) => void} search
 * @param {() => void} retry
 * @param {() => void} showAll
 */
function view(state, query, chosen, cursor, go, search, retry, showAll) {
  const choices = [
    STATES,
    {
      name: 'event',
      label: 'Event type',
      options: [
        /** @type {const} */ (['', 'Any']),
        ...state.types.map(({ name }) => /** @type {const} */ ([name, name])),
      ],
    },
    {
      name: 'endpoint_id',
      label: 'Endpoint',
      options: [
        /** @type {const} */ (['', 'Any']),
        ...state.endpoints.map((endpoint) => /** @type {const} */ ([endpoint.id, shortUrl(endpoint)])),
      ],
    },
  ];
  return html`<div class="head">
      <div><h1>Deliveries</h1><p>Every event on its way to an endpoint, newest first.</p></div>
      <form class="search" role="search" aria-label="By id" @submit=${search}>
        <label class="hidden" for="search-id">Id of an event or a delivery</label>
        <input id="search-id" name="id" type="search" autocomplete="off" spellcheck="false" placeholder="Id: evt_… or del_…" />
        <button aria-disabled=${state.searching !== ''}>${state.searching ? 'Looking…' : 'Find'}</button>
      </form>
    </div>
    ${filters('/deliveries', query, choices, go)} ${newerRows(state.newer, showAll)}
    ${content(state, chosen, cursor, retry)}`;
}

/**
 * @param {State} state
 * @param {Record<string, string | null>} chosen
 * @param {string} cursor
 * @param {() => void} retry
 */
function content({ list, problem, endpoints }, chosen, cursor, retry) {
  if (!list) return problem ? failing(problem, retry) : loading(6);
  const newest = cursor
    ? html`<a class="button" href=${address('/deliveries', chosen)}>Back to the newest</a>`
    : html`<span></span>`;
  const older = (/** @type {string} */ text) =>
    list.next
      ? html`<a class="button" rel="next" href=${address('/deliveries', { ...chosen, cursor: list.next })}>${text}</a>`
      : nothing;
  if (list.data.length === 0 && list.next)
    return empty(
      'Nothing found so far',
      'There is more to look through.',
      html`<div class="actions center">${newest}${older('Keep looking')}</div>`,
    );
  if (list.data.length === 0) {
    if (cursor) return empty('That was all', 'There are no older ones.', newest);
    if (Object.keys(chosen).length > 0) return empty('Nothing matches', 'No delivery matches these filters.');
    return empty(
      'Nothing has been sent yet',
      'Once there is an endpoint and an event comes, you see here what became of it.',
      html`<a class="button" href=${address('/endpoints')}>Go to your endpoints</a>`,
    );
  }
  const names = new Map(endpoints.map((endpoint) => [endpoint.id, shortUrl(endpoint)]));
  const last = list.data.at(-1);
  return html`${stale(problem)} ${deliveryTable('Deliveries', list.data, { endpoints: names })}
    <nav class="pages" aria-label="Pages">${newest}${list.next ? older('Older') : html`<small>${last ? `Nothing is older than ${local(last.created_at)}.` : ''}</small>`}</nav>`;
}
