"""Makes one page of evidence out of runs, by the template page.html: a file by itself, which needs no network.

What is shown comes out of logs, so it may be anything. Jinja2 escapes all of it, and the page's own policy forbids any
script but page.js."""
import base64
import hashlib
import math
import os
import sys
from collections import Counter
from typing import Any, Dict, List, Optional, Tuple

import comparing
from evidence import (CONTROL, DWORDS, GENERAL, OPMASKS, VECTORS, Evidence, Kind, Map, clipped, number, repeat,
                      shortened)

HERE = os.path.dirname(os.path.realpath(__file__))
MOST_RUNS = 50     # of a host, in its table
MOST_KINDS = 12    # of a run
OPEN_HOSTS = 4     # so many are shown unfolded

# What each verdict means, for who has never seen one.
MEANINGS = {
    "FAIL": "Registers of a guest came back changed. The guest itself could not have changed them.",
    "FAIL STORAGE": "Registers are not what failed: what was written to a disk came back as something else. Storage, or what "
                    "carries data there and back, is at fault.",
    "ERROR": "The test itself broke, or its log contradicts itself. It says nothing of the host.",
    "NO END": "The log has no end: the machine stopped or was reset, or the run is not over.",
    "CUT OFF": "The log breaks off in the middle of a line.",
    "NO RUN": "There is no run in this file.",
    "FAIL INJECTED": "Registers changed only where zmmtest planted a fault itself, as it was asked to.",
    "INCOMPLETE": "Nothing was found, but something that was asked for could not run here.",
    "PASS": "Everything that was asked for ran, and every register came back each time. That bounds how often one is lost, "
            "in these exits and under this load; it proves no more.",
}


NOTHING_LEFT = ("Nothing that ran left the guest here: what is beneath it was never asked to keep a register, and nothing is "
                "known of it.")
# zmmtest's own words of a wrong block (events_storage.c): the log has none.
WRONG_BLOCK = ("What was written to this block came back as something else. This is no register's fault: suspect the storage, "
               "or what carries data there and back.")


class NoTemplates(Exception):
    """There is no jinja2."""


def environment() -> Any:
    try:
        import jinja2
    except ImportError as error:
        raise NoTemplates(f"--format=html needs jinja2, which {sys.executable} does not have (python3-jinja2 of Debian is that "
                          "of /usr/bin/python3); the other formats do not") from error
    made = jinja2.Environment(loader=jinja2.FileSystemLoader(HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True,
                              undefined=jinja2.StrictUndefined)
    made.filters["grouped"] = comparing.grouped
    return made


def text_of(name: str) -> str:
    with open(os.path.join(HERE, name), encoding="utf-8") as file:
        return file.read()


# --- pictures, as numbers that the template draws ------------------------------------------------------

CELL, ROW, LEFT, TOP = 21, 15, 88, 34  # of the map, in its own units
OTHER_TOP = TOP + DWORDS * ROW + 24
OTHER_WIDTH, OTHER_ROW = 42, 19
OTHERS = [OPMASKS, GENERAL, CONTROL]


def rectangles(of: List[int]) -> List[Tuple[int, int, int, int]]:
    """The dwords that are set, as few rectangles: first register, registers, highest dword, dwords."""
    found: List[Tuple[int, int, int, int]] = []
    first = 0
    for end in range(1, VECTORS + 1):
        if end < VECTORS and of[end] == of[first]:
            continue
        high = DWORDS - 1
        while high >= 0:
            low = high
            while low >= 0 and of[first] >> low & 1:
                low -= 1
            if low < high:
                found.append((first, end - first, high, high - low))
            high = low if low < high else high - 1
        first = end
    return found


def drawn(rectangle: Tuple[int, int, int, int], look: str, sign: str, words: str) -> Dict[str, Any]:
    """With words in it where there is room for them, or else a sign, so that colour is not all that tells."""
    first, registers, high, dwords = rectangle
    width = registers * CELL
    said = words if width > 8 * len(words) else sign
    return {"x": LEFT + first * CELL, "y": TOP + (DWORDS - 1 - high) * ROW, "width": width, "height": dwords * ROW,
            "look": look, "said": said,
            # In the middle, but between two lines.
            "text_x": LEFT + first * CELL + width / 2,
            "text_y": TOP + (DWORDS - 1 - high) * ROW + dwords * ROW / 2 + 4 - (0 if dwords % 2 else ROW / 2)}


def places_of_others() -> Dict[str, Tuple[int, int]]:
    """Where opmasks, general and control registers stand."""
    places = {}
    for n, name in enumerate(OPMASKS + CONTROL):
        places[name] = (LEFT + (n + (n >= len(OPMASKS))) * OTHER_WIDTH, OTHER_TOP)
    for n, name in enumerate(GENERAL):
        places[name] = (LEFT + n * OTHER_WIDTH, OTHER_TOP + OTHER_ROW + 4)
    return places


PLACES = places_of_others()
FRAME = {
    "width": LEFT + VECTORS * CELL + 112, "height": OTHER_TOP + 2 * OTHER_ROW + 8, "cell": CELL, "row": ROW, "left": LEFT,
    "top": TOP, "vectors": VECTORS, "dwords": DWORDS, "other_width": OTHER_WIDTH - 2, "other_row": OTHER_ROW,
    "others": [(name, x, y) for name, (x, y) in PLACES.items()],
    "rows": [(f"{32 * dword + 31}:{32 * dword}", TOP + (DWORDS - 1 - dword) * ROW) for dword in range(DWORDS)],
    "zones": [("ZMM_Hi256", TOP, 8), ("AVX", TOP + 8 * ROW, 4), ("SSE", TOP + 12 * ROW, 4)],
}


def untested(of: Map) -> List[Dict[str, Any]]:
    """Up to three rectangles of the vector registers that were not compared."""
    lines = [((1 << DWORDS) - 1) & ~((1 << of.dwords) - 1 if n < of.vectors else 0) for n in range(VECTORS)]
    return [drawn(rectangle, "none", "", "not compared") for rectangle in rectangles(lines)]


def map_of(evidence: Evidence) -> Optional[Dict[str, Any]]:
    """What the template draws over the frame; None where the log says nothing of registers."""
    real, planted = evidence.map(False), evidence.map(True)
    if not real.vectors and not real.others and not planted.others:
        return None
    hits = []
    for of, look, label in ((planted, "planted", ", INJECTED"), (real, "hit", "")):
        hits += [drawn(rectangle, look, "0", "came back zero" + label) for rectangle in rectangles(of.zero)]
        hits += [drawn(rectangle, look, "X", "came back changed" + label)
                 for rectangle in rectangles([hit & ~zero for hit, zero in zip(of.hit, of.zero)])]
    others = [(name, *PLACES[name], "hit" if name in real.others else "planted" if name in planted.others else "none")
              for name in PLACES if name in real.others | planted.others or name not in real.compared]
    system = sorted((real.compared | real.others | planted.others) - set(PLACES))
    words = words_of_map(real, "")
    return {"untested": untested(real), "hits": hits, "others": others, "planted": bool(planted.others or any(planted.hit)),
            "system_hit": [name for name in system if name in real.others | planted.others],
            "system": [name for name in system if name not in real.others | planted.others],
            "words": words if words or not any(planted.hit) else words_of_map(planted, " (INJECTED)"),
            "whole": bool(evidence.of("hits")), "cpus": hit_cpus(evidence)}


def words_of_map(of: Map, label: str) -> str:
    """What the picture shows, for who cannot see it."""
    said = []
    for dwords_hit, what in ((of.zero, "zero"), ([hit & ~zero for hit, zero in zip(of.hit, of.zero)], "changed")):
        for first, registers, high, dwords in rectangles(dwords_hit):
            name = f"{first}-{first + registers - 1}" if registers > 1 else f"{first}"
            said.append(f"zmm{name} bits {32 * high + 31}:{32 * (high + 1 - dwords)} {what}")
    said += [f"{name} changed" for name in PLACES if name in of.others]
    return "; ".join(said[:12]) + ("; ..." if len(said) > 12 else "") + (label if said else "")


def hit_cpus(evidence: Evidence) -> str:
    """vCPUs with a hit, by the map; by the findings where there is none."""
    lists = [values.get("cpus") or values.get("cpu", "") for values in evidence.of("hits")
             if any(values.get(key, none) != none for key, none in (
                 ("vectors", "none"), ("opmask", "0x0"), ("general", "0x0"), ("rflags", "0"), ("mxcsr", "0")))]
    if not evidence.of("hits"):
        lists = sorted({cpu for kind in evidence.kinds.values() if not kind.storage for cpu in kind.cpus})
    return ", ".join(dict.fromkeys(lists[:16])) + (", ..." if len(lists) > 16 else "")


TIME_LEFT, TIME_WIDTH, TIME_ROW, TIME_BINS = 120, 640, 17, 320
MOST_ROWS = 20


def rows_over_time(marks: list, which: int, place: Any) -> List[Dict[str, Any]]:
    """For each exit, or vCPU, when it had findings: one path. Storage has a row among the exits, and no vCPU."""
    marks = [mark for mark in marks if mark[which]]
    counted = Counter(mark[which] for mark in marks)
    named = [name for name, _ in counted.most_common(MOST_ROWS)]
    if which == 2:
        named.sort(key=lambda cpu: (len(cpu), cpu))
    rows = [{"name": name, "count": counted[name], "at": sorted({place(mark[0]) for mark in marks if mark[which] == name})}
            for name in named]
    rest = [mark for mark in marks if mark[which] not in named]
    if rest:
        rows.append({"name": f"{len(counted) - len(named)} others", "count": len(rest),
                     "at": sorted({place(mark[0]) for mark in rest})})
    return rows


def between(evidence: Evidence) -> List[Tuple[float, float, int]]:
    """From one tick to the next: since when, until when, and how many findings were counted; without those of none."""
    last: Tuple[float, int, int] = (evidence.began or 0.0, 0, 0)
    found = []
    for tick in evidence.ticks:
        if tick[2] > last[2]:
            found.append((last[0], tick[0], tick[2] - last[2]))
        last = tick
    return found


def time_of(evidence: Evidence) -> Optional[Dict[str, Any]]:
    """Findings over time, by exit and by vCPU; how many were counted between two ticks; gaps."""
    if not evidence.marks or evidence.began is None:
        return None
    began, length = evidence.began, max(evidence.ended - evidence.began, 0.001)

    def place(seconds: float) -> int:
        at = min(max((seconds - began) / length, 0), 1)
        return TIME_LEFT + round(at * TIME_BINS) * TIME_WIDTH // TIME_BINS

    exits, cpus = rows_over_time(evidence.marks, 1, place), rows_over_time(evidence.marks, 2, place)
    ticks = [{"x": place(since), "width": max(1, place(until) - place(since) - 1), "count": count,
              "from": round(since - began), "to": round(until - began)} for since, until, count in between(evidence)]
    most = max((tick["count"] for tick in ticks), default=0)
    for tick in ticks:
        tick["height"] = max(2, round(30 * tick["count"] / most))
    gaps = []
    for at, values in evidence.gaps:
        since = place(at - number(values, "ms") / 1000)
        if values.get("kind") != "pause":
            gaps.append({"x": since, "width": max(2, place(at) - since)})
    return {"exits": exits, "cpus": cpus, "ticks": ticks, "most": most, "gaps": gaps, "left": TIME_LEFT,
            "width": TIME_WIDTH, "row": TIME_ROW, "axis": [(TIME_LEFT + n * TIME_WIDTH // 6, seconds_said(
                began + n * length / 6, length)) for n in range(7)]}


def seconds_said(seconds: float, length: float) -> str:
    return f"{seconds:.1f} s" if length < 20 else f"{seconds:.0f} s" if length < 600 else f"{seconds / 60:.0f} min"


# --- a run ---------------------------------------------------------------------------------------------


def duration(seconds: int) -> str:
    hours, minutes = seconds // 3600, seconds // 60 % 60
    said = [f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(hours or minutes) + [f"{seconds % 60} s"]
    return " ".join(said)


def facts_of(run: Any) -> List[Tuple[str, str]]:
    evidence: Evidence = run.evidence
    machine, start = run.machine, run.start
    shown = comparing.facts_of(run)
    vcpus = f"{number(run.done, 'vcpus')} of {shown['vCPUs']} tested" if run.done else shown["vCPUs"]
    facts = [("Hypervisor", run.hypervisor), ("Build", run.build), ("Processor", machine.get("cpu", "-")),
             ("Family, model, stepping", ", ".join(machine.get(key, "-") for key in ("family", "model", "stepping"))),
             ("Microcode", machine.get("microcode", "-")), ("Firmware", start.get("firmware", "-")), ("vCPUs", vcpus),
             ("AVX-512", shown["AVX-512"])]
    facts += [(key.capitalize(), machine[key]) for key in ("hidden", "confidential", "signature") if key in machine]
    tests = evidence.of("selftest")
    facts += [("zmmtest", f"{start.get('version', '-')} ({start.get('commit', '-')})"),
              ("Run, seed", f"{start.get('run', '-')}, {start.get('seed', '-')}"),
              ("Options", evidence.options(start) or "-"),
              ("Duration", duration(number(run.done, "elapsed")) if run.done else
               duration(round(evidence.ended - (evidence.began or 0))) + " of log"),
              ("Self-test", f"{number(tests[-1], 'named')} of {number(tests[-1], 'planted')} planted faults named right"
               if tests else "none in the log"),
              ("Exits verified", exits_said(run)),
              ("Findings", findings_said(run)), rate_fact(run)]
    if "exposure" in run.done:
        facts.append(("Exposure", f"all registers live for {run.done['exposure']} of the time"))
    return facts


def counts_of(run: Any) -> Tuple[int, int]:
    return run.evidence.counted(run) or (0, run.lost)


def exits_said(run: Any) -> str:
    said = comparing.grouped(counts_of(run)[0])
    return f"{said}; {comparing.grouped(run.stayed)} rounds stayed in the guest, and are no test" if run.stayed else said


def findings_said(run: Any) -> str:
    said = [comparing.grouped(run.findings)]
    said += [f"{'all' if count == run.findings else comparing.grouped(count)} of them {what}" for count, what in (
        (run.injected, "INJECTED"), (run.storage, "wrong blocks of storage, no registers")) if count]
    return ", ".join(said)


def rate_fact(run: Any) -> Tuple[str, str]:
    """The rate with its interval, or the bound where nothing was found."""
    side = comparing.side_of("", [run])
    if side.exits and not side.findings:
        below = number(run.done, "below_one_in")
        return "Bound", f"fewer than 1 exit in {comparing.grouped(below)} loses registers (95 % confidence)" if below else "-"
    return "Rate", f"{comparing.rate_of(side)} exits" if side.exits else "-"


def kind_of(evidence: Evidence, kind: Kind, start: Dict[str, str]) -> Dict[str, Any]:
    values = kind.values
    name = values.get("signature", "none")
    meaning, reference = evidence.explained(kind)
    some = [cpu for cpu, _ in kind.cpus.most_common(8)]
    return {
        "title": title_of(kind), "injected": kind.injected, "storage": kind.storage, "where": where_of(values),
        "bits": values.get("bits", "?"), "component": values.get("component", "?"), "count": kind.count,
        "exception": values.get("exception", ""), "known": "" if name == "none" else name, "reference": reference,
        "meaning": WRONG_BLOCK if kind.storage else meaning, "first": kind.first, "last": kind.last, "cpu": values.get("cpu", "?"),
        "exit": values.get("exit", "?"), "round": values.get("round", "?"), "number": values.get("n", "?"),
        "exits": [(exit, count) for exit, count in kind.exits.most_common(12)], "more_exits": max(0, len(kind.exits) - 12),
        "cpus": ", ".join(sorted(some, key=lambda cpu: (len(cpu), cpu))) + (" and others" if len(kind.cpus) > 8 else ""),
        "lanes": [lane_of(lane) for lane in kind.lanes],
        "repeat": values.get("repeat") or repeat(evidence.options(start), start, values.get("exit", ""))}


def title_of(kind: Kind) -> str:
    values = kind.values
    if kind.storage:
        whose = values.get("from", "?").split(":")[0]
        return f"storage, no register: blocks of scratch partition {values.get('scratch', '?')} ({whose}),"
    return f"{values.get('class', '?')}: {values.get('registers', '?')}, bits {values.get('bits', '?')}"


def where_of(values: Dict[str, str]) -> str:
    """Of a wrong block: which, and how much of it."""
    block, words, generation = (values.get(key, "?") for key in ("block", "words", "generation"))
    return f"block {block}, {words} words of 64 bits, of generation {generation}"


def lane_of(lane: Dict[str, str]) -> Dict[str, str]:
    at = number(lane, "lane")
    place = f"word {at}" if lane.get("register") == "block" else f"{64 * at + 63}:{64 * at}"
    return {"register": lane.get("register", "?"), "bits": place, "want": padded(lane.get("want", "?")),
            "got": padded(lane.get("got", "?")), "from": lane.get("from", "?")}


def padded(value: str) -> str:
    return value[2:].rjust(16, "0") if value.startswith("0x") and len(value) <= 18 else value


LEFT_GUEST = {"yes": "left the guest", "some": "left the guest in some rounds", "no": "stayed in the guest by its cycles"}


def exit_of(values: Dict[str, str]) -> Dict[str, Any]:
    findings, rounds = number(values, "findings"), number(values, "rounds")
    extra = [f"{said} {values[key]}" for key, said in (("exposure", "live"), ("interrupts", "interrupts")) if key in values]
    left = values.get("exits", "")
    # As zmmtest has it: what found something was a test, whatever its cycles say.
    stayed = left == "no" and not findings
    if left:
        extra.append("stayed in the guest: no test" if stayed else LEFT_GUEST.get(left, f"exits {left}"))
    return {"name": values.get("name", "?"), "stayed": stayed, "rounds": rounds, "findings": findings,
            "least": number(values, "cycles_min"),
            "median": number(values, "cycles_median"), "total": number(values, "cycles_total"), "extra": ", ".join(extra),
            "rate": comparing.one_in(findings / rounds) if findings and rounds else
                    f"below 1 in {comparing.grouped(number(values, 'below_one_in'))}" if "below_one_in" in values else "-"}


def component_of(values: Dict[str, str]) -> Dict[str, Any]:
    return {"name": values.get("name", "?"), "size": values.get("size", "?"), "reason": values.get("reason", ""),
            "rounds": number(values, "rounds"), "findings": number(values, "findings")}


def pairs_said(values: Dict[str, str], without: Tuple[str, ...] = ()) -> str:
    return ", ".join(f"{key} {value}" for key, value in values.items() if key not in without)


def storage_said(event: str, values: Dict[str, str]) -> str:
    if event == "disk":
        return f"disk {values.get('n', '?')}, read: {pairs_said(values, ('n',))}"
    done = {"write": "written", "read": "read back"}.get(values.get("of", ""), "?")
    return f"scratch partition {values.get('n', '?')}, {done}: {pairs_said(values, ('n', 'of'))}"


def run_of(run: Any) -> Dict[str, Any]:
    evidence: Evidence = run.evidence
    kinds = sorted(evidence.kinds.values(), key=lambda kind: (kind.injected, kind.storage, -kind.count))
    exits = sorted((exit_of(values) for values in evidence.of("exit")), key=lambda of: -of["findings"])
    return {
        "verdict": run.verdict, "reason": run.reason, "file": run.file, "number": run.number, "facts": facts_of(run),
        "kinds": [kind_of(evidence, kind, run.start) for kind in kinds[:MOST_KINDS]],
        "more_kinds": max(0, len(kinds) - MOST_KINDS), "told": run.seen, "findings": run.findings,
        "map": map_of(evidence), "time": time_of(evidence), "exits": exits,
        "components": [component_of(values) for values in evidence.of("component")],
        "storage": [(storage_said(event, values), number(values, "wrong") > 0)
                    for event in ("disk", "storage") for values in evidence.of(event)],
        "wrong_blocks": run.storage,
        "gaps": [(f"{at:.3f}", values.get("kind", "?"), pairs_said(values, ("kind",))) for at, values in evidence.gaps],
        "skips": [(values.get("exit", "?"), values.get("cpus") or values.get("cpu", ""), values.get("reason", "?"))
                  for values in evidence.of("skip")],
        "notices": [values.get("text", "") for values in evidence.of("notice")] +
                   [f"ERROR: {values.get('reason', '')}" for values in evidence.of("error")],
        "left_out": ", ".join(f"{count} lines of {event}" for event, count in sorted(evidence.left_out.items())),
        "again": again(evidence), "within": within(evidence),
        "repeat": repeat(evidence.options(run.start), run.start) if run.start else ""}


def again(evidence: Evidence) -> str:
    """The options, of as many lines as they took: a list breaks at a comma, and else a blank is between them."""
    text = ""
    for values in evidence.of("again"):
        text += (" " if text and not text.endswith(",") else "") + values.get("text", "")
    return text


def within(evidence: Evidence) -> str:
    """How long a run of what was found should take to find it again."""
    rates = evidence.of("rate")
    return rates[-1].get("again_within", "") if rates else ""


# --- hosts ---------------------------------------------------------------------------------------------


def host_of(name: str, runs: list, order: List[str], anchor: str, side: str) -> Dict[str, Any]:
    by_verdict = sorted(runs, key=lambda run: (order.index(run.verdict), -run.findings))
    first = by_verdict[0]
    counted = [counts_of(run) for run in runs]
    known: Counter = sum((run.signatures for run in runs), Counter())
    # A register's finding first, however many blocks were wrong.
    looks = [name for name, _ in sorted(known.items(), key=lambda item: ("of storage" in item[0], -item[1]))[:2]]

    def each(values: List[str]) -> str:
        return ", ".join(sorted({value for value in values if value and value != "-"})) or "-"

    sides = comparing.side_of(name, runs)
    exits, findings = sum(of[0] for of in counted), sum(of[1] for of in counted)
    nothing_left = bool(first.verdict == "INCOMPLETE" and first.stayed and not counts_of(first)[0])
    return {
        "meaning": NOTHING_LEFT if nothing_left else MEANINGS[first.verdict], "nothing_left": nothing_left,
        "storage": sum(run.storage for run in runs),
        "name": name, "side": side, "anchor": anchor, "verdict": first.verdict, "order": order.index(first.verdict),
        "reason": first.reason, "hypervisor": each([run.hypervisor for run in runs]), "build": each([run.build for run in runs]),
        "cpu": each([run.machine.get("cpu", "") for run in runs]),
        "microcode": each([run.machine.get("microcode", "") for run in runs]), "runs": len(runs), "exits": exits,
        "findings": findings, "injected": sum(run.injected for run in runs),
        "rate": comparing.rate_of(sides).split(" (")[0].replace("none found: ", ""),
        "rate_order": sides.findings / sides.exits if sides.exits else -1.0,
        "seconds": sum(number(run.done, "elapsed") for run in runs), "looks": "; ".join(looks) or "-", "run": run_of(first),
        "other_runs": [{"file": run.file, "number": run.number, "verdict": run.verdict, "reason": run.reason,
                        "exits": counts_of(run)[0], "findings": findings_said(run)} for run in by_verdict[1:MOST_RUNS + 1]],
        "more_runs": max(0, len(runs) - 1 - MOST_RUNS)}


def against(hosts: List[Dict[str, Any]], order: List[str], *keys: str) -> Dict[str, Any]:
    """Hosts by what they are and by verdict: which build fails, which does not."""
    verdicts = [verdict for verdict in order if any(host["verdict"] == verdict for host in hosts)]
    groups: Dict[Tuple[str, ...], Counter] = {}
    for host in hosts:
        groups.setdefault(tuple(host[key] for key in keys), Counter())[host["verdict"]] += 1
    rows = [{"name": ", ".join(name), "total": sum(counted.values()), "cells": [(verdict, counted[verdict]) for verdict in verdicts]}
            for name, counted in groups.items()]
    rows.sort(key=lambda row: ([-count for _, count in row["cells"]], row["name"]))
    return {"verdicts": verdicts, "rows": rows[:60], "more": max(0, len(rows) - 60)}


def hosts_of(sides: List[Tuple[str, list]], order: List[str]) -> List[Dict[str, Any]]:
    groups: Dict[Tuple[str, str], list] = {}
    for side, runs in sides:
        for run in runs:
            groups.setdefault((side, run.host), []).append(run)
    hosts = [host_of(name, runs, order, f"host-{n}", side) for n, ((side, name), runs) in enumerate(groups.items())]
    return sorted(hosts, key=lambda host: (host["order"], -host["findings"], host["side"], host["name"]))


BAR_LEFT, BAR_WIDTH = 90, 560


def bars_of(comparison: Any) -> Optional[Dict[str, Any]]:
    """Both rates with their intervals, on one scale by powers of ten."""
    sides = [side for side in (comparison.before, comparison.after) if side.exits]
    if len(sides) < 2:
        return None
    bounds = [side.interval if side.findings else (0.0, 1 / max(1, side.exits // 3)) for side in sides]
    lowest = math.floor(math.log10(min(low or high / 30 for low, high in bounds)))
    highest = max(math.ceil(math.log10(max(high for _, high in bounds))), lowest + 1)

    def place(rate: float) -> float:
        return round(BAR_LEFT + BAR_WIDTH * (math.log10(rate) - lowest) / (highest - lowest), 1) if rate > 0 else BAR_LEFT

    bars = [{"name": which, "low": place(low), "high": place(high), "found": bool(side.findings),
             "at": place(side.findings / side.exits), "said": comparing.rate_of(side)}
            for which, side, (low, high) in zip(("before", "after"), sides, bounds)]
    return {"bars": bars, "left": BAR_LEFT, "width": BAR_WIDTH,
            "axis": [(place(10.0 ** power), f"1 in {comparing.grouped(10 ** -power)}" if power < 0 else "every one")
                     for power in range(lowest, highest + 1)]}


def compared(comparison: Any, pairs: list, order: List[str]) -> Dict[str, Any]:
    def verdicts(runs: list) -> str:
        counted = Counter(run.verdict for run in runs)
        return ", ".join(f"{counted[verdict]} {verdict}" for verdict in order if counted[verdict])

    mended = (comparison.p or 1) < comparing.ALPHA and not comparison.after.storage
    look = "fail" if comparison.after.findings else "pass" if mended else "other"
    return {"look": look, "names": [comparison.before.name, comparison.after.name], "rows": comparing.rows_of(comparison, verdicts),
            "conclusion": comparison.conclusion(), "cautions": comparison.cautions(), "test": comparing.TEST,
            "bars": bars_of(comparison),
            "hosts": [{"name": host, "before": verdicts(of.before.runs), "after": verdicts(of.after.runs),
                       "build": comparing.builds(of), "rate_before": comparing.rate_of(of.before),
                       "rate_after": comparing.rate_of(of.after), "p": "-" if of.p is None else comparing.shown_p(of.p)}
                      for host, of in pairs] if len(pairs) > 1 else []}


def clip(run: Any) -> None:
    """A page is no place for values without an end."""
    run.machine, run.start, run.done = clipped(run.machine), clipped(run.start), clipped(run.done)
    run.builds, run.reason = [shortened(build) for build in run.builds[:8]], shortened(run.reason)
    run.signatures = Counter({shortened(name): count for name, count in run.signatures.items()})


def page_of(runs: list, order: List[str], comparison: Any = None, pairs: Any = ()) -> str:
    """The page. `order` is the verdicts, the worst first; with a comparison `runs` is those of both sides."""
    template = environment().get_template("page.html")
    for run in runs:
        clip(run)
    sides = [("before", comparison.before.runs), ("after", comparison.after.runs)] if comparison else [("", runs)]
    hosts = hosts_of(sides, order)
    script = text_of("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    counted = Counter(host["verdict"] for host in hosts)
    return template.render(
        hosts=hosts, worst=hosts[0]["verdict"], open_hosts=len(hosts) <= OPEN_HOSTS, frame=FRAME,
        storage=sum(host["storage"] for host in hosts),
        counts=[(verdict, counted[verdict]) for verdict in order if counted[verdict]], runs=len(runs),
        compared=compared(comparison, list(pairs), order) if comparison else None, script=script, script_hash=digest,
        style=text_of("page.css"), builds=against(hosts, order, "hypervisor", "build"),
        microcodes=against(hosts, order, "cpu", "microcode"), exits=sum(host["exits"] for host in hosts),
        findings=sum(host["findings"] for host in hosts))
