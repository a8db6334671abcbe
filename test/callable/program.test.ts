import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { childEnv, childExecArgv, threadExecArgv } from '../../src/callable/child-options.ts';
import { Project } from './project.ts';

const kinds = ['ThreadHost', 'ProcessHost'];

for (const Kind of kinds) {
  test(`${Kind}: an idle host does not keep a program alive, a call does`, async () => {
    using project = new Project({
      'main.mjs': `
        import { ${Kind} } from 'simul/callable';
        const host = new ${Kind}();
        host.call((seconds) => new Promise((done) => setTimeout(done, seconds * 1000, 'done')), [0.05]).then(console.log);
      `,
    });
    assert.deepEqual(await project.run(['main.mjs']), { code: 0, signal: null, stdout: 'done\n', stderr: '' });
  });

  test(`${Kind}: ends with its program, however that ends`, async () => {
    using project = new Project({
      'main.mjs': `
        import { ${Kind} } from 'simul/callable';
        const host = new ${Kind}();
        await host.call(() => setInterval(() => {}, 1000) && 1, []);
        host.call(() => new Promise(() => {}), []).catch(() => {});
        console.log('ready');
      `,
    });
    const child = project.start(['main.mjs']);
    const closed = once(child, 'close');
    await once(child.stdout!, 'data');
    child.kill('SIGKILL');
    // The output of the child's child is the same pipe: it closes when both are gone.
    assert.deepEqual(await closed, [null, 'SIGKILL']);
  });

  test(`${Kind}: what a function printed last is not lost`, async () => {
    using project = new Project({
      'main.mjs': `
        import { ${Kind} } from 'simul/callable';
        const host = new ${Kind}();
        await host.call(() => console.log('x'.repeat(100_000) + 'end'), []);
        await host.close();
      `,
    });
    const { stdout } = await project.run(['main.mjs']);
    assert.equal(stdout.length, 100_004);
    assert(stdout.endsWith('end\n'));
  });

  test(`${Kind}: a program without a guard is told so instead of starting itself for ever`, async () => {
    const main = (start: string) => `
      import { ${Kind}, portable } from 'simul/callable';
      const double = portable(import.meta, 'double', (x) => x * 2);
      ${start}
      async function main() {
        await null;
        const host = new ${Kind}();
        try {
          console.log(await host.call(double, [2]));
        } catch (error) {
          console.log(error.message);
        }
        await host.close();
      }
    `;
    const told = new RegExp(
      `main\\.mjs starts a ${Kind === 'ThreadHost' ? 'thread' : 'process'} while it is imported by a worker; ` +
        `guard the program's main: if \\(!isWorker\\(\\)\\)`,
    );
    using waiting = new Project({ 'main.mjs': main('await main();') });
    assert.match((await waiting.run(['main.mjs'])).stdout, told);
    // Here the import is over when the worker's own main starts a host: an unhandled rejection, which ends the worker.
    using running = new Project({ 'main.mjs': main('main();') });
    const { stdout, stderr } = await running.run(['main.mjs']);
    assert.match(stdout + stderr, told);
    using guarded = new Project({
      'main.mjs': `import { isWorker } from 'simul/callable';\n${main('if (!isWorker()) await main();')}`,
    });
    assert.deepEqual(await guarded.run(['main.mjs']), { code: 0, signal: null, stdout: '4\n', stderr: '' });
  });

  test(`${Kind}: a running call may start hosts of its own`, async () => {
    using project = new Project({
      'main.mjs': `
        import { ThreadHost, ${Kind} as Outer, isWorker, portable } from 'simul/callable';
        const nested = portable(import.meta, 'nested', async (x) => {
          const inner = new ThreadHost();
          const result = await inner.call((y) => y + 1, [x]);
          await inner.close();
          return result;
        });
        if (!isWorker()) {
          const host = new Outer();
          console.log(await host.call(nested, [1]));
          await host.close();
        }
      `,
    });
    assert.deepEqual(await project.run(['main.mjs']), { code: 0, signal: null, stdout: '2\n', stderr: '' });
  });

  test(`${Kind}: works from CommonJS`, async () => {
    using project = new Project({
      'package.json': '{ "name": "classic" }',
      'main.js': `
        const { ${Kind}, isWorker, portable } = require('simul/callable');
        const triple = portable(module, 'triple', (x) => x * factor);
        const factor = 3;
        module.exports = { named: (x) => x + factor };
        async function main() {
          const { fromModule } = await import('simul/callable');
          const host = new ${Kind}();
          console.log(await host.call(triple, [2]), await host.call(fromModule(module, 'named'), [2]));
          await host.close();
        }
        if (!isWorker()) main();
      `,
    });
    const { stdout, stderr } = await project.run(['main.js']);
    assert.equal(stdout, '6 5\n', stderr);
  });

  test(`${Kind}: the parent's own options do not reach it, others do`, async () => {
    const main = `
      import { ${Kind} } from 'simul/callable';
      const host = new ${Kind}();
      console.log(JSON.stringify(await host.call(() => [typeof globalThis.preloaded, process.execArgv.join(' ')], [])));
      await host.close();
    `;
    using project = new Project({
      'main.mjs': main,
      'preload.mjs': 'globalThis.preloaded = 1;',
      'main.test.mjs': main,
    });
    const inspected = await project.run(['--inspect=0', '--import', './preload.mjs', 'main.mjs']);
    assert.match(inspected.stdout, /^\["number","/);
    assert.equal(inspected.code, 0, inspected.stderr);
    assert.equal(inspected.stderr.match(/Debugger listening/g)?.length, 1, inspected.stderr);
    const tested = await project.run(['--test', '--test-reporter', 'tap', 'main.test.mjs']);
    assert.equal(tested.code, 0, tested.stdout + tested.stderr);
    const evaluated = await project.run(['--input-type=module', '-e', main]);
    assert.match(evaluated.stdout, /^\["undefined",/, evaluated.stderr);
    assert.equal(evaluated.code, 0);
  });
}

test('a preload that starts a host is told in the worker, not started again and again', async () => {
  using project = new Project({
    'main.mjs': `
      import { ThreadHost, isWorker } from 'simul/callable';
      export const host = new ThreadHost();
      console.log(await host.call((x) => x, [1]).catch((error) => error.message));
    `,
  });
  const { stdout, code } = await project.run(['--import', './main.mjs', '-e', '0']);
  assert.equal(code, 0);
  assert.match(stdout, /starts a thread while it is imported by a worker/);
});

test('Node options of one run are dropped for children', () => {
  const own = [
    '--test',
    '--test-reporter',
    'tap',
    '--test-name-pattern=x',
    '--inspect-brk=1',
    '--watch',
    '-e',
    'code()',
  ];
  const theirs = ['--import', './a.mjs', '--conditions=dev', '--max-old-space-size=64', '-r', 'b.cjs'];
  assert.deepEqual(childExecArgv([...own, ...theirs, '-pe', '1']), theirs);
  assert.equal(threadExecArgv([...own, ...theirs]), undefined);
  assert.deepEqual(threadExecArgv(['--input-type', 'module', '--import', './a.mjs', '--max-old-space-size=64']), [
    '--import',
    './a.mjs',
  ]);
  assert.deepEqual(childEnv({ A: '1', NODE_TEST_CONTEXT: 'child-v8', NODE_CHANNEL_FD: '3', NODE_UNIQUE_ID: '1' }), {
    A: '1',
  });
  assert.deepEqual(childEnv({ NODE_OPTIONS: '--inspect=0 --import ./a.mjs --test' }), {
    NODE_OPTIONS: '--import ./a.mjs',
  });
});
