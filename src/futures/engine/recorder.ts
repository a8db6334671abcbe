import { LogHistogram } from './log-histogram.ts';

/** Counts what an engine does. */
export class Recorder {
  submitted = 0;
  completed = 0;
  failed = 0;
  cancelled = 0;
  timedOut = 0;
  lost = 0;
  stolen = 0;
  recycled = 0;
  died = 0;
  /** Milliseconds that workers spent in calls. */
  busy = 0;
  readonly waitTime = new LogHistogram();
  readonly runTime = new LogHistogram();
  #average = 0;

  /** A result has come, so many milliseconds after the call; it ran so many microseconds, 0 if that was not measured. */
  answered(millis: number, micros: number): void {
    const run = micros === 0 ? this.#average : micros / 1000;
    if (micros !== 0) this.runTime.add(run, 1);
    this.waitTime.add(Math.max(0, millis - run), 1);
  }

  /** A call begins that waited so many milliseconds. */
  waited(millis: number): void {
    this.waitTime.add(millis, 1);
  }

  /** A call is over that ran so many milliseconds. */
  ranFor(millis: number): void {
    this.busy += millis;
    this.runTime.add(millis, 1);
  }

  /** Calls of a worker were measured. */
  ran({ calls, millis }: { readonly calls: number; readonly millis: number }): void {
    this.busy += millis;
    if (calls === 0) return;
    this.#average = millis / calls;
    if (this.#average < 0.02) this.runTime.add(this.#average, calls);
  }
}
