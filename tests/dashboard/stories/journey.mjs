// One story from a link to the end of an endpoint, with everything that people do in between.

import { ask, DASHBOARD, look, receiver, see, visit } from '../stage.mjs';

export const name = 'link, create, test, understand, repair, recover, rotate, disable, delete';

/** @param {import('playwright-core').Page} page */
export async function tell(page) {
  const target = await receiver(401, '<script>alert("no")</script>');
  const id = await createThroughALink(page, target);
  await understand(page);
  await recover(page, target);
  await rotate(page, id);
  await end(page);
  target.close();
}

/** @typedef {Awaited<ReturnType<typeof receiver>>} Receiver */

/** @param {import('playwright-core').Page} page @param {Receiver} target */
async function createThroughALink(page, target) {
  const link = await ask('link webhooks:read webhooks:write');
  await page.goto(DASHBOARD + new URL(link).hash);
  await page.getByRole('button', { name: 'Open the dashboard' }).waitFor();
  if (page.url().includes('link=')) throw new Error('the link stays in the address');
  await look(page, 'link');
  await page.getByRole('button', { name: 'Open the dashboard' }).click();
  await see(page, 'No endpoints yet');
  await look(page, 'endpoints-none');

  await page.getByRole('link', { name: 'Add an endpoint' }).click();
  await page.getByLabel('URL').fill('ftp://example.com');
  await page.getByRole('button', { name: 'Add the endpoint' }).click();
  await page.locator('#url[aria-invalid="true"]').waitFor();
  await look(page, 'create-refused');
  await page.getByLabel('URL').fill(target.url);
  await page.getByRole('button', { name: 'Add the endpoint' }).click();
  await see(page, 'Store its signing secret now');
  await page.getByRole('button', { name: 'Copy', exact: true }).click();
  await see(page, 'Copied the signing secret');
  const secret = await page.evaluate(() => navigator.clipboard.readText());
  if (!/^whs_.{32}$/.test(secret)) throw new Error('the secret is not what was copied');
  await look(page, 'created');
  return /\/endpoints\/([^/]+)/.exec(page.url())?.[1] ?? '';
}

/** @param {import('playwright-core').Page} page */
async function understand(page) {
  await page.getByRole('button', { name: 'Send the test event' }).click();
  await see(page, 'The receiver answered 401');
  await see(page, '<script>alert');
  await look(page, 'test-failed');

  await ask('events 3 poster.scanned');
  await page.getByRole('navigation', { name: 'Endpoint' }).getByRole('link', { name: 'Deliveries' }).click();
  await page.getByLabel('State').selectOption('failed');
  await page.waitForURL(/status=failed/);
  await see(page, '4 deliveries');
  await look(page, 'deliveries-failed');
  await page.getByRole('link', { name: 'poster.scanned' }).first().click();
  await see(page, 'No further attempt is made by itself');
  await look(page, 'delivery-failed');
  await page.getByRole('link', { name: /^evt_/ }).click();
  await see(page, 'What became of it');
  await look(page, 'event');
  await page.goBack();
  await page.getByRole('link', { name: 'The endpoint is disabled' }).click();
  await see(page, 'Nothing succeeded for too long, so we stopped sending.');
  await look(page, 'endpoint-disabled');
  await page.getByRole('button', { name: 'Enable the endpoint' }).click();
  await see(page, 'Healthy');
}

/** @param {import('playwright-core').Page} page @param {Receiver} target */
async function recover(page, target) {
  await page.getByRole('navigation', { name: 'Endpoint' }).getByRole('link', { name: 'Recover' }).click();
  await page.getByRole('button', { name: 'Start sending' }).waitFor();
  await look(page, 'recover');
  await page.getByRole('button', { name: 'Start sending' }).click();
  await see(page, 'The receiver is failing, so sending is paused.');
  target.status = 200;
  await look(page, 'recovery-paused');
  await page.getByRole('button', { name: 'Cancel…' }).click();
  await look(page, 'recovery-cancel');
  await page.keyboard.press('Escape');
  await page.getByText('Finished', { exact: true }).waitFor();
  await see(page, 'All 3 arrived');
  await look(page, 'recovery-finished');
}

/** @param {import('playwright-core').Page} page @param {string} id */
async function rotate(page, id) {
  await visit(page, `/endpoints/${id}`);
  await page.getByRole('table', { name: 'Latest deliveries' }).waitFor();
  await look(page, 'endpoint');
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByRole('button', { name: 'Rotate…' }).click();
  await look(page, 'rotate');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.keyboard.press('Enter'); // The focus is back where it was.
  await page.getByRole('button', { name: 'Rotate the secret' }).click();
  await see(page, 'This is the new signing secret');
}

/** @param {import('playwright-core').Page} page */
async function end(page) {
  await page.getByRole('link', { name: 'Settings' }).click();
  await look(page, 'settings');
  await page.getByRole('button', { name: 'Disable…' }).click();
  await page.getByRole('button', { name: 'Disable it' }).click();
  await page.getByRole('button', { name: 'Enable', exact: true }).waitFor();
  await page.getByRole('button', { name: 'Delete…' }).click();
  await look(page, 'delete');
  await page.getByRole('button', { name: 'Delete it for good' }).click();
  await see(page, 'No endpoints yet');
}
