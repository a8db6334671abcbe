import type { Mode } from './modes/mode.ts';

/** The ways to hold the exhibition, in the order in which they are shown; each loads what it needs when it is chosen. */
export const modes = {
  sequential: { inTurn: true, open: async (options) => (await import('./modes/inline.ts')).openInline(options) },
  asyncio: { open: async (options) => (await import('./modes/inline.ts')).openInline(options) },
} satisfies Record<string, Mode>;

export type ModeName = keyof typeof modes;

export const modeNames = Object.keys(modes) as readonly ModeName[];
