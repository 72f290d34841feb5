"""
An executor with an HTTP endpoint of its own, in nothing but Python's standard library (3.8 or newer).

    EXECUTOR_TOKEN=twe_... python3 examples/http-python/executor.py

It joins the group with the appName `default` and runs tasks whose handler is the named function `countTo` (parameters: a number).
TICKWHEEL_SERVER (several nodes: with commas), EXECUTOR_APP, EXECUTOR_NAME, EXECUTOR_HOST (where the server reaches this machine), EXECUTOR_PORT, EXECUTOR_CAPACITY.
"""
import hashlib
import hmac
import json
import os
import signal
import threading
import time
import urllib.error
import urllib.request
from collections import OrderedDict
from email.utils import parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# any node will do, and the next where one does not answer
SERVERS = os.environ.get("TICKWHEEL_SERVER", "http://localhost:8080").split(",")
APP = os.environ.get("EXECUTOR_APP", "default")
NAME = os.environ.get("EXECUTOR_NAME", "python")
HOST = os.environ.get("EXECUTOR_HOST", "127.0.0.1")
PORT = int(os.environ.get("EXECUTOR_PORT", "0"))
CAPACITY = int(os.environ.get("EXECUTOR_CAPACITY", "4"))
TOKEN = os.environ.get("EXECUTOR_TOKEN", "")

ORDER_MAX_AGE_MS = 10_000  # an older dispatch may be running elsewhere by now
STOP_WITHOUT_SERVER_S = 12  # before the server gives this process up and retries elsewhere
REMEMBERED = 10_000


def count_to(run):
    """The task: counts, a tenth of a second a number."""
    last = int(run.params or "3")
    for number in range(1, last + 1):
        if run.canceled.wait(0.1):
            return None
        run.log(f"number {number}")
        run.progress(number / last)
    return {"counted": last}


HANDLERS = {"countTo": count_to}


class Run:
    def __init__(self, order):
        self.key = (order["instanceId"], order["attempt"])
        self.params = order["params"]
        self.function = HANDLERS[order["handler"]["name"]]
        self.timeout_ms = order["timeoutMs"]
        self.movable = order["movable"]
        self.canceled = threading.Event()
        self.timed_out = False
        self.lines = 0

    def log(self, text):
        tell(self, "log", firstSeq=self.lines + 1, lines=[{"text": text, "at": now_ms()}])
        self.lines += 1

    def progress(self, value, text=""):
        tell(self, "progress", value=value, text=text, at=now_ms())

    def work(self):
        started_at = now_ms()
        tell(self, "started", at=started_at)
        timer = None
        if self.timeout_ms > 0:
            timer = threading.Timer(self.timeout_ms / 1000, self.time_out)
            timer.daemon = True
            timer.start()
        told = {"outcome": "succeeded"}
        try:
            told["result"] = self.function(self)
        except Exception as error:
            told = {"outcome": "failed", "error": {"code": type(error).__name__, "message": str(error)}}
        if timer is not None:
            timer.cancel()
        if self.canceled.is_set():
            told = {"outcome": "timedOut" if self.timed_out else "canceled"}
        tell(self, "finished", startedAt=started_at, at=now_ms(), lines=self.lines, **told)

    def time_out(self):
        self.timed_out = True
        self.canceled.set()


lock = threading.Lock()
running = {}  # by key, until the end is acknowledged
seen = OrderedDict()  # keys of the last orders: a repeat is not run again
canceled_first = OrderedDict()
reports = []  # what the server has not acknowledged
has_reports = threading.Event()
stopping = threading.Event()
session = {}
server_is_ahead_ms = 0
heard_at = time.monotonic()


def now_ms():
    return int(time.time() * 1000)


def call(path, body, token):
    """One call of the server's API. Learns how far the server's clock is ahead of this one."""
    global server_is_ahead_ms
    server = SERVERS[0]
    request = urllib.request.Request(
        f"{server.rstrip('/')}/api/v1{path}",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    try:
        response = urllib.request.urlopen(request, timeout=10)
    except (urllib.error.URLError, OSError) as error:
        if not isinstance(error, urllib.error.HTTPError) and SERVERS[0] == server:
            SERVERS.append(SERVERS.pop(0))
        raise
    with response:
        answer = json.load(response)
        if response.headers["Date"]:
            server_is_ahead_ms = int(parsedate_to_datetime(response.headers["Date"]).timestamp() * 1000) - now_ms()
        return answer


def register(address):
    body = {
        "appName": APP,
        "name": NAME,
        "protocol": {"min": 1, "max": 1},
        "version": "1.0",
        "capacity": CAPACITY,
        "handlers": [{"name": name, "description": (function.__doc__ or "").strip()} for name, function in HANDLERS.items()],
        "host": HOST,
        "pid": os.getpid(),
        "address": address,
    }
    if session:
        body["bootId"] = session["bootId"]  # the same process: it keeps its runs
    session.update(call("/executor/register", body, TOKEN))


# ── what the server posts ──


class Orders(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        length = int(self.headers.get("Content-Length", "0"))
        if length > 1_048_576:
            self.close_connection = True
            return self.answer(413, "badDispatch")
        body = self.rfile.read(length)
        age_ms = now_ms() + server_is_ahead_ms - int(self.headers.get("X-Tickwheel-Timestamp", "0"))
        if not self.is_signed(body) or abs(age_ms) > 300_000:
            return self.answer(401)
        order = json.loads(body)
        if self.path.endswith("/dispatch"):
            self.answer(*take(order))
        elif self.path.endswith("/cancel"):
            self.answer(*cancel((order["instanceId"], order["attempt"])))
        else:
            self.answer(404)

    def is_signed(self, body):
        signed = self.headers.get("X-Tickwheel-Timestamp", "").encode() + b"." + body
        right = "v1=" + hmac.new(session["sessionToken"].encode(), signed, hashlib.sha256).hexdigest()
        return hmac.compare_digest(right, self.headers.get("X-Tickwheel-Signature", ""))

    def answer(self, status, code=None):
        body = b"{}" if code is None else json.dumps({"code": code}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args):
        pass


def take(order):
    key = (order["instanceId"], order["attempt"])
    with lock:
        if order["bootId"] != session["bootId"]:
            return 409, "otherBoot"
        if key in seen:
            return 200, None
        if now_ms() + server_is_ahead_ms - order["at"] > ORDER_MAX_AGE_MS:
            return 409, "tooOld"
        if key in canceled_first:
            return 409, "canceledFirst"
        if order["handler"]["kind"] != "named" or order["handler"]["name"] not in HANDLERS:
            return 404, "unknownHandler"
        if stopping.is_set():
            return 503, "draining"
        if len(running) >= CAPACITY:
            return 503, "capacity"
        remember(seen, key)
        run = running[key] = Run(order)
    threading.Thread(target=run.work, daemon=True).start()
    return 200, None


def cancel(key):
    with lock:
        run = running.get(key)
        if run is None:
            remember(canceled_first, key)
            return 404, None
    run.canceled.set()
    return 200, None


def remember(keys, key):
    keys[key] = True
    if len(keys) > REMEMBERED:
        keys.popitem(last=False)


# ── what the server is told ──


def tell(run, kind, **more):
    instance_id, attempt = run.key
    with lock:
        reports.append({"kind": kind, "instanceId": instance_id, "attempt": attempt, **more})
    has_reports.set()


def report_for_ever():
    """At least once: what is not acknowledged is sent again, and the server knows a repeat."""
    while True:
        has_reports.wait()
        with lock:
            part = reports[:500]
            has_reports.clear()
        if not part:
            continue
        try:
            body = {"executorId": session["executorId"], "bootId": session["bootId"], "at": now_ms(), "reports": part}
            for problem in call("/executor/report", body, session["sessionToken"])["errors"]:
                print("a report was bad:", problem, flush=True)
        except (urllib.error.URLError, OSError):
            time.sleep(1)
            has_reports.set()
            continue
        with lock:
            del reports[: len(part)]
            for report in part:
                if report["kind"] == "finished":
                    running.pop((report["instanceId"], report["attempt"]), None)
            if reports:
                has_reports.set()


def beat():
    global heard_at
    with lock:
        mine = [{"instanceId": instance_id, "attempt": attempt} for instance_id, attempt in running]
    load = {"cpu": os.getloadavg()[0] / (os.cpu_count() or 1), "memory": 0, "running": len(mine), "queued": 0}
    body = {"executorId": session["executorId"], "bootId": session["bootId"], "running": mine, "load": load}
    answer = call("/executor/heartbeat", body, session["sessionToken"])
    heard_at = time.monotonic()
    # unknown: the server has moved on without this attempt
    for one in answer["cancel"] + answer["unknown"]:
        run = running.get((one["instanceId"], one["attempt"]))
        if run is not None:
            run.canceled.set()


def beat_for_ever(address):
    while not stopping.wait(session["heartbeatMs"] / 1000):
        try:
            beat()
        except urllib.error.HTTPError as error:
            if error.code == 409:
                print("a newer process has my name: I stop", flush=True)
                stopping.set()
            elif error.code == 401:
                again(address)
        except (urllib.error.URLError, OSError):
            pass
        if time.monotonic() - heard_at > STOP_WITHOUT_SERVER_S:
            for run in list(running.values()):
                if run.movable:
                    run.canceled.set()


def again(address):
    try:
        register(address)
    except (urllib.error.URLError, OSError):
        pass


def main():
    listener = ThreadingHTTPServer((HOST, PORT), Orders)
    address = f"http://{HOST}:{listener.server_port}"
    register(address)
    for work in (listener.serve_forever, report_for_ever):
        threading.Thread(target=work, daemon=True).start()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_args: stopping.set())
    print(f"{NAME} has joined at {address}; stop it with Ctrl-C", flush=True)
    beat_for_ever(address)
    # what runs may end, and its end be told
    until = time.monotonic() + 30
    while (running or reports) and time.monotonic() < until:
        time.sleep(0.1)


main()
