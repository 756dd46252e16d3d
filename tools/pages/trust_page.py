"""What the trust page shows: what was checked, by which oracle and with what error.

``python -m tools.pages.trust_page --write`` verifies, counts the bad calls and writes the record;
``--mutants`` writes the score of the last ``make mutants``.
"""

import argparse
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

from stbp_edu.files import read_json, write_json
from stbp_edu.verify import report
from tools.pages.records import FOLDER

RECORDS = FOLDER / "trust"
MUTMUT = Path("mutants", "mutmut-cicd-stats.json")  # what make mutants leaves


def read_trust() -> dict[str, Any]:
    """Return the records by name; what has not been made yet is empty."""
    names = {"verify": "verify", "score": "mutation-score"}
    paths = {name: RECORDS / f"{stem}.json" for name, stem in names.items()}
    return {name: read_json(path) if path.exists() else {} for name, path in paths.items()}


def names(records: Mapping[str, Any]) -> dict[str, object]:
    """Return the names in ``docs/trust.md``."""
    return {**records, "judged": judged}


def judged(verify: Mapping[str, Any], rule: str) -> Iterator[tuple[str, list[Any]]]:
    """Yield each equation under one rule, with the verdict of each oracle that compared it."""
    chosen = [v for v in verify["verdicts"] if v["rule"] == rule and v["equal"]]
    for id, found in groupby(chosen, lambda v: v["id"]):
        yield id, list(found)


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
    """Write the records that are asked for."""
    parser = argparse.ArgumentParser(prog="python -m tools.pages.trust_page", description=__doc__)
    parser.add_argument("--write", action="store_true", help="verify, and write the record")
    parser.add_argument("--mutants", action="store_true", help="note the score of make mutants")
    args = parser.parse_args()
    if args.write:
        write_json(RECORDS / "verify.json", measure())
    if args.mutants:
        counts = {k: v for k, v in read_json(MUTMUT).items() if v}
        day = {"date": date.today().isoformat(), "command": "make mutants"}
        write_json(RECORDS / "mutation-score.json", day | counts)


if __name__ == "__main__":
    main()
