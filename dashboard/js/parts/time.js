/**
 * Times, durations and numbers as the reader writes them. Times are the reader's own; the exact one with its offset is at hand.
 */

import { html } from '../../vendor/lit-html.js';

const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const dayAndYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });
const dayInUtc = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', timeZone: 'UTC' });
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const clockShort = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });
const precise = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'long' });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto', style: 'short' });
const whole = new Intl.NumberFormat();
const share = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 1 });

/** @type {ReadonlyArray<readonly [unit: Intl.RelativeTimeFormatUnit, seconds: number]>} */
const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
];

/**
 * Shows a time: the reader's own clock, how long ago that is, and the exact time in a tool tip.
 * @param {string} time RFC 3339
 */
export function when(time) {
  return html`<time datetime=${time} title=${exact(time)}>${local(time)} <small>${ago(time)}</small></time>`;
}

/**
 * Shows a time by the reader's own clock.
 * @param {string} time RFC 3339
 */
export function at(time) {
  return html`<time datetime=${time} title=${exact(time)}>${local(time)}</time>`;
}

/**
 * Shows a time in full, by the reader's clock and in UTC.
 * @param {string} time RFC 3339
 */
export function stamp(time) {
  return html`<time datetime=${time}>${precise.format(new Date(time))} <small class="block">${utc(time)}</small></time>`;
}

/**
 * Returns a time as the reader's clock shows it, with seconds; the day is left out if it is today.
 * @param {string} time RFC 3339
 */
export function local(time) {
  const date = new Date(time);
  return isToday(date) ? clock.format(date) : `${date_(date)}, ${clock.format(date)}`;
}

/**
 * Returns a time without seconds.
 * @param {string} time RFC 3339
 */
export function brief(time) {
  const date = new Date(time);
  return isToday(date) ? clockShort.format(date) : `${date_(date)}, ${clockShort.format(date)}`;
}

/**
 * Returns the day of a time in UTC, by which the API counts days.
 * @param {string} time RFC 3339
 */
export function dayOf(time) {
  return dayInUtc.format(new Date(time));
}

/**
 * Returns a time in full, by the reader's clock and in UTC.
 * @param {string} time RFC 3339
 */
export function exact(time) {
  return `${full.format(new Date(time))} (${utc(time)})`;
}

/**
 * Returns how long ago a time is, or how long until it: "3 min ago", "in 2 hr".
 * @param {string} time RFC 3339
 * @param {number} [nowMs]
 */
export function ago(time, nowMs = Date.now()) {
  const seconds = Math.round((Date.parse(time) - nowMs) / 1000);
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? ['second', 1];
  return relative.format(Math.trunc(seconds / size), unit);
}

/**
 * Returns a length of time in its two largest units: "2 h 5 min".
 * @param {number} seconds
 */
export function span(seconds) {
  const names = { day: 'd', hour: 'h', minute: 'min', second: 's' };
  let rest = Math.max(0, Math.round(seconds));
  const parts = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${names[/** @type {keyof typeof names} */ (unit)]}`);
    else if (parts.length > 0) break;
  }
  return parts.slice(0, 2).join(' ') || '0 s';
}

/**
 * Returns how long an answer took: "412 ms", "15.0 s".
 * @param {number} ms
 */
export function milliseconds(ms) {
  return ms < 1000 ? `${whole.format(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** @param {number} value */
export function number(value) {
  return whole.format(value);
}

/**
 * Returns a share in per cent; it says 100 % only if nothing is missing.
 * @param {number} part
 * @param {number} all
 */
export function percent(part, all) {
  const value = all === 0 ? 0 : part / all;
  return share.format(part < all ? Math.min(value, 0.999) : value);
}

/** The times that a `datetime-local` field takes. While a year is typed it is none of them, and not to be acted on yet. */
export const FIRST = '2000-01-01T00:00:00';
export const LAST = '9999-12-31T23:59:59';

/**
 * Returns the value of a `datetime-local` field for a time, by the reader's clock; empty if it is no time.
 * @param {string} time RFC 3339
 */
export function toField(time) {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return '';
  const digits = (/** @type {number} */ value, length = 2) => String(value).padStart(length, '0');
  const days = [digits(date.getFullYear(), 4), digits(date.getMonth() + 1), digits(date.getDate())];
  const hours = [digits(date.getHours()), digits(date.getMinutes()), digits(date.getSeconds())];
  return `${days.join('-')}T${hours.join(':')}`;
}

/**
 * Returns the time that a `datetime-local` field shows, as RFC 3339 in UTC; empty if there is none.
 * @param {string} value
 */
export function fromField(value) {
  const ms = new Date(value).getTime();
  return Number.isNaN(ms) ? '' : rfc3339(ms);
}

/** @param {number} ms since 1970 */
export function rfc3339(ms) {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** @param {string} time RFC 3339 */
function utc(time) {
  return new Date(time)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' UTC');
}

/** @param {Date} date */
function isToday(date) {
  return date.toDateString() === new Date().toDateString();
}

/** @param {Date} date */
function date_(date) {
  return date.getFullYear() === new Date().getFullYear() ? day.format(date) : dayAndYear.format(date);
}
