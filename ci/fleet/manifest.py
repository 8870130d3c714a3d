"""The parts of image/fleet/kubevirt.yaml, as the tests of it read them."""
from pathlib import Path

import yaml

MANIFEST = Path(__file__).resolve().parents[2] / "image/fleet/kubevirt.yaml"


def manifest():
    text = MANIFEST.read_text().replace("NODE", "worker-1")  # as sed does
    return {document["kind"]: document for document in yaml.safe_load_all(text)}
