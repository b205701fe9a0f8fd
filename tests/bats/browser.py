"""browser.py WHAT URL [--key KEY] [--shot FILE] [--dark] [--width N]

Opens a page of the API in headless Chromium, by chromedriver, and prints
what a person would have seen as JSON: operations (method and path), console
(messages), violations (of the page's policy), requests (all that the page
made). WHAT is `plain` for the program's own page, or `swagger` for Swagger
UI; with --key that one also authorizes with the X-API-Key and tries
GET /config out, as `tried`: url, status, body.

Chromium can reach 127.0.0.1 and nothing else.
"""

import argparse
import base64
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

PATIENCE = 60  # seconds: for hangs, not for speed
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"

# Before anything of the page: what its policy stopped.
WATCH = """
window.stopped = [];
document.addEventListener("securitypolicyviolation", (e) =>
    window.stopped.push(e.violatedDirective + " " + e.blockedURI + " " +
	e.sourceFile + ":" + e.lineNumber + " " + e.sample));
"""

OPERATIONS = {
    "plain": """return [...document.querySelectorAll("article h3 .path")]
	.filter((e) => e.offsetParent !== null)
	.map((e) => e.parentNode.querySelector(".method").textContent + " " +
	    e.textContent)""",
    "swagger": """return [...document.querySelectorAll(".opblock-summary")]
	.filter((e) => e.offsetParent !== null)
	.map((e) => e.querySelector(".opblock-summary-method").textContent +
	    " " + e.querySelector("[data-path]").dataset.path)""",
}


def with_parent():
    """The child ends when this does."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


class Browser:
    def __init__(self, port, dark, width):
        self.profile = tempfile.mkdtemp()
        self.driver = subprocess.Popen(
            ["chromedriver", f"--port={port}", "--log-level=SEVERE"],
            stdout=subprocess.DEVNULL, preexec_fn=with_parent,
            env={**os.environ, "HOME": self.profile})
        self.at = f"http://127.0.0.1:{port}/session"
        self.until(self.begun, f"http://127.0.0.1:{port}/status")
        arguments = [
            "--headless=new", "--no-sandbox", "--disable-gpu",
            "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
            "--disable-background-networking", "--disable-component-update",
            "--disable-sync", f"--window-size={width},1600",
            f"--user-data-dir={self.profile}/chromium",
            "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
        ]
        session = self.ask("POST", "", {"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }}})
        self.at += "/" + session["sessionId"]
        self.cdp("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
        self.cdp("Emulation.setEmulatedMedia", features=[{
            "name": "prefers-color-scheme",
            "value": "dark" if dark else "light"}])

    def begun(self, url):
        try:
            urllib.request.urlopen(url, timeout=5).read()
            return True
        except OSError:
            return False

    def ask(self, method, path, body=None):
        request = urllib.request.Request(
            self.at + path, method=method,
            data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)["value"]

    def cdp(self, command, **params):
        return self.ask("POST", "/goog/cdp/execute",
                        {"cmd": command, "params": params})

    def run(self, script, *args):
        return self.ask("POST", "/execute/sync",
                        {"script": script, "args": list(args)})

    def until(self, condition, *args):
        end = time.monotonic() + PATIENCE
        while True:
            value = condition(*args)
            if value:
                return value
            if time.monotonic() > end:
                raise SystemExit(f"not within {PATIENCE} s: {args}")
            time.sleep(0.05)

    def find(self, selector):
        found = self.until(self.all, selector)
        return found[0]

    def all(self, selector):
        return self.ask("POST", "/elements",
                        {"using": "css selector", "value": selector})

    def on(self, element, what, body=None):
        return self.ask("POST", f"/element/{element[ELEMENT]}/{what}",
                        body or {})

    def click(self, selector):
        element = self.find(selector)
        self.run("arguments[0].scrollIntoView({block: 'center'})", element)
        self.on(element, "click")

    def text(self, selector):
        return self.run("return arguments[0].textContent",
                        self.find(selector))

    def log(self, kind):
        return self.ask("POST", "/se/log", {"type": kind})

    def requests(self):
        """Of any server: data: is part of the page, chrome: the browser."""
        urls = []
        for entry in self.log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                urls.append(message["params"]["request"]["url"])
        return [u for u in urls if not u.startswith(("data:", "chrome:"))]

    def shot(self, path):
        size = self.cdp("Page.getLayoutMetrics")["cssContentSize"]
        picture = self.cdp("Page.captureScreenshot",
                           captureBeyondViewport=True, clip={
                               "x": 0, "y": 0, "width": size["width"],
                               "height": min(size["height"], 2600),
                               "scale": 1})
        with open(path, "wb") as out:
            out.write(base64.b64decode(picture["data"]))

    def close(self):
        try:
            self.ask("DELETE", "")
        except OSError:
            pass
        self.driver.terminate()
        self.driver.wait()
        shutil.rmtree(self.profile, ignore_errors=True)


def authorize(b, key):
    b.click(".btn.authorize")
    b.on(b.find("#api_key_value"), "value", {"text": key})
    b.run("""document.querySelector("#api_key_value").closest("form")
	.querySelector("button[type=submit]").click()""")
    b.until(lambda: "logout" in b.run("""return [...document
	.querySelectorAll(".modal-ux button")]
	.map((e) => e.textContent.toLowerCase())"""))
    b.click(".close-modal")


def try_out(b):
    """GET /config, as a person would."""
    config = ".opblock-get:has([data-path='/config'])"
    b.click(f"{config} .opblock-summary-control")
    b.click(f"{config} .try-out__btn")
    b.click(f"{config} .execute")
    live = f"{config} .live-responses-table"
    b.find(f"{live} .response-col_status")
    return {
        "url": b.text(f"{config} .request-url pre"),
        "status": b.text(f"{live} .response .response-col_status")[:3],
        "body": b.text(f"{live} .response .microlight, "
                       f"{live} .response pre code"),
    }


def main():
    p = argparse.ArgumentParser()
    p.add_argument("what", choices=sorted(OPERATIONS))
    p.add_argument("port", type=int, help="for chromedriver")
    p.add_argument("url")
    p.add_argument("--key")
    p.add_argument("--shot")
    p.add_argument("--dark", action="store_true")
    p.add_argument("--width", type=int, default=1280)
    a = p.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    b = Browser(a.port, a.dark, a.width)
    try:
        b.ask("POST", "/url", {"url": a.url})
        seen = {"operations": b.until(b.run, OPERATIONS[a.what]),
                "ground": b.run("return getComputedStyle(document.body)"
                                ".backgroundColor")}
        if a.key:
            authorize(b, a.key)
            seen["tried"] = try_out(b)
        if a.shot:
            b.shot(a.shot)
        seen["violations"] = b.run("return window.stopped")
        seen["console"] = [e["level"] + " " + e["message"]
                           for e in b.log("browser")]
        # and that the policy stops something at all
        b.run("document.body.setAttribute('style', 'color: red')")
        b.until(b.run, "return window.stopped.length > arguments[0]",
                len(seen["violations"]))
        seen["requests"] = b.requests()
        json.dump(seen, sys.stdout, indent=1)
    finally:
        b.close()


main()
