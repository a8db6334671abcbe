/** Closes sockets at the end of a block. */
export function closing(...sockets: readonly { close(): void }[]): Disposable {
  return {
    [Symbol.dispose]: () => {
      for (const each of sockets) each.close();
    },
  };
}
