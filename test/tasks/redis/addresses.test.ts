import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ConnectionError } from '../../../src/base/errors.ts';
import { openBackend, openBroker } from '../../../src/tasks/registry.ts';
import { startServer } from '../../support/server.ts';
import { program } from '../../../tools/programs.ts';
import { idOf, message } from '../sqlite/messages.ts';
import { Place, until } from './place.ts';

const openssl = spawnSync('openssl', ['version']).status === 0;

/** A message there and back, and a result: all kinds of connections at an address. */
async function roundTrip(url: string): Promise<void> {
  await using broker = await openBroker(url);
  await using backend = await openBackend(url);
  const consumer = await broker.consume({ queues: ['q'], lease: 30, hostname: 'h' });
  const waiting = consumer.receive(1);
  const result = backend.wait('a');
  await broker.publish([message('a')]);
  assert.equal(idOf((await waiting)[0]!), 'a');
  await backend.store([{ id: 'a', state: 'SUCCESS', document: '{"status": "SUCCESS", "result": 1}' }]);
  assert.equal((await result).state, 'SUCCESS');
  assert.deepEqual(await consumer.acknowledge(await waiting), [true]);
}

test('a server is reached through a UNIX socket, and another database', async () => {
  await using server = await startServer({
    command: program('redis-server'),
    args: (port, directory) => [
      '--port',
      `${port}`,
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--unixsocket',
      join(directory, 's'),
    ],
  });
  const path = join(server.directory, 's');
  await until(async () => existsSync(path), Boolean);
  await roundTrip(`redis+socket://${path}?virtual_host=3`);
  await roundTrip(`unix://${path}`);
  await roundTrip(`redis://127.0.0.1:${server.port}/3`);
  await roundTrip(`redis://localhost:${server.port}`);
});

test('users and passwords are read from the URL, percent-encoded', async () => {
  await using place = await Place.open();
  await place.call('ACL', 'SETUSER', 'me@home', 'on', '>p:a/s#s%', '~*', '&*', '+@all');
  await roundTrip(place.url().replace('//', `//me%40home:${encodeURIComponent('p:a/s#s%')}@`));
});

test('TLS verifies the server unless told not to', { skip: openssl ? false : 'there is no openssl' }, async () => {
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  await using server = await startServer({
    command: program('redis-server'),
    args: (port, directory) => {
      const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
      const options = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', cert];
      assert.equal(spawnSync('openssl', ['req', ...options, ...subject]).status, 0);
      const tls = [
        '--tls-cert-file',
        cert,
        '--tls-key-file',
        key,
        '--tls-ca-cert-file',
        cert,
        '--tls-auth-clients',
        'no',
      ];
      return ['--port', '0', '--tls-port', `${port}`, '--bind', '127.0.0.1', '--save', '', ...tls];
    },
  });
  const ca = encodeURIComponent(join(server.directory, 'cert.pem'));
  await roundTrip(`rediss://localhost:${server.port}?ssl_cert_reqs=required&ssl_ca_certs=${ca}`);
  await roundTrip(`rediss://127.0.0.1:${server.port}?ssl_ca_certs=${ca}&ssl_check_hostname=false`);
  await roundTrip(`rediss://localhost:${server.port}?ssl_cert_reqs=CERT_NONE`);
  await using stranger = await openBroker(`rediss://localhost:${server.port}?retry_timeout=0`);
  await assert.rejects(stranger.publish([message('a')]), (error) => {
    assert.ok(error instanceof ConnectionError);
    assert.match(error.message, /cannot reach Redis at rediss:\/\/localhost:\d+: self-signed certificate/);
    return true;
  });
});
