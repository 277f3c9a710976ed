/** The head that all screens of an endpoint share: its url, its state, and the way to its other screens. */

import { html, nothing } from '../../vendor/lit-html.js';
import { call } from '../api.js';
import { address } from '../route.js';
import { can } from '../session.js';
import { badge, urlParts } from './view.js';
import { healthDetail, healthWord } from './words.js';

/** @typedef {import('../api.js').Schemas['Endpoint']} Endpoint */

/** @type {Map<string, Endpoint>} what was seen last, so that the head stands while it is asked for again */
const seen = new Map();

/** @param {Endpoint} endpoint */
export function remember(endpoint) {
  seen.set(endpoint.id, endpoint);
  return endpoint;
}

/**
 * Returns an endpoint as it was seen last.
 * @param {string} id
 */
export function recall(id) {
  return seen.get(id) ?? null;
}

/**
 * @param {Endpoint} endpoint
 * @param {'' | 'deliveries' | 'recoveries' | 'test' | 'settings'} tab
 */
export function head(endpoint, tab) {
  const base = `/endpoints/${endpoint.id}`;
  const detail = healthDetail(endpoint);
  const tabs = [
    ['', 'Overview'],
    ['deliveries', 'Deliveries'],
    ['recoveries', 'Recover'],
    ['test', 'Test'],
    ['settings', 'Settings'],
  ];
  return html`${crumbs([[address('/endpoints'), 'Endpoints']])}
    <div class="head">
      <div>
        <h1 class="url">${urlParts(endpoint.url)}</h1>
        <p>${badge(healthWord(endpoint))} ${detail ? html`<span>${detail}</span>` : nothing}</p>
        ${endpoint.description ? html`<p>${endpoint.description}</p>` : nothing}
      </div>
      ${can('retry') && tab === '' ? html`<div class="actions"><a class="button" href=${address(`${base}/test`)}>Send a test event</a></div>` : nothing}
    </div>
    <nav class="tabs" aria-label="Endpoint">
      ${tabs.filter(([part]) => part !== 'settings' || can('write')).map(([part, name]) => html`<a href=${address(part ? `${base}/${part}` : base)} aria-current=${part === tab ? 'page' : nothing}>${name}</a>`)}
    </nav>`;
}

/**
 * Where the screen is, for screens below others.
 * @param {(readonly [href: string, name: string])[]} links
 */
export function crumbs(links) {
  return html`<nav aria-label="Breadcrumb"><ol class="crumbs">${links.map(([href, name]) => html`<li><a href=${href}>${name}</a></li>`)}</ol></nav>`;
}

/** How many pages of endpoints are read for their names. */
const PAGES = 10;

/**
 * Returns the endpoints of the workspace, for their names.
 * @param {AbortSignal} signal
 */
export async function loadNames(signal) {
  /** @type {Endpoint[]} */
  const all = [];
  for (let page = 1; page <= PAGES; page++) {
    const { data, meta } = await call('get', '', { query: { page, per_page: 100 }, signal });
    all.push(...data.map(remember));
    if (page >= meta.pages) break;
  }
  return all;
}
