/** A URL with its passwords replaced, for messages and logs; also of text that is hardly a URL. */
export function redactUrl(url: string): string {
  // Several servers may be listed with semicolons. Up to the last @, as a password in the wild may hold any character.
  const servers = url.split(/;(?=[a-z][a-z0-9+.-]*:\/\/)/i);
  const redacted = servers.map((server) => server.replace(/^([^:]*:\/\/[^:/@]*):.*@/s, '$1:***@'));
  return redacted.join(';').replace(/([?&;](?:password|passwd|pwd|secret|token)=)[^&#;]*/gi, '$1***');
}
