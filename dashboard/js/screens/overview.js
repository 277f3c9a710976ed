/** One endpoint: how it is and what to do about it, what the last hours or days brought, and what came last. */

import { html, nothing } from '../../vendor/lit-html.js';
import { call } from '../api.js';
import { answerTimes, numbers, outcomes } from '../parts/chart.js';
import { endpointScreen } from '../parts/endpoint.js';
import { count, MORE_SECONDS, sums } from '../parts/figures.js';
import { asProblem, follow } from '../parts/live.js';
import { deliveryTable } from '../parts/rows.js';
import { milliseconds, number, percent, when } from '../parts/time.js';
import { copyButton, empty, explain, failing, loading, say, stale } from '../parts/view.js';
import { healthAdvice, outcomeWord, reasonName } from '../parts/words.js';
import { address } from '../route.js';
import { can } from '../session.js';

/**
 * @typedef {import('../api.js').Schemas} Schemas
 * @typedef {{buckets: Schemas['Statistics'][] | null, complete: boolean, problem: import('../api.js').Problem | null}} Figures
 * @typedef {{list: Schemas['DeliveryList'] | null, problem: import('../api.js').Problem | null}} Latest
 */

/** @type {Record<string, {name: string, hours: number, size: 'hour' | 'day'}>} */
const RANGES = {
  '24h': { name: '24 hours', hours: 24, size: 'hour' },
  '7d': { name: '7 days', hours: 7 * 24, size: 'hour' },
  '30d': { name: '30 days', hours: 30 * 24, size: 'day' },
};

/** @param {import('../app.js').Stage} stage */
export function open(stage) {
  const { route, signal } = stage;
  const chosen = route.query.get('range') ?? '';
  const key = chosen in RANGES ? chosen : '24h';
  const range = /** @type {typeof RANGES[string]} */ (RANGES[key]);
  /** @type {Figures} */
  const figures = { buckets: null, complete: true, problem: null };
  /** @type {Latest} */
  const latest = { list: null, problem: null };
  const screen = endpointScreen(
    stage,
    '',
    '',
    (endpoint) => html`<div class="stack">
    ${state(endpoint, latest, enable)} ${figuresCard(endpoint, figures, key, live.now)}
    <div class="split">${latestCard(endpoint, latest, recent.now)} <div class="stack">${reasonsCard(figures, range)} ${factsCard(endpoint)}</div></div>
  </div>`,
    () => figures.buckets !== null || figures.problem !== null,
  );
  const enable = async () => {
    try {
      screen.set(await call('patch', '/{id}', { ids: { id: screen.id }, body: { enabled: true }, signal }));
      say('The endpoint is enabled');
    } catch (error) {
      if (!signal.aborted) say(explain(asProblem(error)).title);
    }
  };
  const live = follow({
    ask: () => {
      const to = new Date();
      return count(
        screen.id,
        new Date(to.getTime() - (range.hours - (range.size === 'hour' ? 1 : 24)) * 3_600_000),
        to,
        range.size,
        signal,
      );
    },
    show: ({ buckets, complete }) => {
      Object.assign(figures, { buckets, complete, problem: null });
      screen.draw();
    },
    fail: (problem) => {
      figures.problem = problem;
      screen.draw();
    },
    pause: ({ complete }) => (complete ? 60 : MORE_SECONDS),
    signal,
  });
  const recent = follow({
    ask: () => call('get', '/{id}/deliveries', { ids: { id: screen.id }, query: { per_page: 6 }, signal }),
    show: (list) => {
      Object.assign(latest, { list, problem: null });
      screen.draw();
    },
    fail: (problem) => {
      latest.problem = problem;
      screen.draw();
    },
    pause: () => 10,
    signal,
  });
}

/**
 * Says what the endpoint's state means, and offers what to do next; nothing while it is healthy.
 * @param {Schemas['Endpoint']} endpoint
 * @param {Latest} latest
 * @param {() => void} enable
 */
function state(endpoint, { list }, enable) {
  if (endpoint.health.state === 'healthy') return nothing;
  const { what, todo } = healthAdvice(endpoint);
  const base = `/endpoints/${endpoint.id}`;
  const failed = list?.data.find(({ last_error }) => last_error !== null);
  return html`<div class="callout ${endpoint.enabled ? 'bad' : ''}">
    <b>${what}${endpoint.enabled && failed ? ` Last: ${outcomeWord({ error: failed.last_error, http_status: failed.http_status }).toLowerCase()}.` : ''}</b>${todo}
    <div class="actions">
      ${!endpoint.enabled && can('write') ? html`<button class="primary" @click=${enable}>Enable the endpoint</button>` : nothing}
      ${failed && endpoint.enabled ? html`<a class="button" href=${address(`${base}/deliveries/${failed.id}`)}>Look at the last failure</a>` : nothing}
    </div>
  </div>`;
}

/**
 * @param {Schemas['Endpoint']} endpoint
 * @param {Figures} figures
 * @param {string} key of the range
 * @param {() => void} retry
 */
function figuresCard({ id }, { buckets, complete, problem }, key, retry) {
  const { size } = /** @type {typeof RANGES[string]} */ (RANGES[key]);
  const choice = html`<div class="switch" role="group" aria-label="Time">
    ${Object.entries(RANGES).map(([name, { name: text }]) => html`<a href=${address(`/endpoints/${id}`, { range: name === '24h' ? '' : name })} aria-current=${name === key ? 'true' : nothing}>${text}</a>`)}
  </div>`;
  const content = () => {
    if (!buckets) return problem ? failing(problem, retry) : loading(3);
    const all = sums(buckets);
    if (all.deliveries === 0)
      return html`<div class="card">${empty('Nothing was sent in this time', 'Choose a longer time, or send a test event.')}</div>`;
    return html`${stale(problem)} ${complete ? nothing : html`<p class="callout" role="status">Still counting; more appears by itself.</p>`} ${totals(all, size)}
      <div class="card">${outcomes(buckets, size)} ${all.p50 === null ? nothing : answerTimes(buckets, size)} ${numbers(buckets, size)}</div>`;
  };
  return html`<section class="stack" aria-label="Figures"><div class="title-line"><h2>The last ${RANGES[key]?.name}</h2>${choice}</div>${content()}</section>`;
}

/**
 * @param {import('../parts/figures.js').Sums} all
 * @param {'hour' | 'day'} size
 */
function totals(all, size) {
  const time = (/** @type {number | null} */ ms) => (ms === null ? '–' : milliseconds(ms));
  return html`<dl class="figures-row">
    <div><dt>Events</dt><dd>${number(all.deliveries)}</dd></div>
    <div><dt>Delivered</dt><dd>${percent(all.delivered, all.deliveries)}<small>${outcome(all)}</small></dd></div>
    <div><dt>At the first attempt</dt><dd>${all.attempted ? percent(all.succeeded, all.attempted) : '–'}<small>${all.attempted ? `${number(all.succeeded)} of ${number(all.attempted)}` : ''}</small></dd></div>
    <div><dt>Half answered within, in the slowest ${size}</dt><dd>${time(all.p50)}<small>${all.p95 === null ? '' : `95 % in ${time(all.p95)}, 99 % in ${time(all.p99)}`}</small></dd></div>
  </dl>`;
}

/** @param {import('../parts/figures.js').Sums} all */
function outcome({ failed, pending, deliveries }) {
  const parts = [failed > 0 && `${number(failed)} failed`, pending > 0 && `${number(pending)} being retried`].filter(
    Boolean,
  );
  return parts.join(', ') || (deliveries > 0 ? 'none failed' : '');
}

/**
 * @param {Schemas['Endpoint']} endpoint
 * @param {Latest} latest
 * @param {() => void} retry
 */
function latestCard({ id }, { list, problem }, retry) {
  const base = `/endpoints/${id}/deliveries`;
  const content = () => {
    if (!list) return problem ? failing(problem, retry) : loading(3);
    if (list.meta.total === 0) {
      const test = can('retry')
        ? html`<a class="button" href=${address(`/endpoints/${id}/test`)}>Send a test event</a>`
        : nothing;
      return empty('Nothing has been sent yet', 'Events appear here after their first attempt.', test);
    }
    return deliveryTable('Latest deliveries', list.data, { endpoint: id });
  };
  return html`<section class="card latest"><div class="title-line"><h2>Latest deliveries</h2>${list?.meta.total ? html`<a href=${address(base)}>All ${number(list.meta.total)}</a>` : nothing}</div>${content()}</section>`;
}

/**
 * @param {Figures} figures
 * @param {{name: string}} range
 */
function reasonsCard({ buckets }, { name }) {
  if (!buckets) return nothing;
  const { reasons } = sums(buckets);
  if (reasons.length === 0) return nothing;
  const most = reasons[0]?.[1] ?? 1;
  return html`<section class="card">
    <h2>Why first attempts failed</h2>
    <ul class="reasons">${reasons.map(([reason, times]) => html`<li><span>${reasonName(reason)}</span><b>${number(times)}</b><progress class="warn" aria-hidden="true" max=${most} value=${times}></progress></li>`)}</ul>
    <p class="fine note">In the last ${name}; most of them succeed later.</p>
  </section>`;
}

/** @param {Schemas['Endpoint']} endpoint */
function factsCard({ id, url, events, created_at, updated_at, metadata }) {
  return html`<section class="card">
    <h2>Details</h2>
    <dl class="facts">
      <div><dt>Id</dt><dd class="with-copy"><code>${id}</code>${copyButton(id, 'the id')}</dd></div>
      <div><dt>URL</dt><dd class="with-copy"><code>${url}</code>${copyButton(url, 'the URL')}</dd></div>
      <div><dt>Event types</dt><dd>${events[0] === '*' ? 'All, also those that are added later' : html`<ul>${events.map((name) => html`<li><code>${name}</code></li>`)}</ul>`}</dd></div>
      ${Object.entries(metadata ?? {}).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
      <div><dt>Added</dt><dd>${when(created_at)}</dd></div>
      ${updated_at === created_at ? nothing : html`<div><dt>Last changed</dt><dd>${when(updated_at)}</dd></div>`}
    </dl>
  </section>`;
}
