/**
 * Starts the application: the frame, who is signed in, and one screen at a time.
 */

import { html, nothing, render } from '../vendor/lit-html.js';
import { call, onUnauthorized, Problem } from './api.js';
import { asProblem } from './parts/live.js';
import { ago, exact } from './parts/time.js';
import { failing, loading, say } from './parts/view.js';
import { address, HOME, parse } from './route.js';
import { begin, borrow, can, credentials, end, keepLink, lend, pendingLink, session } from './session.js';

/**
 * What a screen works with. `paint` shows a title and a template; `again` says that only the query has changed, so that
 * what is on screen may stay until there is an answer; `go` opens another address.
 * @typedef {object} Stage
 * @property {import('./route.js').Route} route
 * @property {AbortSignal} signal ends when the reader leaves the screen
 * @property {boolean} again
 * @property {(title: string, template: unknown) => void} paint
 * @property {(address: string, how?: {replace: boolean}) => void} go
 */

/** The screens that are not there at first, to load once the first one stands. */
const SCREENS = [
  'sign-in',
  'endpoints',
  'overview',
  'create',
  'history',
  'delivery',
  'deliveries',
  'event',
  'types',
  'test',
  'recoveries',
  'recovery',
  'settings',
];

const main = /** @type {HTMLElement} */ (document.querySelector('#main'));
const frame = /** @type {HTMLElement} */ (document.querySelector('#frame'));

let leave = new AbortController();
let place = '';
let page = ''; // Of a list.
let box = document.createElement('div');
let rest = false;
/** @type {Promise<void> | null} */
let asking = null;

frame.replaceChildren(); // What stood there until this runs.
drawFrame();
clear();
onUnauthorized(askAgain);
addEventListener('hashchange', arrive);
lend(() => location.reload());
await arrive();
setInterval(drawFrame, 30_000);

/** Opens what the address says, after taking a token or a link out of it. */
async function arrive() {
  const brought = credentials(location.hash);
  if (brought) {
    history.replaceState(null, '', `#${brought.to || HOME}`);
    keepLink(brought.link);
    if (brought.token) return signInWith(brought.token);
  } else if (!session() && !pendingLink()) {
    const borrowed = await borrow();
    if (borrowed) begin(borrowed);
  }
  await open();
}

/**
 * Opens the screen with a token, which takes the place of another one only if it is valid.
 * @param {string} token that came with the address
 */
async function signInWith(token) {
  try {
    begin({ token, ...(await call('get', '/token', { token })) });
    place = ''; // What is on screen may be another workspace's.
  } catch (error) {
    const problem = asProblem(error);
    if (problem.status !== 401) return tryAgain(problem, () => signInWith(token));
    const still = session();
    const otherwise = still ? ` You are still signed in to ${still.workspace_id}.` : '';
    say(`The token in the address is not valid any more.${otherwise}`);
  }
  await open();
}

/**
 * Shows, in place of a screen, that signing in failed; the token is in memory only and would be lost otherwise.
 * @param {Problem} problem
 * @param {() => void} again
 */
function tryAgain(problem, again) {
  leave.abort();
  place = '';
  clear();
  render(failing(problem, again), box);
}

/** Opens the screen of the present address. */
async function open() {
  leave.abort();
  leave = new AbortController();
  const { signal } = leave;
  const route = parse(location.hash);
  const name =
    !session() || pendingLink() ? 'sign-in' : route && !can('read') ? 'no-reading' : (route?.screen ?? 'unknown');
  const here = [name, ...Object.values(route?.params ?? {})].join('/');
  const again = here === place;
  const leaf = [route?.query.get('page'), route?.query.get('cursor')].join();
  if (!again) clear();
  else if (leaf !== page) scrollTo(0, 0);
  place = here;
  page = leaf;
  drawFrame();
  /** @type {Stage} */
  const stage = {
    route: route ?? { screen: name, params: {}, query: new URLSearchParams() },
    signal,
    again,
    paint: painter(signal),
    go,
  };
  box.setAttribute('aria-busy', 'true');
  if (name === 'no-reading') return noReading(stage);
  if (name === 'unknown') return unknown(stage);
  const screen = await load(name, signal);
  if (signal.aborted) return;
  screen?.open(stage, open);
  if (name !== 'sign-in') loadTheRest();
}

/** Makes room for another screen, in an element of its own so that nothing of the old one stays. */
function clear() {
  box = document.createElement('div');
  render(loading(), box);
  main.replaceChildren(box);
  scrollTo(0, 0);
}

/**
 * @param {AbortSignal} signal
 * @returns {Stage['paint']}
 */
function painter(signal) {
  const target = box;
  let first = true;
  return (title, template) => {
    if (signal.aborted) return;
    render(template, target);
    target.removeAttribute('aria-busy');
    document.title = `${title} – Webhooks`;
    if (first && !target.contains(document.activeElement)) focusHeading(target);
    first = false;
  };
}

/**
 * Moves the focus to the new screen's heading, so that the keyboard goes on there and screen readers read it.
 * @param {HTMLElement} target
 */
function focusHeading(target) {
  if (document.querySelector('dialog[open]')) return;
  const heading = /** @type {HTMLElement | null} */ (target.querySelector('[autofocus]') ?? target.querySelector('h1'));
  if (
    document.activeElement &&
    document.activeElement !== document.body &&
    frame.contains(document.activeElement) === false
  )
    return;
  if (heading?.tagName === 'H1') heading.tabIndex = -1;
  heading?.focus({ preventScroll: true });
}

/**
 * @param {string} to
 * @param {{replace: boolean}} [how]
 */
function go(to, how = { replace: false }) {
  if (!how.replace) location.hash = to;
  else {
    history.replaceState(null, '', to);
    arrive();
  }
}

/**
 * Loads a screen's module. After an upgrade of the stack its old address is gone: then only a reload helps.
 * @param {string} name
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
async function load(name, signal) {
  try {
    return await import(`./screens/${name}.js`);
  } catch (error) {
    reportError(error);
    if (signal?.aborted) return null;
    render(
      html`<div class="state" role="alert"><h1>This part could not be loaded</h1><p>There may be a newer version of the dashboard, or no connection.</p><button @click=${() => location.reload()}>Reload</button></div>`,
      box,
    );
    return null;
  }
}

/** Loads all other screens when there is time, so that an upgrade of the stack does not break an open page. */
function loadTheRest() {
  if (rest) return;
  rest = true;
  setTimeout(() => {
    for (const name of SCREENS) import(`./screens/${name}.js`).catch(() => (rest = false));
  }, 3000);
}

/** @param {Stage} stage */
function unknown({ paint }) {
  paint(
    'Not found',
    html`<div class="state"><h1>There is no such page</h1><p>The address may be cut off.</p><a class="button" href=${address(HOME)}>Go to your endpoints</a></div>`,
  );
}

/** @param {Stage} stage */
function noReading({ paint }) {
  paint(
    'No access',
    html`<div class="state"><h1>This token can't read</h1><p>To look around here, a token needs the scope <code>webhooks:read</code>. Ask whoever gave it to you for another one.</p><button @click=${signOut}>Use another token</button></div>`,
  );
}

/** Asks for another token in a dialog, above the screen, which keeps everything that was entered. */
function askAgain() {
  asking ??= (async () => {
    const signIn = await import('./screens/sign-in.js').catch((error) => {
      reportError(error);
      throw new Problem(401, 'your access has ended; reload this page to sign in again');
    });
    await signIn.ask();
    drawFrame();
  })().finally(() => (asking = null));
  return asking;
}

/** Forgets the token here and in other tabs, and everything that was seen with it. */
function signOut() {
  end();
  history.replaceState(null, '', address(HOME));
  location.reload();
}

/** Shows the frame: where one can go, and who is signed in. */
function drawFrame() {
  const who = pendingLink() ? null : session();
  const skip = () => main.focus();
  render(
    html`<button class="skip" @click=${skip}>Skip to the content</button>
      <div class="bar">
        <a class="brand" href=${address(HOME)}><svg viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8" /><path d="M8 11l5 10 4-8 2 4h5" /></svg>Webhooks</a>
        ${who ? navigation() : nothing} ${who ? account(who) : nothing}
      </div>
      ${who ? expiry(who) : nothing}`,
    frame,
  );
}

function navigation() {
  const path = location.hash.slice(1).split('?')[0] || HOME;
  const links = [
    ['/endpoints', 'Endpoints'],
    ['/deliveries', 'Deliveries'],
    ['/event-types', 'Event types'],
  ];
  const current = (/** @type {string} */ to) => (path === to ? 'page' : path.startsWith(`${to}/`) ? 'true' : nothing);
  return html`<nav aria-label="Main">${links.map(([to = '', name]) => html`<a href=${address(to)} aria-current=${current(to)}>${name}</a>`)}</nav>`;
}

/** @param {import('./session.js').Session} who */
function account(who) {
  const allowed = [can('read') && 'look', can('retry') && 'send again', can('write') && 'change endpoints']
    .filter(Boolean)
    .join(', ');
  return html`<button class="account" popovertarget="account"><span>${who.workspace_id}</span></button>
    <div id="account" popover>
      <dl>
        <div><dt>Workspace</dt><dd><code>${who.workspace_id}</code></dd></div>
        <div><dt>You can</dt><dd>${allowed || 'nothing here'}</dd></div>
        <div><dt>Access ends</dt><dd>${who.expires_at ? html`<span title=${exact(who.expires_at)}>${ago(who.expires_at)}</span>` : 'when it is revoked'}</dd></div>
      </dl>
      ${who.return_url?.startsWith('https://') ? html`<a class="button" href=${who.return_url} target="_top" rel="noreferrer">Back to where you came from</a>` : nothing}
      <button @click=${signOut}>Sign out</button>
    </div>`;
}

/** @param {import('./session.js').Session} who */
function expiry({ expires_at }) {
  if (!expires_at) return nothing;
  const seconds = (Date.parse(expires_at) - Date.now()) / 1000;
  if (seconds > 300 || seconds < 0) return nothing;
  return html`<p class="strip"><span role="status">Your access ends soon. You will be asked to sign in again; nothing you entered is lost.</span> It ends ${ago(expires_at)}.</p>`;
}
