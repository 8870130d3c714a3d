"""A headless chromium for tests, by chromedriver's WebDriver (W3C): a page, what is in it, keys, pictures."""
import base64
import json
import os
import shutil
import signal
import subprocess
import time
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # W3C WebDriver, 11
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
             "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"]
PATIENCE = 120  # seconds: chromium may be slow to start on a busy machine
KEYS = {"Tab": "\ue004", "Enter": "\ue007", "Space": " "}


def missing():
    """Why there is no browser; "": there is."""
    lost = [name for name in ("chromium", "chromedriver") if not shutil.which(name)]
    return " and ".join(lost) + " not installed" if lost else ""


class Browser:
    """One window of one browser of its own, whose profile is in `folder`, and beside that what it leaves behind."""

    def __init__(self, folder, width=1280, height=1000):
        # A group of its own: chromium is ended with its driver, whatever became of that.
        self.driver = subprocess.Popen([shutil.which("chromedriver"), "--port=0"], stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, start_new_session=True, text=True,
                                       env=dict(os.environ, TMPDIR=os.path.dirname(folder)))
        self.session = ""
        port = self.port()
        self.address = f"http://127.0.0.1:{port}/session"
        options = {"binary": shutil.which("chromium"),
                   "args": ARGUMENTS + [f"--user-data-dir={folder}", f"--window-size={width},{height}"]}
        made = self.ask("", {"capabilities": {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}})
        self.session = "/" + made["sessionId"]

    def port(self):
        for line in self.driver.stdout:
            if "started successfully on port" in line:
                return int(line.rsplit(" ", 1)[1].strip(". \n"))
        raise RuntimeError("chromedriver did not start")

    def ask(self, command, values=None, method=None):
        data = None if values is None else json.dumps(values).encode()
        request = urllib.request.Request(self.address + self.session + command, data, {"Content-Type": "application/json"},
                                         method=method)
        # No proxy: it is on this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=PATIENCE) as answer:
            return json.load(answer)["value"]

    def open(self, path):
        """Opens a file; returns the milliseconds until it was loaded and could be drawn."""
        self.ask("/url", {"url": f"file://{path}"})
        return self.run("return performance.getEntriesByType('navigation')[0].loadEventEnd")

    def open_and_measure(self, path):
        """The same; returns these milliseconds, and those of processor time that the page's own thread took."""
        self.tell("Performance.enable", timeDomain="threadTicks")
        took = self.open(path)
        metrics = {metric["name"]: metric["value"] for metric in self.tell("Performance.getMetrics")["metrics"]}
        self.tell("Performance.disable")
        return took, 1000 * metrics["TaskDuration"]

    def run(self, script, *arguments):
        return self.ask("/execute/sync", {"script": script, "args": list(arguments)})

    def tell(self, command, **values):
        """A command of the DevTools protocol."""
        return self.ask("/goog/cdp/execute", {"cmd": command, "params": values})

    def press(self, *keys):
        actions = [{"type": kind, "value": KEYS[key]} for key in keys for kind in ("keyDown", "keyUp")]
        self.ask("/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def look(self, scheme="light", media=""):
        self.tell("Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self, path):
        path.write_bytes(base64.b64decode(self.ask("/screenshot")))

    def paper(self):
        """The page as a PDF, on A4."""
        return base64.b64decode(self.ask("/print", {"page": {"width": 21.0, "height": 29.7}, "background": True,
                                                    "shrinkToFit": False}))

    def close(self):
        try:
            self.ask("", method="DELETE")
        except OSError:
            pass
        for _ in range(50):
            try:
                os.killpg(self.driver.pid, signal.SIGTERM)
            except ProcessLookupError:
                break
            self.driver.poll()
            time.sleep(0.1)
        self.driver.wait(timeout=PATIENCE)
