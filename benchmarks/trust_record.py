"""Write the records of the trust page: what was checked, by which oracle, with what error.

``python -m benchmarks.trust_record --write`` verifies, and writes the record;
``--mutants`` writes the score of the last ``make mutants``.
"""

import argparse
from datetime import date
from pathlib import Path
from typing import Any

from stbp_edu._support.files import read_json, write_json
from stbp_edu.training.measurements import measurements_folder
from stbp_edu.verify import report

FOLDER = measurements_folder() / "trust"
MUTMUT = Path("mutants", "mutmut-cicd-stats.json")  # what make mutants leaves


def measure() -> dict[str, Any]:
    """Return the record of a verification."""
    verdicts = [
        {
            "id": v.id, "rule": v.rule, "oracle": v.oracle, "error": v.error,
            "compared": len(v.outcomes), "failed": v.failed, "equal": not v.gap,
        }
        for v in report.run().verdicts
    ]  # fmt: skip
    return {"verdicts": verdicts}


def main() -> None:
    """Write the records that are asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.trust_record", description=__doc__
    )
    parser.add_argument(
        "--write", action="store_true", help="verify, and write the record"
    )
    parser.add_argument(
        "--mutants", action="store_true", help="note the score of make mutants"
    )
    args = parser.parse_args()
    if args.write:
        write_json(FOLDER / "verify.json", measure())
    if args.mutants:
        counts = {k: v for k, v in read_json(MUTMUT).items() if v}
        day = {"date": date.today().isoformat(), "command": "make mutants"}
        write_json(FOLDER / "mutation-score.json", day | counts)


if __name__ == "__main__":
    main()
