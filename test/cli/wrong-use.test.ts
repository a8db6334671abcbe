import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Workspace } from '../support/command.ts';

const app = `
import { Simul } from '{{simul}}';
export const app = new Simul('shop');
app.task('shop.add', (x, y) => x + y);
`;

describe('wrong use', () => {
  const space = new Workspace();

  before(() => {
    space.write('app.mjs', app);
    space.write('own.mjs', app.replace("'shop')", "'shop', { broker: 'memory://' })"));
    space.write('empty.mjs', 'export const nothing = 1;');
    space.write('package.json', '{}');
  });
  after(() => space[Symbol.dispose]());

  const cases: [string[], RegExp][] = [
    [['fly'], /unknown command 'fly'/],
    [['certs', 'fly'], /^error: unknown command 'fly'\nUsage: simul certs /],
    [['call'], /missing required argument 'name'/],
    [['worker', '-c', 'many'], /argument 'many' is invalid. An integer/],
    [['worker'], /name the module that exports the app: -A/],
    [['up', '-b', 'memory://'], /name the module/],
    [['worker', '-P', 'green', '-A', 'app.mjs'], /'green' is invalid. .*async, threads, processes, prefork, solo\./],
    [['worker', '-l', 'loud', '-A', 'app.mjs'], /'loud' is invalid. .*debug, info, warning, error, critical\./],
    [['worker', '--lease', '0', '-A', 'app.mjs'], /^simul: lease: expected .*received 0\n/],
    [['worker', '--lease', '0x10', '-A', 'app.mjs'], /A number of seconds/],
    [['worker', '-Q', 'a,,b', '-A', 'app.mjs'], /Names separated by commas/],
    [['worker', '--frobnicate'], /unknown option '--frobnicate'/],
    [['worker', '-A', 'missing.mjs'], /-A missing\.mjs: there is no such file/],
    [['worker', '-A', 'file://elsewhere/app.mjs'], /-A file:.*: not the URL of a file on this machine/],
    [['worker', '-A', '.'], /-A \.: a directory; name the module/],
    [['worker', '-A', 'package.json'], /-A package\.json: not a module/],
    [['worker', '-A', 'empty.mjs'], /-A empty\.mjs: the module exports no app/],
    [['worker', '-A', ''], /must not be empty/],
    [['call', 'no.task', '-A', 'app.mjs'], /app\.mjs has no task "no\.task"; it has: shop\.add/],
    [['call', 'shop.add', '--kwargs', '[1]'], /A JSON object is expected/],
    [['call', 'shop.add', '--priority', '11'], /An integer from 0 to 9/],
    [['call', 'shop.add', '--priority', 'abc'], /An integer from 0 to 9/],
    [['call', 'shop.add', '--priority', ''], /An integer from 0 to 9/],
    [['call', 'shop.add', '--timeout', '1'], /--timeout is of use with --wait only/],
    [['call', 'shop.add', '--countdown', '1e300'], /countdown: expected seconds that lead to the years 1 to 9999/],
    [['call', 'shop.add', '--countdown', '1e12'], /countdown: expected seconds that lead to the years 1 to 9999/],
    [['call', 'shop.add', '--expires', '1e12'], /expires: expected seconds that lead to the years 1 to 9999/],
    [['call', 'shop.add', '1', '2', '-b', 'memory://'], /name a broker that a worker shares/],
    [['call', 'shop.add', '1', '2', '-A', 'own.mjs'], /name a broker that a worker shares/],
    [['result', 'x', '--terminate'], /--terminate is of use with --revoke only/],
    [['result', 'x', '--timeout', '1'], /--timeout is of use with --wait only/],
    [['result', 'x', '--revoke', '--forget'], /--forget would undo --revoke/],
    [['status', '-b', 'carrier://pigeon'], /broker: expected a URL that begins with .*"carrier:\/\/pigeon"/],
    [['status', '-b', ''], /must not be empty/],
    [['doctor', '-b', 'carrier://pigeon'], /broker: expected a URL/],
    [['inspect', 'everything'], /'everything' is invalid/],
    [['inspect', 'ping', '-d', ''], /Names separated by commas/],
    [['purge'], /say --force/],
    [['purge', '-Q', '', '--force'], /Names separated by commas/],
    [['purge', '-Q', 'a,,b', '--force'], /Names separated by commas/],
    [['demo', '--boards', '0'], /--boards: expected a whole number/],
    [['run'], /missing required argument 'script'/],
  ];
  // Each starts a program, which spends its time on loading.
  describe('says why, shows the usage and exits with 2:', { concurrency: 4 }, () => {
    for (const [args, message] of cases) {
      it(['simul', ...args.map((arg) => arg || "''")].join(' '), async () => {
        const { code, stdout, stderr } = await space.simul(...args);
        assert.match(stderr, message);
        const name = args[0] === 'fly' ? 'simul' : `simul ${args[0]}`;
        assert.match(stderr, new RegExp(`^[^\\n]+\\nUsage: ${name} .+\\nSee ${name} --help\\.\\n$`));
        assert.deepEqual([code, stdout], [2, '']);
      });
    }
  });

  it('help on a command that is not there says so', async () => {
    const { code, stdout, stderr } = await space.simul('help', 'fly');
    assert.match(stderr, /^error: unknown command 'fly'\nUsage: simul /);
    assert.deepEqual([code, stdout], [2, '']);
  });

  it('without a command all of the help is shown', async () => {
    const { code, stdout, stderr } = await space.simul();
    assert.match(stderr, /^Usage: simul [\s\S]*Exit codes:/);
    assert.deepEqual([code, stdout], [2, '']);
  });

  it('a module that throws, or does not parse, is one clear line that says where', async () => {
    space.write('throws.mjs', '\nthrow new Error("not today");');
    space.write('imports.mjs', 'import "./throws.mjs";');
    space.write('throws.ts', 'const text: string = "not today";\n\nthrow new Error(text);');
    space.write('broken.ts', 'const x: = 1;');
    space.write('broken.mjs', '\nconst const;');
    space.write('asks.mjs', 'import { x } from "./empty.mjs";');
    space.write('nameless.mjs', `import { Simul } from '{{simul}}';\nexport const app = new Simul('');`);
    for (const [name, line] of [
      ['throws.mjs', /^simul: -A throws\.mjs: not today \(throws\.mjs:2:7\)\n$/],
      ['imports.mjs', /^simul: -A imports\.mjs: not today \(throws\.mjs:2:7\)\n$/],
      ['throws.ts', /^simul: -A throws\.ts: not today \(throws\.ts:3:7\)\n$/],
      ['broken.mjs', /^simul: -A broken\.mjs: Unexpected token.* \(broken\.mjs:2\)\n$/],
      ['asks.mjs', /^simul: -A asks\.mjs: .* does not provide an export .* \(asks\.mjs:1\)\n$/],
      ['nameless.mjs', /^simul: -A nameless\.mjs: name: expected .* \(nameless\.mjs:2:20\)\n$/],
      ['broken.ts', /^simul: -A broken\.ts: .*broken\.ts:1:10: Unexpected.*\n$/],
    ] as const) {
      const { code, stderr } = await space.simul('worker', '-A', name);
      assert.match(stderr, line);
      assert.equal(code, 1);
    }
  });

  it('help is asked for, so it succeeds', async () => {
    for (const args of [['--help'], ['worker', '--help']]) {
      const { code, stdout } = await space.simul(...args);
      assert.equal(code, 0);
      assert.match(stdout, /Usage: simul/);
    }
    assert.match((await space.simul('--version')).stdout, /^\d+\.\d+\.\d+\n$/);
  });

  it('a reader that goes away is no error', async () => {
    const running = space.start([space.program, '--help']);
    running.closeOutput();
    const { code, stderr } = await running.ended;
    assert.deepEqual([code, stderr], [0, '']);
  });
});
