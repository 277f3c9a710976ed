/** How far a recovery is, in words and as a bar. */

import { html, nothing } from '../../vendor/lit-html.js';
import { number, span } from './time.js';

/**
 * @typedef {import('../api.js').Schemas['Recovery']} Recovery
 * @typedef {import('./words.js').Said} Said
 */

/**
 * @param {Recovery} recovery
 * @returns {Said}
 */
export function recoveryStatus({ status, failed }) {
  if (status === 'running') return { tone: 'calm', text: 'Sending' };
  if (status === 'paused') return { tone: 'warn', text: 'Paused' };
  if (status === 'cancelled') return { tone: 'calm', text: 'Cancelled' };
  return failed > 0 ? { tone: 'warn', text: 'Finished' } : { tone: 'good', text: 'Finished' };
}

/**
 * Returns what a recovery sends: "what failed" or "what was missed".
 * @param {Pick<Recovery, 'include'>} recovery
 */
export function includeName({ include }) {
  return include === 'missing' ? 'What was never sent' : 'What failed';
}

/**
 * Says how it stands, and what comes next.
 * @param {Recovery} recovery
 */
export function standing({ status, total, retried, delivered, failed, per_second }) {
  const left = Math.max(0, (total ?? 0) - retried);
  if (status === 'paused')
    return 'The receiver is failing, so sending is paused. One delivery is tried now and then, after 10 seconds at first and at most 15 minutes later; when one succeeds, the rest follows by itself.';
  if (status === 'running' && total === null) return 'Counting what there is to send.';
  if (status === 'running')
    return left > 0
      ? `About ${span(left / per_second)} to go, at ${number(per_second)} a second.`
      : 'Waiting for the last answers.';
  if (status === 'cancelled')
    return `Cancelled after ${number(retried)}. Up to 100 that were on their way then may still have been sent.`;
  if (total === 0) return 'There was nothing to send.';
  const alone = (total ?? 0) - retried;
  const other = alone > 0 ? ` ${number(alone)} arrived by other means in the meantime.` : '';
  if (failed > 0)
    return `${number(failed)} of ${number(total ?? 0)} failed although others arrived; look at why, then send those again.${other}`;
  return delivered > 0 ? `All ${number(delivered)} arrived.${other}` : `Nothing was left to send.${other}`;
}

/** @param {Recovery} recovery */
export function bar({ status, total, retried }) {
  const tone = status === 'finished' ? 'good' : status === 'paused' ? 'warn' : status === 'cancelled' ? 'calm' : '';
  if (total === null)
    return status === 'running' || status === 'paused'
      ? html`<progress class=${tone} aria-label="Counting"></progress>`
      : nothing;
  const done = status === 'finished' ? 1 : total === 0 ? 1 : retried / total;
  return html`<progress class=${tone} aria-label="Sent" max="1" value=${done}></progress>`;
}
