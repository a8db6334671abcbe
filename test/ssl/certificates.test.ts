import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { InvalidArgumentError, SSLError } from '../../src/entry/errors.ts';
import type { Certificate, KeyType } from '../../src/entry/ssl.ts';
import { createAuthority, createDefaultContext, loadAuthority } from '../../src/entry/ssl.ts';
import { clientContext, connected, serverContext } from './connection.ts';
import { Folder } from './folder.ts';

const folder = new Folder();
after(() => folder[Symbol.dispose]());

const verify = (certificate: Certificate, ...options: string[]): string => {
  folder.write('it.pem', certificate.cert);
  return folder.openssl('verify', '-x509_strict', '-CAfile', 'ca.pem', ...options, 'it.pem');
};

describe('certificates', () => {
  for (const keyType of ['P-256', 'P-384', 'RSA-2048'] as const satisfies KeyType[]) {
    it(`of ${keyType} are accepted by openssl verify`, async () => {
      const ca = await createAuthority('Test CA', { keyType, organization: 'Tests' });
      folder.write('ca.pem', ca.cert);
      const server = await ca.issueServer(['localhost', '*.example.org', '127.0.0.1', '::1', 'fd00::12:0:1'], {
        keyType,
      });
      for (const options of [
        ['-purpose', 'sslserver'],
        ['-verify_hostname', 'localhost'],
        ['-verify_hostname', 'www.example.org'],
        ['-verify_ip', '127.0.0.1'],
        ['-verify_ip', '::1'],
        ['-verify_ip', 'fd00::12:0:1'],
      ]) {
        assert.equal(verify(server, ...options), 'it.pem: OK\n');
      }
      assert.match(verify(server, '-verify_hostname', 'example.org'), /failed: .*hostname mismatch/s);
      assert.match(verify(server, '-verify_ip', 'fd00::12:1'), /IP address mismatch/);
      assert.match(
        verify(server, '-purpose', 'sslclient'),
        /unsuitable certificate purpose|unsupported certificate purpose/,
      );
      const client = await ca.issueClient('alice', { names: ['alice@example.org'], keyType });
      assert.equal(verify(client, '-purpose', 'sslclient', '-verify_email', 'alice@example.org'), 'it.pem: OK\n');
      assert.match(verify(client, '-purpose', 'sslserver'), /failed/);
      assert.match(folder.openssl('verify', '-x509_strict', '-CAfile', 'ca.pem', '-purpose', 'any', 'ca.pem'), /OK/);
      const key = folder.openssl('pkey', '-in', folder.write('it.key', client.key), '-noout', '-text');
      assert.match(key, { 'P-256': /256 bit/, 'P-384': /384 bit/, 'RSA-2048': /2048 bit/ }[keyType]);
    });
  }

  it('say what RFC 5280 wants them to say', async () => {
    const ca = await createAuthority('Test CA');
    folder.write('ca.pem', ca.cert);
    const shown = (certificate: Certificate): string =>
      folder.openssl('x509', '-in', folder.write('it.pem', certificate.cert), '-noout', '-text');
    const authority = shown(ca);
    assert.match(authority, /Basic Constraints: critical\s+CA:TRUE, pathlen:0\n/);
    assert.match(authority, /Key Usage: critical\s+Certificate Sign, CRL Sign\n/);
    const [own] = /Subject Key Identifier:\s+\S+/.exec(authority)!;
    const server = await ca.issueServer(['bücher.example', '127.0.0.1'], { organization: 'Ä & Co' });
    const end = shown(server);
    assert.match(end, /Version: 3/);
    assert.match(end, /Basic Constraints: critical\s+CA:FALSE\n/);
    assert.match(end, /Key Usage: critical\s+Digital Signature\n/);
    assert.match(end, /Extended Key Usage:\s+TLS Web Server Authentication\n/);
    assert.match(end, /DNS:xn--bcher-kva\.example, IP Address:127\.0\.0\.1\n/);
    assert.ok(end.includes(own.replace('Subject', 'Authority')), 'the key of the issuer is named');
    assert.match(end, /Subject Key Identifier:/);
    assert.ok(!end.includes(own), 'its own key is another');
    assert.match(shown(await ca.issue({ names: ['node1'] })), /TLS Web Server Authentication, TLS Web Client Auth/);
    assert.match(shown(await ca.issueServer('x', { keyType: 'RSA-2048' })), /Digital Signature, Key Encipherment\n/);
    assert.equal(new X509Certificate(server.cert).subject, 'O=Ä & Co\nCN=xn--bcher-kva.example');
    assert.notEqual(server.x509.serialNumber, (await ca.issueServer('x')).x509.serialNumber);
    assert.ok(server.x509.serialNumber.length === 32);
    // Too long for a common name: there is none then, and the alternative names must be understood.
    const long = await ca.issueServer(`${'a'.repeat(60)}.${'b'.repeat(20)}.example`);
    assert.match(shown(long), /Subject: \n/);
    assert.match(shown(long), /Subject Alternative Name: critical/);
    assert.equal(verify(long), 'it.pem: OK\n');
  });

  it('are valid as long as was said, and no longer than their issuer', async () => {
    const day = 86_400_000;
    const ca = await createAuthority('Test CA', { days: 30 });
    const days = (certificate: Certificate): number => (Date.parse(certificate.x509.validTo) - Date.now()) / day;
    assert.ok(Math.abs(days(ca) - 30) < 0.01);
    assert.ok(Math.abs(days(await ca.issueServer('x', { days: 7 })) - 7) < 0.01);
    assert.equal((await ca.issueServer('x')).x509.validTo, ca.x509.validTo);
    assert.ok(Math.abs(days(await createAuthority()) - 3650) < 0.01);
    const notBefore = new Date('2049-06-01T00:00:00Z');
    const notAfter = new Date('2051-06-01T00:00:00Z');
    const later = await createAuthority('Later', { notBefore, notAfter });
    assert.deepEqual(
      [later.x509.validFrom, later.x509.validTo],
      ['Jun  1 00:00:00 2049 GMT', 'Jun  1 00:00:00 2051 GMT'],
    );
  });

  it('may have authorities in between, which a server sends along', async () => {
    const root = await createAuthority('Root', { pathLength: 1 });
    const middle = await root.issueAuthority('Middle');
    const server = await middle.issueServer('localhost');
    assert.equal(server.cert.match(/BEGIN CERTIFICATE/g)?.length, 2);
    using ends = await connected(clientContext(root), serverContext(server));
    await ends.greet();
    await assert.rejects(middle.issueAuthority('Below'), /pathLength: expected less than/);
    folder.write('ca.pem', root.cert);
    folder.write('chain.pem', middle.cert);
    folder.write('it.pem', server.x509.toString());
    assert.match(folder.openssl('verify', '-CAfile', 'ca.pem', '-untrusted', 'chain.pem', 'it.pem'), /OK/);
  });

  it('come from an authority that was kept in files, also one that openssl made', async () => {
    const made = await createAuthority('Kept');
    folder.write('kept.pem', made.cert);
    folder.write('kept.key', made.encryptedKey('secret'));
    const kept = loadAuthority(folder.at('kept.pem'), { keyfile: folder.at('kept.key'), password: 'secret' });
    folder.write('ca.pem', made.cert);
    assert.equal(verify(await kept.issueServer('localhost')), 'it.pem: OK\n');
    assert.throws(() => loadAuthority(folder.at('kept.pem'), { keyfile: folder.at('kept.key') }), SSLError);
    const foreign =
      '-x509 -newkey rsa:2048 -nodes -subj /C=DE/O=Foreign/CN=Their-CA -keyout ca.key -out ca.pem -days 9 -addext keyUsage=keyCertSign';
    folder.openssl('req', ...foreign.split(' '));
    const theirs = loadAuthority(folder.at('ca.pem'), { keyfile: folder.at('ca.key') });
    const server = await theirs.issueServer('localhost');
    assert.equal(verify(server), 'it.pem: OK\n');
    using ends = await connected(createDefaultContext({ cafile: folder.at('ca.pem') }), serverContext(server));
    await ends.greet();
    assert.throws(() => loadAuthority(server), /chain: expected the certificate of an authority/);
  });

  it('are PKCS#12 that OpenSSL 3 reads without its legacy algorithms', async () => {
    const root = await createAuthority('Root', { pathLength: 1 });
    const client = await (await root.issueAuthority('Middle')).issueClient('alice');
    folder.write('it.p12', await client.pkcs12('pässwörd'));
    const read = (...options: string[]): string =>
      folder.openssl('pkcs12', '-in', 'it.p12', '-passin', 'pass:pässwörd', ...options);
    assert.equal(read('-nodes', '-nocerts').match(/-----BEGIN[^]*/)![0], client.key);
    const certificates = read('-nokeys');
    assert.equal(certificates.match(/BEGIN CERTIFICATE/g)?.length, 3);
    assert.match(certificates, /friendlyName: alice/);
    assert.ok(certificates.includes(client.x509.toString()));
    assert.match(folder.openssl('pkcs12', '-in', 'it.p12', '-passin', 'pass:guess', '-noout'), /invalid password/);
    // What it consists of is told on standard error.
    const info = folder.openssl('asn1parse', '-inform', 'DER', '-in', 'it.p12');
    assert.match(info, /pkcs7-data/);
    await assert.rejects(client.pkcs12(''), InvalidArgumentError);
  });

  it('lock their key, and do not show it', async () => {
    const made = await createAuthority();
    assert.ok(!inspect(made, { depth: 9, showHidden: true }).includes('PRIVATE'));
    assert.ok(!JSON.stringify(made).includes('PRIVATE'));
    folder.write('locked.key', made.encryptedKey('secret'));
    assert.equal(folder.openssl('pkey', '-in', 'locked.key', '-passin', 'pass:secret'), made.key);
    assert.match(folder.openssl('pkey', '-in', 'locked.key', '-passin', 'pass:guess'), /failed/);
  });

  it('are refused for what cannot be', async () => {
    const ca = await createAuthority();
    const bad: [RegExp, Promise<unknown>][] = [
      [/names: .*received ""/, ca.issueServer('')],
      [/names/, ca.issueServer('two words')],
      [/names/, ca.issueServer(`${'x'.repeat(64)}.example`)],
      [/names: expected a host name or address/, ca.issueServer([])],
      [/names: expected a host name or address/, ca.issueServer('alice@example.org')],
      [/commonName: expected a text of 1 to 64/, ca.issueClient('x'.repeat(65))],
      [/commonName/, ca.issueClient('')],
      [/commonName/, ca.issue({ purposes: ['client'] })],
      [/purposes/, ca.issue({ names: ['x'], purposes: [] })],
      [/days: expected a number above 0, received 0/, ca.issueServer('x', { days: 0 })],
      [/notAfter/, ca.issueServer('x', { notAfter: new Date(0) })],
      [/notBefore/, ca.issueServer('x', { notBefore: new Date(Number.NaN) })],
      [/keyType: expected P-256, /, ca.issueServer('x', { keyType: 'DSA' as never })],
      [/pathLength/, createAuthority('x', { pathLength: -1 })],
      [/organization/, createAuthority('x', { organization: '' })],
    ];
    for (const [message, promise] of bad) {
      await assert.rejects(promise, (error) => error instanceof InvalidArgumentError && message.test(error.message));
    }
  });
});
