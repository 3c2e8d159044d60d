"""A class list with results, as another system exports it: read from CSV, mapped to a blueprint, judged row by row.

1. The bytes are text: UTF-8 or UTF-16 with their mark, else UTF-8, else Windows-1252. 2. Cells are parted by the
semicolon, comma or tab that the heading uses. 3. Each column of the file stands for one of `columns_of(blueprint)`, or
for nothing. 4. A row is a learner, and either no result (their decision is on record) or what the award rule asks for:
the level that each of two or more markers gave for each criterion. 5. What the marks come to is `decide`'s answer;
nothing is averaged, filled in or rounded here.

Rows are counted as a spreadsheet counts them: the heading is row 1. Sentences about a row never repeat a name or an
address, so that a list of problems tells nothing of a person.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Any, Literal

from guildmark.assess.decision import decide
from guildmark.assess.marking import Mark
from guildmark.core.codecs import jcs
from guildmark.core.errors import BrokenInput
from guildmark.design.blueprint import Blueprint, Criterion

MOST_ROWS = 20_000
MOST_COLUMNS = 300
MOST_MARKERS = 3
YEARS_BACK = 10
"""A result that is older was more likely typed wrong than waited for."""

OUTSIDE = "outside: "
"""Begins the id of a marker who marked in another system."""

DateOrder = Literal["", "day", "month"]
"""Which comes first where a date is written with two numbers and a year; empty while nobody can tell."""


@dataclass(frozen=True, slots=True)
class Table:
    """A file as rows of cells, with how it was read. `rows` are (number in the spreadsheet, cells)."""

    encoding: str
    delimiter: str
    heading: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Column:
    """Something that a row can say. `words` are how headings call it, beside its label."""

    key: str
    label: str
    words: tuple[str, ...] = ()
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """What keeps a row from being awarded: which column, and what to mend."""

    field: str
    says: str


@dataclass(frozen=True, slots=True)
class ListedResult:
    """One good row: who, and, if the file brings results, by whom and how each criterion was marked."""

    number: int
    name: str
    email: str
    reference: str = ""
    assessed_on: date | None = None
    levels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # marker -> "assessment/criterion" -> level

    def marks(self, submission: str) -> tuple[Mark, ...]:
        """The marks as the award rule knows them; the moment is the start of the day, since no more is known.

        A marker is called `outside: ` and the name, so that nobody takes them for somebody who marked on this site.
        """
        if self.assessed_on is None:
            return ()
        at = datetime.combine(self.assessed_on, time(), UTC)
        return tuple(
            Mark(submission, key.partition("/")[0], key.partition("/")[2], f"{OUTSIDE}{marker}", level, "", at)
            for marker, levels in self.levels.items()
            for key, level in levels.items()
        )

    def to_json(self) -> dict[str, Any]:
        """The row as plain JSON values."""
        return {
            "number": self.number,
            "name": self.name,
            "email": self.email,
            "reference": self.reference,
            "assessed_on": self.assessed_on.isoformat() if self.assessed_on else None,
            "levels": {marker: dict(levels) for marker, levels in self.levels.items()},
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ListedResult:
        """The row that `to_json` wrote."""
        day = value["assessed_on"]
        return cls(**{**value, "assessed_on": date.fromisoformat(day) if day else None})


# --- The file ---


_NOT_TEXT = {
    b"PK\x03\x04": "is an Excel or OpenDocument workbook",
    b"\xd0\xcf\x11\xe0": "is an Excel workbook",
    b"%PDF": "is a PDF",
}


@dataclass(frozen=True, slots=True)
class RowStream:
    """A file as rows of cells that are read one after another, each time anew; `Table` without the memory for it."""

    encoding: str
    delimiter: str
    heading: tuple[str, ...]
    text: str
    skipped: int
    where: str
    most: int

    @property
    def rows(self) -> Iterator[tuple[int, tuple[str, ...]]]:
        """(number in the spreadsheet, cells) of each row; BrokenInput at the first that cannot be read, or that is one
        too many.
        """
        rows = _rows(self.text, self.delimiter, self.skipped, self.where)
        next(rows)  # the heading
        for many, row in enumerate(rows):
            if many == self.most:
                hint = "split it into several files"
                raise BrokenInput(f"has more than {self.most:,} rows", where=self.where, hint=hint)
            yield row


def open_rows(body: bytes, *, where: str = "the file", most: int = MOST_ROWS) -> RowStream:
    """The file as a stream of rows; BrokenInput says what it is instead, or which byte cannot be read.

    The heading is read, and whether a row follows.
    """
    text, encoding = _decoded(body, where)
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    told = re.match(r"sep=(.)\n", lines)  # a first line with which Excel is told the separator
    delimiter = told[1] if told else _delimiter(lines.split("\n", 1)[0])
    skipped = 1 if told else 0
    lines = lines[told.end() :] if told else lines
    rows = _rows(lines, delimiter, skipped, where)
    _, heading = next(rows, (0, ()))
    if len(heading) > MOST_COLUMNS:
        raise BrokenInput(f"has {len(heading)} columns", where=where, hint=f"keep {MOST_COLUMNS} at most")
    if next(rows, None) is None:
        hint = "the first row names the columns, and each row after it is one learner"
        raise BrokenInput("has no row with a learner", where=where, hint=hint)
    return RowStream(encoding, delimiter, heading, lines, skipped, where, most)


def read_table(body: bytes, *, where: str = "the file") -> Table:
    """The file as a table; BrokenInput says what it is instead, or which byte or row cannot be read."""
    stream = open_rows(body, where=where)
    return Table(stream.encoding, stream.delimiter, stream.heading, tuple(stream.rows))


def _rows(lines: str, delimiter: str, skipped: int, where: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """The number and cells of each row that is not empty, as spreadsheets leave some at the end."""
    reader = csv.reader(io.StringIO(lines), delimiter=delimiter, strict=True)
    number = skipped
    while True:
        number += 1
        try:
            cells = next(reader, None)
        except csv.Error as problem:
            hint = "a quote is missing, or stands inside a cell; open the file in a spreadsheet and save it again"
            raise BrokenInput(f"row {number} is not CSV ({problem})", where=where, hint=hint) from problem
        if cells is None:
            return
        plain = _without_empty_end(tuple(map(_cell, cells)))
        if plain:
            yield number, plain


def _decoded(body: bytes, where: str) -> tuple[str, str]:
    for begins, says in _NOT_TEXT.items():
        if body.startswith(begins):
            raise BrokenInput(says, where=where, hint="save it as CSV (UTF-8) and upload that")
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        order = [("utf-16", "UTF-16")]
    else:
        order = [("utf-8-sig", "UTF-8"), ("cp1252", "Windows-1252")]
    for codec, name in order:
        try:
            text = body.decode(codec)
        except UnicodeDecodeError as problem:
            place = problem.start
            continue
        if "\x00" in text:
            raise BrokenInput("is not a text file", where=where, hint="save it as CSV (UTF-8) and upload that")
        return text, name
    names = " nor ".join(name for _, name in order)
    raise BrokenInput(f"byte {place:,} is neither {names}", where=where, hint="save it as CSV (UTF-8)")


def _delimiter(first: str) -> str:
    """The separator that the heading has most often outside quotes; a comma where it has none."""
    bare = re.sub(r'"[^"]*"', "", first)
    return max(",;\t", key=bare.count)


def _cell(text: str) -> str:
    """The cell as somebody sees it in a spreadsheet: single spaces, no apostrophe in front, no `="..."` around it."""
    if text.isalnum():  # most cells by far
        return text
    plain = " ".join(text.replace("\ufeff", "").replace("\u200b", "").split())
    if plain.startswith("=") and (match := re.fullmatch(r'="([^"]*)"', plain)):
        plain = match[1].strip()
    return plain[1:] if plain.startswith("'") and re.match(r"'[=+\-@\d]", plain) else plain


def _without_empty_end(cells: tuple[str, ...]) -> tuple[str, ...]:
    end = len(cells)
    while end and not cells[end - 1]:
        end -= 1
    return cells[:end]


# --- The columns ---


def criterion_key(assessment: str, criterion: str) -> str:
    return f"{assessment}/{criterion}"


def columns_of(blueprint: Blueprint) -> tuple[Column, ...]:
    """What a row can say about a learner of this blueprint, in the order of the sample file."""
    markers = [
        Column(
            f"marker_{n}",
            f"marker {n}",
            (f"assessor {n}", f"examiner {n}", f"prufer {n}", f"prufer in {n}", f"evaluador {n}", f"evaluadora {n}"),
        )
        for n in range(1, MOST_MARKERS + 1)
    ]
    levels = [
        Column(
            f"level_{n}:{criterion_key(assessment.id, criterion.id)}",
            f"{criterion.id} {n}",
            (f"{criterion.title} {n}", f"{criterion.id} marker {n}", f"{criterion.title} marker {n}"),
        )
        for assessment in blueprint.assessments
        for criterion in assessment.criteria
        for n in range(1, MOST_MARKERS + 1)
    ]
    return (*_ABOUT_A_LEARNER, *markers, *levels)


_ABOUT_A_LEARNER = (
    Column(
        "name",
        "name",
        ("full name", "learner", "student", "participant", "student name", "nombre", "nombre completo", "alumno",
         "alumna", "estudiante", "nombre y apellidos", "vollstandiger name", "teilnehmer", "teilnehmerin",
         "studierende", "lernende", "vor und nachname"),
    ),
    Column("given", "given name", ("first name", "forename", "nombre de pila", "vorname")),
    Column("family", "family name", ("last name", "surname", "apellido", "apellidos", "nachname", "familienname")),
    Column(
        "email",
        "email",
        ("e mail", "mail", "email address", "e mail address", "correo", "correo electronico", "e mail adresse",
         "email adresse", "mailadresse"),
        needed=True,
    ),
    Column(
        "reference",
        "reference",
        ("student id", "student number", "id", "matriculation number", "matricula", "expediente", "numero de alumno",
         "matrikelnummer", "personenkennziffer"),
    ),
    Column(
        "assessed_on",
        "assessed on",
        ("date", "assessment date", "result date", "date of result", "exam date", "fecha", "fecha de evaluacion",
         "datum", "prufungsdatum", "bewertet am"),
    ),
)  # fmt: skip


def plain_heading(text: str) -> str:
    """A heading without accents, case and signs, by which it is known again: `E-Mail-Adresse` is `e mail adresse`."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(c for c in folded if not unicodedata.combining(c))
    return " ".join(re.split(r"[\W_]+", letters)).strip()


def guess_columns(heading: Sequence[str], columns: Sequence[Column]) -> dict[str, int]:
    """Column key -> place in the file, for what the headings say by themselves; each place is used once."""
    places: dict[str, int] = {}
    for place, text in enumerate(heading):
        places.setdefault(plain_heading(text), place)
    found: dict[str, int] = {}
    for column in columns:
        names = (column.label, column.key, *column.words)
        free = [places[p] for n in names if (p := plain_heading(n)) in places and places[p] not in found.values()]
        if free:
            found[column.key] = free[0]
    if "given" in found and "family" in found:
        found.pop("name", None)
    elif "family" in found and "name" in found:  # `Nombre` and `Apellidos` are two halves of one name
        found["given"] = found.pop("name")
    return found


def date_order(table: Table | RowStream, places: Mapping[str, int]) -> DateOrder:
    """Which number of the dates is the day, as far as the whole column tells; empty if it does not."""
    place = places.get("assessed_on")
    if place is None:
        return "day"
    undecided = False
    for _, cells in table.rows:
        if place < len(cells) and (match := _NUMBERS.fullmatch(_day_part(cells[place]))):
            first, second = int(match[1]), int(match[2])
            if first > 12:
                return "day"
            if second > 12:
                return "month"
            undecided = undecided or first != second
    return "" if undecided else "day"


def check_columns(columns: Sequence[Column], places: Mapping[str, int]) -> list[Problem]:
    """What is missing before rows can be read: nothing, if the list is empty."""
    problems = []
    if "name" not in places and not {"given", "family"} <= places.keys():
        problems.append(Problem("name", "choose the column with the learner's name, or the two with its halves"))
    if "email" not in places:
        problems.append(Problem("email", "choose the column with the e-mail address"))
    level_keys = [c for c in columns if c.key.startswith("level_")]
    if brings_results(places):
        wanted = [*(c for c in columns if c.key in ("assessed_on", "marker_1", "marker_2"))]
        wanted += [c for c in level_keys if c.key.startswith(("level_1:", "level_2:"))]
        problems += [
            Problem(c.key, "choose a column: results need the day, two markers, and the level each gave")
            for c in wanted
            if c.key not in places
        ]
        if "marker_3" not in places:
            problems += [
                Problem("marker_3", "choose the column with the third marker's name")
                for key in places
                if key.startswith("level_3:")
            ][:1]
    doubled = {place for place in places.values() if list(places.values()).count(place) > 1}
    problems += [
        Problem(key, "this column of the file is chosen twice") for key, place in places.items() if place in doubled
    ]
    return problems


def brings_results(places: Mapping[str, int]) -> bool:
    """Whether the file brings marks, and not only names."""
    return any(key.startswith(("level_", "marker_")) for key in places)


# --- The rows ---


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row that can be awarded as far as the file tells, or what is wrong with it."""

    number: int
    result: ListedResult | None
    problems: tuple[Problem, ...] = ()


def read_rows(
    table: Table | RowStream, blueprint: Blueprint, places: Mapping[str, int], *, order: DateOrder, now: datetime
) -> Iterator[ReadRow]:
    """Each row of the table, in order: what it says of whom, or every problem it has."""
    reader = _RowReader(blueprint, places, order or "day", now)
    for number, cells in table.rows:
        yield reader.read(number, cells, len(table.heading))


_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,63}")
_NUMBERS = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4}|\d{2})")
_MONTHS = {
    name: number
    for number, names in enumerate(
        ["jan ene", "feb", "mar mär mrz", "apr abr", "may mai", "jun", "jul", "aug ago", "sep set", "oct okt", "nov",
         "dec dic dez"],
        1,
    )
    for name in names.split()
}  # fmt: skip
_FORMULA = ("=", "+", "-", "@")


class _RowReader:
    def __init__(self, blueprint: Blueprint, places: Mapping[str, int], order: DateOrder, now: datetime) -> None:
        self.blueprint, self.places, self.order, self.now = blueprint, places, order, now
        self.seen: dict[str, int] = {}
        self.verdicts: dict[bytes, str] = {}
        self.levels = {
            criterion_key(a.id, c.id): (c, _level_names(c)) for a in blueprint.assessments for c in a.criteria
        }
        self.with_results = brings_results(places)

    def read(self, number: int, cells: Sequence[str], width: int) -> ReadRow:
        if len(cells) > width:
            says = f"has {len(cells)} cells, the heading has {width}; a separator inside a cell needs quotes"
            return ReadRow(number, None, (Problem("row", says),))
        said = {key: cells[place] if place < len(cells) else "" for key, place in self.places.items()}
        problems: list[Problem] = []
        name = said["name"] if "name" in said else f"{said['given']} {said['family']}".strip()
        email = said["email"].lower()
        problems += _name_problems(name)
        problems += self._email_problems(email, number)
        reference = said.get("reference", "")
        if len(reference) > 100:
            problems.append(Problem("reference", f"has {len(reference)} characters; keep 100 at most"))
        if not self.with_results:
            found = ListedResult(number, name, email, reference)
            return ReadRow(number, None if problems else found, tuple(problems))
        day = self._day(said.get("assessed_on", ""), problems)
        markers = self._markers(said, name, email, problems)
        levels = self._levels(said, markers, problems)
        if problems or day is None:
            return ReadRow(number, None, tuple(problems))
        found = ListedResult(number, name, email, reference, day, levels)
        says = self._decided(found)
        return ReadRow(number, None, (Problem("results", says),)) if says else ReadRow(number, found)

    def _email_problems(self, email: str, number: int) -> Iterator[Problem]:
        if not email:
            yield Problem("email", "is empty; write the learner's address")
        elif email.startswith(_FORMULA) and not _EMAIL.fullmatch(email):
            yield Problem("email", "holds a formula; paste its value")
        elif len(email) > 254 or not _EMAIL.fullmatch(email):
            yield Problem("email", "is not an e-mail address; write one like name@example.org")
        elif email in self.seen:
            yield Problem("email", f"is in row {self.seen[email]} already; keep one of the two")
        else:
            self.seen[email] = number

    def _day(self, text: str, problems: list[Problem]) -> date | None:
        if not text:
            problems.append(Problem("assessed_on", "is empty; write the day of the result"))
            return None
        day = read_day(text, self.order)
        today = self.now.date()
        if day is None:
            problems.append(Problem("assessed_on", f"{_shown(text)} is not a day; write one like 2026-03-31"))
        elif day > today:
            problems.append(Problem("assessed_on", f"{day.isoformat()} lies in the future"))
        elif day < today - timedelta(days=366 * YEARS_BACK):
            problems.append(Problem("assessed_on", f"{day.isoformat()} is more than {YEARS_BACK} years ago"))
        else:
            return day
        return None

    def _markers(self, said: Mapping[str, str], name: str, email: str, problems: list[Problem]) -> dict[int, str]:
        """Number -> marker, of those the row names."""
        found: dict[int, str] = {}
        for n in range(1, MOST_MARKERS + 1):
            key = f"marker_{n}"
            marker = said.get(key, "")
            if not marker:
                if n <= 2:
                    problems.append(Problem(key, "is empty; the award rule asks for two markers, so name both"))
            elif marker.startswith(_FORMULA):
                problems.append(Problem(key, "holds a formula; paste its value"))
            elif len(marker) > 150 or not marker.isprintable():
                problems.append(Problem(key, "is too long, or has signs that cannot be printed"))
            elif marker.casefold() in (name.casefold(), email):
                problems.append(Problem(key, "is the learner; nobody marks their own work"))
            elif marker.casefold() in (m.casefold() for m in found.values()):
                problems.append(Problem(key, "is the same marker again; two different people have to mark"))
            else:
                found[n] = marker
        return found

    def _levels(
        self, said: Mapping[str, str], markers: Mapping[int, str], problems: list[Problem]
    ) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {marker: {} for marker in markers.values()}
        for key, text in said.items():
            kind, _, criterion = key.partition(":")
            if not kind.startswith("level_"):
                continue
            n = int(kind.removeprefix("level_"))
            if not text:
                if n <= 2:
                    problems.append(Problem(key, "is empty; the award rule asks for a level from both markers"))
                continue
            level = _level(self.levels[criterion][1], text)
            if level is None:
                choice = ", ".join(level.id for level in self.levels[criterion][0].levels)
                says = f"{_shown(text)} is not a level here, and nothing is rounded; one of: {choice}"
                problems.append(Problem(key, says))
            elif n in markers:
                found[markers[n]][criterion] = level
            elif n > 2:
                problems.append(Problem(f"marker_{n}", "is empty, though this marker gave a level"))
        return {marker: levels for marker, levels in found.items() if levels}

    def _decided(self, found: ListedResult) -> str:
        """Why these marks are no pass under the award rule, in the rule's own words; empty if they are."""
        pattern = jcs([dict(levels) for levels in found.levels.values()])
        if pattern not in self.verdicts:
            self.verdicts[pattern] = not_passed(self.blueprint, found.marks("row"), now=self.now)
        return self.verdicts[pattern]


def not_passed(blueprint: Blueprint, marks: Sequence[Mark], *, now: datetime) -> str:
    """Why the marks are no pass under the award rule; empty if they are."""
    value = decide(blueprint, marks, decision_id="", learner_id="the learner", decided_by="", now=now)
    if value.passed:
        return ""
    troubles = [*value.report.failed(), *(f for f in value.report.unknown() if f.required)]
    more = f" And {len(troubles) - 2} more." if len(troubles) > 2 else ""
    return " ".join(f.says if f.says.endswith(".") else f"{f.says}." for f in troubles[:2]) + more


def _name_problems(name: str) -> Iterable[Problem]:
    if not name:
        yield Problem("name", "is empty; write it as it should stand on the certificate")
    elif name.startswith(_FORMULA):
        yield Problem("name", "holds a formula; paste its value")
    elif len(name) > 200:
        yield Problem("name", f"has {len(name)} characters; keep 200 at most")
    elif not name.isprintable():
        yield Problem("name", "has signs that cannot be printed; type it anew")


def read_day(text: str, order: DateOrder) -> date | None:
    """The day that is written: ISO, two numbers and a year in this order, a month in letters, or Excel's number."""
    plain = _day_part(text)
    try:
        if match := re.fullmatch(r"(\d{4})[./-](\d{1,2})[./-](\d{1,2})", plain):
            return date(*map(int, match.groups()))
        if match := re.fullmatch(r"(\d{4})(\d{2})(\d{2})", plain):
            return date(*map(int, match.groups()))
        if match := _NUMBERS.fullmatch(plain):
            first, second, year = (int(part) for part in match.groups())
            day, month = (second, first) if order == "month" else (first, second)
            return date(year if year > 99 else 2000 + year, month, day)
        if match := re.fullmatch(r"(\d{1,2})(?:\.|\s|-|de\s)+([A-Za-zäÄ]{3,10})\.?(?:\s|-|de\s)+(\d{4})", plain):
            return date(int(match[3]), _MONTHS[match[2].casefold()[:3]], int(match[1]))
        if match := re.fullmatch(r"([A-Za-z]{3,10})\.?\s(\d{1,2}),?\s(\d{4})", plain):
            return date(int(match[3]), _MONTHS[match[1].casefold()[:3]], int(match[2]))
        if re.fullmatch(r"[3-6]\d{4}", plain):
            return date(1899, 12, 30) + timedelta(days=int(plain))  # days as Excel counts them
    except (ValueError, KeyError):
        return None
    return None


def _day_part(text: str) -> str:
    """The day of a day and a time."""
    return re.sub(r"[T ]\d{1,2}:\d{2}.*$", "", text).strip()


def _level_names(criterion: Criterion) -> dict[str, str]:
    """How a level of this criterion may be called -> its id: the id, the title, its points; never a doubtful one."""
    names: dict[str, str] = {}
    doubtful: set[str] = set()
    for level in criterion.levels:
        for name in {level.id.casefold(), level.title.casefold(), str(Fraction(str(level.points)))}:
            if names.setdefault(name, level.id) != level.id:
                doubtful.add(name)
    return {name: id for name, id in names.items() if name not in doubtful}


def _level(names: Mapping[str, str], text: str) -> str | None:
    if found := names.get(text.casefold()):
        return found
    if re.fullmatch(r"\d{1,6}([.,]\d{1,6})?", text):
        return names.get(str(Fraction(text.replace(",", "."))))
    return None


def _shown(text: str) -> str:
    """The value in quotes, unless it could be somebody's address that slipped into the column."""
    return "what is there" if "@" in text else f"“{text[:40]}”"


# --- Files of ours ---


def safe_cell(text: str) -> str:
    """A text that a spreadsheet takes for text: one that begins as a formula would begins with an apostrophe."""
    return f"'{text}" if text.startswith((*_FORMULA, "\t", "\r")) else text


def sample_file(blueprint: Blueprint) -> bytes:
    """A file with the columns of this blueprint and two invented rows that pass; commas, UTF-8 with its mark."""
    columns = [c for c in columns_of(blueprint) if c.key not in ("given", "family") and not _of_third(c.key)]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([safe_cell(c.label) for c in columns])
    criteria = {criterion_key(a.id, c.id): c for a in blueprint.assessments for c in a.criteria}
    for name, email, reference in (
        ("Ada Example", "ada@example.org", "A-1001"),
        ("Grace Example", "grace@example.org", "A-1002"),
    ):
        about = {"name": name, "email": email, "reference": reference, "assessed_on": "2026-03-31"}
        about |= {"marker_1": "First Marker", "marker_2": "Second Marker"}
        writer.writerow(
            safe_cell(about[c.key] if c.key in about else _best(criteria[c.key.partition(":")[2]])) for c in columns
        )
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _best(criterion: Criterion) -> str:
    return max(criterion.levels, key=lambda level: level.points).id


def _of_third(key: str) -> bool:
    return key == "marker_3" or key.startswith("level_3:")
