// A reader in New York: times are theirs with the exact ones at hand, filters are in the address, and what is copied is what
// was sent.

import { spawn, spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import * as made from '../answers.mjs';
import { pretend } from '../api.mjs';
import { look, open, see, until, visit } from '../stage.mjs';

export const name = 'times are the reader’s own, filters are in the address, and what is copied is what was sent';
export const reader = { timezoneId: 'America/New_York', locale: 'en-US' };
export const expected = /Failed to fetch dynamically imported module/;

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {Awaited<ReturnType<typeof pretend>>} Api */

/** In New York it is still the day before. */
const ACCEPTED = '2025-11-23T02:30:00Z';
const KEY = Buffer.from('what only the receiver knows');
/** What a parser would change and what a shell would take for something else. */
const PAYLOAD = `{"id":"evt_one", "number":12345678901234567890, "twice":1, "twice":2, "text":"it's \\u00e9 é \\"$HOME\\" \`id\` $(id) \\\\ !! %s"}`;

/** @param {Page} page */
export async function tell(page) {
  const delivery = made.delivery({ created_at: ACCEPTED });
  const { data, meta } = made.statistics(30, 8);
  const days = data.map((day, index) => ({ ...day, from: new Date(Date.UTC(2025, 9, 25 + index)).toISOString() }));
  const api = await pretend(page.context(), {
    'GET ': { data: [made.endpoint()], meta: made.meta(1) },
    'GET /event-types': { data: made.eventTypes(3) },
    'GET /deliveries': { data: made.across([delivery]), meta: { next: null, per_page: 20 } },
    'GET /{id}': made.endpoint(),
    'GET /{id}/stats': { data: days, meta },
    'GET /{id}/deliveries': { data: [delivery], meta: made.meta(1) },
    'GET /{id}/deliveries/{delivery_id}': JSON.stringify({
      ...delivery,
      attempts: [made.attempt({ at: ACCEPTED })],
      payload: 'PAYLOAD',
    }).replace('"PAYLOAD"', () => PAYLOAD),
  });
  await missing(page);
  await times(page);
  await filters(page, api);
  await copies(page, api);
}

/** After an upgrade of the stack, files of the one before are gone. @param {Page} page */
async function missing(page) {
  const part = '**/js/screens/types.js';
  await page.route(part, (route) => route.fulfill({ status: 404 }));
  await open(page, 'efa_sk_one', '/event-types');
  await see(page, 'This part could not be loaded');
  await look(page, 'part-missing');
  await page.unroute(part);
  await page.getByRole('button', { name: 'Reload' }).click();
  await page.getByRole('heading', { name: 'Event types' }).waitFor();
}

/** @param {Page} page */
async function times(page) {
  await visit(page, '/deliveries');
  const time = page.locator(`time[datetime="${ACCEPTED}"]`).first();
  await time.waitFor();
  const shown = (await time.textContent()) ?? '';
  if (!/Nov 22, 2025, 0?9:30:00\sPM/.test(shown)) throw new Error(`the time is shown as ${shown}`);
  const exact = (await time.getAttribute('title')) ?? '';
  if (!/^Saturday, November 22, 2025 at 9:30:00\sPM EST \(2025-11-23 02:30:00 UTC\)$/.test(exact))
    throw new Error(`the exact time is ${exact}`);
  // Days are counted by UTC, so they are not moved to the reader's.
  await visit(page, '/endpoints/whe_one?range=30d');
  await page.getByText('Show the numbers as a table').click();
  await page.getByRole('cell', { name: 'Nov 23', exact: true }).first().waitFor();
  if (await page.getByRole('cell', { name: 'Oct 24', exact: true }).count()) throw new Error('days are moved');
}

/** @param {Page} page @param {Api} api */
async function filters(page, api) {
  const to = 'to=2025-11-23T17%3A00%3A00Z';
  const from = 'from=2025-11-23T02%3A30%3A00Z';
  await visit(page, '/deliveries');
  await page.getByLabel('State').selectOption('delivered');
  await page.waitForURL(/#\/deliveries\?status=delivered$/);
  // As it is typed, each part is a change.
  for (const typed of ['2025-11-22T21:00', '2025-11-22T21:30']) await page.getByLabel('From').fill(typed);
  await page.waitForURL((url) => url.hash === `#/deliveries?status=delivered&${from}`);
  await page.getByLabel('Until').fill('2025-11-23T12:00');
  await page.waitForURL((url) => url.hash === `#/deliveries?status=delivered&${from}&${to}`);
  const wanted = `GET /deliveries?status=delivered&${from}&${to}&per_page=20`;
  await until(() => api.asked.includes(wanted), wanted);

  // A colleague who is sent the address sees the same.
  const colleague = await page.context().newPage();
  await colleague.goto(page.url());
  await colleague.getByRole('table').waitFor();
  if ((await colleague.getByLabel('From').inputValue()) !== '2025-11-22T21:30') throw new Error('the filter is lost');
  await colleague.close();

  // Back takes one filter after the other away.
  for (const rest of [`?status=delivered&${from}`, '?status=delivered', '']) {
    await page.goBack();
    await page.waitForURL((url) => url.hash === `#/deliveries${rest}`);
  }
  await page.goForward();
  await page.getByRole('link', { name: 'Clear filters' }).click();
  await page.waitForURL(/#\/deliveries$/);
}

/** A receiver on this machine, which keeps the last request. */
async function receiver() {
  const got = { url: '', headers: /** @type {Record<string, any>} */ ({}), body: '', close: () => server.close() };
  const server = createServer(async (request, response) => {
    got.headers = request.headers;
    got.body = Buffer.concat(await request.toArray()).toString();
    response.end('thanks');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  got.url = `http://127.0.0.1:${/** @type {any} */ (server.address()).port}/it's%20here?a=1&b=$HOME`;
  return got;
}

/** @param {Page} page @param {Api} api */
async function copies(page, api) {
  const got = await receiver();
  api.answers['GET /{id}'] = made.endpoint({ url: got.url });
  await visit(page, '/endpoints/whe_one/deliveries/del_one');
  await page.getByRole('button', { name: 'Copy the body as sent' }).click();
  await see(page, 'Copied the body as it was sent');
  const body = await page.evaluate(() => navigator.clipboard.readText());
  if (body !== PAYLOAD) throw new Error(`the body is copied as ${body}`);

  await page.getByRole('button', { name: 'Copy as curl' }).click();
  await see(page, 'Copied the request as a curl command');
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  await sends(copied, got);
  got.close();
}

/** Runs the command that was copied, where there is what it needs. @param {string} command @param {Awaited<ReturnType<typeof receiver>>} got */
async function sends(command, got) {
  if (['curl', 'openssl'].some((tool) => spawnSync(tool, ['version']).error)) {
    console.error('the copied command is not run: there is no curl or no openssl');
    return;
  }
  const withSecret = command.replace('whs_…', `whs_${KEY.toString('base64')}`);
  const shell = spawn('sh', ['-c', withSecret], { stdio: ['ignore', 'ignore', 'inherit'] });
  await once(shell, 'close');
  const { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': signature } = got.headers;
  const ought = createHmac('sha256', KEY).update(`evt_one.${time}.${PAYLOAD}`).digest('base64');
  if (got.body !== PAYLOAD) throw new Error(`the copied command sends ${got.body}`);
  if (id !== 'evt_one' || signature !== `v1,${ought}`)
    throw new Error(`the copied command signs ${id} as ${signature}`);
  if (got.headers['content-type'] !== 'application/json') throw new Error('the copied command names no content type');
}
