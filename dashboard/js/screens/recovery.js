/** One recovery, while it goes on and after: how far it is, what pauses it, and how to end it. */

import { html, nothing } from '../../vendor/lit-html.js';
import { call } from '../api.js';
import { confirm } from '../parts/dialog.js';
import { crumbs, recall, remember } from '../parts/head.js';
import { follow } from '../parts/live.js';
import { bar, includeName, recoveryStatus, standing } from '../parts/progress.js';
import { number, percent, stamp, when } from '../parts/time.js';
import { badge, copyButton, failing, loading, say, stale } from '../parts/view.js';
import { shortUrl } from '../parts/words.js';
import { address } from '../route.js';
import { can } from '../session.js';

/**
 * @typedef {import('../api.js').Schemas['Recovery']} Recovery
 * @typedef {{recovery: Recovery | null, endpoint: import('../api.js').Schemas['Endpoint'] | null, problem: import('../api.js').Problem | null}} State
 */

/** @param {import('../app.js').Stage} stage */
export function open({ route, signal, paint }) {
  const ids = { id: route.params.endpoint ?? '', recovery_id: route.params.recovery ?? '' };
  /** @type {State} */
  const state = { recovery: null, endpoint: recall(ids.id), problem: null };
  const draw = () => paint('Recovery', view(state, ids.id, cancel, live.now));
  const cancel = async () => {
    const ended = await confirm(
      {
        title: 'Cancel this recovery?',
        text: html`<p>What has not been sent stays as it is. Up to 100 deliveries that are on their way may still arrive. You can start another recovery for the rest.</p>`,
        yes: 'Cancel the recovery',
        doing: 'Cancelling…',
        no: 'Let it go on',
        danger: true,
      },
      signal,
      () => call('post', '/{id}/recoveries/{recovery_id}/cancel', { ids, signal }),
    );
    if (!ended) return;
    say('The recovery is cancelled');
    live.now();
  };
  const live = follow({
    ask: () => call('get', '/{id}/recoveries/{recovery_id}', { ids, signal }),
    show: (recovery) => {
      if (state.recovery && state.recovery.status !== recovery.status)
        say(`The recovery: ${recoveryStatus(recovery).text.toLowerCase()}`);
      Object.assign(state, { recovery, problem: null });
      draw();
    },
    fail: (problem) => {
      state.problem = problem;
      draw();
    },
    pause: ({ status, finished_at }) => (finished_at ? null : status === 'paused' ? 5 : 2),
    signal,
  });
  follow({
    ask: () => call('get', '/{id}', { ids: { id: ids.id }, signal }),
    show: (endpoint) => {
      state.endpoint = remember(endpoint);
      draw();
    },
    fail: () => {},
    signal,
  });
  draw();
}

/**
 * @param {State} state
 * @param {string} id
 * @param {() => void} cancel
 * @param {() => void} again
 */
function view({ recovery, endpoint, problem }, id, cancel, again) {
  const name = endpoint ? shortUrl(endpoint) : 'Endpoint';
  const above = crumbs([
    [address('/endpoints'), 'Endpoints'],
    [address(`/endpoints/${id}`), name],
    [address(`/endpoints/${id}/recoveries`), 'Recover'],
  ]);
  if (!recovery || problem?.status === 404)
    return html`${above}<h1 class="hidden">Recovery</h1>${problem ? failing(problem, again) : loading(3)}`;
  const going = recovery.finished_at === null;
  return html`${above}
    <div class="head">
      <div><h1>${going ? 'Sending again' : 'Sent again'}: ${includeName(recovery).toLowerCase()}</h1><p>${badge(recoveryStatus(recovery))} <span>to ${name}, started ${when(recovery.started_at)}</span></p></div>
      ${going && can('retry') ? html`<div class="actions"><button @click=${cancel}>Cancel…</button></div>` : nothing}
    </div>
    ${stale(problem)}
    <div class="stack">
      <section class="card">
        <div class="title-line"><h2>${recovery.total === null ? 'Counting' : `${number(recovery.retried)} of ${number(recovery.total)} sent`}</h2>${recovery.total ? html`<b>${percent(recovery.retried, recovery.total)}</b>` : nothing}</div>
        ${bar(recovery)}
        <p class="note">${standing(recovery)}</p>
      </section>
      <dl class="figures-row">
        <div><dt>Delivered</dt><dd>${number(recovery.delivered)}</dd></div>
        <div><dt>Failed</dt><dd>${number(recovery.failed)}</dd></div>
        <div><dt>${recovery.status === 'paused' ? 'Waiting' : 'On their way'}</dt><dd>${number(going ? Math.max(0, recovery.retried - recovery.delivered - recovery.failed) : 0)}</dd></div>
        <div><dt>To go</dt><dd>${recovery.total === null ? '–' : number(going ? Math.max(0, recovery.total - recovery.retried) : 0)}</dd></div>
      </dl>
      ${next(recovery, id)} ${facts(recovery)}
    </div>`;
}

/**
 * @param {Recovery} recovery
 * @param {string} id
 */
function next({ status, failed, since, until }, id) {
  const deliveries = address(`/endpoints/${id}/deliveries`, { status: 'failed', from: since, to: until });
  if (status === 'paused') {
    return html`<div class="callout warn"><b>Repair the receiver; this goes on by itself then.</b>The failed deliveries say what it answered.
      <div class="actions"><a class="button" href=${deliveries}>Look at what failed</a>${can('retry') ? html`<a class="button" href=${address(`/endpoints/${id}/test`)}>Send a test event</a>` : nothing}</div></div>`;
  }
  if (failed > 0) return html`<p><a class="button" href=${deliveries}>Look at what failed</a></p>`;
  return nothing;
}

/** @param {Recovery} recovery */
function facts(recovery) {
  return html`<section class="card">
    <h2>Details</h2>
    <dl class="facts columns">
      <div><dt>Accepted from</dt><dd>${stamp(recovery.since)}</dd></div>
      <div><dt>Until</dt><dd>${stamp(recovery.until)}</dd></div>
      <div><dt>Event types</dt><dd>${recovery.events[0] === '*' ? 'All' : recovery.events.join(', ')}</dd></div>
      <div><dt>Pace</dt><dd>${number(recovery.per_second)} a second</dd></div>
      ${recovery.finished_at ? html`<div><dt>Ended</dt><dd>${stamp(recovery.finished_at)}</dd></div>` : nothing}
      <div><dt>Id</dt><dd class="with-copy"><code>${recovery.id}</code>${copyButton(recovery.id, 'the id')}</dd></div>
    </dl>
  </section>`;
}
