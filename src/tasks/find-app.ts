import type { Simul } from './app.ts';

/** The app a module exports: as `app`, as its default, or under any other name. */
export function findApp(module: Record<string, unknown>): Simul | undefined {
  return [module['app'], module['default'], ...Object.values(module)].find(isApp);
}

// By shape, not by class: the module may have loaded another copy of this package.
function isApp(value: unknown): value is Simul {
  const candidate = value as Partial<Simul> | null | undefined;
  return typeof candidate === 'object' && candidate?.tasks instanceof Map && typeof candidate.sendTask === 'function';
}
