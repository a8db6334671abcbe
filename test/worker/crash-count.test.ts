import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Simul } from '../../src/tasks/app.ts';
import { WorkerLostError } from '../../src/tasks/errors.ts';
import { Workspace } from '../support/command.ts';

// Tasks that end the very process which runs them, in ways that leave the worker no time for anything.
const app = `
import { Simul } from '{{simul}}';
export const app = new Simul('crash');
app.task('crash.exit', () => process.exit(3));
app.task('crash.timer', () => new Promise(() => setTimeout(() => { throw new Error('in a timer'); })));
app.task('crash.rejection', () => new Promise(() => void Promise.reject(new Error('unhandled'))));
app.task('crash.kill', () => process.kill(process.pid, 'SIGKILL'));
`;

const worker = `
import { Worker } from '{{simul}}';
import { app } from './app.mjs';
const worker = new Worker(app, JSON.parse(process.argv[2]));
process.once('SIGTERM', () => worker.stop().then(() => app.close()));
await worker.start();
`;

describe('a task that takes the process of its worker down', () => {
  const cases = [
    ['async', 'crash.exit'],
    ['async', 'crash.timer'],
    ['async', 'crash.rejection'],
    ['async', 'crash.kill'],
    ['solo', 'crash.exit'],
  ] as const;
  for (const [pool, name] of cases) {
    it(`is counted and set aside: ${name} on ${pool}`, async () => {
      using space = new Workspace();
      await using client = new Client(space);
      const result = await client.app.sendTask(name);
      const start = () => space.start(['worker.mjs', JSON.stringify({ pool, maxDeliveries: 2 })]);
      for (let crash = 1; crash <= 2; crash++) {
        const { code, signal } = await start().ended;
        assert.notDeepEqual([code, signal], [0, null], `crash ${crash}`);
      }
      const last = start();
      await assert.rejects(result.get({ timeout: 30 }), WorkerLostError);
      last.kill('SIGTERM');
      assert.equal((await last.ended).code, 0);
      const [aside] = await (await client.app.broker()).quarantined();
      assert.equal(aside?.id, result.id);
    });
  }
});

/** A client of the workspace's embedded broker, in this process. */
class Client implements AsyncDisposable {
  readonly app: Simul;

  constructor(space: Workspace) {
    space.write('app.mjs', app);
    space.write('worker.mjs', worker);
    this.app = new Simul('crash', { broker: `sqlite://${space.path}/.simul/simul.db` });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.app.close();
  }
}
