#!/usr/bin/env python3
"""The KubeVirt manifest: the machine by the types of KubeVirt's own API, and run.sh with the real kubectl against a
small API server, which lets the Job's account do what the manifest's Role says and nothing else. Each right is taken
away once: then there is no verdict."""
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import yaml

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parents[1])]
from manifest import manifest  # noqa: E402
from tap import check, finish  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
CACHE = ROOT / ".cache/fleet"
KUBECTL = CACHE / "kubernetes-client/usr/bin/kubectl"
TYPES = CACHE / "kubevirt-api/package/dist/kubevirt/index.d.ts"
NAME, POD = "zmmtest-worker-1", "virt-launcher-zmmtest-worker-1-abcde"
LEAVES_AFTER = 4  # seconds: longer than kubectl takes for two commands
MACHINES, PODS = "virtualmachineinstances", "pods"


class Api:
    """KubeVirt's API as its generated TypeScript declares it: interfaces with fields, and enumerations."""

    def __init__(self, text):
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
        self.interfaces = {name: dict(re.findall(r"^    (\w+\??): ((?:\{.*?\n    \}|[^\n]+?));$", body, re.MULTILINE | re.DOTALL))
                           for name, body in re.findall(r"^interface (\w+) \{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL)}
        self.enumerations = {name: re.findall(r'"([^"]*)"', body)
                             for name, body in re.findall(r"^declare const (\w+): \{(.*?)^\};", text, re.MULTILINE | re.DOTALL)}

    def wrong(self, value, kind, where):
        """What of a value is not as the API has it, in words."""
        array = re.fullmatch(r"Array<(.*)>", kind)
        mapping = re.fullmatch(r"\{\s*\[key: string\]: (.*?);\s*\}", kind, re.DOTALL)
        plain = {"string": str, "boolean": bool, "number": (int, float), "object": object}
        if array or mapping:
            if not isinstance(value, list if array else dict):
                return [f"{where}: {value!r} is no {kind}"]
            items = enumerate(value) if array else value.items()
            return [words for key, item in items for words in self.wrong(item, (array or mapping)[1], f"{where}.{key}")]
        if kind in self.enumerations:
            return [] if value in self.enumerations[kind] else [f"{where}: {value!r} is none of {self.enumerations[kind]}"]
        if kind in plain:
            right = isinstance(value, plain[kind]) and (kind != "number" or not isinstance(value, bool))
            return [] if right else [f"{where}: {value!r} is no {kind}"]
        if kind not in self.interfaces:
            return [f"{where}: nothing is known of {kind}"]
        if not isinstance(value, dict):
            return [f"{where}: {value!r} is no {kind}"]
        fields = {name.rstrip("?"): field for name, field in self.interfaces[kind].items()}
        words = [f"{where}.{name}: missing" for name in self.interfaces[kind] if not name.endswith("?") and name not in value]
        for name, inner in value.items():
            words += self.wrong(inner, fields[name], f"{where}.{name}") if name in fields else [f"{where}.{name}: unknown"]
        return words


def check_types(vmi):
    api = Api(TYPES.read_text())

    def wrong(change):
        copy = json.loads(json.dumps(vmi))
        change(copy["spec"])
        return api.wrong(copy, "V1VirtualMachineInstance", "vmi")

    check("the machine is as KubeVirt's API has it", wrong(lambda spec: None) == [], wrong(lambda spec: None))
    for what, change in {
            "a field of another name": lambda spec: spec["domain"]["devices"].update(logSerialConsol=True),
            "a value of another type": lambda spec: spec["domain"]["devices"].update(logSerialConsole="yes"),
            "a field in another place": lambda spec: spec.update(firmware=spec["domain"].pop("firmware")),
            "what is missing": lambda spec: spec["volumes"][0]["containerDisk"].pop("image"),
            "a wrong item of a list": lambda spec: spec["domain"]["devices"]["disks"][0].update(bootOrder="1")}.items():
        check(f"which sees {what}", wrong(change) != [])


class Cluster(ThreadingHTTPServer):
    """What of an API server kubectl asks for here. One machine, whose pod is there once the machine is. It takes a moment to
    go, as KubeVirt has a finalizer. At first there is that of a run before, of a node that was lost."""

    daemon_threads = True

    def __init__(self, rules, log):
        super().__init__(("127.0.0.1", 0), Request)
        self.rules = rules
        self.log = log
        self.machine = GONE
        self.leaves_at = None
        self.asked = []    # (verb, resource)
        self.refused = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # kubectl leaves when it likes

    def look(self):
        if self.leaves_at and time.monotonic() > self.leaves_at:
            self.machine = self.leaves_at = None
        return self.machine

    def delete(self):
        self.leaves_at = self.leaves_at or time.monotonic() + LEAVES_AFTER

    def lets(self, group, resource, verb):
        return any(group in rule["apiGroups"] and resource in rule["resources"] and verb in rule["verbs"] for rule in self.rules)


GONE = {"kind": "VirtualMachineInstance", "apiVersion": "kubevirt.io/v1", "metadata": {
    "name": NAME, "namespace": "default", "uid": "0", "resourceVersion": "1"}}
RESOURCES = {"api/v1": (PODS, "Pod", []), "apis/kubevirt.io/v1": (MACHINES, "VirtualMachineInstance", ["vmi", "vmis"])}
# All of a server's OpenAPI that kubectl insists on: a document that knows no kinds (swagger 2.0, protobuf).
OPENAPI = b"\x0a\x032.0\x12\x08\x0a\x03all\x12\x011\x42\x00"


class Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, body, code=200, kind="application/json"):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def status(self, code, reason, message):
        self.reply({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure" if code >= 400 else "Success",
                    "reason": reason, "message": message, "code": code}, code)

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def start_stream(self, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def do_GET(self):
        path = urlsplit(self.path).path.strip("/")
        if path == "api":
            self.reply({"kind": "APIVersions", "versions": ["v1"]})
        elif path == "apis":
            version = {"groupVersion": "kubevirt.io/v1", "version": "v1"}
            self.reply({"kind": "APIGroupList", "apiVersion": "v1", "groups": [
                {"name": "kubevirt.io", "versions": [version], "preferredVersion": version}]})
        elif path in RESOURCES:
            plural, kind, short = RESOURCES[path]
            self.reply({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": path.split("/", 1)[1], "resources": [
                {"name": plural, "singularName": "", "namespaced": True, "kind": kind, "shortNames": short,
                 "verbs": ["create", "delete", "get", "list", "watch"]}]})
        elif path == "openapi/v2":
            self.reply(OPENAPI, kind="application/com.github.proto-openapi.spec.v2.v1.0+protobuf")
        else:
            self.resource("get")

    def do_POST(self):
        self.resource("create")

    def do_DELETE(self):
        self.resource("delete")

    def resource(self, verb):
        url = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = re.fullmatch(r"/(api/v1|apis/kubevirt.io/v1)/namespaces/default/(pods|virtualmachineinstances)(?:/([^/]+))?(/log)?",
                             url.path)
        if not parts:
            self.status(404, "NotFound", f"{url.path}: not here")
            return
        group, resource, name = parts[1].split("/")[1] if parts[1] != "api/v1" else "", parts[2] + (parts[4] or ""), parts[3]
        if verb == "get" and not name:
            verb = "watch" if query.get("watch") in ("true", "1") else "list"
        self.server.asked.append((verb, resource))
        if not self.server.lets(group, resource, verb):
            self.server.refused.append((verb, resource))
            self.status(403, "Forbidden", f"zmmtest cannot {verb} {resource}")
        elif resource == MACHINES:
            self.machines(verb, name, body)
        else:
            self.pods(resource, name, query)

    def machines(self, verb, name, body):
        there = self.server.look()
        if verb == "create" and there:
            self.status(409, "AlreadyExists", f'{MACHINES} "{NAME}" already exists')
        elif verb == "create":
            machine = json.loads(body)
            machine["metadata"].update(uid="1", namespace="default", resourceVersion="1")
            self.server.machine = machine
            self.reply(machine, 201)
        elif verb == "watch":
            self.start_stream("application/json")
            while self.server.look():
                time.sleep(0.1)
            self.chunk(json.dumps({"type": "DELETED", "object": there or GONE}).encode() + b"\n")
            self.chunk(b"")
        elif verb == "list":
            self.reply({"kind": "VirtualMachineInstanceList", "apiVersion": "kubevirt.io/v1", "metadata": {"resourceVersion": "2"},
                        "items": [there] if there else []})
        elif not there or there["metadata"]["name"] != name:
            self.status(404, "NotFound", f'{MACHINES} "{name}" not found')
        elif verb == "get":
            self.reply(there)
        else:
            self.server.delete()
            self.reply({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": {
                "name": name, "group": "kubevirt.io", "kind": MACHINES, "uid": there["metadata"]["uid"]}})

    def pods(self, resource, name, query):
        pod = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": POD, "namespace": "default"},
               "spec": {"containers": [{"name": "compute"}, {"name": "guest-console-log"}]}, "status": {"phase": "Running"}}
        labels = {"kubevirt.io": "virt-launcher", **(self.server.look() or GONE)["metadata"].get("labels", {})}
        wanted = dict(part.split("=") for part in query.get("labelSelector", "").split(",") if part)
        if resource == "pods/log":
            self.log_of(query)
        elif name:
            self.reply(pod)
        else:
            chosen = self.server.look() and wanted and all(labels.get(key) == value for key, value in wanted.items())
            self.reply({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": [pod] if chosen else []})

    def log_of(self, query):
        if query.get("container") != "guest-console-log":
            self.status(400, "BadRequest", "which container?")
            return
        self.start_stream("text/plain")
        for line in self.server.log.splitlines(keepends=True):
            self.chunk(line)
        while query.get("follow") == "true" and self.server.look():  # a machine that stands at its menu says no more
            time.sleep(0.1)
        self.chunk(b"")


def run(script, vmi, rules, log, limit="60"):
    """run.sh over such a cluster: exit code, what it said, the cluster afterwards."""
    cluster = Cluster(rules, log)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "vmi.yaml").write_text(vmi)
        (work / "run.sh").write_text(script.replace("/zmmtest/vmi.yaml", str(work / "vmi.yaml")))
        (work / "sleep").write_text("#!/bin/sh\nexec /bin/sleep 0.3\n")
        (work / "sleep").chmod(0o755)
        (work / "config").write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "it",
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}], "users": [{"name": "it", "user": {}}],
            "clusters": [{"name": "it", "cluster": {"server": f"http://127.0.0.1:{cluster.server_port}"}}]}))
        environment = dict(os.environ, LIMIT=limit, HOME=folder, KUBECONFIG=str(work / "config"),
                           PATH=f"{work}:{KUBECTL.parent}:{os.environ['PATH']}")
        result = subprocess.run(["sh", work / "run.sh"], env=environment, capture_output=True, timeout=240, check=False)
    left = cluster.look() is not None and cluster.leaves_at is None
    cluster.shutdown()
    cluster.server_close()
    cluster.left = left
    return result.returncode, result.stdout, result.stderr, cluster


def check_script(parts):
    script, vmi, rules = parts["ConfigMap"]["data"]["run.sh"], parts["ConfigMap"]["data"]["vmi.yaml"], parts["Role"]["rules"]
    start = b"zmmtest ts=0.400 ev=start version=0.2\r\n" + b"zmmtest ts=1.000 ev=tick elapsed=1\r\n" * 30
    logs = {verdict: start + f'zmmtest ts=9.000 ev=done verdict={verdict} exits=1 findings=0 reason="some"\r\n'.encode()
            for verdict in ("PASS", "FAIL", "INCOMPLETE", "ERROR")}
    for code, (verdict, log) in enumerate(logs.items()):
        got, said, errors, cluster = run(script, vmi, rules, log)
        check(f"{verdict} is {code}", got == code, got, said[-300:], errors[-500:])
        check("the log is whole", said == log, said, errors[-500:])
        check("nothing was refused, and the machine is removed", not cluster.refused and not cluster.left
              and cluster.asked.count(("create", MACHINES)) == 1 and cluster.asked.count(("delete", MACHINES)) == 2,
              cluster.asked, errors)
    for rule in rules:
        for resource in rule["resources"]:
            for verb in rule["verbs"]:
                less = [dict(other, resources=[r for r in other["resources"] if r != resource or other is not rule])
                        for other in rules] + [dict(rule, resources=[resource], verbs=[v for v in rule["verbs"] if v != verb])]
                got, said, errors, cluster = run(script, vmi, less, logs["PASS"], limit="30")
                needed = bool(cluster.refused)
                check(f"without the right to {verb} {resource}: {'no PASS, or a machine left' if needed else 'not asked for'}",
                      not needed or got == 3 or cluster.left, got, said[-200:], errors[-300:])
                print(f"#   {verb} {resource}: {'needed' if needed else 'not asked for here'}", flush=True)


def main():
    print("#", (CACHE / "versions").read_text().splitlines()[2], flush=True)
    parts = manifest()
    check_types(yaml.safe_load(parts["ConfigMap"]["data"]["vmi.yaml"]))
    check_script(parts)
    return finish()


sys.exit(main())
