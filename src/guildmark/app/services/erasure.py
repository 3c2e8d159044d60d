"""Erasing a learner: who it was is nowhere afterwards, and what others rely on stands (docs/decisions/0007).

Files go first, then rows. Whoever is stopped in between still finds the learner by their address and erases again;
the other way round, files would lie there that no row tells of.
"""

from __future__ import annotations

import email
import email.policy
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.contrib.admin.models import LogEntry as AdminEntry
from django.contrib.contenttypes.models import ContentType
from django.db import OperationalError, connection, transaction

from guildmark.app.doors import blob_store
from guildmark.app.records import (
    Award,
    Consent,
    HeldCredential,
    HolderProfile,
    KeptAnswer,
    Learner,
    LogEntry,
    Mark,
    MarkCorrection,
    MatchDecision,
    MatchRun,
    OutboxMessage,
    Person,
    PublicPage,
    ShareLink,
    StatusChange,
    Submission,
)
from guildmark.app.services.apps import forget_tokens
from guildmark.app.services.assess import forget_work
from guildmark.app.services.award_lists import forget_learner_in_lists
from guildmark.app.services.events import note_event
from guildmark.app.services.verbs import hold, lost_a_race, verb
from guildmark.core.errors import NotAllowed, OutsideFailure

_BETWEEN_MAILS = b"\n" + b"-" * 79 + b"\n"
"""What Django writes after each message when mail goes to files."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What is gone, and in `kept` a sentence for each thing that still tells of the person and why."""

    awards: int
    works: int
    messages: int
    kept: tuple[str, ...]


def erase_learner(*, learner: Learner, entropy: Callable[[int], bytes], actor: Person, now: datetime) -> Erased:
    """Name, address, documents, salts, nonces, receipts, work, comments and messages of the learner are gone.

    Log and status lists are as they were, and a credential that its holder has kept goes on verifying. Must not be
    called within a transaction. OutsideFailure if the database's file could not be rewritten: the learner is erased
    then, and bytes of them may lie in unused parts of the file until `tidy_database` succeeds.
    """
    if learner.erased_at is not None:
        raise NotAllowed(f"This learner was erased on {learner.erased_at.date()} already.")
    address = learner.email
    works = _forget_works(learner)
    _forget_mail_files(address)
    erased = _forget_rows(learner, works, entropy=entropy, actor=actor, now=now)
    _forget_mail_files(address)  # what a worker sent meanwhile
    tidy_database()
    return erased


def _forget_works(learner: Learner) -> int:
    """How many pieces of work were theirs alone and are gone; what somebody else handed in as well stays."""
    digests = {s.sha256 for s in Submission.objects.filter(enrolment__learner=learner) if s.sha256}
    others = Submission.objects.exclude(enrolment__learner=learner)
    return sum(blob_store().forget(digest, needed=others.filter(sha256=digest).exists) for digest in sorted(digests))


def _forget_mail_files(address: str) -> None:
    """Where mail goes to files, none of them holds a message to this address any more."""
    folder = Path(getattr(settings, "EMAIL_FILE_PATH", None) or settings.HOME / "mail")
    for path in sorted(folder.glob("*.log")):
        messages = [part for part in path.read_bytes().split(_BETWEEN_MAILS) if part]
        others = [part for part in messages if address not in _addressees(part)]
        if not others:
            path.unlink()
        elif len(others) < len(messages):
            beside = path.with_suffix(".new")
            beside.write_bytes(b"".join(part + _BETWEEN_MAILS for part in others))
            beside.chmod(0o600)
            beside.replace(path)


def _addressees(message: bytes) -> set[str]:
    parsed = email.message_from_bytes(message, policy=email.policy.default)
    return {found.addr_spec.lower() for header in parsed.get_all("To", []) for found in header.addresses}


@verb
def _forget_rows(
    learner: Learner, works: int, *, entropy: Callable[[int], bytes], actor: Person, now: datetime
) -> Erased:
    learner = hold(learner)
    theirs = Submission.objects.filter(enrolment__learner=learner)
    handed_in_meanwhile = {row.sha256 for row in theirs if row.sha256}
    transaction.on_commit(lambda: [forget_work(digest) for digest in sorted(handed_in_meanwhile)])
    messages, _ = OutboxMessage.objects.filter(to=learner.email).delete()
    theirs.update(title="", sha256="")
    Mark.objects.filter(submission__enrolment__learner=learner).update(comment="")
    awards = list(Award.objects.filter(learner=learner).order_by("id"))
    for award in awards:
        LogEntry.objects.filter(award=award).update(award=None)  # nothing leads from the leaf to the award
        award.document, award.salt, award.nonce, award.receipt = b"", "", b"", ""
        award.claim_sha256 = hashlib.sha256(entropy(32)).hexdigest()
        award.save(update_fields=["document", "salt", "nonce", "receipt", "claim_sha256"])
    StatusChange.objects.filter(award__learner=learner).update(note="")
    MarkCorrection.objects.filter(mark__submission__enrolment__learner=learner).update(reason="(erased)")
    Consent.objects.filter(learner=learner, withdrawn_at=None).update(withdrawn_at=now)
    MatchDecision.objects.filter(learner=learner).update(reason="")
    _forget_matches(learner)
    PublicPage.objects.filter(learner=learner).delete()
    ShareLink.objects.filter(award__learner=learner).delete()
    HeldCredential.objects.filter(learner=learner).delete()
    HolderProfile.objects.filter(learner=learner).delete()
    if learner.person is not None:
        forget_tokens(learner.person)
    forget_learner_in_lists(learner)
    KeptAnswer.objects.filter(learner=learner).delete()
    kept = _forget_account(learner)
    learner.name, learner.email = "(erased)", f"{learner.pk}@erased.invalid"
    learner.person, learner.erased_at = None, now
    learner.save(update_fields=["name", "email", "person", "erased_at"])
    note_event(verb="erase_learner", subject=str(learner.pk), actor=actor, now=now, awards=len(awards), works=works)
    return Erased(len(awards), works, messages, kept)


def _forget_matches(learner: Learner) -> None:
    """Rankings keep that somebody was ranked and how high, without what it rested on."""
    for run in MatchRun.objects.filter(matches__icontains=str(learner.pk)).order_by("id"):
        run.matches = [
            {**match, "reasons": [], "missing": [], "closes": []} if match["person_id"] == str(learner.pk) else match
            for match in run.matches
        ]
        run.save(update_fields=["matches"])


def _forget_account(learner: Learner) -> tuple[str, ...]:
    """The account is nobody's any more, unless it is a colleague's: then it stays and is named."""
    person = learner.person
    staff = Person.objects.filter(email__iexact=learner.email).exclude(pk=person.pk if person else None)
    kept = [f"{p.username}: an account with the same e-mail address." for p in staff.order_by("username")]
    if person is None:
        return tuple(kept)
    if person.is_staff or person.is_superuser or person.memberships.exists():
        return (*kept, f"{person.username}: an account that has roles of its own; erase it with those who gave them.")
    content_type = ContentType.objects.get_for_model(Person)
    AdminEntry.objects.filter(content_type=content_type, object_id=str(person.pk)).update(
        object_repr="(erased)", change_message=""
    )
    person.username, person.email = f"erased-{person.pk}", ""
    person.name = person.first_name = person.last_name = ""
    person.is_active = False
    person.set_unusable_password()
    person.save()
    return tuple(kept)


def tidy_database() -> None:
    """SQLite's file is written anew, so that nothing deleted lies in its unused parts; OutsideFailure while it is busy.

    On PostgreSQL deleted rows are overwritten by its own autovacuum and later writes; nothing is done here.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        return
    says = (
        "The learner is erased, but the database is in use and its file may still hold deleted bytes; "
        "run guildmark site tidy-database in a quiet moment."
    )
    try:
        with connection.cursor() as cursor:
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            (busy, _, _) = cursor.fetchone()
    except OperationalError as problem:
        if lost_a_race(problem):
            raise OutsideFailure(says) from problem
        raise
    if busy:
        raise OutsideFailure(says)
