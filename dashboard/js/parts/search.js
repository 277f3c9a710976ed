/** Finding an event or a delivery by its id. */

import { call } from '../api.js';
import { address } from '../route.js';
import { asProblem } from './live.js';
import { rfc3339 } from './time.js';

const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** How many pages of one second are searched for a delivery. */
const PAGES = 20;

/**
 * Returns the address of what has the id, or `null`.
 * @param {string} id
 * @returns {Promise<string | null>}
 */
export async function find(id) {
  if (id.startsWith('evt_')) return (await isEvent(id)) ? address(`/events/${id}`) : null;
  if (id.startsWith('whe_')) return address(`/endpoints/${id}`);
  const ms = id.startsWith('del_') ? timeOf(id) : null;
  return ms === null ? null : findDelivery(id, ms);
}

/**
 * Returns when the event of a delivery was accepted, which its id begins with; `null` if it is no such id.
 * @param {string} id
 */
export function timeOf(id) {
  const [, digits] = /^del_([0-9A-HJKMNP-TV-Z]{10})[0-9A-HJKMNP-TV-Z]{16}$/i.exec(id) ?? [];
  if (!digits) return null;
  return [...digits.toUpperCase()].reduce((ms, digit) => ms * 32 + DIGITS.indexOf(digit), 0);
}

/**
 * @param {string} event_id
 */
async function isEvent(event_id) {
  try {
    await call('get', '/events/{event_id}', { ids: { event_id } });
    return true;
  } catch (error) {
    if (asProblem(error).status === 404) return false;
    throw error;
  }
}

/**
 * Looks through the second in which it was accepted, because an id alone does not say at which endpoint it is.
 * @param {string} id
 * @param {number} ms
 */
async function findDelivery(id, ms) {
  const second = rfc3339(ms);
  let cursor = '';
  for (let page = 0; page < PAGES; page++) {
    const query = { from: second, to: second, per_page: 100, ...(cursor ? { cursor } : {}) };
    const { data, meta } = await call('get', '/deliveries', { query });
    const found = data.find((delivery) => delivery.id === id);
    if (found) return address(`/endpoints/${found.endpoint_id}/deliveries/${id}`);
    if (meta.next === null) return null;
    cursor = meta.next;
  }
  return null;
}
