"""The candidates: what each consists of, and the table of all of them, ``candidates.toml``."""

import importlib
import importlib.util
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

GradientList = list[Any]  # dL/dW1, dL/db1, dL/dW2, dL/db2, ...


class Candidate(NamedTuple):
    """A training step, ready to run.

    Attributes:
        step: forward, backward, Adam; returns when all of it is done.
        gradients: the gradients at the initial parameters, called before any step; None where
            there is nothing to compare.
    """

    step: Callable[[], object]
    gradients: Callable[[], GradientList] | None = None


@dataclass(frozen=True)
class Entry:
    """One line of the comparison.

    Attributes:
        name: as in the record.
        title: as on the page.
        build: ``module:function`` in this folder, which makes the candidate of a problem.
        options: further keyword arguments of that function.
        packages: what has to be installed, the framework itself first.
        rule: the rule of :mod:`stbp_edu.cases` whose gradient it computes.
        form: how it is used, in a sentence.
        environment: environment variables with which its time is taken.
    """

    name: str
    title: str
    build: str
    options: Mapping[str, Any] = field(default_factory=dict)
    packages: Sequence[str] = ()
    rule: str = "exact"
    form: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)

    def missing(self) -> list[str]:
        """Return the packages that are not installed."""
        return [p for p in self.packages if importlib.util.find_spec(p) is None]

    def versions(self) -> dict[str, str]:
        """Return the versions of its packages."""
        absent = self.missing()
        return {p: metadata.version(p) for p in self.packages if p not in absent}

    def make(self, problem: Any, **more: Any) -> Candidate:
        """Import the framework, and return its candidate of a problem; it is told ``more``."""
        module, function = self.build.split(":")
        loaded = importlib.import_module(f"benchmarks.frameworks.{module}")
        made: Candidate = getattr(loaded, function)(problem, **self.options, **more)
        return made


TABLE = tomllib.loads(
    Path(__file__).with_name("candidates.toml").read_text(encoding="utf-8")
)
BY_NAME = {name: Entry(name, **given) for name, given in TABLE.items()}
