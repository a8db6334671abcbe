import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Command } from 'commander';
import { importModule } from '../callable/module.ts';
import { Simul } from '../tasks/app.ts';
import { findApp } from '../tasks/find-app.ts';
import { Failure } from './exit.ts';

export interface AppOptions {
  readonly app?: string;
  readonly broker?: string;
  readonly resultBackend?: string;
}

/** The options of every command that works with an app. */
export function withApp(command: Command): Command {
  return command
    .option('-A, --app <module>', 'module (.ts, .js, .mjs, .cjs) that exports the app')
    .option('-b, --broker <url>', "broker, in place of the app's (sqlite://, redis://host, …)")
    .option('--result-backend <url>', "result backend, in place of the app's");
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
  return { app: appOf(await importModule(module.href), options.app), module };
}

function moduleUrl(name: string): URL {
  if (name.startsWith('file:')) return new URL(name);
  const path = resolve(name);
  if (!existsSync(path)) throw new Failure(`-A ${name}: there is no such file`, 2);
  return pathToFileURL(path);
}

function appOf(module: Record<string, unknown>, name: string): Simul {
  const app = findApp(module);
  if (app === undefined)
    throw new Failure(`-A ${name}: the module exports no app (export const app = new Simul('name'))`, 2);
  return app;
}
