#!/usr/bin/env python3
"""Clients that mean ill, for the tests of the worker.

hostile.py PORT PID GROUP

Runs the cases of one group against the worker on 127.0.0.1. After each case
a plain request must be answered, and the descriptors of the process must be
as many as before. A case is what is sent, and the statuses of all answers
until the connection ends. Says which cases failed; the exit status is 1 then.
"""
import os
import re
import select
import socket
import struct
import sys
import time

PORT, PID = int(sys.argv[1]), sys.argv[2]
CHUNKED = b"Transfer-Encoding: chunked\r\n"
LAST = b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
PLAIN = LAST.replace(b"Connection: close\r\n", b"")


def get(*lines, target=b"/health", method=b"GET", version=b"HTTP/1.1",
        host=b"Host: a", body=b""):
    head = [method + b" " + target + b" " + version]
    if host:
        head.append(host)
    return b"\r\n".join([*head, *lines, b"", b""]) + body


def post(*lines, body=b""):
    return get(*lines, method=b"POST", target=b"/config", body=body)


def chunks(body):
    return post(CHUNKED[:-2], body=body)


DOCUMENT = b'{"url":"http://127.0.0.1:1/"}'
WHOLE = b"%x\r\n%s\r\n0\r\n\r\n" % (len(DOCUMENT), DOCUMENT)

# group: (name, bytes, statuses)
CASES = {
    "lines": [
        ("bare LF", LAST.replace(b"\r\n", b"\n"), [400]),
        ("one bare LF", get(b"A: b\nB: c"), [400]),
        ("bare CR", LAST.replace(b"\r\n", b"\r"), [400]),
        ("CR in a value", get(b"A: b\rc"), [400]),
        ("folded line", get(b"A: b", b" c"), [400]),
        ("folded by a tab", get(b"A: b", b"\tc"), [400]),
        ("space before the first header", b"GET /health HTTP/1.1\r\n"
         b" Host: a\r\n\r\n", [400]),
        ("space before the colon", get(b"A : b"), [400]),
        ("no colon", get(b"nothing"), [400]),
        ("no name", get(b": b"), [400]),
        ("NUL in the target", get(target=b"/hea\0lth"), [400]),
        ("NUL in a value", get(b"A: b\0c"), [400]),
        ("NUL in a name", get(b"A\0: b"), [400]),
        ("control character", get(b"A: b\x01"), [400]),
        ("DEL", get(b"A: b\x7f"), [400]),
        ("8-bit target", get(target=b"/health\xc3\xa4"), [400]),
        ("8-bit name", get(b"A\xff: b"), [400]),
        ("8-bit value", get(b"A: \xc3\xa4\xff", b"Connection: close"),
         [200]),
        ("empty lines before", b"\r\n\r\n\r\n" + LAST, [200]),
        ("a megabyte of empty lines", b"\r\n" * 524288 + LAST, [200]),
        ("TLS", b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", [400]),
        ("SMTP", b"EHLO example\r\n\r\n", [400]),
        ("nothing but spaces", b" " * 100 + b"\r\n\r\n", [400]),
    ],
    "targets": [
        ("absolute-form", get(b"Connection: close",
         target=b"http://other.example/health"), [200]),
        ("absolute-form of https", get(b"Connection: close",
         target=b"HTTPS://a:1/health"), [200]),
        ("absolute-form without a host", get(target=b"http:///health"),
         [400]),
        ("another scheme", get(target=b"ftp://a/health"), [400]),
        ("relative", get(target=b"health"), [400]),
        ("authority-form", get(method=b"CONNECT", target=b"a:80"), [400]),
        ("CONNECT of a path", get(b"Connection: close", method=b"CONNECT"),
         [400, 405, 501]),
        ("fragment", get(target=b"/health#x"), [400]),
        ("dot segments", get(b"Connection: close",
         target=b"/x/../health"), [404]),
        ("encoded slash", get(b"Connection: close", target=b"/%2fhealth"),
         [404]),
        ("bad escape", get(b"Connection: close",
         target=b"/hit/%zz"), [400, 404]),
        ("two spaces", get(target=b" /health"), [400]),
        ("asterisk of GET", get(target=b"*"), [400]),
        ("asterisk of OPTIONS", get(b"Connection: close", target=b"*",
         method=b"OPTIONS"), [204]),
        ("no Host", get(host=b""), [400]),
        ("empty Host", get(host=b"Host:"), [400]),
        ("two Hosts", get(b"Host: a"), [400]),
        ("Host with a space", get(host=b"Host: a b"), [400]),
        ("Host with a path", get(host=b"Host: a/b"), [400]),
        ("HTTP/0.9", b"GET /health\r\n\r\n", [400, 505]),
        ("HTTP/1.0", get(version=b"HTTP/1.0", host=b""), [200]),
        ("HTTP/1.2", get(version=b"HTTP/1.2"), [505]),
        ("HTTP/2.0", get(version=b"HTTP/2.0"), [505]),
        ("HTTP/2's preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400]),
        ("another protocol", get(version=b"HTTX/1.1"), [400]),
        ("junk behind the version", get(version=b"HTTP/1.1 x"), [400, 505]),
        ("unknown method", get(method=b"BREW"), [501]),
        ("method in lower case", get(method=b"get"), [400, 501]),
    ],
    "framing": [
        ("CL and TE", post(b"Content-Length: 5", CHUNKED[:-2],
         body=b"0\r\n\r\n" + PLAIN), [400]),
        ("TE and CL", post(CHUNKED[:-2], b"Content-Length: 5",
         body=b"0\r\n\r\n" + PLAIN), [400]),
        ("TE in HTTP/1.0", get(CHUNKED[:-2], method=b"POST",
         target=b"/config", version=b"HTTP/1.0", body=b"0\r\n\r\n"), [400]),
        ("gzip, chunked", post(b"Transfer-Encoding: gzip, chunked"), [501]),
        ("chunked, identity", post(b"Transfer-Encoding: chunked, identity"),
         [400, 501]),
        ("identity", post(b"Transfer-Encoding: identity"), [501]),
        ("chunked twice", post(CHUNKED + CHUNKED[:-2]), [400]),
        ("xchunked", post(b"Transfer-Encoding: xchunked"), [400, 501]),
        ("VT before chunked", post(b"Transfer-Encoding:\x0bchunked"), [400]),
        ("two CL", post(b"Content-Length: 3", b"Content-Length: 3",
         body=b"abc"), [400]),
        ("two CL that differ", post(b"Content-Length: 3",
         b"Content-Length: 4", body=b"abcd"), [400]),
        ("CL and CL with _", post(b"Content-Length: 3",
         b"Content_Length: 4", body=b"abc"), [400]),
        ("a list of CL", post(b"Content-Length: 3, 3", body=b"abc"), [400]),
        ("+3", post(b"Content-Length: +3", body=b"abc"), [400]),
        ("-1", post(b"Content-Length: -1"), [400]),
        ("0x3", post(b"Content-Length: 0x3", body=b"abc"), [400]),
        ("3 5", post(b"Content-Length: 3 5", body=b"abc"), [400]),
        ("empty CL", post(b"Content-Length:"), [400]),
        ("CL of 2^64 + 1", post(b"Content-Length: 18446744073709551617",
         body=b"x"), [400]),
        ("a key twice by folding", post(b"X-Api-Key: a", b"X_Api_Key: b"),
         [400]),
        ("a body of GET is no request", get(b"Content-Length: %d" %
         len(PLAIN), b"Connection: close", body=PLAIN), [200]),
    ],
    "chunks": [
        ("whole", chunks(WHOLE) + LAST, [200, 200]),
        ("extension and trailer", chunks(WHOLE.replace(b"\r\n", b";a=b\r\n",
         1)[:-2] + b"T: 1\r\n\r\n") + LAST, [200, 200]),
        ("LF behind the size", chunks(b"3\nabc\r\n0\r\n\r\n"), [400]),
        ("LF behind the data", chunks(b"3\r\nabc\n0\r\n\r\n"), [400]),
        ("more than its size", chunks(b"3\r\nabcd\r\n0\r\n\r\n"), [400]),
        ("minus", chunks(b"-3\r\nabc\r\n0\r\n\r\n"), [400]),
        ("plus", chunks(b"+3\r\nabc\r\n0\r\n\r\n"), [400]),
        ("0x", chunks(b"0x3\r\nabc\r\n0\r\n\r\n"), [400]),
        ("space before", chunks(b" 3\r\nabc\r\n0\r\n\r\n"), [400]),
        ("no digit", chunks(b"\r\nabc"), [400]),
        ("17 digits", chunks(b"10000000000000003\r\nabc"), [400]),
        ("endless zeros", chunks(b"0" * 100000), [400]),
        ("LF in an extension", chunks(b"3;a=\nb\r\nabc\r\n"), [400]),
        ("NUL in an extension", chunks(b"3;a=\0\r\nabc\r\n"), [400]),
        ("endless extension", chunks(b"3;" + b"a" * 1000000), [400]),
        ("folded trailer", chunks(b"0\r\n folded: 1\r\n\r\n"), [400]),
        ("endless trailers", chunks(b"0\r\n" + b"A: b\r\n" * 100000), [400]),
    ],
    "sizes": [
        ("a long target", get(target=b"/" + b"x" * 100000), [431]),
        ("a long value", get(b"A: " + b"x" * 100000), [431]),
        ("a long name", get(b"x" * 100000 + b": b"), [431]),
        ("a head without end", b"GET /health HTTP/1.1\r\n" +
         b"A: b\r\n" * 100000, [431]),
        ("101 fields", get(*(b"A%d: b" % i for i in range(100))), [431]),
        ("99 fields", get(b"Connection: close", *(b"A%d: b" % i for i in
         range(98))), [200]),
        ("a long path that fits", get(b"Connection: close",
         target=b"/" + b"x" * 10000), [404]),
        ("a body that is too long", post(b"Content-Length: 100000000"),
         [413]),
        ("the same, sent", post(b"Content-Length: 3000000",
         body=b"x" * 3000000), [413]),
        ("the same, in chunks", chunks(b"2dc6c0\r\n" + b"x" * 3000000),
         [413]),
        ("a body for GET", get(b"Content-Length: 3000000",
         body=b"x" * 3000000), [413]),
    ],
    "order": [
        ("200 at once", PLAIN * 199 + LAST, [200] * 200),
        ("after an error nothing is read", PLAIN + get(host=b"") + LAST,
         [200, 400]),
        ("after close nothing is read", LAST + LAST, [200]),
        ("a body, then another", post(b"Content-Length: %d" %
         len(DOCUMENT), body=DOCUMENT) + LAST, [200, 200]),
        ("refused, then another", get(target=b"/nowhere") +
         get(method=b"PUT") + LAST, [404, 405, 200]),
        ("OPTIONS", get(method=b"OPTIONS", target=b"/config") + LAST,
         [204, 200]),
        ("HEAD", get(method=b"HEAD") + get(method=b"HEAD",
         target=b"/state") + LAST, [200, 200, 200]),
        ("HEAD of HTTP/1.0", get(method=b"HEAD", version=b"HTTP/1.0"),
         [200]),
        ("keep-alive of HTTP/1.0", get(b"Connection: keep-alive",
         version=b"HTTP/1.0") + LAST, [200, 200]),
        ("100-continue that comes with its body", post(
         b"Content-Length: %d" % len(DOCUMENT), b"Expect: 100-continue",
         body=DOCUMENT) + LAST, [200, 200]),
        ("another expectation", post(b"Content-Length: 3",
         b"Expect: 200-ok"), [417]),
        ("100-continue of a body that is too long", post(
         b"Content-Length: 100000000", b"Expect: 100-continue"), [413]),
        ("an upgrade is not heard", get(b"Upgrade: h2c",
         b"Connection: Upgrade, HTTP2-Settings, close",
         b"HTTP2-Settings: AAA"), [200]),
    ],
}


def connect():
    s = socket.create_connection(("127.0.0.1", PORT))
    s.settimeout(60)
    return s


def hear(s):
    got = b""
    try:
        while piece := s.recv(65536):
            got += piece
    except ConnectionResetError:
        got += b"RESET"
    return got


def statuses(got):
    return [int(n) for n in re.findall(rb"HTTP/1\.1 (\d{3}) ", got)]


def say(s, data):
    try:
        s.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        pass


def ask(data):
    with connect() as s:
        say(s, data)
        return hear(s)


def descriptors():
    return len(os.listdir(f"/proc/{PID}/fd"))


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def want(good, name, got=b""):
    return [] if good else [f"{name}: {got[:300]!r}"]


def case(name, data, expect):
    got = ask(data)
    have = statuses(got)
    one = len(have) == 1 and have[0] in expect and have[0] != 200
    return want(have == expect or one, name, got)


def halves():
    """A request that ends at each of its bytes, by FIN and by reset."""
    bad = []
    whole = post(b"Content-Length: %d" % len(DOCUMENT), body=DOCUMENT)
    for n in range(len(whole)):
        with connect() as s:
            say(s, whole[:n])
            s.shutdown(socket.SHUT_WR)
            got = hear(s)
        bad += want(statuses(got) == ([400] if n > 0 else []), f"FIN at {n}",
                    got)
        s = connect()
        say(s, whole[:n])
        reset(s)
    with connect() as s:
        say(s, PLAIN)
        s.shutdown(socket.SHUT_WR)
        got = hear(s)
    return bad + want(statuses(got) == [200], "FIN behind a request", got)


def hits():
    """Clients of /hit that send no more, or are gone. The target hangs for
    a second, then says 504."""
    bad = []
    for version in (b"HTTP/1.1", b"HTTP/1.0"):
        with connect() as s:
            say(s, get(target=b"/hit", version=version))
            s.shutdown(socket.SHUT_WR)
            got = [n for n in statuses(hear(s)) if n != 100]
        bad += want(got == [504], f"FIN behind a hit of {version}",
                    repr(got).encode())
    many = [connect() for _ in range(50)]
    for s in many:
        say(s, get(target=b"/hit"))
    for s in many:
        reset(s)
    return bad


def expects():
    """100 is said only where a body is wanted and has not come."""
    with connect() as s:
        say(s, post(b"Content-Length: %d" % len(DOCUMENT),
                    b"Expect: 100-continue", b"Connection: close"))
        first = s.recv(1000)
        say(s, DOCUMENT)
        got = hear(s)
    return want(first == b"HTTP/1.1 100 Continue\r\n\r\n" and
                statuses(got) == [200], "100-continue", first + got)


def slow():
    """Time-outs of ten seconds, at the same time: a head and a body that
    stop, a head that goes on byte by byte."""
    begin = time.monotonic()
    head, body, drip = connect(), connect(), connect()
    say(head, b"GET /hea")
    say(body, post(b"Content-Length: 100", body=b"{"))
    drip.settimeout(0.2)
    got, at = b"", 0
    while b"\r\n\r\n" not in got and time.monotonic() - begin < 30:
        say(drip, get(b"A: " + b"x" * 1000)[at:at + 1])
        at += 1
        try:
            got += drip.recv(1000) or b"\r\n\r\n"
        except TimeoutError:
            pass
        except ConnectionResetError:
            break
    bad = want(statuses(got) == [408], "a head byte by byte", got)
    for name, s in (("a head", head), ("a body", body)):
        got = hear(s)
        bad += want(statuses(got) == [408], f"{name} that stops", got)
        s.close()
    drip.close()
    return bad + want(time.monotonic() - begin > 9, "the time-outs are long")


def crowd():
    """More half requests than there is room for."""
    many = [connect() for _ in range(300)]
    for i, s in enumerate(many):
        say(s, b"GET /hea" if i % 2 else post(b"Content-Length: 9", body=b"{"))
    begin = time.monotonic()
    got = ask(LAST)
    took = time.monotonic() - begin
    for s in many:
        s.close()
    return want(statuses(got) == [200] and took < 9, "the plain request", got)


def all_heard(many):
    """Waits until each is a hit under way, or was answered or closed."""
    for _ in range(1200):
        state = ask(get(b"Connection: close", target=b"/state"))
        hits = int(re.search(rb'"active_hits":(\d+)', state)[1])
        if hits + len(select.select(many, [], [], 0)[0]) == len(many):
            return True
        time.sleep(0.05)
    return False


def full():
    """More slow hits than there is room for, all from this machine."""
    many = [connect() for _ in range(150)]
    for s in many:
        say(s, get(target=b"/hit"))
    got = ask(LAST)
    if not all_heard(many):  # a new caller may be heard before them
        return ["some of the hits are not heard"]
    more = ask(get(b"Connection: close", target=b"/hit"))
    for s in many:
        s.close()
    return (want(statuses(got) == [200], "the plain request", got) +
            want(statuses(more) == [503] and b"Retry-After" in more,
                 "one hit more", more))


def settled(before):
    for _ in range(1200):
        if descriptors() <= before:
            return True
        time.sleep(0.05)
    return False


def sound(name, before):
    got = ask(LAST)
    return (want(statuses(got) == [200], f"the request behind {name}", got) +
            want(settled(before), f"descriptors behind {name}: "
                 f"{descriptors()}, not {before}"))


def main():
    ask(LAST)
    before = -1
    while before != descriptors():  # the last connection may be open
        before = descriptors()
        time.sleep(0.2)
    bad = []
    group = sys.argv[3]
    if group in CASES:
        for name, data, expect in CASES[group]:
            bad += case(name, data, expect)
            bad += sound(name, before)
    else:
        bad += globals()[group]()
        bad += sound(group, before)
    print("\n".join(bad))
    sys.exit(1 if bad else 0)


main()
