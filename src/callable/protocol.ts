import type { PackedError } from './packed-error.ts';
import type { Reference } from './registry.ts';

// Messages travel in batches: arrays of the tuples below.

/** From the starter to its worker. A function is defined once and then called by its number. */
export type Request =
  | readonly [kind: 'define', fn: number, reference: Reference]
  | readonly [kind: 'call', id: number, fn: number, args: readonly unknown[], key?: string]
  | readonly [kind: 'abort', id: number, reason: PackedError]
  | readonly [kind: 'close'];

/** From the worker to its starter. */
export type Response =
  | readonly [kind: 'done', id: number, value: unknown, key?: string]
  | readonly [kind: 'failed', id: number, error: PackedError];
