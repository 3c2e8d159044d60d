"""What waits for a person: one line for each thing that somebody with their roles should do next, and where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, OuterRef
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from guildmark.app.queries.partner import MapLine, maps_of
from guildmark.app.records import (
    Award,
    BlueprintVersion,
    Decision,
    Enrolment,
    Invitation,
    Learner,
    Mark,
    Membership,
    Organisation,
    Person,
    Submission,
)

Role = Membership.Role


@dataclass(frozen=True, slots=True)
class Waiting:
    """One thing to do: what, for whom one acts, and the page where it is done."""

    says: str
    where: str
    organisation: str = ""


def organisations_of(person: Person) -> list[tuple[Organisation, list[str]]]:
    """(organisation, roles in it) for each organisation that the person acts for, by name. One statement."""
    found: dict[Organisation, list[str]] = {}
    rows = (
        Membership.objects.filter(person=person).select_related("organisation").order_by("organisation__name", "role")
    )
    for row in rows:
        found.setdefault(row.organisation, []).append(row.role)
    return list(found.items())


def waiting_for(person: Person, *, now: datetime) -> list[Waiting]:
    """Everything that waits for this person, most pressing kinds first; a fixed number of statements per role."""
    found = [
        Waiting(
            _("You are invited to act for %(name)s as %(role)s.")
            % {"name": row.organisation.name, "role": row.get_role_display()},
            "",
            row.organisation.name,
        )
        for row in Invitation.objects.filter(
            email=person.email.lower(), accepted_at=None, withdrawn_at=None, expires_at__gt=now
        ).select_related("organisation")
    ]
    for organisation, roles in organisations_of(person):
        found += _for_organisation(person, organisation, frozenset(roles))
    learner = Learner.objects.filter(person=person).first()
    return found + (_for_learner(learner) if learner is not None else [])


def _for_organisation(person: Person, organisation: Organisation, roles: frozenset[str]) -> list[Waiting]:
    found = []
    people = reverse("people", args=[organisation.slug])
    if Role.ADMIN in roles and organisation.facts.get("checked") is False:
        says = _("%(name)s has not been checked yet: prove its domain, or wait for the operator.")
        found.append(Waiting(says % {"name": organisation.name}, people, organisation.name))
    if roles & {Role.ADMIN, Role.DESIGNER}:
        count = BlueprintVersion.objects.filter(provider=organisation, state="draft").count()
        says = ngettext("%(n)d blueprint is a draft.", "%(n)d blueprints are drafts.", count) % {"n": count}
        found += [Waiting(says, reverse("blueprints", args=[organisation.slug]), organisation.name)] if count else []
    if Role.MARKER in roles:
        count = to_mark(person, organisation).count()
        says = ngettext("%(n)d piece of work waits for your marks.", "%(n)d pieces of work wait for your marks.", count)
        where = reverse("marking", args=[organisation.slug])
        found += [Waiting(says % {"n": count}, where, organisation.name)] if count else []
    if roles & {Role.ADMIN, Role.AWARDER}:
        where = reverse("awards", args=[organisation.slug])
        count = to_decide(organisation).count()
        says = ngettext("%(n)d learner waits for a decision.", "%(n)d learners wait for a decision.", count)
        found += [Waiting(says % {"n": count}, where, organisation.name)] if count else []
        count = to_award(organisation).count()
        says = ngettext("%(n)d passed decision waits for its award.", "%(n)d passed decisions wait for awards.", count)
        found += [Waiting(says % {"n": count}, where, organisation.name)] if count else []
        count = Award.objects.filter(issuer=organisation, claimed_at=None).exclude(state="revoked").count()
        says = ngettext("%(n)d award has not been taken yet.", "%(n)d awards have not been taken yet.", count)
        found += [Waiting(says % {"n": count}, where, organisation.name)] if count else []
    if Role.PARTNER in roles:
        count = len(to_sign(organisation))
        says = ngettext("%(n)d map of tasks could be signed.", "%(n)d maps of tasks could be signed.", count)
        where = reverse("maps", args=[organisation.slug])
        found += [Waiting(says % {"n": count}, where, organisation.name)] if count else []
    return found


def _for_learner(learner: Learner) -> list[Waiting]:
    found = []
    count = learner.awards.filter(claimed_at=None).exclude(state="revoked").count()
    says = ngettext("%(n)d credential waits to be taken.", "%(n)d credentials wait to be taken.", count) % {"n": count}
    found += [Waiting(says, reverse("wallet"))] if count else []
    count = learner.enrolments.filter(decisions=None).count()
    says = ngettext("You are learning in %(n)d offering.", "You are learning in %(n)d offerings.", count) % {"n": count}
    return found + ([Waiting(says, reverse("wallet"))] if count else [])


def to_mark(person: Person, organisation: Organisation):
    """Work of this provider that nobody has decided on and this marker has not marked, their own left out."""
    return (
        Submission.objects.filter(enrolment__offering__blueprint_version__provider=organisation)
        .exclude(enrolment__decisions__passed=True)
        .exclude(Exists(Mark.objects.filter(submission=OuterRef("pk"), marker=person)))
        .exclude(enrolment__learner__email=person.email.lower())
        .select_related("enrolment__offering__blueprint_version")
        .order_by("submitted_at", "id")
    )


def to_decide(organisation: Organisation):
    """Enrolments with marks and without a passed decision."""
    return (
        Enrolment.objects.filter(offering__blueprint_version__provider=organisation)
        .annotate(marks=Count("submissions__marks", distinct=True))
        .filter(marks__gt=0)
        .exclude(Exists(Decision.objects.filter(enrolment=OuterRef("pk"), passed=True)))
        .select_related("offering__blueprint_version", "learner")
        .order_by("enrolled_at", "id")
    )


def to_award(organisation: Organisation):
    """Passed decisions that have no award yet."""
    return (
        Decision.objects.filter(passed=True, award=None, enrolment__offering__blueprint_version__provider=organisation)
        .select_related("enrolment__learner", "enrolment__offering__blueprint_version")
        .order_by("decided_at", "id")
    )


def to_sign(partner: Organisation) -> list[MapLine]:
    """Drafts that this partner was asked to sign and that no signature of theirs stands for, be it void or none."""
    return [line for line in maps_of(partner) if line.wanted]
