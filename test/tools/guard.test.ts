// Each guard must find the fault that is planted for it. Words are put together here so that the guard of this
// repository does not find them in this file.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { errorListFaults } from '../../tools/guard/error-list.ts';
import { exampleFaults } from '../../tools/guard/examples.ts';
import { exportFaults, undocumented } from '../../tools/guard/surface.ts';
import { leftovers, machinePaths, namelessRooms, oversized, registryHosts, untyped } from '../../tools/guard/text.ts';

const file = (text: string, path = 'src/base/a.ts') => [{ path, text }];
const joined = (...parts: string[]) => parts.join('');

test('leftovers', () => {
  assert.deepEqual(leftovers(file(joined('ok\n// TO', 'DO: later'))), [joined('src/base/a.ts:2: TO', 'DO')]);
  assert.equal(leftovers(file(joined('it.on', `ly('x', () => {})`))).length, 1);
  assert.equal(leftovers(file(joined('test.sk', `ip('x', () => {})`))).length, 1);
  assert.equal(leftovers(file(joined('debug', 'ger;'))).length, 1);
  assert.deepEqual(leftovers(file(`test('x', { skip: !able && 'why' }, () => {}); mastodon`)), []);
});

test('paths of a machine', () => {
  assert.equal(machinePaths(file(joined(`read('/ho`, `me/ada/x')`))).length, 1);
  assert.equal(machinePaths(file(joined('see /ro', 'ot/x'), 'README.md')).length, 1);
  assert.deepEqual(machinePaths(file('./work/x a/root/b https://x.org/home/x /tmp/x')), []);
});

test('registry hosts', () => {
  const lock = joined('"reso', 'lved": "https://registry', '.npmjs.org/x/-/x-1.0.0.tgz"');
  assert.equal(registryHosts(file(lock, 'package-lock.json')).length, 1);
  assert.deepEqual(registryHosts(file('"integrity": "sha512-x"', 'package-lock.json')), []);
});

test('any', () => {
  for (const code of ['let x: any;', 'x as any', 'Map<any, string>', 'f(x: any[])']) {
    assert.equal(untyped(file(code)).length, 1, code);
  }
  assert.deepEqual(untyped(file('// for: any reason\n * in: any order\nconst many = company;')), []);
  assert.deepEqual(untyped(file('let x: any;', 'test/a.ts')), []);
});

test('rooms without a noun', () => {
  for (const path of ['src/utils/a.ts', 'src/base/helpers.ts', 'test/common/x/y.ts', 'src/types.d.ts']) {
    assert.deepEqual(namelessRooms(file('', path)), [path]);
  }
  assert.deepEqual(namelessRooms(file('', 'src/base/typed.ts')), []);
});

test('file sizes: comments and empty lines do not count', () => {
  assert.equal(oversized(file('x();\n'.repeat(401), 'tools/a.ts')).length, 1);
  assert.deepEqual(oversized(file('x();\n// why\n\n/* a\n b */\n'.repeat(400), 'tools/a.ts')), []);
  assert.deepEqual(oversized(file('x();\n'.repeat(130))), ['the median file of src has 130 lines of code']);
});

test('exports and entries', () => {
  inTree(
    {
      'package.json': JSON.stringify({
        exports: { '.': './dist/src/entry/index.js', './gone': './dist/src/entry/gone.js', './odd': './odd.js' },
      }),
      'src/entry/index.ts': '',
      'src/entry/closed.ts': '',
    },
    (repository) => {
      assert.deepEqual(exportFaults(repository), [
        'package.json: "./gone" has no src/entry/gone.ts',
        'package.json: "./odd" is ./odd.js, expected ./dist/src/entry/odd.js',
        'src/entry/closed.ts is no subpath of package.json',
      ]);
    },
  );
});

test('public names without a comment', () => {
  const documented =
    '/** Why. */\nexport class A {}\n/** Why. */\nexport function f(x: 1): 1;\nexport function f(x: 2): 2;\n';
  inTree(
    {
      'src/entry/index.ts': `export * from '../base/a.ts';\nexport { B, type C } from '../base/b.ts';\n`,
      'src/base/a.ts': `${documented}\n// no\nexport async function bare() {}\n`,
      'src/base/b.ts': 'export const B = 1;\n/** Why. */\nexport interface C {}\nexport type Closed = 1;\n',
    },
    (repository) => assert.deepEqual(undocumented(repository), ['src/base/a.ts: bare', 'src/base/b.ts: B']),
  );
});

test('the list of errors, both ways', () => {
  const page = '- `SIMUL_A` (`A`). x\n- `SIMUL_B` (`B`). x\n- `SIMUL_B` (`B`). x\n';
  inTree({ 'docs/errors.md': page }, (repository) =>
    assert.deepEqual(errorListFaults(repository, ['SIMUL_A', 'SIMUL_C']), [
      'docs/errors.md does not have SIMUL_C',
      'docs/errors.md has SIMUL_B, the code does not',
      'docs/errors.md has SIMUL_B, the code does not',
      'docs/errors.md has SIMUL_B twice',
    ]),
  );
});

test('a program of examples/ that fails', async () => {
  const repository = mkdtempSync(join(tmpdir(), 'guard-'));
  try {
    const programs = {
      '01-good': '',
      '02-bad': `throw new Error('planted')`,
      notes: `throw new Error('not numbered')`,
    };
    mkdirSync(join(repository, 'examples'));
    mkdirSync(join(repository, 'dist/examples'), { recursive: true });
    for (const [name, text] of Object.entries(programs)) {
      writeFileSync(join(repository, `examples/${name}.ts`), text);
      writeFileSync(join(repository, `dist/examples/${name}.js`), text);
    }
    const faults = await exampleFaults(repository);
    assert.equal(faults.length, 1);
    assert.match(faults[0]!, /^examples\/02-bad\.ts: [\s\S]*planted/);
  } finally {
    rmSync(repository, { recursive: true });
  }
});

function inTree(files: Record<string, string>, body: (repository: string) => void): void {
  const repository = mkdtempSync(join(tmpdir(), 'guard-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(repository, name)), { recursive: true });
      writeFileSync(join(repository, name), text);
    }
    body(repository);
  } finally {
    rmSync(repository, { recursive: true });
  }
}
