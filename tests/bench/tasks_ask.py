# tasks_ask.py PORT COUNT: asks the worker on PORT for COUNT tasks, 64 at a
# time, each on a kept connection of its own, and waits until all are
# completed. Prints the seconds from the first request to the last result.
import json
import select
import socket
import sys
import time

LINES = 64
ASK = b"GET /hit?async=true HTTP/1.1\r\nHost: a\r\n\r\n"


def connect(port):
    one = socket.create_connection(("127.0.0.1", port))
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return one


def push(port, count):
    lines = [connect(port) for _ in range(min(LINES, count))]
    poll = select.epoll()
    by_fd = {one.fileno(): one for one in lines}
    got = {}
    for one in lines:
        one.send(ASK)
        poll.register(one, select.EPOLLIN)
    asked, answered = len(lines), 0
    while answered < count:
        for fd, _ in poll.poll():
            text = got.pop(fd, b"") + by_fd[fd].recv(65536)
            if not text.endswith(b'"queued"}'):
                if not text or not b"HTTP/1.1 202 ".startswith(text[:13]):
                    sys.exit(f"not queued: {text}")
                got[fd] = text
                continue
            answered += 1
            if asked < count:
                asked += 1
                by_fd[fd].send(ASK)


def completed(one):
    one.send(b"GET /state HTTP/1.1\r\nHost: a\r\n\r\n")
    text = b""
    while b"\r\n\r\n" not in text or not text.rstrip().endswith(b"}"):
        piece = one.recv(65536)
        if not piece:
            sys.exit("the worker is gone")
        text += piece
    return json.loads(text.split(b"\r\n\r\n", 1)[1])["tasks"]["completed"]


def main():
    port, count = int(sys.argv[1]), int(sys.argv[2])
    begin = time.monotonic()
    push(port, count)
    one = connect(port)
    while completed(one) < count:
        if time.monotonic() - begin > 300:
            sys.exit("not done in 300 s")
        time.sleep(0.005)
    print(time.monotonic() - begin)


main()
