// What people do with the dashboard, in a real browser: prints what fails, and then fails. `stage.mjs` says what it asks of the
// test that runs it. `DASHBOARD_STORIES=states,forms` tells only those.

import { setPriority } from 'node:os';
import { launch } from './browser.mjs';
import { ask, failures, story } from './stage.mjs';

/** Those that need a stack, one after the other: each has a workspace of its own. */
const AT_A_STACK = ['access', 'trouble', 'weight', 'keyboard', 'journey'];
if (process.env.DASHBOARD_PICTURES) AT_A_STACK.push('pictures');
/** Those with answers that are made up, told meanwhile: the others wait for the stack most of the time. */
const MADE_UP = ['states', 'following', 'sessions', 'forms', 'reading', 'frames', 'policy'];

const chosen = process.env.DASHBOARD_STORIES?.split(',');
const load = (/** @type {string[]} */ files) =>
  Promise.all(files.filter((file) => chosen?.includes(file) ?? true).map((file) => import(`./stories/${file}.mjs`)));

// The browser has what other tests leave: many of those wait for one another.
setPriority(10);
const browser = await launch();
await Promise.all([tellAtTheStack(await load(AT_A_STACK)), tellOthers(await load(MADE_UP))]);
await browser.close();
for (const failure of failures) console.error(failure);
process.exit(failures.length > 0 ? 1 : 0);

/** @param {any[]} stories */
async function tellAtTheStack(stories) {
  // What takes its time at the stack goes on while other stories are told.
  for (const { name, prepare } of stories) {
    await ask(`workspace ${name}`);
    await prepare?.();
  }
  for (const told of stories) {
    await ask(`workspace ${told.name}`);
    await story(browser, told);
  }
}

/** @param {any[]} stories */
async function tellOthers(stories) {
  for (const told of stories) await story(browser, told);
}
