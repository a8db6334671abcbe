import { koffi } from './libc.ts';
import { currentLoop, nodeBinary, uv } from './uv.ts';

/** Types of libuv's handles (uv_handle_type). */
export const UV_FS_EVENT = 3;
export const UV_NAMED_PIPE = 7;
export const UV_POLL = 8;
export const UV_TCP = 12;
export const UV_TTY = 14;
export const UV_UDP = 15;

type Visit = (handle: number, type: number) => void;
export type HandleWalk = (visit: Visit) => void;

/** Binds what visits all handles of this thread's event loop, those being closed included and libuv's own excluded. */
export function prepareHandleWalk(): HandleWalk {
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
