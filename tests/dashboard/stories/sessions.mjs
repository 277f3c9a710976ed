// Several tabs: a session is handed from one to another, also when it ends in the middle, and signing out ends it in all.

import * as made from '../answers.mjs';
import { pretend, refusal } from '../api.mjs';
import { DASHBOARD, open, see } from '../stage.mjs';

export const name = 'a session is handed from tab to tab, replaced when it ends in the middle, and ended in all tabs';

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {Awaited<ReturnType<typeof pretend>>} Api */

const SCOPES = ['webhooks:read', 'webhooks:write'];
const RETURN = 'https://app.example.com/settings';

/** @param {Page} page */
export async function tell(page) {
  let stored = made.endpoint();
  const api = await pretend(page.context(), {
    'GET ': { data: [stored], meta: made.meta(1) },
    'GET /event-types': { data: made.eventTypes(3) },
    'GET /deliveries': { data: [], meta: { next: null, per_page: 20 } },
    'GET /{id}': () => ({ body: stored }),
    'GET /{id}/stats': made.statistics(24, 0),
    'PATCH /{id}': (request) => {
      stored = { ...stored, ...request.postDataJSON() };
      return { body: stored };
    },
    'POST /sessions': refusal(401, 'the link is not valid'),
  });
  await open(page, 'efa_sk_one', '/endpoints/whe_one/settings');
  const second = await opensWithoutSigningIn(page);
  const other = await endsInTheMiddle(page, api);
  await isHandedLater(second);
  await signsOut(page, second, other);
}

/** @param {Page} page @returns {Promise<Page>} */
async function opensWithoutSigningIn(page) {
  const second = await page.context().newPage();
  await second.goto(`${DASHBOARD}#/deliveries`);
  await second.getByRole('heading', { name: 'Deliveries', exact: true }).waitFor();
  await see(second, 'Nothing has been sent yet');
  return second;
}

/** @param {Page} page @param {Api} api @returns {Promise<Page>} a tab of another workspace */
async function endsInTheMiddle(page, api) {
  await page.getByLabel('Description').fill('Half typed');
  api.tokens = {
    efa_sk_two: { workspace_id: 'ws_one', scopes: SCOPES, expires_at: null },
    efa_sk_other: { workspace_id: 'ws_other', scopes: SCOPES, expires_at: null },
  };
  await page.getByRole('button', { name: 'Save' }).click();
  const dialog = page.getByRole('dialog', { name: 'Your access has ended' });
  await dialog.waitFor();
  // It can't be closed, because then what waits for it would wait for ever.
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  const other = await page.context().newPage();
  await open(other, 'efa_sk_other', '/deliveries');
  await see(other, 'ws_other');
  if (!(await dialog.isVisible())) throw new Error('the session of another workspace is taken over');

  const third = await page.context().newPage();
  await third.goto(`${DASHBOARD}#link=efa_link_one`);
  const expires_at = made.ago(-200);
  api.answers['POST /sessions'] = {
    token: 'efa_sk_two',
    workspace_id: 'ws_one',
    scopes: SCOPES,
    expires_at,
    return_url: RETURN,
  };
  await third.getByRole('button', { name: 'Open the dashboard' }).click();
  await third.getByRole('heading', { name: 'Endpoints', exact: true }).waitFor();
  await see(third, 'Your access ends soon');
  await third.getByRole('button', { name: 'ws_one' }).click();
  const back = await third.getByRole('link', { name: 'Back to where you came from' }).getAttribute('href');
  if (back !== RETURN) throw new Error(`the way back is ${back}`);

  await dialog.waitFor({ state: 'detached' });
  await see(page, 'Saved');
  if ((await page.getByLabel('Description').inputValue()) !== 'Half typed') throw new Error('what was typed is lost');
  const saved = api.done.filter(({ what }) => what === 'PATCH /whe_one').map(({ body }) => JSON.stringify(body));
  if (saved.join() !== '{"description":"Half typed"},{"description":"Half typed"}')
    throw new Error(`what was saved: ${saved}`);
  return other;
}

/** A tab that nobody has looked at notices it later. @param {Page} second */
async function isHandedLater(second) {
  await second.getByRole('link', { name: 'Event types' }).click();
  await see(second, 'Signed in again');
  await see(second, 'order.number_0');
}

/** @param {Page} page @param {Page} second of the same token @param {Page} other of another workspace */
async function signsOut(page, second, other) {
  await page.getByRole('button', { name: 'ws_one' }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  for (const tab of [page, second]) {
    await tab.getByRole('heading', { name: 'Sign in' }).waitFor();
    const kept = await tab.evaluate(() => JSON.stringify({ ...sessionStorage, ...localStorage }));
    if (kept.includes('efa_')) throw new Error(`what is kept after signing out: ${kept}`);
  }
  if (!(await other.getByRole('button', { name: 'ws_other' }).isVisible()))
    throw new Error('signing out of a workspace ends the session of another one');
}
