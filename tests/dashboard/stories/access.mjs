// What a token allows, and what happens when it ends.

import { ask, DASHBOARD, look, open, receiver, see, visit } from '../stage.mjs';

export const name = 'buttons that a token does not allow are absent, and nothing is lost when one ends';

/** @param {import('playwright-core').Page} page */
export async function tell(page) {
  const target = await receiver(200);
  const id = await ask(`endpoint ${JSON.stringify({ url: target.url, events: ['*'] })}`);
  await ask('events 1');
  await looksOnly(page, id);
  await losesNothing(page, id);
  await linkTwice(page);
  target.close();
}

/** @param {import('playwright-core').Page} page @param {string} id */
async function looksOnly(page, id) {
  await open(page, await ask('token webhooks:read'), '/endpoints');
  const screens = ['', `/${id}`, `/${id}/deliveries`, `/${id}/recoveries`, `/${id}/test`];
  for (const path of [...screens.map((screen) => `/endpoints${screen}`), '/deliveries', '/event-types']) {
    await visit(page, path);
    await page.locator('main .loading').first().waitFor({ state: 'detached' });
    const main = page.locator('main');
    const names = [
      ...(await main.getByRole('button').allTextContents()),
      ...(await main.getByRole('link').allTextContents()),
    ];
    const wrong = names.filter((name) =>
      /^\s*(add|send|retry|start|rotate|delete|save|disable|enable|settings)/i.test(name),
    );
    if (wrong.length > 0) throw new Error(`${path} has ${wrong.join(', ')}`);
  }
  await see(page, 'poster.scanned');
  await look(page, 'event-types');
  await page.getByRole('button', { name: /^ws_/ }).click();
  await see(page, 'Access ends');
  await look(page, 'account');
}

/** @param {import('playwright-core').Page} page @param {string} id */
async function losesNothing(page, id) {
  const token = await ask('token webhooks:read webhooks:write');
  await open(page, token, `/endpoints/${id}/settings`);
  await page.getByLabel('Description').fill('Half typed');
  await ask(`revoke ${token}`);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('dialog').waitFor();
  await look(page, 'token-ended');
  await page.getByLabel('Token').fill('efa_sk_wrong');
  await page.keyboard.press('Enter');
  await see(page, 'This token is not valid');
  await page.getByLabel('Token').fill(await ask('token webhooks:read webhooks:write'));
  await page.keyboard.press('Enter');
  await see(page, 'Saved');
  if ((await page.getByLabel('Description').inputValue()) !== 'Half typed') throw new Error('what was typed is lost');
}

/** @param {import('playwright-core').Page} page */
async function linkTwice(page) {
  const link = DASHBOARD + new URL(await ask('link webhooks:read')).hash;
  let exchanges = 0;
  page.on('request', (request) => {
    if (request.method() === 'POST' && request.url().endsWith('/sessions')) exchanges++;
  });
  for (const outcome of ['Where your events are sent', 'This link has been used already']) {
    await page.goto('about:blank');
    exchanges = 0;
    await page.goto(link);
    const button = page.getByRole('button', { name: 'Open the dashboard' });
    await button.waitFor();
    if (exchanges > 0) throw new Error('a link is used up before anybody has clicked');
    await button.click();
    await see(page, outcome);
    if (exchanges !== 1) throw new Error(`a click exchanges a link ${exchanges} times`);
  }
  await look(page, 'link-used');
  await page.getByRole('button', { name: 'Use a token instead' }).click();
  await page.getByLabel('Token').waitFor();
  await look(page, 'sign-in');
}
