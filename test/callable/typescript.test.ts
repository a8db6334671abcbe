import assert from 'node:assert/strict';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Project } from './project.ts';

// Runs `await importModule(ARG)` and prints `show()` of it, in this thread or in a host.
const runner = `
  import { ProcessHost, ThreadHost, fromModule, importModule } from 'simul/callable';
  const [where, file, name = 'show'] = process.argv.slice(2);
  const url = new URL(file, import.meta.url);
  try {
    if (where === 'here') console.log(JSON.stringify(await (await importModule(url))[name]()));
    else await callIn(where === 'thread' ? new ThreadHost() : new ProcessHost());
  } catch (error) {
    console.log(error.stack);
  }
  async function callIn(host) {
    try {
      console.log(JSON.stringify(await host.call(fromModule(url, name), [])));
    } finally {
      await host.close();
    }
  }
`;

async function show(project: Project, where: string, file: string, name = 'show'): Promise<unknown> {
  const { stdout, stderr, code } = await project.run(['run.mjs', where, file, name]);
  assert.equal(stderr, '');
  assert.equal(code, 0);
  return stdout.startsWith('{') || stdout.startsWith('[') || stdout.startsWith('"') ? JSON.parse(stdout) : stdout;
}

const sources = {
  'run.mjs': runner,
  'package.json':
    '{ "name": "project", "type": "module", "exports": { "./self": "./src/self.ts" }, "imports": { "#own": "./src/own.ts" } }',
  'node_modules/dual/package.json':
    '{ "name": "dual", "exports": { "import": "./import.mjs", "require": "./require.cjs" } }',
  'node_modules/dual/import.mjs': 'export const kind = "import";',
  'node_modules/dual/require.cjs': 'exports.kind = "require";',
  'src/self.ts': 'export const self: string = "self";',
  'src/own.ts': 'export const own: string = "own";',
  'src/shape.ts': 'export interface Shape { w: number }',
  'src/plain.js': 'export const plain = import.meta.url.split("/").at(-1);',
  'src/data.json': '{ "answer": 42 }',
  'src/literal.ts': 'export const literal: number = 1;',
  'src/computed.ts': 'export const computed: number = 2;',
  'src/common.cts': `
    import { inner } from './inner.cjs';
    export const common: unknown[] = [inner, require('./inner.cts').inner, require('dual').kind, __filename.split('/').at(-1)];
    export const lazy = () => import('./literal.ts');
  `,
  'src/inner.cts': 'export const inner: string = "inner";',
  'src/index.ts': `#!/usr/bin/env node
    import { portable, isWorker } from 'simul/callable';
    import type { Shape } from './shape.js';
    import { twice } from './cycle.js';
    import { kind } from 'dual';
    import { self } from 'project/self';
    import { own } from '#own';
    import { common, lazy } from './common.cjs';
    import data from './data.json' with { type: 'json' };
    import { plain } from './plain.js';
    enum Color { Red = 3 }
    export class Refused extends Error { static of(reason: string) { return new Refused(reason); } }
    export const area = portable(import.meta, 'area', (shape: Shape) => twice(shape.w) + Color.Red);
    export const again = portable(import.meta, 'again', () => 1);
    export async function show() {
      const log: string[] = [];
      {
        await using resource = { async [Symbol.asyncDispose]() { log.push('disposed'); } };
        using other = { [Symbol.dispose]() { log.push('first'); } };
      }
      const name = './computed.ts';
      return {
        log, kind, self, own, common, plain,
        answer: data.answer,
        literal: (await import('./literal.ts')).literal,
        computed: (await import(name)).computed,
        lazy: (await lazy()).literal,
        missing: await import('no-such-package').catch((error) => error.name),
        area: area({ w: 2 }),
        sameModule: (await import('./index.ts')).area === area,
        url: import.meta.url, filename: import.meta.filename, dirname: import.meta.dirname,
        resolved: import.meta.resolve('./cycle.ts'),
        template: \`import { x } from "./cycle.ts"\`,
        class: Refused.name,
      };
    }
    export function fail() {
      throw Refused.of('no');
    }
  `,
  'src/cycle.ts': `
    import { area } from './index.ts';
    export function twice(n: number): number { return n * 2; }
    export const user = () => area;
  `,
};

test('a TypeScript module keeps its identity and its resolution, inline, in a thread and in a process', async () => {
  using project = new Project(sources);
  const expected = {
    log: ['first', 'disposed'],
    kind: 'import',
    self: 'self',
    own: 'own',
    common: ['inner', 'inner', 'require', 'common.cts'],
    plain: 'plain.js',
    answer: 42,
    literal: 1,
    computed: 2,
    lazy: 1,
    missing: 'NotFoundError',
    area: 7,
    sameModule: true,
    url: new URL(`file://${project.path('src/index.ts')}`).href,
    filename: project.path('src/index.ts'),
    dirname: project.path('src'),
    resolved: new URL(`file://${project.path('src/cycle.ts')}`).href,
    template: 'import { x } from "./cycle.ts"',
    class: 'Refused',
  };
  for (const where of ['here', 'thread', 'process']) {
    assert.deepEqual(await show(project, where, './src/index.ts'), expected, where);
  }
});

test('a stack names the line of the .ts file', async () => {
  using project = new Project(sources);
  const line = sources['src/index.ts'].split('\n').findIndex((text) => text.includes("Refused.of('no')")) + 1;
  for (const where of ['here', 'thread', 'process']) {
    const stack = (await show(project, where, './src/index.ts', 'fail')) as string;
    assert.match(stack, new RegExp(`Refused|Error: no`));
    assert.match(stack, new RegExp(`at .*fail.* \\(.*/src/index\\.ts:${line}:\\d+\\)`), where);
  }
});

test('a syntax error is one line with file, line and column', async () => {
  using project = new Project({
    'run.mjs': runner,
    'bad.ts': 'import "./worse.ts";\nexport const a = 1;\n',
    'worse.ts': 'export const b = 1;\nexport const c = = 2;\n',
  });
  for (const where of ['here', 'thread']) {
    const [first] = ((await show(project, where, './bad.ts')) as string).split('\n');
    assert.equal(first, `SyntaxError: ${project.path('worse.ts')}:2:18: Unexpected "="`);
  }
});

test('an import that leads nowhere names the importer', async () => {
  using project = new Project({
    'run.mjs': runner,
    'a.ts': 'import { b } from "./missing.js"; export const show = () => b;',
    'b.ts': 'import { b } from "no-such-package"; export const show = () => b;',
  });
  const [relative] = ((await show(project, 'here', './a.ts')) as string).split('\n');
  assert.equal(relative, `NotFoundError: ${project.path('a.ts')} imports "./missing.js", but there is no such file`);
  const [bare] = ((await show(project, 'thread', './b.ts')) as string).split('\n');
  assert.match(bare!, /^NotFoundError: .*b\.ts imports "no-such-package", which cannot be found: /);
  const [itself] = ((await show(project, 'here', './c.ts')) as string).split('\n');
  assert.match(itself!, /^NotFoundError: cannot read the module .*c\.ts: ENOENT/);
});

test('the kind of a module follows its ending, its package and its syntax', async () => {
  const esm = 'export const show = () => typeof module;';
  const cjs = 'exports.show = () => typeof module;';
  using project = new Project({
    'run.mjs': runner,
    'package.json': '{ "name": "untyped" }',
    'a.ts': esm,
    'b.ts': cjs,
    'c.mts': esm,
    'd.cts': cjs,
    'typed/package.json': '{ "type": "commonjs" }',
    'typed/e.ts': 'const x: string = typeof module; export const show = () => x;',
  });
  const kinds = [];
  for (const file of ['a.ts', 'b.ts', 'c.mts', 'd.cts', 'typed/e.ts'])
    kinds.push(await show(project, 'here', `./${file}`));
  assert.deepEqual(kinds, ['undefined', 'object', 'undefined', 'object', 'object']);
});

const loads = `
  import { createRequire } from 'node:module';
  export const show = (): string =>
    Object.keys(createRequire(import.meta.url).cache).some((file) => file.includes('/esbuild/lib/')) ? 'esbuild' : 'cache';
`;

test('the second run takes twins from the cache without loading esbuild; a change does not', async () => {
  using project = new Project({
    'run.mjs': runner,
    'a.ts': loads + "import './b.ts';",
    'b.ts': 'export const b: number = 1;',
  });
  assert.equal(await show(project, 'here', './a.ts'), 'esbuild');
  assert.equal(await show(project, 'here', './a.ts'), 'cache');
  assert.equal(await show(project, 'thread', './a.ts'), 'cache');
  assert.equal(await show(project, 'process', './a.ts'), 'cache');
  project.write({ 'b.ts': 'export const b: number = 2;' });
  assert.equal(await show(project, 'here', './a.ts'), 'esbuild');
  project.write({ 'tsconfig.json': '{ "compilerOptions": { "useDefineForClassFields": false } }' });
  assert.equal(await show(project, 'here', './a.ts'), 'esbuild');
});

test('four processes transform the same modules for the first time at once', async () => {
  using project = new Project(sources);
  const runs = Array.from({ length: 4 }, () => project.run(['run.mjs', 'here', './src/index.ts']));
  const outputs = (await Promise.all(runs)).map(({ stdout }) => stdout);
  assert.equal(new Set(outputs).size, 1);
  assert.equal((JSON.parse(outputs[0]!) as { area: number }).area, 7);
  const cached = readdirSync(project.path('node_modules/.cache/simul'));
  assert(cached.length > 0 && cached.every((name) => /^[0-9a-f]{40}\.(json|mjs|cjs)$/.test(name)), cached.join(' '));
});

test('without node_modules twins lie in a folder of this user alone', async () => {
  using project = new Project({}, { modules: false });
  using temporary = new Project({}, { modules: false });
  project.write({
    'run.mjs': runner.replace('simul/callable', new URL('../../src/entry/callable.js', import.meta.url).href),
  });
  project.write({ 'a.ts': 'export const show = (): string[] => [import.meta.filename];' });
  const { stdout, stderr } = await project.run(['run.mjs', 'here', './a.ts'], { TMPDIR: temporary.folder });
  assert.equal(stderr, '');
  assert.deepEqual(JSON.parse(stdout), [project.path('a.ts')]);
  const folder = temporary.path(`simul-${process.getuid!()}`);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  assert(readdirSync(folder).some((name) => name.endsWith('.mjs')));
});

test('a folder of the same name that others can write is not trusted', async () => {
  using project = new Project({}, { modules: false });
  using temporary = new Project({ [`simul-${process.getuid!()}/planted.mjs`]: '' }, { modules: false });
  project.write({
    'run.mjs': runner.replace('simul/callable', new URL('../../src/entry/callable.js', import.meta.url).href),
  });
  project.write({ 'a.ts': 'export const show = (): string[] => ["ran"];' });
  const { stdout } = await project.run(['run.mjs', 'here', './a.ts'], { TMPDIR: temporary.folder });
  assert.deepEqual(JSON.parse(stdout), ['ran']);
  assert.deepEqual(readdirSync(temporary.path(`simul-${process.getuid!()}`)), ['planted.mjs']);
});

test('a damaged cache entry is made anew', async () => {
  using project = new Project({ 'run.mjs': runner, 'a.ts': 'export const show = (): string => "fine";' });
  assert.equal(await show(project, 'here', './a.ts'), 'fine');
  const folder = project.path('node_modules/.cache/simul');
  for (const name of readdirSync(folder)) {
    if (name.endsWith('.json')) project.write({ [join('node_modules/.cache/simul', name)]: '{ "code": "tru' });
    else rmSync(join(folder, name));
  }
  assert.equal(await show(project, 'here', './a.ts'), 'fine');
});

// A whole program in TypeScript, as `simul worker -A main.ts` and, where Node can, `node main.ts` run it.
const program = `
  import { ProcessHost, ThreadHost, fromModule, importModule, isWorker, portable } from 'simul/callable';
  let loaded = 0;
  export const count = () => ++loaded;
  export const scaled = portable(import.meta, 'scaled', (x: number) => x * offset());
  const offset = () => 3;
  if (!isWorker()) void main();
  async function main() {
    const thread = new ThreadHost();
    const child = new ProcessHost();
    const results = [await thread.call(scaled, [2]), await child.call(scaled, [3]), scaled(4)];
    await Promise.all([thread.close(), child.close()]);
    const again = (await importModule(import.meta.url)) as { count(): number };
    await fromModule<{ count(): number }, 'count'>(import.meta.url, 'count')();
    console.log(JSON.stringify({ results, sameInstance: again.count() === 2 }));
  }
`;

test('a TypeScript program is its own task module, imported or run natively, and stays one instance', async () => {
  using project = new Project({
    'main.ts': program,
    'start.mjs': `import { importModule } from 'simul/callable'; await importModule(new URL('./main.ts', import.meta.url));`,
  });
  const native = 'typescript' in process.features && process.features.typescript ? [['main.ts']] : [];
  for (const args of [['start.mjs'], ...native]) {
    const { stdout, stderr } = await project.run(args);
    assert.equal(stderr.replace(/^\(node:\d+\) ExperimentalWarning: Type Stripping.*\n.*\n/, ''), '');
    assert.deepEqual(JSON.parse(stdout), { results: [6, 9, 12], sameInstance: true }, args.join(' '));
  }
});
