// What people do with the dashboard, in a real browser, against a deployed stack. The test that runs this is told, a line at
// a time, what it is to do at the stack, and answers each line with one of its own:
//   events N    N events for the workspace          -> anything
//   link SCOPES a link for the customer             -> its address
//   token SCOPES another token                      -> the token
//   revoke TOKEN                                    -> anything
// Prints what fails, and then fails.

import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { launch } from './browser.mjs';

const [dashboard = '', wanted = ''] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const patience = { timeout: 60_000 };

/** Has something done at the stack. @param {string} what */
async function ask(what) {
  console.log(what);
  return (await lines.next()).value;
}

/** A receiver that answers what it is told to. */
async function receiver() {
  const state = { status: 200, body: 'ok', url: '', close: () => {} };
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => response.writeHead(state.status, { 'content-type': 'text/html' }).end(state.body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  state.url = `http://127.0.0.1:${port}/hooks`;
  state.close = () => server.close();
  return state;
}

const browser = await launch(mkdtempSync(join(tmpdir(), 'browser-')));
/** @type {string[]} */
const failures = [];

/**
 * A story in a window of its own. Errors of the page, what its policy forbids, and requests to other origins fail it.
 * @param {string} name
 * @param {(page: import('playwright-core').Page) => Promise<void>} act
 */
async function story(name, act) {
  if (!name.includes(wanted)) return;
  const context = await browser.newContext({ viewport: { width: 1600, height: 1000 }, locale: 'en-GB' });
  const page = await context.newPage();
  page.setDefaultTimeout(patience.timeout);
  /** @type {string[]} */
  const wrong = [];
  page.on('pageerror', ({ message }) => wrong.push(message));
  page.on('console', (line) => {
    if (line.type() === 'error' && !line.text().startsWith('Failed to load resource')) wrong.push(line.text());
  });
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(new URL(dashboard).origin) && !url.startsWith('data:')) wrong.push(`asks ${url}`);
  });
  try {
    await act(page);
  } catch (error) {
    wrong.push(String(error));
  }
  if (wrong.length > 0) failures.push(`${name}: ${wrong.join('\n  ')}`);
  await context.close();
}

/** @param {import('playwright-core').Page} page @param {string} token @param {string} path */
async function open(page, token, path) {
  await page.goto('about:blank');
  await page.goto(`${dashboard}#token=${token}&to=${encodeURIComponent(path)}`);
  await page.getByRole('heading', { level: 1 }).waitFor();
}

/**
 * Looks at the screen as it is, narrow and wide, light and dark, for what shuts people out.
 * @param {import('playwright-core').Page} page
 */
async function look(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('Runtime.evaluate', { expression: axe });
  for (const width of [390, 1600]) {
    await page.setViewportSize({ width, height: 1000 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    if (wide) throw new Error(`${page.url()} is wider than ${width} px`);
    for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
      await page.emulateMedia({ colorScheme });
      const found = await page.evaluate(async () => {
        const { violations } = await /** @type {any} */ (window).axe.run(document, { resultTypes: ['violations'] });
        return violations.map((/** @type {any} */ violation) => `${violation.id}: ${violation.nodes[0].target}`);
      });
      if (found.length > 0) throw new Error(`${page.url()} ${width} ${colorScheme}: ${found.join(', ')}`);
    }
  }
}

/** Waits until something is true on the page, asking it again. @param {import('playwright-core').Page} page @param {string} text */
const see = (page, text) => page.getByText(text, { exact: false }).first().waitFor(patience);

/** @param {import('playwright-core').Page} page @param {string} url */
async function add(page, url) {
  await page.getByRole('link', { name: 'Add an endpoint' }).click();
  await page.getByLabel('URL').fill(url);
  await look(page);
  await page.getByRole('button', { name: 'Add the endpoint' }).click();
  await see(page, 'Store its signing secret now');
  return /\/endpoints\/([^/]+)/.exec(page.url())?.[1] ?? '';
}

await story('the journey: link, create, test, understand, repair, recover, rotate, disable, delete', async (page) => {
  const target = await receiver();
  target.status = 401;
  target.body = '<script>document.title = "no"</script>';
  const link = await ask('link webhooks:read webhooks:write');
  await page.goto(dashboard + new URL(link).hash);
  await page.getByRole('button', { name: 'Open the dashboard' }).click();
  await page.getByRole('heading', { name: 'Endpoints', exact: true }).waitFor();
  await look(page);

  const id = await add(page, target.url);
  await page.getByRole('button', { name: 'Send the test event' }).click();
  await see(page, 'The receiver answered 401');
  await see(page, '<script>document.title');
  await look(page);

  await ask('events 3');
  await page.getByRole('link', { name: 'Deliveries' }).last().click();
  await page.getByLabel('State').selectOption('failed');
  await page.getByText('4 deliveries').waitFor(patience);
  await look(page);
  await page.getByRole('link', { name: /\./ }).nth(2).click();
  await see(page, 'No further attempt is made by itself');
  await look(page);
  await page.getByRole('link', { name: /^evt_/ }).click();
  await see(page, 'What became of it');
  await look(page);
  await page.goBack();

  target.status = 200;
  await page.getByRole('link', { name: 'Send everything again', exact: false }).click();
  await page.getByLabel('From').fill(new Date(Date.now() - 3_600_000).toISOString().slice(0, 19));
  await look(page);
  await page.getByRole('button', { name: 'Start sending' }).click();
  await page.getByText('Finished', { exact: true }).waitFor(patience);
  await see(page, 'All 3 arrived');
  await look(page);

  await page.goto(`${dashboard}#/endpoints/${id}`);
  await see(page, 'Latest deliveries');
  await look(page);
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByRole('button', { name: 'Rotate…' }).click();
  await look(page);
  await page.getByRole('button', { name: 'Rotate the secret' }).click();
  await see(page, 'This is the new signing secret');
  await page.getByRole('link', { name: 'Settings' }).click();
  await look(page);
  await page.getByRole('button', { name: 'Disable…' }).click();
  await page.getByRole('button', { name: 'Disable it' }).click();
  await page.getByRole('button', { name: 'Enable', exact: true }).waitFor(patience);
  await page.getByRole('button', { name: 'Delete…' }).click();
  await page.getByRole('button', { name: 'Delete it for good' }).click();
  await page.getByRole('heading', { name: 'Endpoints', exact: true }).waitFor();
  target.close();
});

await story('by keyboard only, from a link to a recovered delivery', async (page) => {
  const target = await receiver();
  target.status = 500;
  const token = await ask('token webhooks:read webhooks:write');
  await open(page, token, '/endpoints');
  await add(page, target.url);
  await ask('events 1');
  await page.getByRole('link', { name: 'Deliveries' }).last().click();
  await page.getByLabel('State').selectOption('failed');
  await page.getByText('1 delivery').waitFor(patience);
  target.status = 200;
  const press = (/** @type {string} */ key) => page.keyboard.press(key);
  const reach = async (/** @type {RegExp} */ name) => {
    for (let presses = 0; presses < 80; presses++) {
      await press('Tab');
      if (name.test(await page.evaluate(() => document.activeElement?.textContent ?? ''))) return;
    }
    throw new Error(`${name} can't be reached by keyboard`);
  };
  const link = await ask('link webhooks:read webhooks:retry');
  await page.evaluate(() => sessionStorage.clear());
  await page.goto('about:blank');
  await page.goto(dashboard + new URL(link).hash);
  await page.getByRole('button', { name: 'Open the dashboard' }).waitFor();
  await press('Enter');
  await page.getByRole('table').waitFor();
  await reach(/127\.0\.0\.1/);
  await press('Enter');
  await see(page, 'Latest deliveries');
  await reach(/^\w+\.\w+/);
  await press('Enter');
  await page.getByRole('button', { name: 'Retry' }).waitFor(patience);
  await reach(/^Retry$/);
  await press('Enter');
  await see(page, 'Delivered after');
  target.close();
});

await story('a token that ends in the middle loses nothing', async (page) => {
  const target = await receiver();
  const token = await ask('token webhooks:read webhooks:write');
  await open(page, token, '/endpoints');
  await add(page, target.url);
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByLabel('Description').fill('Half typed');
  await ask(`revoke ${token}`);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('dialog').waitFor();
  await look(page);
  await page.getByLabel('Token').fill(await ask('token webhooks:read webhooks:write'));
  await page.keyboard.press('Enter');
  await see(page, 'Saved');
  if ((await page.getByLabel('Description').inputValue()) !== 'Half typed') throw new Error('what was typed is lost');
  target.close();
});

await story('buttons that a token does not allow are absent', async (page) => {
  const token = await ask('token webhooks:read');
  for (const path of ['/endpoints', '/deliveries', '/event-types']) {
    await open(page, token, path);
    await look(page);
    const names = await page.locator('main').getByRole('button').allTextContents();
    const wrong = names.filter((name) => /add|send|retry|start|rotate|delete|save/i.test(name));
    if (wrong.length > 0) throw new Error(`${path} has ${wrong.join(', ')}`);
  }
});

await story('the first screen needs 60 KB and 15 requests at most, and no address ever has a token', async (page) => {
  const token = await ask('token webhooks:read');
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  let bytes = 0;
  session.on('Network.loadingFinished', ({ encodedDataLength }) => {
    bytes += encodedDataLength;
  });
  /** @type {string[]} */
  const requests = [];
  page.on('request', (request) => requests.push(request.url()));
  await open(page, token, '/endpoints');
  await page.getByRole('heading', { name: 'Endpoints', exact: true }).waitFor();
  await page.locator('main table, main .state').first().waitFor();
  const first = requests.filter((url) => !url.startsWith('data:') && !/stats|chart|figures/.test(url));
  if (first.length > 15) throw new Error(`${first.length} requests: ${first.join(' ')}`);
  if (bytes > 60 * 1024) throw new Error(`${bytes} bytes`);
  if (requests.some((url) => url.includes(token)) || page.url().includes(token)) throw new Error('an address has the token');
});

await browser.close();
for (const failure of failures) console.error(failure);
process.exit(failures.length > 0 ? 1 : 0);
