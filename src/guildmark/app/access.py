"""Who may do what: one table, read by the loaders in front of every service.

`ACTIONS` says which roles in an organisation permit an action. A loader either returns the object or raises
`NotAllowed`; services are called with what a loader returned and decide nothing about permission. Every page declares
its audience with `audience`, and a test walks the addresses and fails on one that does not.
"""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.decorators import login_required

from guildmark.app.records import Membership, Organisation, Person
from guildmark.core.errors import NotAllowed

Role = Membership.Role

ACTIONS: dict[str, frozenset[str]] = {
    "design": frozenset({Role.ADMIN, Role.DESIGNER}),
    "judge": frozenset({Role.ADMIN, Role.DESIGNER}),
    "publish": frozenset({Role.ADMIN}),
    "offer": frozenset({Role.ADMIN, Role.DESIGNER}),
    "mark": frozenset({Role.MARKER}),
    "decide": frozenset({Role.ADMIN, Role.AWARDER}),
    "award": frozenset({Role.AWARDER}),
    "change_status": frozenset({Role.ADMIN, Role.AWARDER}),
    "endorse": frozenset({Role.PARTNER}),
    "hire": frozenset({Role.PARTNER}),
    "review": frozenset({Role.ADMIN, Role.DESIGNER}),
    "manage_people": frozenset({Role.ADMIN}),
    "manage_keys": frozenset({Role.ADMIN}),
    "manage_webhooks": frozenset({Role.ADMIN}),
}
"""Action -> roles that permit it. Marking needs its role even of an administrator: who marks is on record."""

AUDIENCES = ("public", "person", "operator", "program")
"""For whom a page is: anyone; somebody who is signed in (what they see is decided by loaders); the operator; a program
with a key of its organisation, or an app that a learner let in."""


def permits(actor: Person, action: str, organisation: Organisation) -> bool:
    """Whether `actor` holds a role in `organisation` that permits `action`."""
    return (
        actor.is_active
        and Membership.objects.filter(person=actor, organisation=organisation, role__in=ACTIONS[action]).exists()
    )


def require(actor: Person, action: str, organisation: Organisation) -> None:
    """Return only if permitted; otherwise NotAllowed says which roles would be."""
    if not permits(actor, action, organisation):
        roles = " or ".join(sorted(str(r) for r in ACTIONS[action]))
        raise NotAllowed(f"{actor} may not {action.replace('_', ' ')} for {organisation}: that needs the role {roles}.")


def require_operator(actor: Person) -> None:
    """Return only if `actor` runs the whole site; NotAllowed for everybody else, whatever their roles."""
    if not (actor.is_active and actor.is_superuser):
        raise NotAllowed(f"{actor} may not do this: it concerns every organisation and needs an operator of the site.")


def audience(name: str) -> Callable[[Callable], Callable]:
    """Declare for whom a page is; a page for a person asks who it is first."""
    if name not in AUDIENCES:
        raise ValueError(f"audience {name!r} is not one of {AUDIENCES}")

    def declare(view: Callable) -> Callable:
        declared = login_required(view) if name in ("person", "operator") else view
        declared.audience = name
        return declared

    return declare
