"""Reading skill frameworks: ESCO and O*NET as their publishers lay them out, the same reshaped, and our own small one.

A row that cannot be used is listed with its number and field, and the others are read. A file that is missing, cut off
or not text is one sentence that names it.

Layouts that are known, each a folder:

- ESCO as published: `skills_en.csv`, `occupations_en.csv`, `occupationSkillRelations_en.csv` (version 1.1 and later);
- ESCO reshaped: `skills.csv.gz`, `occupations.csv.gz`, `occupation_skill.csv.gz` with integer keys;
- O*NET as published, tab separated: `Occupation Data.txt`, `Skills.txt`, `Knowledge.txt`, `Technology Skills.txt`;
- O*NET reshaped: `occupation_data.csv.gz`, `skills.csv.gz`, `knowledge.csv.gz`, `technology_skills.csv.gz`.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from guildmark.core.errors import BrokenInput
from guildmark.core.problems import RowProblem
from guildmark.skills.framework import ESCO_OCCUPATION, ESCO_SKILL, Framework, Occupation, Skill

ESCO_LICENCE = (
    "This service uses the ESCO classification of the European Commission. Reuse under Commission Decision 2011/833/EU."
)
ONET_LICENCE = (
    "Includes information from the O*NET Database by the U.S. Department of Labor, Employment and Training Administration "
    "(USDOL/ETA), used under CC BY 4.0; guildmark has modified its form."
)
ONET_SKILL = "https://www.onetonline.org/find/descriptor/result/"
LARGEST = 512 * 1024 * 1024
"""Bytes that one file may unpack to."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A framework, and the rows that could not be used."""

    framework: Framework
    problems: tuple[RowProblem, ...]


@cache
def builtin_framework() -> Framework:
    """guildmark's own framework: about 150 skills that many job ads ask for, with ESCO and O*NET codes as facts."""
    text = (files("guildmark.skills") / "data" / "guildmark-skills.csv").read_text(encoding="utf-8")
    skills = {}
    for row in csv.DictReader(io.StringIO(text)):
        codes = {"esco": row["esco"], **({"onet": row["onet"]} if row["onet"] else {})}
        skill = Skill(
            uri=ESCO_SKILL + row["esco"],
            label=row["label"],
            alt_labels=tuple(a for a in row["alt_labels"].split("|") if a),
            description=row["description"],
            kind=row["kind"],
            codes=codes,
        )
        skills[skill.uri] = skill
    return Framework("guildmark", "guildmark starter skills", "2026.1", "Apache-2.0; codes of ESCO and O*NET as facts", skills)


def load_framework(path: Path, *, kind: str = "auto") -> Loaded:
    """The framework in a folder; `kind` is esco, onet, or auto to look. BrokenInput if the folder is neither."""
    if not path.is_dir():
        raise BrokenInput("is not a folder", where=str(path), hint="name the folder that holds the framework's files")
    names = {p.name for p in path.iterdir()}
    if kind not in ("auto", "esco", "onet"):
        raise BrokenInput(f"framework kind {kind!r} is not known", hint="use auto, esco or onet")
    if kind in ("auto", "esco") and names & {"skills_en.csv", "skills_en.csv.gz"}:
        return _esco_official(path)
    if kind in ("auto", "esco") and names & {"occupation_skill.csv.gz", "occupation_skill.csv"}:
        return _esco_reshaped(path)
    if kind in ("auto", "onet") and "Occupation Data.txt" in names:
        return _onet(path, {n: f"{n}.txt" for n in ("Occupation Data", "Skills", "Knowledge", "Technology Skills")}, "\t")
    if kind in ("auto", "onet") and names & {"occupation_data.csv.gz", "occupation_data.csv"}:
        reshaped = {n: n.lower().replace(" ", "_") + ".csv" for n in ("Occupation Data", "Skills", "Knowledge", "Technology Skills")}
        return _onet(path, reshaped, ",")
    raise BrokenInput(
        "holds no skill framework that is known", where=str(path), hint="it needs ESCO's skills_en.csv or O*NET's Skills.txt"
    )


def _rows(
    folder: Path, name: str, needed: tuple[str, ...], problems: list[RowProblem], *, delimiter: str = ","
) -> Iterator[tuple[int, Mapping[str, str]]]:
    """(row number, row) of a CSV file, packed or not; BrokenInput if it is missing, cut off, not text, or lacks a column."""
    path = next((p for p in (folder / name, folder / f"{name}.gz") if p.exists()), None)
    if path is None:
        raise BrokenInput("is missing", where=str(folder / name), hint="copy the whole framework into the folder")
    text = read_text(path)
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter, quoting=csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL)
    missing = [column for column in needed if column not in (reader.fieldnames or [])]
    if missing:
        raise BrokenInput(f"has no column {missing[0]!r}", where=str(path), hint=f"it needs {', '.join(needed)}")
    try:
        for number, row in enumerate(reader, 1):
            empty = next((column for column in needed if not (row.get(column) or "").strip()), None)
            if empty is not None:
                problems.append(RowProblem(number, f"{path.name}:{empty}", "is empty"))
                continue
            yield number, row
    except csv.Error as problem:
        raise BrokenInput(f"cannot be read after row {reader.line_num} ({problem})", where=str(path)) from problem


def read_text(path: Path) -> str:
    """The text of a file, unpacked if its name ends in .gz; BrokenInput if it cannot be read, unpacked or decoded."""
    try:
        data = path.read_bytes()
        if path.suffix == ".gz":
            with gzip.open(io.BytesIO(data)) as stream:
                data = stream.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error) as problem:
        raise BrokenInput(f"cannot be read ({problem})", where=str(path), hint="copy the file again") from problem
    if len(data) > LARGEST:
        raise BrokenInput(f"unpacks to more than {LARGEST:,} bytes", where=str(path), hint="is this the right file?")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise BrokenInput(f"byte {problem.start} is not UTF-8", where=str(path), hint="save the file as UTF-8") from problem


def _esco_kind(skill_type: str, reuse: str, in_languages: bool = False) -> str:
    if in_languages:
        return "language"
    return "knowledge" if skill_type.strip() == "knowledge" else "skill"


def _esco_official(folder: Path) -> Loaded:
    problems: list[RowProblem] = []
    skills: dict[str, Skill] = {}
    for number, row in _rows(folder, "skills_en.csv", ("conceptUri", "preferredLabel"), problems):
        uri = row["conceptUri"].strip()
        if not uri.startswith(ESCO_SKILL):
            problems.append(RowProblem(number, "skills_en.csv:conceptUri", f"{uri[:80]!r} is no ESCO skill"))
            continue
        skills[uri] = Skill(
            uri=uri,
            label=row["preferredLabel"].strip(),
            alt_labels=_split(row.get("altLabels"), "\n"),
            description=(row.get("description") or "").strip(),
            kind=_esco_kind(row.get("skillType") or "", row.get("reuseLevel") or ""),
            codes={"esco": uri.removeprefix(ESCO_SKILL)},
        )
    needs: dict[str, dict[str, list[str]]] = {}
    wanted = ("occupationUri", "relationType", "skillUri")
    for number, row in _rows(folder, "occupationSkillRelations_en.csv", wanted, problems):
        if row["skillUri"] not in skills:
            problems.append(RowProblem(number, "occupationSkillRelations_en.csv:skillUri", "no such skill in skills_en.csv"))
            continue
        needs.setdefault(row["occupationUri"], {}).setdefault(row["relationType"], []).append(row["skillUri"])
    occupations = {
        row["conceptUri"]: Occupation(
            uri=row["conceptUri"],
            label=row["preferredLabel"].strip(),
            alt_labels=_split(row.get("altLabels"), "\n"),
            isco=(row.get("iscoGroup") or "").strip(),
            essential=tuple(needs.get(row["conceptUri"], {}).get("essential", ())),
            optional=tuple(needs.get(row["conceptUri"], {}).get("optional", ())),
        )
        for _, row in _rows(folder, "occupations_en.csv", ("conceptUri", "preferredLabel"), problems)
    }
    return Loaded(Framework("esco", "ESCO", _version(folder), ESCO_LICENCE, skills, occupations), tuple(problems))


def _esco_reshaped(folder: Path) -> Loaded:
    problems: list[RowProblem] = []
    skills: dict[str, Skill] = {}
    uris: dict[str, str] = {}
    for number, row in _rows(folder, "skills.csv", ("skill_no", "uuid", "preferredLabel"), problems):
        if not _UUID.fullmatch(row["uuid"]):
            problems.append(RowProblem(number, "skills.csv:uuid", f"{row['uuid'][:60]!r} is no UUID"))
            continue
        uri = ESCO_SKILL + row["uuid"]
        uris[row["skill_no"]] = uri
        skills[uri] = Skill(
            uri=uri,
            label=row["preferredLabel"].strip(),
            alt_labels=_split(row.get("altLabels"), "|"),
            description=(row.get("description") or "").strip(),
            kind=_esco_kind(row.get("skillType") or "", row.get("reuseLevel") or ""),
            codes={"esco": row["uuid"]},
        )
    needs: dict[str, dict[str, list[str]]] = {}
    wanted = ("occ_no", "skill_no", "rel_e_essential_o_optional")
    for number, row in _rows(folder, "occupation_skill.csv", wanted, problems):
        skill = uris.get(row["skill_no"])
        if skill is None:
            problems.append(RowProblem(number, "occupation_skill.csv:skill_no", "no such skill in skills.csv"))
            continue
        needs.setdefault(row["occ_no"], {}).setdefault(row["rel_e_essential_o_optional"], []).append(skill)
    occupations = {
        ESCO_OCCUPATION + row["uuid"]: Occupation(
            uri=ESCO_OCCUPATION + row["uuid"],
            label=row["preferredLabel"].strip(),
            alt_labels=_split(row.get("altLabels"), "|"),
            isco=(row.get("iscoGroup") or "").strip(),
            essential=tuple(needs.get(row["occ_no"], {}).get("e", ())),
            optional=tuple(needs.get(row["occ_no"], {}).get("o", ())),
        )
        for _, row in _rows(folder, "occupations.csv", ("occ_no", "uuid", "preferredLabel"), problems)
    }
    return Loaded(Framework("esco", "ESCO", _version(folder), ESCO_LICENCE, skills, occupations), tuple(problems))


def _onet(folder: Path, names: Mapping[str, str], delimiter: str) -> Loaded:
    """O*NET elements (skills and knowledge) and the technologies of its examples; essential is importance 3 or more."""
    problems: list[RowProblem] = []
    skills: dict[str, Skill] = {}
    essential: dict[str, list[str]] = {}
    for table, kind in (("Skills", "skill"), ("Knowledge", "knowledge")):
        wanted = ("O*NET-SOC Code", "Element ID", "Element Name", "Scale ID", "Data Value")
        for number, row in _rows(folder, names[table], wanted, problems, delimiter=delimiter):
            uri = ONET_SKILL + row["Element ID"]
            if uri not in skills:
                skills[uri] = Skill(uri=uri, label=row["Element Name"], kind=kind, codes={"onet": row["Element ID"]})
            try:
                important = row["Scale ID"] == "IM" and float(row["Data Value"]) >= 3
            except ValueError:
                problems.append(RowProblem(number, f"{names[table]}:Data Value", f"{row['Data Value'][:40]!r} is no number"))
                continue
            if important:
                essential.setdefault(row["O*NET-SOC Code"], []).append(uri)
    tools: dict[str, list[str]] = {}
    for _, row in _rows(folder, names["Technology Skills"], ("O*NET-SOC Code", "Example"), problems, delimiter=delimiter):
        uri = f"urn:onet:technology:{re.sub(r'[^a-z0-9]+', '-', row['Example'].lower()).strip('-')}"
        if uri not in skills:
            skills[uri] = Skill(uri=uri, label=row["Example"], kind="tool", codes={"onet": row.get("Commodity Code") or ""})
        tools.setdefault(row["O*NET-SOC Code"], []).append(uri)
    occupations = {}
    for _, row in _rows(folder, names["Occupation Data"], ("O*NET-SOC Code", "Title"), problems, delimiter=delimiter):
        code = row["O*NET-SOC Code"]
        uri = f"https://www.onetonline.org/link/summary/{code}"
        occupations[uri] = Occupation(
            uri=uri, label=row["Title"], essential=tuple(essential.get(code, ())), optional=tuple(tools.get(code, ()))
        )
    return Loaded(Framework("onet", "O*NET", _version(folder), ONET_LICENCE, skills, occupations), tuple(problems))


def _split(text: str | None, by: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in (text or "").split(by) if part.strip()))


def _version(folder: Path) -> str:
    """The version as the folder's name gives it (`esco-1.1.1`), or what we know: that we do not."""
    found = re.search(r"\d+(?:\.\d+)+", folder.name)
    return found.group() if found else "version not stated"
