import { InvalidArgumentError } from '../../base/errors.ts';
import { CalledProcessError } from '../../subprocess/errors.ts';
import { Popen } from '../../subprocess/popen.ts';
import { SOCK_DGRAM } from '../../socket/constants.ts';
import type { Request } from '../request.ts';
import type { Style, StyleParts } from '../style.ts';

/** A program for every client, with the connection as its standard input and output, as inetd does. */
export function serveByPrograms({ handler, listener }: StyleParts): Style {
  if (!Array.isArray(handler) || handler.length === 0) {
    throw new InvalidArgumentError('handler', handler, 'a command ["program", "argument", …] with style "subprocess"');
  }
  if (listener.type === SOCK_DGRAM) {
    throw new InvalidArgumentError('style', 'subprocess', 'another style for datagrams, which are no stream');
  }
  const command = handler as readonly string[];
  return { serve: (request) => serveByProgram(command, request), close: async () => {} };
}

async function serveByProgram(command: readonly string[], request: Request): Promise<void> {
  const { job } = request;
  if (job.kind === 'datagram') throw new InvalidArgumentError('job', job, 'a connection');
  const { connection, address } = job;
  let program: Popen;
  try {
    const fd = connection.fileno();
    const [host, port] = typeof address === 'string' ? [address, 0] : address;
    const env = { ...process.env, REMOTE_ADDR: host, REMOTE_PORT: String(port) };
    program = new Popen(command, { stdin: fd, stdout: fd, env });
  } finally {
    connection.close();
  }
  await using running = program;
  request.onCancel = () => running.kill();
  const code = await running.wait();
  if (code !== 0) throw new CalledProcessError(code, command);
}
