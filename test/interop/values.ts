/** A value as Python source, and what it comes back as if that is not the value itself. */
export type PythonValue = readonly [what: string, source: string, back?: string];

export const plainValues: readonly PythonValue[] = [
  ['none', 'None'],
  ['booleans', '[True, False]'],
  ['integers', '[0, -1, 2**31, -2**31 - 1, 2**53 - 1]'],
  ['integers beyond 2^53', '[2**53, 2**53 + 1, -2**64, 2**70, 10**400]'],
  ['floats', '[0.5, -1e-300, 1.7976931348623157e308, 5e-324]'],
  ['floats without a fraction, which come back as integers', '[1.0, -3.0]', '[1, -3]'],
  ['infinities', '[float("inf"), float("-inf")]'],
  ['text of every plane', '"a\\u00e9\\u4e2d\\U0001f600\\x00\\x7f\\u2028\\ud7ff \\"quoted\\" \\\\"'],
  ['a lone surrogate', '"\\ud800"'],
  ['nested lists and dicts', '{"a": [1, {"b": [[], {}, None]}], "": "empty key"}'],
  ['a tuple, which comes back as a list', '(1, (2, 3))', '[1, [2, 3]]'],
];

/** Of the types that kombu 5.3 and later write with their names. */
export const typedValues: readonly PythonValue[] = [
  ['an aware datetime', 'datetime.datetime(2024, 5, 6, 7, 8, 9, 123000, datetime.timezone.utc)'],
  [
    'a datetime of another zone, which comes back in UTC',
    'datetime.datetime(2024, 5, 6, 7, 8, 9, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))',
    'datetime.datetime(2024, 5, 6, 5, 8, 9, tzinfo=datetime.timezone.utc)',
  ],
  [
    'a naive datetime, which is taken for UTC',
    'datetime.datetime(2024, 5, 6, 7, 8, 9)',
    'datetime.datetime(2024, 5, 6, 7, 8, 9, tzinfo=datetime.timezone.utc)',
  ],
  [
    'a datetime with microseconds, which are cut to milliseconds',
    'datetime.datetime(2024, 5, 6, 7, 8, 9, 123456, datetime.timezone.utc)',
    'datetime.datetime(2024, 5, 6, 7, 8, 9, 123000, datetime.timezone.utc)',
  ],
  ['a date', 'datetime.date(2024, 5, 6)'],
  ['a time', 'datetime.time(7, 8, 9)'],
  ['a decimal', 'decimal.Decimal("1.10")'],
  ['a uuid', 'uuid.UUID("12345678-1234-5678-1234-567812345678")'],
  ['bytes that are text', '"\\u00e9".encode()'],
  ['bytes that are none', 'bytes(range(256))'],
];
