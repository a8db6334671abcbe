import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { commandFaults } from './command-line.ts';
import { command } from './command.ts';
import { subpaths } from './surface.ts';

/**
 * Packs the package, installs the tarball in an empty project and there imports every subpath, in JavaScript (which must
 * end by itself) and in strict TypeScript: what a user gets works, not only what lies in the checkout.
 */
export async function packFaults(repository: string): Promise<string[]> {
  const project = mkdtempSync(join(tmpdir(), 'simul-pack-'));
  try {
    const installed = await install(repository, project);
    if (installed.length > 0) return installed;
    const specifiers = [...subpaths(repository).keys()].map((subpath) => `simul${subpath.slice(1)}`);
    const imports = await Promise.all(specifiers.map((specifier) => importFault(project, specifier)));
    return [
      ...imports.flat(),
      ...(await typeFaults(repository, project, specifiers)),
      ...(await commandFaults(project)),
    ];
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}

async function install(repository: string, project: string): Promise<string[]> {
  const pack = await command('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', project], {
    cwd: repository,
  });
  if (!pack.ok) return [`npm pack: ${pack.output}`];
  writeFileSync(join(project, 'package.json'), '{ "name": "project", "private": true, "type": "module" }');
  const tarball = `./${pack.output.split('\n').at(-1)}`;
  const result = await command('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball], {
    cwd: project,
  });
  return result.ok ? [] : [`npm install ${tarball}: ${result.output}`];
}

async function importFault(project: string, specifier: string): Promise<string[]> {
  const { ok, output } = await command(
    process.execPath,
    ['--eval', `await import('${specifier}')`, '--input-type=module'],
    {
      cwd: project,
      timeout: 20,
    },
  );
  return ok ? [] : [`import '${specifier}': ${output}`];
}

async function typeFaults(repository: string, project: string, specifiers: readonly string[]): Promise<string[]> {
  const modules = resolve(repository, 'node_modules');
  mkdirSync(join(project, 'node_modules/@types'), { recursive: true });
  symlinkSync(join(modules, '@types/node'), join(project, 'node_modules/@types/node'));
  symlinkSync(join(modules, 'undici-types'), join(project, 'node_modules/undici-types'));
  const lines = specifiers.map((specifier, index) => `export * as s${index} from '${specifier}';`);
  writeFileSync(join(project, 'project.ts'), lines.join('\n'));
  const flags = ['--strict', '--module', 'nodenext', '--target', 'es2022', '--lib', 'es2023,esnext.disposable'];
  const { ok, output } = await command(
    process.execPath,
    [join(modules, 'typescript/bin/tsc'), '--noEmit', '--types', 'node', ...flags, 'project.ts'],
    { cwd: project },
  );
  return ok ? [] : output.split('\n');
}
