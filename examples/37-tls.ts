// TLS: an authority of one's own, a server, a client that verifies it, and what the client refuses.
import { openConnection, run, startServer } from 'simul/asyncio';
import { createAuthority, createDefaultContext, getpeercert, Purpose, SSLCertVerificationError } from 'simul/ssl';

// Once, and kept: `simul certs` writes the same to files. Whoever trusts `ca.cert` trusts what it issues.
const ca = await createAuthority('Example CA');
const certificate = await ca.issueServer(['localhost', '127.0.0.1']);

const forServer = createDefaultContext({ purpose: Purpose.CLIENT_AUTH, cert: certificate });
const forClient = createDefaultContext({ cadata: ca.cert });

await run(async () => {
  await using server = await startServer(
    async (reader, writer) => {
      for await (const line of reader) writer.write(`you said: ${line.toString()}`);
    },
    { ssl: forServer },
  );

  const [reader, writer] = await openConnection('localhost', server.port!, { ssl: forClient });
  const socket = writer.getExtraInfo('socket');
  console.log('server is', getpeercert(socket)?.subject['CN'], 'certified by', getpeercert(socket)?.issuer['CN']);
  writer.write('a secret\n');
  console.log((await reader.readline()).toString().trimEnd());
  writer.close();

  for (const [what, options] of Object.entries({
    'another name': { ssl: forClient, serverHostname: 'shop.example' },
    'an unknown authority': { ssl: createDefaultContext() },
  })) {
    try {
      await openConnection('localhost', server.port!, options);
    } catch (error) {
      if (!(error instanceof SSLCertVerificationError)) throw error;
      console.log(`${what}: refused (${error.verifyCode}, ${error.reason})`);
    }
  }
});
