/** A signing secret that has just been made: kept in memory until the reader has stored it, signs out or closes the page. */

import { html } from '../../vendor/lit-html.js';
import { copyButton } from './view.js';

/** @type {Map<string, {secret: string, fresh: 'created' | 'rotated'}>} */
const secrets = new Map();

/**
 * @param {string} endpoint its id
 * @param {string} secret
 * @param {'created' | 'rotated'} fresh
 */
export function keepSecret(endpoint, secret, fresh) {
  secrets.set(endpoint, { secret, fresh });
}

/**
 * Returns the secret that was just made, or `undefined`.
 * @param {string} endpoint its id
 */
export function secretOf(endpoint) {
  return secrets.get(endpoint);
}

/** @param {string} endpoint its id */
export function forgetSecret(endpoint) {
  secrets.delete(endpoint);
}

/** @param {string} secret */
export function secretBox(secret) {
  return html`<div class="secret"><code>${secret}</code>${copyButton(secret, 'the signing secret', 'Copy')}</div>`;
}
