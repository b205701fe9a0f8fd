#!/usr/bin/env python3
"""second.py PORT [ends]: a server that speaks HTTP/2 (RFC 9113) and does what a
busy one may do: goes away once while it is asked, and refuses streams; or ends
each connection right behind its twentieth answer. Says so."""
import socket
import struct
import sys

HEADERS, RST_STREAM, SETTINGS, GOAWAY = 1, 3, 4, 7
ACK, END_STREAM, END_HEADERS, REFUSED = 1, 1, 4, 7
TAG = b'"1-0123456789abcdef"'
# :status 200 or 304 (RFC 7541, A), and a literal etag
FIELDS = bytes([0x0f, 34 - 15, len(TAG)]) + TAG


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + \
        struct.pack(">I", stream) + payload


def read(caller, count):
    got = b""
    while len(got) < count:
        some = caller.recv(count - len(got))
        if not some:
            raise ConnectionError
        got += some
    return got


def answer(caller, stream, status):
    caller.sendall(frame(HEADERS, END_STREAM | END_HEADERS, stream,
                         bytes([status]) + FIELDS))


def serve(caller, number):
    if not read(caller, 24).startswith(b"PRI * HTTP/2.0"):
        return
    print("a connection", flush=True)
    caller.sendall(frame(SETTINGS, 0, 0))
    asked, last, over = 0, 0, False
    while True:
        head = read(caller, 9)
        read(caller, int.from_bytes(head[:3], "big"))
        kind, flags, stream = head[3], head[4], \
            int.from_bytes(head[5:], "big")
        if kind == SETTINGS and not flags & ACK:
            caller.sendall(frame(SETTINGS, ACK, 0))
        if kind != HEADERS:
            continue
        asked += 1
        if over:
            continue
        if asked % 40 == 7 and not ends:
            print("refused one", flush=True)
            caller.sendall(frame(RST_STREAM, 0, stream,
                                 struct.pack(">I", REFUSED)))
        elif asked == 100 and number == 0 and not ends:
            over = True
            print("went away from", stream, flush=True)
            caller.sendall(frame(GOAWAY, 0, 0, struct.pack(">II", last, 0)))
        else:
            answer(caller, stream, 0x88 if number + asked == 1 else 0x8b)
            last = stream
            if ends and asked == 20:
                over = True
                caller.shutdown(socket.SHUT_WR)


ends = sys.argv[2:] == ["ends"]
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listens", flush=True)
number = 0
while True:
    caller, _ = listening.accept()
    try:
        serve(caller, number)
    except ConnectionError:
        pass
    number += 1
    caller.close()
