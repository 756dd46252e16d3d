"""The students of a class, and whose a submitted file is.

A roster is a CSV file: one of one's own, or what Moodle or Canvas exports. Files come back named by
the student (``anna.ipynb``), in a folder of the student's, or as Moodle and Canvas name what is
downloaded from them.
"""

import csv
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

COLUMNS = ("author", "name", "email", "id", "section")
HEADINGS = {
    "author": ("author", "username"),
    "name": ("name", "full name", "student"),
    "email": ("email", "email address", "e-mail", "sis login id"),
    "id": ("id", "id number"),
    "section": ("section", "group"),
}
"""The headings of each column: our own, and those of Moodle and Canvas, in small letters."""
FIRST, LAST = ("first name",), ("last name", "surname")
NO_STUDENT = ("", "points possible")
"""Names in the rows of a Canvas gradebook that are not of students."""
MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_[a-z]+")
"""How Moodle begins the name of a folder or a file: name of the student, number of the hand-in."""
CANVAS = re.compile(r"(?P<name>[^_]+)_(?:LATE_)?(?P<id>\d+)_\d+_.")
"""How Canvas begins the name of a file: last and first name, number of the student."""
COPY = re.compile(r" ?\(\d+\)$")
"""What a browser adds to the name of a file that is there already."""
Student = Mapping[str, str]


def read_roster(path: Path) -> list[Student]:
    """Return the students of a roster, in its order.

    Columns may be separated by commas, semicolons or tabs. Where there is no column ``author``,
    the name, the email address or the id is the author, the first of them that all students have
    and no two share.

    Raises:
        ValueError: if it has none of these columns, or a student twice.
    """
    text = _text(path)
    table = list(csv.reader(text.splitlines(), delimiter=_delimiter(text)))
    heads = [head.strip().casefold() for head in table[0]] if table else []
    students = []
    for row in table[1:]:
        cells = {head: cell.strip() for head, cell in zip(heads, row, strict=False)}
        student = {column: _cell(cells, HEADINGS[column]) for column in COLUMNS}
        if not student["name"]:
            both = (_cell(cells, FIRST), _cell(cells, LAST))
            student["name"] = " ".join(filter(None, both))
        named = student["author"] or student["name"] or student["email"]
        if named.casefold() not in NO_STUDENT:
            students.append(student)
    for column in COLUMNS[:4]:
        values = [student[column] for student in students]
        if not values or not all(values):
            continue
        twice = [value for value in values if values.count(value) > 1]
        if not twice:
            return [{**student, "author": student[column]} for student in students]
        if column == "author":
            raise ValueError(
                f"{path} must name each author once, got {twice[0]!r} twice"
            )
    raise ValueError(
        f"{path} must have a column author, name, email or id with an entry for each student, "
        f"no two alike, got the columns {', '.join(heads) or 'none'}; add a column author, the "
        "name of each student's file"
    )


def _text(path: Path) -> str:
    """Return a file's text, which Excel may have written in the letters of Windows."""
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _delimiter(text: str) -> str:
    """Return the separator of the columns: the most frequent of three signs in the first line."""
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)


def _cell(cells: Mapping[str, str], headings: Sequence[str]) -> str:
    """Return the first cell that is not empty under one of these headings."""
    for heading in headings:
        if cells.get(heading):
            return cells[heading]
    return ""


@dataclass(frozen=True)
class FileName:
    """What the path of a submitted file says of its author.

    Attributes:
        name: the author's name, or that of the file or folder.
        number: the number that Moodle or Canvas has put behind the name, or an empty string.
        is_of_student: whether the number is the student's, as in Canvas.
    """

    name: str
    number: str = ""
    is_of_student: bool = False


def read_name(path: PurePath) -> FileName:
    """Return the author that a path in the folder of submissions names.

    >>> read_name(PurePath("Anna Xu_1001_assignsubmission_file_/week-3.ipynb")).name
    'Anna Xu'
    >>> read_name(PurePath("xuanna_1001_771001_week-3.ipynb")).name
    'xuanna'
    >>> read_name(PurePath("anna (1).ipynb")).name, read_name(PurePath("bo/x.ipynb")).name
    ('anna', 'bo')
    """
    for part in path.parts:
        moodle = MOODLE.match(part)
        if moodle:
            return FileName(moodle["name"], moodle["id"])
    if len(path.parts) > 1:
        return FileName(path.parts[0])
    canvas = CANVAS.match(path.stem)
    if canvas:
        return FileName(canvas["name"], canvas["id"], is_of_student=True)
    return FileName(COPY.sub("", path.stem))


def authors_of(
    paths: Collection[PurePath], roster: Sequence[Student] = ()
) -> dict[PurePath, str]:
    """Return the author of each path: as the roster has it, or else as the path has.

    Without a roster, two students of one name are told apart by the platform's numbers.
    """
    names = {path: read_name(path) for path in paths}
    numbers: dict[str, set[str]] = {}
    for name in names.values():
        numbers.setdefault(name.name, set()).add(name.number)
    found = {}
    for path, name in names.items():
        student = student_of(name, roster)
        if student is not None:
            found[path] = student["author"]
        elif len(numbers[name.name]) > 1:
            found[path] = f"{name.name} {name.number}".strip()
        else:
            found[path] = name.name
    return found


def student_of(name: FileName, roster: Sequence[Student]) -> Student | None:
    """Return the one student whom a name fits, or None.

    What fits best is asked first: the author as written; then, in any case and without accents
    and signs, the author, the email address or the id; then the name; then the name with its last
    part first, as Canvas writes it. The number that Canvas gives is asked where no name fits.
    """
    folded = fold(name.name)
    asked: list[Callable[[Student], bool]] = [
        lambda student: student["author"] == name.name,
        lambda student: folded in map(fold, _addresses(student)),
        lambda student: folded == fold(student["name"]),
        lambda student: folded in _turned(student["name"]),
        lambda student: name.is_of_student and student["id"] == name.number,
    ]
    for fits in asked:
        found = [student for student in roster if fits(student)]
        if len(found) == 1:
            return found[0]
    return None


def _addresses(student: Student) -> list[str]:
    """Return the addresses of a student: author, e-mail, login and id, where there are any."""
    login = student["email"].partition("@")[0]
    every = [student["author"], student["email"], login, student["id"]]
    return [address for address in every if address]


def _turned(name: str) -> set[str]:
    """Return a name with each of its words first."""
    words = name.replace(",", " ").split()
    return {fold("".join(words[k:] + words[:k])) for k in range(len(words))}


def fold(text: str) -> str:
    """Return only the letters and digits of a text, small and without accents.

    >>> fold("Zoé O'Neil")
    'zoeoneil'
    """
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in plain if letter.isalnum())
