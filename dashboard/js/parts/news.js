/** What has changed on a list, in words for whoever does not see it. Pure. */

import { number } from './time.js';
import { healthWord, shortUrl } from './words.js';

/**
 * Returns how much a list has and which part of it is shown: "45 endpoints, page 1 of 3".
 * @param {Pick<import('../api.js').Schemas['Meta'], 'total'> & {page?: number, pages?: number}} meta
 * @param {string} one of what it has
 * @param {string} several
 */
export function extent({ total, page = 1, pages = 1 }, one, several) {
  const count = total === 0 ? `No ${several}` : `${number(total)} ${total === 1 ? one : several}`;
  return pages > 1 ? `${count}, page ${number(page)} of ${number(pages)}` : count;
}

/**
 * Returns which endpoints are not as they were; empty if there are none.
 * @param {import('../api.js').Schemas['Endpoint'][]} before
 * @param {import('../api.js').Schemas['Endpoint'][]} after
 */
export function ofEndpoints(before, after) {
  return changed(before, after, (endpoint) => healthWord(endpoint).text)
    .map((endpoint) => `${shortUrl(endpoint)}: ${healthWord(endpoint).text}`)
    .join('. ');
}

/**
 * Returns how many deliveries came and how many are not as they were; empty if there are none.
 * @param {import('./rows.js').Delivery[]} before
 * @param {import('./rows.js').Delivery[]} after
 */
export function ofDeliveries(before, after) {
  const newer = after.filter(({ id }) => !before.some((row) => row.id === id)).length;
  const others = changed(before, after, ({ status }) => status).length;
  return [newer > 0 && `${number(newer)} newer`, others > 0 && `${number(others)} changed`].filter(Boolean).join(', ');
}

/**
 * Returns what is not as it was.
 * @template {{id: string}} T
 * @param {T[]} before
 * @param {T[]} after
 * @param {(of: T) => string} state
 */
export function changed(before, after, state) {
  const states = new Map(before.map((item) => [item.id, state(item)]));
  return after.filter((item) => states.has(item.id) && states.get(item.id) !== state(item));
}
