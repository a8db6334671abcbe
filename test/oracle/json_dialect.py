"""The oracle of test/base/json-python.test.ts.

rewrite          for each line of standard input: what json.dumps makes of what json.loads reads
generate N SEED  prints N random values
"""
import json
import random
import sys


def rewrite():
    for line in sys.stdin:
        print(json.dumps(json.loads(line)))


def generate(count, seed):
    rng = random.Random(seed)
    for _ in range(count):
        print(json.dumps(value(rng, 0)))


def value(rng, depth):
    kind = rng.randrange(10 if depth < 4 else 8)
    if kind == 0:
        return rng.choice([None, True, False])
    if kind == 1:
        return rng.randrange(-(10 ** rng.randrange(1, 16)), 10 ** rng.randrange(1, 16))
    if kind == 2:
        return rng.choice([1, -1]) * rng.randrange(2 ** 53, 2 ** rng.randrange(54, 400))
    if kind in (3, 4):
        return real(rng)
    if kind < 8:
        return text(rng)
    items = [value(rng, depth + 1) for _ in range(rng.randrange(6))]
    return items if kind == 8 else {"k" + text(rng): item for item in items}


def real(rng):
    if rng.randrange(20) == 0:
        return rng.choice([float("nan"), float("inf"), float("-inf"), -0.0])
    number = rng.uniform(-10, 10) * 10 ** rng.randrange(-320, 305)
    # JavaScript cannot tell 100.0 from 100.
    return number if not number.is_integer() or abs(number) > 2 ** 53 else rng.random()


def text(rng):
    alphabet = 'abc "\\/\b\f\n\r\t\x00\x1f\x7f\x80\xe9\u2028\u4e2d\ud800\udfff\U0001f600__type__'
    return "".join(rng.choice(alphabet) for _ in range(rng.randrange(12)))


if sys.argv[1] == "rewrite":
    rewrite()
else:
    generate(int(sys.argv[2]), int(sys.argv[3]))
