"""Reading skill frameworks: ESCO and O*NET as their publishers lay them out, the same reshaped, and our own small one.

A row that cannot be used is listed with its number, file and field, and the others are read. A file that is missing,
cut off or not text is one sentence that names it.

Layouts that are known, each a folder, each file as it is or packed with gzip:

- ESCO as published (version 1.1 and later): `skills_en.csv`, `occupations_en.csv`, `occupationSkillRelations_en.csv`,
  or the same in another language, one language in a folder;
- ESCO reshaped: `skills.csv`, `occupations.csv`, `occupation_skill.csv` with integer keys;
- O*NET as published (up to 29.x), tab separated: `Occupation Data.txt`, `Skills.txt`, `Knowledge.txt`,
  `Technology Skills.txt`;
- O*NET reshaped: `occupation_data.csv`, `skills.csv`, `knowledge.csv`, `technology_skills.csv`.

What is used when it is there: ESCO's `languageSkillsCollection_en.csv` (which skills are languages), O*NET's
`Content Model Reference.txt` (descriptions) and `Alternate Titles.txt`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from guildmark.core.errors import BrokenInput
from guildmark.core.problems import RowProblem
from guildmark.skills.files import read_text, table
from guildmark.skills.framework import ESCO_OCCUPATION, ESCO_SKILL, Framework, Occupation, Skill

ESCO_LICENCE = (
    "This service uses the ESCO classification of the European Commission. Reuse under Commission Decision 2011/833/EU."
)
ONET_LICENCE = (
    "Includes information from the O*NET Database by the U.S. Department of Labor, Employment and Training "
    "Administration (USDOL/ETA), used under CC BY 4.0; guildmark has modified its form."
)
ONET_ELEMENT = "https://www.onetonline.org/find/descriptor/result/"
ONET_TECHNOLOGY = "https://www.onetonline.org/search/tech/example?e="
ONET_OCCUPATION = "https://www.onetonline.org/link/summary/"
"""O*NET has codes and no URIs of its own; these are its public pages about an element, a technology, an occupation."""

IMPORTANT = 3.0
"""O*NET's importance runs from 1 to 5; an element that is rated at least this ("important") counts as essential."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A framework, and the rows that could not be used."""

    framework: Framework
    problems: tuple[RowProblem, ...]


@cache
def builtin_framework() -> Framework:
    """guildmark's own framework: about 200 skills that many ads ask for, with labels and descriptions of our own.

    Each skill stands under the URI of the ESCO concept that it means or comes nearest to; `codes` has that concept's
    UUID and, for some, the O*NET element that covers it, which is often broader (all four foreign languages are one).
    """
    text = (files("guildmark.skills") / "data" / "guildmark-skills.csv").read_text(encoding="utf-8")
    skills = {}
    for row in csv.DictReader(io.StringIO(text)):
        skill = Skill(
            uri=ESCO_SKILL + row["esco"],
            label=row["label"],
            alt_labels=_split(row["alt_labels"], "|"),
            description=row["description"],
            kind=row["kind"],
            codes={"esco": row["esco"], **({"onet": row["onet"]} if row["onet"] else {})},
        )
        skills[skill.uri] = skill
    licence = "Apache-2.0; codes of ESCO and O*NET as facts"
    return Framework("guildmark", "guildmark starter skills", "2026.1", licence, skills)


def load_framework(path: Path, *, kind: str = "auto") -> Loaded:
    """The framework in a folder; `kind` is esco, onet, or auto to look. BrokenInput if the folder is neither."""
    if kind not in ("auto", "esco", "onet"):
        raise BrokenInput(f"framework kind {kind!r} is not known", hint="use auto, esco or onet")
    if not path.is_dir():
        raise BrokenInput("is not a folder", where=str(path), hint="name the folder that holds the framework's files")
    try:
        names = {p.name.removesuffix(".gz") for p in path.iterdir()}
    except OSError as problem:
        raise BrokenInput(f"cannot be read ({problem.strerror})", where=str(path), hint="check who may") from problem
    languages = sorted(m[1] for name in names if (m := re.fullmatch(r"skills_([a-z]{2})\.csv", name)))
    if kind != "onet" and languages:
        return _esco_official(path, "en" if "en" in languages else _only(languages, path))
    if kind != "onet" and "occupation_skill.csv" in names:
        return _esco_reshaped(path)
    if kind != "esco" and "Occupation Data.txt" in names:
        return _onet(path, "{}.txt", "\t")
    if kind != "esco" and "occupation_data.csv" in names:
        return _onet(path, "{}.csv", ",")
    raise BrokenInput(
        f"holds no {'skill' if kind == 'auto' else kind} framework that is known",
        where=str(path),
        hint="ESCO has a skills_en.csv, O*NET an Occupation Data.txt",
    )


def _only(languages: list[str], path: Path) -> str:
    if len(languages) > 1:
        raise BrokenInput(
            f"has ESCO in {', '.join(languages)}", where=str(path), hint="keep the files of one language in the folder"
        )
    return languages[0]


def _path(folder: Path, name: str) -> Path | None:
    return next((p for p in (folder / name, folder / f"{name}.gz") if p.exists()), None)


def _rows(
    folder: Path, name: str, needed: tuple[str, ...], problems: list[RowProblem], *, delimiter: str = ","
) -> Iterator[tuple[int, Mapping[str, str]]]:
    """(row number, row) of a file of the framework, packed or not, in which the `needed` columns are filled."""
    path = _path(folder, name)
    if path is None:
        raise BrokenInput("is missing", where=str(folder / name), hint="copy the whole framework into the folder")
    found: list[RowProblem] = []
    for number, row in table(read_text(path), needed, found, where=str(path), delimiter=delimiter):
        empty = next((column for column in needed if not row[column].strip()), None)
        if empty is not None:
            found.append(RowProblem(number, empty, "is empty"))
            continue
        yield number, row
    problems += (RowProblem(p.row, f"{name}:{p.field}".rstrip(":"), p.says) for p in found)


def _languages(folder: Path, name: str, column: str) -> frozenset[str]:
    """The concepts of ESCO's collection of languages, if it is there."""
    if _path(folder, name) is None:
        return frozenset()
    return frozenset(row[column].rpartition("/")[2] for _, row in _rows(folder, name, (column,), []))


def _esco_kind(uuid: str, skill_type: str, languages: frozenset[str]) -> str:
    if uuid in languages:
        return "language"
    return "knowledge" if skill_type.strip() == "knowledge" else "skill"


def _esco_official(folder: Path, language: str) -> Loaded:
    problems: list[RowProblem] = []
    skills: dict[str, Skill] = {}
    languages = _languages(folder, f"languageSkillsCollection_{language}.csv", "conceptUri")
    name = f"skills_{language}.csv"
    for number, row in _rows(folder, name, ("conceptUri", "preferredLabel"), problems):
        uri = row["conceptUri"].strip()
        uuid = uri.removeprefix(ESCO_SKILL)
        if not uri.startswith(ESCO_SKILL):
            problems.append(RowProblem(number, f"{name}:conceptUri", f"{uri[:80]!r} is no ESCO skill"))
        elif uri in skills:
            problems.append(RowProblem(number, f"{name}:conceptUri", "stands in an earlier row already"))
        else:
            skills[uri] = _esco_skill(uuid, row, "\n", languages)
    needs = _Needs()
    name = f"occupationSkillRelations_{language}.csv"
    for number, row in _rows(folder, name, ("occupationUri", "relationType", "skillUri"), problems):
        skill = row["skillUri"].strip()
        if skill not in skills:
            problems.append(RowProblem(number, f"{name}:skillUri", f"no such skill in skills_{language}.csv"))
        elif not needs.add(row["occupationUri"].strip(), row["relationType"].strip(), skill):
            problems.append(RowProblem(number, f"{name}:relationType", "is neither essential nor optional"))
    occupations = {}
    for _, row in _rows(folder, f"occupations_{language}.csv", ("conceptUri", "preferredLabel"), problems):
        uri = row["conceptUri"].strip()
        occupations[uri] = _esco_occupation(uri, uri, row, "\n", needs)
    return Loaded(Framework("esco", "ESCO", _version(folder), ESCO_LICENCE, skills, occupations), tuple(problems))


def _esco_reshaped(folder: Path) -> Loaded:
    problems: list[RowProblem] = []
    skills: dict[str, Skill] = {}
    uris: dict[str, str] = {}
    languages = _languages(folder, "languageSkillsCollection_en.csv", "uuid")
    for number, row in _rows(folder, "skills.csv", ("skill_no", "uuid", "preferredLabel"), problems):
        if not _UUID.fullmatch(row["uuid"]):
            problems.append(RowProblem(number, "skills.csv:uuid", f"{row['uuid'][:60]!r} is no UUID"))
            continue
        uri = uris[row["skill_no"]] = ESCO_SKILL + row["uuid"]
        skills[uri] = _esco_skill(row["uuid"], row, "|", languages)
    needs = _Needs()
    wanted = ("occ_no", "skill_no", "rel_e_essential_o_optional")
    for number, row in _rows(folder, "occupation_skill.csv", wanted, problems):
        skill = uris.get(row["skill_no"])
        relation = {"e": "essential", "o": "optional"}.get(row["rel_e_essential_o_optional"], "")
        if skill is None:
            problems.append(RowProblem(number, "occupation_skill.csv:skill_no", "no such skill in skills.csv"))
        elif not needs.add(row["occ_no"], relation, skill):
            field = "occupation_skill.csv:rel_e_essential_o_optional"
            problems.append(RowProblem(number, field, "is neither e nor o"))
    occupations = {}
    for _, row in _rows(folder, "occupations.csv", ("occ_no", "uuid", "preferredLabel"), problems):
        uri = ESCO_OCCUPATION + row["uuid"]
        occupations[uri] = _esco_occupation(uri, row["occ_no"], row, "|", needs)
    return Loaded(Framework("esco", "ESCO", _version(folder), ESCO_LICENCE, skills, occupations), tuple(problems))


class _Needs:
    """Which skills each occupation needs, in the order of the file, each once."""

    def __init__(self) -> None:
        self._lists: dict[str, dict[tuple[str, str], None]] = {}

    def add(self, occupation: str, relation: str, skill: str) -> bool:
        """Note one relation; False if it is none that we know."""
        if relation not in ("essential", "optional"):
            return False
        self._lists.setdefault(occupation, {})[relation, skill] = None
        return True

    def of(self, occupation: str, relation: str) -> tuple[str, ...]:
        return tuple(skill for kind, skill in self._lists.get(occupation, {}) if kind == relation)


def _esco_skill(uuid: str, row: Mapping[str, str], by: str, languages: frozenset[str]) -> Skill:
    label = row["preferredLabel"].strip()
    return Skill(
        uri=ESCO_SKILL + uuid,
        label=label,
        alt_labels=tuple(a for a in _split(row.get("altLabels"), by) if a != label),
        description=(row.get("description") or "").strip(),
        kind=_esco_kind(uuid, row.get("skillType") or "", languages),
        codes={"esco": uuid},
    )


def _esco_occupation(uri: str, key: str, row: Mapping[str, str], by: str, needs: _Needs) -> Occupation:
    label = row["preferredLabel"].strip()
    return Occupation(
        uri=uri,
        label=label,
        alt_labels=tuple(a for a in _split(row.get("altLabels"), by) if a != label),
        isco=(row.get("iscoGroup") or "").strip(),
        essential=needs.of(key, "essential"),
        optional=needs.of(key, "optional"),
    )


def _onet(folder: Path, pattern: str, delimiter: str) -> Loaded:
    """O*NET's elements (skills and knowledge) and the technologies among its examples.

    An element is essential to an occupation if its importance there is at least `IMPORTANT` and O*NET does not
    recommend to suppress that figure; an occupation's technologies are optional to it.
    """
    problems: list[RowProblem] = []
    skills: dict[str, Skill] = {}
    needs = _Needs()

    def name(title: str) -> str:
        return pattern.format(title if delimiter == "\t" else title.lower().replace(" ", "_"))

    def rows(title: str, *needed: str) -> Iterator[tuple[int, Mapping[str, str]]]:
        return _rows(folder, name(title), needed, problems, delimiter=delimiter)

    says: dict[str, str] = {}
    if _path(folder, name("Content Model Reference")):
        says = {
            row["Element ID"]: row["Description"]
            for _, row in rows("Content Model Reference", "Element ID", "Description")
        }
    for title, kind in (("Skills", "skill"), ("Knowledge", "knowledge")):
        wanted = ("O*NET-SOC Code", "Element ID", "Element Name", "Scale ID", "Data Value")
        for number, row in rows(title, *wanted):
            code = row["Element ID"]
            uri = ONET_ELEMENT + code
            try:
                value = float(row["Data Value"])
            except ValueError:
                what = f"{row['Data Value'][:40]!r} is no number"
                problems.append(RowProblem(number, f"{name(title)}:Data Value", what))
                continue
            if uri not in skills:
                skills[uri] = Skill(uri, row["Element Name"], (), says.get(code, ""), kind, {"onet": code})
            if row["Scale ID"] == "IM" and value >= IMPORTANT and row.get("Recommend Suppress") != "Y":
                needs.add(row["O*NET-SOC Code"], "essential", uri)
    for _, row in rows("Technology Skills", "O*NET-SOC Code", "Example"):
        uri = ONET_TECHNOLOGY + quote(row["Example"], safe="")
        if uri not in skills:
            group = row.get("Commodity Code") or ""
            skills[uri] = Skill(
                uri, row["Example"], (), row.get("Commodity Title") or "", "tool", {"unspsc": group} if group else {}
            )
        needs.add(row["O*NET-SOC Code"], "optional", uri)
    titles: dict[str, list[str]] = {}
    if _path(folder, name("Alternate Titles")):
        for _, row in rows("Alternate Titles", "O*NET-SOC Code", "Alternate Title"):
            titles.setdefault(row["O*NET-SOC Code"], []).append(row["Alternate Title"])
    occupations = {}
    for _, row in rows("Occupation Data", "O*NET-SOC Code", "Title"):
        code = row["O*NET-SOC Code"]
        occupations[ONET_OCCUPATION + code] = Occupation(
            uri=ONET_OCCUPATION + code,
            label=row["Title"],
            alt_labels=tuple(dict.fromkeys(titles.get(code, ()))),
            essential=needs.of(code, "essential"),
            optional=needs.of(code, "optional"),
        )
    return Loaded(Framework("onet", "O*NET", _version(folder), ONET_LICENCE, skills, occupations), tuple(problems))


def _split(text: str | None, by: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in (text or "").split(by) if part.strip()))


def _version(folder: Path) -> str:
    """The version as the folder's name gives it (`esco-1.1.1`, `db_29_3_text`), or what we know: that we do not."""
    found = re.search(r"\d+(?:[._]\d+)+", folder.resolve().name)
    return found.group().replace("_", ".") if found else "version not stated"
