"""The other side of a TLS connection: `server DIR` or `client DIR PORT`, with the certificates that are in DIR."""
import asyncio
import hashlib
import socket
import ssl
import sys


def context(purpose, folder, name):
    made = ssl.create_default_context(purpose, cafile=f"{folder}/ca.pem")
    made.load_cert_chain(f"{folder}/{name}.pem", f"{folder}/{name}.key")
    made.verify_mode = ssl.CERT_REQUIRED
    return made


def name_of(certificate):
    return dict(pair[0] for pair in certificate["subject"])["commonName"]


def server(folder):
    tls = context(ssl.Purpose.CLIENT_AUTH, folder, "server")
    tls.set_alpn_protocols(["echo"])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            plain, _ = listener.accept()
            try:
                with tls.wrap_socket(plain, server_side=True) as client:
                    told = f"{client.version()} {client.selected_alpn_protocol()} {name_of(client.getpeercert())}"
                    client.sendall(f"{told}\n".encode())
                    while data := client.recv(65536):
                        client.sendall(data)
                    client.unwrap()
                print("served", flush=True)
            except OSError as error:
                print(type(error).__name__, flush=True)


def client(folder, port):
    tls = context(ssl.Purpose.SERVER_AUTH, folder, "client")
    with socket.create_connection(("127.0.0.1", port)) as plain:
        with tls.wrap_socket(plain, server_hostname="localhost") as secured:
            digest = hashlib.sha256()
            size = 0
            while data := secured.recv(65536):
                digest.update(data)
                size += len(data)
            print(secured.version(), name_of(secured.getpeercert()), size, digest.hexdigest(), flush=True)


def unwrap(folder, port):
    tls = context(ssl.Purpose.SERVER_AUTH, folder, "client")
    secured = tls.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="localhost")
    secured.sendall(b"secret\n")
    with secured.unwrap() as plain:
        plain.sendall(b"plain\n")
        print(plain.recv(100).decode().strip(), flush=True)


async def start_tls(folder, port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"STARTTLS\n")
    assert await reader.readline() == b"go on\n"
    # StreamWriter.start_tls is of Python 3.11 and later.
    loop = asyncio.get_running_loop()
    tls = context(ssl.Purpose.SERVER_AUTH, folder, "client")
    transport = await loop.start_tls(writer.transport, writer.transport.get_protocol(), tls, server_hostname="localhost")
    reader._transport = transport
    upgraded = asyncio.StreamWriter(transport, transport.get_protocol(), reader, loop)
    upgraded.write(b"under TLS\n")
    print((await reader.readline()).decode().strip(), flush=True)
    upgraded.close()


if __name__ == "__main__":
    mode, folder, *rest = sys.argv[1:]
    if mode == "server":
        server(folder)
    elif mode == "client":
        client(folder, int(rest[0]))
    elif mode == "unwrap":
        unwrap(folder, int(rest[0]))
    else:
        asyncio.run(start_tls(folder, int(rest[0])))
