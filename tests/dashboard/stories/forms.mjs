// What is filled in and pressed is what the API is asked to do, and what a token does not allow can't be asked for.

import * as made from '../answers.mjs';
import { pretend } from '../api.mjs';
import { look, open, see, until, visit } from '../stage.mjs';

export const name = 'what is filled in and pressed is what is asked for';

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {Awaited<ReturnType<typeof pretend>>} Api */

const SECRET = `whs_${'a'.repeat(32)}`;
const [ORDER, , SURVEY] = ['order.number_0', 'poster.number_2', 'survey.number_4'];

/** @param {Page} page */
export async function tell(page) {
  const endpoint = made.endpoint();
  const api = await pretend(page.context(), {
    'GET ': { data: [], meta: made.meta(0) },
    'GET /event-types': { data: made.eventTypes(14) },
    'GET /{id}': endpoint,
    'GET /{id}/stats': made.statistics(24, 8),
    'GET /{id}/deliveries': { data: [made.delivery()], meta: made.meta(1) },
    'GET /{id}/deliveries/{delivery_id}': { ...made.waiting(), attempts: [made.attempt()], payload: made.event('a.b') },
    'GET /{id}/recoveries': { data: [], meta: made.meta(0) },
    'GET /{id}/recoveries/{recovery_id}': made.recovery({ status: 'paused' }),
    'GET /deliveries': (request) => ({ body: { data: found(request.url()), meta: { next: null, per_page: 20 } } }),
    'POST ': { ...endpoint, secret: SECRET },
    'POST /{id}/test': made.delivery({ test: true }),
    'POST /{id}/recoveries': made.recovery(),
  });
  await open(page, 'efa_sk_one', '/endpoints');
  await adds(page, api);
  await tests(page, api);
  await recovers(page, api);
  await cancels(page, api);
  await retries(page, api);
  await looksAround(page, api);
  await mayOnlyRead(page, api);
}

/** @param {string} url of a search by an id @returns {object[]} */
function found(url) {
  return url.includes('from=') ? made.across([made.delivery({ id: 'del_01K0000000ABCDEFGHJKMNPQRS' })]) : [];
}

/** What was asked to be done last. @param {Api} api @param {string} what @param {object | null} body */
async function did(api, what, body) {
  await until(() => api.done.at(-1)?.what === what, what);
  const asked = JSON.stringify(api.done.at(-1)?.body ?? null);
  if (asked !== JSON.stringify(body)) throw new Error(`${what}: ${asked}`);
}

/** @param {Page} page @param {Api} api */
async function adds(page, api) {
  await page.getByRole('link', { name: 'Add an endpoint' }).click();
  await page.getByLabel('URL').fill(' https://orders.example.com/hooks ');
  await page.getByLabel('Description').fill('Orders');
  await page.getByText('Only some', { exact: true }).click();
  await page.getByLabel('All of survey').check();
  await page.getByLabel(ORDER).check();
  await page.getByLabel(SURVEY).uncheck();
  await page.getByText('Labels of your own').click();
  for (const label of ['team', 'not wanted', 'stage']) {
    await page.getByRole('button', { name: 'Add a label' }).click();
    await page.getByLabel(/^Name/).last().fill(label);
    await page
      .getByLabel(/^Value/)
      .last()
      .fill(`the ${label}`);
  }
  await page.getByRole('button', { name: 'Remove not wanted' }).click();
  await page.getByLabel('Send events from the start').uncheck();
  await page.getByRole('button', { name: 'Add the endpoint' }).click();
  await see(page, SECRET);
  const events = made.eventTypes(14).map(({ name }) => name);
  const chosen = [...events.filter((name) => name.startsWith('survey') && name !== SURVEY), ORDER];
  await did(api, 'POST ', {
    url: 'https://orders.example.com/hooks',
    description: 'Orders',
    events: chosen,
    metadata: { team: 'the team', stage: 'the stage' },
    enabled: false,
  });
  await page.getByRole('button', { name: 'I have stored it' }).click();
  await page.getByText(SECRET).waitFor({ state: 'detached' });
  await page.goBack();
  await page.getByRole('heading', { name: 'Endpoints', exact: true }).waitFor();
}

/** @param {Page} page @param {Api} api */
async function tests(page, api) {
  await visit(page, '/endpoints/whe_one/test');
  for (const [language, code] of [
    ['Python', 'from standardwebhooks import'],
    ['JavaScript', 'new Webhook(secret'],
    ['Rust', 'use standardwebhooks::'],
    ['curl', 'openssl dgst'],
  ]) {
    await page.getByRole('button', { name: language, exact: true }).click();
    await see(page, code ?? '');
  }
  await page.getByLabel('Event type').selectOption(SURVEY ?? '');
  await page.getByRole('button', { name: 'Send the test event' }).click();
  await did(api, 'POST /whe_one/test', { event: SURVEY });
  await see(page, 'Answered 503');
}

/** @param {Page} page @param {Api} api */
async function recovers(page, api) {
  await visit(page, '/endpoints/whe_one/recoveries');
  await page.getByRole('button', { name: 'Last hour' }).click();
  await page.getByLabel('What was never sent').check();
  await page.getByLabel('From').fill('2026-01-02T03:04:05');
  await page.getByLabel('Until').fill('2026-07-02T03:04:05');
  await page.getByText('Only some event types').click();
  await page.getByText('Only some', { exact: true }).click();
  await page.getByLabel(ORDER).check();
  await page.getByLabel('Pace').fill('50');
  await page.getByRole('button', { name: 'Start sending' }).click();
  await see(page, 'Sending again: what failed');
  await did(api, 'POST /whe_one/recoveries', {
    include: 'missing',
    since: '2026-01-02T02:04:05Z', // In Prague it is winter, and then summer.
    events: [ORDER],
    per_second: 50,
    until: '2026-07-02T01:04:05Z',
  });
}

/** @param {Page} page @param {Api} api */
async function cancels(page, api) {
  api.answers['POST /{id}/recoveries/{recovery_id}/cancel'] = () => {
    const cancelled = made.recovery({ status: 'cancelled', finished_at: made.ago(0) });
    api.answers['GET /{id}/recoveries/{recovery_id}'] = cancelled;
    return { body: cancelled };
  };
  await page.getByRole('button', { name: 'Cancel…' }).click();
  await page.getByRole('button', { name: 'Let it go on' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  if (api.done.some(({ what }) => what.endsWith('/cancel')))
    throw new Error('it is cancelled by whoever lets it go on');
  await page.getByRole('button', { name: 'Cancel…' }).click();
  await page.getByRole('button', { name: 'Cancel the recovery' }).click();
  await see(page, 'Cancelled after 1,000');
  await did(api, 'POST /whe_one/recoveries/rec_one/cancel', null);
  await page.getByRole('button', { name: 'Cancel…' }).waitFor({ state: 'detached' });
}

/** @param {Page} page @param {Api} api */
async function retries(page, api) {
  const path = 'GET /{id}/deliveries/{delivery_id}';
  const before = api.answers[path];
  api.answers['POST /{id}/deliveries/{delivery_id}/retry'] = () => {
    const started = made.waiting({ next_attempt_at: null });
    api.answers[path] = { ...started, attempts: [made.attempt()], payload: made.event('a.b') };
    return { status: 202, body: started };
  };
  await visit(page, '/endpoints/whe_one/deliveries/del_one');
  await see(page, 'The next attempt is made by itself, in 59 min');
  await look(page, 'delivery-waiting');
  await page.getByRole('button', { name: 'Retry now' }).click();
  await see(page, 'An attempt is under way');
  await did(api, 'POST /whe_one/deliveries/del_one/retry', null);
  api.answers[path] = before;
}

/** @param {Page} page @param {Api} api */
async function looksAround(page, api) {
  await visit(page, '/endpoints/whe_one');
  await page.getByRole('link', { name: '7 days' }).click();
  await see(page, 'The last 7 days');
  // What the bars show is in a table too, for whoever does not see them.
  await page.getByRole('img', { name: /^Bars of outcomes/ }).waitFor();
  await page.getByText('Show the numbers as a table').click();
  await page.getByRole('cell', { name: '14.9 s' }).first().waitFor();
  await page.goBack();
  await see(page, 'The last 24 hours');

  await visit(page, '/event-types');
  await page.getByRole('searchbox').fill('number_13');
  await page.keyboard.press('Enter');
  await page.waitForURL(/q=number_13/);
  await page.getByRole('heading', { name: ORDER }).waitFor({ state: 'detached' });
  await page.getByRole('link', { name: /^Deliveries of/ }).click();
  await page.waitForURL(/#\/deliveries\?event=/);
  await page.getByRole('heading', { name: 'Deliveries', exact: true }).waitFor();

  await page.getByRole('searchbox').fill('del_01K0000000ABCDEFGHJKMNPQRS');
  await page.getByRole('button', { name: 'Find' }).click();
  await page.waitForURL(/whe_0\/deliveries\/del_01K0000000ABCDEFGHJKMNPQRS$/);
  if (api.times(/^GET \/deliveries\?from=[^&]+&to=/) !== 1) throw new Error('an id is not looked for in its second');
}

/** @param {Page} page @param {Api} api */
async function mayOnlyRead(page, api) {
  api.tokens.efa_sk_reader = { workspace_id: 'ws_one', scopes: ['webhooks:read'], expires_at: null };
  api.tokens.efa_sk_sender = { workspace_id: 'ws_one', scopes: ['webhooks:retry'], expires_at: null };
  api.answers['GET /{id}/recoveries/{recovery_id}'] = made.recovery();
  await open(page, 'efa_sk_reader', '/endpoints');
  await see(page, 'No endpoints yet');
  const names = /^(Add an endpoint|Cancel…|Retry now|Start sending|Save)$/;
  const actions = page.locator('main a, main button').filter({ hasText: names });
  for (const [path, text] of [
    ['/endpoints', 'No endpoints yet'],
    ['/endpoints/whe_one/recoveries', 'No recoveries yet'],
    ['/endpoints/whe_one/recoveries/rec_one', 'Sending again'],
    ['/endpoints/whe_one/deliveries/del_one', 'The next attempt is made by itself'],
    ['/endpoints/new', 'Your access does not include this'],
    ['/endpoints/whe_one/settings', 'Your access does not include this'],
  ]) {
    await visit(page, path ?? '');
    await see(page, text ?? '');
    if (await actions.count())
      throw new Error(`who may only read is offered ${await actions.allTextContents()} at ${path}`);
  }
  await open(page, 'efa_sk_sender', '/endpoints');
  await see(page, "This token can't read");
}
