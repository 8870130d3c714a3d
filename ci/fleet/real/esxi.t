#!/usr/bin/env python3
"""esxi-fleet over a real govc and a simulated vCenter, vcsim, both of Debian's govmomi: hosts in two datacenters,
interruptions, and what govc refuses, which ci/fleet/govc has to refuse as well.

A VM of vcsim runs nothing: here a guest stands in, which writes COM1's file, vmware.log and its verdict as zmmtest
and VMware would. vcsim knows no serial ports in an OVF: the appliance of this test is without that Item."""
import hashlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2])]
from tap import check, finish  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
CACHE = ROOT / ".cache/fleet"
REAL = CACHE / "bin"
FLEET = ROOT / "image/fleet/esxi-fleet"
PROGRAM = ROOT / "build/zmmtest-linux"
STORE = "LocalDS_0"


def without_serial_port(appliance, target):
    """The appliance less its serial port, with a manifest that is true of it."""
    with tarfile.open(appliance) as ova:
        files = {member.name: ova.extractfile(member).read() for member in ova}
    descriptor, kept = re.subn(rb"\s*<Item[^>]*>(?:(?!</Item>).)*<rasd:ResourceType>21<.*?</Item>", b"",
                               files["zmmtest.ovf"], flags=re.DOTALL)
    assert kept == 1
    files["zmmtest.ovf"] = descriptor
    files["zmmtest.mf"] = "".join(f"SHA256({name})= {hashlib.sha256(files[name]).hexdigest()}\n"
                                  for name in files if name != "zmmtest.mf").encode()
    with tarfile.open(target, "w", format=tarfile.USTAR_FORMAT) as ova:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            ova.addfile(member, io.BytesIO(data))


class Vcenter:
    """vcsim: two datacenters, each with a cluster of three hosts, which share a datastore."""

    def __init__(self, work):
        self.stores = work / "stores"
        self.stores.mkdir()
        self.process = subprocess.Popen(
            [REAL / "vcsim", "-l", "127.0.0.1:0", "-dc", "2", "-cluster", "1", "-host", "3", "-standalone-host", "0"],
            env=dict(os.environ, TMPDIR=str(self.stores)), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        url = re.search(r"GOVC_URL=(\S+)", self.process.stdout.readline()).group(1)
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("GOVC_")}
        self.environment.update(GOVC_URL=url, GOVC_INSECURE="1", GOVMOMI_HOME=str(work / "govmomi"),
                                PATH=f"{REAL}:{os.environ['PATH']}")

    def govc(self, *arguments, **variables):
        return subprocess.run(["govc", *arguments], env=dict(self.environment, **variables), text=True,
                              capture_output=True, timeout=120, check=False)

    def lines(self, *arguments):
        return self.govc(*arguments).stdout.splitlines()

    def vms(self):
        return set(self.lines("find", "-type", "m", "/"))

    def file(self, datacenter, path):
        """A file of a datastore, on this machine."""
        return next(self.stores.glob(f"govcsim-{datacenter}-{STORE}-*")) / path


class Guests(threading.Thread):
    """What zmmtest and VMware do in each VM that is on: by the last letters of its host's name."""

    def __init__(self, vcenter, logs):
        super().__init__(daemon=True)
        self.vcenter = vcenter
        self.logs = logs        # host's name: (log of COM1, verdict), none where it says nothing
        self.over = threading.Event()
        self.options = {}       # host's name: what guestinfo had
        self.pinned = {}        # host's name: VMs that ran on it

    def run(self):
        begun = set()
        while not self.over.wait(0.3):
            for vm in self.vcenter.vms() - begun:
                if "/zmmtest-" in vm and self.vcenter.lines("object.collect", "-s", vm, "runtime.powerState") == ["poweredOn"]:
                    begun.add(vm)
                    self.boot(vm)

    def boot(self, vm):
        info = self.vcenter.govc("vm.info", "-e", vm).stdout
        host = (re.search(r"^ *Host: *(\S+)", info, re.MULTILINE) or [None, None])[1]
        if host is None:  # removed meanwhile
            return
        self.options[host] = re.search(r"guestinfo.zmmtest.options: *(.*)", info).group(1)
        self.pinned.setdefault(host, []).append(vm)
        log, verdict = self.logs[host]
        devices = json.loads(self.vcenter.govc("device.info", "-json", "-vm", vm, "serialport-*").stdout)
        port = next(iter(devices.values()))[0]
        backing = {key.lower(): value for key, value in next(
            value for key, value in port.items() if key.lower() == "backing").items()}
        store, path = re.fullmatch(r"\[(.*)\] (.*)", backing["filename"]).groups()
        assert store == STORE
        self.vcenter.file(vm.split("/")[1], path).write_bytes(log)
        if verdict:
            self.vcenter.govc("vm.change", "-vm", vm, "-e", f"guestinfo.zmmtest.verdict={verdict}",
                              "-e", f"guestinfo.zmmtest.summary={verdict}: some words of it")


class Run:
    """esxi-fleet, over a cluster."""

    def __init__(self, vcenter, work, name, cluster, ova, *options):
        self.out = work / name
        self.process = subprocess.Popen(
            [FLEET, f"--ova={ova}", "--poll=1", f"--datastore={STORE}", f"--out={self.out}", *options, cluster],
            env=vcenter.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def end(self):
        self.said = self.process.communicate(timeout=300)[0]
        return self.process.returncode

    def file(self, host, name):
        path = self.out / host / name
        return path.read_bytes() if path.exists() else b""

    def is_verdict(self, host, verdict):
        return f"{host}: {verdict}: some words of it" in self.said.splitlines() and self.file(host, "serial.log") != b""


def log_of(*options):
    """Of a run of zmmtest, and its verdict. A finding that nobody injected: no machine here has one, so its labels are
    taken off."""
    log = subprocess.run([PROGRAM, "passes=1", "exits=cpuid", *options], capture_output=True, check=False).stdout
    log = re.sub(rb" label=INJECTED| injected=[0-9]*|(?m:^INJECTED.*\n)", b"", log)
    return log, re.search(rb" ev=done verdict=([A-Z]*) ", log).group(1).decode()


def check_well(vcenter, work, ova):
    good, verdict = log_of()
    bad, fail = log_of("inject=zeroed/50")
    hosts = [f"DC1_C0_H{n}" for n in range(3)]
    before = vcenter.vms()
    guests = Guests(vcenter, dict(zip(hosts, [(good, verdict), (bad, fail), (good, "")])))
    guests.start()
    run = Run(vcenter, work, "well", "/DC1/host/DC1_C0", ova, "--parallel=3", "--options=time=5 exits=hold", "--limit=15")
    code = run.end()
    guests.over.set()
    check("the worst verdict is its exit code", code == 1, code, run.said)
    check("a host has its verdict, in the second of two datacenters", run.is_verdict(hosts[0], verdict), run.said)
    check("FAIL", run.is_verdict(hosts[1], "FAIL"), run.said)
    check("COM1 is fetched as it is", run.file(hosts[0], "serial.log") == good and run.file(hosts[1], "serial.log") == bad)
    check("and vmware.log", all(run.file(host, "vmware.log") for host in hosts))
    check("a guest that says nothing in guestinfo has the verdict of its log",
          f"{hosts[2]}: {verdict}" in run.said.splitlines(), run.said)
    check("options are set, and end=menu", set(guests.options.values()) == {"time=5 exits=hold end=menu"}, guests.options)
    check("each host had one VM", sorted(map(len, guests.pinned.values())) == [1, 1, 1], guests.pinned)
    check("which was its own",
          all(vm.endswith(f"-{host}") for host in hosts for vm in guests.pinned.get(host, ["none"])), guests.pinned)
    check("no VM is left, and the others are there", vcenter.vms() == before, vcenter.vms() ^ before)


def check_interrupted(vcenter, work, ova, number):
    before = vcenter.vms()
    guests = Guests(vcenter, {f"DC0_C0_H{n}": (b"", "") for n in range(3)})
    guests.start()
    run = Run(vcenter, work, f"interrupted-{number.name}", "/DC0/host/DC0_C0", ova, "--parallel=2", "--limit=100")
    until = time.monotonic() + 60
    while not guests.options and time.monotonic() < until:
        time.sleep(0.1)
    run.process.send_signal(number)
    code = run.end()
    guests.over.set()
    check(f"{number.name}: no verdict", code == 3, code, run.said)
    check("the hosts that had begun say so",
          all(f"DC0_C0_H{n}: not tested: interrupted" in run.said.splitlines() for n in (0, 1)), run.said)
    check("the third had not its turn", run.file("DC0_C0_H2", "not-tested.log") == b"not tested: it was not its turn\n")
    check("no VM is left", vcenter.vms() == before, vcenter.vms() ^ before)


def check_refused(vcenter, work, appliance):
    before = vcenter.vms()
    run = Run(vcenter, work, "refused", "/DC0/host/DC0_C0", appliance, "--limit=10")
    check("what this vCenter cannot import is no verdict", run.end() == 3, run.said)
    check("and says why", run.said.count(": not tested: import.ova: govc: unsupported resource type: 21\n") == 3, run.said)
    check("no VM is left", vcenter.vms() == before, vcenter.vms() ^ before)


def in_vcsim(argument):
    """The stub's names in vcsim's words."""
    for ours, real in {r"^(.*)/DC/host/C/esx-portless$": r"\1/DC1/host/DC1_C0/DC1_C0_H1", r"^/DC/host/C$": "/DC1/host/DC1_C0",
                       r"^/DC/": "/DC1/", r"\bstore\b": STORE}.items():
        argument = re.sub(ours, real, argument)
    return argument


class Stub:
    """ci/fleet/govc: a cluster /DC/host/C with a host whose VMs have no serial port, as vcsim's."""

    def __init__(self, work):
        self.state = work / "stub"
        for folder in ("vm", "logs"):
            (self.state / folder).mkdir(parents=True)
        (self.state / "hosts").write_text("esx-portless\n")
        (self.state / "logs/pass.log").write_text("a log\n")
        (self.state / "logs/pass.verdict").write_text("PASS\n")

    def govc(self, *arguments, **variables):
        environment = {key: value for key, value in os.environ.items() if not key.startswith("GOVC_")}
        return subprocess.run([ROOT / "ci/fleet/govc", *arguments], text=True, capture_output=True, check=False, timeout=60,
                              env=dict(environment, STUB=str(self.state), **variables))


def check_stub(vcenter, work, ova):
    """Each call in turn to both. What the real one refuses, by the words that are looked for, the stub refuses, too:
    else esxi-fleet could depend on it."""
    stub = Stub(work)
    vm = ["-vm", "/DC/vm/zt"]
    com1 = "zt/zmmtest-com1.log"
    ova = str(ova)
    got = str(work / "got")
    calls = [  # arguments, whether a datacenter is named, whether it is refused
        (["find", "-type", "h", "/DC/host/C"], False, False),
        (["find", "-type", "m", "-name", "zt", "/"], False, False),
        (["import.ova", "-host=/DC/host/C/esx-portless", "-name=zt", ova], False, True),
        (["import.ova", "-host=/DC/host/C/esx-portless", "-name=zt", "/no/such.ova"], True, True),
        (["import.ova", "-host=/DC/host/C/esx-none", "-name=zt", ova], True, True),
        (["import.ova", "-host=/DC/host/C/esx-portless", "-no-such-flag", "-name=zt", ova], True, True),
        (["import.ova", "-host=/DC/host/C/esx-portless", "-name=zt", ova], True, False),
        (["import.ova", "-host=/DC/host/C/esx-portless", "-name=zt", ova], True, True),
        (["collect", "-s", "/DC/vm/zt", "config.files.logDirectory"], False, True),
        (["object.collect", "-s", "/DC/vm/none", "config.files.logDirectory"], False, True),
        (["object.collect", "-s", "/DC/vm/zt", "config.files.logDirectory"], False, False),
        (["device.serial.connect", *vm, f"[store] {com1}"], False, True),
        (["device.serial.add", *vm], False, False),
        (["device.serial.connect", *vm, f"[store] {com1}"], False, False),
        (["vm.change", *vm, "-e", "guestinfo.zmmtest.options=time=5 end=menu"], False, False),
        (["vm.change", "-vm", "/DC/vm/none", "-e", "a=b"], False, True),
        (["cluster.override.change", "-cluster", "/DC/host/C", *vm, "-drs-enabled=false"], False, False),
        (["cluster.override.change", "-cluster", "/DC/host/none", *vm, "-drs-enabled=false"], False, True),
        (["vm.power", "-on", "/DC/vm/zt"], False, False),
        (["vm.power", "-on", "/DC/vm/zt"], False, True),
        (["vm.info", "-e", "/DC/vm/zt"], False, False),
        (["vm.power", "-off", "/DC/vm/zt"], False, False),
        (["vm.power", "-off", "/DC/vm/zt"], False, True),
        (["datastore.download", "[store] zt/vmware.log", got], True, True),
        (["datastore.download", "-ds", "store", "zt/vmware.log", got], False, True),
        (["datastore.download", "-ds", "store", "zt/none.log", got], True, True),
        (["datastore.download", "-ds", "none", "zt/vmware.log", got], True, True),
        (["datastore.download", "-ds", "store", "zt/vmware.log", got], True, False),
        (["vm.destroy", "/DC/vm/zt"], False, False),
        (["no.such.command"], False, True),
    ]
    for arguments, named, refused in calls:
        real = vcenter.govc(*map(in_vcsim, arguments), GOVC_DATASTORE=STORE, **({"GOVC_DATACENTER": "/DC1"} if named else {}))
        ours = stub.govc(*arguments, **({"GOVC_DATACENTER": "/DC"} if named else {}))
        check(f"govc and the stub both {'refuse' if refused else 'do'} {' '.join(arguments[:5])}"
              f"{'' if named else ', with no datacenter named'}",
              (real.returncode != 0) == (ours.returncode != 0) == refused, real, ours)


def main():
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        vcenter = Vcenter(work)
        try:
            print(f"# {(CACHE / 'versions').read_text().splitlines()[0]}: {vcenter.govc('version').stdout.strip()}", flush=True)
            appliance = ROOT / "build/dist/zmmtest.ova"
            ova = work / "zmmtest.ova"
            without_serial_port(appliance, ova)
            check_well(vcenter, work, ova)
            for number in (signal.SIGINT, signal.SIGTERM):
                check_interrupted(vcenter, work, ova, number)
            check_refused(vcenter, work, appliance)
            check_stub(vcenter, work, ova)
        finally:
            vcenter.process.terminate()
            vcenter.process.wait()
    return finish()


sys.exit(main())
