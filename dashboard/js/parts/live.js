/**
 * Keeps a screen up to date: asks again while something goes on, stops in a hidden tab, slows down when told to.
 */

import { Problem } from '../api.js';

/** The longest pause after failures, in seconds. */
const LONGEST_PAUSE = 60;

/**
 * Asks at once, and again after as many seconds as `pause` says; `null` ends it until `now` is called.
 * @template T
 * @param {object} how
 * @param {() => Promise<T>} how.ask
 * @param {(answer: T) => void} how.show
 * @param {(problem: Problem) => void} how.fail
 * @param {(answer: T) => number | null} [how.pause]
 * @param {AbortSignal} how.signal
 * @returns {{now: () => void}}
 */
export function follow({ ask, show, fail, pause = () => null, signal }) {
  let timer = 0;
  let failures = 0;
  let missed = false;
  let turn = 0;

  /** @param {number | null} seconds */
  const later = (seconds) => {
    clearTimeout(timer);
    if (seconds !== null && !signal.aborted) timer = setTimeout(run, seconds * 1000);
  };
  const run = async () => {
    clearTimeout(timer);
    missed = document.hidden && turn > 0;
    if (missed || signal.aborted) return;
    const mine = ++turn;
    try {
      const answer = await ask();
      if (signal.aborted || mine !== turn) return;
      failures = 0;
      show(answer);
      later(pause(answer));
    } catch (error) {
      if (signal.aborted || mine !== turn) return;
      const problem = asProblem(error);
      fail(problem);
      later(pauseAfter(problem, failures++));
    }
  };
  const wake = () => missed && !document.hidden && run();

  document.addEventListener('visibilitychange', wake, { signal });
  signal.addEventListener('abort', () => clearTimeout(timer));
  run();
  return { now: run };
}

/**
 * Returns after how many seconds to ask again, or `null` if that can't help.
 * @param {Problem} problem
 * @param {number} failures before this one
 */
export function pauseAfter(problem, failures) {
  if (problem.status !== 0 && problem.status !== 429 && problem.status < 500) return null;
  return Math.max(problem.retryAfterSeconds, Math.min(LONGEST_PAUSE, 5 * 2 ** failures));
}

/**
 * Calls a function every second, except in a hidden tab.
 * @param {() => void} each
 * @param {AbortSignal} signal
 */
export function everySecond(each, signal) {
  const timer = setInterval(() => !document.hidden && each(), 1000);
  signal.addEventListener('abort', () => clearInterval(timer));
}

/**
 * Returns any error as a problem; one of the page itself is rethrown for the console.
 * @param {unknown} error
 * @returns {Problem}
 */
export function asProblem(error) {
  if (error instanceof Problem) return error;
  if (!(error instanceof DOMException)) reportError(error);
  return new Problem(-1, 'this page failed');
}
