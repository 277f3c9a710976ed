// Every screen while it loads, with much, with nothing, and when it fails: looked at, and walked over by keyboard.

import * as made from '../answers.mjs';
import { pretend, refusal } from '../api.mjs';
import { DASHBOARD, glance, look, noteClicks, open, see, visit, walk } from '../stage.mjs';

export const name = 'every screen while it loads, with much, with nothing, and when it fails';

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {Awaited<ReturnType<typeof pretend>>} Api */

/** Where a screen is, given what the ids in its address end with, and what it says in each state. */
const SCREENS = [
  { name: 'endpoints', at: () => '/endpoints', much: 'Page 1 of 3', nothing: 'No endpoints yet' },
  {
    name: 'create',
    at: () => '/endpoints/new',
    much: 'Send events from the start',
    nothing: 'Send events from the start',
  },
  { name: 'endpoint', at: of(''), much: 'Why first attempts failed', nothing: 'Nothing was sent in this time' },
  { name: 'test', at: of('/test'), much: 'with a fresh id and time', nothing: 'There are no event types to test with' },
  { name: 'settings', at: of('/settings'), much: 'Labels of your own', nothing: 'Labels of your own' },
  { name: 'history', at: of('/deliveries'), much: 'Page 1 of 50', nothing: 'Nothing has been sent yet' },
  { name: 'delivery', at: of('/deliveries/del_'), much: '4,970 more', nothing: 'None was made' },
  { name: 'deliveries', at: () => '/deliveries', much: 'Older', nothing: 'Nothing has been sent yet' },
  {
    name: 'event',
    at: (/** @type {string} */ end) => `/events/evt_${end}`,
    much: 'What became of it',
    nothing: 'It was not sent to any endpoint',
  },
  { name: 'event-types', at: () => '/event-types', much: 'number_39', nothing: 'There are no event types' },
  { name: 'recoveries', at: of('/recoveries'), much: 'Page 1 of 3', nothing: 'Nothing failed in this time' },
  {
    name: 'recovery',
    at: of('/recoveries/rec_'),
    much: 'of 1,234,567 sent',
    nothing: 'Counting what there is to send',
  },
];

/** @param {string} below an endpoint @returns {(end: string) => string} */
function of(below) {
  return (end) => `/endpoints/whe_${end}${below}${below.endsWith('_') ? end : ''}`;
}

const types = (/** @type {number} */ count) => ({ data: made.eventTypes(count) });
const list = (/** @type {unknown[]} */ data, /** @type {number} */ total) => ({ data, meta: made.meta(total) });

/** @type {Record<string, import('../api.mjs').Answer>} */
const MUCH = {
  'GET ': list(made.endpoints(20), 45),
  'GET /event-types': types(40),
  'GET /deliveries': { data: made.across(made.deliveries(20)), meta: { next: 'more', per_page: 20 } },
  'GET /events/{event_id}': {
    ...made.event('order.paid'),
    payload: made.event('order.paid'),
    accepted_at: made.ago(900),
    test: false,
    deliveries: made.across(made.deliveries(50)),
  },
  'GET /{id}': (_, [id]) => ({ body: made.longEndpoint(id) }),
  'GET /{id}/stats': made.statistics(24, 1_234_567),
  'GET /{id}/deliveries': list(made.deliveries(20), 1_000),
  'GET /{id}/deliveries/{delivery_id}': (_, [, id]) => ({ body: made.longDelivery(id) }),
  'GET /{id}/recoveries': list(made.recoveries(20), 45),
  'GET /{id}/recoveries/{recovery_id}': made.recovery(),
};

/** @type {Record<string, import('../api.mjs').Answer>} */
const NOTHING = {
  'GET ': list([], 0),
  'GET /event-types': types(0),
  'GET /deliveries': { data: [], meta: { next: null, per_page: 20 } },
  'GET /events/{event_id}': {
    ...made.event('order.paid'),
    payload: null,
    accepted_at: made.ago(900),
    test: false,
    deliveries: [],
  },
  'GET /{id}': (_, [id]) => ({ body: made.endpoint({ id }) }),
  'GET /{id}/stats': made.statistics(24, 0),
  'GET /{id}/deliveries': list([], 0),
  'GET /{id}/deliveries/{delivery_id}': {
    ...made.delivery({ status: 'failed', attempt_count: 0, http_status: null, delivered_at: null }),
    attempts: [],
    payload: null,
  },
  'GET /{id}/recoveries': list([], 0),
  'GET /{id}/recoveries/{recovery_id}': made.recovery({ total: null, retried: 0, delivered: 0, failed: 0 }),
};

/** @param {Page} page */
export async function tell(page) {
  await noteClicks(page);
  const api = await pretend(page.context(), MUCH);
  await door(page, api);
  await open(page, 'efa_sk_one', '/nowhere');
  for (const screen of SCREENS) await loads(page, screen);
  api.silent = false;
  for (const screen of SCREENS) await hasMuch(page, screen);
  api.answers = NOTHING;
  for (const screen of SCREENS) await hasNothing(page, screen);
  api.answers = MUCH;
  for (const screen of SCREENS) await fails(page, api, screen);
}

/** Signing in, with a token and with a link. @param {Page} page @param {Api} api */
async function door(page, api) {
  await page.goto(DASHBOARD);
  await page.getByLabel('Token').fill('efa_sk_unknown');
  await look(page, 'sign-in-much');
  await walk(page, 'sign-in');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await see(page, 'This token is not valid');
  await glance(page, 'sign-in-refused');
  const broken = { status: 500, json: refusal(500, 'something went wrong; request 1-2-3').body };
  await page.route('**/token', (route) => route.fulfill(broken));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await see(page, 'That did not work');
  await glance(page, 'sign-in-fails');
  await page.unroute('**/token');
  await page.route('**/token', () => {});
  await page.getByRole('button', { name: 'Sign in' }).click();
  await see(page, 'Signing in…');
  await glance(page, 'sign-in-loading');
  await page.unroute('**/token');

  await page.goto(`${DASHBOARD}#link=efa_link_one`);
  const enter = page.getByRole('button', { name: 'Open the dashboard' });
  api.always = refusal(500, 'something went wrong; request 1-2-3');
  await enter.click();
  await see(page, 'That did not work');
  await glance(page, 'link-fails');
  await walk(page, 'link');
  api.always = null;
  api.silent = true;
  await enter.click();
  await see(page, 'Opening…');
  await glance(page, 'link-loading');
}

/** @typedef {typeof SCREENS[number]} Screen */

/** @param {Page} page @param {Screen} screen */
async function loads(page, { name, at }) {
  await visit(page, at('loading'));
  await page.locator('main').getByRole('status').getByText('Loading').first().waitFor({ state: 'attached' });
  await glance(page, `${name}-loading`);
}

/** @param {Page} page @param {Screen} screen */
async function hasMuch(page, { name, at, much }) {
  await visit(page, at('much'));
  await see(page, much);
  await look(page, `${name}-much`);
  await walk(page, name);
}

/** @param {Page} page @param {Screen} screen */
async function hasNothing(page, { name, at, nothing }) {
  await visit(page, at('nothing'));
  await see(page, nothing);
  await glance(page, `${name}-nothing`);
}

/** @param {Page} page @param {Api} api @param {Screen} screen */
async function fails(page, api, { name, at, much }) {
  api.always = refusal(500, 'something went wrong; request 1-2-3');
  await visit(page, at('fails'));
  await see(page, 'That did not work');
  await glance(page, `${name}-fails`);
  api.always = null;
  // At once or not at all: what goes on by itself may have tried before.
  const again = page.getByRole('button', { name: 'Try again' });
  await again.evaluateAll((buttons) => /** @type {HTMLElement | undefined} */ (buttons[0])?.click());
  await see(page, much);
}
