"""
The ear of executor.sh: takes the server's orders, checks their signatures, and puts each into a file of the folder that is its argument.
Prints its port. The session token is in the file `token`, the boot in `boot`.
"""
import hashlib
import hmac
import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

folder, host, port, capacity = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])


def text_of(name):
    with open(os.path.join(folder, name)) as file:
        return file.read().strip()


def put(kind, name, body):
    """The name appears when the file is whole."""
    with open(os.path.join(folder, name + ".part"), "wb") as file:
        file.write(body)
    os.rename(file.name, os.path.join(folder, kind, name))


def take(path, body):
    order = json.loads(body)
    name = f"{order['instanceId']}-{order['attempt']}"
    if path.endswith("/cancel"):
        put("cancels", name, body)
        return 200, None
    if os.path.exists(os.path.join(folder, "seen", name)):
        return 200, None
    if str(order["bootId"]) != text_of("boot"):
        return 409, "otherBoot"
    if time.time() * 1000 - order["at"] > 10_000:
        return 409, "tooOld"
    if os.path.exists(os.path.join(folder, "cancels", name)):
        return 409, "canceledFirst"
    if order["handler"]["kind"] != "shell":
        return 404, "unknownHandler"
    if len(os.listdir(os.path.join(folder, "running"))) >= capacity:
        return 503, "capacity"
    for kind in ("seen", "running", "orders"):
        put(kind, name, body)
    return 200, None


class Orders(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(min(int(self.headers.get("Content-Length", "0")), 1_048_576))
        at = self.headers.get("X-Tickwheel-Timestamp", "0")
        right = "v1=" + hmac.new(text_of("token").encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
        age_ms = time.time() * 1000 - int(at)
        if not hmac.compare_digest(right, self.headers.get("X-Tickwheel-Signature", "")) or abs(age_ms) > 300_000:
            return self.answer(401, None)
        self.answer(*take(self.path, body))

    def answer(self, status, code):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps({} if code is None else {"code": code}).encode())

    def log_message(self, *_args):
        pass


def outlive_nobody(parent):
    """executor.sh is gone: so are its runs, and this."""
    while os.getppid() == parent:
        time.sleep(0.2)
    groups = os.path.join(folder, "groups")
    for name in os.listdir(groups):
        try:
            os.killpg(int(text_of(os.path.join("groups", name))), signal.SIGKILL)
        except (OSError, ValueError):
            pass
    os._exit(0)


threading.Thread(target=outlive_nobody, args=(os.getppid(),), daemon=True).start()
listener = HTTPServer((host, port), Orders)
put("", "port", str(listener.server_port).encode())
listener.serve_forever()
