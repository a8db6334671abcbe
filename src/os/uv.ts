import type { LibraryHandle } from 'koffi';
import { UnsupportedError } from '../base/errors.ts';
import { koffi } from './libc.ts';
import type { NativeFunction } from './libc.ts';

let node: LibraryHandle | undefined;
const functions = new Map<string, NativeFunction>();
let loop: number | undefined;

/** A function that the node binary itself exports (libuv, and node's C++ embedder API), by its C prototype. */
export function uv(prototype: string): NativeFunction {
  let fn = functions.get(prototype);
  if (fn === undefined) {
    fn = nodeBinary().func(prototype) as unknown as NativeFunction;
    functions.set(prototype, fn);
  }
  return fn;
}

/** The node binary as a library, for prototypes with callbacks. */
export function nodeBinary(): LibraryHandle {
  try {
    node ??= koffi().load(null);
    return node;
  } catch (cause) {
    throw new UnsupportedError('this needs the symbols of the node binary, which are not exported here', { cause });
  }
}

/** The event loop of this thread. Only the main thread runs libuv's default one. */
export function currentLoop(): number {
  loop ??= uv('uintptr_t _ZN4node19GetCurrentEventLoopEPN2v87IsolateE(uintptr_t isolate)')(currentIsolate());
  return loop;
}

export function currentIsolate(): number {
  return uv('uintptr_t _ZN2v87Isolate10GetCurrentEv()')();
}
