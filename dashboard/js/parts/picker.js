/** Choosing event types: all, also future ones, or some of them, grouped by their first word. */

import { html, nothing } from '../../vendor/lit-html.js';

/**
 * @typedef {import('../api.js').Schemas['EventType']} EventType
 */

/**
 * @param {object} what
 * @param {EventType[]} what.types
 * @param {string[]} what.chosen `['*']` for all
 * @param {(chosen: string[]) => void} what.choose
 * @param {string} [what.error]
 * @param {string} [what.all] what choosing all means
 */
export function picker({ types, chosen, choose, error = '', all = 'Also those that are added later' }) {
  const every = chosen[0] === '*';
  return html`<fieldset aria-describedby="events-error">
    <legend>Event types</legend>
    <label class="choice"><input type="radio" name="which" .checked=${every} @change=${() => choose(['*'])} /><span>All event types<small>${all}</small></span></label>
    <label class="choice"><input type="radio" name="which" .checked=${!every} @change=${() => choose([])} /><span>Only some</span></label>
    ${every ? nothing : some(types, chosen, choose)}
    <p id="events-error" class="field-error" role="alert">${error ? problem(error, chosen) : nothing}</p>
  </fieldset>`;
}

/**
 * @param {EventType[]} types
 * @param {string[]} chosen
 * @param {(chosen: string[]) => void} choose
 */
function some(types, chosen, choose) {
  const all = [...groups(types, chosen)];
  if (all.length === 0) return html`<p class="soft">There are no event types yet.</p>`;
  return html`<div class="groups">${all.map(([name, members]) => group(name, members, chosen, choose))}</div>`;
}

/**
 * @param {string} error
 * @param {string[]} chosen
 */
function problem(error, chosen) {
  return chosen.length === 0 ? 'Choose at least one event type, or all of them.' : `This ${error}.`;
}

/**
 * Returns event types by the first word of their names; those that an endpoint has and the catalogue has not are there too.
 * @param {EventType[]} types
 * @param {string[]} chosen
 * @returns {Map<string, {name: string, description: string}[]>}
 */
export function groups(types, chosen = []) {
  /** @type {Map<string, {name: string, description: string}[]>} */
  const found = new Map();
  const gone = chosen.filter((name) => name !== '*' && !types.some((type) => type.name === name));
  for (const type of [...types, ...gone.map((name) => ({ name, description: 'No longer offered.' }))]) {
    const word = type.name.split('.')[0] ?? '';
    found.set(word, [...(found.get(word) ?? []), type]);
  }
  return found;
}

/**
 * @param {string} name
 * @param {{name: string, description: string}[]} members
 * @param {string[]} chosen
 * @param {(chosen: string[]) => void} choose
 */
function group(name, members, chosen, choose) {
  const names = members.map((member) => member.name);
  const count = names.filter((member) => chosen.includes(member)).length;
  const set = (/** @type {string[]} */ changed, /** @type {boolean} */ on) =>
    choose(on ? [...new Set([...chosen, ...changed])] : chosen.filter((other) => !changed.includes(other)));
  const checked = (/** @type {Event} */ event) => /** @type {HTMLInputElement} */ (event.target).checked;
  return html`<div role="group" aria-label=${name}>
    ${
      members.length > 1
        ? html`<label class="choice"><input type="checkbox" .checked=${count === names.length} .indeterminate=${count > 0 && count < names.length} @change=${(/** @type {Event} */ event) => set(names, checked(event))} /><b>All of ${name}</b></label>`
        : nothing
    }
    ${members.map(
      (member) =>
        html`<label class="choice ${members.length > 1 ? 'inner' : ''}"><input type="checkbox" .checked=${chosen.includes(member.name)} @change=${(/** @type {Event} */ event) => set([member.name], checked(event))} /><span><code>${member.name}</code><small>${member.description}</small></span></label>`,
    )}
  </div>`;
}
