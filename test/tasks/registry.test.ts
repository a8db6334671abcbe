import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { VirtualClock } from '../../src/base/virtual-clock.ts';
import { openBackend, openBroker } from '../../src/tasks/registry.ts';
import { idOf, message } from './sqlite/messages.ts';

test('memory loads no SQLite, and a program waiting only for it stays alive', () => {
  const registry = new URL('../../src/tasks/registry.js', import.meta.url).href;
  const program = `
    import { createRequire } from 'node:module';
    import { openBackend, openBroker } from '${registry}';
    const broker = await openBroker('memory://');
    const backend = await openBackend('memory://');
    const consumer = await broker.consume({ queues: ['q'], lease: 1, hostname: 'here' });
    const loaded = Object.keys(createRequire(import.meta.url).cache).filter((name) => /libsql|koffi/.test(name));
    setTimeout(() => process.stdout.write('alive ' + loaded.length), 50).unref();
    setTimeout(() => process.exit(0), 100).unref();
    await consumer.receive(1);`;
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' });
  assert.equal(output, 'alive 0');
});

test('memory handles of one name share, others do not, and the last close forgets', async () => {
  const first = await openBroker('memory://shared');
  const second = await openBroker('memory://shared');
  await using other = await openBroker('memory://other');
  await first.publish([message('a')]);
  assert.equal((await second.sizes(['q']))[0]!.waiting, 1);
  assert.equal((await other.sizes(['q']))[0]!.waiting, 0);
  await first.close();
  assert.equal((await second.sizes(['q']))[0]!.waiting, 1);
  await second.close();
  await using third = await openBroker('memory://shared');
  assert.equal((await third.sizes(['q']))[0]!.waiting, 0);
});

test('memory goes by the clock it is given', async () => {
  const clock = new VirtualClock();
  await using broker = await openBroker('memory://virtual', { clock });
  await using backend = await openBackend('memory://virtual', { clock, resultExpires: 3600 });
  const consumer = await broker.consume({ queues: ['q'], lease: 30, hostname: 'here' });
  await broker.publish([
    message('later', { due: clock.time() + 7200 }),
    message('sooner', { due: clock.time() + 3600 }),
  ]);
  await backend.store([{ id: 'a', state: 'SUCCESS', document: '' }]);
  const waiting = consumer.receive(10);
  clock.advance(3599);
  assert.equal((await broker.sizes(['q']))[0]!.delayed, 2);
  assert.notEqual((await backend.fetch(['a']))[0], undefined);
  clock.advance(1);
  assert.deepEqual((await waiting).map(idOf), ['sooner']);
  assert.deepEqual(await backend.fetch(['a']), [undefined]);
  clock.advance(3600);
  assert.deepEqual((await consumer.receive(10)).map(idOf), ['later']);
  assert.equal(clock.pending, 0);
});
