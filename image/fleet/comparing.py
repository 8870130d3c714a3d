"""Compares two sets of runs, before and after a change: what differs of the machines, how often registers were
lost, and whether that is more than chance.

The statistics, all of them exact:
- a rate is findings of registers by exits that left the guest; its 95 % interval is that of a Poisson count (Garwood,
  Biometrika 28, 1936);
- two rates are compared by the conditional test (Przyborowski and Wilenski, Biometrika 31, 1940): if both are the same,
  the findings of all runs fall on the two sides as their exits do, a binomial distribution. p is twice the smaller tail;
- runs with a finding and runs without are compared by Fisher's exact test, twice the smaller tail.
The first two take findings as independent. A host that is loaded now and then loses registers in bursts, and then they
make too much of a difference: the test by runs does not."""
import math
from dataclasses import dataclass, field
from typing import Callable, Dict, List, Optional, Set, Tuple

from evidence import Evidence, words_of

ALPHA = 0.05


# --- statistics --------------------------------------------------------------------------------------


def gamma_upper(a: float, x: float) -> float:
    """Q(a, x), the regularized incomplete gamma function (DLMF 8.11.4 below a, 8.9.2 above)."""
    if x <= 0:
        return 1.0
    scale = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        n = a
        while term > total * 1e-16:
            n += 1
            term *= x / n
            total += term
        return 1 - scale * total
    return scale * fraction(lambda n: n * (a - n) if n else 1.0, lambda n: x + 2 * n + 1 - a)


def beta_lower(a: float, b: float, x: float) -> float:
    """I_x(a, b), the regularized incomplete beta function (DLMF 8.17.22)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - beta_lower(b, a, 1 - x)

    def numerator(n: int) -> float:
        m = n // 2
        if n == 0:
            return 1.0
        if n % 2:
            return -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        return m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))

    scale = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    return scale * fraction(numerator, lambda n: 1.0)


def fraction(numerator: Callable[[int], float], denominator: Callable[[int], float]) -> float:
    """A continued fraction, a0/(b0 + a1/(b1 + ...)), by Steed's way: convergents and their differences."""
    d = 1 / denominator(0)
    difference = total = numerator(0) * d
    n = 0
    while abs(difference) > abs(total) * 1e-15 and n < 1000000:
        n += 1
        d = 1 / (denominator(n) + numerator(n) * d)
        difference *= denominator(n) * d - 1
        total += difference
    return total


def solve(falling: Callable[[float], float], wanted: float, high: float) -> float:
    """Where a falling function of 0 to `high` comes to a value."""
    low = 0.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > wanted else (low, middle)
        if high - low < high * 1e-12:
            break
    return (low + high) / 2


def poisson_interval(count: int) -> Tuple[float, float]:
    """What the mean of a Poisson count is, with 95 % confidence."""
    most = count + 10 * math.sqrt(count) + 20
    low = solve(lambda mean: gamma_upper(count, mean), 1 - ALPHA / 2, most) if count else 0.0
    return low, solve(lambda mean: gamma_upper(count + 1, mean), ALPHA / 2, most)


def rates_differ(first: int, exits: int, second: int, other_exits: int) -> float:
    """p of two counts that are as different, if both sides lose registers as often."""
    total, share = first + second, exits / (exits + other_exits)
    if not total:
        return 1.0
    below = beta_lower(second, first + 1, 1 - share) if second else 1.0  # P(X <= first)
    above = beta_lower(first, second + 1, share) if first else 1.0       # P(X >= first)
    return min(1.0, 2 * min(below, above))


def runs_differ(hit: int, runs: int, other_hit: int, other_runs: int) -> float:
    """Fisher's exact test of runs with a finding."""
    total, of = hit + other_hit, runs + other_runs

    def chance(k: int) -> float:
        return math.comb(runs, k) * math.comb(other_runs, total - k) / math.comb(of, total)

    lowest, highest = max(0, total - other_runs), min(total, runs)
    below = sum(chance(k) for k in range(lowest, hit + 1))
    above = sum(chance(k) for k in range(hit, highest + 1))
    return min(1.0, 2 * min(below, above))


def clean_exits_needed(findings: int, exits: int) -> int:
    """So many exits without a finding afterwards are more than chance."""
    return math.ceil(exits * ((2 / ALPHA) ** (1 / findings) - 1))


# --- two sets of runs ----------------------------------------------------------------------------------


@dataclass
class Side:
    """One set of runs, added up."""

    name: str
    runs: list
    facts: Dict[str, List[str]] = field(default_factory=dict)
    exits: int = 0
    findings: int = 0      # of registers, that nobody planted
    storage: int = 0       # wrong blocks of scratch partitions
    stayed: int = 0        # rounds that did not leave the guest
    stayed_exits: Set[str] = field(default_factory=set)
    without_exits: int = 0  # runs in which none did
    without_end: int = 0   # runs that are counted by their last tick
    planted: int = 0
    counted: int = 0       # runs that say how many exits they had, and had any
    hit: int = 0           # of them, with a finding

    @property
    def interval(self) -> Tuple[float, float]:
        low, high = poisson_interval(self.findings)
        return low / self.exits, high / self.exits


FACTS = ["hypervisor", "build", "cpu", "microcode", "firmware", "version", "vCPUs", "AVX-512", "options"]


def facts_of(run) -> Dict[str, str]:  # type: ignore[no-untyped-def]
    evidence: Evidence = run.evidence
    words = words_of(evidence.options(run.start))
    kept = {key: value for key, value in words.items() if key not in ("seed", "end", "ui")}
    options = " ".join(f"{key}={kept[key]}" for key in sorted(kept))
    avx512 = evidence.avx512
    return {"hypervisor": run.hypervisor, "build": run.build, "cpu": run.machine.get("cpu", "-"),
            "microcode": run.machine.get("microcode", "-"), "firmware": run.start.get("firmware", "-"),
            "version": run.start.get("version", "-"), "vCPUs": run.machine.get("cpus", "-"),
            "AVX-512": "-" if avx512 is None else "tested" if avx512 else "not tested",
            "options": options or "defaults" if run.start else "-"}


def side_of(name: str, runs: list) -> Side:
    side = Side(name, runs)
    for run in runs:
        for fact, value in facts_of(run).items():
            values = side.facts.setdefault(fact, [])
            if value != "-" and value not in values:
                values.append(value)
        counts = run.evidence.counted(run)
        side.planted += run.injected
        side.storage += run.storage
        side.stayed += run.stayed
        side.stayed_exits.update(run.stayed_exits)
        side.without_exits += bool(run.stayed and counts and not counts[0])
        if counts and counts[0]:
            side.counted += 1
            side.without_end += not run.done
            side.exits += counts[0]
            side.findings += counts[1]
            side.hit += counts[1] > 0
    return side


@dataclass
class Comparison:
    before: Side
    after: Side

    @property
    def changed(self) -> List[str]:
        return [fact for fact in FACTS if sorted(self.before.facts.get(fact, [])) != sorted(self.after.facts.get(fact, []))]

    @property
    def p(self) -> Optional[float]:
        """None: there is nothing to compare."""
        if not (self.before.exits and self.after.exits) or not self.before.findings + self.after.findings:
            return None
        return rates_differ(self.before.findings, self.before.exits, self.after.findings, self.after.exits)

    @property
    def p_of_runs(self) -> float:
        return runs_differ(self.before.hit, self.before.counted, self.after.hit, self.after.counted)

    @property
    def direction(self) -> str:
        one, other = self.before.findings * self.after.exits, self.after.findings * self.before.exits
        return "less" if other < one else "more" if other > one else "as"

    def conclusion(self) -> str:
        """One sentence."""
        before, after, p = self.before, self.after, self.p
        if not before.exits or not after.exits:
            missing = " and ".join(side.name for side in (before, after) if not side.exits)
            if any(side.stayed and not side.exits for side in (before, after)):
                return f"Nothing can be compared: nothing that ran in {missing} is known to have left the guest."
            return f"Nothing can be compared: no run of {missing} says how many exits it verified."
        if p is None:
            lost = "No register was lost" if before.storage or after.storage else "Nothing was found"
            return f"{lost} on either side: that is no difference, and no sign that something was mended."
        if p < ALPHA:
            nothing = "no register was lost after" if after.storage else "nothing was found after"
            gone = f"registers are lost {self.direction} often after" if after.findings else nothing
            return f"The difference is more than chance ({shown_p(p)}): {gone}."
        text = f"The difference may be chance ({shown_p(p)})."
        if not after.findings and before.findings:
            needed = clean_exits_needed(before.findings, before.exits)
            text += (f" {grouped(needed)} exits without a finding are needed after, to say that it is not;"
                     f" there are {grouped(after.exits)}.")
        return text

    def cautions(self) -> List[str]:
        """What the reader must know before believing it."""
        said = []
        if self.p is not None:
            said.append(f"By runs: {self.before.hit} of {self.before.counted} with findings before, {self.after.hit} of "
                        f"{self.after.counted} after ({shown_p(self.p_of_runs)}). Findings come in bursts where a host is "
                        "loaded in bursts; only more runs under the same load rule that out.")
        machine = [fact for fact in self.changed if fact not in ("options", "version")]
        if len(machine) > 1:
            said.append(f"More than one thing changed ({', '.join(machine)}): the difference may come from any of them.")
        if "options" in self.changed:
            said.append("The options differ: other exits or times may find more or less by themselves.")
        if "version" in self.changed:
            said.append("The versions of zmmtest differ: a newer one may find more.")
        if not self.changed:
            said.append("No fact of the machines in the logs changed: what else was different is for you to know.")
        if self.before.stayed_exits != self.after.stayed_exits:
            said.append("Not the same exits stayed in the guest: what was tested differs.")
        for side in (self.before, self.after):
            said += cautions_of(side)
        return said


def cautions_of(side: Side) -> List[str]:
    """What of a side is in no rate, or in one that it may be wrong in."""
    said = []
    silent = len(side.runs) - side.counted - side.without_exits
    if silent:
        said.append(f"{silent} of {len(side.runs)} runs of {side.name} do not say how many exits they verified, and are in no "
                    "rate.")
    if side.without_exits:
        said.append(f"{side.without_exits} of {len(side.runs)} runs of {side.name} had no exit that left the guest, and are in "
                    "no rate.")
    if side.without_end:
        said.append(f"{side.without_end} of {len(side.runs)} runs of {side.name} have no end, and are counted up to their last "
                    "tick, with what may have stayed in the guest.")
    if side.stayed:
        said.append(f"{grouped(side.stayed)} rounds of {side.name} stayed in the guest, and are in no rate: "
                    f"{', '.join(sorted(side.stayed_exits))}.")
    if side.storage:
        said.append(f"{grouped(side.storage)} findings of {side.name} are wrong blocks of storage and no registers, and are in "
                    "no rate.")
    if side.planted:
        said.append(f"{side.planted} findings of {side.name} were INJECTED by zmmtest itself, and are in no rate.")
    return said


TEST = ("Rate: findings of registers by exits that left the guest, with its exact 95 % interval of a Poisson count (Garwood); "
        "where nothing was found, zmmtest's bound, a third of the exits. Difference: exact conditional test of two Poisson rates, two-sided. Runs: "
        "Fisher's exact test.")


def grouped(value: int) -> str:
    return f"{value:,}"


def shown_p(p: float) -> str:
    return "p < 0.0001" if p < 0.0001 else f"p = {p:.2g}" if p < 0.995 else "p = 1"


def one_in(rate: float) -> str:
    return f"1 in {grouped(round(1 / rate))}" if rate > 0 else "none"


def rate_of(side: Side) -> str:
    if not side.exits:
        return "-"
    low, high = side.interval
    if not side.findings:
        return f"none found: below 1 in {grouped(max(1, side.exits // 3))}"
    return f"{one_in(side.findings / side.exits)} ({one_in(low)} to {one_in(high)})"


def compare(before: list, after: list, names: Tuple[str, str] = ("before", "after")) -> Comparison:
    return Comparison(side_of(names[0], before), side_of(names[1], after))


def rows_of(comparison: Comparison, verdicts: Callable[[list], str]) -> List[Tuple[str, str, str, bool]]:
    """What a table has: the fact, before, after, and whether it changed."""
    sides = (comparison.before, comparison.after)
    rows = [("verdict", *(verdicts(side.runs) for side in sides))]
    rows += [(fact, *("; ".join(side.facts.get(fact, [])) or "-" for side in sides)) for fact in FACTS]
    rows += [("runs", *(str(len(side.runs)) for side in sides)),
             ("exits", *(grouped(side.exits) for side in sides)),
             ("findings", *(grouped(side.findings) for side in sides)),
             ("rate", *(rate_of(side) for side in sides))]
    for fact, key in (("stayed", "stayed"), ("wrong blocks", "storage")):
        if any(getattr(side, key) for side in sides):
            rows.append((fact, *(grouped(getattr(side, key)) for side in sides)))
    return [(fact, one, other, one != other and fact not in ("runs", "exits", "stayed")) for fact, one, other in rows]


def by_host(before: list, after: list) -> List[Tuple[str, Comparison]]:
    """Hosts that are on both sides, each by itself."""
    both = sorted({run.host for run in before} & {run.host for run in after})
    return [(host, compare([run for run in before if run.host == host], [run for run in after if run.host == host]))
            for host in both]


def write_text(comparison: Comparison, hosts: List[Tuple[str, Comparison]], verdicts: Callable[[list], str]) -> None:
    table = [("", comparison.before.name, comparison.after.name, "")]
    table += [(fact, one, other, "changed" if changed else "") for fact, one, other, changed in rows_of(comparison, verdicts)]
    write_table(table)
    print()
    print(comparison.conclusion())
    for caution in comparison.cautions():
        print(f"- {caution}")
    print(f"- {TEST}")
    if len(hosts) > 1:
        print()
        write_table([("HOST", "BEFORE", "AFTER", "BUILD", "RATE BEFORE", "RATE AFTER", "DIFFERENCE")] + [
            (host, verdicts(of.before.runs), verdicts(of.after.runs), builds(of), rate_of(of.before), rate_of(of.after),
             "-" if of.p is None else shown_p(of.p)) for host, of in hosts])


def builds(comparison: Comparison) -> str:
    one, other = ("; ".join(side.facts.get("build", [])) or "-" for side in (comparison.before, comparison.after))
    return one if one == other else f"{one} -> {other}"


WIDEST = 60


def write_table(table: List[Tuple[str, ...]]) -> None:
    """Aligned; a cell that is wider than most goes on without making its column as wide."""
    widths = [min(WIDEST, max(len(row[n]) for row in table)) for n in range(len(table[0]))]
    for row in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
