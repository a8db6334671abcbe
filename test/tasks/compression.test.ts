import assert from 'node:assert/strict';
import { it } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { DecodeError } from '../../src/base/errors.ts';
import type { Envelope } from '../../src/tasks/envelope.ts';
import { defaultLimits } from '../../src/tasks/envelope.ts';
import { decodeMessage, encodeMessage } from '../../src/tasks/message.ts';

const body = Buffer.from('[["é"], {}, {}]');

function compressed(type: string, bytes: Uint8Array, properties: object = {}): Envelope {
  const envelope = encodeMessage({ id: 'a', task: 't', args: [], kwargs: {}, queue: 'q' });
  return {
    ...envelope,
    body: Buffer.from(bytes).toString('base64'),
    headers: { ...envelope.headers, compression: type },
    properties: { ...envelope.properties, ...properties },
  };
}

it('what kombu compresses is read: its gzip is a zlib stream', () => {
  assert.deepEqual(decodeMessage(compressed('application/x-gzip', deflateSync(body))).args, ['é']);
  assert.deepEqual(decodeMessage(compressed('application/x-brotli', brotliCompressSync(body))).args, ['é']);
});

it('what is not what its header says is refused with the reason', () => {
  const cases: [string, Envelope, RegExp][] = [
    ['a true gzip stream', compressed('application/x-gzip', gzipSync(body)), /incorrect header check/],
    ['half a stream', compressed('application/x-gzip', deflateSync(body).subarray(0, 8)), /unexpected end/],
    ['no stream', compressed('application/x-brotli', body), /cannot be decompressed/],
    ['another compression', compressed('application/x-bz2', body), /"application\/x-bz2" is not known/],
    ['a name of every object', compressed('constructor', body), /"constructor" is not known/],
    ['text', compressed('application/x-gzip', deflateSync(body), { body_encoding: 'utf-8' }), /body encoding/],
  ];
  for (const [what, envelope, reason] of cases) {
    assert.throws(
      () => decodeMessage(envelope),
      (e) => e instanceof DecodeError && reason.test(e.message),
      what,
    );
  }
});

it('a small body that would be a large one is refused before it is', () => {
  for (const [type, compress] of [
    ['application/x-gzip', deflateSync],
    ['application/x-brotli', brotliCompressSync],
  ] as const) {
    const bomb = compressed(type, compress(Buffer.alloc(10 * 2 ** 20, 0x20)));
    assert.ok(bomb.body.length < 20_000);
    assert.throws(() => decodeMessage(bomb, { ...defaultLimits, maxLength: 2 ** 20 }), /longer than 1048576 bytes/);
  }
});
