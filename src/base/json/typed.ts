/**
 * A value of a Python type that JavaScript lacks (`decimal`, `date`, `time`, `uuid`) or that we do not know, kept so
 * that it goes back exactly as it came. `String(value)` is its usual text.
 *
 * @example
 * await invoice.delay(new Typed('decimal', '19.90'));
 */
export class Typed {
  readonly type: string;
  readonly value: unknown;

  constructor(type: string, value: unknown) {
    this.type = type;
    this.value = value;
  }

  static uuid(text: string): Typed {
    return new Typed('uuid', { hex: text.replaceAll('-', '') });
  }

  toString(): string {
    if (this.type === 'uuid') {
      const hex = String((this.value as { hex?: unknown } | null)?.hex);
      return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    }
    return typeof this.value === 'string' ? this.value : JSON.stringify(this.value);
  }
}
