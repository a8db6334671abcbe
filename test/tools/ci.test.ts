// The canary of .ci/run: with stand-ins for npm and node, it must add up what its stages say and fail when one does.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { repository } from '../../tools/tree.ts';

/** What each stage does, as shell; by default it succeeds with some counts. */
interface Stages {
  readonly install?: string;
  readonly tests?: string;
  readonly node24?: string;
  readonly tests24?: string;
  readonly check?: string;
}

const fine = {
  install: 'true',
  tests: `echo "3 passed, 0 failed"`,
  node24: 'echo v24.1.0',
  tests24: `echo "2 passed, 0 failed, 1 skipped"`,
};

for (const [name, stages, code, last] of [
  ['all is well', {}, 0, '9 passed, 0 failed'],
  ['a test fails', { tests: `echo "2 passed, 1 failed"; exit 1` }, 1, '8 passed, 1 failed'],
  ['a test fails on Node 24', { tests24: `echo "1 passed, 1 failed"; exit 1` }, 1, '8 passed, 1 failed'],
  ['a guard fails', { check: `echo "3 passed, 1 failed"; exit 1` }, 1, '8 passed, 1 failed'],
  ['a stage ends without counts', { tests: 'echo crashed; exit 7' }, 1, '6 passed, 1 failed'],
  [
    'a stage fails although it counted no failure',
    { check: `echo "4 passed, 0 failed"; exit 1` },
    1,
    '9 passed, 1 failed',
  ],
  ['a stage counts a failure and still ends with 0', { tests: `echo "2 passed, 1 failed"` }, 1, '8 passed, 1 failed'],
  ['the installation fails', { install: 'exit 1' }, 1, '4 passed, 2 failed'],
  ['the second Node is not 24', { node24: 'echo v20.1.0' }, 1, '7 passed, 1 failed'],
  ['nothing ran', { tests: 'true', tests24: 'true', check: 'true' }, 1, '0 passed, 1 failed'],
] as const) {
  test(`when ${name}: ${last}`, () => {
    const { status, stdout, stderr } = run(stages);
    assert.equal(stdout.trimEnd().split('\n').at(-1), last, `${stdout}${stderr}`);
    assert.equal(status, code);
  });
}

test('it calls the command of the README', () => {
  assert.match(run({ install: 'echo "npm $*"' }).stdout, /^npm ci$/m);
});

function run(stages: Stages) {
  const folder = mkdtempSync(join(tmpdir(), 'ci-'));
  try {
    const { install, tests, node24, tests24, check } = { check: `echo "4 passed, 0 failed"`, ...fine, ...stages };
    mkdirSync(join(folder, 'bin'));
    cpSync(join(repository, '.ci/run'), join(folder, '.ci/run'));
    const npm = `case "$1 $2" in\nci*) ${install} ;;\ntest*) ${tests} ;;\n"run check") ${check} ;;\nesac`;
    const node = `case "$1" in\n--print) ${node24} ;;\n*tools/test.js) ${tests24} ;;\nesac`;
    for (const [name, body] of Object.entries({ npm, node })) {
      writeFileSync(join(folder, 'bin', name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
    }
    return spawnSync('bash', [join(folder, '.ci/run')], {
      encoding: 'utf8',
      env: { ...process.env, PATH: `${join(folder, 'bin')}:${process.env['PATH']}`, NODE24: join(folder, 'bin/node') },
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
