// Compiled with the rest: a line marked @ts-expect-error that does compile fails the build.
import { checkOutput, PIPE, Popen, run, runPipeline, runSync } from '../../src/entry/subprocess.ts';

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- comparing two generic functions is what makes types equal, not just assignable
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_equal: Equal<A, B>): void {}

export async function infers(): Promise<void> {
  const text = await run(['x'], { captureOutput: true, text: true });
  same<typeof text.stdout, string>(true);
  same<typeof text.stderr, string>(true);
  const bytes = await run(['x'], { stdout: PIPE });
  same<typeof bytes.stdout, Buffer>(true);
  same<typeof bytes.stderr, Buffer | undefined>(true);
  const encoded = runSync(['x'], { captureOutput: true, encoding: 'latin1' });
  same<typeof encoded.stdout, string>(true);
  const output = await checkOutput(['x'], { text: true });
  same<typeof output, string>(true);
  const raw = await checkOutput(['x']);
  same<typeof raw, Buffer>(true);
  const child = new Popen(['x'], { stdout: PIPE, text: true });
  const [out] = await child.communicate();
  same<typeof out, string | undefined>(true);
  const piped = await runPipeline([['a'], ['b']], { captureOutput: true, text: true });
  same<typeof piped.stdout, string>(true);
  same<typeof piped.returncodes, readonly number[]>(true);
}

export async function refuses(): Promise<void> {
  // @ts-expect-error arguments are strings
  await run(['sleep', 1]);
  // @ts-expect-error there is no such option
  await run(['x'], { capture: true });
  // @ts-expect-error the twin takes no stream
  runSync(['x'], { input: process.stdin });
  // @ts-expect-error no such limit
  await run(['x'], { rlimits: { files: 3 } });
}
