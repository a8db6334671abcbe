import { EmptyError, InvalidArgumentError } from '../base/errors.ts';
import type { ElementOf, TypeCode } from './type-codes.ts';
import { checkElement } from './type-codes.ts';

/** A manager's dictionary, and its namespace. */
export class Dict<V> {
  readonly #entries: Map<string, V>;

  constructor(entries: Readonly<Record<string, V>>) {
    this.#entries = new Map(Object.entries(entries));
  }

  get(key: string): V | undefined {
    return this.#entries.get(key);
  }

  set(key: string, value: V): void {
    this.#entries.set(key, value);
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  delete(key: string): boolean {
    return this.#entries.delete(key);
  }

  setdefault(key: string, value: V): V {
    if (!this.#entries.has(key)) this.#entries.set(key, value);
    return this.#entries.get(key)!;
  }

  update(entries: Readonly<Record<string, V>>): void {
    for (const [key, value] of Object.entries(entries)) this.#entries.set(key, value);
  }

  size(): number {
    return this.#entries.size;
  }

  keys(): string[] {
    return [...this.#entries.keys()];
  }

  values(): V[] {
    return [...this.#entries.values()];
  }

  items(): [string, V][] {
    return [...this.#entries];
  }

  clear(): void {
    this.#entries.clear();
  }
}

/** A manager's list. */
export class List<V> {
  readonly #items: V[];

  constructor(items: readonly V[]) {
    this.#items = [...items];
  }

  get(index: number): V {
    return this.#items[this.#at(index)]!;
  }

  set(index: number, value: V): void {
    this.#items[this.#at(index)] = value;
  }

  append(value: V): void {
    this.#items.push(value);
  }

  extend(values: readonly V[]): void {
    this.#items.push(...values);
  }

  pop(index = -1): V {
    if (this.#items.length === 0) throw new EmptyError('pop from an empty list');
    return this.#items.splice(this.#at(index), 1)[0]!;
  }

  length(): number {
    return this.#items.length;
  }

  all(): V[] {
    return [...this.#items];
  }

  #at(index: number): number {
    return within(index, this.#items.length);
  }
}

/** A manager's array: of numbers of one type, and of one length. */
export class TypedList<C extends TypeCode> {
  readonly #type: C;
  readonly #items: ElementOf<C>[];

  constructor(type: C, items: readonly ElementOf<C>[]) {
    this.#type = type;
    this.#items = items.map((item) => checkElement(type, 'items', item));
  }

  get(index: number): ElementOf<C> {
    return this.#items[within(index, this.#items.length)]!;
  }

  set(index: number, value: ElementOf<C>): void {
    this.#items[within(index, this.#items.length)] = checkElement(this.#type, 'value', value);
  }

  length(): number {
    return this.#items.length;
  }

  all(): ElementOf<C>[] {
    return [...this.#items];
  }
}

function within(index: number, length: number): number {
  const at = index < 0 ? length + index : index;
  if (Number.isInteger(at) && at >= 0 && at < length) return at;
  throw new InvalidArgumentError('index', index, `a whole number within the ${length} items`);
}

/** A manager's value. */
export class Cell<V> {
  #value: V;

  constructor(value: V) {
    this.#value = value;
  }

  get(): V {
    return this.#value;
  }

  set(value: V): void {
    this.#value = value;
  }
}
