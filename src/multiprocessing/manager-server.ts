import { InvalidArgumentError } from '../base/errors.ts';
import type { Address } from './listener.ts';
import { socketAddress } from './listener.ts';
import { Cell, Dict, List, TypedList } from './managed-containers.ts';
import {
  ManagedBarrier,
  ManagedCondition,
  ManagedEvent,
  ManagedLock,
  ManagedQueue,
  ManagedRLock,
  ManagedSemaphore,
} from './managed-synchronisation.ts';
import { ObjectServer } from './object-server.ts';
import type { ElementOf, TypeCode } from './type-codes.ts';

/** What a manager can hold, by kind. */
export interface Referents<V = unknown, C extends TypeCode = TypeCode> {
  readonly dict: Dict<V>;
  readonly list: List<V>;
  readonly array: TypedList<C>;
  readonly value: Cell<V>;
  readonly queue: ManagedQueue<V>;
  readonly lock: ManagedLock;
  readonly rlock: ManagedRLock;
  readonly semaphore: ManagedSemaphore;
  readonly condition: ManagedCondition;
  readonly event: ManagedEvent;
  readonly barrier: ManagedBarrier;
}

type Maker = (...args: never[]) => object;

const makers: Readonly<Record<keyof Referents, Maker>> = {
  dict: (entries: Readonly<Record<string, unknown>>) => new Dict(entries),
  list: (items: readonly unknown[]) => new List(items),
  array: (type: TypeCode, items: readonly ElementOf<TypeCode>[]) => new TypedList(type, items),
  value: (value: unknown) => new Cell(value),
  queue: (maxsize: number) => new ManagedQueue(maxsize),
  lock: () => new ManagedLock(),
  rlock: () => new ManagedRLock(),
  semaphore: (value: number, bounded: boolean) => new ManagedSemaphore(value, bounded),
  condition: () => new ManagedCondition(),
  event: () => new ManagedEvent(),
  barrier: (parties: number) => new ManagedBarrier(parties),
};

/** Serves objects of this process; gives the address. */
export function serveObjects(authkey: string): Promise<Address> {
  return new ObjectServer({ address: socketAddress(), authkey }, make).listen();
}

function make(kind: string, args: readonly unknown[]): object {
  if (!Object.hasOwn(makers, kind)) throw new InvalidArgumentError('kind', kind, Object.keys(makers).join(', '));
  return makers[kind as keyof Referents](...(args as never[]));
}
