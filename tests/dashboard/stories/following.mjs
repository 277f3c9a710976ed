// Lists go on by themselves: not in a hidden tab, more slowly when they are told to, and they say what has changed.

import * as made from '../answers.mjs';
import { pretend, refusal } from '../api.mjs';
import { open, see, until, visit } from '../stage.mjs';

export const name = 'lists go on by themselves, stop in a hidden tab, slow down when told to, and say what has changed';

const LIST = /^GET \/deliveries\?/;
/** How often the list is asked for, in seconds. */
const EVERY = 10;
/** The pauses after failures that follow one another, of which the first one names its own. */
const PAUSES = [30, 10, 20, 40, 60, 60];

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {Awaited<ReturnType<typeof pretend>>} Api */

/** @param {Page} page */
export async function tell(page) {
  const rows = made.deliveries(4);
  const api = await pretend(page.context(), {
    'GET ': { data: made.endpoints(3), meta: made.meta(3) },
    'GET /event-types': { data: [] },
    'GET /deliveries': () => ({ body: { data: made.across(rows), meta: { next: null, per_page: 20 } } }),
    'GET /{id}/stats': made.statistics(24, 0),
  });
  await page.clock.install();
  await open(page, 'efa_sk_one', '/deliveries');
  await page.getByRole('table').waitFor();
  await page.clock.pauseAt(Date.now() + 1_000);

  await hides(page, api);
  await slowsDown(page, api);
  await saysWhatIsNew(page, rows);
  await saysWhichEndpoints(page, api);
  await saysHowRecoveriesEnd(page, api);
  await asksForWhatIsSeen(page, api);
}

/**
 * Lets time pass, and stand still until what was asked meanwhile is answered, which takes less than a few other answers.
 * @param {Page} page
 * @param {number} seconds
 */
async function pass(page, seconds) {
  await page.clock.runFor(seconds * 1_000);
  await page.evaluate(async () => {
    for (let answers = 0; answers < 5; answers++) await (await fetch('../api/integrations/webhooks/token')).text();
  });
}

/**
 * @param {Page} page
 * @param {Api} api
 * @param {number} seconds
 * @param {number} times that the list is asked for in them
 * @param {() => Promise<void>} first what happens before they pass, which may make the page ask at once
 */
async function asks(page, api, seconds, times, first = async () => {}) {
  const before = api.times(LIST);
  await first();
  await pass(page, seconds);
  const asked = api.times(LIST) - before;
  if (asked !== times) throw new Error(`within ${seconds} s, the list was asked for ${asked} times and not ${times}`);
}

/** The browser itself hides no page here, so the page is told that it is hidden. @param {Page} page @param {boolean} hidden */
async function hide(page, hidden) {
  await page.evaluate((hidden) => {
    Object.defineProperty(document, 'hidden', { configurable: true, value: hidden });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);
}

/** @param {Page} page @param {Api} api */
async function hides(page, api) {
  await asks(page, api, EVERY, 1);
  await asks(page, api, 20 * EVERY, 0, () => hide(page, true));
  await asks(page, api, 0, 1, () => hide(page, false));
  await asks(page, api, EVERY, 1);
}

/** @param {Page} page @param {Api} api */
async function slowsDown(page, api) {
  const tooMany = { ...refusal(429, 'Too Many Requests') };
  api.always = { ...tooMany, headers: { 'retry-after': String(PAUSES[0]) } };
  await asks(page, api, EVERY, 1);
  await see(page, 'Too many requests. What you see may be out of date; it is asked for again by itself.');
  for (const pause of PAUSES) {
    api.always = tooMany;
    await asks(page, api, pause - 1, 0);
    await asks(page, api, 1, 1);
  }
  api.always = null;
  await asks(page, api, 60, 1);
  await page.getByText('Too many requests').waitFor({ state: 'detached' });
  await asks(page, api, EVERY, 1);
}

/**
 * Lets a few seconds pass, in which screen readers are told something; that waits for an answer and for the page's clock.
 * @param {Page} page
 * @param {string} text
 */
async function hear(page, text) {
  const told = page.getByRole('status').filter({ hasText: text });
  for (let seconds = 0; seconds < EVERY; seconds++) {
    await pass(page, 1);
    if ((await told.count()) > 0) return;
  }
  throw new Error(`screen readers are not told "${text}"`);
}

/** @param {Page} page @param {ReturnType<typeof made.deliveries>} rows */
async function saysWhatIsNew(page, rows) {
  rows[0] = made.delivery({ id: rows[0]?.id });
  rows.unshift(made.delivery({ id: 'del_new' }));
  await pass(page, EVERY);
  await hear(page, '1 newer, 1 changed');

  // Rows do not move away from under a reader.
  const shown = page.getByRole('row');
  const before = await shown.count();
  await page.getByRole('link', { name: 'order.paid' }).first().focus();
  rows.unshift(made.delivery({ id: 'del_newer' }), made.delivery({ id: 'del_newest' }));
  await pass(page, EVERY);
  await page.getByRole('button', { name: 'Show 2 newer' }).waitFor();
  if ((await shown.count()) !== before) throw new Error('rows have moved while somebody is among them');
  await page.getByRole('button', { name: 'Show 2 newer' }).click();
  await until(async () => (await shown.count()) === before + 2, 'the newer rows');
}

/** @param {Page} page @param {Api} api */
async function saysWhichEndpoints(page, api) {
  await visit(page, '/endpoints');
  await hear(page, '3 endpoints');
  const failing = made.endpoint({ id: 'whe_2', health: { state: 'failing', since: made.ago(60) } });
  api.answers['GET '] = { data: [...made.endpoints(2), failing], meta: made.meta(3) };
  await pass(page, 30);
  await hear(page, 'orders.example.com/hooks: Failing');

  api.answers['GET /{id}'] = failing;
  api.answers['GET /{id}/deliveries'] = { data: made.deliveries(2), meta: made.meta(40) };
  // Both are answered before the page's clock goes on, so they are told together.
  const asked = () => [/^GET \/whe_2$/, /^GET \/whe_2\/deliveries/].every((what) => api.times(what) > 0);
  await visit(page, '/endpoints/whe_2/deliveries');
  await until(asked, 'the endpoint and its deliveries are asked for');
  await pass(page, 0);
  await hear(page, '40 deliveries, page 1 of 2');
  await hear(page, 'orders.example.com/hooks: Failing');
}

/** @param {Page} page @param {Api} api */
async function saysHowRecoveriesEnd(page, api) {
  api.answers['GET /{id}/recoveries'] = { data: [made.recovery()], meta: made.meta(1) };
  await visit(page, '/endpoints/whe_2/recoveries');
  await see(page, 'A recovery is under way');
  const finished = made.recovery({ status: 'finished', finished_at: made.ago(0) });
  api.answers['GET /{id}/recoveries'] = { data: [finished], meta: made.meta(1) };
  await pass(page, 3);
  await hear(page, 'A recovery: Finished');
}

/** Figures of endpoints are asked for when they come into view. @param {Page} page @param {Api} api */
async function asksForWhatIsSeen(page, api) {
  const figures = /^GET \/whe_\d+\/stats/;
  api.answers['GET '] = { data: made.endpoints(20), meta: made.meta(20) };
  await page.setViewportSize({ width: 1600, height: 500 });
  const before = api.times(figures);
  await visit(page, '/endpoints');
  await until(() => api.times(figures) > before, 'figures are asked for');
  await pass(page, 1);
  const asked = api.times(figures) - before;
  if (asked > 12) throw new Error(`${asked} figures are asked for, most of which nobody sees`);
  await page.getByRole('row').last().scrollIntoViewIfNeeded();
  await until(() => api.asked.some((line) => line.startsWith('GET /whe_19/stats')), 'figures of the last endpoint');
}
