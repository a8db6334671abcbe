/** How a loop hears of signals; returns what takes the listener back. Joined to `simul/signal` at the entry. */
export type SignalSource = (signal: NodeJS.Signals, listener: () => void) => () => void;

let source: SignalSource = (signal, listener) => {
  process.on(signal, listener);
  return () => process.off(signal, listener);
};

export function provideSignals(given: SignalSource): void {
  source = given;
}

export function listenTo(signal: NodeJS.Signals, listener: () => void): () => void {
  return source(signal, listener);
}
