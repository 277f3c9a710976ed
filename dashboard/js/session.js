/**
 * Who is signed in: a token, what it allows and until when.
 * The token is kept in memory and sessionStorage of the dashboard's tabs, and never in localStorage, an address or a cookie.
 */

/**
 * @typedef {{token: string, workspace_id: string, scopes: string[], expires_at: string | null, return_url?: string | null}} Session
 * @typedef {{token: string | null, link: string | null, to: string}} Credentials
 */

// Several deployments may share an origin.
const KEY = `webhooks.session ${location.pathname}`;
const LINK = `webhooks.link ${location.pathname}`;
const LEFT = `webhooks.left ${location.pathname}`;

/** How long another tab may take to hand over its session, in milliseconds. */
const BORROW_MS = 200;

/** @type {Session | null} */
let current = read(KEY);
/** @type {string | null} */
let link = read(LINK);
/** Tokens that the API has answered with 401, which are not handed from tab to tab any more. @type {Set<string>} */
const refused = new Set();

/** Returns the session, or `null` while nobody is signed in. */
export function session() {
  return current;
}

/** @param {Session} session */
export function begin(session) {
  current = session;
  refused.delete(session.token);
  write(KEY, session);
  write(LEFT, null);
  keepLink(null);
  tell({ session });
}

/**
 * Says that the API has refused a token, so that it is neither lent nor borrowed.
 * @param {string} token
 */
export function refuse(token) {
  refused.add(token);
}

/** Forgets the token, here and in other tabs that use it. */
export function end() {
  const token = current?.token;
  leave();
  if (token) tell({ ended: token });
}

/**
 * Says whether the token allows something; `write` includes `retry`.
 * @param {'read' | 'write' | 'retry'} action
 */
export function can(action) {
  const scopes = current?.scopes ?? [];
  return scopes.includes(`webhooks:${action}`) || (action === 'retry' && scopes.includes('webhooks:write'));
}

/**
 * Returns the token or link that a fragment brings (`#token=…`, `#link=…`, both with an optional `&to=/endpoints/…`),
 * or `null` if it is an ordinary address.
 * @param {string} fragment
 * @returns {Credentials | null}
 */
export function credentials(fragment) {
  const values = new URLSearchParams(fragment.replace(/^#/, ''));
  const token = values.get('token');
  const link = values.get('link');
  if (token === null && link === null) return null;
  const to = values.get('to') ?? '';
  return { token, link, to: to.startsWith('/') ? to : '' };
}

/** Returns the link that has not been exchanged yet; it survives a reload, though not in the address. */
export function pendingLink() {
  return link;
}

/** @param {string | null} kept */
export function keepLink(kept) {
  link = kept;
  write(LINK, kept);
}

/**
 * Asks other tabs of this dashboard for their session, so that "open in a new tab" needs no second sign-in.
 * Where they are signed in to different workspaces, the reader is to choose: the answer is `null`, as it is after signing out.
 * @returns {Promise<Session | null>}
 */
export async function borrow() {
  if (!('BroadcastChannel' in globalThis) || read(LEFT)) return null;
  const channel = new BroadcastChannel(KEY);
  /** @type {Session[]} */
  const offers = [];
  channel.onmessage = ({ data }) => {
    if (data?.session && !refused.has(data.session.token)) offers.push(data.session);
  };
  channel.postMessage({ wanted: true });
  await new Promise((resolve) => setTimeout(resolve, BORROW_MS));
  channel.close();
  const [first] = offers;
  return first && offers.every((offer) => offer.workspace_id === first.workspace_id) ? first : null;
}

/**
 * Waits until another tab has a newer session of the same workspace, for instance by a new link, and takes it over.
 * @param {Session} before
 * @param {() => void} taken
 * @returns {() => void} ends the wait
 */
export function awaitAnother(before, taken) {
  if (!('BroadcastChannel' in globalThis)) return () => {};
  const channel = new BroadcastChannel(KEY);
  channel.onmessage = ({ data }) => {
    const offered = data?.session;
    if (!offered || refused.has(offered.token) || offered.workspace_id !== before.workspace_id) return;
    current = offered;
    write(KEY, offered);
    taken();
  };
  channel.postMessage({ wanted: true });
  return () => channel.close();
}

/**
 * Answers other tabs that ask for a session, and signs out with them.
 * @param {() => void} ended is called when another tab has signed out
 */
export function lend(ended) {
  if (!('BroadcastChannel' in globalThis)) return;
  const channel = new BroadcastChannel(KEY);
  channel.onmessage = ({ data }) => {
    if (data?.wanted && current && !refused.has(current.token)) channel.postMessage({ session: current });
    if (!data?.ended || data.ended !== current?.token) return;
    leave();
    ended();
  };
}

/** Forgets the session, and that this tab is to ask others for theirs: whoever signs out wants no other workspace instead. */
function leave() {
  current = null;
  write(KEY, null);
  write(LEFT, true);
}

/** @param {object} message to other tabs */
function tell(message) {
  if (!('BroadcastChannel' in globalThis)) return;
  const channel = new BroadcastChannel(KEY);
  channel.postMessage(message);
  channel.close();
}

/** @param {string} key */
function read(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? 'null');
  } catch {
    return null; // Storage is closed to embedded pages in some browsers; memory is enough then.
  }
}

/**
 * @param {string} key
 * @param {unknown} value
 */
function write(key, value) {
  try {
    if (value === null) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, JSON.stringify(value));
  } catch {
    // As above.
  }
}
