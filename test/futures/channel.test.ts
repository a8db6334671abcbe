import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seeded } from '../../src/base/virtual-clock.ts';
import { keep, prepare, prepared, prepareKept, prepareList, put, take } from '../../src/futures/channel/codec.ts';
import { RING_BYTES, VALUE } from '../../src/futures/channel/layout.ts';
import { ResultReader, ResultWriter } from '../../src/futures/channel/result-ring.ts';
import { TaskReader } from '../../src/futures/channel/task-reader.ts';
import { TaskRing } from '../../src/futures/channel/task-ring.ts';
import { ThreadMemory } from '../../src/futures/channel/thread-memory.ts';

test('what a task ring is given comes out once and in order, less what was taken back or revoked', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = seeded(seed);
    const memory = new ThreadMemory();
    const ring = new TaskRing(memory);
    const reader = new TaskReader(memory);
    /** What the reader is to get, with where it lies. */
    let expected: { id: number; text: string; at: number }[] = [];
    let id = 0;
    for (let step = 0; step < 4000; step++) {
      const choice = random();
      if (choice < 0.55) {
        const text = 'x'.repeat(random() < 0.1 ? Math.floor(random() * (RING_BYTES / 5)) : Math.floor(random() * 60));
        assert.ok(prepare(text));
        const at = ring.write(++id, 0);
        if (at >= 0) expected.push({ id, text, at });
        else assert.ok(expected.length > 0, 'there is room in an empty ring');
      } else if (choice < 0.7 && expected.length > 0) {
        const last = expected.pop()!;
        assert.equal(ring.started(last.at), false);
        assert.equal(ring.unwrite(last.at), true);
      } else if (choice < 0.75 && expected.length > 0) {
        const index = Math.floor(random() * expected.length);
        assert.equal(ring.revoke(expected[index]!.at), true);
        // What was revoked in the middle stays where it is: only what lies behind it can be taken back.
        expected = expected.filter((_, i) => i !== index);
      } else {
        const next = expected.shift();
        assert.equal(reader.next(), next !== undefined, `seed ${seed}`);
        if (next === undefined) continue;
        assert.deepEqual([reader.id, reader.value], [next.id, next.text], `seed ${seed}`);
        assert.equal(ring.started(next.at), true);
        assert.equal(ring.unwrite(next.at), false);
        assert.equal(ring.revoke(next.at), false);
      }
    }
  }
});

test('a result ring gives what was written, across its end', () => {
  const memory = new ThreadMemory();
  const writer = new ResultWriter(memory);
  const reader = new ResultReader(memory);
  const random = seeded(5);
  const full = () => assert.fail('the reader keeps up');
  for (let id = 0; id < 20_000; id++) {
    const list = Array.from({ length: Math.floor(random() * 200) }, () => Math.floor(random() * 2 ** 32));
    assert.ok(prepareList(list));
    writer.write(id, VALUE, id, full);
    assert.equal(reader.isEmpty(), false);
    assert.equal(reader.next(), true);
    assert.deepEqual([reader.id, reader.status, reader.micros, reader.value], [id, VALUE, id, list]);
    assert.equal(reader.next(), false);
    reader.release();
  }
});

test('texts of every sort come out as they were, and nothing else is overwritten', () => {
  const memory = new ThreadMemory();
  const [ring, reader] = [new TaskRing(memory), new TaskReader(memory)];
  const [writer, results] = [new ResultWriter(memory), new ResultReader(memory)];
  const random = seeded(7);
  const alphabets = ['a', 'ab\u{7f}', 'aé', 'a\u{800}', 'a😀', '\u{d800}a', '\u{dc00}😀é', 'é'];
  const randomText = () => {
    // Mostly ASCII with something else somewhere, most often at the end, where it could be cut off unseen.
    const alphabet = Array.from(alphabets[Math.floor(random() * alphabets.length)]!);
    const plain = 'x'.repeat(Math.floor(random() * (random() < 0.02 ? RING_BYTES / 12 : 40)));
    const rest = Array.from(
      { length: Math.floor(random() * 6) },
      () => alphabet[Math.floor(random() * alphabet.length)]!,
    );
    const text = random() < 0.8 ? plain + rest.join('') : rest.join('') + plain;
    // A part of a text with wider characters keeps its form, whatever is in it.
    return random() < 0.8 ? text : `\u{800}${text}`.slice(1);
  };
  const waiting: string[] = [];
  for (let id = 0; id < 50_000; id++) {
    const text = randomText();
    assert.ok(prepare(text));
    if (ring.write(id, 0) >= 0) waiting.push(text);
    else assert.ok(waiting.length > 0);
    while (waiting.length > random() * 60) {
      assert.equal(reader.next(), true);
      assert.equal(reader.value, waiting.shift());
    }
    assert.ok(prepare(text));
    writer.write(id, VALUE, 0, () => assert.fail('the reader keeps up'));
    assert.equal(results.next(), true);
    assert.equal(results.value, text);
    results.release();
  }
});

test('kept bytes are the value still', () => {
  const values = [
    undefined,
    1,
    -0,
    2.5,
    '',
    'text',
    'zażółć',
    'a\u{d800}',
    { a: [1] },
    new Uint8Array([1, 2]),
    new Map([[1, 2]]),
    10n,
  ];
  const buffer = new ArrayBuffer(4096);
  const [bytes, words, doubles] = [Buffer.from(buffer), new Int32Array(buffer), new Float64Array(buffer)];
  for (const value of values) {
    assert.ok(prepare(value));
    const kept = keep();
    const { kind } = prepared;
    prepare('something else in between');
    prepareKept(kind, kept);
    put(bytes, words, doubles, 16);
    assert.deepEqual(take(kind, bytes, words, doubles, 16, kept.length), value);
  }
});
