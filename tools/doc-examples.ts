import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { command } from './guard/command.ts';
import { sourceFiles } from './tree.ts';

export interface DocExample {
  /** Where it stands: `README.md:12`. */
  readonly place: string;
  readonly code: string;
  /** What it must print, line by line: its comments `// prints …`. */
  readonly prints: readonly string[];
}

/**
 * Compiles (strictly) and runs every example of the documentation that is a whole program: in Markdown the blocks opened
 * by "```ts run", in doc comments the `@example`s that import from the package. One line for each that fails.
 */
export async function docExampleFaults(repository: string): Promise<string[]> {
  const examples = docExamples(repository);
  if (examples.length === 0) return [];
  // Inside the package, so that its own name can be imported.
  const parent = resolve(repository, 'dist');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'doc-examples-'));
  try {
    const files = examples.map((example, index) => write(folder, example, index));
    const compiled = await compile(repository, folder, files);
    if (compiled.length > 0) return compiled.map((line) => named(line, examples));
    const faults: string[] = [];
    for (const [index, example] of examples.entries()) faults.push(...(await run(folder, example, files[index]!)));
    return faults;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The examples that can be run. */
export function docExamples(repository: string): DocExample[] {
  const pages = markdownFiles(repository).flatMap((file) => blocks(repository, file, /^```ts run\n([\s\S]*?)^```$/gm));
  const comments = sourceFiles(resolve(repository, 'src'))
    .flatMap((file) => blocks(repository, file, /@example\n((?:[ \t]*\*(?![/ ]?@|\/).*\n)+)/g))
    .map((example) => ({ ...example, code: example.code.replaceAll(/^[ \t]*\* ?/gm, '') }))
    .filter(({ code }) => /from 'simul[/']/.test(code));
  return [...pages, ...comments].map((example) => ({ ...example, prints: printed(example.code) }));
}

function markdownFiles(repository: string): string[] {
  const top = readdirSync(repository).filter((name) => name.endsWith('.md'));
  return [...top.map((name) => resolve(repository, name)), ...sourceFiles(resolve(repository, 'docs'), '.md')];
}

function blocks(repository: string, file: string, pattern: RegExp) {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(pattern)].map((match) => ({
    place: `${relative(repository, file)}:${text.slice(0, match.index).split('\n').length}`,
    code: match[1]!,
  }));
}

function printed(code: string): string[] {
  return [...code.matchAll(/\/\/ prints (.*)$/gm)].map((match) => match[1]!.trim());
}

function write(folder: string, { code }: DocExample, index: number): string {
  const file = join(folder, `example${index}.ts`);
  writeFileSync(file, code);
  return file;
}

async function compile(repository: string, folder: string, files: readonly string[]): Promise<string[]> {
  const config = {
    extends: resolve(repository, 'tsconfig.json'),
    compilerOptions: {
      rootDir: folder,
      outDir: folder,
      incremental: false,
      declaration: false,
      declarationMap: false,
      tsBuildInfoFile: null,
    },
    include: [],
    exclude: [],
    files,
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const { ok, output } = await command(resolve(repository, 'node_modules/.bin/tsc'), ['-p', folder], { cwd: folder });
  return ok ? [] : output.split('\n');
}

// A compiler message names the temporary file: say where the example stands instead.
function named(line: string, examples: readonly DocExample[]): string {
  const index = /example(\d+)\.ts/.exec(line)?.[1];
  return index === undefined ? line : `${examples[Number(index)]!.place}: ${line}`;
}

async function run(folder: string, { place, prints }: DocExample, file: string): Promise<string[]> {
  const work = join(folder, basename(file, '.ts'));
  mkdirSync(work);
  const { ok, stdout, output } = await command(process.execPath, [file.replace(/\.ts$/, '.js')], {
    cwd: work,
    timeout: 60,
  });
  if (!ok) return [`${place}: failed: ${output || 'no output (did it end within 60 s?)'}`];
  if (prints.length === 0 || stdout.trim() === prints.join('\n')) return [];
  return [`${place}: printed ${JSON.stringify(stdout.trim())}, the example says ${JSON.stringify(prints.join('\n'))}`];
}
