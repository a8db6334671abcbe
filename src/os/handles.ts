import { koffi, libc } from './libc.ts';
import { currentLoop, nodeBinary, uv } from './uv.ts';

/** Types of libuv's handles (uv_handle_type). */
export const UV_FS_EVENT = 3;
export const UV_NAMED_PIPE = 7;
export const UV_POLL = 8;
export const UV_TCP = 12;
export const UV_TTY = 14;
export const UV_UDP = 15;
export const UV_SIGNAL = 16;

type Visit = (handle: number, type: number) => void;

/** Binds what visits all handles of this thread's event loop, those being closed included and libuv's own excluded. */
export function prepareHandleWalk(): (visit: Visit) => void {
  const loop = currentLoop();
  const ffi = koffi();
  const proto = ffi.pointer(ffi.proto('void', ['uintptr_t', 'uintptr_t']));
  const typeOf = uv('int uv_handle_get_type(uintptr_t handle)');
  let visiting: Visit = () => {};
  const walk = nodeBinary().func('uv_walk', 'void', ['uintptr_t', proto, 'uintptr_t']);
  const callback = ffi.register((handle: number) => visiting(handle, typeOf(handle)), proto);
  return (visit) => {
    visiting = visit;
    walk(loop, callback, 0);
  };
}

// Behind the 96 bytes of every handle, the callback, the number and the node of a tree: part of libuv's ABI since 1.0.
const caughtOffset = 144;
const dispatchedOffset = 148;

/**
 * Binds what a forked child calls about signals its parent had caught but not handled. Their messages are in the parent's
 * pipe; libuv does not close a handle before it has seen them all, and until then the loop turns without pause and without
 * end (uv__finish_close; `uv_loop_fork` forgets them in newer versions only).
 */
export function prepareToForgetSignals(walk: (visit: Visit) => void): () => void {
  const memcpy = libc('uintptr_t memcpy(uintptr_t to, uintptr_t from, size_t size)');
  return () => {
    walk((handle, type) => {
      if (type === UV_SIGNAL) memcpy(handle + dispatchedOffset, handle + caughtOffset, 4);
    });
  };
}
