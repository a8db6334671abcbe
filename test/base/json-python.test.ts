import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { decodeJson } from '../../src/base/json/decode.ts';
import { encodeJson } from '../../src/base/json/encode.ts';
import { seeded } from '../../src/base/virtual-clock.ts';
import { program } from '../../tools/programs.ts';
import { repository } from '../../tools/tree.ts';

const count = 4000;

test('what we write is what Python writes, byte for byte', () => {
  const random = seeded(11);
  const values = Array.from({ length: count }, () => randomValue(random, 0));
  const ours = values.map((value) => encodeJson(value));
  const theirs = python(['rewrite'], ours.join('\n'));
  assert.deepEqual(theirs, ours);
});

test('what Python wrote of our values reads as the values', () => {
  const random = seeded(12);
  const values = Array.from({ length: count }, () => randomValue(random, 0));
  const theirs = python(['rewrite'], values.map((value) => encodeJson(value)).join('\n'));
  assert.deepEqual(
    theirs.map((line) => decodeJson(line)),
    values,
  );
});

test('what Python writes comes back from us byte for byte', () => {
  const theirs = python(['generate', String(count), '13']);
  assert.equal(theirs.length, count);
  assert.deepEqual(
    theirs.map((line) => encodeJson(decodeJson(line))),
    theirs,
  );
});

function python(args: readonly string[], input?: string): string[] {
  const script = join(repository, 'test/oracle/json_dialect.py');
  const output = execFileSync(program('python3'), [script, ...args], { input, encoding: 'utf8', maxBuffer: 2 ** 27 });
  return output.trimEnd().split('\n');
}

function randomValue(random: () => number, depth: number): unknown {
  const below = (limit: number) => Math.floor(random() * limit);
  switch (below(depth < 4 ? 9 : 7)) {
    case 0:
      return [null, true, false][below(3)];
    case 1:
      return below(2 ** below(53)) * (random() < 0.5 ? -1 : 1) || 0;
    case 2:
      return (random() - 0.5) * 10 ** (below(620) - 315);
    case 3:
      return [Number.NaN, Infinity, -Infinity, -0, 2 ** 53, 1e16, 1e21, 5e-324, Number.MAX_VALUE, 1e-5, 1e-4][
        below(11)
      ];
    case 4:
      return BigInt(2) ** BigInt(54 + below(300)) * (random() < 0.5 ? -1n : 1n);
    case 5:
    case 6:
      return randomText(below);
    case 7:
      return Array.from({ length: below(6) }, () => randomValue(random, depth + 1));
    default:
      return Object.fromEntries(
        Array.from({ length: below(6) }, () => [`k${randomText(below)}`, randomValue(random, depth + 1)]),
      );
  }
}

function randomText(below: (limit: number) => number): string {
  return Array.from({ length: below(12) }, () =>
    below(3) === 0 ? String.fromCharCode(below(65_536)) : String.fromCharCode(below(128)),
  ).join('');
}
