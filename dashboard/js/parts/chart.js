/** Charts of deliveries, drawn as SVG; each comes with its numbers in words or as a table, for whoever can't see it. */

import { html, nothing, svg } from '../../vendor/lit-html.js';
import { at, brief, dayOf, milliseconds, number, percent } from './time.js';
import { table } from './view.js';

/** @typedef {import('../api.js').Schemas['Statistics']} Bucket */

const WIDTH = 720;
const HEIGHT = 150;

/**
 * Small bars of hours, for lists.
 * @param {Bucket[]} buckets
 */
export function spark(buckets) {
  const most = Math.max(1, ...buckets.map(({ deliveries }) => deliveries));
  const width = 120 / Math.max(buckets.length, 1);
  return html`<svg class="spark" viewBox="0 0 120 28" preserveAspectRatio="none" aria-hidden="true">
    ${buckets.map((bucket, index) => stack(bucket, most, { x: index * width, width: width - 1.2, height: 28 }))}
  </svg>`;
}

/**
 * Outcomes over time: what was delivered, waits or failed, by hours or days.
 * @param {Bucket[]} buckets
 * @param {'hour' | 'day'} size
 */
export function outcomes(buckets, size) {
  const most = Math.max(1, ...buckets.map(({ deliveries }) => deliveries));
  const step = WIDTH / Math.max(buckets.length, 1);
  return html`<figure>
    <figcaption><h3>Outcomes</h3>${legend([
      ['good', 'Delivered'],
      ['warn', 'Being retried'],
      ['bad', 'Failed'],
    ])}</figcaption>
    <div class="plot">
      <span class="top">${number(most)}</span>
      <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="Bars of outcomes; the same numbers are in the table below">
        ${grid()} ${buckets.map((bucket, index) => stack(bucket, most, { x: index * step + step * 0.12, width: step * 0.76, height: HEIGHT }, tip(bucket, size)))}
      </svg>
    </div>
    ${axis(buckets, size)}
  </figure>`;
}

/**
 * How long answers took over time: half of them, 95 % and 99 % came within.
 * @param {Bucket[]} buckets
 * @param {'hour' | 'day'} size
 */
export function answerTimes(buckets, size) {
  const values = buckets.flatMap(({ first_attempt: { p50_ms, p95_ms, p99_ms } }) => [p50_ms, p95_ms, p99_ms]);
  const most = Math.max(1, ...values.map((value) => value ?? 0));
  const step = WIDTH / Math.max(buckets.length, 1);
  const line = (/** @type {'p50_ms' | 'p95_ms' | 'p99_ms'} */ which) =>
    path(
      buckets.map(({ first_attempt }) => first_attempt[which]),
      most,
      step,
    );
  return html`<figure>
    <figcaption><h3>Time to answer</h3>${legend([
      ['p50', '50 % within'],
      ['p95', '95 %'],
      ['p99', '99 %'],
    ])}</figcaption>
    <div class="plot">
      <span class="top">${milliseconds(most)}</span>
      <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="Lines of answer times; the same numbers are in the table below">
        ${grid()}
        <path class="line p99" d=${line('p99_ms')} /><path class="line p95" d=${line('p95_ms')} /><path class="line p50" d=${line('p50_ms')} />
      </svg>
    </div>
    ${axis(buckets, size)}
  </figure>`;
}

/**
 * The numbers of both charts.
 * @param {Bucket[]} buckets
 * @param {'hour' | 'day'} size
 */
export function numbers(buckets, size) {
  const time = (/** @type {number | null} */ ms) => (ms === null ? '–' : milliseconds(ms));
  const rows = buckets.filter(({ deliveries }) => deliveries > 0).reverse();
  return html`<details class="numbers"><summary>Show the numbers as a table</summary>
    <div class="scroll" tabindex="0" role="region" aria-label="The numbers">${table(
      `Deliveries by ${size}`,
      [
        {
          label: size === 'hour' ? 'Hour from' : 'Day (UTC)',
          cell: ({ from }) => (size === 'hour' ? at(from) : dayOf(from)),
        },
        { label: 'Delivered', kind: 'num', cell: ({ delivered }) => number(delivered) },
        { label: 'Being retried', kind: 'num', cell: ({ pending }) => number(pending) },
        { label: 'Failed', kind: 'num', cell: ({ failed }) => number(failed) },
        { label: 'At first attempt', kind: 'num', cell: firstShare },
        { label: '50 %', kind: 'num', cell: ({ first_attempt }) => time(first_attempt.p50_ms) },
        { label: '95 %', kind: 'num', cell: ({ first_attempt }) => time(first_attempt.p95_ms) },
        { label: '99 %', kind: 'num', cell: ({ first_attempt }) => time(first_attempt.p99_ms) },
      ],
      rows,
    )}</div>
  </details>`;
}

/** @param {Bucket} bucket */
function firstShare({ first_attempt: { succeeded, failures } }) {
  const all = Object.values(failures).reduce((sum, times) => sum + times, succeeded);
  return all === 0 ? '–' : percent(succeeded, all);
}

/**
 * @param {Bucket} bucket
 * @param {number} most
 * @param {{x: number, width: number, height: number}} place
 * @param {string} [title]
 */
function stack({ delivered, pending, failed }, most, { x, width, height }, title = '') {
  let bottom = height;
  const parts = [
    ['good', delivered],
    ['warn', pending],
    ['bad', failed],
  ].map(([tone, count]) => {
    // What is there is seen, however small it is beside the rest.
    const tall = Number(count) === 0 ? 0 : Math.max(2, (Number(count) / most) * (height - 2));
    bottom -= tall;
    return svg`<rect class="bar ${tone}" x=${x} width=${width} y=${Math.max(0, bottom)} height=${tall}/>`;
  });
  return svg`<g>${title ? svg`<title>${title}</title><rect class="hit" x=${x} width=${width} y="0" height=${height}/>` : nothing}${parts}</g>`;
}

/**
 * @param {Bucket} bucket
 * @param {'hour' | 'day'} size
 */
function tip({ from, delivered, pending, failed }, size) {
  const name = size === 'hour' ? brief(from) : dayOf(from);
  return `${name}: ${number(delivered)} delivered, ${number(pending)} being retried, ${number(failed)} failed`;
}

/**
 * @param {(number | null)[]} values
 * @param {number} most
 * @param {number} step
 */
function path(values, most, step) {
  let drawing = false;
  return values
    .map((value, index) => {
      const command = drawing ? 'L' : 'M';
      drawing = value !== null;
      if (value === null) return '';
      const point = `${command}${(index + 0.5) * step} ${HEIGHT - 2 - (value / most) * (HEIGHT - 6)}`;
      return values[index + 1] == null && command === 'M' ? `${point}h3` : point;
    })
    .join('');
}

function grid() {
  return [0, 0.5, 1].map(
    (part) => svg`<line class="grid" x1="0" x2=${WIDTH} y1=${1 + part * (HEIGHT - 2)} y2=${1 + part * (HEIGHT - 2)}/>`,
  );
}

/** @param {string[][]} entries */
function legend(entries) {
  return html`<span class="legend">${entries.map(([tone, name]) => html`<span class="key ${tone}">${name}</span>`)}</span>`;
}

/**
 * @param {Bucket[]} buckets
 * @param {'hour' | 'day'} size
 */
function axis(buckets, size) {
  const first = buckets[0];
  const middle = buckets[Math.floor(buckets.length / 2)];
  if (!first || !middle) return nothing;
  const name = size === 'hour' ? brief : dayOf;
  return html`<div class="axis" aria-hidden="true"><span>${name(first.from)}</span><span>${name(middle.from)}</span><span>${size === 'hour' ? 'now' : 'today'}</span></div>`;
}
