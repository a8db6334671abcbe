import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printable } from '../../src/base/printable.ts';

test('control characters are shown and not obeyed, the lines of a stack stay lines', () => {
  assert.equal(printable('shop.add\u001b[31m\nFAKE LOG LINE'), 'shop.add\\x1b[31m\\nFAKE LOG LINE');
  assert.equal(printable('Error: x\n    at f (a.js:1:2)\n    at g'), 'Error: x\n    at f (a.js:1:2)\n    at g');
  assert.equal(printable('tab\tñ 漢 🙂\r'), 'tab\tñ 漢 🙂\\x0d');
});
