import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { repository } from '../../tools/tree.ts';

// Functions, classes and constants by what the module exports, types by what its entry says.
for (const name of ['asyncio', 'futures', 'os', 'signal', 'socket', 'socketserver', 'ssl', 'subprocess']) {
  test(`the guide of ${name} has every public name`, async () => {
    const entry = readFileSync(join(repository, `src/entry/${name}.ts`), 'utf8');
    const types = [...entry.matchAll(/^export type \{([^}]*)\}/gm)].flatMap(([, list]) => list!.match(/\w+/g)!);
    const values = Object.keys((await import(`../../src/entry/${name}.js`)) as object);
    const guide = readFileSync(join(repository, `docs/en/${name}.md`), 'utf8');
    const missing = [...values, ...types].filter((each) => !new RegExp(`\\b${each}\\b`).test(guide));
    assert.deepEqual(missing, []);
  });
}
