import { constants } from 'node:os';
import { libc } from '../os/libc.ts';

/** The signals of this platform, by name. */
export const Signals: Readonly<Record<NodeJS.Signals, number>> = constants.signals;

/** The default action. */
export const SIG_DFL = 'SIG_DFL';
/** Takes no notice. Children made by exec inherit it. */
export const SIG_IGN = 'SIG_IGN';

const names = new Map<number, NodeJS.Signals>();
// The first name of a number is the usual one (SIGABRT, not SIGIOT).
for (const [name, number] of Object.entries(Signals)) if (!names.has(number)) names.set(number, name as NodeJS.Signals);

/** A signal's name; `undefined` for numbers without one, as real-time signals. */
export function signalName(signum: number): NodeJS.Signals | undefined {
  return names.get(signum);
}

/** All signal numbers this platform takes. */
export function validSignals(): Set<number> {
  const valid = new Set(names.keys());
  // The C library keeps the first two real-time signals to itself.
  if (process.platform === 'linux') for (let signum = 34; signum <= 64; signum++) valid.add(signum);
  return valid;
}

/** The system's words for a signal (`Interrupt`); `undefined` for numbers that are none. strsignal(3). */
export function strsignal(signum: number): string | undefined {
  if (!validSignals().has(signum)) return undefined;
  return (libc('const char *strsignal(int signal)') as unknown as (signum: number) => string)(signum);
}
