/** One delivery: every attempt with what came back, what went wrong and what to do, when the next attempt is, and what was sent. */

import { html, nothing } from '../../vendor/lit-html.js';
import { call, textOf } from '../api.js';
import { crumbs, recall, remember } from '../parts/head.js';
import { fieldText, indented, readable } from '../parts/json.js';
import { asProblem, everySecond, follow } from '../parts/live.js';
import { signedRequest } from '../parts/snippets.js';
import { at, exact, number as figure, milliseconds, span, stamp, when } from '../parts/time.js';
import { badge, code, copyButton, explain, failing, icon, loading, say, sentence, stale } from '../parts/view.js';
import { advice, deliveryStatus, outcomeWord, shortUrl } from '../parts/words.js';
import { address } from '../route.js';
import { can } from '../session.js';

/**
 * @typedef {import('../api.js').Schemas} Schemas
 * @typedef {import('../api.js').Problem} Problem
 * @typedef {{delivery: Schemas['DeliveryWithAttempts'] | null, endpoint: Schemas['Endpoint'] | null, problem: Problem | null,
 *   refused: string, busy: boolean}} State
 */

/** @param {import('../app.js').Stage} stage */
export function open({ route, signal, paint }) {
  const ids = { id: route.params.endpoint ?? '', delivery_id: route.params.delivery ?? '' };
  /** @type {State} */
  const state = { delivery: null, endpoint: recall(ids.id), problem: null, refused: '', busy: false };
  const draw = () =>
    paint(
      state.delivery ? `${state.delivery.event} to ${state.endpoint ? shortUrl(state.endpoint) : ids.id}` : 'Delivery',
      view(state, ids.id, retry, live.now),
    );
  const retry = async () => {
    if (state.busy) return;
    Object.assign(state, { busy: true, refused: '' });
    draw();
    try {
      await call('post', '/{id}/deliveries/{delivery_id}/retry', { ids, signal });
      say('The retry is on its way');
    } catch (error) {
      if (signal.aborted) return;
      const problem = asProblem(error);
      state.refused =
        problem.status === 409 ? sentence(problem.message) : `${explain(problem).title}. ${explain(problem).text}`;
    }
    state.busy = false;
    live.now();
  };
  const live = follow({
    ask: () => call('get', '/{id}/deliveries/{delivery_id}', { ids, signal }),
    show: (delivery) => {
      tell(state.delivery, delivery);
      Object.assign(state, { delivery, problem: null });
      draw();
    },
    fail: (problem) => {
      state.problem = problem;
      draw();
    },
    pause,
    signal,
  });
  follow({
    ask: () => call('get', '/{id}', { ids: { id: ids.id }, signal }),
    show: (endpoint) => {
      state.endpoint = remember(endpoint);
      draw();
    },
    fail: () => {},
    pause: () => 30,
    signal,
  });
  everySecond(() => state.delivery?.next_attempt_at && draw(), signal);
  draw();
}

/**
 * Returns after how many seconds to ask again: soon while an attempt is under way, and when the next one is due.
 * @param {Schemas['Delivery']} delivery
 */
function pause({ status, next_attempt_at }) {
  if (status !== 'pending') return null;
  if (!next_attempt_at) return 1;
  return Math.min(15, Math.max(1, (Date.parse(next_attempt_at) - Date.now()) / 1000 + 1));
}

/**
 * Tells whoever does not look at the screen what has changed on it.
 * @param {Schemas['Delivery'] | null} before
 * @param {Schemas['Delivery']} after
 */
function tell(before, after) {
  if (!before || before.attempt_count === after.attempt_count) return;
  say(
    after.status === 'delivered'
      ? 'Delivered'
      : `The attempt failed: ${outcomeWord({ error: after.last_error, http_status: after.http_status }).toLowerCase()}`,
  );
}

/**
 * @param {State} state
 * @param {string} id of the endpoint
 * @param {() => void} retry
 * @param {() => void} again
 */
function view(state, id, retry, again) {
  const { delivery, endpoint, problem } = state;
  const name = endpoint ? shortUrl(endpoint) : 'Endpoint';
  const above = crumbs([
    [address('/endpoints'), 'Endpoints'],
    [address(`/endpoints/${id}`), name],
    [address(`/endpoints/${id}/deliveries`), 'Deliveries'],
  ]);
  if (!delivery || problem?.status === 404) {
    return html`${above}<h1 class="hidden">Delivery</h1>${problem ? failing(problem, again) : loading()}`;
  }
  return html`${above}
    <div class="head">
      <div>
        <h1>${delivery.event}</h1>
        <p>${badge(deliveryStatus(delivery))} ${delivery.test ? html`<span class="tag">test</span>` : nothing} <span>accepted ${when(delivery.created_at)}</span></p>
      </div>
    </div>
    ${stale(problem)}
    <div class="split">
      <div class="stack">
        ${verdict(state, retry)}
        <section class="card"><h2>Attempts</h2>${timeline(delivery, endpoint?.url ?? 'https://your-receiver/')}</section>
        ${endpoint ? request(delivery, endpoint) : nothing}
      </div>
      ${facts(delivery, id, name)}
    </div>`;
}

/**
 * Says how the delivery stands, and offers the next step.
 * @param {State} state
 * @param {() => void} retry
 */
function verdict({ delivery, endpoint, refused, busy }, retry) {
  if (!delivery) return nothing;
  const refusal = refused ? html`<p class="callout bad" role="alert">${refused}</p>` : nothing;
  if (delivery.status === 'delivered') {
    const tries = delivery.attempt_count === 1 ? 'at the first attempt' : `after ${delivery.attempt_count} attempts`;
    return html`${refusal}<div class="callout good"><b>Delivered ${tries}</b>The receiver answered ${delivery.http_status}${delivery.delivered_at ? html`, ${when(delivery.delivered_at)}` : nothing}.</div>`;
  }
  const last = delivery.attempts.at(-1);
  const why = last && endpoint ? advice(last, endpoint.url) : null;
  if (delivery.status === 'pending' && !delivery.next_attempt_at) {
    return html`${refusal}<div class="callout"><b>An attempt is under way</b>Its outcome appears here by itself.</div>`;
  }
  const disabled = endpoint !== null && !endpoint.enabled;
  const button =
    can('retry') && !disabled
      ? html`<button class="primary" aria-disabled=${busy} @click=${retry}>${busy ? 'Retrying…' : delivery.status === 'failed' ? 'Retry' : 'Retry now'}</button>`
      : nothing;
  const enable = disabled
    ? html`<a class="button" href=${address(`/endpoints/${endpoint?.id}`)}>The endpoint is disabled: look at it</a>`
    : nothing;
  const more =
    delivery.status === 'failed' && can('retry') && !delivery.test && !disabled
      ? html`<a class="button" href=${address(`/endpoints/${endpoint?.id}/recoveries`, { since: delivery.created_at })}>Resend everything that has failed since then…</a>`
      : nothing;
  return html`${refusal}<div class="callout ${delivery.status === 'failed' ? 'bad' : 'warn'}">
    <b>${why?.what ?? 'It has not arrived.'}</b>${why?.todo ?? ''}
    <p class="then">${delivery.status === 'failed' ? 'No further attempt is made by itself.' : html`The next attempt is made by itself, ${countdown(delivery.next_attempt_at ?? '')}.`}</p>
    <div class="actions">${button}${more}${enable}</div>
  </div>`;
}

/** @param {string} time */
function countdown(time) {
  const seconds = (Date.parse(time) - Date.now()) / 1000;
  return html`<time datetime=${time} title=${exact(time)}><strong>${seconds > 0 ? `in ${span(seconds)}` : 'any moment'}</strong></time>`;
}

/**
 * All attempts, newest first, below the one that is due.
 * @param {Schemas['DeliveryWithAttempts']} delivery
 * @param {string} url
 */
function timeline(delivery, url) {
  const { attempts, attempt_count, next_attempt_at, status } = delivery;
  const left = attempt_count - attempts.length;
  const numberOf = (/** @type {number} */ index) => (index === 0 ? 1 : index + 1 + left);
  const due = next_attempt_at
    ? html`<li><span class="dot warn">${icon('warn')}</span><div class="attempt-head"><b>Attempt ${attempt_count + 1}</b><span>${countdown(next_attempt_at)}</span><small>${at(next_attempt_at)}</small></div></li>`
    : status === 'pending'
      ? html`<li><span class="dot">${icon('calm')}</span><div class="attempt-head"><b>Attempt ${attempt_count + 1}</b><span>under way</span></div></li>`
      : nothing;
  if (attempts.length === 0 && due === nothing) return html`<p class="soft">None was made.</p>`;
  const shown = attempts
    .map((attempt, index) => ({ attempt, number: numberOf(index), before: attempts[index - 1] }))
    .reverse();
  return html`<ol class="line-of-time" reversed>
    ${due}
    ${shown.map(
      (
        { attempt, number, before },
        index,
      ) => html`${left > 0 && number === 1 ? html`<li><span class="dot">${icon('calm')}</span><p class="soft">${figure(left)} more, whose details are not kept.</p></li>` : nothing}
      ${entry(attempt, number, before && !(left > 0 && number === 2 + left) ? before : null, url, index === 0 && status !== 'delivered')}`,
    )}
  </ol>`;
}

/**
 * @param {Schemas['Attempt']} attempt
 * @param {number} number
 * @param {Schemas['Attempt'] | null} before
 * @param {string} url
 * @param {boolean} explained above already
 */
function entry(attempt, number, before, url, explained) {
  const why = advice(attempt, url);
  const waited = before ? (Date.parse(attempt.at) - Date.parse(before.at) - before.duration_ms) / 1000 : 0;
  return html`<li>
    <span class="dot ${why ? 'bad' : 'good'}">${icon(why ? 'bad' : 'good')}</span>
    <div class="attempt-head"><b>${outcomeWord(attempt) || 'Done'}</b><span class="soft">attempt ${number}, took ${milliseconds(attempt.duration_ms)}</span></div>
    <small>${at(attempt.at)}${waited >= 1 ? html`, ${span(waited)} after the one before` : nothing}</small>
    ${why && !explained ? html`<details><summary>Why, and what to do</summary><p>${why.what} ${why.todo}</p></details>` : nothing} ${answer(attempt, explained)}
  </li>`;
}

/** @type {WeakMap<object, any>} */
const texts = new WeakMap();

/**
 * Returns what is made of an answer, which is made once: the countdown draws all of it again every second.
 * @template T
 * @param {object} of
 * @param {() => T} make
 * @returns {T}
 */
function once(of, make) {
  if (!texts.has(of)) texts.set(of, make());
  return texts.get(of);
}

/**
 * @param {Schemas['Attempt']} attempt
 * @param {boolean} open
 */
function answer(attempt, open) {
  const { response_body, response_headers, http_status } = attempt;
  const headers = Object.entries(response_headers ?? {});
  if (!response_body && headers.length === 0)
    return http_status === null ? nothing : html`<small class="block">No body.</small>`;
  const text = once(attempt, () => {
    const lines = headers.map(([name, value]) => `${name}: ${value}`).join('\n');
    return [lines, response_body ? readable(response_body) : ''].filter(Boolean).join('\n\n');
  });
  return html`<details ?open=${open}><summary>What the receiver answered</summary>${code(text, 'the answer')}</details>`;
}

/**
 * The request as it was sent; its signature is another one at each attempt.
 * @param {Schemas['DeliveryWithAttempts']} delivery
 * @param {Schemas['Endpoint']} endpoint
 */
function request(delivery, { url }) {
  const { body, lines } = once(delivery, () => {
    const body = delivery.payload ? fieldText(textOf(delivery), 'payload') : null;
    return { body, lines: body === null ? '' : indented(body) };
  });
  if (body === null)
    return html`<section class="card"><h2>Request</h2><p class="soft">The event is no longer kept, so it can't be shown or sent again.</p></section>`;
  const headers = `POST ${url}\ncontent-type: application/json\nwebhook-id: ${delivery.event_id}\nwebhook-timestamp: (seconds, of each attempt)\nwebhook-signature: v1,(of each attempt)`;
  return html`<section class="card">
    <div class="title-line"><h2>Request</h2>${copyButton(signedRequest(url, delivery.event_id, body), 'the request as a curl command', 'Copy as curl')}</div>
    <div class="stack tight">${code(headers, 'the headers')} ${code(lines, 'the body')}</div>
    <p class="fine note">The body is indented here; it was sent as the producer wrote it.</p>
    ${copyButton(body, 'the body as it was sent', 'Copy the body as sent')}
  </section>`;
}

/**
 * @param {Schemas['Delivery']} delivery
 * @param {string} id
 * @param {string} name
 */
function facts(delivery, id, name) {
  return html`<section class="card">
    <h2>Details</h2>
    <dl class="facts">
      <div><dt>Endpoint</dt><dd><a href=${address(`/endpoints/${id}`)}>${name}</a></dd></div>
      <div><dt>Event</dt><dd class="with-copy"><a href=${address(`/events/${delivery.event_id}`)}><code>${delivery.event_id}</code></a>${copyButton(delivery.event_id, 'the id of the event')}</dd></div>
      <div><dt>Delivery</dt><dd class="with-copy"><code>${delivery.id}</code>${copyButton(delivery.id, 'the id of the delivery')}</dd></div>
      <div><dt>Accepted</dt><dd>${stamp(delivery.created_at)}</dd></div>
      <div><dt>Attempts</dt><dd>${delivery.attempt_count}</dd></div>
      ${delivery.delivered_at ? html`<div><dt>Delivered</dt><dd>${stamp(delivery.delivered_at)}</dd></div>` : nothing}
      ${delivery.next_attempt_at ? html`<div><dt>Next attempt</dt><dd>${stamp(delivery.next_attempt_at)}</dd></div>` : nothing}
    </dl>
  </section>`;
}
