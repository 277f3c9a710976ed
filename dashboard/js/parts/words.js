/**
 * What states and reasons mean, in words, and what to do about them.
 * Pure. Whatever the API can say has a line here; tests compare the reasons with `openapi.yaml`.
 */

import { brief, milliseconds, span } from './time.js';

/**
 * @typedef {import('../api.js').Schemas} Schemas
 * @typedef {'good' | 'bad' | 'warn' | 'calm'} Tone
 * @typedef {{tone: Tone, text: string}} Said
 * @typedef {{what: string, todo: string}} Advice
 * @typedef {Pick<Schemas['Attempt'], 'error' | 'http_status' | 'duration_ms'> & {response_headers?: Record<string, string> | null}} Outcome
 */

/**
 * Returns a delivery's status in a word or two.
 * @param {Pick<Schemas['Delivery'], 'status' | 'next_attempt_at'>} delivery
 * @returns {Said}
 */
export function deliveryStatus({ status, next_attempt_at }) {
  if (status === 'delivered') return { tone: 'good', text: 'Delivered' };
  if (status === 'failed') return { tone: 'bad', text: 'Failed' };
  return next_attempt_at ? { tone: 'warn', text: 'Will be retried' } : { tone: 'calm', text: 'Sending' };
}

/**
 * Returns an endpoint's url without its scheme, for headings and titles.
 * @param {Pick<Schemas['Endpoint'], 'url'>} endpoint
 */
export function shortUrl({ url }) {
  return url.replace(/^https:\/\//, '').replace(/\/$/, '');
}

/**
 * Returns an endpoint's health in a word or two.
 * @param {Schemas['Endpoint']} endpoint
 * @returns {Said}
 */
export function healthWord({ health }) {
  if (health.state === 'healthy') return { tone: 'good', text: 'Healthy' };
  return health.state === 'failing' ? { tone: 'bad', text: 'Failing' } : { tone: 'calm', text: 'Disabled' };
}

/**
 * Returns since when an endpoint is as it is, and why; empty if there is nothing to say.
 * @param {Schemas['Endpoint']} endpoint
 */
export function healthDetail({ health, disabled_reason }) {
  const since = health.since ? `since ${brief(health.since)}` : '';
  if (health.state === 'healthy') return '';
  if (health.state === 'failing') return since;
  const why = { gone: 'it answered 410 Gone', failing: 'nothing succeeded for too long', hand: 'switched off by hand' }[
    disabled_reason ?? 'hand'
  ];
  return [why, since].filter(Boolean).join(', ');
}

/**
 * Returns what an endpoint's state means and what to do next.
 * @param {Schemas['Endpoint']} endpoint
 * @returns {Advice}
 */
export function healthAdvice({ health, disabled_reason }) {
  if (health.state === 'healthy') return { what: 'Events arrive.', todo: 'Nothing has failed since the last success.' };
  if (health.state === 'failing') {
    return {
      what: `No attempt has succeeded${health.since ? ` since ${brief(health.since)}` : ''}.`,
      todo: 'Nothing is lost: each delivery is retried until its schedule ends. Look at why the latest ones failed, repair the receiver and send a test event. If nothing succeeds for too long, the endpoint is disabled.',
    };
  }
  if (disabled_reason === 'gone') {
    return {
      what: 'The receiver answered 410 Gone, which means that it never wants to hear from us again.',
      todo: 'If that was a mistake, repair the receiver, enable the endpoint, and recover what it missed.',
    };
  }
  if (disabled_reason === 'failing') {
    return {
      what: 'Nothing succeeded for too long, so we stopped sending.',
      todo: 'Send a test event to see whether the receiver works again, enable the endpoint, and recover what failed and what it missed.',
    };
  }
  return {
    what: 'Somebody switched this endpoint off. It receives test events only.',
    todo: 'Enable it to go on, then recover what it missed meanwhile.',
  };
}

/**
 * Returns the outcome of an attempt in a few words, for lists.
 * @param {{error: Schemas['AttemptError'], http_status: number | null}} outcome
 */
export function outcomeWord({ error, http_status }) {
  if (error === null || error === 'status') return http_status === null ? '' : `Answered ${http_status}`;
  return REASONS[error].short;
}

/**
 * Returns what went wrong in an attempt and what to do about it; `null` if it succeeded.
 * @param {Outcome} attempt
 * @param {string} url of the endpoint
 * @returns {Advice | null}
 */
export function advice(attempt, url) {
  if (attempt.error === null) return null;
  if (attempt.error === 'status') return statusAdvice(attempt.http_status ?? 0, attempt.response_headers ?? {});
  const { what, todo } = REASONS[attempt.error];
  const { hostname, port, protocol } = new URL(url);
  const fill = (/** @type {string} */ text) =>
    text
      .replace('{host}', hostname)
      .replace('{port}', port || (protocol === 'http:' ? '80' : '443'))
      .replace('{time}', milliseconds(attempt.duration_ms));
  return { what: fill(what), todo: fill(todo) };
}

/**
 * Returns the short name of a reason, for figures.
 * @param {string} reason
 */
export function reasonName(reason) {
  return (
    REASONS[/** @type {keyof typeof REASONS} */ (reason)]?.short ??
    (reason === 'status' ? 'Answered, but not with 2xx' : reason)
  );
}

/** @type {Record<Exclude<NonNullable<Schemas['AttemptError']>, 'status'>, {short: string, what: string, todo: string}>} */
const REASONS = {
  dns: {
    short: 'Host not found',
    what: 'The host name {host} could not be looked up.',
    todo: 'Check the spelling of the URL, and that the name has a public DNS record.',
  },
  connect: {
    short: 'No connection',
    what: 'No connection could be made, or it broke before the answer was complete.',
    todo: 'Check that the server runs, that it listens on port {port}, and that no firewall stands in between.',
  },
  tls: {
    short: 'Not secure',
    what: 'No secure connection could be made.',
    todo: 'Check the certificate: not expired, issued for {host}, and sent together with its intermediate certificates.',
  },
  timeout: {
    short: 'Timed out',
    what: 'No complete answer came within {time}.',
    todo: 'Answer 2xx first and do the work afterwards, for instance from a queue of your own.',
  },
  refused_address: {
    short: 'Private address',
    what: 'The host name leads to a private or reserved address.',
    todo: 'Webhooks go to public addresses only: change the DNS record of {host}, or the URL of this endpoint.',
  },
  too_large: {
    short: 'Headers too large',
    what: 'The headers of the answer were too large to read.',
    todo: 'Answer with fewer or shorter headers; cookies are often the cause.',
  },
  interrupted: {
    short: 'Interrupted',
    what: 'The attempt was cut off on our side, several times. The request may have reached you.',
    todo: 'Nothing is wrong with your receiver. If it has seen the event, it can tell by its id.',
  },
  endpoint_disabled: {
    short: 'Endpoint disabled',
    what: 'The endpoint was disabled before this attempt, so nothing was sent.',
    todo: 'Enable the endpoint, then retry this delivery or recover everything that failed.',
  },
  event_expired: {
    short: 'Event expired',
    what: 'The event was no longer kept when this attempt was due, so nothing was sent.',
    todo: 'It can no longer be sent. Ask for the current state of what it was about.',
  },
};

/**
 * @param {number} status
 * @param {Record<string, string>} headers
 * @returns {Advice}
 */
function statusAdvice(status, headers) {
  const answered = `The receiver answered ${status}`;
  if (status >= 300 && status < 400) {
    const to = headers.location ? ` to ${headers.location}` : '';
    return {
      what: `${answered}, a redirect${to}. Redirects are not followed.`,
      todo: 'Change the URL of this endpoint to the final address.',
    };
  }
  if (status === 401 || status === 403) {
    return {
      what: `${answered}: it did not take the request for genuine, or something in front of it wants a login.`,
      todo: 'Verify with the current secret, over the raw body before it is parsed. Check that no login or firewall rule guards this URL.',
    };
  }
  if (status === 404 || status === 405) {
    return {
      what: `${answered}: nothing there accepts a POST.`,
      todo: 'Check the path of the URL, and that the route is deployed.',
    };
  }
  if (status === 410) {
    return {
      what: `${answered} Gone, which disables the endpoint.`,
      todo: 'If that was a mistake, repair the receiver and enable the endpoint.',
    };
  }
  if (status === 429)
    return {
      what: `${answered}: too many requests.`,
      todo: waiting(headers, 'Take in more at a time, or answer with Retry-After; it is followed up to a day.'),
    };
  if (status === 502 || status === 503 || status === 504) {
    return {
      what: `${answered}: a proxy or load balancer could not reach your application, or it was overloaded.`,
      todo: waiting(headers, 'Check that the application runs and is well.'),
    };
  }
  if (status >= 500)
    return {
      what: `${answered}: your application failed.`,
      todo: 'Look into its log at the time of the attempt; what it answered is shown with the attempt.',
    };
  return {
    what: `${answered}, which is not 2xx.`,
    todo: 'Look at what it answered; it is shown with the attempt. Answer 2xx once you have the event.',
  };
}

/**
 * @param {Record<string, string>} headers
 * @param {string} todo
 */
function waiting(headers, todo) {
  const after = headers['retry-after'];
  if (!after) return todo;
  return `${todo} It asked us to wait ${/^\d+$/.test(after) ? span(Number(after)) : `until ${after}`}.`;
}
