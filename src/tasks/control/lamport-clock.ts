/** A logical clock (Lamport 1978): what a node sends carries a higher number than all it has seen before. */
export class LamportClock {
  #value: number;

  constructor(value = 0) {
    this.#value = value;
  }

  get value(): number {
    return this.#value;
  }

  /** The number of the next thing that is sent. */
  forward(): number {
    return ++this.#value;
  }

  /** Takes in the number of something received; what is no number is ignored. */
  adjust(other: unknown): void {
    if (typeof other === 'number' && Number.isSafeInteger(other)) this.#value = Math.max(this.#value, other) + 1;
  }
}
