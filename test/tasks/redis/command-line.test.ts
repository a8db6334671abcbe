import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../support/server.ts';
import { Place } from './place.ts';

const main = fileURLToPath(new URL('../../../src/cli/main.js', import.meta.url));
const app = fileURLToPath(new URL('./fixtures/app.js', import.meta.url));

/** `simul worker`; ended by SIGTERM once it has said what is waited for. */
async function worker(args: readonly string[], until?: RegExp): Promise<{ code: number | string; said: string }> {
  const child = spawn(process.execPath, [main, 'worker', '-A', app, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (until?.test(said) === true) child.kill('SIGTERM');
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { code: code ?? signal!, said };
}

test('a worker with the wrong password ends with one line and code 1', async () => {
  await using place = await Place.open(['--requirepass', 'right']);
  const { code, said } = await worker(['-b', place.url().replace('//', '//:secret@'), '--quiet']);
  assert.equal(code, 1);
  assert.match(said, /^simul: Redis at redis:\/\/:\*\*\*@127\.0\.0\.1:\d+ refused the login: [^\n]*\n$/);
});

test('a worker that finds a key of the wrong type ends with its name and code 1', async () => {
  await using place = await Place.open();
  await place.call('SET', 'celery', 'text');
  const { code, said } = await worker(['-b', place.url(), '--quiet']);
  assert.equal(code, 1);
  assert.match(said, /^simul: the worker stopped: [^\n]*the key "celery" [^\n]*delete or rename it[^\n]*\n$/);
});

test('without a server a worker keeps trying, or with --no-retry ends with code 1', async () => {
  const url = `redis://127.0.0.1:${await freePort()}`;
  const patient = await worker(['-b', url, '--quiet'], /cannot fetch tasks.*cannot fetch tasks/s);
  assert.equal(patient.code, 0);
  assert.match(patient.said, /cannot fetch tasks, trying again: cannot reach Redis at redis:\/\/127/);
  const hasty = await worker(['-b', url, '--quiet', '--no-retry']);
  assert.equal(hasty.code, 1);
  assert.match(hasty.said, /^simul: the worker stopped: [^\n]*cannot reach Redis at [^\n]*ECONNREFUSED[^\n]*\n$/);
});
