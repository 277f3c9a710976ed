// In a frame: the origins that `DashboardFrameAncestors` names may show the dashboard, and no other.

import { once } from 'node:events';
import { createServer } from 'node:http';
import * as made from '../answers.mjs';
import { pretend } from '../api.mjs';
import { DASHBOARD, until } from '../stage.mjs';

export const name = 'an origin that is named may show the dashboard in a frame, and another may not';

/** As `docs/dashboard.md` tells how to embed it. */
const FRAME = `<iframe width="1000" height="800" title="Webhooks" allow="clipboard-write"
  sandbox="allow-scripts allow-same-origin allow-forms allow-top-navigation-by-user-activation" src="PLACE"></iframe>`;
const RETURN = 'https://app.example.com/settings';

/** @param {import('playwright-core').Page} page */
export async function tell(page) {
  const product = createServer((_, response) => {
    const html = `<!doctype html><html lang="en"><title>Product</title>${FRAME.replace('PLACE', `${DASHBOARD}#link=efa_link_one`)}`;
    response.writeHead(200, { 'content-type': 'text/html' }).end(html);
  });
  product.listen(0, '127.0.0.1');
  await once(product, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (product.address());
  // In windows of their own: a browser says on the console that it refuses a frame, and the product is another origin.
  const browser = /** @type {import('playwright-core').Browser} */ (page.context().browser());
  await isShown(browser, `http://localhost:${port}`);
  await isRefused(browser, `http://127.0.0.1:${port}`);
  product.close();
}

/** @param {import('playwright-core').Browser} browser @param {string} origin */
async function inWindow(browser, origin) {
  const context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] });
  /** @type {string[]} */
  const said = [];
  context.on('console', (line) => {
    // The first field of a page has the focus, which the browser leaves to the page around it.
    if (line.type() === 'error' && !line.text().startsWith('Blocked autofocusing')) said.push(line.text());
  });
  const page = await context.newPage();
  return { context, page, said, open: () => page.goto(origin) };
}

/** @param {import('playwright-core').Browser} browser @param {string} origin */
async function isShown(browser, origin) {
  const { context, page, said, open } = await inWindow(browser, origin);
  await pretend(context, {
    'GET ': { data: [made.endpoint()], meta: made.meta(1) },
    'GET /{id}': made.endpoint(),
    'GET /{id}/stats': made.statistics(24, 8),
    'GET /{id}/deliveries': { data: [], meta: made.meta(0) },
    'POST /sessions': {
      token: 'efa_sk_one',
      workspace_id: 'ws_one',
      scopes: ['webhooks:read', 'webhooks:write'],
      expires_at: made.ago(-3_600),
      return_url: RETURN,
    },
  });
  await context.route(RETURN, (route) => route.fulfill({ contentType: 'text/html', body: 'back' }));
  await open();
  const frame = page.frameLocator('iframe');
  await frame.getByRole('button', { name: 'Open the dashboard' }).click();
  await frame.getByRole('link', { name: /^orders\.example\.com/ }).click();
  await frame.getByRole('button', { name: 'Copy the id' }).click();
  await frame.getByText('Copied the id').waitFor();
  if (said.length > 0) throw new Error(`in a frame: ${said.join(', ')}`);
  await frame.getByRole('button', { name: 'ws_one' }).click();
  await frame.getByRole('link', { name: 'Back to where you came from' }).click();
  await page.waitForURL(RETURN);
  await context.close();
}

/** @param {import('playwright-core').Browser} browser @param {string} origin */
async function isRefused(browser, origin) {
  const { context, page, said, open } = await inWindow(browser, origin);
  await open();
  await until(() => said.some((line) => line.includes('frame-ancestors')), 'the browser refuses the frame');
  const shown = await page.frameLocator('iframe').getByText('Webhooks').count();
  if (shown > 0) throw new Error(`${origin} shows the dashboard in a frame`);
  await context.close();
}
