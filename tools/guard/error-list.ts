import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { errorCodes } from '../../src/base/errors.ts';

/** Codes that the code has and `docs/errors.md` lacks, and the other way round. */
export function errorListFaults(repository: string, codes: readonly string[] = errorCodes): string[] {
  const text = readFileSync(resolve(repository, 'docs/errors.md'), 'utf8');
  const documented = [...text.matchAll(/^- `(SIMUL_\w+)` \(/gm)].map((match) => match[1]!);
  const twice = documented.filter((code, index) => documented.indexOf(code) !== index);
  return [
    ...codes.filter((code) => !documented.includes(code)).map((code) => `docs/errors.md does not have ${code}`),
    ...documented
      .filter((code) => !codes.includes(code))
      .map((code) => `docs/errors.md has ${code}, the code does not`),
    ...twice.map((code) => `docs/errors.md has ${code} twice`),
  ];
}
