import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import type { SuiteRules } from '../../tools/suite/plan.ts';
import { planSuites } from '../../tools/suite/plan.ts';
import { runSuites } from '../../tools/suite/run.ts';

const folder = mkdtempSync(join(tmpdir(), 'plan-'));
const sources = join(folder, 'test');
const root = join(folder, 'dist');

before(() => {
  for (const name of [
    'base/heap',
    'base/json',
    'base/json-python',
    'chaos/kill',
    'interop/celery',
    'fixtures/planted',
  ]) {
    write(join(sources, `${name}.test.ts`), '');
    write(join(root, `${name}.test.js`), `import { test } from 'node:test'; test(${JSON.stringify(name)}, () => {});`);
  }
  write(join(root, 'base/deleted.test.js'), '');
  write(join(root, 'package.json'), '{"type":"module"}');
});

after(() => rmSync(folder, { recursive: true }));

test('files without a source and fixtures are no tests', () => {
  const names = planSuites(root, {}, [], sources).files.map(({ name }) => name);
  assert.deepEqual(names, ['base/heap', 'base/json-python', 'base/json', 'chaos/kill', 'interop/celery']);
});

test('a filter is a part of the name', () => {
  assert.deepEqual(
    planSuites(root, {}, ['json', 'chaos'], sources).files.map(({ name }) => name),
    ['base/json-python', 'base/json', 'chaos/kill'],
  );
});

test('the longest name that fits gives the rule; what is not listed is required', () => {
  const rules: SuiteRules = {
    base: { kind: 'required', alone: true },
    'base/json': { kind: 'capability' },
  };
  const kinds = planSuites(root, rules, [], sources).files.map(({ name, suite, rule }) => [name, suite, rule.kind]);
  assert.deepEqual(kinds, [
    ['base/heap', 'base', 'required'],
    ['base/json-python', 'base', 'required'],
    ['base/json', 'base/json', 'capability'],
    ['chaos/kill', 'chaos', 'required'],
    ['interop/celery', 'interop', 'required'],
  ]);
});

test('a required suite without a file fails the run, a capability suite does not', async () => {
  const rules: SuiteRules = { gone: { kind: 'required' }, away: { kind: 'capability' } };
  const { faults } = await run(rules, []);
  assert.deepEqual(faults, ['the required suite gone has no test file']);
});

test('what a required suite needs must be there; a capability suite is named as not run', async () => {
  const rules: SuiteRules = {
    base: { kind: 'required', needs: ['unicorn'] },
    interop: { kind: 'capability', needs: ['unicorn'] },
    chaos: { kind: 'required', needs: [] },
  };
  const { faults, notRun, results } = await run(rules, []);
  assert.deepEqual(
    results.map(({ name }) => name),
    ['chaos/kill'],
  );
  assert.equal(faults.length, 1);
  assert.match(faults[0]!, /^required suite could not run: base \(needs unicorn: /);
  assert.equal(notRun.length, 1);
  assert.match(notRun[0]!, /^interop \(needs unicorn: /);
});

test('long suites are named as not run where they are not wanted', async () => {
  const rules: SuiteRules = { base: { kind: 'required', long: true } };
  const without = await run(rules, []);
  assert.equal(without.results.length, 2);
  assert.match(without.notRun[0]!, /^base \(long/);
  assert.deepEqual(without.faults, []);
  assert.equal((await run(rules, ['base/heap'], true)).results.length, 1);
});

test('suites that want to be alone run after the others, one at a time', async () => {
  const rules: SuiteRules = { base: { kind: 'required', alone: true } };
  const running = new Set<string>();
  const alone: boolean[] = [];
  const { results } = await run(rules, [], true, {
    onStart: (name) => {
      running.add(name);
      if (name.startsWith('base/')) alone.push(running.size === 1);
    },
    onEnd: ({ name }) => void running.delete(name),
  });
  assert.equal(results.length, 5);
  assert.deepEqual(alone, [true, true, true]);
});

function run(
  rules: SuiteRules,
  filters: readonly string[],
  long = false,
  hooks: Partial<Pick<Parameters<typeof runSuites>[1], 'onStart' | 'onEnd'>> = {},
) {
  return runSuites(planSuites(root, rules, filters, sources), {
    node: process.execPath,
    nodeVersion: process.version,
    cwd: folder,
    deadline: 60,
    linger: 10,
    shared: join(folder, 'none'),
    jobs: 2,
    long,
    signal: new AbortController().signal,
    onStart: () => {},
    onEnd: () => {},
    ...hooks,
  });
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
