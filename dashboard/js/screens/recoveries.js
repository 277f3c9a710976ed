/** Sending again what an endpoint did not get: a form that starts a recovery, and those that were started before. */

import { html, nothing } from '../../vendor/lit-html.js';
import { call } from '../api.js';
import { endpointScreen } from '../parts/endpoint.js';
import { asProblem, follow } from '../parts/live.js';
import { changed as changes } from '../parts/news.js';
import { picker } from '../parts/picker.js';
import { bar, includeName, recoveryStatus } from '../parts/progress.js';
import { at, FIRST, fromField, LAST, number, rfc3339, span, toField } from '../parts/time.js';
import { badge, empty, explain, failing, loading, pages, say, sentence, stale, table, tell } from '../parts/view.js';
import { address } from '../route.js';
import { can } from '../session.js';

/**
 * @typedef {import('../api.js').Schemas} Schemas
 * @typedef {import('../api.js').Problem} Problem
 * @typedef {{include: 'failed' | 'missing', since: string, until: string, events: string[], perSecond: number}} Draft
 * @typedef {{draft: Draft, list: Schemas['RecoveryList'] | null, problem: Problem | null, refused: Problem | null, busy: boolean,
 *   types: Schemas['EventType'][], found: {failed: number, pending: number} | null}} State
 */

const HOUR = 3_600_000;

/** @type {ReadonlyArray<readonly [name: string, ms: number]>} */
const PRESETS = [
  ['Last hour', HOUR],
  ['Last 24 hours', 24 * HOUR],
  ['Last 7 days', 7 * 24 * HOUR],
];

/**
 * Returns a time of the address; empty if there is none.
 * @param {URLSearchParams} query
 * @param {string} name
 */
function timeIn(query, name) {
  const time = query.get(name) ?? '';
  return Number.isNaN(Date.parse(time)) ? '' : time;
}

/** @param {import('../app.js').Stage} stage */
export function open(stage) {
  const { route, signal, go } = stage;
  const { query } = route;
  const page = Number(query.get('page')) || 1;
  /** @type {State} */
  const state = {
    draft: {
      include: query.get('include') === 'missing' ? 'missing' : 'failed',
      since: timeIn(query, 'since') || rfc3339(Date.now() - 7 * 24 * HOUR),
      until: timeIn(query, 'until'),
      events: ['*'],
      perSecond: 20,
    },
    list: null,
    problem: null,
    refused: null,
    busy: false,
    types: [],
    found: null,
  };
  const id = route.params.endpoint ?? '';
  const start = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (state.busy) return;
    state.busy = true;
    screen.draw();
    const { include, since, until, events, perSecond } = state.draft;
    try {
      const body = { include, since, events, per_second: perSecond, ...(until ? { until } : {}) };
      const recovery = await call('post', '/{id}/recoveries', { ids: { id }, body, signal });
      say('The recovery has started');
      go(address(`/endpoints/${id}/recoveries/${recovery.id}`));
    } catch (error) {
      if (signal.aborted) return;
      Object.assign(state, { busy: false, refused: asProblem(error) });
      screen.draw();
    }
  };
  const changed = () => {
    state.found = null;
    screen.draw();
    clearTimeout(wait);
    wait = setTimeout(counted.now, 400);
  };
  let wait = 0;
  const screen = endpointScreen(
    stage,
    'recoveries',
    'Recover',
    (endpoint) => html`<div class="stack">
    ${can('retry') ? starter(endpoint, state, changed, start) : nothing} ${past(id, state, live.now)}
  </div>`,
  );
  const live = follow({
    ask: () => call('get', '/{id}/recoveries', { ids: { id }, query: { page, per_page: 20 }, signal }),
    show: (list) => {
      const news = changes(state.list?.data ?? [], list.data, ({ status }) => status);
      tell(news.map((recovery) => `A recovery: ${recoveryStatus(recovery).text}`).join('. '));
      Object.assign(state, { list, problem: null });
      screen.draw();
    },
    fail: (problem) => {
      state.problem = problem;
      screen.draw();
    },
    pause: ({ data }) => (data.some(({ finished_at }) => finished_at === null) ? 3 : 30),
    signal,
  });
  const counted = follow({
    ask: () => (can('retry') ? preview(id, state.draft, signal) : Promise.resolve(null)),
    show: (found) => {
      state.found = found;
      screen.draw();
    },
    fail: () => (state.found = null),
    signal,
  });
  follow({
    ask: () => call('get', '/event-types', { signal }),
    show: ({ data }) => {
      state.types = data;
      screen.draw();
    },
    fail: () => {},
    signal,
  });
}

/**
 * Counts what a recovery of failed deliveries would send, and what it would leave alone; `null` where it can't be known before.
 * @param {string} id
 * @param {Draft} draft
 * @param {AbortSignal} signal
 */
async function preview(id, { include, since, until, events }, signal) {
  if (include !== 'failed' || events[0] !== '*' || !since) return null;
  const total = async (/** @type {'failed' | 'pending'} */ status) => {
    const query = { status, from: since, ...(until ? { to: until } : {}), per_page: 1 };
    return (await call('get', '/{id}/deliveries', { ids: { id }, query, signal })).meta.total;
  };
  const [failed, pending] = await Promise.all([total('failed'), total('pending')]);
  return { failed, pending };
}

/**
 * @param {Schemas['Endpoint']} endpoint
 * @param {State} state
 * @param {() => void} changed
 * @param {(event: SubmitEvent) => void} start
 */
function starter(endpoint, state, changed, start) {
  if (!endpoint.enabled) {
    return html`<div class="callout"><b>The endpoint is disabled, so nothing can be sent again.</b>Enable it first; what failed and what it missed is kept meanwhile.
      <div class="actions"><a class="button" href=${address(`/endpoints/${endpoint.id}`)}>Look at the endpoint</a></div></div>`;
  }
  const running = state.list?.data.find(({ finished_at }) => finished_at === null);
  if (running) {
    return html`<div class="callout"><b>A recovery is under way.</b>Another one can start when it has ended.
      <div class="actions"><a class="button primary" href=${address(`/endpoints/${endpoint.id}/recoveries/${running.id}`)}>Follow it</a></div></div>`;
  }
  return html`<form class="card form" @submit=${start}>
    <div><h2>Send again</h2><p class="soft">After an outage: everything of a time, at a pace that your receiver can take. New events are still sent in the meantime, and may arrive first.</p></div>
    ${what(state.draft, changed)} ${time(endpoint, state, changed)}
    <details><summary>Only some event types</summary>${picker({
      types: state.types,
      chosen: state.draft.events,
      choose: (events) => {
        state.draft.events = events;
        changed();
      },
      all: 'Everything that the endpoint subscribes to',
      error: state.refused?.field('events'),
    })}</details>
    ${pace(state.draft, changed)} ${expectation(state)} ${refusal(endpoint.id, state.refused)}
    <div class="actions"><button class="primary" aria-disabled=${state.busy}>${state.busy ? 'Starting…' : 'Start sending'}</button></div>
  </form>`;
}

/**
 * @param {Draft} draft
 * @param {() => void} changed
 */
function what(draft, changed) {
  const choose = (/** @type {Draft['include']} */ include) => () => {
    draft.include = include;
    changed();
  };
  return html`<fieldset>
    <legend>What</legend>
    <label class="choice"><input type="radio" name="include" .checked=${draft.include === 'failed'} @change=${choose('failed')} /><span>What failed<small>Deliveries whose attempts are used up. What is still being retried is left alone.</small></span></label>
    <label class="choice"><input type="radio" name="include" .checked=${draft.include === 'missing'} @change=${choose('missing')} /><span>What was never sent<small>Events that the endpoint subscribes to now and did not get, because it was disabled or not subscribed then.</small></span></label>
  </fieldset>`;
}

/**
 * @param {Schemas['Endpoint']} endpoint
 * @param {State} state
 * @param {() => void} changed
 */
function time(endpoint, { draft, refused }, changed) {
  const set =
    (/** @type {string} */ since, /** @type {string} */ until = '') =>
    () => {
      Object.assign(draft, { since, until });
      changed();
    };
  const type = (/** @type {'since' | 'until'} */ name) => (/** @type {Event} */ event) => {
    const { value, validity } = /** @type {HTMLInputElement} */ (event.target);
    if (!validity.valid) return;
    draft[name] = fromField(value);
    changed();
  };
  const field = (/** @type {'since' | 'until'} */ name, /** @type {string} */ label) => html`<div class="field">
    <label for=${name}>${label}</label>
    <input id=${name} type="datetime-local" step="1" min=${FIRST} max=${LAST} ?required=${name === 'since'} .value=${toField(draft[name])} @change=${type(name)} aria-describedby="${name}-error" aria-invalid=${refused?.field(name) !== undefined} />
    <p id="${name}-error" class="field-error" role="alert">${refused?.field(name) ? `This ${refused.field(name)}.` : nothing}</p>
  </div>`;
  const { since } = endpoint.health;
  return html`<fieldset>
    <legend>Accepted</legend>
    <div class="actions presets">
      ${PRESETS.map(([name, ms]) => html`<button type="button" @click=${() => set(rfc3339(Date.now() - ms))()}>${name}</button>`)}
      ${endpoint.health.state === 'failing' && since ? html`<button type="button" @click=${set(since)}>Since it began to fail</button>` : nothing}
    </div>
    <div class="pair-of-fields">${field('since', 'From')} ${field('until', 'Until (now, if empty)')}</div>
  </fieldset>`;
}

/**
 * @param {Draft} draft
 * @param {() => void} changed
 */
function pace(draft, changed) {
  const set = (/** @type {Event} */ event) => {
    draft.perSecond = Number(/** @type {HTMLInputElement} */ (event.target).value) || draft.perSecond;
    changed();
  };
  return html`<div class="field narrow">
    <label for="pace">Pace, in deliveries a second</label>
    <input id="pace" type="number" min="1" max="200" step="1" required .value=${String(draft.perSecond)} @change=${set} />
    <p class="hint">1,000 take about ${span(1000 / draft.perSecond)}. If the receiver fails again, sending pauses by itself.</p>
  </div>`;
}

/** @param {State} state */
function expectation({ draft, found }) {
  if (draft.include === 'missing')
    return html`<p class="callout">How many these are is counted when it starts, which takes about half a minute.</p>`;
  if (!found) return nothing;
  const retried = `${found.pending === 1 ? 'is' : 'are'} being retried by ${found.pending === 1 ? 'itself' : 'themselves'}, and left alone.`;
  const alone = found.pending > 0 ? ` ${number(found.pending)} more ${retried}` : '';
  if (found.failed === 0)
    return html`<p class="callout" role="status"><b>Nothing failed in this time.</b>${found.pending > 0 ? `${number(found.pending)} ${retried}` : 'Choose a longer one.'}</p>`;
  return html`<p class="callout" role="status"><b>${number(found.failed)} ${found.failed === 1 ? 'delivery' : 'deliveries'}, in about ${span(Math.max(1, found.failed / draft.perSecond))}.</b>Each gets one further attempt; test events get none.${alone}</p>`;
}

/**
 * @param {string} id
 * @param {Problem | null} problem
 */
function refusal(id, problem) {
  if (!problem) return nothing;
  const other = problem.body.recovery_id;
  if (other)
    return html`<p class="callout bad" role="alert">A recovery is under way already. <a href=${address(`/endpoints/${id}/recoveries/${other}`)}>Follow it</a></p>`;
  if (problem.status === 422)
    return html`<p class="callout bad" role="alert">Some fields are not right yet; each says why.</p>`;
  const text =
    problem.status === 409 ? sentence(problem.message) : `${explain(problem).title}. ${explain(problem).text}`;
  return html`<p class="callout bad" role="alert">${text}</p>`;
}

/**
 * @param {string} id
 * @param {State} state
 * @param {() => void} retry
 */
function past(id, { list, problem }, retry) {
  if (!list) return problem ? failing(problem, retry) : loading(3);
  if (list.meta.total === 0)
    return can('retry')
      ? nothing
      : empty('No recoveries yet', 'When what failed is sent again, you can follow it here.');
  return html`<section class="stack tight" aria-label="Recoveries"><h2>Recoveries</h2>
    ${stale(problem)}
    ${table(
      'Recoveries',
      [
        {
          label: 'Started',
          kind: 'main time',
          cell: (recovery) =>
            html`<a class="row" href=${address(`/endpoints/${id}/recoveries/${recovery.id}`)}>${at(recovery.started_at)}</a><small class="block">${includeName(recovery)}</small>`,
        },
        { label: 'State', cell: (recovery) => badge(recoveryStatus(recovery)) },
        {
          label: 'Accepted between',
          cell: ({ since, until }) => html`${at(since)} <small class="block">and ${at(until)}</small>`,
        },
        {
          label: 'Sent',
          kind: 'wide',
          cell: (recovery) =>
            html`${bar(recovery)}<small class="block">${number(recovery.retried)} of ${recovery.total === null ? '…' : number(recovery.total)}</small>`,
        },
        { label: 'Delivered', kind: 'num', cell: ({ delivered }) => number(delivered) },
        { label: 'Failed', kind: 'num', cell: ({ failed }) => number(failed) },
      ],
      list.data,
    )}
    ${pages(list.meta, (page) => address(`/endpoints/${id}/recoveries`, { page }))}
  </section>`;
}
