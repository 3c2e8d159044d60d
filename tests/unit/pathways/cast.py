"""Credentials and rules for the tests of stacking and matching. Every name is invented."""

from __future__ import annotations

from datetime import date

from guildmark.assess.holding import HeldSkill, Holding
from guildmark.pathways.stack import StackRule, read_stack_rule

ON = date(2026, 11, 24)
HARBOUR = "did:web:harbour.example"
RHEIN = "did:web:rhein.example"

ENVELOPE = f"""
id = "r"
title = "Certificate"
version = "1"
source = "Harbour University, policy 7"
effective_from = 2026-01-01
unit = "AU-CP"
issuers = ["{HARBOUR}", "{RHEIN}"]
"""

EXAMPLES = """
[[example]]
title = "Enough"
earns = true
on = 2026-11-24
holdings = []

[[example]]
title = "Nothing"
earns = false
on = 2026-11-24
holdings = []
"""
"""The two that every rule brings; whether they are true is not what the tests that use these look at."""


def held(name="a", **changes) -> Holding:
    """A valid credential of Harbour's for the achievement `name`: 6 AU-CP at AQF 5, assessed this November."""
    values = {
        "credential_id": f"cred:{name}",
        "achievement_id": f"ach:{name}",
        "title": f"Course {name}",
        "issuer_id": HARBOUR,
        "learner_id": "mei",
        "skills": (),
        "credit_value": 6.0,
        "credit_unit": "AU-CP",
        "level": "AQF:5",
        "assessed_on": date(2026, 11, 1),
        "valid_until": None,
        "status": "valid",
        "tags": ("data",),
    }
    return Holding(**{**values, **changes})


def showing(name, *uris, **changes) -> Holding:
    """A credential that is aligned to these skills."""
    return held(name, skills=tuple(HeldSkill(uri, uri) for uri in uris), **changes)


def achievements(*names, issuer=HARBOUR) -> str:
    """TOML tables for achievements under their own names."""
    return "".join(f'[achievements.{n}]\nid = "ach:{n}"\ntitle = "Course {n}"\nissuer = "{issuer}"\n' for n in names)


def group(id="g", from_='{ tags = ["data"] }', need="{ credits = 6 }", more="") -> str:
    """A TOML group."""
    return f'[[group]]\nid = "{id}"\ntitle = "Group {id}"\nreason = "Because."\nfrom = {from_}\nneed = {need}\n{more}\n'


def rule(*parts, top="") -> StackRule:
    """The rule of these parts, with the envelope and the examples that every rule needs."""
    return read_stack_rule("\n".join([ENVELOPE, top, *parts, EXAMPLES]))
