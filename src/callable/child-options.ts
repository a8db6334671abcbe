// Options that belong to the run of one program, not to the programs it starts: a child given them would run tests,
// fight for the debugger's port, or evaluate the parent's script instead of its own.
const ownRun =
  /^(-e|-p|-pe|-c|-i|--eval|--print|--check|--interactive|--input-type|--run|--test\b.*|--experimental-test.*|--watch.*|--inspect.*|--debug-port|--cpu-prof.*|--heap-prof.*)$/;

/** The Node options of this process that a child should have too: conditions, preloads, loaders, V8's flags. */
export function childExecArgv(execArgv: readonly string[]): string[] {
  return select(execArgv, (name) => !ownRun.test(name));
}

// What is a thread's own matter; Node refuses the options of the whole process in a thread's list.
const perThread = /^(--import|--require|-r|--conditions|-C|--loader|--experimental-loader|--enable-source-maps)$/;

/**
 * The Node options to name for a thread. None: it then has ours, less what does not apply to it. Only `--input-type`
 * is not left out by Node 20, which then refuses to load the thread's file.
 */
export function threadExecArgv(execArgv: readonly string[]): string[] | undefined {
  const stumbles = execArgv.some((item) => optionName(item) === '--input-type');
  return stumbles ? select(execArgv, (name) => perThread.test(name)) : undefined;
}

function select(execArgv: readonly string[], keep: (name: string) => boolean): string[] {
  let kept = true;
  return execArgv.filter((item) => {
    // What is not an option is the value of the one before it.
    if (item.startsWith('-')) kept = keep(optionName(item));
    return kept;
  });
}

function optionName(item: string): string {
  return item.split('=')[0]!;
}

/** An environment for a child: without what speaks to this very process (its test runner, its own IPC channel). */
export function childEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _test, NODE_CHANNEL_FD: _fd, NODE_UNIQUE_ID: _cluster, ...rest } = env;
  if (rest['NODE_OPTIONS'] === undefined) return rest;
  return { ...rest, NODE_OPTIONS: childExecArgv(rest['NODE_OPTIONS'].split(/\s+/).filter(Boolean)).join(' ') };
}
