import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Workspace } from '../support/command.ts';

const app = `
import { Simul } from '{{simul}}';
export const app = new Simul('crash');
app.task('crash.exit', () => process.exit(3));
app.task('crash.timer', () => new Promise(() => setTimeout(() => { throw new RangeError('in a timer'); })));
app.task('crash.rejection', async () => { void Promise.reject(new RangeError('nobody waits')); await new Promise(() => {}); });
`;

describe('a task that takes its worker down', () => {
  const cases = [
    ['exit', 3, /process\.exit\(3\) ends the worker; /, /./],
    ['timer', 1, /an error that nobody caught ends the worker; /, /RangeError: in a timer\n +at .*app\.mjs/],
    ['rejection', 1, /a rejection that nobody handled ends the worker; /, /RangeError: nobody waits\n +at .*app\.mjs/],
  ] as const;
  for (const [name, exitCode, line, stack] of cases) {
    for (const pool of ['async', 'solo']) {
      it(`is named: ${name} on ${pool}`, async () => {
        using space = new Workspace();
        space.write('app.mjs', app);
        const id = (await space.simul('call', `crash.${name}`, '-A', 'app.mjs')).stdout.trim();
        const { code, stderr } = await space.start([space.program, 'worker', '-A', 'app.mjs', '-P', pool]).ended;
        assert.equal(code, exitCode);
        assert.match(stderr, line);
        assert.match(stderr, new RegExp(`ends the worker; it came from task crash\\.${name}\\[${id}\\]\\n`));
        assert.match(stderr, stack);
      });
    }
  }
});
