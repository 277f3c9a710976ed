// What a token allows, and what happens when it ends.

import { ask, DASHBOARD, look, open, receiver, see, visit } from '../stage.mjs';

export const name = 'buttons that a token does not allow are absent, and nothing is lost when one ends';

/** @type {Awaited<ReturnType<typeof receiver>>} */
let target;
/** An endpoint with a failed delivery, and one that stays disabled. */
let on = '';
let off = '';

export async function prepare() {
  target = await receiver(410); // Ends a delivery and disables its endpoint at once.
  on = await ask(`endpoint ${JSON.stringify({ url: target.url, events: ['*'] })}`);
  off = await ask(`endpoint ${JSON.stringify({ url: `${target.url}/off`, events: ['*'] })}`);
  await ask('events 1');
}

/** @param {import('playwright-core').Page} page */
export async function tell(page) {
  const failed = await enableOne(page);
  for (const scopes of ['webhooks:read webhooks:write', 'webhooks:read webhooks:retry', 'webhooks:read']) {
    await open(page, await ask(`token ${scopes}`), '/event-types');
    for (const screen of screens(failed)) await mayDo(page, scopes, screen);
  }
  await account(page);
  await losesNothing(page, on);
  await linkTwice(page);
  target.close();
}

/** Enables one of the endpoints that have answered 410. @param {import('playwright-core').Page} page @returns {Promise<string>} the path of its failed delivery */
async function enableOne(page) {
  await open(page, await ask('token webhooks:read webhooks:write'), `/endpoints/${on}`);
  await page.getByRole('button', { name: 'Enable the endpoint' }).click();
  await see(page, 'Healthy');
  await page.getByRole('link', { name: 'poster.scanned' }).first().click();
  await see(page, 'No further attempt is made by itself');
  return new URL(page.url()).hash.slice(1);
}

/** @typedef {{path: string, retry: string[], write: string[]}} Screen what is there for who may retry, and for who may write besides */

/** @param {string} failed @returns {Screen[]} */
function screens(failed) {
  const endpoint = `/endpoints/${on}`;
  return [
    { path: '/endpoints', retry: [], write: ['Add an endpoint'] },
    { path: `/endpoints/${off}`, retry: ['Send a test event'], write: ['Enable the endpoint', 'Settings'] },
    { path: `${endpoint}/deliveries`, retry: [], write: ['Settings'] },
    { path: failed, retry: ['Resend everything that has failed since then…', 'Retry'], write: [] },
    { path: `${endpoint}/recoveries`, retry: ['Start sending'], write: ['Settings'] },
    { path: `${endpoint}/test`, retry: ['Send the test event'], write: ['Settings', 'rotate it'] },
    { path: `${endpoint}/settings`, retry: [], write: ['Delete…', 'Disable…', 'Rotate…', 'Save', 'Settings'] },
    { path: '/deliveries', retry: [], write: [] },
    { path: '/event-types', retry: [], write: [] },
  ];
}

/** @param {import('playwright-core').Page} page @param {string} scopes @param {Screen} screen */
async function mayDo(page, scopes, { path, retry, write }) {
  await visit(page, path);
  const main = page.locator('main');
  const expected = scopes.endsWith('write') ? [...retry, ...write] : scopes.endsWith('retry') ? retry : [];
  for (const name of expected) await main.getByText(name, { exact: true }).first().waitFor();
  await main.locator('.loading').first().waitFor({ state: 'detached' });
  const names = [
    ...(await main.getByRole('button').allTextContents()),
    ...(await main.getByRole('link').allTextContents()),
  ].map((name) => name.trim());
  const found = names.filter((name) =>
    /^(add|send|resend|retry|start|rotate|delete|save|disable|enable|settings)/i.test(name),
  );
  const [is, ought] = [found, expected].map((list) => list.toSorted().join(', '));
  if (is !== ought) throw new Error(`with ${scopes}, ${path} has ${is || 'nothing'}, not ${ought || 'nothing'}`);
}

/** @param {import('playwright-core').Page} page */
async function account(page) {
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
  // A mail scanner asks for what is in a mail, and may even let it run; only a click uses the link up.
  for (const method of ['HEAD', 'GET']) await fetch(link, { method });
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
