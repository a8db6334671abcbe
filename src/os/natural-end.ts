import { koffi, libc } from './libc.ts';
import { currentLoop, nodeBinary, uv } from './uv.ts';

const UV_PREPARE = 9;

/**
 * Prepares, in the parent, what a forked child starts: to tell `end` at each turn of the event loop whether it has
 * nothing left to do, and never to let it return to node. Node's next step (DrainTasks in SpinEventLoop) waits for
 * helper threads, which a forked child has not. A prepare handle looks before the loop would sleep whether anything but
 * itself keeps it alive.
 */
export function prepareNaturalEnd(end: (idle: boolean) => void): () => void {
  const loop = currentLoop();
  const handle = libc('uintptr_t calloc(size_t n, size_t size)')(1, uv('size_t uv_handle_size(int type)')(UV_PREPARE));
  const ref = uv('void uv_ref(uintptr_t handle)');
  const unref = uv('void uv_unref(uintptr_t handle)');
  const alive = uv('int uv_loop_alive(uintptr_t loop)');
  const ffi = koffi();
  const proto = ffi.pointer(ffi.proto('void', ['uintptr_t']));
  const look = ffi.register(() => {
    unref(handle);
    const left = alive(loop);
    ref(handle);
    end(left === 0);
  }, proto);
  uv('int uv_prepare_init(uintptr_t loop, uintptr_t handle)')(loop, handle);
  const start = nodeBinary().func('uv_prepare_start', 'int', ['uintptr_t', proto]);
  return () => {
    start(handle, look);
  };
}
