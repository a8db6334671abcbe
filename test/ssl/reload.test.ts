import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import type { SSLContext } from '../../src/entry/ssl.ts';
import { createAuthority, createDefaultContext, Purpose, SSLError } from '../../src/entry/ssl.ts';
import { clientContext, connected, failures, fixtures } from './connection.ts';
import { Folder } from './folder.ts';

describe('certificates that are replaced', () => {
  const folder = new Folder();
  let given: Awaited<ReturnType<typeof fixtures>>;
  before(async () => {
    given = await fixtures();
  });
  after(() => folder[Symbol.dispose]());

  /** As a renewal does it: written beside, then put in place. */
  const put = (name: string, data: string): void => renameSync(folder.write(`${name}.new`, data), folder.at(name));

  const serving = (): SSLContext => {
    put('server.pem', given.server.cert);
    put('server.key', given.server.key);
    put('ca.pem', given.ca.cert);
    return createDefaultContext({
      purpose: Purpose.CLIENT_AUTH,
      cert: folder.at('server.pem'),
      keyfile: folder.at('server.key'),
    });
  };

  it('are shown to connections made after reload; those there are go on', async () => {
    const server = serving();
    const client = clientContext(given.ca);
    using old = await connected(client, server);
    const renewed = await given.ca.issueServer('localhost');
    put('server.pem', renewed.cert);
    put('server.key', renewed.key);
    using before = await connected(client, server);
    assert.equal(before.client.getpeercert()?.fingerprint256, given.server.x509.fingerprint256);
    server.reload();
    using now = await connected(client, server);
    assert.equal(now.client.getpeercert()?.fingerprint256, renewed.x509.fingerprint256);
    await old.greet();
  });

  it('do not change anything while they are no good', async () => {
    const server = serving();
    const client = clientContext(given.ca);
    put('server.pem', (await given.ca.issueServer('localhost')).cert);
    assert.throws(
      () => server.reload(),
      (error) => error instanceof SSLError && error.reason === 'KEY_VALUES_MISMATCH',
    );
    using ends = await connected(client, server);
    assert.equal(ends.client.getpeercert()?.fingerprint256, given.server.x509.fingerprint256);
  });

  it('are an authority’s as well', async () => {
    serving();
    const client = createDefaultContext({ cafile: folder.at('ca.pem') });
    const another = await createAuthority('Another');
    const theirs = createDefaultContext({ purpose: Purpose.CLIENT_AUTH, cert: await another.issueServer('localhost') });
    assert.ok((await failures(client, theirs))[0] instanceof SSLError);
    put('ca.pem', another.cert);
    client.reload();
    using ends = await connected(client, theirs);
    await ends.greet();
  });

  it('are noticed by watch, half-written ones only told of', async () => {
    const server = serving();
    const client = clientContext(given.ca);
    const renewed = await given.ca.issueServer('localhost');
    let told: (outcome: 'loaded' | Error) => void = () => {};
    const outcome = () => new Promise<'loaded' | Error>((resolve) => (told = resolve));
    const stop = new AbortController();
    // Watching alone does not keep a program alive.
    const alive = setTimeout(() => told(new Error('nothing was noticed')), 20_000);
    using _ = server.watch({
      onReload: () => told('loaded'),
      onError: (error) => told(error),
      signal: stop.signal,
    });
    const first = outcome();
    put('server.pem', renewed.cert);
    assert.ok((await first) instanceof SSLError);
    const second = outcome();
    put('server.key', renewed.key);
    assert.equal(await second, 'loaded');
    using ends = await connected(client, server);
    assert.equal(ends.client.getpeercert()?.fingerprint256, renewed.x509.fingerprint256);
    clearTimeout(alive);
    stop.abort();
    assert.throws(() => server.watch({ signal: stop.signal }), { name: 'CancelledError' });
    assert.throws(() => clientContext(given.ca).watch(), { name: 'InvalidStateError' });
  });
});
