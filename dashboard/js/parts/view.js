/**
 * The pieces that every screen is made of. Values in, templates out.
 */

import { html, nothing, svg } from '../../vendor/lit-html.js';
import { pauseAfter } from './live.js';
import { number } from './time.js';

/**
 * @typedef {import('../api.js').Problem} Problem
 * @typedef {import('./words.js').Said} Said
 */

const ICONS = {
  copy: svg`<path d="M8 8V5a1 1 0 0 1 1-1h9a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1h-3M5 9h9a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1v-9a1 1 0 0 1 1-1z"/>`,
  done: svg`<path d="M5 13l4 4L19 7"/>`,
  good: svg`<path d="M5 13l4 4L19 7"/>`,
  bad: svg`<path d="M7 7l10 10M17 7L7 17"/>`,
  warn: svg`<path d="M12 7v5l3 2M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16z"/>`,
  calm: svg`<path d="M7 12h10"/>`,
};

/** @param {keyof typeof ICONS} name */
export function icon(name) {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">${ICONS[name]}</svg>`;
}

/** @param {Said} said */
export function badge({ tone, text }) {
  return html`<span class="badge ${tone}">${icon(tone)}${text}</span>`;
}

/**
 * Shows that something is being loaded.
 * @param {number} [rows]
 */
export function loading(rows = 4) {
  return html`<div class="loading" role="status"><span class="hidden">Loading</span>${Array.from({ length: rows }, () => html`<i></i>`)}</div>`;
}

/**
 * Says that there is nothing yet, and what to do.
 * @param {string} title
 * @param {unknown} text
 * @param {unknown} [action]
 */
export function empty(title, text, action = nothing) {
  return html`<div class="state"><h2>${title}</h2><p>${text}</p>${action}</div>`;
}

/**
 * Says what went wrong when something was loaded, and offers to try again.
 * @param {Problem} problem
 * @param {() => void} again
 */
export function failing(problem, again) {
  const { title, text, retry } = explain(problem);
  return html`<div class="state" role="alert">
    <h2>${title}</h2>
    <p>${text}</p>
    ${retry ? html`<button @click=${again}>Try again</button>` : html`<a class="button" href="#/endpoints">Go to your endpoints</a>`}
  </div>`;
}

/**
 * Says in one line that what is shown may be out of date; nothing if there is no problem.
 * @param {Problem | null} problem
 */
export function stale(problem) {
  if (!problem) return nothing;
  const again = pauseAfter(problem, 0) === null ? '' : '; it is asked for again by itself';
  return html`<p class="callout warn" role="status">${explain(problem).title}. What you see may be out of date${again}.</p>`;
}

/**
 * Returns a problem in words.
 * @param {Problem} problem
 * @returns {{title: string, text: string, retry: boolean}}
 */
export function explain({ status, message, retryAfterSeconds }) {
  switch (status) {
    case -1:
      return {
        title: 'This page has a fault',
        text: 'Reload it. If that does not help, tell us what you did.',
        retry: true,
      };
    case 0:
      return {
        title: 'The API could not be reached',
        text: 'Check your connection. Nothing you entered is lost.',
        retry: true,
      };
    case 403:
      return {
        title: 'Your access does not include this',
        text: `${sentence(message)} Ask whoever gave you access for more.`,
        retry: false,
      };
    case 404:
      return {
        title: 'There is nothing here',
        text: 'It may have been deleted, it may be older than what is kept, or it belongs to another workspace.',
        retry: false,
      };
    case 429: {
      const wait = retryAfterSeconds
        ? `Try again in ${number(retryAfterSeconds)} seconds.`
        : 'Wait a moment and try again.';
      return {
        title: 'Too many requests',
        text: `${message === 'Too Many Requests' ? '' : sentence(message)} ${wait}`.trim(),
        retry: true,
      };
    }
    default:
      return { title: 'That did not work', text: sentence(message), retry: true };
  }
}

/**
 * Returns a message of the API as a sentence.
 * @param {string} message
 */
export function sentence(message) {
  const text = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/**
 * A button that copies a text and says so.
 * @param {string} text
 * @param {string} what is copied, for its name: "the secret"
 * @param {string} [label] to show; without it, only an icon is shown
 */
export function copyButton(text, what, label = '') {
  const copy = async (/** @type {Event & {currentTarget: HTMLElement}} */ event) => {
    const button = event.currentTarget;
    const copied = await toClipboard(text);
    say(copied ? `Copied ${what}` : 'Your browser did not allow copying; select the text instead');
    button.toggleAttribute('data-done', copied);
    setTimeout(() => button.removeAttribute('data-done'), 2000);
  };
  return html`<button type="button" class="copy ${label ? '' : 'bare'}" aria-label=${label ? nothing : `Copy ${what}`} title=${label ? nothing : `Copy ${what}`} @click=${copy}>${icon('copy')}${icon('done')}${label}</button>`;
}

/** @param {string} text */
async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * A block of text in fixed width, with a button that copies it.
 * @param {string} text
 * @param {string} what it is: "the body"
 */
export function code(text, what) {
  return html`<div class="code"><pre tabindex="0" role="group" aria-label=${what}><code>${text}</code></pre>${copyButton(text, what)}</div>`;
}

/**
 * A table, whose rows become cards on narrow screens; the roles keep it a table there.
 * @template T
 * @param {string} caption
 * @param {ReadonlyArray<{label: string, cell: (row: T) => unknown, kind?: string}>} columns
 * @param {ReadonlyArray<T>} rows
 */
export function table(caption, columns, rows) {
  return html`<table role="table">
    <caption class="hidden">${caption}</caption>
    <thead role="rowgroup"><tr role="row">${columns.map(({ label, kind }) => html`<th role="columnheader" scope="col" class=${kind ?? ''}>${label}</th>`)}</tr></thead>
    <tbody role="rowgroup">
      ${rows.map((row) => html`<tr role="row">${columns.map(({ label, cell, kind }) => html`<td role="cell" class=${kind ?? ''} data-label=${label}><div>${cell(row)}</div></td>`)}</tr>`)}
    </tbody>
  </table>`;
}

/**
 * Links to the pages of a list; nothing if there is one page.
 * @param {import('../api.js').Schemas['Meta']} meta
 * @param {(page: number) => string} href
 */
export function pages({ page, pages: last, total }, href) {
  if (last <= 1 && page <= 1) return nothing;
  return html`<nav class="pages" aria-label="Pages">
    ${page > 1 ? html`<a class="button" rel="prev" href=${href(Math.min(page - 1, Math.max(last, 1)))}>Previous</a>` : html`<span></span>`}
    <span>Page ${number(page)} of ${number(last)} <small>${number(total)} in all</small></span>
    ${page < last ? html`<a class="button" rel="next" href=${href(page + 1)}>Next</a>` : html`<span></span>`}
  </nav>`;
}

/**
 * A url without its scheme, the host in front, which breaks where a reader would break it.
 * @param {string} url
 */
export function urlParts(url) {
  const { host, pathname, search } = new URL(url);
  const parts = (/** @type {string} */ text) => text.split(/(?<=[/?&=.-])/).map((part) => html`${part}<wbr />`);
  return html`<span class="url"><b>${parts(host)}</b>${parts((pathname === '/' ? '' : pathname) + search)}</span>`;
}

/** How long lists that go on by themselves are silent after they have told something, in milliseconds. */
const QUIET_MS = 60_000;

let mentioned = Number.NEGATIVE_INFINITY;

/** What is told with the next frame. @type {string[]} */
let news = [];

/**
 * Tells screen readers what has changed on screen; whoever sees it needs no words. What changes at once is told together.
 * @param {string} text
 */
export function tell(text) {
  const region = document.querySelector('#told');
  if (!region || !text) return;
  region.textContent = '';
  if (news.push(text) > 1) return;
  requestAnimationFrame(() => {
    region.textContent = news.join('. ');
    news = [];
  });
}

/**
 * Tells screen readers what has come by itself, not more than once a minute: on a busy list something always does.
 * @param {string} text
 */
export function mention(text) {
  if (!text || Date.now() - mentioned < QUIET_MS) return;
  mentioned = Date.now();
  tell(text);
}

let silence = 0;

/**
 * Tells the reader what has happened, on screen and to screen readers.
 * @param {string} text
 */
export function say(text) {
  const output = document.querySelector('#notices output');
  if (!output) return;
  output.textContent = '';
  requestAnimationFrame(() => (output.textContent = text));
  clearTimeout(silence);
  silence = setTimeout(() => (output.textContent = ''), 7000);
}
