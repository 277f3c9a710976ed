/** Counting an endpoint's deliveries: one answer may be a part, so the same is to be asked again until it is complete. */

import { call } from '../api.js';
import { rfc3339 } from './time.js';

/**
 * @typedef {import('../api.js').Schemas} Schemas
 * @typedef {{deliveries: number, delivered: number, failed: number, pending: number, attempted: number, succeeded: number,
 *   reasons: [reason: string, count: number][], p50: number | null, p95: number | null, p99: number | null}} Sums
 */

/** After how many seconds to ask again for what is not complete. */
export const MORE_SECONDS = 2;

/**
 * Returns the hours or days of a window, as far as they are counted.
 * @param {string} id of the endpoint
 * @param {Date} from
 * @param {Date} to
 * @param {'hour' | 'day'} bucket
 * @param {AbortSignal} signal
 */
export async function count(id, from, to, bucket, signal) {
  const query = { from: rfc3339(from.getTime()), to: rfc3339(to.getTime()), bucket };
  const { data, meta } = await call('get', '/{id}/stats', { ids: { id }, query, signal });
  return { buckets: data, complete: meta.complete };
}

/**
 * Adds hours or days up. A percentile is that of the slowest of them, because those of several can't be put together.
 * @param {Schemas['Statistics'][]} buckets
 * @returns {Sums}
 */
export function sums(buckets) {
  const sum = (/** @type {(bucket: Schemas['Statistics']) => number} */ of) =>
    buckets.reduce((all, bucket) => all + of(bucket), 0);
  const slowest = (/** @type {'p50_ms' | 'p95_ms' | 'p99_ms'} */ which) =>
    buckets.reduce((/** @type {number | null} */ most, { first_attempt }) => {
      const ms = first_attempt[which];
      return ms === null ? most : Math.max(most ?? 0, ms);
    }, null);
  /** @type {Map<string, number>} */
  const reasons = new Map();
  for (const { first_attempt } of buckets) {
    for (const [reason, times] of Object.entries(first_attempt.failures))
      reasons.set(reason, (reasons.get(reason) ?? 0) + times);
  }
  const succeeded = sum(({ first_attempt }) => first_attempt.succeeded);
  const failures = [...reasons.values()].reduce((all, times) => all + times, 0);
  return {
    deliveries: sum(({ deliveries }) => deliveries),
    delivered: sum(({ delivered }) => delivered),
    failed: sum(({ failed }) => failed),
    pending: sum(({ pending }) => pending),
    attempted: succeeded + failures,
    succeeded,
    reasons: [...reasons].sort(([, a], [, b]) => b - a),
    p50: slowest('p50_ms'),
    p95: slowest('p95_ms'),
    p99: slowest('p99_ms'),
  };
}
