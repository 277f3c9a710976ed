// An API that answers what a story wants, in place of the one of the stack: for what a stack would take long to come to, or
// never does by itself.

import { failures } from './stage.mjs';

/** @typedef {import('playwright-core').Request} Request */
/** @typedef {{status?: number, headers?: Record<string, string>, body?: unknown}} Reply */
/** @typedef {unknown | ((request: Request, ids: string[]) => Reply | undefined)} Answer a body, or what makes a reply */

const BELOW = /\/api\/integrations\/webhooks([^?]*)/;
const IDS = /\b(whe|del|evt|rec)_\w+/g;
const NAMES = { whe: '{id}', del: '{delivery_id}', evt: '{event_id}', rec: '{recovery_id}' };

/** An error as the API says it. @param {number} statusCode @param {string} message @param {object} [more] @returns {Reply} */
export const refusal = (statusCode, message, more) => ({
  status: statusCode,
  body: { statusCode, error: 'Error', message, ...more },
});

/**
 * Answers the requests of all pages of a window.
 * @param {import('playwright-core').BrowserContext} context
 * @param {Record<string, Answer>} answers by method and path, as the API's description writes them: `GET /{id}/stats`
 */
export async function pretend(context, answers) {
  const api = {
    answers,
    /** What a token is, by the token; others are refused. @type {Record<string, object>} */
    tokens: {
      efa_sk_one: { workspace_id: 'ws_one', scopes: ['webhooks:read', 'webhooks:write'], expires_at: null },
    },
    /** Takes the place of every answer but that about the token. @type {Reply | null} */
    always: null,
    /** Whether requests are left waiting, but for that about the token. */
    silent: false,
    /** What was asked: method, path and query. @type {string[]} */
    asked: [],
    /** The bodies of what was asked to be done. @type {{what: string, body: any}[]} */
    done: [],
    /** How often something was asked. @param {RegExp} what */
    times: (what) => api.asked.filter((line) => what.test(line)).length,
  };
  await context.route(BELOW, async (route) => {
    const request = route.request();
    const url = new URL(request.url());
    const path = BELOW.exec(url.pathname)?.[1] ?? '';
    const ids = path.match(IDS) ?? [];
    const what = `${request.method()} ${path.replaceAll(IDS, (id) => NAMES[id.slice(0, 3)])}`;
    api.asked.push(`${request.method()} ${path}${url.search}`);
    if (request.method() !== 'GET')
      api.done.push({ what: `${request.method()} ${path}`, body: request.postDataJSON() });
    const reply = answer(api, what, request, ids);
    if (!reply) return; // It is never answered, and ends with the page.
    const { status = 200, headers = {}, body } = reply;
    const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
    await route
      .fulfill({ status, headers: { 'content-type': 'application/json', ...headers }, body: text })
      .catch(() => {});
  });
  return api;
}

/**
 * @param {Awaited<ReturnType<typeof pretend>>} api
 * @param {string} what
 * @param {Request} request
 * @param {string[]} ids
 * @returns {Reply | undefined}
 */
function answer(api, what, request, ids) {
  const token = api.tokens[request.headers().authorization?.replace('Bearer ', '') ?? ''];
  if (!token && what !== 'POST /sessions') return refusal(401, 'the token is not valid');
  if (what === 'GET /token') return { body: token };
  if (api.silent) return undefined;
  if (api.always) return api.always;
  const found = api.answers[what];
  if (found === undefined) failures.push(`nobody said what ${what} answers`);
  return typeof found === 'function' ? found(request, ids) : { body: found };
}
