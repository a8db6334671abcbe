export { UDPServer, UnixDatagramServer } from '../socketserver/datagram-server.ts';
export {
  BaseRequestHandler,
  DatagramRequestHandler,
  requestHandler,
  StreamRequestHandler,
} from '../socketserver/handlers.ts';
export type { DatagramRequest, RequestContext, RequestHandler, RequestHandlerClass } from '../socketserver/handlers.ts';
export type { SecuritySource, ServerOptions, StyleName } from '../socketserver/options.ts';
export { BaseServer } from '../socketserver/server.ts';
export type { Handler } from '../socketserver/server.ts';
export { TCPServer, UnixStreamServer } from '../socketserver/stream-server.ts';
