import type { Histogram } from '../statistics.ts';

// Four buckets for each doubling, from a nanosecond.
const steps = 4;
const least = 1e-6;
const buckets = 48 * steps;

/** A histogram of durations in buckets that grow with them, so that it has few and each is as exact as the next. */
export class LogHistogram {
  readonly #counts = new Float64Array(buckets);
  #count = 0;
  #sum = 0;
  #max = 0;
  // Calls given together and answered together have waited equally long.
  #last = 0;
  #bucket = 0;

  /** `count` durations of so many milliseconds. */
  add(millis: number, count: number): void {
    if (millis !== this.#last) {
      this.#last = millis;
      this.#bucket = bucketOf(millis);
    }
    this.#counts[this.#bucket]! += count;
    this.#count += count;
    this.#sum += millis * count;
    if (millis > this.#max) this.#max = millis;
  }

  /** As it is now, in seconds. */
  snapshot(): Histogram {
    const counts = this.#counts.slice();
    const count = this.#count;
    return {
      count,
      mean: count === 0 ? 0 : this.#sum / count / 1000,
      max: this.#max / 1000,
      quantile: (part) => quantile(counts, count * part) / 1000,
    };
  }
}

function bucketOf(millis: number): number {
  if (millis <= least) return 0;
  return Math.min(buckets - 1, Math.ceil(Math.log2(millis / least) * steps));
}

function quantile(counts: Float64Array, rank: number): number {
  let seen = 0;
  for (let bucket = 0; bucket < buckets; bucket++) {
    seen += counts[bucket]!;
    if (seen >= rank && seen > 0) return least * 2 ** (bucket / steps);
  }
  return 0;
}
