// Checks the dashboard's files: their types against the API's description, their form, and that what is vendored is what its
// package has. Run in a folder with a copy of `dashboard/` and `openapi.yaml`; prints what is wrong and fails.

import { spawnSync } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import openapi, { astToString } from 'openapi-typescript';

const require = createRequire(import.meta.url);
const folder = import.meta.dirname;
let failed = false;

/** @param {string} what @param {string[]} command */
function run(what, ...command) {
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: folder, encoding: 'utf8' });
  if (status === 0) return;
  failed = true;
  console.error(`${what}:\n${stdout}${stderr}`);
}

writeFileSync(join(folder, 'openapi.d.ts'), astToString(await openapi(new URL('openapi.yaml', import.meta.url))));

const library = join(folder, 'node_modules/lit-html');
for (const file of readdirSync(library).filter((name) => name.endsWith('.d.ts'))) {
  copyFileSync(join(library, file), join(folder, 'dashboard/vendor', file));
}
for (const [ours, theirs] of [
  ['lit-html.js', 'lit-html.js'],
  ['lit-html.LICENSE', 'LICENSE'],
]) {
  const same = readFileSync(join(folder, 'dashboard/vendor', ours)).equals(readFileSync(join(library, theirs)));
  if (!same) {
    failed = true;
    console.error(`dashboard/vendor/${ours} is not what the package has`);
  }
}

run('types', require.resolve('typescript/bin/tsc'), '--project', 'tsconfig.json');
run('form and lint', require.resolve('@biomejs/biome/bin/biome'), 'ci', '--colors=off', '.');
process.exit(failed ? 1 : 0);
