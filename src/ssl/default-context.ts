import { InvalidArgumentError } from '../base/errors.ts';
import { checkOptions } from '../base/options.ts';
import type { CertificateData } from './chain.ts';
import { CERT_REQUIRED, PROTOCOL_TLS_CLIENT, PROTOCOL_TLS_SERVER, Purpose } from './constants.ts';
import { SSLContext } from './context.ts';

/** What a context is made of. */
export interface ContextOptions {
  /** Whom it authenticates: `Purpose.SERVER_AUTH` (default) makes one for clients, `Purpose.CLIENT_AUTH` one for servers. */
  readonly purpose?: Purpose | undefined;
  /** Authorities to trust, in a PEM file; instead of those that Node trusts. */
  readonly cafile?: string | undefined;
  /** Authorities to trust, PEM, or one in DER. */
  readonly cadata?: string | Uint8Array | undefined;
  /** The own certificate: a PEM or PKCS#12 file, or what `certificates` made. */
  readonly cert?: string | CertificateData | undefined;
  /** The key, where it is not in `cert`. */
  readonly keyfile?: string | undefined;
  readonly password?: string | undefined;
}

/**
 * A context with safe settings: for clients (the default) it verifies certificate and host name against `cafile` and
 * `cadata`, without them against the authorities that Node trusts. Throws SystemError, SSLError,
 * InvalidArgumentError. (ssl.create_default_context)
 *
 * @example
 * const client = createDefaultContext({ cafile: 'ca.pem' });
 * const server = createDefaultContext({ purpose: Purpose.CLIENT_AUTH, cert: 'server.pem', keyfile: 'server-key.pem' });
 */
export function createDefaultContext(options: ContextOptions = {}): SSLContext {
  checkOptions(options);
  const { purpose = Purpose.SERVER_AUTH, cafile, cadata, cert, keyfile, password } = options;
  if (!Object.values(Purpose).includes(purpose)) {
    throw new InvalidArgumentError('purpose', purpose, 'Purpose.SERVER_AUTH or Purpose.CLIENT_AUTH');
  }
  if (cert === undefined && keyfile !== undefined) {
    throw new InvalidArgumentError('cert', cert, 'the certificate that belongs to keyfile');
  }
  const forClients = purpose === Purpose.SERVER_AUTH;
  const context = new SSLContext(forClients ? PROTOCOL_TLS_CLIENT : PROTOCOL_TLS_SERVER);
  if (cert !== undefined) context.loadCertChain(cert, { keyfile, password });
  if (cafile !== undefined || cadata !== undefined) {
    context.loadVerifyLocations({ cafile, cadata });
    context.verifyMode = CERT_REQUIRED;
  } else if (forClients) context.loadDefaultCerts();
  return context;
}
