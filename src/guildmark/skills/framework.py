"""Skills and occupations of a framework, whoever publishes it, as one kind of value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ESCO_SKILL = "http://data.europa.eu/esco/skill/"
ESCO_OCCUPATION = "http://data.europa.eu/esco/occupation/"


@dataclass(frozen=True, slots=True)
class Skill:
    """One skill under its URI. `kind` is skill, knowledge, tool or language; `codes` names it in other frameworks."""

    uri: str
    label: str
    alt_labels: tuple[str, ...] = ()
    description: str = ""
    kind: str = "skill"
    codes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Occupation:
    """One occupation with the URIs of the skills that are essential to it, and of those that are optional."""

    uri: str
    label: str
    alt_labels: tuple[str, ...] = ()
    isco: str = ""
    essential: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Framework:
    """A version of a skill framework: skills and occupations by URI, and the licence under which it may be used."""

    id: str
    title: str
    version: str
    licence: str
    skills: Mapping[str, Skill]
    occupations: Mapping[str, Occupation] = field(default_factory=dict)
