"""Who the invented people of the demo are, sorted so that somebody who looks around finds whom to be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Prefetch

from guildmark.app.records import Membership, Organisation, Person

LEARNER = "learner"
"""The kind of a group whose people act for no organisation."""


@dataclass(frozen=True, slots=True)
class Member:
    """One of the demo's people; `says` are their roles, or, among partners, the organisation that they act for."""

    person: Person
    says: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """People who stand under one heading: a provider by name, all "partner"s, or all "learner"s."""

    kind: str
    name: str
    members: tuple[Member, ...]


def people_of_the_demo(*, besides: Sequence[str] = ()) -> list[Group]:
    """Everybody but operators and those named: each provider, then partners, then who learns. Two statements."""
    memberships = Membership.objects.select_related("organisation").order_by("role")
    people = (
        Person.objects.filter(is_superuser=False, is_active=True)
        .exclude(username__in=besides)
        .prefetch_related(Prefetch("memberships", memberships))
        .order_by("name", "username")
    )
    found: dict[tuple[str, str], list[Member]] = defaultdict(list)
    for person in people:
        roles: dict[Organisation, list[str]] = defaultdict(list)
        for row in person.memberships.all():
            roles[row.organisation].append(row.get_role_display())
        for organisation, held in roles.items():
            if organisation.kind == Organisation.Kind.PARTNER:
                found[organisation.kind, ""].append(Member(person, (organisation.name,)))
            else:
                found[organisation.kind, organisation.name].append(Member(person, tuple(held)))
        if not roles:
            found[LEARNER, ""].append(Member(person, ()))
    order = [*Organisation.Kind.values, LEARNER]
    return [
        Group(kind, name, tuple(members))
        for (kind, name), members in sorted(found.items(), key=lambda row: (order.index(row[0][0]), row[0][1]))
    ]


def found_by_name(usernames: Sequence[str]) -> dict[str, tuple[Person, str]]:
    """username -> (person, the organisation they act for or ""), for those who are there. Two statements."""
    memberships = Membership.objects.select_related("organisation").order_by("organisation__name", "role")
    people = Person.objects.filter(username__in=usernames, is_superuser=False, is_active=True)
    return {
        person.username: (person, next((row.organisation.name for row in person.memberships.all()), ""))
        for person in people.prefetch_related(Prefetch("memberships", memberships))
    }
