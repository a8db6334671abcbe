import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { docExampleFaults, docExamples } from '../../tools/doc-examples.ts';
import { repository } from '../../tools/tree.ts';

const page = (code: string): string => `# Page\n\n\`\`\`ts run\n${code}\n\`\`\`\n\n\`\`\`ts\nnot.run();\n\`\`\`\n`;

test('examples are found with their places and what they print', async () => {
  await inTree(
    {
      'README.md': page('console.log(1 + 1); // prints 2'),
      'docs/en/guide.md': page('export {};'),
      'src/a.ts': `/**\n * A.\n *\n * @example\n * import { a } from 'simul';\n * a();\n */\nexport const a = 1;\n/**\n * @example\n * fragment();\n */\n`,
    },
    (root) => {
      assert.deepEqual(docExamples(root), [
        { place: 'README.md:3', code: 'console.log(1 + 1); // prints 2\n', prints: ['2'] },
        { place: 'docs/en/guide.md:3', code: 'export {};\n', prints: [] },
        { place: 'src/a.ts:4', code: `import { a } from 'simul';\na();\n`, prints: [] },
      ]);
    },
  );
});

test('an example that prints what it says passes', () =>
  inTree({ 'README.md': page('console.log(1 + 1); // prints 2') }, async (root) => {
    assert.deepEqual(await docExampleFaults(root), []);
  }));

for (const [kind, code, fault] of [
  ['prints something else', 'console.log(1 + 1); // prints 3', /^README.md:3: printed "2", the example says "3"$/],
  ['throws', `throw new Error('planted');`, /^README.md:3: failed: [\s\S]*planted/],
  ['does not compile', 'const x: string = 1;\nconsole.log(x);', /^README.md:3: .*error TS2322/],
] as const) {
  test(`an example that ${kind} is found`, () =>
    inTree({ 'README.md': page(code) }, async (root) => {
      const faults = await docExampleFaults(root);
      assert.equal(faults.length, 1);
      assert.match(faults[0]!, fault);
    }));
}

async function inTree(files: Record<string, string>, body: (root: string) => void | Promise<void>): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'examples-'));
  try {
    for (const name of ['node_modules', 'tsconfig.json']) symlinkSync(join(repository, name), join(root, name));
    writeFileSync(join(root, 'package.json'), '{"type":"module"}');
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), text);
    }
    await body(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}
