// A browser that needs no root and nothing on the machine: it comes with its libraries and fonts in a package. Where there is
// none for the machine, or a better one, `DASHBOARD_BROWSER` names it.

import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const FLAGS = ['--no-sandbox', '--no-zygote', '--disable-gpu', '--font-render-hinting=none'];

/** Starts the browser. */
export async function launch() {
  const named = process.env.DASHBOARD_BROWSER;
  if (named) return chromium.launch({ executablePath: named, args: ['--no-sandbox'] });
  // Beside the packages, so that later runs find it unpacked.
  const folder = join(realpathSync(join(import.meta.dirname, 'node_modules')), '../browser');
  mkdirSync(folder, { recursive: true });
  // The package unpacks its libraries only where it takes itself to be on Lambda, and finds fonts through a file.
  Object.assign(process.env, { TMPDIR: folder, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x', FONTCONFIG_PATH: folder });
  const fonts = `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>${join(folder, 'fonts')}</dir><cachedir>${join(folder, 'cache')}</cachedir></fontconfig>`;
  writeFileSync(join(folder, 'fonts.conf'), fonts);
  const { default: packed } = await import('@sparticuz/chromium');
  const executablePath = await packed.executablePath();
  return chromium.launch({ executablePath, args: ['--headless=shell', ...FLAGS], env: { ...process.env } });
}
