// What the browser keeps the page from, whatever somebody has put into it: the policy is at work, and not only in a header.

import { DASHBOARD, until } from '../stage.mjs';

export const name = 'the browser runs, loads and asks for nothing that is not the dashboard’s own';

/** There is no such host. */
const ELSEWHERE = 'https://elsewhere.invalid/';

/** @param {import('playwright-core').Page} page */
export async function tell(page) {
  // In a window of its own, because a browser says on the console what it refuses, which fails other stories.
  const browser = /** @type {import('playwright-core').Browser} */ (page.context().browser());
  const context = await browser.newContext();
  /** @type {string[]} */
  const refused = [];
  context.on('console', (line) => line.type() === 'error' && refused.push(line.text()));
  const other = await context.newPage();
  await other.goto(DASHBOARD);
  await other.getByRole('heading', { name: 'Sign in' }).waitFor();
  if (refused.length > 0) throw new Error(`the page itself is refused: ${refused.join(', ')}`);

  const done = await other.evaluate(tryEverything, ELSEWHERE);
  if (done.length > 0) throw new Error(`nothing prevents ${done.join(', ')}`);
  for (const directive of ['style-src', 'img-src', 'connect-src', 'base-uri', 'form-action', 'frame-src'])
    await until(() => refused.some((line) => line.includes(directive) || isOf(directive, line)), directive);
  if (await other.evaluate(() => document.cookie)) throw new Error('there is a cookie');
  await context.close();
}

/** A browser names `default-src` where a directive of its own is absent. @param {string} directive @param {string} line */
const isOf = (directive, line) => directive === 'frame-src' && line.includes('default-src');

/** Tries what a script would that somebody has brought in, and returns what has worked. @param {string} elsewhere */
async function tryEverything(elsewhere) {
  await new Promise((resolve) => setTimeout(resolve)); // What the debugger runs at once may make code of strings.
  /** @type {string[]} */
  const done = [];
  const attempt = (/** @type {string} */ what, /** @type {() => unknown} */ act) => {
    try {
      act();
      done.push(what);
    } catch {
      // As it ought to be.
    }
  };
  attempt('markup of a string', () => document.body.insertAdjacentHTML('beforeend', '<i>markup</i>'));
  attempt('code of a string', () => new Function('return 1')());
  attempt('a policy of its own', () => /** @type {any} */ (window).trustedTypes.createPolicy('other', {}));
  await fetch(elsewhere).catch(() => {});
  const add = (/** @type {string} */ tag, /** @type {object} */ properties) => {
    const element = Object.assign(document.createElement(tag), properties);
    document.body.append(element);
    return element;
  };
  add('img', { src: `${elsewhere}image` });
  add('iframe', { src: `${elsewhere}frame`, title: 'frame' });
  add('base', { href: elsewhere });
  if (document.baseURI !== location.href) done.push('another base');
  const form = /** @type {HTMLFormElement} */ (add('form', { action: `${elsewhere}form`, method: 'post' }));
  form.submit();
  const styled = add('p', {});
  styled.setAttribute('style', 'position: fixed');
  if (getComputedStyle(styled).position === 'fixed') done.push('a style in the markup');
  return done;
}
