// The pictures of the documents, taken from the running dashboard. Only hosts and figures are dressed up: receivers are on this
// machine here, and the stack has no day behind it.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ask, open, receiver, see, visit } from '../stage.mjs';

export const name = 'the pictures of the documents';

const WIDTH = 1120;
const HOURS = 24;
const HOUR_MS = 3_600_000;
/** Since how many hours the endpoint that fails has failed. */
const FAILING = 3;

/** @param {import('playwright-core').Page} page */
export async function tell(page) {
  const folder = process.env.DASHBOARD_DOCUMENTS ?? '';
  mkdirSync(folder, { recursive: true });
  const kitchen = await receiver(503, '{"error": "the database is being restarted"}');
  const [orders, archive] = [await receiver(200), await receiver(410)];
  const hosts = {
    [orders.url]: 'https://orders.example.com/hooks',
    [archive.url]: 'https://archive.example.com/in',
    [kitchen.url]: 'https://kitchen.example.com/webhooks',
  };
  const failing = await add(kitchen, 'Tickets of the kitchen');
  const busy = await add(orders, 'Production');
  await add(archive, 'The old archive');
  for (const type of ['survey.response.created', 'feedback.ticket.created', 'cleaning.log.created', 'poster.scanned'])
    await ask(`events 2 ${type}`);
  await dress(page, hosts, (id) => day(id === failing ? 40 : id === busy ? 140 : 0, id === failing));
  const token = await ask('token webhooks:read webhooks:write');
  await page.setViewportSize({ width: WIDTH, height: 1000 });

  await open(page, token, '/endpoints');
  await page.getByText('Disabled', { exact: true }).waitFor();
  await page.locator('[data-figures] svg').nth(1).waitFor();
  await see(page, 'No events');
  await take(page, join(folder, 'endpoints'), 450);
  await visit(page, `/endpoints/${failing}`);
  await page.getByRole('table', { name: 'Latest deliveries' }).waitFor();
  await see(page, 'Time to answer');
  await take(page, join(folder, 'endpoint'), 830);
  await page.getByRole('link', { name: 'Look at the last failure' }).click();
  await see(page, 'What the receiver answered');
  await take(page, join(folder, 'delivery'), 700);
  for (const target of [kitchen, orders, archive]) target.close();
}

/** @param {Awaited<ReturnType<typeof receiver>>} target @param {string} description */
function add({ url }, description) {
  return ask(`endpoint ${JSON.stringify({ url, events: ['*'], description })}`);
}

/**
 * @param {import('playwright-core').Page} page
 * @param {Record<string, string>} hosts
 * @param {(id: string) => object[]} figures of an endpoint
 */
async function dress(page, hosts, figures) {
  await page.route('**/api/integrations/webhooks**', async (route) => {
    const response = await route.fetch();
    let body = await response.text();
    for (const [url, shown] of Object.entries(hosts)) body = body.replaceAll(url, shown);
    const since = new Date(Date.now() - (FAILING - 1) * HOUR_MS).toISOString();
    body = body.replaceAll(/("state":"failing","since":)"[^"]*"/g, `$1"${since}"`);
    body = body.replaceAll(/("workspace_id":\s*)"[^"]*"/g, '$1"ws_acme"');
    await route.fulfill({ response, body });
  });
  await page.route('**/stats?*', (route) =>
    route.fulfill({
      json: { data: figures(/(whe_\w+)/.exec(route.request().url())?.[1] ?? ''), meta: { complete: true } },
    }),
  );
}

/** The last day of an endpoint, busier by day than by night. @param {number} most an hour @param {boolean} fails */
function day(most, fails) {
  const now = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
  return Array.from({ length: HOURS }, (_, index) => {
    const from = new Date(now - (HOURS - 1 - index) * HOUR_MS);
    const busy = 0.6 + 0.4 * Math.sin(((from.getUTCHours() - 8) / 24) * 2 * Math.PI);
    const deliveries = Math.round(most * busy * (1 + ((index * 37) % 29) / 100));
    const bad = fails && index >= HOURS - FAILING ? deliveries : Math.round((deliveries * ((index * 7) % 4)) / 100);
    const lost = fails && index >= HOURS - FAILING ? 0 : Math.floor(bad / 4);
    const waiting = fails && index >= HOURS - FAILING ? deliveries : 0;
    return {
      from: from.toISOString().replace('.000', ''),
      deliveries,
      delivered: deliveries - lost - waiting,
      failed: lost,
      pending: waiting,
      first_attempt: {
        succeeded: deliveries - bad,
        failures: bad > 0 ? { status: bad } : {},
        p50_ms: 80 + ((index * 13) % 17),
        p95_ms: 240 + ((index * 31) % 90),
        p99_ms: 610 + ((index * 57) % 240),
      },
    };
  });
}

/** @param {import('playwright-core').Page} page @param {string} path @param {number} height */
async function take(page, path, height) {
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    await page.emulateMedia({ colorScheme });
    await page.mouse.move(0, 0);
    const clip = { x: 0, y: 0, width: WIDTH, height };
    await page.screenshot({ path: `${path}-${colorScheme}.png`, clip });
  }
}
