import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { createDefaultContext, Purpose } from '../../src/entry/ssl.ts';
import { Workspace } from '../support/command.ts';
import { connected } from './connection.ts';
import { Folder } from './folder.ts';

interface Told {
  readonly certificates: readonly {
    readonly kind: string;
    readonly names: string[];
    readonly notAfter: string;
    readonly fingerprint256: string;
    readonly files: Record<string, string>;
    readonly kept: boolean;
  }[];
}

describe('simul certs', () => {
  const space = new Workspace();
  const openssl = new Folder();
  after(() => {
    space[Symbol.dispose]();
    openssl[Symbol.dispose]();
  });
  const at = (name: string): string => join(space.path, name);
  const told = (stdout: string): Told['certificates'] => (JSON.parse(stdout) as Told).certificates;

  it('makes all that mutual TLS on this machine needs', async () => {
    const { code, stdout } = await space.simul('certs');
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^server +localhost, 127\.0\.0\.1, ::1 +\d{4}-\d\d-\d\d +certs\/server\.pem certs\/server-key\.pem$/m,
    );
    const server = createDefaultContext({
      purpose: Purpose.CLIENT_AUTH,
      cert: at('certs/server.pem'),
      keyfile: at('certs/server-key.pem'),
      cafile: at('certs/ca.pem'),
    });
    const client = createDefaultContext({
      cafile: at('certs/ca.pem'),
      cert: at('certs/client.pem'),
      keyfile: at('certs/client-key.pem'),
    });
    using ends = await connected(client, server);
    assert.deepEqual(ends.server.getpeercert()?.subject, { CN: 'client' });
    const mode = (name: string): string => (statSync(at(name)).mode & 0o777).toString(8);
    assert.deepEqual(['certs/ca-key.pem', 'certs/server-key.pem', 'certs/client-key.pem'].map(mode), [
      '600',
      '600',
      '600',
    ]);
    assert.equal(mode('certs/ca.pem'), '644');
  });

  it('replaces nothing unasked, and the authority only when it is named', async () => {
    const before = readFileSync(at('certs/server.pem'), 'utf8');
    const authority = readFileSync(at('certs/ca.pem'), 'utf8');
    const again = await space.simul('certs');
    assert.deepEqual([again.code, again.stdout], [1, '']);
    assert.equal(again.stderr, 'simul: certs/server.pem is there already: say --force to replace it\n');
    assert.equal(readFileSync(at('certs/server.pem'), 'utf8'), before);
    const forced = await space.simul('certs', '--force', '--json');
    assert.equal(forced.code, 0);
    assert.deepEqual(
      told(forced.stdout).map(({ kind, kept }) => [kind, kept]),
      [
        ['ca', true],
        ['server', false],
        ['client', false],
      ],
    );
    assert.notEqual(readFileSync(at('certs/server.pem'), 'utf8'), before);
    assert.equal(readFileSync(at('certs/ca.pem'), 'utf8'), authority);
    assert.equal((await space.simul('certs', 'ca')).code, 1);
    assert.equal((await space.simul('certs', 'ca', '--force', '--name', 'New CA')).code, 0);
    assert.equal(new X509Certificate(readFileSync(at('certs/ca.pem'))).subject, 'CN=New CA');
    assert.equal((statSync(at('certs/ca-key.pem')).mode & 0o777).toString(8), '600');
  });

  it('issues what is asked for, as openssl sees it', async () => {
    writeFileSync(at('password'), 'sécret\nnot this\n');
    const server = await space.simul(
      ...'certs server shop.example *.shop.example 10.0.0.5 --dir own --days 30 --key-type RSA-2048 --json'.split(' '),
      ...'--organization Shop --out shop --pkcs12 password'.split(' '),
    );
    const [ca, shop] = told(server.stdout);
    assert.deepEqual([ca?.kept, shop?.names], [false, ['shop.example', '*.shop.example', '10.0.0.5']]);
    assert.deepEqual(shop?.files, { cert: 'own/shop.pem', key: 'own/shop-key.pem', pkcs12: 'own/shop.p12' });
    const days = (Date.parse(shop.notAfter) - Date.now()) / 86_400_000;
    assert.ok(days > 29 && days <= 30);
    assert.ok(Date.parse(ca!.notAfter) > Date.parse(shop.notAfter), 'the days are those of the server');
    const verify = ['verify', '-x509_strict', '-CAfile', at('own/ca.pem')];
    assert.match(openssl.openssl(...verify, '-verify_hostname', 'www.shop.example', at('own/shop.pem')), /: OK\n$/);
    const bundle = openssl.openssl('pkcs12', '-in', at('own/shop.p12'), '-passin', 'pass:sécret', '-nodes');
    assert.match(bundle, /O = Shop, CN = shop\.example/);
    const client = await space.simul('certs', 'client', 'Alice B/c', '--email', 'a@b.example', '--dir', 'own');
    assert.equal(client.code, 0, client.stderr);
    const options = ['-purpose', 'sslclient', '-verify_email', 'a@b.example'];
    assert.match(openssl.openssl(...verify, ...options, at('own/Alice_B_c.pem')), /: OK\n$/);
  });

  const wrong: [args: string[], code: number, message: RegExp][] = [
    [['server', 'two words', '--out', 'x'], 2, /names: expected host names.*received "two words"/],
    [['server', '--out', '../x'], 2, /--out: "\.\.\/x" cannot be the name of the files/],
    [['client', 'ca'], 2, /--out: "ca" cannot/],
    [['client'], 2, /missing required argument 'name'/],
    [['client', 'x', '--days', '0'], 2, /An integer, 1 or more/],
    [['client', 'x', '--email', 'nobody'], 2, /An e-mail address is expected/],
    [['--key-type', 'DSA'], 2, /'DSA' is invalid/],
    [['fly'], 2, /too many arguments|unknown command/],
    [['client', 'x', '--pkcs12', 'missing'], 1, /--pkcs12: ENOENT/],
    [['client', 'x', '--dir', 'half'], 1, /ca-key\.pem is there, .*ca\.pem is not/],
    [['client', 'x', '--dir', 'password/x'], 1, /ENOTDIR/],
  ];
  for (const [args, code, message] of wrong) {
    it(`refuses: certs ${args.join(' ')}`, async () => {
      if (args.includes('half')) {
        await space.simul('certs', 'ca', '--dir', 'half');
        rmSync(at('half/ca.pem'));
      }
      const ended = await space.simul('certs', ...args);
      assert.deepEqual([ended.code, ended.stdout], [code, '']);
      assert.match(ended.stderr, message);
      assert.equal(existsSync(at('certs/x.pem')), false);
    });
  }
});
