import type { RawArray, RawValue, ShareableList, Value } from '../../src/entry/multiprocessing.ts';
import { SharedMemory } from '../../src/entry/multiprocessing.ts';

export function change(value: Value<'int64'>, raw: RawValue<'d'>, array: RawArray<'uint8'>): number[] {
  const before = [...array];
  value.updateSync((n) => n + 1n);
  raw.value++;
  array.set(0, 9);
  return before;
}

export function nothing(_value: unknown): void {}

let memory: SharedMemory | undefined;

export function openByName(name: string, index: number): number {
  memory = new SharedMemory({ name });
  return memory.buf[index]!;
}

export function closeByName(name: string): boolean {
  memory!.close();
  return memory!.name === name;
}

export function create(name: string): void {
  memory = new SharedMemory({ name, create: true, size: 100 });
}

export function listItems(list: ShareableList): unknown[] {
  const items = [...list].slice(0, 5);
  list.close();
  return items;
}
