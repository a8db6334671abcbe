/** No certificate is asked for, or none is looked at. (ssl.CERT_NONE) */
export const CERT_NONE = 0;

/** A client may show a certificate; one that it shows must be good. For a client as CERT_REQUIRED. (ssl.CERT_OPTIONAL) */
export const CERT_OPTIONAL = 1;

/** The other side must show a certificate, and it must be good. (ssl.CERT_REQUIRED) */
export const CERT_REQUIRED = 2;

/** What becomes of the other side's certificate. (ssl.VerifyMode) */
export type VerifyMode = typeof CERT_NONE | typeof CERT_OPTIONAL | typeof CERT_REQUIRED;

/** A context for clients: verification and host name check are on. (ssl.PROTOCOL_TLS_CLIENT) */
export const PROTOCOL_TLS_CLIENT = 'client';

/** A context for servers: no certificate is asked of clients. (ssl.PROTOCOL_TLS_SERVER) */
export const PROTOCOL_TLS_SERVER = 'server';

/** The side that a context is for. */
export type Protocol = typeof PROTOCOL_TLS_CLIENT | typeof PROTOCOL_TLS_SERVER;

/**
 * Whom a context authenticates: with `SERVER_AUTH` servers, so it is for clients; with `CLIENT_AUTH` clients, so it is
 * for servers. (ssl.Purpose)
 */
export const Purpose = { SERVER_AUTH: 'SERVER_AUTH', CLIENT_AUTH: 'CLIENT_AUTH' } as const;

/** See the constant of that name. */
export type Purpose = (typeof Purpose)[keyof typeof Purpose];

/** Protocol versions, oldest first; those before TLS 1.2 are broken and only used when a context allows them. (RFC 8996) */
export const tlsVersions = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;

/** A protocol version. (ssl.TLSVersion) */
export type TLSVersion = (typeof tlsVersions)[number];
