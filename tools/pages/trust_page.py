"""The trust page: what was checked, by whom and with what error, from the records of ``trust``.

``python -m tools.pages.trust_page --write`` verifies, counts the bad calls and writes the record.
"""

import argparse
from collections.abc import Iterator, Mapping
from itertools import groupby
from math import sqrt
from pathlib import Path
from typing import Any

from stbp_edu.files import read_json, write_json
from stbp_edu.verify import report
from tools.mutants.judges import JUDGED, by_an_oracle, group, is_judged, settled
from tools.mutants.survivors import reasons
from tools.pages.markdown_tables import folded, table
from tools.pages.published_records import FOLDER
from tools.templates import filled

TEMPLATE = Path(__file__).with_name("templates") / "trust.md"
RECORDS = FOLDER / "trust"
RULES = {
    "both": "the functions of the neuron, and the loss",
    "exact": "exact",
    "classic": "classic",
}


def read_trust() -> dict[str, Any]:
    """Return the records by name; what has not been made yet is empty."""
    return {
        name: read_json(path) if (path := RECORDS / f"{name}.json").exists() else {}
        for name in ("verify", "mutants", "fuzz")
    }


def page(records: Mapping[str, Any]) -> str:
    """Return the page as Markdown: ``templates/trust.md`` with its tables."""
    return filled(
        TEMPLATE, **records, verdict_table=verdict_table, mutant_table=mutant_table,
        group_table=group_table, noticed=noticed, survivors=survivors, fuzz_table=fuzz_table,
        reasons=reasons(), judged=JUDGED, folded=folded,
    )  # fmt: skip


def verdict_table(verify: Mapping[str, Any], rule: str) -> str:
    """Return a row for each equation under one rule: its oracles, and the largest error of each."""
    rows = []
    chosen = [v for v in verify["verdicts"] if v["rule"] == rule and v["equal"]]
    for id, of_id in groupby(chosen, lambda v: v["id"]):
        found = list(of_id)
        errors = "; ".join(f"{v['oracle']} {v['error']:.0e}" for v in found)
        rows.append([f"`{id}`", errors, str(sum(v["compared"] for v in found))])
    return table(["equation", "oracles, with the largest error", "comparisons"], rows)


def score(known: Mapping[str, Any], path: str) -> tuple[int, int]:
    """Return how many changes of a file were noticed, and of how many that change anything."""
    kept = sum(_changes_nothing(path, entry) for entry in known["survived"])
    return known["tried"] - len(known["survived"]), known["tried"] - kept


def _changes_nothing(path: str, entry: Mapping[str, Any]) -> bool:
    """Return whether there is a reason why a change that survived changes nothing."""
    return (path, entry["code"], entry["old"], entry["new"]) in reasons()


def mutant_table(mutants: Mapping[str, Any]) -> str:
    """Return a row for each file: how many changes there are, were tried and were noticed."""
    rows = [
        _row(f"`{path.removeprefix('stbp_edu/')}`", {path: known})
        for path, known in sorted(mutants.items())
    ]
    return table(["file", *COLUMNS], rows)


def group_table(mutants: Mapping[str, Any]) -> str:
    """Return a row for the judged mathematics and each of its classes, and for other files."""
    groups: dict[str, dict[str, Any]] = {}
    for path, known in sorted(mutants.items(), key=lambda item: not is_judged(Path(item[0]))):
        name = "judged mathematics" if is_judged(Path(path)) else f"`{group(Path(path))}`"
        groups.setdefault(name, {})[path] = known
    rows = [_row(*one) for one in groups.items()]
    classes = {"of these, what computes": False, "of these, checks and defaults": True}
    rows[1:1] = [_class_row(name, mutants, checks) for name, checks in classes.items()]
    return table(["files", *COLUMNS], rows)


COLUMNS = ("tried", "noticed, %", "by two, %", "by an oracle and another, %")


def _row(name: str, mutants: Mapping[str, Any]) -> list[str]:
    """Return what is said of some files together; by whom only where oracles are asked."""
    scores = [score(known, path) for path, known in mutants.items()]
    noticed_, of = (sum(column) for column in zip(*scores, strict=True))
    tried, there = (sum(known[k] for known in mutants.values()) for k in ("tried", "changes"))
    judges_of = [
        (names.split(" + "), n) for known in mutants.values() for names, n in known["seen"].items()
    ]
    two, oracle = (
        sum(n for names, n in judges_of if enough(names)) for enough in (settled, by_an_oracle)
    )
    shares = [_share(count, of, tried < there) for count in (noticed_, two, oracle)]
    by_whom = shares[1:] if is_judged(Path(min(mutants))) else ["–", "–"]
    return [name, f"{tried} of {there}", shares[0], *by_whom]


def _class_row(name: str, mutants: Mapping[str, Any], checks: bool) -> list[str]:
    """Return what is said of one class of changes of the judged mathematics, from the lists."""
    judged = {path: known for path, known in mutants.items() if is_judged(Path(path))}
    computing = sum(known["computing"] for known in judged.values())
    tried = sum(known["tried"] for known in judged.values()) - computing if checks else computing
    survived, weakly = (
        [(path, e) for path, known in judged.items() for e in known[of] if e["checks"] is checks]
        for of in ("survived", "weakly")
    )
    noticed_ = tried - len(survived)
    two = noticed_ - sum(" + " not in entry["by"] for _, entry in weakly)
    of = tried - sum(_changes_nothing(*one) for one in survived)
    sample = any(known["tried"] < known["changes"] for known in judged.values())
    shares = [_share(count, of, sample) for count in (noticed_, two, noticed_ - len(weakly))]
    return [name, str(tried), *shares[:2], "–" if checks else shares[2]]


def _share(count: int, of: int, sample: bool) -> str:
    """Return a share in per cent; that of a sample with its 95 % interval, by Wilson's formula."""
    if not of:
        return "–"
    share, z = count / of, 1.96
    middle = (share + z**2 / (2 * of)) / (1 + z**2 / of)
    reach = z * sqrt(share * (1 - share) / of + (z / (2 * of)) ** 2) / (1 + z**2 / of)
    low, high = 100 * (middle - reach), 100 * (middle + reach)
    return f"{100 * share:.1f}" + (f" ({low:.1f} to {high:.1f})" if sample else "")


def noticed(mutants: Mapping[str, Any]) -> str:
    """Return a row for each set of judges: how many changes of all files these noticed."""
    counts: dict[str, int] = {}
    for known in mutants.values():
        for names, count in known["seen"].items():
            counts[names] = counts.get(names, 0) + count
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return table(["noticed by", "changes"], ([names, str(count)] for names, count in ordered))


def survivors(mutants: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each change that nobody noticed, with the reason where one is kept."""
    for path, known in sorted(mutants.items()):
        for one in known["survived"]:
            why = reasons().get((path, one["code"], one["old"], one["new"]), "not killed yet")
            yield f"`{path}:{one['line']}`: `{one['old']}` became `{one['new']}`: {why}"


def fuzz_table(fuzz: Mapping[str, Any]) -> str:
    """Return a row for each target of the fuzzers."""
    rows = [[k, str(f["cases"]), f"{f['seconds']:g} s"] for k, f in sorted(fuzz.items())]
    return table(["target", "cases", "time"], rows)


def measure() -> dict[str, Any]:
    """Return the record of a verification, with the number of bad calls that the tests make."""
    from tests.test_bad_calls import CALLS, CASES

    verdicts = [
        {
            **{"id": v.id, "rule": v.rule, "oracle": v.oracle, "error": v.error},
            **{"compared": len(v.outcomes), "failed": v.failed, "equal": not v.outcomes[0].gap},
        }
        for v in report.run().verdicts
    ]
    return {"verdicts": verdicts, "bad_calls": len(CASES), "functions": len(CALLS)}


def main() -> None:
    """Print the page, after writing the record if asked."""
    parser = argparse.ArgumentParser(prog="python -m tools.pages.trust_page", description=__doc__)
    parser.add_argument("--write", action="store_true", help="verify, and write the record")
    if parser.parse_args().write:
        write_json(RECORDS / "verify.json", measure())
    print(page(read_trust()))


if __name__ == "__main__":
    main()
