// What the first screen costs, and that the frame does not wait for the API.

import { ask, DASHBOARD, receiver } from '../stage.mjs';

export const name = 'the first screen needs 60 KB and 15 requests at most, and its frame stands before the API answers';

const MOST_BYTES = 60 * 1024;
const MOST_REQUESTS = 15;

/** Holds requests until it is opened. */
function gate() {
  let open = () => {};
  const opened = new Promise((resolve) => (open = () => resolve(undefined)));
  return { opened, open };
}

/** @param {import('playwright-core').Page} page */
export async function tell(page) {
  const target = await receiver(200);
  await ask(`endpoint ${JSON.stringify({ url: target.url, events: ['*'] })}`);
  const token = await ask('token webhooks:read');
  let bytes = 0;
  /** @type {string[]} */
  const requests = [];
  const network = await page.context().newCDPSession(page);
  await network.send('Network.enable');
  network.on('Network.loadingFinished', ({ encodedDataLength }) => {
    bytes += encodedDataLength;
  });
  page.on('request', (request) => requests.push(request.url()));
  const whoIsIt = gate();
  const whatIsThere = gate();
  await page.route(/\/api\/integrations\/webhooks/, async (route) => {
    await (route.request().url().endsWith('/token') ? whoIsIt : whatIsThere).opened;
    await route.continue();
  });

  // What is loaded when there is time, seconds later, is not needed for the first screen; other stories are told meanwhile.
  await page.clock.install();
  await page.clock.pauseAt(Date.now() + 1_000);
  await page.goto(`${DASHBOARD}#token=${token}`);
  await page.getByRole('link', { name: 'Webhooks' }).waitFor();
  await page.locator('main .loading').waitFor();
  whoIsIt.open();
  await page.getByRole('navigation', { name: 'Main' }).waitFor();
  await page.getByRole('heading', { name: 'Endpoints', exact: true }).waitFor();
  whatIsThere.open();
  await page.getByRole('table', { name: 'Endpoints' }).waitFor();

  const first = requests.filter((url) => !url.startsWith('data:') && !/\/stats|chart\.js|figures\.js/.test(url));
  if (first.length > MOST_REQUESTS) throw new Error(`${first.length} requests: ${first.join(' ')}`);
  if (bytes > MOST_BYTES) throw new Error(`${bytes} bytes`);
  if (requests.some((url) => url.includes(token)) || page.url().includes(token))
    throw new Error('an address has the token');
  if (await page.evaluate(() => localStorage.length)) throw new Error('something is kept for good');
  target.close();
}
