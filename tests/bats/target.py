#!/usr/bin/env python3
"""A web server of odd habits, for the tests of the worker.

target.py PORT_FILE EVENTS_FILE

Listens on 127.0.0.1 and 127.0.0.2 with one free port, which it writes to
PORT_FILE. The path says how it behaves. One line for each connection that
the other side closed while an answer was under way goes to EVENTS_FILE:
"gone PATH BYTES". Also speaks as an HTTP proxy (absolute-form) and as a
SOCKS5 proxy, being itself every target.
"""
import gzip
import os
import socket
import sys
import threading
import time
from urllib.parse import unquote

events = sys.argv[2]
serial = [0]
lock = threading.Lock()


def note(line):
    with lock, open(events, "a", encoding="utf-8") as out:
        out.write(line + "\n")


def answer(conn, status, body, *fields):
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *fields]
    conn.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + body)


def until_gone(conn, path, sent=0):
    """Waits until the other side closes, and says so."""
    try:
        while conn.recv(4096):
            pass
    except OSError:
        pass
    note(f"gone {path} {sent}")
    raise EOFError


def endless(conn, path):
    sent = 0
    block = b"10000\r\n" + b"e" * 65536 + b"\r\n"
    conn.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    try:
        while True:
            conn.sendall(block)
            sent += 65536
    except OSError:
        note(f"gone {path} {sent}")
        raise EOFError from None


def big(conn, size):
    block = bytes(range(256)) * 256
    conn.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode())
    while size > 0:
        conn.sendall(block[:size])
        size -= min(size, len(block))


def odd(conn, path, head):
    """What is no plain answer; False when the path is not odd."""
    name, _, rest = path[1:].partition("?")
    raw = {
        "short": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello",
        "garbage": b"220 smtp.example ESMTP\r\n",
        "cut": b"HTTP/1.1 200 OK\r\nContent-Type: te",
        "nothing": b"",
        "chunk-cut": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                     b"5\r\nhello\r\n",
        "forged": b"HTTP/2 -1\r\n\r\nHTTP/1.1 200 OK\r\n\r\nforged",
        "line": f"HTTP/1.1 {rest}\r\nContent-Length: 2\r\n\r\nhi".encode(),
        "old": b"HTTP/1.0 200 OK\r\nContent-Type: text/old\r\n\r\nold body",
    }
    if name in raw:
        conn.sendall(raw[name])
        raise EOFError
    if name == "hang":
        until_gone(conn, path)
    elif name == "drip":
        conn.sendall(b"HTTP/1.1 200 OK\r\n\r\ndrop")
        until_gone(conn, path, 4)
    elif name == "endless":
        endless(conn, path)
    elif name == "big":
        big(conn, int(rest))
    elif name == "wait":
        while not os.path.exists(unquote(rest)):
            time.sleep(0.02)
        answer(conn, "200 OK", b"waited")
    elif name == "chunked":
        conn.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                     b"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-T: 1\r\n\r\n")
    else:
        return False
    return True


def plain(conn, path, head, mine):
    name, _, rest = path[1:].partition("?")
    if name == "echo":
        answer(conn, "200 OK", head.encode("latin-1"),
               "Content-Type: text/plain; charset=utf-8")
    elif name == "status":
        answer(conn, f"{rest} Whatever", b"" if rest in ("204", "304") else
               f"this is {rest}\n".encode(), "Content-Type: text/x-status")
    elif name == "to":
        answer(conn, "302 Found", b"gone", f"Location: {unquote(rest)}")
    elif name == "again":
        left = int(rest)
        answer(conn, "302 Found", b"",
               f"Location: /again?{left - 1}" if left > 1 else
               "Location: /echo")
    elif name == "deep/made":
        answer(conn, "201 Created", b"made", "Location: thing")
    elif name == "hops":
        answer(conn, "200 OK", b"hops", "Connection: keep-alive, Link",
               "Keep-Alive: timeout=5", "Link: <x>", "Upgrade: tea",
               "Proxy-Authenticate: Basic", "Set-Cookie: a=b",
               "ETag: \"kept\"", "Content-Type: text/plain")
    elif name == "heads":
        answer(conn, "200 OK", b"heads", *(f"Link: {i:0100d}" for i in
               range(int(rest))))
    elif name == "long":
        answer(conn, "200 OK", b"long", "Link: " + "x" * int(rest))
    elif name == "gzip":
        answer(conn, "200 OK", gzip.compress(b"unpacked\n"),
               "Content-Encoding: gzip", "Content-Type: text/plain")
    elif name == "serial":
        answer(conn, "200 OK", str(mine).encode())
    else:
        answer(conn, "200 OK", b"hello\n", "Content-Type: text/plain")


def socks(conn):
    """RFC 1928, no authentication; whatever is asked for, we are it."""
    conn.recv(conn.recv(1)[0])
    conn.sendall(b"\x05\x00")
    kind = conn.recv(4)[3]
    size = {1: 4, 4: 16}.get(kind) or conn.recv(1)[0]
    name = conn.recv(size)
    conn.recv(2)
    note(f"socks {name.decode('latin-1') if kind == 3 else 'address'}")
    conn.sendall(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50")


def talk(conn, mine):
    data = b""
    try:
        while True:
            piece = conn.recv(65536)
            if not piece:
                return
            if not data and piece[:1] == b"\x05":
                raise AssertionError("socks comes byte by byte")
            data += piece
            head, end, rest = data.partition(b"\r\n\r\n")
            if not end:
                continue
            data = rest
            text = head.decode("latin-1")
            path = text.split(" ")[1]
            if path.startswith("http://"):
                note(f"proxy {path}")
                path = "/" + path.split("/", 3)[3]
            if not odd(conn, path, text):
                plain(conn, path, text, mine)
    except (EOFError, OSError):
        pass


def greet(conn, mine):
    with conn:
        if conn.recv(1, socket.MSG_PEEK) == b"\x05":
            conn.recv(1)
            socks(conn)
        talk(conn, mine)


def serve(sock):
    while True:
        conn, _ = sock.accept()
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with lock:
            serial[0] += 1
            mine = serial[0]
        threading.Thread(target=greet, args=(conn, mine),
                         daemon=True).start()


def listen():
    while True:
        one, two = socket.socket(), socket.socket()
        for sock in (one, two):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind(("127.0.0.1", 0))
        try:
            two.bind(("127.0.0.2", one.getsockname()[1]))
        except OSError:
            continue
        one.listen(1024)
        two.listen(1024)
        return one, two


def main():
    one, two = listen()
    threading.Thread(target=serve, args=(two,), daemon=True).start()
    with open(sys.argv[1] + ".new", "w", encoding="ascii") as out:
        out.write(str(one.getsockname()[1]))
    os.rename(sys.argv[1] + ".new", sys.argv[1])
    serve(one)


main()
