// What the API answers, for stories that need no stack. `check.mjs` checks it against the API's description, as it does the
// dashboard, so neither can drift from the other.

/** @typedef {import('openapi').components['schemas']} Schemas */

/** What runs if it is taken for markup. */
export const MARKUP = '<img src=x onerror=alert(1)><script>alert(2)</script>';

/** As long as the name of an event can be. */
const LONG_NAME = `${'a_word_that_goes_on.'.repeat(6)}end`;

/** A time so many seconds ago. @param {number} seconds */
export const ago = (seconds) => new Date(Date.now() - seconds * 1000).toISOString().replace(/\.\d+/, '');

/** As many of something as are wanted. @template T @param {number} count @param {(index: number) => T} make */
const many = (count, make) => Array.from({ length: count }, (_, index) => make(index));

/** @param {number} total @param {number} [per_page] @returns {Schemas['Meta']} */
export const meta = (total, per_page = 20) => ({ total, page: 1, per_page, pages: Math.ceil(total / per_page) });

/** @param {Partial<Schemas['Endpoint']>} [change] @returns {Schemas['Endpoint']} */
export const endpoint = (change) => ({
  id: 'whe_one',
  url: 'https://orders.example.com/hooks',
  events: ['*'],
  enabled: true,
  description: null,
  metadata: {},
  created_at: ago(90_000),
  updated_at: ago(90_000),
  disabled_reason: null,
  health: { state: 'healthy', since: null },
  ...change,
});

/** @param {string} id @returns {Schemas['Endpoint']} */
export const longEndpoint = (id) =>
  endpoint({
    id,
    url: `https://a-name-that-goes-on.example.com/${'a-path-that-goes-on/'.repeat(12)}?q=${'1'.repeat(60)}`,
    description: `${MARKUP} ${'and more words '.repeat(20)}`.slice(0, 255),
    metadata: Object.fromEntries(many(20, (index) => [`${MARKUP}${index}`.slice(0, 40), 'v'.repeat(200)])),
    events: eventTypes(40).map(({ name }) => name),
    health: { state: 'failing', since: ago(7_200) },
    updated_at: ago(60),
  });

/** Endpoints in each state. @param {number} count */
export const endpoints = (count) =>
  many(count, (index) => {
    const id = `whe_${index}`;
    if (index === 0) return longEndpoint(id);
    if (index === 1)
      return endpoint({ id, enabled: false, disabled_reason: 'gone', health: { state: 'disabled', since: ago(900) } });
    return endpoint({ id, url: `https://orders.example.com/hooks/${index}` });
  });

/** @param {number} count @returns {Schemas['EventType'][]} */
export const eventTypes = (count) =>
  many(count, (index) => {
    const name = index === 1 ? LONG_NAME : `${['order', 'survey', 'poster'][index % 3]}.number_${index}`;
    return { name, description: index === 2 ? MARKUP : 'Something happened.', sample: event(name) };
  });

/** @param {string} name @returns {Schemas['Event']} */
export const event = (name) => ({
  id: 'evt_one',
  event: name,
  created_at: ago(3_600),
  workspace_id: 'ws_one',
  data: /** @type {any} */ ({ text: MARKUP, list: many(12, (index) => ({ index, words: 'words '.repeat(12) })) }),
});

/** @param {Partial<Schemas['Delivery']>} [change] @returns {Schemas['Delivery']} */
export const delivery = (change) => ({
  id: 'del_one',
  event: 'order.paid',
  event_id: 'evt_one',
  status: 'delivered',
  attempt_count: 1,
  http_status: 200,
  delivered_at: ago(60),
  created_at: ago(61),
  next_attempt_at: null,
  last_error: null,
  test: false,
  ...change,
});

/** One that waits for its next attempt. @param {Partial<Schemas['Delivery']>} [change] */
export const waiting = (change) =>
  delivery({
    status: 'pending',
    attempt_count: 2,
    http_status: 503,
    delivered_at: null,
    next_attempt_at: ago(-3_600),
    last_error: 'status',
    ...change,
  });

/** Deliveries in each state. @param {number} count */
export const deliveries = (count) =>
  many(count, (index) => {
    const id = `del_${index}`;
    if (index === 0) return waiting({ id, event: LONG_NAME, event_id: `evt_${'0'.repeat(64)}` });
    if (index === 1)
      return delivery({ id, status: 'failed', http_status: null, last_error: 'dns', attempt_count: 9_999 });
    return delivery({ id, test: index === 2, attempt_count: index });
  });

/** @param {Schemas['Delivery'][]} list @returns {Schemas['DeliveryAtEndpoint'][]} */
export const across = (list) => list.map((one, index) => ({ ...one, endpoint_id: `whe_${index % 3}` }));

/** @param {Partial<Schemas['Attempt']>} [change] @returns {Schemas['Attempt']} */
export const attempt = (change) => ({
  at: ago(60),
  http_status: 503,
  duration_ms: 12,
  error: 'status',
  response_body: MARKUP,
  response_headers: { 'content-type': 'text/html', 'retry-after': '120' },
  ...change,
});

/** @type {Exclude<Schemas['AttemptError'], null>[]} */
const ERRORS = ['dns', 'connect', 'tls', 'timeout', 'status'];

/** One with as many attempts as are kept, for every reason. @param {string} id @returns {Schemas['DeliveryWithAttempts']} */
export const longDelivery = (id) => ({
  ...waiting({ id, event: LONG_NAME, event_id: `evt_${'0'.repeat(64)}`, attempt_count: 5_000 }),
  payload: event(LONG_NAME),
  attempts: many(30, (index) => {
    const error = ERRORS[index % ERRORS.length] ?? null;
    const at = ago(3_600 * (31 - index));
    if (error !== 'status')
      return attempt({ at, error, http_status: null, response_body: null, response_headers: null });
    return attempt({ at, response_body: `${MARKUP}${'x'.repeat(900)}`, response_headers: { server: 's'.repeat(500) } });
  }),
});

/** Hours, each with the same figures. @param {number} count @param {number} each @returns {Schemas['StatisticsList']} */
export const statistics = (count, each) => ({
  data: many(count, (index) => ({
    from: ago(3_600 * (count - index)),
    deliveries: each,
    delivered: Math.floor(each / 2),
    failed: Math.floor(each / 4),
    pending: Math.ceil(each / 4),
    first_attempt: {
      succeeded: Math.floor(each / 2),
      failures: each > 0 ? Object.fromEntries(ERRORS.map((error) => [error, Math.ceil(each / 10)])) : {},
      p50_ms: each > 0 ? 80 : null,
      p95_ms: each > 0 ? 4_200 : null,
      p99_ms: each > 0 ? 14_900 : null,
    },
  })),
  meta: { complete: true },
});

/** @param {Partial<Schemas['Recovery']>} [change] @returns {Schemas['Recovery']} */
export const recovery = (change) => ({
  id: 'rec_one',
  status: 'running',
  include: 'failed',
  since: ago(90_000),
  until: ago(120),
  events: ['*'],
  per_second: 20,
  total: 1_234_567,
  retried: 1_000,
  delivered: 900,
  failed: 3,
  started_at: ago(100),
  finished_at: null,
  ...change,
});

/** Recoveries that have ended in each way. @param {number} count */
export const recoveries = (count) =>
  many(count, (index) =>
    recovery({
      id: `rec_${index}`,
      status: index % 2 ? 'finished' : 'cancelled',
      include: index % 3 ? 'failed' : 'missing',
      finished_at: ago(50),
    }),
  );
