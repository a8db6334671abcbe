import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runInNewContext } from 'node:vm';
import { DecodeError, EncodeError } from '../../src/base/errors.ts';
import { decodeJson } from '../../src/base/json/decode.ts';
import { encodeJson } from '../../src/base/json/encode.ts';
import { Typed } from '../../src/base/json/typed.ts';

const tagged = (type: string, value: unknown) => `{"__type__": "${type}", "__value__": ${JSON.stringify(value)}}`;

describe('typed values', () => {
  for (const [name, value, wire] of [
    ['a Date', new Date('2024-05-06T07:08:09.123Z'), tagged('datetime', '2024-05-06T07:08:09.123+00:00')],
    ['UTF-8 bytes', Buffer.from('abc'), tagged('bytes', 'abc')],
    ['other bytes', Buffer.from([0xff, 0xfe]), tagged('base64', '//4=')],
    ['a date', new Typed('date', '2024-05-06'), tagged('date', '2024-05-06')],
    ['a time', new Typed('time', '07:08:09'), tagged('time', '07:08:09')],
    ['a decimal', new Typed('decimal', '1.10'), tagged('decimal', '1.10')],
    [
      'a UUID',
      Typed.uuid('12345678-1234-5678-1234-567812345678'),
      '{"__type__": "uuid", "__value__": {"hex": "12345678123456781234567812345678"}}',
    ],
    ['an unknown type', new Typed('money', 'EUR 3'), tagged('money', 'EUR 3')],
  ] as const) {
    it(`${name} goes over the wire as kombu has it, at any depth`, () => {
      assert.equal(encodeJson(value), wire);
      assert.deepEqual(decodeJson(wire), value);
      assert.deepEqual(decodeJson(`[{"a": [${wire}]}]`), [{ a: [value] }]);
      assert.equal(encodeJson([{ a: [value] }]), `[{"a": [${wire}]}]`);
    });
  }

  it('bytes of any kind of array are the same', () => {
    const bytes = new Uint8Array([0, 97, 98, 0]).subarray(1, 3);
    assert.equal(encodeJson(bytes), tagged('bytes', 'ab'));
    assert.equal(encodeJson(new Uint8Array([97]).buffer), tagged('bytes', 'a'));
    const marked = Buffer.from([0xef, 0xbb, 0xbf, 0x61]);
    assert.deepEqual(decodeJson(encodeJson(marked)), marked, 'a byte order mark is kept');
  });

  it('a datetime without an offset is UTC; fractions and offsets are read', () => {
    const at = (text: string) => (decodeJson(tagged('datetime', text)) as Date).toISOString();
    assert.equal(at('2024-05-06T07:08:09.123456'), '2024-05-06T07:08:09.123Z');
    assert.equal(at('2024-05-06T07:08:09+02:00'), '2024-05-06T05:08:09.000Z');
    assert.equal(at('2024-05-06T07:08:09Z'), '2024-05-06T07:08:09.000Z');
  });

  it('a datetime that a Date cannot hold stays as it came', () => {
    for (const text of ['2024-13-45T00:00:00', 'hello 1', '2024-05-06T07:08:09+00:00:30', '']) {
      assert.deepEqual(decodeJson(tagged('datetime', text)), new Typed('datetime', text));
    }
    assert.deepEqual(decodeJson('{"__type__": "bytes", "__value__": 3}'), new Typed('bytes', 3));
  });

  it('only exactly these two keys make a typed value', () => {
    const more = { __type__: 'bytes', __value__: 'x', third: 1 };
    assert.deepEqual(decodeJson(encodeJson(more)), more);
    assert.deepEqual(decodeJson('{"__type__": "bytes"}'), { __type__: 'bytes' });
    assert.deepEqual(decodeJson('{"__type__": 1, "__value__": 2}'), { __type__: 1, __value__: 2 });
    assert.deepEqual(
      decodeJson('{"\\u005f_type__": "bytes", "__value__": "a"}'),
      Buffer.from('a'),
      'spelled by an escape',
    );
  });

  it('a Typed shows as its usual text', () => {
    assert.equal(String(Typed.uuid('12345678-1234-5678-1234-567812345678')), '12345678-1234-5678-1234-567812345678');
    assert.equal(String(new Typed('decimal', '1.10')), '1.10');
  });
});

describe('writing', () => {
  it('undefined is left out of objects and null in arrays; holes too', () => {
    // oxlint-disable-next-line no-sparse-arrays -- holes are what is tested
    assert.equal(encodeJson([undefined, , { a: undefined, b: 1 }]), '[null, null, {"b": 1}]');
    assert.equal(encodeJson(undefined), 'null');
  });

  it('numbers are written as Python writes them', () => {
    const numbers = [0, -0, 1e15, 2 ** 53, 1e16, 1e21, 1e-4, 1e-5, 1.5e-7, 0.1, 5e-324];
    const python = '[0, -0.0, 1000000000000000, 9007199254740992.0, 1e+16, 1e+21, 0.0001, 1e-05, 1.5e-07, 0.1, 5e-324]';
    assert.equal(encodeJson(numbers), python);
    assert.deepEqual(decodeJson(python), numbers);
  });

  it('toJSON is used; plain objects of other realms and without a prototype are plain', () => {
    assert.equal(encodeJson({ a: { toJSON: () => [1] } }), '{"a": [1]}');
    assert.equal(encodeJson(runInNewContext('({ a: [1, { b: 2 }] })')), '{"a": [1, {"b": 2}]}');
    assert.equal(encodeJson(Object.assign(Object.create(null), { a: 1 })), '{"a": 1}');
  });

  it('the same object may occur twice, not inside itself', () => {
    const shared = { a: 1 };
    assert.equal(encodeJson([shared, shared]), '[{"a": 1}, {"a": 1}]');
    const ring: Record<string, unknown> = { list: [{}] };
    (ring['list'] as unknown[])[1] = { back: ring };
    assert.throws(() => encodeJson(ring), fault('value.list[1].back', /its own parents/));
  });

  it('what cannot be written is named with its place', () => {
    class Point {
      readonly x = 1;
    }
    for (const [value, path, reason] of [
      [{ a: [1, { 'b c': () => 1 }] }, 'args.a[1]["b c"]', /a function/],
      [[Symbol('x')], 'args[0]', /a symbol/],
      [{ m: new Map() }, 'args.m', /a Map/],
      [{ s: new Set() }, 'args.s', /a Set/],
      [[[new Point()]], 'args[0][0]', /a Point/],
      [[new Error('x')], 'args[0]', /a Error/],
      [[new Float64Array(1)], 'args[0]', /a Float64Array/],
      [{ when: new Date(Number.NaN) }, 'args.when', /invalid Date/],
      [{ when: new Date(8.64e15) }, 'args.when', /year 275760/],
      [{ t: { __type__: 'x', __value__: 1 } }, 'args.t', /typed value/],
      [[10n ** 5000n], 'args[0]', /4300 digits/],
      [{ p: Promise.resolve() }, 'args.p', /a Promise/],
      [{ x: new Typed('x', { y: new Map() }) }, 'args.x.y', /a Map/],
      [{ x: { toJSON: () => ({ y: new Map() }) } }, 'args.x.y', /a Map/],
    ] as const) {
      assert.throws(() => encodeJson(value, { root: 'args' }), fault(path, reason));
    }
  });

  it('a value whose own code fails is an EncodeError with the cause', () => {
    const cause = new RangeError('planted');
    const value = {
      list: [
        0,
        {
          get bad(): never {
            throw cause;
          },
        },
      ],
    };
    assert.throws(() => encodeJson(value), fault('value.list[1].bad', /planted/, cause));
    const writer = {
      toJSON(): never {
        throw cause;
      },
    };
    assert.throws(() => encodeJson([writer]), fault('value[0]', /planted/, cause));
  });

  it('depth is bounded, also by toJSON that returns itself', () => {
    assert.equal(encodeJson(nested(200)), '['.repeat(200) + ']'.repeat(200));
    assert.throws(() => encodeJson(nested(201)), fault(`value${'[0]'.repeat(200)}`, /deeper than 200/));
    assert.throws(() => encodeJson([[[]]], { maxDepth: 2 }), fault('value[0][0]', /deeper than 2 levels/));
    const self = { toJSON: () => self };
    assert.throws(() => encodeJson([self]), fault('value[0]', /its own parents/));
    const fresh = { toJSON: (): unknown => ({ ...fresh }) };
    assert.throws(() => encodeJson([fresh]), fault('value[0]', /deeper than 200/));
  });
});

describe('reading', () => {
  it('large integers are bigints, the others numbers', () => {
    const values = decodeJson(
      '[9007199254740991, 9007199254740992, -9007199254740993, 123456789012345678901234567890]',
    );
    assert.deepEqual(values, [
      9007199254740991,
      9007199254740992n,
      -9007199254740993n,
      123456789012345678901234567890n,
    ]);
    assert.deepEqual(decodeJson('[1795423660.4917285, 0.0014651359999788838, 1e400, -0]'), [
      1795423660.4917285,
      0.0014651359999788838,
      Infinity,
      -0,
    ]);
    assert.throws(() => decodeJson(`[${'9'.repeat(4301)}]`), DecodeError);
  });

  it('a large integer is found wherever it stands, and digits within texts are none', () => {
    for (let before = 0; before <= 40; before++) {
      const text = `["${'x'.repeat(before)}", -12345678901234567, 7]`;
      assert.deepEqual(decodeJson(text), ['x'.repeat(before), -12345678901234567n, 7]);
    }
    const digits = '12345678901234567';
    assert.deepEqual(decodeJson(`["${digits}", 123456789012345]`), [digits, 123456789012345]);
  });

  it('NaN and Infinity are numbers', () => {
    assert.deepEqual(decodeJson('[NaN, Infinity, -Infinity, "NaN"]'), [Number.NaN, Infinity, -Infinity, 'NaN']);
  });

  it('a key that reaches a prototype is dropped or refused, however it is spelled', () => {
    for (const text of ['{"a": 1, "__proto__": {"bad": 1}}', '{"a": 1, "\\u005f_proto__": {"bad": 1}}']) {
      const value = decodeJson(text) as Record<string, unknown>;
      assert.deepEqual(Object.keys(value), ['a']);
      assert.equal(value['bad'], undefined);
      assert.equal(Object.getPrototypeOf(value), Object.prototype);
      assert.throws(() => decodeJson(text, { hostileKeys: 'refuse' }), DecodeError);
    }
    assert.deepEqual(decodeJson('{"constructor": {"prototype": 1}, "x": NaN}'), {
      constructor: { prototype: 1 },
      x: Number.NaN,
    });
    assert.deepEqual(({} as Record<string, unknown>)['bad'], undefined);
  });

  it('brackets within texts are no depth', () => {
    const text = '[{'.repeat(200);
    assert.deepEqual(decodeJson(JSON.stringify([text]), { maxDepth: 1 }), [text]);
    assert.throws(() => decodeJson(`["${text}", []]`, { maxDepth: 1 }), DecodeError);
  });

  it('length and depth are bounded before anything is built', () => {
    const deep = '['.repeat(201) + ']'.repeat(201);
    assert.throws(() => decodeJson(deep), /deeper than 200/);
    assert.doesNotThrow(() => decodeJson(deep, { maxDepth: 201 }));
    assert.throws(() => decodeJson('['.repeat(10_000_000)), /deeper than 200/);
    assert.throws(() => decodeJson('"abcd"', { maxLength: 5 }), /6 characters; the limit is 5/);
    assert.equal(decodeJson(`"${'['.repeat(300)}"`), '['.repeat(300), 'brackets in text do not nest');
    assert.equal(decodeJson(String.raw`"\"[[[\\"`, { maxDepth: 1 }), '"[[[\\');
  });

  it('a very long string is read, with and without the special parser', () => {
    const long = 'x'.repeat(12_000_000);
    assert.equal((decodeJson(`["${long}"]`) as string[])[0]!.length, long.length);
    assert.equal((decodeJson(`["${long}", NaN]`) as string[])[0]!.length, long.length);
    assert.equal((decodeJson(`["\\n${long}", NaN]`) as string[])[0]!.length, long.length + 1);
  });

  // Each once for the native parser and once, with a NaN beside it, for ours.
  const malformed = [
    '',
    ' ',
    '[1,]',
    '[1 2]',
    '{"a" 1}',
    '{"a":}',
    '{a: 1}',
    '{"a": 1,}',
    '[01]',
    '[1.]',
    '[.5]',
    '[+1]',
  ];
  const words = [
    '[nul]',
    '[True]',
    '["a\nb"]',
    '["\\x"]',
    '["\\u12"]',
    '["open',
    '[',
    '{"a"',
    '[1]]',
    '[1] x',
    '[-]',
    '["a\\"]',
  ];
  for (const text of [...malformed, ...words, '[\u00a01]', '[--1]', '[1e]', "['a']", '[,1]', '{,}', '[undefined]']) {
    it(`is refused: ${JSON.stringify(text)}`, () => {
      assert.throws(() => decodeJson(text), DecodeError);
      assert.throws(() => decodeJson(`[NaN, ${text}]`), DecodeError);
    });
  }

  it('white space and escapes are read alike by both parsers', () => {
    const text = String.raw` { "a" : [ 1 , -2.5e3 , "\u00e9\ud83d\ude00\n\\\"" ] , "b" : { } , "c" : [ ] } `;
    const expected = { a: [1, -2500, 'é😀\n\\"'], b: {}, c: [] };
    assert.deepEqual(decodeJson(text), expected);
    assert.deepEqual(decodeJson(`\t[${text},\r\nNaN]`), [expected, Number.NaN]);
  });
});

function nested(depth: number): unknown {
  let value: unknown = [];
  for (let i = 1; i < depth; i++) value = [value];
  return value;
}

function fault(path: string, reason: RegExp, cause?: unknown) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof EncodeError);
    assert.equal(error.path, path);
    assert.match(error.message, reason);
    assert.equal(error.cause, cause);
    return true;
  };
}
