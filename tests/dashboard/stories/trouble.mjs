// Lists that are long, requests that fail, and readers who want nothing to move.

import { ask, look, open, receiver, see, visit } from '../stage.mjs';

export const name = 'long lists, slow and failing answers, and filters that are in the address';

const LIST = '**/api/integrations/webhooks/deliveries?*';

/** @param {import('playwright-core').Page} page */
export async function tell(page) {
  const target = await receiver(200);
  const url = `${target.url}/${'a-path-that-goes-on/'.repeat(12)}`;
  const long = { url, events: ['*'], description: '<img src=x onerror=alert(1)> '.repeat(8).slice(0, 255) };
  await ask(`endpoint ${JSON.stringify(long)}`);
  for (let number = 0; number < 21; number++) {
    await ask(`endpoint ${JSON.stringify({ url: `${target.url}/${number}`, events: ['cleaning.log.created'] })}`);
  }
  await ask('events 45 poster.scanned');
  const token = await ask('token webhooks:read webhooks:write');
  await lists(page, token);
  await slow(page);
  await fails(page);
  target.close();
}

/** Lets the API answer after three seconds. @param {import('playwright-core').Route} route */
async function late(route) {
  await new Promise((resolve) => setTimeout(resolve, 3000));
  await route.continue().catch(() => {}); // Unless nobody waits for it any more.
}

/** @param {import('playwright-core').Page} page @param {string} token */
async function lists(page, token) {
  await open(page, token, '/endpoints');
  await see(page, 'Page 1 of 2');
  await see(page, 'delivered');
  await look(page, 'endpoints');
  await page.getByRole('link', { name: 'Next' }).click();
  await see(page, 'Page 2 of 2');

  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Deliveries' }).click();
  await page.getByRole('link', { name: 'Older' }).waitFor();
  await look(page, 'deliveries');
  await page.getByRole('link', { name: 'Older' }).click();
  await page.getByRole('link', { name: 'Back to the newest' }).click();
  await page.getByLabel('State').selectOption('failed');
  await see(page, 'Nothing matches');
  await look(page, 'deliveries-none-match');
  await page.route(LIST, late); // The reader goes back before there is an answer.
  await page.getByLabel('Event type').selectOption('poster.scanned');
  await page.waitForURL(/status=failed&event=poster/);
  await page.goBack();
  await page.waitForURL((address) => address.hash.endsWith('status=failed'));
  await page.waitForFunction(() => /** @type {any} */ (document.querySelector('#filter-event')).value === '');
  await page.unroute(LIST);
  await page.getByRole('searchbox').fill('evt_that_is_not_there');
  await page.keyboard.press('Enter');
  await see(page, 'Nothing has this id');
}

/** @param {import('playwright-core').Page} page */
async function slow(page) {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.route(LIST, late);
  await visit(page, '/event-types');
  await visit(page, '/deliveries');
  await look(page, 'deliveries-loading');
  const moving = await page.evaluate(
    () => document.getAnimations().filter((animation) => animation.playState === 'running').length,
  );
  if (moving > 0) throw new Error(`${moving} things move`);
  await page.getByRole('table').waitFor();
  await page.unroute(LIST);
  await page.emulateMedia({ reducedMotion: 'no-preference' });
}

/** @param {import('playwright-core').Page} page */
async function fails(page) {
  const body = (/** @type {number} */ statusCode, /** @type {string} */ error, /** @type {string} */ message) =>
    JSON.stringify({ statusCode, error, message });
  let status = 500;
  await page.route(LIST, (route) =>
    status === 500
      ? route.fulfill({ status, body: body(500, 'Internal Server Error', 'something went wrong; request 1-2-3') })
      : status === 429
        ? route.fulfill({ status, headers: { 'retry-after': '1' }, body: '{"message":"Too Many Requests"}' })
        : route.continue(),
  );
  await visit(page, '/event-types');
  await visit(page, '/deliveries');
  await see(page, 'That did not work');
  await look(page, 'deliveries-error');
  status = 200;
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('table').waitFor();
  status = 429; // The list is asked for again by itself.
  await see(page, 'Too many requests');
  await look(page, 'deliveries-throttled');
  status = 200;
  await page.locator('main').getByText('Too many requests').first().waitFor({ state: 'detached' });
}
