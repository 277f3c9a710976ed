// What stories are told on: a browser, a workspace of their own at the deployed stack, receivers that answer what they are told
// to, and a look at each screen for what shuts people out.

import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** @typedef {import('playwright-core').Page} Page */

/** The address of the dashboard, with a slash at the end. */
export const DASHBOARD = process.argv[2] ?? '';
/** A folder for a picture of each screen that is looked at; none if it is not set. */
const PICTURES = process.env.DASHBOARD_PICTURES;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** What a screen is looked at in. Colours depend on the scheme and the form on the width, so two of the four are enough for axe. */
const LOOKS = /** @type {const} */ ([
  { width: 1600, colorScheme: 'light', isAsked: true },
  { width: 1600, colorScheme: 'dark', isAsked: false },
  { width: 390, colorScheme: 'light', isAsked: false },
  { width: 390, colorScheme: 'dark', isAsked: true },
]);

/**
 * Has something done at the stack by the test that runs this, in the workspace that was named last:
 *   workspace NAME        a new one at first      -> its id
 *   endpoint BODY         creates one             -> its id
 *   events N [TYPE]       sends so many           -> anything
 *   link SCOPES           a link for the customer -> its address
 *   token SCOPES          another token           -> the token
 *   revoke TOKEN                                  -> anything
 * @param {string} what
 * @returns {Promise<string>}
 */
export async function ask(what) {
  console.log(what);
  return (await answers.next()).value;
}

/** A receiver that answers what it is told to. @param {number} status @param {string} [body] */
export async function receiver(status, body = 'ok') {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => response.writeHead(state.status, { 'content-type': 'text/html' }).end(state.body));
  });
  const state = { status, body, url: '', close: () => server.close() };
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  state.url = `http://127.0.0.1:${port}/hooks`;
  return state;
}

/** @type {string[]} */
export const failures = [];

/**
 * Tells a story in a window of its own. Errors of the page, what its policy forbids, scripts that somebody
 * sent, and requests to other origins fail it.
 * @param {import('playwright-core').Browser} browser
 * @param {string} name
 * @param {(page: Page) => Promise<void>} act
 */
export async function story(browser, name, act) {
  const started = Date.now();
  const context = await browser.newContext({
    viewport: { width: 1600, height: 1000 },
    locale: 'en-GB',
    timezoneId: 'Europe/Prague',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  /** @type {string[]} */
  const wrong = [];
  page.on('pageerror', ({ message }) => wrong.push(message));
  page.on('dialog', (dialog) => wrong.push(`a script ran: ${dialog.message()}`));
  page.on('console', (line) => {
    if (line.type() === 'error' && !line.text().startsWith('Failed to load resource')) wrong.push(line.text());
  });
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol !== 'data:' && origin !== new URL(DASHBOARD).origin) wrong.push(`asks ${request.url()}`);
  });
  try {
    await act(page);
  } catch (error) {
    wrong.push(`${error instanceof Error ? error.stack : error}\n  at ${page.url()}`);
    if (PICTURES) await page.screenshot({ path: join(PICTURES, `failed-${name.replaceAll(/\W+/g, '-')}.png`) });
  }
  if (wrong.length > 0) failures.push(`${name}:\n  ${wrong.join('\n  ')}`);
  await context.close();
  console.error(`${name}: ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

/** Opens a screen with a token. @param {Page} page @param {string} token @param {string} path */
export async function open(page, token, path) {
  await page.goto('about:blank');
  await page.goto(`${DASHBOARD}#token=${token}&to=${encodeURIComponent(path)}`);
  await page.getByRole('heading', { level: 1 }).waitFor();
}

/** Opens another screen in the same session. @param {Page} page @param {string} path */
export async function visit(page, path) {
  await page.goto(`${DASHBOARD}#${path}`);
  await page.getByRole('heading', { level: 1 }).waitFor();
}

/** Waits until a text is on the page. @param {Page} page @param {string} text */
export const see = (page, text) => page.getByText(text, { exact: false }).first().waitFor();

/**
 * Looks at the screen as it is, narrow and wide, light and dark.
 * @param {Page} page
 * @param {string} name of the screen and its state, for its pictures
 */
export async function look(page, name) {
  const debug = await page.context().newCDPSession(page);
  // The debugger puts it there, which the page's policy does not bind.
  await debug.send('Runtime.evaluate', { expression: axe });
  for (const { width, colorScheme, isAsked } of LOOKS.filter(({ isAsked }) => isAsked || PICTURES)) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: width === 390 ? 844 : 1000 });
    if (await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth))
      throw new Error(`${name} is wider than ${width} px`);
    if (isAsked) await askAxe(page, `${name}, ${width} px, ${colorScheme}`);
    if (PICTURES) {
      mkdirSync(PICTURES, { recursive: true });
      const fullPage = !(await page.locator('dialog[open], :popover-open').count());
      await page.screenshot({ path: join(PICTURES, `${name}-${width}-${colorScheme}.png`), fullPage });
    }
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 1600, height: 1000 });
  await debug.detach();
}

/** @param {Page} page @param {string} what */
async function askAxe(page, what) {
  const found = await page.evaluate(async () => {
    const { violations } = await /** @type {any} */ (window).axe.run(document, { resultTypes: ['violations'] });
    return violations.map(
      (/** @type {any} */ { id, nodes }) => `${id}: ${nodes.map((/** @type {any} */ node) => node.target).join(' ')}`,
    );
  });
  if (found.length > 0) throw new Error(`${what}: ${found.join(', ')}`);
}
