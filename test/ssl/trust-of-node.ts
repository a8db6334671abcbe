// `node trust-of-node.js DIR`, where NODE_EXTRA_CA_CERTS names the authority of the certificates in DIR.
import { CERT_REQUIRED, createDefaultContext, PROTOCOL_TLS_SERVER, SSLContext } from '../../src/entry/ssl.ts';
import { failures } from './connection.ts';

const folder = process.argv[2]!;
const client = createDefaultContext({ cert: `${folder}/client.pem` });
const server = new SSLContext(PROTOCOL_TLS_SERVER);
server.loadCertChain(`${folder}/server.pem`);
const [atClient] = await failures(client, server);
server.verifyMode = CERT_REQUIRED;
const [, atServer] = await failures(client, server);
const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'none');
console.log(JSON.stringify({ client: nameOf(atClient), server: nameOf(atServer) }));
