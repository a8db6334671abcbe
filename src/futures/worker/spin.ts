// Milliseconds. The caller, asleep on another CPU, needs 20 to 30 microseconds to wake, take the answer and send a call.
const longest = 0.04;
// Looks that cost less than reading the clock.
const looks = 64;
const mostFailures = 8;

/**
 * Looks out for the next call a moment longer before its worker blocks: one that comes right after an answer finds the worker
 * awake, which saves most of its time. If that fails more often than not (calls come now and then, or the caller has to
 * wait for this very CPU), it is tried only at one wait in 256.
 */
export class Spin {
  readonly #now: () => number;
  #failures = 0;
  #skip = 0;

  /** `now` gives milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Whether it is there in the end. */
  until(ready: () => boolean): boolean {
    if (this.#skip > 0) {
      this.#skip--;
      return ready();
    }
    const end = this.#now() + longest;
    do {
      if (!isThere(ready)) continue;
      if (this.#failures > 0) this.#failures--;
      return true;
    } while (this.#now() < end);
    if (this.#failures < mostFailures) this.#failures++;
    this.#skip = 2 ** this.#failures - 1;
    return false;
  }
}

function isThere(ready: () => boolean): boolean {
  for (let look = 0; look < looks; look++) if (ready()) return true;
  return false;
}
