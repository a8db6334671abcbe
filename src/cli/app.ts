import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Command } from 'commander';
import { importModule } from '../callable/module.ts';
import { Simul } from '../tasks/app.ts';
import { findApp } from '../tasks/find-app.ts';
import { Failure } from './exit.ts';
import { importFailure } from './import-failure.ts';
import { filled } from './values.ts';

export interface AppOptions {
  readonly app?: string;
  readonly broker?: string;
  readonly resultBackend?: string;
}

/** The options of every command that works with an app. */
export function withApp(command: Command): Command {
  return command
    .option('-A, --app <module>', 'module (.ts, .js, .mjs, .cjs) that exports the app', filled)
    .option('-b, --broker <url>', "broker, in place of the app's (sqlite://, redis://host, …)", filled)
    .option('--result-backend <url>', "result backend, in place of the app's", filled);
}

export interface LoadedApp {
  readonly app: Simul;
  /** URL of the module, if the app came from one. */
  readonly module: URL | undefined;
}

/** The app of a command that runs tasks, which cannot do without one. */
export async function requireApp(options: AppOptions): Promise<LoadedApp & { readonly module: URL }> {
  // Without tasks a worker would set aside everything that waits in the queue as unknown.
  if (options.app === undefined) throw new Failure('name the module that exports the app: -A app.ts', 2);
  return (await loadApp(options)) as LoadedApp & { readonly module: URL };
}

/** The app that the options name; without a module, one without tasks, on the embedded broker or the one given. */
export async function loadApp(options: AppOptions): Promise<LoadedApp> {
  // The environment is what the workers' threads and processes see too, so the flags go there.
  if (options.broker !== undefined) process.env['SIMUL_BROKER_URL'] = options.broker;
  if (options.resultBackend !== undefined) process.env['SIMUL_RESULT_BACKEND'] = options.resultBackend;
  if (options.app === undefined) return { app: new Simul('simul'), module: undefined };
  const module = moduleUrl(options.app);
  const exported = await importModule(module.href).catch((error: unknown) => {
    throw importFailure(options.app!, module, error);
  });
  return { app: appOf(exported, options.app), module };
}

function moduleUrl(name: string): URL {
  const path = name.startsWith('file:') ? pathOf(name) : resolve(name);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new Failure(`-A ${name}: there is no such file`, 2);
  if (found.isDirectory()) throw new Failure(`-A ${name}: a directory; name the module that exports the app`, 2);
  if (!/\.[cm]?[jt]s$/.test(path))
    throw new Failure(`-A ${name}: not a module; its name should end with .ts, .js, .mjs or .cjs`, 2);
  return pathToFileURL(path);
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch {
    throw new Failure(`-A ${url}: not the URL of a file on this machine`, 2);
  }
}

function appOf(module: Record<string, unknown>, name: string): Simul {
  const app = findApp(module);
  if (app === undefined)
    throw new Failure(`-A ${name}: the module exports no app (export const app = new Simul('name'))`, 2);
  return app;
}
