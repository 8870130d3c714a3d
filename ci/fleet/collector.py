"""zmmtest-collect as tests run it: by a Python that has jinja2, which its page needs.

The python3 that comes first in PATH may be one of somebody's own (pyenv, conda) that has none. Debian's has it, by
python3-jinja2."""
import subprocess
from pathlib import Path

PROGRAM = Path(__file__).resolve().parents[2] / "image/fleet/zmmtest-collect"
DEBIANS = "/usr/bin/python3"


def has_jinja2(python):
    try:
        return subprocess.run([python, "-c", "import jinja2"], stderr=subprocess.DEVNULL, check=False).returncode == 0
    except OSError:
        return False


WITH_JINJA2 = next((python for python in ("python3", DEBIANS) if has_jinja2(python)), "")
COLLECT = [WITH_JINJA2, PROGRAM] if WITH_JINJA2 else [PROGRAM]


def missing():
    """Why there can be no page; "": there can."""
    return "" if WITH_JINJA2 else f"no jinja2 for python3, nor for {DEBIANS} (python3-jinja2)"
