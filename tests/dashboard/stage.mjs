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
/** How long anything is waited for. On a busy machine, what takes a second elsewhere takes a minute. */
const PATIENCE_MS = 180_000;
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** The rules of axe that depend on colours. The form depends on the width only, so all others need one scheme of each width. */
const OF_COLOURS = ['color-contrast', 'link-in-text-block'];

/** What a screen is looked at in, and by which rules: all of them if none are named. */
const LOOKS = /** @type {const} */ ([
  { width: 1600, colorScheme: 'light', rules: null },
  { width: 1600, colorScheme: 'dark', rules: OF_COLOURS },
  { width: 390, colorScheme: 'light', rules: OF_COLOURS },
  { width: 390, colorScheme: 'dark', rules: null },
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
 * Tells a story in a window of its own. Errors of its pages, what their policy forbids, scripts that somebody
 * sent, and requests to other origins fail it.
 * @param {import('playwright-core').Browser} browser
 * @param {{name: string, tell: (page: Page) => Promise<void>, reader?: import('playwright-core').BrowserContextOptions, expected?: RegExp}} told
 * `expected` is an error that belongs to the story.
 */
export async function story(browser, { name, tell, reader, expected }) {
  const started = Date.now();
  const context = await browser.newContext({
    viewport: { width: 1600, height: 1000 },
    locale: 'en-GB',
    timezoneId: 'Europe/Prague',
    permissions: ['clipboard-read', 'clipboard-write'],
    ...reader,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  /** @type {string[]} */
  const wrong = [];
  context.on('weberror', (web) => {
    const { message } = web.error();
    if (!expected?.test(message)) wrong.push(message);
  });
  context.on('dialog', (dialog) => {
    wrong.push(`a script ran: ${dialog.message()}`);
    dialog.dismiss();
  });
  context.on('console', (line) => {
    if (line.type() === 'error' && !line.text().startsWith('Failed to load resource')) wrong.push(line.text());
  });
  context.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol !== 'data:' && origin !== new URL(DASHBOARD).origin) wrong.push(`asks ${request.url()}`);
  });
  const page = await context.newPage();
  try {
    await tell(page);
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
  await lookIn(page, name, LOOKS);
}

/**
 * Looks at a state of a screen that is looked at in full in another one: wide and light, narrow and dark, there by colours.
 * @param {Page} page
 * @param {string} name
 */
export async function glance(page, name) {
  const [first, , , last] = LOOKS;
  await lookIn(page, name, PICTURES ? LOOKS : [first, { ...last, rules: OF_COLOURS }]);
}

/**
 * @param {Page} page
 * @param {string} name
 * @param {readonly {width: number, colorScheme: 'light' | 'dark', rules: readonly string[] | null}[]} looks
 */
async function lookIn(page, name, looks) {
  const debug = await page.context().newCDPSession(page);
  // The debugger puts it there, which the page's policy does not bind.
  await debug.send('Runtime.evaluate', { expression: axe });
  for (const { width, colorScheme, rules } of looks) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: width === 390 ? 844 : 1000 });
    if (await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth))
      throw new Error(`${name} is wider than ${width} px`);
    await askAxe(page, `${name}, ${width} px, ${colorScheme}`, rules);
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

/** @param {Page} page @param {string} what @param {readonly string[] | null} rules */
async function askAxe(page, what, rules) {
  const found = await page.evaluate(async (rules) => {
    const only = rules ? { runOnly: { type: 'rule', values: rules } } : {};
    const { violations } = await /** @type {any} */ (window).axe.run(document, {
      resultTypes: ['violations'],
      ...only,
    });
    return violations.map(
      (/** @type {any} */ { id, nodes }) => `${id}: ${nodes.map((/** @type {any} */ node) => node.target).join(' ')}`,
    );
  }, rules);
  if (found.length > 0) throw new Error(`${what}: ${found.join(', ')}`);
}

/** What can be operated. Of radio buttons that belong together, Tab stops at the one that is chosen. */
const CONTROLS = 'a[href], button, input:not([type="radio"]:not(:checked)), select, textarea, summary, [tabindex="0"]';

/** Notes what reacts to a click, for {@link walk}. Call it before the page is opened. @param {Page} page */
export async function noteClicks(page) {
  await page.addInitScript(() => {
    const clicked = new Set();
    const add = EventTarget.prototype.addEventListener;
    EventTarget.prototype.addEventListener = function (type, ...rest) {
      if (type === 'click') clicked.add(this);
      return add.call(this, type, ...rest);
    };
    Object.assign(window, { clicked });
  });
}

/**
 * Walks over the screen with the Tab key: everything that can be operated is to be reached, and to show it then.
 * @param {Page} page
 * @param {string} name of the screen
 */
export async function walk(page, name) {
  const stops = await page.evaluate((controls) => {
    const isThere = (/** @type {Element} */ element) => element.checkVisibility({ visibilityProperty: true });
    const wanted = new Set([...document.querySelectorAll(controls)].filter(isThere));
    const walked = { wanted, dark: /** @type {string[]} */ ([]) };
    for (const element of /** @type {any} */ (window).clicked) {
      if (element instanceof Element && element.isConnected && isThere(element)) wanted.add(element);
    }
    const isShown = (/** @type {Element} */ element) =>
      [undefined, '::after'].some((part) => getComputedStyle(element, part).outlineStyle !== 'none');
    document.addEventListener('focusin', ({ target }) => {
      const element = /** @type {HTMLElement} */ (target);
      if (wanted.delete(element) && !isShown(element)) walked.dark.push(element.outerHTML.slice(0, 120));
    });
    Object.assign(window, { walked });
    return wanted.size;
  }, CONTROLS);
  // Fields of a date have a stop for each of their parts.
  for (let presses = 0; presses < 2 * stops + 60; presses++) {
    await page.keyboard.press('Tab');
    if (presses % 20 === 19 && (await page.evaluate(() => /** @type {any} */ (window).walked.wanted.size)) === 0) break;
  }
  const [missed, dark] = await page.evaluate(() => {
    const { wanted, dark } = /** @type {any} */ (window).walked;
    return [[...wanted].map((element) => element.outerHTML.slice(0, 120)), dark];
  });
  if (missed.length > 0) throw new Error(`${name}: Tab does not reach ${missed.join(', ')}`);
  if (dark.length > 0) throw new Error(`${name}: nobody sees that these have the focus: ${dark.join(', ')}`);
}

/** Waits until something holds that is not on the page. @param {() => boolean | Promise<boolean>} holds @param {string} what */
export async function until(holds, what) {
  for (const started = Date.now(); Date.now() - started < PATIENCE_MS; ) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`this did not happen: ${what}`);
}
