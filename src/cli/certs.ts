import type { Command } from 'commander';
import { InvalidArgumentError as BadOption, Option } from 'commander';
import type { CertificateFlags, CertificateRequest } from './certs/request.ts';
import { printJson, printTable } from './output.ts';
import { filled, positive } from './values.ts';

/** `simul certs`: an authority of one's own, and certificates of it for servers and clients. */
export function certs(program: Command): void {
  const command = withFlags(
    program.command('certs').description('certificates for TLS: an authority of your own, servers and clients of it'),
  ).addHelpText('after', help);
  command.allowExcessArguments().action((flags: CertificateFlags, self: Command) => {
    if (self.args.length > 0) self.error(`error: unknown command '${self.args[0]}'`);
    return make(localhost, flags);
  });
  withFlags(
    command.command('ca').description('the authority: ca.pem, to be trusted, and ca-key.pem, to be kept secret'),
  )
    .option('--name <name>', 'its common name', filled, 'Simul development CA')
    .action((own: { name: string }, self: Command) => make([{ kind: 'ca', ...own }], self.optsWithGlobals()));
  withFlags(command.command('server').description('a certificate for a server; the authority is made if there is none'))
    .argument('[names...]', 'host names and IP addresses it is reached under', ['localhost', '127.0.0.1', '::1'])
    .option('--out <name>', 'base name of the files', filled, 'server')
    .action((names: string[], own: { out: string }, self: Command) =>
      make([{ kind: 'server', names, out: own.out }], self.optsWithGlobals()),
    );
  withFlags(command.command('client').description('a certificate for a client (mutual TLS)'))
    .argument('<name>', 'who it is: its common name')
    .option('--email <address>', 'its e-mail address', emailAddress)
    .option('--out <name>', 'base name of the files (the name)', filled)
    .action((name: string, own: { email?: string; out?: string }, self: Command) =>
      make([{ kind: 'client', name, ...own }], self.optsWithGlobals()),
    );
}

function withFlags(command: Command): Command {
  return command
    .option('-d, --dir <folder>', 'where the files are (default: certs)', filled)
    .option('--days <number>', 'days of validity (default: 397, an authority 3650)', positive)
    .addOption(new Option('--key-type <type>', 'kind of key (default: P-256)').choices(keyTypes))
    .option('--organization <name>', 'organization in the subject', filled)
    .option('--pkcs12 <file>', 'write NAME.p12 as well; its password is the first line of this file', filled)
    .option('-f, --force', 'replace what is there (an authority only by `certs ca`)')
    .option('--json', 'print one JSON object');
}

function emailAddress(text: string): string {
  if (!/^[^@\s]+@[^@\s]+$/.test(text)) throw new BadOption('An e-mail address is expected.');
  return text;
}

const keyTypes = ['P-256', 'P-384', 'RSA-2048', 'RSA-3072', 'RSA-4096'];

const localhost: readonly CertificateRequest[] = [
  { kind: 'server', names: ['localhost', '127.0.0.1', '::1'], out: 'server' },
  { kind: 'client', name: 'client' },
];

const help = `
Without a command: the authority, unless it is there, a server certificate for localhost and a client's.

  simul certs
  curl --cacert certs/ca.pem --cert certs/client.pem --key certs/client-key.pem https://localhost:8443/`;

async function make(requests: readonly CertificateRequest[], flags: CertificateFlags): Promise<void> {
  const { fulfil } = await import('./certs/request.ts');
  const made = await fulfil(requests, flags);
  if (flags.json === true) return printJson({ certificates: made });
  printTable(
    ['certificate', 'for', 'valid until', 'files'],
    made.map(({ kind, names, notAfter, files, kept }) => [
      kept ? `${kind} (kept)` : kind,
      names.join(', '),
      notAfter.slice(0, 10),
      Object.values(files).join(' '),
    ]),
  );
}
