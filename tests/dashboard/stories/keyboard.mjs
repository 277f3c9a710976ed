// From a link to a recovered delivery, without a mouse.

import { ask, DASHBOARD, receiver, see } from '../stage.mjs';

export const name = 'by keyboard only, from a link to a recovered delivery';

/** @type {Awaited<ReturnType<typeof receiver>>} */
let target;

export async function prepare() {
  target = await receiver(500);
  await ask(`endpoint ${JSON.stringify({ url: target.url, events: ['*'] })}`);
  await ask('events 1 poster.scanned');
}

/** @param {import('playwright-core').Page} page */
export async function tell(page) {
  const link = await ask('link webhooks:read webhooks:write');
  await page.goto(DASHBOARD + new URL(link).hash);
  await page.getByRole('button', { name: 'Open the dashboard' }).waitFor();

  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Endpoints', exact: true }).waitFor();
  await press(page, /^127\.0\.0\.1/);
  await page.getByRole('button', { name: 'Enable the endpoint' }).waitFor();
  await press(page, /^Enable the endpoint/);
  await page.getByRole('button', { name: 'Enable the endpoint' }).waitFor({ state: 'detached' });
  await press(page, /^Deliveries/, 2);
  await page.getByLabel('State').waitFor();
  await press(page, /^poster\.scanned/);
  await see(page, 'No further attempt is made by itself');
  target.status = 200;
  await press(page, /^Retry$/);
  await see(page, 'Delivered after');
  target.close();
}

/**
 * Moves the focus on until it is where the text says, and presses Enter there.
 * @param {import('playwright-core').Page} page
 * @param {RegExp} name
 * @param {number} [times] how often it is met, the last one counts
 */
async function press(page, name, times = 1) {
  for (let presses = 0, met = 0; presses < 80; presses++) {
    await page.keyboard.press('Tab');
    const text = await page.evaluate(() => document.activeElement?.textContent?.trim() ?? '');
    if (name.test(text) && ++met === times) {
      const isSeen = await page.evaluate(() => document.activeElement?.matches(':focus-visible') ?? false);
      if (!isSeen) throw new Error(`${name} has the focus, and nobody sees it`);
      return page.keyboard.press('Enter');
    }
  }
  throw new Error(`${name} can't be reached by keyboard`);
}
