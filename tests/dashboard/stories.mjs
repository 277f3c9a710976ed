// What people do with the dashboard, in a real browser, against a deployed stack: prints what fails, and then fails.
// `stage.mjs` says what it asks of the test that runs it.

import { launch } from './browser.mjs';
import { ask, failures, story } from './stage.mjs';

const TOLD = ['access', 'trouble', 'weight', 'keyboard', 'journey'];
if (process.env.DASHBOARD_PICTURES) TOLD.push('pictures');

const browser = await launch();
const stories = await Promise.all(TOLD.map((file) => import(`./stories/${file}.mjs`)));
// What takes its time at the stack goes on while other stories are told.
for (const { name, prepare } of stories) {
  await ask(`workspace ${name}`);
  await prepare?.();
}
for (const { name, tell } of stories) {
  await ask(`workspace ${name}`);
  await story(browser, name, tell);
}
await browser.close();
for (const failure of failures) console.error(failure);
process.exit(failures.length > 0 ? 1 : 0);
