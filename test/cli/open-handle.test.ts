import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Workspace } from '../support/command.ts';

// As a pool of connections, a server or a timer of metrics would, whatever the command does.
const app = `
import { Simul } from '{{simul}}';
export const app = new Simul('shop');
app.task('shop.add', (x, y) => x + y);
setInterval(() => {}, 1000);
`;

describe('an app whose module leaves something open', () => {
  const space = new Workspace();
  before(() => {
    space.write('app.mjs', app);
    space.write('waits.mjs', 'await new Promise(() => {}); export const app = 1;');
  });
  after(() => space[Symbol.dispose]());

  it('a worker ends after a warm stop', async () => {
    const worker = await space.worker('-A', 'app.mjs');
    worker.kill('SIGTERM');
    assert.equal((await worker.ended).code, 0);
  });

  for (const args of [['call', 'shop.add', '1', '2'], ['status'], ['status', '--json'], ['purge', '-f']]) {
    it(`simul ${args.join(' ')} ends, with all it has to say`, async () => {
      const { code, stdout } = await space.simul(...args, '-A', 'app.mjs');
      assert.equal(code, 0);
      assert.match(stdout, /\n$/);
    });
  }

  it('wrong use ends with 2', async () => {
    assert.equal((await space.simul('call', 'no.task', '-A', 'app.mjs')).code, 2);
  });

  it('a wait at the top level for what never comes is told', async () => {
    const { code, stderr } = await space.simul('call', 'shop.add', '1', '2', '-A', 'waits.mjs');
    assert.equal(code, 1);
    assert.match(stderr, /^simul: nothing is left to wait for/m);
  });
});
