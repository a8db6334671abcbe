/** Where a child's descriptor comes from: one of ours, or the null device. */
export type FdSource = number | 'null';

export interface SpawnRequest {
  /** Path of the program; it is not searched for. */
  readonly path: string;
  readonly argv: readonly string[];
  /** NAME=value pairs, or this process's own environment with one pair more or instead. */
  readonly env: readonly string[] | { readonly added: string | undefined };
  readonly cwd?: string | undefined;
  /** Descriptor n of the child is entry n; others are closed in the child. */
  readonly fds: readonly FdSource[];
  /** Further descriptors of ours that the child keeps under their numbers. */
  readonly passFds?: readonly number[] | undefined;
  readonly newSession?: boolean | undefined;
  /** 0 puts the child in a group of its own, a positive number in that group. */
  readonly processGroup?: number | undefined;
  /** Signals given back their default action; others that are ignored here stay ignored there. */
  readonly defaultSignals: readonly number[];
}

/** A request whose descriptors are there, and out of each other's way. */
export interface SpawnPlan extends Omit<SpawnRequest, 'fds'> {
  readonly sources: readonly number[];
  readonly passFds: readonly number[];
}

/** A child of ours, which is to be reaped, and a descriptor for it, which is to be closed. */
export interface Started {
  readonly pid: number;
  readonly pidfd: number;
}
