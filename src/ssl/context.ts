import type { Socket as NetSocket } from 'node:net';
import { Duplex } from 'node:stream';
import type { SecureContext, TLSSocket } from 'node:tls';
import { inCall } from '../asyncio/wait.ts';
import { InvalidArgumentError, InvalidStateError } from '../base/errors.ts';
import { checkOptions } from '../base/options.ts';
import type { Address } from '../socket/address.ts';
import type { SecureOptions, SecurityContext } from '../socket/security.ts';
import { Socket } from '../socket/socket.ts';
import type { CertificateData } from './chain.ts';
import type { Protocol, TLSVersion, VerifyMode } from './constants.ts';
import { CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED, PROTOCOL_TLS_CLIENT, PROTOCOL_TLS_SERVER } from './constants.ts';
import { Credentials } from './credentials.ts';
import type { HandshakeOptions, ServerNames } from './handshake.ts';
import { handshakeAsClient, handshakeAsServer } from './handshake.ts';
import { checkAlpn, checkRange } from './options.ts';
import { RecordStream } from './record-stream.ts';
import { SSLSession } from './session.ts';
import { SSLSocket } from './ssl-socket.ts';
import type { WatchOptions } from './watch.ts';
import { watchFiles } from './watch.ts';

/** How a connection is wrapped. */
export interface WrapOptions extends SecureOptions {
  /** What an earlier connection to the same server left, to shorten the handshake. */
  readonly session?: SSLSession | undefined;
  /** Of a socket of `simul/socket`: `unwrap` gives it back, to go on in plain text. A little slower than without. */
  readonly unwrappable?: boolean | undefined;
}

/** Chooses the context for the name that a client asks for; undefined: the context that was asked. */
export type SniCallback = (
  serverName: string,
  context: SSLContext,
) => SSLContext | undefined | Promise<SSLContext | undefined>;

/**
 * Settings, certificates and authorities for many connections of one side; `createDefaultContext` makes one that is
 * ready. TLS 1.2 at least. A client verifies the server's certificate and host name; a server asks for none until
 * `verifyMode` says so. Changes hold for connections made afterwards. (ssl.SSLContext)
 *
 * @example
 * const context = new SSLContext(PROTOCOL_TLS_SERVER);
 * context.loadCertChain('server.pem', { keyfile: 'server-key.pem' });
 */
export class SSLContext implements SecurityContext {
  readonly protocol: Protocol;
  /** Called for each client that names a server; before the names of `addContext` are looked at. */
  sniCallback: SniCallback | undefined = undefined;
  readonly #credentials = new Credentials();
  readonly #names = new Map<string, SSLContext>();
  #alpn: readonly string[] = [];
  #verifyMode: VerifyMode;
  #checkHostname: boolean;

  constructor(protocol: Protocol = PROTOCOL_TLS_CLIENT) {
    if (protocol !== PROTOCOL_TLS_CLIENT && protocol !== PROTOCOL_TLS_SERVER) {
      throw new InvalidArgumentError('protocol', protocol, 'PROTOCOL_TLS_CLIENT or PROTOCOL_TLS_SERVER');
    }
    this.protocol = protocol;
    this.#checkHostname = protocol === PROTOCOL_TLS_CLIENT;
    this.#verifyMode = this.#checkHostname ? CERT_REQUIRED : CERT_NONE;
  }

  /** What becomes of the other side's certificate: CERT_NONE, CERT_OPTIONAL or CERT_REQUIRED. */
  get verifyMode(): VerifyMode {
    return this.#verifyMode;
  }

  set verifyMode(mode: VerifyMode) {
    if (![CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED].includes(mode)) {
      throw new InvalidArgumentError('verifyMode', mode, 'CERT_NONE, CERT_OPTIONAL or CERT_REQUIRED');
    }
    if (mode === CERT_NONE && this.#checkHostname) {
      throw new InvalidArgumentError(
        'verifyMode',
        mode,
        'verification while checkHostname is on: set that to false first',
      );
    }
    this.#verifyMode = mode;
    this.#credentials.change();
  }

  /** Whether a client compares the server's certificate with the host name; turns verification on where it is off. */
  get checkHostname(): boolean {
    return this.#checkHostname;
  }

  set checkHostname(check: boolean) {
    if (typeof check !== 'boolean') throw new InvalidArgumentError('checkHostname', check, 'true or false');
    this.#checkHostname = check;
    if (check && this.#verifyMode === CERT_NONE) this.#verifyMode = CERT_REQUIRED;
    this.#credentials.change();
  }

  /** The oldest version that is spoken (default TLSv1.2). */
  get minimumVersion(): TLSVersion {
    return this.#credentials.minVersion;
  }

  set minimumVersion(version: TLSVersion) {
    checkRange('minimumVersion', version, version, this.maximumVersion);
    this.#credentials.change({ minVersion: version });
  }

  /** The newest version that is spoken (default TLSv1.3). */
  get maximumVersion(): TLSVersion {
    return this.#credentials.maxVersion;
  }

  set maximumVersion(version: TLSVersion) {
    checkRange('maximumVersion', version, this.minimumVersion, version);
    this.#credentials.change({ maxVersion: version });
  }

  /**
   * Adds a certificate with its key: from a PEM file (with the key in it or in `keyfile`), a PKCS#12 file (`.p12`,
   * `.pfx`), or from memory. A further one of another key type is an alternative. Throws SystemError for a file that
   * cannot be read, SSLError for a wrong password (`BAD_DECRYPT`) or a key of another certificate
   * (`KEY_VALUES_MISMATCH`). (ssl.SSLContext.load_cert_chain)
   *
   * @example
   * context.loadCertChain('server.pem', { keyfile: 'server-key.pem', password: process.env.KEY_PASSWORD });
   */
  loadCertChain(
    chain: string | CertificateData,
    options: { readonly keyfile?: string | undefined; readonly password?: string | undefined } = {},
  ): void {
    if (typeof chain !== 'string' && (typeof chain !== 'object' || chain === null)) {
      throw new InvalidArgumentError('chain', chain, 'the path of a file, or an object with cert and key or pfx');
    }
    checkOptions(options);
    this.#credentials.addChain({ chain, ...options });
  }

  /**
   * Trusts the authorities in a PEM file or in memory (PEM, or one certificate in DER); with the first of them the
   * system's are no longer trusted unless `loadDefaultCerts` says so. Throws SystemError, SSLError.
   *
   * @example
   * context.loadVerifyLocations({ cafile: 'ca.pem' });
   */
  loadVerifyLocations(from: {
    readonly cafile?: string | undefined;
    readonly cadata?: string | Uint8Array | undefined;
  }): void {
    checkOptions(from, 'from');
    const { cafile, cadata } = from;
    if (cafile === undefined && cadata === undefined) {
      throw new InvalidArgumentError('cafile', cafile, 'cafile or cadata');
    }
    if (cafile !== undefined) this.#credentials.addAuthorities({ cafile });
    if (cadata !== undefined) this.#credentials.addAuthorities({ cadata });
  }

  /** Trusts the authorities that Node trusts: its own list, NODE_EXTRA_CA_CERTS. */
  loadDefaultCerts(): void {
    this.#credentials.trustDefaults();
  }

  /** Cipher suites in OpenSSL's notation; those of TLS 1.3 stay unless some are named. Throws SSLError. */
  setCiphers(ciphers: string): void {
    if (typeof ciphers !== 'string') throw new InvalidArgumentError('ciphers', ciphers, 'a list of cipher suites');
    this.#credentials.setCiphers(ciphers);
  }

  /** Application protocols, the preferred first; a server refuses clients that offer only others. (RFC 7301) */
  setAlpnProtocols(protocols: readonly string[]): void {
    this.#alpn = checkAlpn(protocols);
  }

  /**
   * Serves the clients that ask for this name (`*.example.org`: one label more) with the certificates and authorities
   * of another context. Protocols, ALPN and `verifyMode` stay those of this one.
   */
  addContext(serverName: string, context: SSLContext): void {
    if (typeof serverName !== 'string' || serverName === '') {
      throw new InvalidArgumentError('serverName', serverName, 'a host name');
    }
    if (!(context instanceof SSLContext)) throw new InvalidArgumentError('context', context, 'an SSLContext');
    this.#names.set(serverName.toLowerCase(), context);
  }

  /**
   * Reads all files again: connections made from now on get what is in them. Throws as `loadCertChain` does, and then
   * everything is as before.
   */
  reload(): void {
    this.#credentials.reload();
  }

  /**
   * Reloads whenever one of the files is replaced, until the result is disposed of or `signal` aborts. What cannot be
   * loaded (a half-written file) is told to `onError`, and the old certificates stay. Does not keep the program alive.
   *
   * @example
   * using watching = context.watch({ onError: (error) => console.error(error.message) });
   */
  watch(options: WatchOptions = {}): Disposable {
    checkOptions(options);
    return watchFiles(this.#credentials.files, () => this.reload(), options);
  }

  /**
   * Makes a connection secret and settles after the handshake, for which 60 s are allowed: a socket of `simul/socket`,
   * which counts as closed from then on, becomes an SSLSocket, a stream of Node's a TLSSocket. The side is that of the
   * context. Throws SSLCertVerificationError, SSLEOFError, SSLError, SocketError, TimeoutError, CancelledError, and the
   * connection is closed then. (ssl.SSLContext.wrap_socket)
   *
   * @example
   * using client = await context.wrapSocket(connection, { serverHostname: 'example.org', timeout: 10 });
   */
  wrapSocket<A extends Address>(socket: Socket<A>, options?: WrapOptions): Promise<SSLSocket<A>>;
  wrapSocket(transport: NetSocket | Duplex, options?: WrapOptions): Promise<TLSSocket>;
  wrapSocket<A extends Address>(
    what: Socket<A> | NetSocket | Duplex,
    options: WrapOptions = {},
  ): Promise<SSLSocket<A> | TLSSocket> {
    return inCall(async (call) => {
      checkOptions(options);
      if (!(what instanceof Socket)) return this.#wrap(what, { ...options, call });
      const ends = { sockname: what.getsockname(), peername: what.getpeername() };
      const timeout = what.gettimeout();
      const bounded = { ...options, timeout: options.timeout ?? timeout, call };
      const records = options.unwrappable === true ? new RecordStream(what) : undefined;
      const tls = await this.#wrap(records ?? what.toNodeSocket(), bounded);
      return new SSLSocket(tls, ends, { serverHostname: options.serverHostname, timeout, records });
    });
  }

  async #wrap(transport: NetSocket | Duplex, options: WrapOptions & HandshakeOptions): Promise<TLSSocket> {
    if (!(transport instanceof Duplex)) {
      throw new InvalidArgumentError('socket', transport, 'a socket or a duplex stream');
    }
    const isServer = this.protocol === PROTOCOL_TLS_SERVER;
    const { serverSide = isServer } = options;
    try {
      if (serverSide !== isServer) {
        throw new InvalidArgumentError('serverSide', serverSide, `the side of the context (${this.protocol})`);
      }
      return await (isServer ? this.#serve(transport, options) : this.#connect(transport, options));
    } catch (error) {
      transport.destroy();
      throw error;
    }
  }

  #serve(transport: NetSocket | Duplex, options: HandshakeOptions): Promise<TLSSocket> {
    if (!this.#credentials.hasChain && this.sniCallback === undefined && this.#names.size === 0) {
      throw new InvalidStateError('a server needs a certificate: loadCertChain');
    }
    const names = this.sniCallback !== undefined || this.#names.size > 0 ? this.#answer : undefined;
    return handshakeAsServer(transport, { ...this.#settings, names }, options);
  }

  #connect(transport: NetSocket | Duplex, options: WrapOptions & HandshakeOptions): Promise<TLSSocket> {
    const { serverHostname } = options;
    const needed = this.#checkHostname && (typeof serverHostname !== 'string' || serverHostname === '');
    if (needed) throw new InvalidArgumentError('serverHostname', serverHostname, 'the host name to check');
    const settings = this.#settings;
    const session = usable(options, settings.secureContext);
    const client = { serverHostname, checkHostname: this.#checkHostname, session };
    return handshakeAsClient(transport, { ...settings, ...client }, options);
  }

  get #settings(): { secureContext: SecureContext; alpn: readonly string[]; verifyMode: VerifyMode } {
    return { secureContext: this.#credentials.secureContext, alpn: this.#alpn, verifyMode: this.#verifyMode };
  }

  readonly #answer: ServerNames = (name, done) => {
    this.#choose(name.toLowerCase()).then(
      (context) => done(null, context === undefined ? undefined : context.#credentials.secureContext),
      (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
    );
  };

  async #choose(name: string): Promise<SSLContext | undefined> {
    const chosen = await this.sniCallback?.(name, this);
    return chosen ?? this.#names.get(name) ?? this.#names.get(name.replace(/^[^.]+/, '*'));
  }
}

// A session whose terms have changed is no error, the handshake is a full one. Of another host it must not be taken:
// the certificate that belongs to it would pass for the one of this host.
function usable({ session, serverHostname }: WrapOptions, terms: object): SSLSession | undefined {
  if (session === undefined) return undefined;
  if (!(session instanceof SSLSession) || session.serverHostname !== serverHostname) {
    throw new InvalidArgumentError('session', session, `a session with ${serverHostname}`);
  }
  return session.terms === terms ? session : undefined;
}
