#!/usr/bin/env python3
"""A machine with a BIOS (SeaBIOS, QEMU's own) says what zmmtest needs, on its screen and on COM1: from each medium, as
a disk, a CD and a USB stick. The screen is read out of the display's memory."""
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]
from tap import check, finish  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
TEXT, COLUMNS, ROWS = 0xB8000, 80, 25
USB = ["-device", "qemu-xhci", "-device", "usb-storage,drive=boot", "-drive", "if=none,id=boot,format=raw,file={}"]
IDE = ["-drive", "format=raw,file={}"]
WAYS = {  # name: medium of make-image, QEMU's arguments
    "a disk without a partition table": ("disk", IDE),
    "the same as a stick": ("disk", USB),
    "a disk with a GPT": ("gpt", IDE),
    "that one as a stick": ("gpt", USB),
    "a CD": ("iso", ["-cdrom", "{}"]),
    "that CD as a stick": ("iso", USB),
    "that CD as a disk": ("iso", IDE),
}


class Machine:
    """One that boots a medium, with QMP on its standard input and output."""

    def __init__(self, work, arguments):
        self.work = work
        self.serial = work / "serial"
        self.serial.write_bytes(b"")
        self.process = subprocess.Popen(
            ["qemu-system-x86_64", "-machine", "pc", "-accel", "tcg", "-m", "64", "-display", "none", "-vga", "std", "-net", "none",
             "-no-reboot", "-qmp", "stdio", "-serial", f"file:{self.serial}", *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.command("qmp_capabilities")

    def command(self, name, **arguments):
        """By QMP, where events and a greeting come in between."""
        self.process.stdin.write(json.dumps({"execute": name, "arguments": arguments}).encode() + b"\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            said = json.loads(line)
            if "return" in said or "error" in said:
                return said
        return {}

    def screen(self):
        memory = self.work / "memory"
        self.command("pmemsave", val=TEXT, size=2 * COLUMNS * ROWS, filename=str(memory))
        text = memory.read_bytes()[::2].decode("cp437")
        return [text[row * COLUMNS:(row + 1) * COLUMNS].rstrip(" \0") for row in range(ROWS)]

    def until(self, holds, seconds=120):
        end = time.monotonic() + seconds
        while not holds() and time.monotonic() < end:
            time.sleep(0.2)
        return holds()

    def restarts(self):
        """By a key: -no-reboot makes that the end of QEMU."""
        self.command("send-key", keys=[{"type": "qcode", "data": "spc"}])
        try:
            return self.process.wait(timeout=60) == 0
        except subprocess.TimeoutExpired:
            return False

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def words():
    """What the code of bios.S says: a line of text each, as the source has them."""
    source = (ROOT / "image/bios.S").read_text()
    parts = [line.split('"')[1] for line in source.splitlines() if line.strip().startswith((".ascii", ".asciz"))]
    return "".join(parts).encode().decode("unicode_escape")


def boot(name, image, arguments, said):
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine(Path(folder), [argument.format(image) for argument in arguments])
        try:
            # COM1 gets the last character after the screen.
            came = machine.until(lambda: machine.serial.read_bytes().endswith(said[-10:].encode()))
            check(f"{name}: COM1 says what is needed", came and machine.serial.read_bytes() == said.encode(),
                  machine.serial.read_bytes())
            screen = machine.screen()
            check(f"{name}: and so does the screen", screen[:said.count("\n")] == said.replace("\r", "").splitlines(), screen)
            check(f"{name}: a key restarts it", machine.restarts())
        finally:
            machine.end()


def main():
    said = words()
    check("the words name the way in VMware's client", "VM Options, Boot Options, Firmware: EFI" in said, said)
    with tempfile.TemporaryDirectory() as folder:
        images = {}
        for medium in ("disk", "gpt", "iso"):
            images[medium] = Path(folder) / medium
            subprocess.run([ROOT / "image/make-image", medium, ROOT / "build/zmmtest.efi", ROOT / "image/zmmtest.conf",
                            images[medium]], check=True)
        for name, (medium, arguments) in WAYS.items():
            boot(name, images[medium], arguments, said)
    return finish()


sys.exit(main())
