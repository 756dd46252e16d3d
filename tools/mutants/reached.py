"""Which tests run which lines: a change is shown to the tests that reach it, the shortest first."""

import ast
import json
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import coverage
import pytest

from tools.mutants import fork

SECONDS = 1800  # of computing, for all tests of a group of files
ENOUGH = 15.0  # seconds of tests that a change is shown to at first


@dataclass(frozen=True)
class Reached:
    """The tests, the shortest first, with their seconds, and which of them run each line."""

    tests: dict[str, float]
    lines: dict[str, dict[str, list[int]]]

    def at(self, path: Path, line: int, seconds: float) -> list[str]:
        """Return the shortest of the tests that run the statement at a line; of all if none does.

        It may run in a process that a test starts, which is not seen.
        """
        first, last = _statement((fork.ROOT / path).read_text(encoding="utf-8"), line)
        found = self.lines[path.as_posix()]
        here = {k for number in range(first, last + 1) for k in found.get(str(number), ())}
        names = [name for k, name in enumerate(self.tests) if k in here] or [*self.tests]
        until = accumulate(self.tests[name] for name in names)
        return names[: max(1, sum(spent <= seconds for spent in until))]


class Watch:
    """A plugin of pytest: notes the lines that each test runs, and how long it takes."""

    def __init__(self, watched: coverage.Coverage) -> None:
        """Watch with what measures coverage."""
        self.watched = watched
        self.seconds: dict[str, float] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Give the lines that run from here on to this test."""
        self.watched.switch_context(item.nodeid)
        start = time.process_time()
        try:
            return (yield)
        finally:
            self.seconds[item.nodeid] = time.process_time() - start
            self.watched.switch_context("")


class Only:
    """A plugin of pytest: runs the tests that are named, in the order of their names."""

    def __init__(self, names: Sequence[str]) -> None:
        """Keep the place of each name."""
        self.places = {name: k for k, name in enumerate(names)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave the others out."""
        named = [item for item in items if item.nodeid in self.places]
        items[:] = sorted(named, key=lambda item: self.places[item.nodeid])


def measured(files: Collection[Path], options: list[str]) -> Reached:
    """Return which tests run each line of these files; pytest runs, with these options, in a fork.

    A line that runs while a file is loaded counts as run by every test.
    """
    first = min(files)
    unchanged = ast.parse((fork.ROOT / first).read_text(encoding="utf-8"))
    said, _ = fork.answers(first, unchanged, lambda: _watched(files, options), SECONDS)
    return Reached(**json.loads(said[0]))


def _watched(files: Collection[Path], options: list[str]) -> Iterator[str]:
    """Yield what a ``Reached`` is made of, as JSON."""
    whole = [str(fork.ROOT / path) for path in files]
    watched = coverage.Coverage(data_file=None, config_file=False, include=whole)
    watch = Watch(watched)
    fork.forget()  # what runs while a file is loaded is seen only where it is loaded now
    watched.start()
    pytest.main(options, plugins=[watch])
    watched.stop()
    tests = dict(sorted(watch.seconds.items(), key=lambda item: item[1]))
    place = {name: k for k, name in enumerate(tests)}
    lines = {}
    for path, file in zip(files, whole, strict=True):
        found = watched.get_data().contexts_by_lineno(file)
        lines[path.as_posix()] = {
            line: list(range(len(tests))) if "" in by else sorted(place[name] for name in by)
            for line, by in found.items()
        }
    yield json.dumps({"tests": tests, "lines": lines})


def _statement(source: str, line: int) -> tuple[int, int]:
    """Return the first and the last line of the smallest statement at a line, without its body."""
    around = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or line)
    ]
    found = max(around, key=lambda node: (node.lineno, -(node.end_lineno or 0)))
    body = getattr(found, "body", None)
    return found.lineno, body[0].lineno - 1 if body else found.end_lineno or line
