import type { Mode } from './modes/mode.ts';

/** The ways to hold the exhibition, in the order in which they are shown; each loads what it needs when it is chosen. */
export const modes = {
  sequential: { inTurn: true, open: async (options) => (await import('./modes/inline.ts')).openInline(options) },
  asyncio: { open: async (options) => (await import('./modes/inline.ts')).openInline(options) },
  threads: {
    open: async (options) => {
      const { ThreadHost } = await import('../callable/thread-host.ts');
      return (await import('./modes/hosts.ts')).openHosts(() => new ThreadHost(), options);
    },
  },
  processes: {
    open: async (options) => {
      const { ProcessHost } = await import('../callable/process-host.ts');
      return (await import('./modes/hosts.ts')).openHosts(() => new ProcessHost(), options);
    },
  },
  tasks: { open: async (options) => (await import('./modes/tasks.ts')).openTasks(options) },
} satisfies Record<string, Mode>;

export type ModeName = keyof typeof modes;

export const modeNames = Object.keys(modes) as readonly ModeName[];
