/** Lists of deliveries. */

import { html, nothing } from '../../vendor/lit-html.js';
import { address } from '../route.js';
import { recall } from './head.js';
import { ago, number, when } from './time.js';
import { badge, table } from './view.js';
import { deliveryStatus, outcomeWord, shortUrl } from './words.js';

/**
 * @typedef {import('../api.js').Schemas['Delivery'] & {endpoint_id?: string}} Delivery
 */

/**
 * A table of deliveries. The first column says what the rows differ in, and leads to the delivery.
 * @param {string} caption
 * @param {Delivery[]} deliveries
 * @param {object} of
 * @param {string} [of.endpoint] the id of the endpoint, if all are of one
 * @param {Map<string, string>} [of.endpoints] the names of endpoints, if they are of several
 * @param {boolean} [of.one] whether all are of one event
 */
export function deliveryTable(caption, deliveries, { endpoint, endpoints, one = false }) {
  const place = (/** @type {Delivery} */ { endpoint_id }) => endpoint ?? endpoint_id ?? '';
  const name = (/** @type {Delivery} */ delivery) => endpoints?.get(place(delivery)) ?? nameOf(place(delivery));
  const link = (/** @type {Delivery} */ delivery, /** @type {string} */ text) =>
    html`<a class="row" href=${address(`/endpoints/${place(delivery)}/deliveries/${delivery.id}`)}>${text}</a>`;
  const event = (/** @type {Delivery} */ delivery) => html`${link(delivery, delivery.event)}
    ${delivery.test ? html`<span class="tag">test</span>` : nothing} <small class="block mono clip">${delivery.event_id}</small>`;
  const main = one
    ? {
        label: 'Endpoint',
        kind: 'main event',
        cell: (/** @type {Delivery} */ delivery) => link(delivery, name(delivery)),
      }
    : { label: 'Event', kind: 'main event', cell: event };
  const clipped = {
    label: 'Endpoint',
    kind: 'clipped',
    cell: (/** @type {Delivery} */ delivery) => html`<span class="url">${name(delivery)}</span>`,
  };
  return table(
    caption,
    [
      main,
      { label: 'State', cell: (delivery) => html`${badge(deliveryStatus(delivery))}${next(delivery)}` },
      ...(endpoints && !one ? [clipped] : []),
      { label: 'Last answer', cell: (delivery) => last(delivery) },
      { label: 'Attempts', kind: 'num', cell: ({ attempt_count }) => number(attempt_count) },
      { label: 'Accepted', kind: 'time', cell: ({ created_at }) => when(created_at) },
    ],
    deliveries,
  );
}

/**
 * Joins what is shown with what came since: while the reader is among the rows, they change but do not move.
 * @template {{id: string}} T
 * @param {T[] | undefined} shown
 * @param {T[]} fresh
 * @returns {{rows: T[], newer: number}} `newer` is how many rows are held back
 */
export function joined(shown, fresh) {
  const among = document.querySelector('main tbody')?.matches(':hover, :focus-within') ?? false;
  const newer = fresh.filter(({ id }) => !shown?.some((row) => row.id === id)).length;
  if (!shown || !among || newer === 0) return { rows: fresh, newer: 0 };
  const changed = new Map(fresh.map((row) => [row.id, row]));
  return { rows: shown.map((row) => changed.get(row.id) ?? row), newer };
}

/**
 * Offers the rows that are held back; nothing if there are none.
 * @param {number} newer
 * @param {() => void} show
 */
export function newerRows(newer, show) {
  if (newer === 0) return nothing;
  return html`<div class="actions center newer" role="status"><button @click=${show}>Show ${number(newer)} newer</button></div>`;
}

/** @param {string} id */
function nameOf(id) {
  const endpoint = recall(id);
  return endpoint ? shortUrl(endpoint) : id;
}

/** @param {Delivery} delivery */
function next({ next_attempt_at }) {
  return next_attempt_at
    ? html` <small class="block">${Date.parse(next_attempt_at) > Date.now() ? ago(next_attempt_at) : 'any moment'}</small>`
    : nothing;
}

/** @param {Delivery} delivery */
function last({ status, last_error, http_status, attempt_count }) {
  if (attempt_count === 0) return status === 'pending' ? html`<small>None yet</small>` : html`<small>None</small>`;
  return outcomeWord({ error: last_error, http_status });
}
