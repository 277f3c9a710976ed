/** Filters of lists of deliveries. They live in the address, so that a view can be sent to a colleague. */

import { html, nothing } from '../../vendor/lit-html.js';
import { address, parse } from '../route.js';
import { FIRST, fromField, LAST, toField } from './time.js';

/**
 * @typedef {{name: string, label: string, options: (readonly [value: string, text: string])[]}} Choice
 */

/** The states of a delivery, for a choice. @type {Choice} */
export const STATES = {
  name: 'status',
  label: 'State',
  options: [
    ['', 'Any'],
    ['delivered', 'Delivered'],
    ['pending', 'Being sent or retried'],
    ['failed', 'Failed'],
  ],
};

// The fields say what the address does as soon as it changes. A template sets only what differs from what it set last, so
// that a choice would stay whose reader goes back before there is an answer.
addEventListener('hashchange', () => {
  const query = parse(location.hash)?.query;
  /** @type {NodeListOf<HTMLInputElement | HTMLSelectElement>} */
  const fields = document.querySelectorAll('.filters [name]');
  for (const field of fields) {
    const value = query?.get(field.name) ?? '';
    field.value = field instanceof HTMLInputElement ? toField(value) : value;
  }
});

/**
 * @param {string} path of the screen
 * @param {URLSearchParams} query
 * @param {Choice[]} choices
 * @param {(address: string, how?: {replace: boolean}) => void} go
 */
export function filters(path, query, choices, go) {
  const names = [...choices.map(({ name }) => name), 'from', 'to'];
  const present = Object.fromEntries(names.map((name) => [name, query.get(name) ?? '']));
  const apply = (/** @type {string} */ name, /** @type {string} */ value) => {
    // What is on screen may be older than the address, which changes before there is an answer.
    const now = parse(location.hash)?.query ?? query;
    const others = Object.fromEntries(names.map((other) => [other, now.get(other) ?? '']));
    // A time changes with each of its parts that is typed, which is one step back and not many.
    const isTyped = (name === 'from' || name === 'to') && others[name] !== '' && value !== '';
    go(address(path, { ...others, [name]: value }), { replace: isTyped });
  };
  const changed = (/** @type {Event} */ event) => {
    const { name, value, validity } = /** @type {HTMLInputElement} */ (event.target);
    if (!validity.valid) return;
    apply(name, name === 'from' || name === 'to' ? fromField(value) : value);
  };
  const some = Object.values(present).some((value) => value !== '');
  return html`<div class="filters" role="search" aria-label="Filters" @change=${changed}>
    ${choices.map((choice) => select(choice, present[choice.name] ?? ''))} ${time('from', 'From', present.from ?? '')} ${time('to', 'Until', present.to ?? '')}
    ${some ? html`<a class="button" href=${address(path)}>Clear filters</a>` : nothing}
  </div>`;
}

/**
 * @param {Choice} choice
 * @param {string} chosen
 */
function select({ name, label, options }, chosen) {
  const known = options.some(([value]) => value === chosen)
    ? options
    : [...options, /** @type {const} */ ([chosen, chosen])];
  return html`<div class="field">
    <label for="filter-${name}">${label}</label>
    <select id="filter-${name}" name=${name} .value=${chosen}>${known.map(([value, text]) => html`<option value=${value} ?selected=${value === chosen}>${text}</option>`)}</select>
  </div>`;
}

/**
 * @param {string} name
 * @param {string} label
 * @param {string} value RFC 3339, or empty
 */
function time(name, label, value) {
  return html`<div class="field">
    <label for="filter-${name}">${label}</label>
    <input id="filter-${name}" name=${name} type="datetime-local" step="1" min=${FIRST} max=${LAST} .value=${toField(value)} />
  </div>`;
}
