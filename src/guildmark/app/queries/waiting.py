"""What waits for a person: one line for each thing that somebody with their roles should do next, and where."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast, Coalesce, Greatest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from guildmark.app.queries.comments import waiting_comments
from guildmark.app.queries.needs import answers_to_read, needs_for
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
    RegisterNumber,
    Submission,
)
from guildmark.assess.decision import FEWEST_MARKERS

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


def open_invitations(addresses: Collection[str], *, now: datetime) -> QuerySet[Invitation]:
    """Invitations to one of these e-mail addresses that can still be accepted."""
    return Invitation.objects.filter(
        email__in=addresses, accepted_at=None, withdrawn_at=None, expires_at__gt=now
    ).select_related("organisation", "invited_by")


def waiting_for(person: Person, *, now: datetime, confirmed: Collection[str] = ()) -> list[Waiting]:
    """Everything that waits for this person, most pressing kinds first; a fixed number of statements per role.

    `confirmed` are the e-mail addresses that they have shown to be theirs: what was sent there opens from here too.
    """
    found = [
        Waiting(
            _("You are invited to act for %(name)s as %(role)s.")
            % {"name": row.organisation.name, "role": row.get_role_display()},
            reverse("own-invitation", args=[row.id]) if row.email in confirmed else "",
            row.organisation.name,
        )
        for row in open_invitations({person.email.strip().lower(), *confirmed}, now=now)
    ]
    for organisation, roles in organisations_of(person):
        found += _for_organisation(person, organisation, frozenset(roles))
    if person.is_superuser:
        count = RegisterNumber.objects.filter(state=RegisterNumber.State.CLAIMED).count()
        says = ngettext(
            "%(n)d register number waits to be looked up.", "%(n)d register numbers wait to be looked up.", count
        )
        found += [Waiting(says % {"n": count}, reverse("numbers-to-look-up"))] if count else []
    learner = Learner.objects.filter(person=person).first()
    return found + (_for_learner(learner) if learner is not None else [])


def _for_organisation(person: Person, organisation: Organisation, roles: frozenset[str]) -> list[Waiting]:
    found = []
    people = reverse("people", args=[organisation.slug])
    if Role.ADMIN in roles and organisation.facts.get("checked") is False:
        says = _("%(name)s has not been checked yet: prove its domain, or wait for the operator.")
        found.append(Waiting(says % {"name": organisation.name}, people, organisation.name))
    if roles & {Role.ADMIN, Role.DESIGNER} and organisation.kind == Organisation.Kind.PROVIDER:
        found += _for_designers(organisation)
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
        count = waiting_comments(partner=organisation).count()
        says = ngettext("%(n)d answer to a comment of yours.", "%(n)d answers to comments of yours.", count)
        found += [Waiting(says % {"n": count}, where, organisation.name)] if count else []
        count = answers_to_read(organisation).count()
        says = ngettext("%(n)d draft answers a need of yours.", "%(n)d drafts answer needs of yours.", count)
        where = reverse("needs", args=[organisation.slug])
        found += [Waiting(says % {"n": count}, where, organisation.name)] if count else []
    return found


def _for_designers(provider: Organisation) -> list[Waiting]:
    found = []
    count = needs_for(provider, unanswered=True).count()
    says = ngettext(
        "%(n)d open need of an industry partner in your fields.",
        "%(n)d open needs of industry partners in your fields.",
        count,
    )
    where = reverse("open-needs", args=[provider.slug])
    found += [Waiting(says % {"n": count}, where, provider.name)] if count else []
    count = waiting_comments(provider=provider).count()
    says = ngettext("%(n)d comment waits for your answer.", "%(n)d comments wait for your answer.", count)
    where = reverse("blueprints", args=[provider.slug])
    return found + ([Waiting(says % {"n": count}, where, provider.name)] if count else [])


def _for_learner(learner: Learner) -> list[Waiting]:
    found = []
    count = learner.awards.filter(claimed_at=None).exclude(state="revoked").count()
    says = ngettext("%(n)d credential waits to be taken.", "%(n)d credentials wait to be taken.", count) % {"n": count}
    found += [Waiting(says, reverse("wallet"))] if count else []
    count = learner.enrolments.filter(decisions=None).count()
    says = ngettext("You are learning in %(n)d offering.", "You are learning in %(n)d offerings.", count) % {"n": count}
    return found + ([Waiting(says, reverse("wallet"))] if count else [])


def markable(person: Person, organisation: Organisation) -> QuerySet[Submission]:
    """Work of this provider without a passed decision that this marker has not marked, their own left out."""
    return (
        Submission.objects.filter(enrolment__offering__blueprint_version__provider=organisation)
        .exclude(enrolment__decisions__passed=True)
        .exclude(Exists(Mark.objects.filter(submission=OuterRef("pk"), marker=person)))
        .exclude(enrolment__learner__email=person.email.lower())
        .select_related("enrolment__offering__blueprint_version")
        .order_by("submitted_at", "id")
    )


def to_mark(person: Person, organisation: Organisation) -> QuerySet[Submission]:
    """What of `markable` lacks marks: the work that waits for this marker.

    It lacks marks while fewer people than its award rule asks for have marked it, or once a decision found its marks
    incomplete or too far apart, until there are marks that came later.
    """
    document = "enrolment__offering__blueprint_version__document"
    asked = Cast(KeyTextTransform("min_markers", KeyTransform("award_rule", document)), IntegerField())
    # The first two findings of a decision are about its marks: all there, and reconciled (`assess.decision`).
    open_marks = Q(document__report__findings__0__verdict="unknown")
    open_marks |= Q(document__report__findings__1__verdict="unknown")
    later = Mark.objects.filter(submission__enrolment=OuterRef("enrolment"), marked_at__gt=OuterRef("decided_at"))
    undecided = Decision.objects.filter(open_marks, enrolment=OuterRef("enrolment")).exclude(Exists(later))
    markers = (
        Mark.objects.filter(submission=OuterRef("pk"))
        .order_by()
        .values("submission")
        .annotate(n=Count("marker", distinct=True))
        .values("n")
    )
    return (
        markable(person, organisation)
        .annotate(asked=Greatest(asked, Value(FEWEST_MARKERS)), have=Coalesce(Subquery(markers), Value(0)))
        .filter(Q(have__lt=F("asked")) | Exists(undecided))
    )


def to_decide(organisation: Organisation):
    """Enrolments with marks and no passed decision; a clear fail is back once there are marks that came later."""
    later = Mark.objects.filter(submission__enrolment=OuterRef("enrolment"), marked_at__gt=OuterRef("decided_at"))
    failed = Decision.objects.filter(enrolment=OuterRef("pk"), document__report__verdict="fail")
    return (
        Enrolment.objects.filter(offering__blueprint_version__provider=organisation)
        .filter(Exists(Mark.objects.filter(submission__enrolment=OuterRef("pk"))))
        .exclude(Exists(Decision.objects.filter(enrolment=OuterRef("pk"), passed=True)))
        .exclude(Exists(failed.exclude(Exists(later))))
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
