"""What the page and the comparison need of a run, beyond zmmtest-collect's table: its lines, as data.

An Evidence takes the lines of one run, one after the other, and keeps so much of each kind that no log,
however long, makes it large. What was left out is counted."""
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Dict, Iterator, List, Optional, Set, Tuple

Values = Dict[str, str]

MOST_LINES = 256      # of each event
MOST_KINDS = 64       # of findings
MOST_MARKS = 20000    # in the course of time
MOST_LANES = 8        # of the first finding of a kind
MOST_TEXT = 256       # characters of one value: as long as a line of the log

VECTORS, DWORDS = 32, 16
GENERAL = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi"] + [f"r{n}" for n in range(8, 16)]
OPMASKS = [f"k{n}" for n in range(8)]
CONTROL = ["rflags", "mxcsr"]
FORMS = {"xmm": (16, 4), "ymm": (16, 8), "zmm": (32, 16)}  # vector registers, and dwords of each


def number(values: Values, key: str) -> int:
    text = values.get(key, "")
    return int(text) if re.fullmatch(r"[0-9]{1,20}", text) else 0


def hexadecimal(values: Values, key: str) -> int:
    text = values.get(key, "")
    return int(text, 16) if re.fullmatch(r"(0x)?[0-9a-f]{1,16}", text) else 0


def shortened(text: str) -> str:
    return text if len(text) <= MOST_TEXT else text[:MOST_TEXT] + "..."


def clipped(values: Values) -> Values:
    return {shortened(key): shortened(value) for key, value in values.items()}


def ranges(text: str, most: int) -> Iterator[int]:
    """The numbers of "0-2,5"; what is no such list has none."""
    for part in text.split(","):
        found = re.fullmatch(r"([0-9]{1,4})(?:-([0-9]{1,4}))?", part)
        if found:
            yield from range(int(found[1]), min(int(found[2] or found[1]), most - 1) + 1)


@dataclass
class Kind:
    """Findings that differ in time, vCPU and exit alone."""

    values: Values        # of the first of them
    first: float          # seconds of the log
    count: int = 0
    last: float = 0
    cpus: Counter = field(default_factory=Counter)
    exits: Counter = field(default_factory=Counter)
    lanes: List[Values] = field(default_factory=list)
    reference: str = ""
    meaning: str = ""

    @property
    def injected(self) -> bool:
        return self.values.get("label") == "INJECTED"

    @property
    def storage(self) -> bool:
        return self.values.get("class") == "storage"


class Map:
    """The register file: what was compared, what was hit, and what of it came back zero."""

    def __init__(self) -> None:
        self.vectors = self.dwords = 0  # that were compared
        self.hit = [0] * VECTORS        # a bit for each dword
        self.zero = [0] * VECTORS
        self.compared: Set[str] = set()
        self.others: Set[str] = set()   # that were hit, by name

    def cover(self, form: str) -> None:
        vectors, dwords = FORMS.get(form, (0, 0))
        self.vectors, self.dwords = max(self.vectors, vectors), max(self.dwords, dwords)
        if form == "zmm":
            self.compared.update(OPMASKS)

    def add_hits(self, values: Values) -> None:
        """One ev=hits line."""
        for entry in values.get("vectors", "").split(","):
            found = re.fullmatch(r"([0-9]{1,2}(?:-[0-9]{1,2})?):([0-9a-f]{1,4}):([0-9a-f]{1,4})", entry)
            for register in ranges(found[1], VECTORS) if found else ():
                if register < VECTORS:
                    self.hit[register] |= int(found[2], 16)
                    self.zero[register] |= int(found[3], 16)
        for names, key in ((OPMASKS, "opmask"), (GENERAL, "general")):
            bits = hexadecimal(values, key)
            self.others.update(name for n, name in enumerate(names) if bits >> n & 1)
        self.others.update(name for name in CONTROL if number(values, name))

    def add_finding(self, values: Values) -> None:
        """One ev=finding line, where the log has no map: its bits stand for each of its registers."""
        dwords = 0
        for part in values.get("bits", "").split(","):
            found = re.fullmatch(r"([0-9]{1,3})(?::([0-9]{1,3}))?", part)
            if found:
                for dword in range(int(found[2] or found[1]) // 32, min(int(found[1]) // 32, DWORDS - 1) + 1):
                    dwords |= 1 << dword
        prefix = ""
        for part in values.get("registers", "").split(","):
            found = re.fullmatch(r"([xyz]mm)([0-9]{1,2}(?:-[0-9]{1,2})?)", part)
            prefix = found[1] if found else ""
            if found:
                self.cover(prefix)
                for register in ranges(found[2], VECTORS):
                    if register < VECTORS:
                        self.hit[register] |= dwords
                        self.zero[register] |= dwords if values.get("class") == "zeroed" else 0
            else:
                self.others.update(names_of(part))


def names_of(part: str) -> List[str]:
    """Registers of a part of a list that are no vector registers: "k0-7", "rax", "lstar"."""
    found = re.fullmatch(r"k([0-7])-([0-7])", part)
    if found:
        return [f"k{n}" for n in range(int(found[1]), int(found[2]) + 1)]
    if part == "none" or re.match(r"[xyz]mm[0-9]", part):
        return []
    return [part] if re.fullmatch(r"[a-z][a-z0-9_-]{1,20}", part) else []


class Evidence:
    """The lines of one run."""

    def __init__(self) -> None:
        self.lines: Dict[str, List[Values]] = {}
        self.left_out: Counter = Counter()
        self.kinds: Dict[Tuple[str, ...], Kind] = {}
        self.by_number: Dict[str, Kind] = {}
        self.marks: List[Tuple[float, str, str, bool]] = []  # when, exit, vCPU ("": of storage), INJECTED
        self.ticks: List[Tuple[float, int, int]] = []        # when, exits, findings
        self.gaps: List[Tuple[float, Values]] = []
        self.began: Optional[float] = None
        self.ended = 0.0
        self.options_text = ""

    def event(self, seconds: float, event: str, values: Values) -> None:
        values = clipped(values)
        self.began = seconds if self.began is None else min(self.began, seconds)
        self.ended = max(self.ended, seconds)
        if event == "finding":
            self.finding(seconds, values)
        elif event == "lane":
            kind = self.by_number.get(values.get("n", ""))
            if kind and len(kind.lanes) < MOST_LANES:
                kind.lanes.append(values)
        elif event == "meaning":
            self.meaning(values)
        elif event == "tick":
            if len(self.ticks) < MOST_MARKS:
                self.ticks.append((seconds, number(values, "exits"), number(values, "findings")))
        elif event == "options":
            if len(self.options_text) < 16 * MOST_TEXT:
                self.options_text += ("" if not self.options_text else " ") + values.get("text", "")
        else:
            if event in ("gap", "pause", "resume") and len(self.gaps) < MOST_LINES:
                self.gaps.append((seconds, {"kind": event, **values}))
            self.keep(event, values)

    def keep(self, event: str, values: Values) -> None:
        if event not in self.lines and len(self.lines) >= MOST_LINES:
            return
        kept = self.lines.setdefault(event, [])
        if len(kept) < MOST_LINES:
            kept.append(values)
        else:
            self.left_out[event] += 1

    def finding(self, seconds: float, values: Values) -> None:
        key = tuple(values.get(name, "") for name in ("label", "class", "registers", "bits", "component", "exception",
                                                      "signature"))
        storage = values.get("class") == "storage"
        if storage:
            key += (values.get("scratch", ""), values.get("from", "").split(":")[0])
        if key not in self.kinds and len(self.kinds) >= MOST_KINDS:
            self.left_out["finding"] += 1
        else:
            if key not in self.kinds:
                self.by_number[values.get("n", "")] = self.kinds[key] = Kind(values, seconds)
            kind = self.kinds[key]
            kind.count += 1
            kind.last = seconds
            kind.cpus[values.get("cpu", "?")] += 1
            kind.exits[values.get("exit", "?")] += 1
        if len(self.marks) < MOST_MARKS:
            # The vCPU of a wrong block is the one that looked for it, and the exit what it held in.
            place = ("storage", "") if storage else (values.get("exit", "?"), values.get("cpu", "?"))
            self.marks.append((seconds, *place, "label" in values))

    def meaning(self, values: Values) -> None:
        """Of the first finding of a signature or a class: it goes for all of them."""
        of = self.by_number.get(values.get("n", ""))
        if not of:
            return
        of.reference = of.reference or values.get("reference", "")
        of.meaning = f"{of.meaning} {values.get('text', '')}".strip()[:4 * MOST_TEXT]

    def explained(self, kind: Kind) -> Tuple[str, str]:
        """Meaning and reference of a kind: where it was told, or of another one alike."""
        def alike(other: Kind) -> bool:
            name = kind.values.get("signature", "none")
            return other.values.get("signature") == name and (
                name != "none" or other.values.get("class") == kind.values.get("class"))

        for other in [kind, *self.kinds.values()]:
            if other.meaning and alike(other):
                return other.meaning, other.reference
        return "", ""

    def of(self, event: str) -> List[Values]:
        return self.lines.get(event, [])

    def map(self, injected: bool) -> Map:
        """What was hit on all vCPUs; or what was planted."""
        result = Map()
        lines = self.of("hits")
        for values in lines:
            result.cover(values.get("form", ""))
            bits = hexadecimal(values, "compared")
            result.compared.update([name for n, name in enumerate(GENERAL) if bits >> n & 1] + CONTROL)
            if ("label" in values) == injected:
                result.add_hits(values)
        for kind in self.kinds.values():
            if kind.injected == injected:
                if lines:  # the map has no system registers
                    result.others.update(name for part in kind.values.get("registers", "").split(",")
                                         for name in names_of(part))
                else:
                    result.add_finding(kind.values)
        if not lines:
            self.cover_by_state(result)
        result.compared.update(name for values in self.of("registers") for key in ("pattern", "same")
                               for name in values.get(key, "").split(",") if names_of(name))
        return result

    def cover_by_state(self, result: Map) -> None:
        """Of a log without a map, what was compared is what XCR0 has; the events' own registers are not known."""
        for values in self.of("state"):
            components = values.get("components", "")
            result.cover("zmm" if "ZMM_Hi256" in components else "ymm" if "AVX" in components else "xmm")
            result.compared.update(GENERAL + CONTROL)

    @property
    def avx512(self) -> Optional[bool]:
        """Whether it was tested; None where the log says nothing of it."""
        states = self.of("state")
        return any("ZMM_Hi256" in values.get("components", "") for values in states) if states else None

    def options(self, start: Values) -> str:
        return self.options_text or start.get("options", "")

    def counted(self, run: Any) -> Optional[Tuple[int, int]]:
        """Exits that left the guest, and findings of registers that nobody planted; None where the log does not say.

        A log without an end has them by its last tick. That counts wrong blocks as findings, and rounds that stayed."""
        if run.done:
            return run.exits, run.lost
        if not self.ticks or any(kind.injected or kind.storage for kind in self.kinds.values()):
            return None
        return self.ticks[-1][1], self.ticks[-1][2]


def words_of(options: str) -> Dict[str, str]:
    """Options by their keys, from ev=start's `options`: "SOURCE: key=value ...; SOURCE: ...". Later ones win."""
    found = re.findall(r"(?:^|[ ;])([a-z_]+)=([^ ;]+)", options)
    return dict(found)


def repeat(options: str, start: Values, exit_name: str = "") -> str:
    """The line of options that runs it once more, with the same patterns; with one exit alone, if it is named."""
    words = words_of(options)
    if "seed" in start:
        words["seed"] = start["seed"]
    if exit_name and re.fullmatch(r"[a-z0-9-]+", exit_name) and exit_name != "inject":
        words["exits"] = exit_name
    return " ".join(f"{key}={value}" for key, value in words.items())
