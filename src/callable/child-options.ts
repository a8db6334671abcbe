// Options that belong to the run of one program, not to the programs it starts: a child given them would run tests,
// fight for the debugger's port, or evaluate the parent's script instead of its own.
const ownRun =
  /^(-e|-p|-pe|-c|-i|--eval|--print|--check|--interactive|--input-type|--run|--test\b.*|--experimental-test.*|--watch.*|--inspect.*|--debug-port|--cpu-prof.*|--heap-prof.*)$/;

/** The Node options of this process that a child should have too: conditions, preloads, loaders, V8's flags. */
export function childExecArgv(execArgv: readonly string[]): string[] {
  const kept: string[] = [];
  let dropping = false;
  for (const item of execArgv) {
    // What is not an option is the value of the one before it.
    if (item.startsWith('-')) dropping = ownRun.test(item.split('=')[0]!);
    if (!dropping) kept.push(item);
  }
  return kept;
}

/** An environment for a child: without what speaks to this very process (its test runner, its own IPC channel). */
export function childEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _test, NODE_CHANNEL_FD: _fd, NODE_UNIQUE_ID: _cluster, ...rest } = env;
  if (rest['NODE_OPTIONS'] === undefined) return rest;
  return { ...rest, NODE_OPTIONS: childExecArgv(rest['NODE_OPTIONS'].split(/\s+/).filter(Boolean)).join(' ') };
}
