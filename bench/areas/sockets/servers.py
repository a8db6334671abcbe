"""`servers.py STYLE`: Python's counterpart of a style of simul/socketserver, echoing; prints its port."""

import asyncio
import multiprocessing
import os
import signal
import socket
import socketserver
import subprocess
import sys
import threading


def serve(connection):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while data := connection.recv(65536):
        connection.sendall(data)


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        serve(self.request)


class Cat(socketserver.BaseRequestHandler):
    def handle(self):
        subprocess.run(["cat"], stdin=self.request.fileno(), stdout=self.request.fileno())


class Program(socketserver.ThreadingTCPServer):
    daemon_threads = True


class Process(socketserver.ThreadingTCPServer):
    """multiprocessing.Process for every connection, started by a thread so that several can start at once."""

    daemon_threads = True

    def process_request_thread(self, request, client_address):
        child = context.Process(target=serve, args=(request,))
        child.start()
        request.close()
        child.join()


async def echo(reader, writer):
    writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def serve_async():
    server = await asyncio.start_server(echo, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def serve_with(cls, handler):
    cls.request_queue_size = 1024
    cls.max_children = 40
    server = cls(("127.0.0.1", 0), handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


def serve_preforked(count):
    """The classic pool: forked workers that accept from one listening socket."""
    server = socket.create_server(("127.0.0.1", 0), backlog=1024)
    for _ in range(count):
        if os.fork() == 0:
            while True:
                connection, _ = server.accept()
                with connection:
                    serve(connection)
    print(server.getsockname()[1], flush=True)
    signal.pause()


if __name__ == "__main__":
    style = sys.argv[1]
    context = multiprocessing.get_context("forkserver")
    signal.signal(signal.SIGTERM, lambda *_: (signal.signal(signal.SIGTERM, signal.SIG_IGN), os.killpg(0, signal.SIGTERM), os._exit(0)))
    os.setpgid(0, 0)
    # The end of standard input is the end of the bench, however that came.
    threading.Thread(target=lambda: (sys.stdin.read(), os.kill(os.getpid(), signal.SIGTERM)), daemon=True).start()
    if style == "async":
        asyncio.run(serve_async())
    elif style == "processes":
        serve_preforked(int(sys.argv[2]))
    else:
        serve_with(
            {
                "sequential": socketserver.TCPServer,
                "fork": socketserver.ForkingTCPServer,
                "threads": socketserver.ThreadingTCPServer,
                "process": Process,
                "subprocess": Program,
            }[style],
            Cat if style == "subprocess" else Echo,
        )
