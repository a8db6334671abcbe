import { writeSync } from 'node:fs';
import { inspect } from 'node:util';
import type { Address } from '../socket/address.ts';
import { showAddress } from '../socket/address.ts';

/** Writes to standard error what went wrong with whom, at once: a forked child ends right behind it. */
export function writeError(error: unknown, address: Address): void {
  try {
    writeSync(2, `Exception occurred during processing of request from ${showAddress(address)}\n${inspect(error)}\n`);
  } catch {
    // Nobody reads standard error.
  }
}
