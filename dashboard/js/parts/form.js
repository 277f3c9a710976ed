/** The fields of an endpoint, for creating and changing one. */

import { html, nothing } from '../../vendor/lit-html.js';
import { picker } from './picker.js';

/**
 * @typedef {import('../api.js').Schemas} Schemas
 * @typedef {import('../api.js').Problem} Problem
 * @typedef {{url: string, description: string, events: string[], metadata: [name: string, value: string][]}} Draft
 */

/**
 * Returns what the fields show of an endpoint.
 * @param {Partial<Schemas['Endpoint']>} endpoint
 * @returns {Draft}
 */
export function draftOf({ url = '', description = null, events = ['*'], metadata = {} }) {
  return { url, description: description ?? '', events: [...events], metadata: Object.entries(metadata) };
}

/**
 * Returns what the API is to store.
 * @param {Draft} draft
 */
export function requestOf({ url, description, events, metadata }) {
  return {
    url: url.trim(),
    description: description.trim() || null,
    events,
    metadata: Object.fromEntries(
      metadata.filter(([name]) => name.trim() !== '').map(([name, value]) => [name.trim(), value]),
    ),
  };
}

/**
 * Returns what the API is to change: the fields that the reader has changed, so that others keep what somebody else stored.
 * @param {Draft} draft
 * @param {Draft} before what the fields showed at first
 * @returns {Partial<ReturnType<typeof requestOf>>}
 */
export function changesOf(draft, before) {
  const old = new Map(Object.entries(requestOf(before)));
  const changes = Object.entries(requestOf(draft)).filter(([name, value]) => !same(value, old.get(name)));
  return /** @type {Partial<ReturnType<typeof requestOf>>} */ (Object.fromEntries(changes));
}

/**
 * Returns the fields with what is stored now, but for those that the reader has changed.
 * @param {Draft} draft
 * @param {Draft} before what the fields showed at first
 * @param {Draft} now what is stored
 * @returns {Draft}
 */
export function renewed(draft, before, now) {
  return {
    url: same(draft.url, before.url) ? now.url : draft.url,
    description: same(draft.description, before.description) ? now.description : draft.description,
    events: same(draft.events, before.events) ? now.events : draft.events,
    metadata: same(draft.metadata, before.metadata) ? now.metadata : draft.metadata,
  };
}

/**
 * @param {unknown} one
 * @param {unknown} other
 */
function same(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}

/**
 * @param {object} what
 * @param {Draft} what.draft
 * @param {Schemas['EventType'][]} what.types
 * @param {Problem | null} what.problem of the last attempt to store it
 * @param {() => void} what.draw
 */
export function fields({ draft, types, problem, draw }) {
  const text = (/** @type {'url' | 'description'} */ name) => (/** @type {Event} */ event) => {
    draft[name] = /** @type {HTMLInputElement} */ (event.target).value;
  };
  return html`
    <div class="field">
      <label for="url">URL</label>
      <input id="url" type="url" required maxlength="2048" inputmode="url" autocomplete="off" spellcheck="false" placeholder="https://example.com/webhooks" .value=${draft.url} @input=${text('url')} aria-describedby="url-hint url-error" aria-invalid=${problem?.field('url') !== undefined} />
      <p id="url-hint" class="hint">A public https address that takes POST requests.</p>
      ${error('url', problem)}
    </div>
    <div class="field">
      <label for="description">Description <small>optional</small></label>
      <input id="description" maxlength="255" autocomplete="off" placeholder="What receives the events" .value=${draft.description} @input=${text('description')} aria-describedby="description-error" aria-invalid=${problem?.field('description') !== undefined} />
      ${error('description', problem)}
    </div>
    ${picker({
      types,
      chosen: draft.events,
      choose: (events) => {
        draft.events = events;
        draw();
      },
      error: problem?.field('events'),
    })}
    ${metadata(draft, problem, draw)}
  `;
}

/**
 * Returns the first problem that belongs to no field that is shown, for the whole form.
 * @param {Problem | null} problem
 */
export function rest(problem) {
  const other = problem?.body.errors?.find(({ field }) => !/^(url|description|events|metadata)\b/.test(field));
  return other ? `${other.field}: ${other.message}` : '';
}

/**
 * @param {'url' | 'description' | 'metadata'} name
 * @param {Problem | null} problem
 */
function error(name, problem) {
  const message = problem?.field(name);
  return html`<p id="${name}-error" class="field-error" role="alert">${message ? `This ${message}.` : nothing}</p>`;
}

/**
 * @param {Draft} draft
 * @param {Problem | null} problem
 * @param {() => void} draw
 */
function metadata(draft, problem, draw) {
  const change = (/** @type {number} */ index, /** @type {0 | 1} */ part) => (/** @type {Event} */ event) => {
    const pair = draft.metadata[index];
    if (pair) pair[part] = /** @type {HTMLInputElement} */ (event.target).value;
  };
  const remove = (/** @type {number} */ index) => () => {
    draft.metadata.splice(index, 1);
    draw();
  };
  const add = () => {
    draft.metadata.push(['', '']);
    draw();
  };
  return html`<details ?open=${draft.metadata.length > 0}>
    <summary>Labels of your own</summary>
    <div class="field">
      <p class="hint">Names and values that you need with this endpoint, such as a team or an environment. They are not sent anywhere.</p>
      ${draft.metadata.map(
        ([name, value], index) => html`<div class="pair">
          <input aria-label="Name ${index + 1}" maxlength="40" placeholder="Name" .value=${name} @input=${change(index, 0)} />
          <input aria-label="Value ${index + 1}" maxlength="200" placeholder="Value" .value=${value} @input=${change(index, 1)} />
          <button type="button" aria-label="Remove ${name || `label ${index + 1}`}" @click=${remove(index)}>Remove</button>
        </div>`,
      )}
      <div>${draft.metadata.length < 20 ? html`<button type="button" @click=${add}>Add a label</button>` : nothing}</div>
      ${error('metadata', problem)}
    </div>
  </details>`;
}
