import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { cycles, layerFaults } from '../../tools/layers.ts';

const rules = { root: 'src', layers: [['base'], ['left', 'right'], ['top'], ['entry']], noImportFromSrc: ['entry'] };

/** Faults of a planted tree, given as file → text. */
function faultsOf(files: Record<string, string>): string[] {
  const repository = mkdtempSync(join(tmpdir(), 'layers-'));
  try {
    for (const [file, text] of Object.entries(files)) {
      const path = join(repository, 'src', file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
    return layerFaults(repository, rules);
  } finally {
    rmSync(repository, { recursive: true });
  }
}

test('imports that point down, and inside a folder, are fine', () => {
  const faults = faultsOf({
    'base/a.ts': '',
    'left/b.ts': `import { a } from '../base/a.ts'; import './c.ts';`,
    'left/c.ts': '',
    'entry/index.ts': `export * from '../left/b.ts';`,
  });
  assert.deepEqual(faults, []);
});

for (const [kind, code] of Object.entries({
  static: `import { t } from '../top/t.ts';`,
  type: `import type { T } from '../top/t.ts';`,
  're-export': `export * from '../top/t.ts';`,
  'side effect': `import '../top/t.ts';`,
  dynamic: `const t = await import('../top/t.ts');`,
  url: `new Worker(new URL('../top/t.js', import.meta.url));`,
  'over several lines': `import {\n  t,\n} from '../top/t.ts';`,
})) {
  test(`an upward import is found: ${kind}`, () => {
    assert.deepEqual(faultsOf({ 'base/a.ts': code, 'top/t.ts': '' }), ['base/a.ts imports top/t.ts: upward']);
  });
}

test('a sideways import is found', () => {
  const faults = faultsOf({ 'left/a.ts': `import '../right/b.ts';`, 'right/b.ts': '' });
  assert.deepEqual(faults, ['left/a.ts imports right/b.ts: sideways']);
});

test('an import of the entries from below is found', () => {
  const faults = faultsOf({ 'top/a.ts': `import '../entry/index.ts';`, 'entry/index.ts': '' });
  assert.deepEqual(faults, ['top/a.ts imports entry/index.ts: nothing may import "entry"']);
});

test('a folder without a layer and a missing file are found', () => {
  const faults = faultsOf({
    'base/a.ts': '',
    'attic/b.ts': `import '../base/a.ts';`,
    'top/c.ts': `import './gone.ts';`,
  });
  assert.deepEqual(faults, [
    'attic/b.ts imports base/a.ts: the folder "attic" is not in layers.json',
    'top/c.ts imports top/gone.ts, which does not exist',
  ]);
});

test('a cycle is found inside one folder too', () => {
  const faults = faultsOf({
    'base/a.ts': `import './b.ts';`,
    'base/b.ts': `import type { C } from './c.ts';`,
    'base/c.ts': `import './a.ts';`,
  });
  assert.deepEqual(faults, ['cycle: base/a.ts -> base/b.ts -> base/c.ts -> base/a.ts']);
});

test('a program that is started by its URL closes no cycle', () => {
  const faults = faultsOf({
    'base/host.ts': `new Worker(new URL('./main.js', import.meta.url));`,
    'base/main.ts': `import type { H } from './host.ts';`,
  });
  assert.deepEqual(faults, []);
});

test('what stands in a comment is no import', () => {
  const faults = faultsOf({ 'base/a.ts': `// import '../top/t.ts';\n/* from '../top/t.ts' */`, 'top/t.ts': '' });
  assert.deepEqual(faults, []);
});

test('each cycle of a graph is told once', () => {
  const graph = new Map([
    ['a', ['b', 'c']],
    ['b', ['a']],
    ['c', ['c']],
  ]);
  assert.deepEqual(cycles(graph), [
    ['a', 'b', 'a'],
    ['c', 'c'],
  ]);
});
