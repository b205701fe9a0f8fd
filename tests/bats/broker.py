#!/usr/bin/env python3
"""broker.py listen-redis|listen-nats PORT FILE [USER PASSWORD]
broker.py play MANNER FILE

listen: subscribes to what the controller tells a broker, and appends each
payload to FILE as a line of JSON text with its bytes. FILE.ready appears once
it is subscribed.

play: is a broker that misbehaves, on a port that it writes to FILE; FILE.met
gets a line for each connection. MANNER:

    garbage     says what no broker says, and goes on saying it
    endless     begins a reply that never ends
    flood       (NATS) subscribes well, then sends messages without a pause
    kick        accepts and closes
    tls         (NATS) wants TLS
    small       (NATS) takes 100 bytes at the most, keeps what it is sent
    burst       (NATS) sends 200 messages at once, then is well
"""
import json
import os
import socket
import sys
import threading
import time


def lines(connection):
    rest = b""
    while True:
        some = connection.recv(65536)
        if not some:
            return
        rest += some
        while b"\r\n" in rest:
            line, rest = rest.split(b"\r\n", 1)
            yield line


def note(name, payload):
    with open(name, "a") as file:
        file.write(json.dumps(payload.decode("utf-8", "replace")) + "\n")


def listen_redis(port, name, *credential):
    connection = socket.create_connection(("127.0.0.1", port))
    words = " ".join(credential)
    if words:
        connection.sendall(b"AUTH %s\r\n" % words.encode())
    connection.sendall(b"SUBSCRIBE config:global\r\n")
    file = connection.makefile("rb")
    while True:
        line = file.readline()
        if not line:
            return
        if line[:1] != b"*":
            continue
        words = []
        for _ in range(int(line[1:])):
            head = file.readline()
            if head[:1] == b"$":
                words.append(file.read(int(head[1:]) + 2)[:-2])
        if words[0] == b"subscribe":
            open(name + ".ready", "w").close()
        elif words[0] == b"message":
            note(name, words[2])


def listen_nats(port, name, *credential):
    connection = socket.create_connection(("127.0.0.1", port))
    file = connection.makefile("rb")
    options = {"verbose": False}
    if len(credential) == 2:
        options.update(user=credential[0], **{"pass": credential[1]})
    elif credential:
        options.update(auth_token=credential[0])
    connection.sendall(b"CONNECT %s\r\nSUB config.worker.update 1\r\nPING\r\n"
                       % json.dumps(options).encode())
    while True:
        line = file.readline()
        if not line:
            return
        if line.startswith(b"PONG"):
            open(name + ".ready", "w").close()
        elif line.startswith(b"PING"):
            connection.sendall(b"PONG\r\n")
        elif line.startswith(b"MSG"):
            note(name, file.read(int(line.split()[-1]) + 2)[:-2])


message = b"MSG config.worker.update 1 2\r\n{}\r\n"
info = b'INFO {"max_payload":%d,"tls_required":%s}\r\n'


def play_garbage(connection, name):
    for _ in range(1000):
        connection.sendall(b"+OK\r\n" * 10 + b"\0\xff{]\r\n" * 1000)
        time.sleep(0.01)


def play_endless(connection, name):
    connection.sendall(info % (1, b"false") + b"$1\r\nx\r\nINFO ")
    connection.sendall(b"$400000000\r\n")
    for _ in range(4000):
        connection.sendall(b"x" * 65536)


def play_flood(connection, name):
    connection.sendall(info % (1000, b"false"))
    for line in lines(connection):
        if line == b"PING":
            connection.sendall(b"PONG\r\n")
            break
    while True:
        connection.sendall(message * 1000)


def play_kick(connection, name):
    connection.close()


def play_tls(connection, name):
    connection.sendall(info % (1000, b"true"))
    for line in lines(connection):
        note(name + ".said", line)


def play_small(connection, name):
    connection.sendall(info % (100, b"false"))
    for line in lines(connection):
        note(name + ".said", line)
        if line == b"PING":
            connection.sendall(b"PONG\r\n")


def play_burst(connection, name):
    connection.sendall(info % (1000, b"false"))
    for line in lines(connection):
        if line == b"PING":
            note(name + ".sent", line)
            connection.sendall(b"PONG\r\n" + message * 200)


def play_one(play, connection, name):
    try:
        play(connection, name)
    except OSError:
        pass                    # the other side has had enough
    connection.close()


def play(manner, name):
    server = socket.create_server(("127.0.0.1", 0))
    with open(name + ".new", "w") as new:
        new.write(str(server.getsockname()[1]))
    os.rename(name + ".new", name)
    while True:
        connection, _ = server.accept()
        note(name + ".met", b"")
        threading.Thread(target=play_one, args=(
            globals()["play_" + manner], connection, name),
            daemon=True).start()


if sys.argv[1] == "play":
    play(*sys.argv[2:])
else:
    globals()[sys.argv[1].replace("-", "_")](
        int(sys.argv[2]), *sys.argv[3:])
