import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { InvalidArgumentError } from '../base/errors.ts';

const largest = 2 ** 32 - 2; // -1 means "leave as it is" to the kernel

/** The number of a user or group; InvalidArgumentError, naming the option, for one this machine does not know. */
export function accountId(kind: 'user' | 'group', option: string, value: number | string): number {
  if (typeof value === 'number') {
    if (Number.isInteger(value) && value >= 0 && value <= largest) return value;
    throw new InvalidArgumentError(option, value, `a number from 0 to ${largest}, or a name`);
  }
  const id = /^[a-z_][a-z0-9_.-]*\$?$/i.test(value) ? numberOf(kind, value) : undefined;
  if (id === undefined) throw new InvalidArgumentError(option, value, `a ${kind} of this machine, by name or number`);
  return id;
}

// Those of the files are all there are on most machines; getent asks the others (LDAP and the like).
function numberOf(kind: 'user' | 'group', name: string): number | undefined {
  const database = kind === 'user' ? 'passwd' : 'group';
  const find = (text: string): number | undefined => {
    const fields = text
      .split('\n')
      .map((line) => line.split(':'))
      .find(([each]) => each === name);
    return fields?.[2] === undefined ? undefined : Number(fields[2]);
  };
  return (
    find(contents(`/etc/${database}`)) ?? find(spawnSync('getent', [database, name], { encoding: 'utf8' }).stdout ?? '')
  );
}

function contents(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
