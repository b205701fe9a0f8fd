#!/usr/bin/env python3
"""peer.py FOLDER PORT: plays the controller and the worker for the agent.

By itself it behaves as the contract says. FOLDER/say.json bends it, and is
read again for each request: an object from "METHOD /path" to an answer, or to
a list of answers that are used up one by one (its last one stays). An answer:

    {"status": 503, "headers": {"Retry-After": "3"}, "body": "…",
     "delay": 0.5,          seconds before it begins
     "do": "hang"           never answers
           "reset"          closes without a word
           "truncate"       says more length than it sends
           "drip"           a byte a second
           "apply"          (worker) keeps the configuration, then the above
     "like": true}          as it would by itself, but with what is given here

FOLDER/config.json is the controller's truth: {"version", "data",
"poll_interval_seconds", "token", "agent_id", "poll_url"}. Each request is a
line of JSON in FOLDER/requests; what the worker applied is in FOLDER/applied.
FOLDER/ready appears once it listens. With FOLDER/tls.pem (key and certificate)
it speaks TLS, and with FOLDER/clients.pem it wants a certificate of that CA.
"""
import hashlib
import http.server
import json
import os
import socket
import socketserver
import ssl
import sys
import threading
import time
import uuid

folder = sys.argv[1]
lock = threading.Lock()
used = {}                       # how many answers of a list are used up
worker = {"instance_id": str(uuid.uuid4()), "version": 0, "etag": None}


def at(name):
    return os.path.join(folder, name)


def load(name):
    try:
        with open(at(name)) as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


def note(name, what):
    with open(at(name), "a") as file:
        file.write(json.dumps(what) + "\n")


def scripted(key):
    answer = load("say.json").get(key)
    if isinstance(answer, list):
        text = json.dumps(answer)
        n = used.get((key, text), 0)
        used[(key, text)] = n + 1
        answer = answer[min(n, len(answer) - 1)]
    return answer


def answer_json(status, value, headers=None):
    headers = dict(headers or {})
    headers.setdefault("Content-Type", "application/json")
    return {"status": status, "headers": headers, "body": json.dumps(value)}


class Peer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1               # head and body are one segment

    def log_message(self, *args):
        pass

    # --- by itself -------------------------------------------------------
    def register(self, body):
        truth = load("config.json")
        return answer_json(200, {
            "agent_id": truth.get("agent_id") or
            self.headers.get("X-Agent-ID") or str(uuid.uuid4()),
            "poll_url": truth.get("poll_url", "/config"),
            "poll_interval_seconds": truth.get("poll_interval_seconds", 1),
            "token": truth.get("token")})

    def read(self, body):
        truth = load("config.json")
        interval = truth.get("poll_interval_seconds", 1)
        answer = answer_json(200, {
            "version": truth.get("version", 0),
            "data": truth.get("data", {}),
            "poll_interval_seconds": interval})
        digest = hashlib.sha256(answer["body"].encode()).hexdigest()[:16]
        etag = '"%d-%s"' % (truth.get("version", 0), digest)
        answer["headers"].update({
            "ETag": etag, "X-Poll-Interval-Seconds": str(interval)})
        if self.headers.get("If-None-Match") == etag:
            answer.update({"status": 304, "body": ""})
        return answer

    def apply(self, body):
        given = json.loads(body)
        worker["version"] = given["version"]
        worker["etag"] = self.headers.get("ETag")
        note("applied", {"time": time.monotonic(),
                         "version": given["version"], "data": given["data"],
                         "instance_id": worker["instance_id"]})
        return answer_json(200, {"message": "Configuration updated",
                                 "version": given["version"]})

    def state(self, body):
        return answer_json(200, worker)

    def report(self, body):
        return {"status": 204, "headers": {}, "body": ""}

    # --- one request -----------------------------------------------------
    def decide(self, body):
        key = self.command + " " + self.path
        alone = {"POST /register": self.register, "GET /config": self.read,
                 "POST /config": self.apply, "GET /state": self.state}
        itself = alone.get(key)
        if itself is None and self.path.endswith("/status"):
            itself, key = self.report, "POST /status"
        if itself is None:
            def itself(body):
                return answer_json(404, {"detail": "no such path"})
        said = scripted(key)
        if said is None:
            return itself(body)
        if said.get("do") == "apply" or said.get("like"):
            answer = itself(body)
            answer["headers"].update(said.pop("headers", {}))
            answer.update(said)
            return answer
        return said

    def send_it(self, answer):
        body = answer.get("body", "").encode("utf-8", "surrogateescape")
        do = answer.get("do")
        status = answer.get("status", 200)
        length = len(body) + (100 if do == "truncate" else 0)
        self.send_response(status)
        for name, value in answer.get("headers", {}).items():
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(length))
        self.end_headers()
        if status in (204, 304):
            return
        if do == "drip":
            for byte in body:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(1)
        else:
            self.wfile.write(body)
        if do == "truncate":
            self.close_connection = True

    def handle_it(self):
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size).decode("utf-8", "surrogateescape")
        with lock:
            note("requests", {
                "time": time.monotonic(), "wall": time.time(),
                "method": self.command, "path": self.path, "body": body,
                "headers": {name.lower(): value
                            for name, value in self.headers.items()}})
            answer = self.decide(body)
        time.sleep(answer.get("delay", 0))
        do = answer.get("do")
        if do == "hang":
            time.sleep(3600)
        if do in ("hang", "reset"):
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        self.send_it(answer)

    do_GET = do_POST = do_HEAD = do_PUT = handle_it


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass                    # the agent went away; that is its right


server = Server(("127.0.0.1", int(sys.argv[2])), Peer)
if os.path.exists(at("tls.pem")):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(at("tls.pem"))
    if os.path.exists(at("clients.pem")):
        tls.load_verify_locations(at("clients.pem"))
        tls.verify_mode = ssl.CERT_REQUIRED
    server.socket = tls.wrap_socket(server.socket, server_side=True,
                                    do_handshake_on_connect=False)
open(at("ready"), "w").close()
server.serve_forever()
