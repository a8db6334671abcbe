import { inspect } from 'node:util';
import { portable } from '../callable/portable.ts';
import { resolve } from '../callable/reference.ts';
import type { AnyFunction, Reference } from '../callable/registry.ts';
import { endIfParentIsGone } from '../ipc/interrupt.ts';
import { hasLibc, libc } from '../os/libc.ts';
import type { ProcessIdentity } from './current.ts';
import { becomeProcess } from './current.ts';

const PR_SET_PDEATHSIG = 1;
const SIGTERM = 15;

/** What a started process runs. */
export const runProcess = portable(import.meta, 'runProcess', runHere);

async function runHere(reference: Reference, args: readonly unknown[], identity: ProcessIdentity): Promise<void> {
  becomeProcess(identity);
  tieToParent(identity.maker ?? process.ppid);
  await runTarget(() => resolve(reference), args, identity);
  // What the function has set, which closing the process would not look at.
  if (process.exitCode !== undefined && process.exitCode !== 0) process.exit();
}

/** Runs the function of this process; what it throws is printed and ends the process with code 1. */
export async function runTarget(
  find: () => AnyFunction | Promise<AnyFunction>,
  args: readonly unknown[],
  identity: ProcessIdentity,
): Promise<void> {
  try {
    const target = (await find()) as (...args: readonly unknown[]) => unknown;
    await target(...args);
  } catch (error) {
    process.stderr.write(`Process ${identity.name}:\n${inspect(error)}\n`);
    process.exit(1);
  }
}

// The channel's end tells an event loop that the parent is gone; a child that computes needs the kernel's signal, and one
// that is blocked in a lock looks by itself.
/** Ends this process when that one, its parent, has ended. */
export function tieToParent(parent: number): void {
  if (process.platform !== 'linux' || !hasLibc()) return;
  libc('int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)')(
    PR_SET_PDEATHSIG,
    SIGTERM,
    0,
    0,
    0,
  );
  const gone = () => process.ppid !== parent;
  endIfParentIsGone(gone);
  if (gone()) process.exit(0);
}
