/**
 * Addresses of screens, which live in the fragment, so that they work under any path.
 * Pure: text in, values out.
 */

/**
 * @typedef {{screen: string, params: Record<string, string>, query: URLSearchParams}} Route
 * `screen` is the name of a module in `screens/`.
 */

/** @type {ReadonlyArray<readonly [pattern: string, screen: string]>} */
const SCREENS = [
  ['/endpoints', 'endpoints'],
  ['/endpoints/new', 'create'],
  ['/endpoints/:endpoint', 'overview'],
  ['/endpoints/:endpoint/test', 'test'],
  ['/endpoints/:endpoint/settings', 'settings'],
  ['/endpoints/:endpoint/recoveries', 'recoveries'],
  ['/endpoints/:endpoint/recoveries/:recovery', 'recovery'],
  ['/endpoints/:endpoint/deliveries', 'history'],
  ['/endpoints/:endpoint/deliveries/:delivery', 'delivery'],
  ['/deliveries', 'deliveries'],
  ['/events/:event', 'event'],
  ['/event-types', 'types'],
];

/** The address that the application opens with. */
export const HOME = '/endpoints';

/**
 * Returns the route that a fragment names, or `null` if it names none.
 * @param {string} fragment with or without its `#`
 * @returns {Route | null}
 */
export function parse(fragment) {
  const [path = '', query = ''] = fragment.replace(/^#/, '').split(/\?(.*)/s);
  const parts = split(path || HOME);
  for (const [pattern, screen] of SCREENS) {
    const params = match(split(pattern), parts);
    if (params) return { screen, params, query: new URLSearchParams(query) };
  }
  return null;
}

/**
 * Returns the fragment of an address, for `href`; query values that are empty are left out.
 * @param {string} path
 * @param {Record<string, string | number | null | undefined>} [query]
 */
export function address(path, query = {}) {
  const filled = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '');
  const search = new URLSearchParams(filled.map(([name, value]) => [name, String(value)]));
  return filled.length === 0 ? `#${path}` : `#${path}?${search}`;
}

/** @param {string} path */
function split(path) {
  return path.split('/').filter(Boolean).map(decode);
}

/** @param {string} part */
function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/**
 * @param {string[]} pattern
 * @param {string[]} parts
 */
function match(pattern, parts) {
  if (pattern.length !== parts.length) return null;
  /** @type {Record<string, string>} */
  const params = {};
  for (const [index, expected] of pattern.entries()) {
    const part = parts[index] ?? '';
    if (expected.startsWith(':')) params[expected.slice(1)] = part;
    else if (expected !== part) return null;
  }
  return params;
}
