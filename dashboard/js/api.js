/**
 * The only way to the API. Paths, parameters, bodies and answers are typed by `openapi.yaml`.
 * A request that is answered with 401 waits until somebody has signed in again, and is then repeated, so nothing is lost.
 */

import { refuse, session } from './session.js';

/** @typedef {import('openapi').paths} Paths */
/** @typedef {import('openapi').components['schemas']} Schemas */
/** @template K @typedef {K extends `/api/integrations/webhooks${infer Rest}` ? Rest : never} Short */
/** @typedef {Short<keyof Paths>} Path */
/** @template {Path} P @typedef {Paths[`/api/integrations/webhooks${P}` & keyof Paths]} Routes */
/** @template T @typedef {T extends {content: {'application/json': infer B}} ? B : null} Json */
/** @template R @typedef {R extends {responses: infer A} ? Json<A[keyof A & (200 | 201 | 202 | 204)]> : never} Answer */
/** @template R @typedef {R extends {parameters: {query?: infer Q}} ? Q : never} Query */
/** @template R @typedef {R extends {parameters: {path: infer I}} ? I : never} Ids */
/** @template R @typedef {R extends {requestBody?: {content: {'application/json': infer B}}} ? B : never} Body */
/**
 * @template R
 * @typedef {{ids?: Ids<R>, query?: Query<R>, body?: Body<R>, signal?: AbortSignal, token?: string | null}} Options
 * `token` is one to try instead of the session's; its 401 is the caller's to handle.
 */

/** Where the API is, seen from the page at `…/dashboard/`. */
export const API = new URL('../api/integrations/webhooks', location.href.replace(/[?#].*/s, '')).href;

/** An answer that is not a success, or no answer: `status` is 0 then. */
export class Problem extends Error {
  /**
   * @param {number} status
   * @param {string} message
   * @param {{errors?: Schemas['ValidationError']['errors'], recovery_id?: Schemas['RecoveryConflict']['recovery_id']}} [body]
   * @param {number} [retryAfterSeconds]
   */
  constructor(status, message, body, retryAfterSeconds = 0) {
    super(message);
    this.status = status;
    this.body = body ?? {};
    this.retryAfterSeconds = retryAfterSeconds;
  }

  /**
   * Returns what is wrong with a field of the request, or `undefined`.
   * @param {string} name
   */
  field(name) {
    return this.body.errors?.find(
      ({ field }) => field === name || field.startsWith(`${name}.`) || field.startsWith(`${name}[`),
    )?.message;
  }
}

/** @type {WeakMap<object, string>} */
const texts = new WeakMap();

/** @type {() => Promise<void>} */
let signIn = () => Promise.reject(new Problem(401, 'nobody is signed in'));

/**
 * Says what to do on a 401: it is to resolve once there is another token.
 * @param {() => Promise<void>} ask
 */
export function onUnauthorized(ask) {
  signIn = ask;
}

/**
 * Returns an answer's text as it came; numbers in it have not been through a parser.
 * @param {object} answer
 */
export function textOf(answer) {
  return texts.get(answer) ?? JSON.stringify(answer);
}

/**
 * Makes a request, and throws a {@link Problem} unless it succeeds.
 * @template {Path} P
 * @template {keyof Routes<P> & ('get' | 'post' | 'patch' | 'delete')} M
 * @param {M} method
 * @param {P} path
 * @param {Options<Routes<P>[M]>} [options]
 * @returns {Promise<Answer<Routes<P>[M]>>}
 */
export async function call(method, path, options = {}) {
  const url = API + fill(path, options.ids ?? {}) + search(options.query ?? {});
  for (;;) {
    const used = options.token === undefined ? session()?.token : options.token;
    const response = await send(url, init(String(method), used ?? null, options.body, options.signal));
    if (response.status === 401 && options.token === undefined) {
      if (used) refuse(used);
      if (session()?.token === used) await signIn();
      options.signal?.throwIfAborted();
      continue;
    }
    return read(response);
  }
}

/**
 * @param {string} method
 * @param {string | null} token
 * @param {unknown} body
 * @param {AbortSignal} [signal]
 * @returns {RequestInit}
 */
function init(method, token, body, signal) {
  /** @type {Record<string, string>} */
  const headers = {};
  if (token !== null) headers.authorization = `Bearer ${token}`;
  if (body !== undefined) headers['content-type'] = 'application/json';
  return {
    method: method.toUpperCase(),
    headers,
    body: body === undefined ? null : JSON.stringify(body),
    signal: signal ?? null,
    cache: 'no-store',
  };
}

/**
 * @param {string} url
 * @param {RequestInit} request
 */
async function send(url, request) {
  try {
    return await fetch(url, request);
  } catch (error) {
    if (request.signal?.aborted) throw error;
    throw new Problem(0, 'the API could not be reached');
  }
}

/** @param {Response} response */
async function read(response) {
  const text = await response.text();
  const body = text === '' ? null : parsed(text);
  if (!response.ok) {
    const message = body?.message ?? response.statusText;
    throw new Problem(response.status, message, body ?? {}, Number(response.headers.get('retry-after')) || 0);
  }
  if (body !== null && typeof body === 'object') texts.set(body, text);
  return body;
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem(0, 'the answer is not JSON');
  }
}

/**
 * @param {string} path
 * @param {object} ids
 */
function fill(path, ids) {
  const values = /** @type {Record<string, string>} */ (ids);
  return path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(values[name] ?? ''));
}

/** @param {object} query */
function search(query) {
  const filled = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '');
  return filled.length === 0 ? '' : `?${new URLSearchParams(filled)}`;
}
