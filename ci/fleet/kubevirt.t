#!/usr/bin/env python3
"""The KubeVirt manifest: that it is YAML whose parts fit together, and what its run.sh does with a stub of kubectl
that plays back a log. No cluster was at hand."""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]
from manifest import manifest  # noqa: E402
from tap import check, finish  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
KUBECTL = """#!/bin/sh
# Stands in for kubectl: records its calls, has a pod from the second question on, and a log in parts.
echo "$*" >>"$STUB/calls"
case "$1 $2" in
"create -f") [ ! -e "$STUB/full" ] || { echo "Forbidden: exceeded quota" >&2; exit 1; } ;;
"get pods") [ "$(grep -c '^get pods' "$STUB/calls")" -lt 2 ] || echo pod/virt-launcher-zmmtest-x ;;
"logs -f")
    head -c 500 "$STUB/log"
    # Breaks off the first time, as a connection may.
    [ "$(grep -c '^logs' "$STUB/calls")" -ge 2 ] || exit 1
    tail -c +501 "$STUB/log"
    exec /bin/sleep 5
    ;;
esac
"""


def check_fields(parts, vmi):
    job = parts["Job"]["spec"]["template"]["spec"]
    name = "zmmtest-worker-1"
    kinds = {"ServiceAccount", "Role", "RoleBinding", "ConfigMap", "Job"}
    check("it has all its parts", set(parts) == kinds, set(parts))
    check("each node has a Job, a ConfigMap and a machine of its own", {
        parts["Job"]["metadata"]["name"], parts["ConfigMap"]["metadata"]["name"], vmi["metadata"]["name"],
        job["volumes"][0]["configMap"]["name"]} == {name})
    check("the Job's account is the one with the rights", job["serviceAccountName"]
          == parts["RoleBinding"]["subjects"][0]["name"] == parts["ServiceAccount"]["metadata"]["name"]
          and parts["RoleBinding"]["roleRef"]["name"] == parts["Role"]["metadata"]["name"])
    rights = {resource: set(rule["verbs"]) for rule in parts["Role"]["rules"] for resource in rule["resources"]}
    check("kubectl delete may wait until a machine is gone: with a list and a watch",
          {"delete", "list", "watch"} <= rights["virtualmachineinstances"], rights)
    check("nothing is tried again", parts["Job"]["spec"]["backoffLimit"] == 0 and job["restartPolicy"] == "Never")
    check("pinned to the node", vmi["spec"]["nodeSelector"] == {"kubernetes.io/hostname": "worker-1"})
    domain = vmi["spec"]["domain"]
    check("UEFI without Secure Boot", domain["firmware"]["bootloader"]["efi"] == {"secureBoot": False})
    check("the node's own processor", domain["cpu"]["model"] == "host-passthrough")
    check("COM1 is logged", domain["devices"]["autoattachSerialConsole"] and domain["devices"]["logSerialConsole"])
    check("its disk is there", [disk["name"] for disk in domain["devices"]["disks"]]
          == [volume["name"] for volume in vmi["spec"]["volumes"]])


def run(script, log, full=False, limit="60"):
    """Runs run.sh in a folder of its own; its exit code, output and the calls of kubectl."""
    with tempfile.TemporaryDirectory() as folder:
        stub = Path(folder)
        for name, text in {"kubectl": KUBECTL, "sleep": "#!/bin/sh\nexec /bin/sleep 0.2\n", "run.sh": script}.items():
            (stub / name).write_text(text)
            (stub / name).chmod(0o755)
        (stub / "log").write_bytes(log)
        (stub / "calls").touch()
        if full:
            (stub / "full").touch()
        environment = dict(os.environ, STUB=folder, LIMIT=limit, PATH=f"{folder}:{os.environ['PATH']}")
        result = subprocess.run(["sh", stub / "run.sh"], env=environment, capture_output=True, timeout=60, check=False)
        return result.returncode, result.stdout, (stub / "calls").read_text().splitlines()


def check_script(script):
    start = b"zmmtest ts=0.400 ev=start version=0.1\r\n" + b"zmmtest ts=1.000 ev=tick elapsed=1\r\n" * 30
    for code, verdict in enumerate(["PASS", "FAIL", "INCOMPLETE", "ERROR"]):
        log = start + f'zmmtest ts=9.000 ev=done verdict={verdict} exits=1 findings=0 reason="some"\r\n'.encode()
        got, output, calls = run(script, log)
        check(f"{verdict} is {code}", got == code, got, calls)
        check("the log is whole, though it broke off once", output == log, output)
        check("the machine is removed in the end", calls[-1].startswith("delete vmi zmmtest-worker-1 "), calls)
    got, output, calls = run(script, start, limit="30")
    check("no verdict is no pass", got == 3 and output == start, got)
    check("and the machine is removed", calls[-1].startswith("delete vmi zmmtest-worker-1 "), calls)
    got, output, calls = run(script, start, full=True)
    check("a machine that cannot be made is no pass", got == 3 and not output, got)


def main():
    parts = manifest()
    check_fields(parts, yaml.safe_load(parts["ConfigMap"]["data"]["vmi.yaml"]))
    check_script(parts["ConfigMap"]["data"]["run.sh"])
    return finish()


sys.exit(main())
