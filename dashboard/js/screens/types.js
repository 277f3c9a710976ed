/** The catalogue: what can be subscribed to, with a sample of each. */

import { html, nothing } from '../../vendor/lit-html.js';
import { call } from '../api.js';
import { indented } from '../parts/json.js';
import { follow } from '../parts/live.js';
import { groups } from '../parts/picker.js';
import { code, empty, failing, loading } from '../parts/view.js';
import { address } from '../route.js';

/**
 * @typedef {import('../api.js').Schemas['EventType']} EventType
 * @typedef {{types: EventType[] | null, problem: import('../api.js').Problem | null}} State
 */

/** From how many event types on there is a field to search them. */
const MANY = 12;

/** @param {import('../app.js').Stage} stage */
export function open({ route, signal, again, paint, go }) {
  /** @type {State} */
  const state = { types: null, problem: null };
  const wanted = route.query.get('q') ?? '';
  const draw = () => paint('Event types', view(state, wanted, go, live.now));
  const live = follow({
    ask: () => call('get', '/event-types', { signal }),
    show: ({ data }) => {
      Object.assign(state, { types: data, problem: null });
      draw();
    },
    fail: (problem) => {
      state.problem = problem;
      draw();
    },
    signal,
  });
  if (!again) draw();
}

/**
 * @param {State} state
 * @param {string} wanted
 * @param {(address: string, how?: {replace: boolean}) => void} go
 * @param {() => void} retry
 */
function view({ types, problem }, wanted, go, retry) {
  const search = (/** @type {Event} */ event) =>
    go(address('/event-types', { q: /** @type {HTMLInputElement} */ (event.target).value.trim() }), { replace: true });
  const field =
    (types?.length ?? 0) > MANY
      ? html`<div class="field search"><label class="hidden" for="type-search">Search</label><input id="type-search" type="search" placeholder="Search" .value=${wanted} @change=${search} /></div>`
      : nothing;
  return html`<div class="head"><div><h1>Event types</h1><p>What happens, and what you are sent when it does.</p></div>${field}</div>
    ${content(types, problem, wanted, retry)}`;
}

/**
 * @param {EventType[] | null} types
 * @param {State['problem']} problem
 * @param {string} wanted
 * @param {() => void} retry
 */
function content(types, problem, wanted, retry) {
  if (!types) return problem ? failing(problem, retry) : loading();
  const found = types.filter(({ name, description }) =>
    `${name} ${description}`.toLowerCase().includes(wanted.toLowerCase()),
  );
  if (types.length === 0) return empty('There are no event types', 'Whoever runs this has not set any up yet.');
  if (found.length === 0)
    return empty(
      'Nothing matches',
      `No event type contains “${wanted}”.`,
      html`<a class="button" href=${address('/event-types')}>Show all</a>`,
    );
  return html`<div class="stack">${[...groups(found)].map(
    ([word, members]) => html`<section class="card" aria-label=${word}>
      ${members.map(({ name, description }) => {
        const sample = found.find((type) => type.name === name)?.sample;
        return html`<div class="type">
          <div class="title-line"><h2><code>${name}</code></h2><a href=${address('/deliveries', { event: name })}>Deliveries<span class="hidden"> of ${name}</span></a></div>
          <p>${description}</p>
          <details><summary>Sample<span class="hidden"> of ${name}</span></summary>${code(indented(JSON.stringify(sample)), `the sample of ${name}`)}</details>
        </div>`;
      })}
    </section>`,
  )}</div>`;
}
