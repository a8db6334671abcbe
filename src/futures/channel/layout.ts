// The block of memory between the engine and one worker: words, then the ring of tasks, then the ring of results. What
// one side writes often has a cache line of its own.

/** Whether the worker sleeps, and how it is woken. */
export const WORKER_STATE = 0;
export const AWAKE = 0;
/** Blocked on WORKER_BELL. */
export const BLOCKED = 1;
/** On its event loop. */
export const IN_LOOP = 2;
/** Counts the wakes of the worker. */
export const WORKER_BELL = 1;
/** Set when the worker is to let its event loop turn: a message lies in its channel. */
export const ATTEND = 2;
/** How far the worker has taken tasks. */
export const TASK_HEAD = 16;
/** Calls done, modulo 2^32. */
export const DONE = 17;
/** Microseconds spent in them, modulo 2^32. */
export const BUSY = 18;
/** The timed call that runs, and (as a double) since when. */
export const CURRENT = 19;
export const CURRENT_SINCE = 20;
/** How far the engine has taken results. */
export const RESULT_HEAD = 32;
/** Set while the worker waits for room in the ring of results, which is counted up to wake it. */
export const RESULT_WAIT = 33;
export const RESULT_ROOM = 34;
/** Set while the engine sleeps until the worker tells it of a result. */
export const ENGINE_ASLEEP = 35;
/** How far the worker has written results. */
export const RESULT_TAIL = 48;

export const HEADER_BYTES = 256;
export const RING_BYTES = 1 << 18;
export const BLOCK_BYTES = HEADER_BYTES + 2 * RING_BYTES;

/** The largest payload of a record; larger ones go by message. */
export const LARGEST = RING_BYTES / 4;

// A task is [state, bytes, id, form] and its payload, a result [bytes, id, form, microseconds] and its payload.
export const RECORD_HEADER = 16;

/** States of a task. Worker and engine both try to change READY; one of them succeeds. */
export const EMPTY = 0;
export const READY = 1;
export const STARTED = 2;
export const REVOKED = 3;
/** Nothing more before the end of the ring: go on at its start. */
export const WRAP = 4;

/** What a task's payload is to the function. */
export const ONE = 0;
export const MANY = 1;
/** Items, each of them the argument of a call. */
export const EACH = 2;
/** Items, each of them the arguments of a call. */
export const SPREAD = 3;
/** As MANY, of a function that gives an iterator; how far it may be ahead and what its context has come before its arguments. */
export const STREAM = 4;
export const BEFORE_STREAM = 2;
/** No task but a function under its number. */
export const DEFINE = 5;
/** Added to the mode of a task with a time limit. */
export const TIMED = 8;

/** What a result is. */
export const VALUE = 0;
export const ERROR = 1;
/** One of a stream. */
export const ITEM = 2;
/** The number of one that must be fetched by message. */
export const FETCH_ITEM = 3;
/** A value that must be fetched by message. */
export const FETCH = 4;

/** Bytes of a record with such a payload. */
export function recordBytes(size: number): number {
  return (RECORD_HEADER + size + 7) & ~7;
}
