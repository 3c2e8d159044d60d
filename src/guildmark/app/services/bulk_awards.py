"""Many awards at once: the plain rows of a list, a thousand and more in one transaction, and the others one by one.

A row is plain if nothing can be said against it: somebody who is new here, or has done nothing in this offering, with a
result that passes; or somebody whose passed decision waits. It leaves the very rows, mails, events and leaves that
`award_lists.settle_row` would leave, which goes through `award_credential`: whoever reads the database cannot tell. Any
other row takes that ordinary way, in the same transaction, and so has its sentence.

What is the same for thousands is made once, by the functions that make it for one: for each pattern of levels the
decision and the document are made with marks in place of what is a row's own (`_Mould`), and then filled.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Exists, OuterRef, TextField
from django.db.models.functions import Cast, Lower
from django.utils import translation

from guildmark.app.queries.assess import decision_value, evidence_from_outside, evidence_of
from guildmark.app.queries.design import blueprint_value
from guildmark.app.records import (
    Award,
    AwardList,
    AwardListRow,
    Decision,
    Enrolment,
    Event,
    Learner,
    LogEntry,
    Offering,
    OutboxMessage,
    Person,
    Submission,
    TransferredResult,
)
from guildmark.app.services import award_lists as lists
from guildmark.app.services.announce import announce_many, listens
from guildmark.app.services.awards import Entropy, claim_link, claim_mail, same_for_all
from guildmark.app.services.bulk_rows import Same, insert_rows, reserve_ids, update_rows
from guildmark.app.services.events import note_event
from guildmark.app.services.follow_ups import each_once, enqueue
from guildmark.app.services.keys import signer_for
from guildmark.app.services.mail import first_known, one_subject
from guildmark.app.services.status import allocate_many, list_url, reasons_url
from guildmark.app.services.verbs import hold, verb
from guildmark.assess.decision import Decision as DecisionValue
from guildmark.assess.decision import decide
from guildmark.assess.result_list import (
    DateOrder,
    ListedResult,
    ReadRow,
    RowStream,
    brings_results,
    check_columns,
    columns_of,
    date_order,
    guess_columns,
    open_rows,
    read_rows,
)
from guildmark.core.codecs import jcs
from guildmark.core.doors import Signer
from guildmark.core.errors import BrokenInput, NotAllowed
from guildmark.credential.batch import Batch
from guildmark.credential.open_badge import Recipient, award_document, identity_hash, plain_email, plain_name
from guildmark.credential.shape import Path, put
from guildmark.credential.status import status_entry
from guildmark.design.blueprint import Blueprint
from guildmark.ledger.entries import ISSUE, commitment_line, leaf_beginning

CHUNK = 2_000
"""Rows in one transaction. On SQLite others wait for their turn to write meanwhile, half a second or so."""

MOST_ROWS = 1_000_000
LARGEST = 400_000_000
"""Rows and bytes of a file that is handed to a command; pages take less."""

_MOST_MOULDS = 20_000

State, RowState = AwardList.State, AwardListRow.State


# --- From the file to a list that runs ---


@dataclass(frozen=True, slots=True)
class Reading:
    """A file whose columns are known: what `read_into` needs."""

    award_list: AwardList
    stream: RowStream
    order: DateOrder


def interrupted_list(*, offering: Offering, body: bytes) -> AwardList | None:
    """The list that was made of this very file for this offering, was started and is not done."""
    file_sha256 = hashlib.sha256(body).hexdigest()
    unfinished = AwardList.objects.filter(state__in=[State.RUNNING, State.STOPPED])
    return unfinished.filter(offering=offering, file_sha256=file_sha256).order_by("-uploaded_at", "id").first()


@verb
def open_list(
    *,
    id: UUID,
    offering: Offering,
    source: str,
    file_name: str,
    body: bytes,
    columns: Mapping[str, str],
    order: DateOrder,
    actor: Person,
    now: datetime,
) -> Reading:
    """A list whose columns are named, with no row read yet; the file itself is not kept.

    `columns` are column keys with the headings under which they stand, for what the headings do not tell by themselves;
    an empty heading takes a column out. What an interrupted reading of the same file left is gone. BrokenInput for a
    file that is no table or whose columns are not all there; NotAllowed unless the micro-credential is published.
    """
    version = lists.published_version(offering)
    blueprint = blueprint_value(version)
    wanted = columns_of(blueprint)
    stream = open_rows(body, where=file_name[-100:], most=MOST_ROWS)
    places = _places(stream, {c.key for c in wanted}, guess_columns(stream.heading, wanted), columns)
    labels = {column.key: column.label for column in wanted}
    for problem in check_columns(wanted, places):
        raise BrokenInput(problem.says, where=labels.get(problem.field, problem.field))
    if brings_results(places):
        order = order or date_order(stream, places)
        if not order:
            hint = "say whether the day or the month comes first"
            raise BrokenInput("dates such as 03/04/2026 can be read in two ways", where="assessed on", hint=hint)
        if not source.strip():
            raise BrokenInput("say which system the results come from", where="source")
    digest = hashlib.sha256(body).hexdigest()
    _unread(offering, digest).delete()
    row = AwardList.objects.create(
        id=id,
        offering=offering,
        source=" ".join(source.split())[:200],
        file_name=file_name[-200:],
        file_sha256=digest,
        body=b"",
        columns=places,
        date_order=order,
        uploaded_by=actor,
        uploaded_at=now,
    )
    return Reading(row, stream, order)


def _places(stream: RowStream, keys: set[str], guessed: Mapping[str, int], said: Mapping[str, str]) -> dict[str, int]:
    places = dict(guessed)
    for key, heading in said.items():
        if key not in keys:
            hint = "the sample file of the offering has them all"
            raise BrokenInput(f"there is no column {key[:60]!r} to fill", where="columns", hint=hint)
        places.pop(key, None)
        if not heading:
            continue
        found = [n for n, text in enumerate(stream.heading) if text.casefold() == " ".join(heading.split()).casefold()]
        if len(found) != 1:
            many = "stands more than once in the heading" if found else "is not in the heading"
            hint = f"it has: {', '.join(stream.heading[:12])}"
            raise BrokenInput(f"{heading[:60]!r} {many}", where=f"columns, {key}", hint=hint)
        places[key] = found[0]
    return places


def _unread(offering: Offering, digest: str) -> Any:
    """Lists of this file that nobody has begun to award from, and whose file is not kept: a command was stopped."""
    return AwardList.objects.filter(offering=offering, file_sha256=digest, state=State.COLUMNS, body=b"")


def read_into(reading: Reading, *, actor: Person, now: datetime) -> Iterator[int]:
    """Every row is read as `award_lists.read_list` reads it; yields how many are, after each transaction of some.

    A row costs some 60 microseconds.
    """
    row = reading.award_list
    blueprint = blueprint_value(row.offering.blueprint_version)
    record = lists.on_record(row, actor, with_results=brings_results(row.columns))
    done, waiting = 0, list[_Judged]()
    for read in read_rows(reading.stream, blueprint, row.columns, order=reading.order, now=now):
        waiting.append((read, *record.judge(read)))
        if len(waiting) == CHUNK:
            done += _insert_lines(row, waiting)
            waiting = []
            yield done
    yield done + _insert_lines(row, waiting)


_Judged = tuple[ReadRow, RowState, list[list[str]]]


@verb
def _insert_lines(row: AwardList, judged: Sequence[_Judged]) -> int:
    good = [read.result if state == RowState.READY else None for read, state, _ in judged]
    return insert_rows(
        AwardListRow,
        {
            "award_list_id": Same(row.pk),
            "number": [read.number for read, _, _ in judged],
            "state": [state.value for _, state, _ in judged],
            "email": [result.email if result else "" for result in good],
            "data": [json.dumps(result.to_json()) if result else "{}" for result in good],
            "problems": [json.dumps(problems) if problems else "[]" for _, _, problems in judged],
        },
    )


@verb
def start_bulk(*, award_list: AwardList, runner: str, actor: Person, now: datetime, beat: datetime) -> bool:
    """Whether there is something to award: then the list runs, and `runner` has it. Else the list is gone.

    A list that was interrupted is taken over from whoever had it, who finds that out before their next row. `beat` is
    the moment by the clock, by which others see that it is alive.
    """
    row = hold(award_list)
    if row.state == State.DONE:
        return False
    lists.published_version(row.offering)
    if row.state == State.COLUMNS:
        if not row.rows.filter(state=RowState.READY).exists():
            row.delete()
            return False
        facts = {"sha256": row.file_sha256, "rows": row.rows.count()}
        for name, more in (("upload_award_list", facts), ("start_award_list", {})):
            provider = row.offering.blueprint_version.provider
            note_event(verb=name, organisation=provider, subject=str(row.id), actor=actor, now=now, **more)
    row.state, row.problem, row.runner, row.beat_at = State.RUNNING, "", runner, beat
    row.started_by, row.started_at = actor, row.started_at or now
    row.save(update_fields=["state", "problem", "runner", "beat_at", "started_by", "started_at"])
    return True


# --- Awarding ---


@dataclass(slots=True)
class _Line:
    """A row that is to be awarded, with what is made for it on the way."""

    pk: int
    number: int
    result: ListedResult
    name: str = ""
    email: str = ""
    learner: UUID | None = None
    new_learner: bool = False
    enrolment: UUID | None = None
    new_enrolment: bool = False
    names: _Names | None = None
    mould: _Mould | None = None
    frame: _Frame | None = None
    decision: UUID | None = None
    values: list[Any] = field(default_factory=list)
    document: bytes = b""


class BulkAwarder:
    """Awards of one moment from the rows of one list, a chunk at a time; what is made once is kept between chunks.

    `award_chunk` is `award_lists.award_batch` for many rows: the same rows settled, the same answer.
    """

    def __init__(self, award_list: AwardList, *, entropy: Entropy, new_id: Callable[[], UUID], now: datetime) -> None:
        self.list_id, self.now = award_list.pk, now
        self._entropy, self._new_id, self._now = entropy, new_id, now
        self._offering = Offering.objects.select_related("blueprint_version__provider").get(pk=award_list.offering_id)
        self._version = self._offering.blueprint_version
        self._provider = self._version.provider
        self._blueprint = blueprint_value(self._version)
        self._source = award_list.source
        self._moulds: dict[Any, _Mould | None] = {}
        self._signing: _Signing | None = None
        self._names: dict[tuple[str, ...], _Names | None] = {}
        self._evidence: dict[date, list[dict[str, str]]] = {}

    def award_chunk(self, *, runner: str, beat: datetime, most: int = CHUNK) -> int:
        """The next rows are settled, each with its award or its reason; how many. 0: there is no more to do for us."""
        return _award_chunk(self, runner=runner, beat=beat, most=most)

    def settle(self, row: AwardList, lines: Sequence[_Line], actor: Person) -> None:
        """Each of these rows of the list has its award, or says why not."""
        self._same = same_for_all(self._version, self._blueprint, now=self._now)
        signer = signer_for(self._provider)
        if self._signing is None or self._signing.signer is not signer or self._signing.same != self._same:
            self._signing, self._moulds = _Signing(signer, self._same, self._now), {}
        plain, others = self._with_results(lines, actor) if row.brings_results else self._decided(lines)
        if plain:
            self._record(row, plain, actor, brought=row.brings_results)
        for line in others:
            record = AwardListRow.objects.get(pk=line.pk)
            lists.settle_row(row, record, actor, entropy=self._entropy, new_id=self._new_id, now=self._now)

    # -- Which rows are plain --

    def _with_results(self, lines: Sequence[_Line], actor: Person) -> tuple[list[_Line], list[_Line]]:
        """(plain, others) of rows that bring a result. Rows that others may touch are held as single awards do."""
        day = self._now.date()
        offering = self._offering
        closed = day < offering.opens_on or (offering.closes_on is not None and day > offering.closes_on)
        learners = self._learners_of(lines)
        holders = self._holders(learners)
        enrolments = {
            row.learner_id: row
            for row in Enrolment.objects.select_for_update(no_key=True, of=("self",))
            .filter(offering=offering, learner__in=[row.pk for row in learners.values()])
            .annotate(
                begun=Exists(Submission.objects.filter(enrolment=OuterRef("pk")))
                | Exists(Decision.objects.filter(enrolment=OuterRef("pk")))
                | Exists(TransferredResult.objects.filter(enrolment=OuterRef("pk")))
            )
            .order_by("pk")
        }
        own = actor.email.strip().lower()
        plain: list[_Line] = []
        others: list[_Line] = []
        for line in lines:
            result = line.result
            learner = learners.get(result.email)
            enrolment = enrolments.get(learner.pk) if learner is not None else None
            line.name, line.email = (result.name, result.email) if learner is None else (learner.name, learner.email)
            line.mould = self._mould(line, actor)
            if (
                closed
                or line.mould is None
                or result.assessed_on is None
                or result.assessed_on > day
                or result.email == own
                or any(m.casefold() in (line.email, line.name.casefold()) for m in result.levels)
                or not _is_address(result.email)
                or len(result.reference) > 100
                or (learner is not None and (learner.pk in holders or learner.person_id == actor.pk))
                or (enrolment is not None and enrolment.begun)
            ):
                others.append(line)
                continue
            line.new_learner, line.new_enrolment = learner is None, enrolment is None
            line.learner = self._new_id() if learner is None else learner.pk
            line.enrolment = self._new_id() if enrolment is None else enrolment.pk
            plain.append(line)
        return plain, others

    def _learners_of(self, lines: Sequence[_Line]) -> dict[str, Learner]:
        """Address -> learner, of those who are here already; held, in the order in which everybody holds them."""
        addresses = [line.result.email for line in lines]
        found = Learner.objects.select_for_update(no_key=True).filter(email__in=addresses).order_by("pk")
        return {row.email: row for row in found}

    def _holders(self, learners: Mapping[str, Learner]) -> set[UUID]:
        if not learners:
            return set()
        ids = [row.pk for row in learners.values()]
        return set(lists.holders(self._version).filter(learner__in=ids).order_by().values_list("learner_id", flat=True))

    def _decided(self, lines: Sequence[_Line]) -> tuple[list[_Line], list[_Line]]:
        """(plain, others) of rows whose decision is on record."""
        learners = self._learners_of(lines)
        holders = self._holders(learners)
        decisions: dict[UUID, Decision] = {}
        waiting = lists.waiting_decisions(self._offering).filter(
            enrolment__learner__in=[row.pk for row in learners.values()]
        )
        held = Enrolment.objects.select_for_update(no_key=True, of=("self",)).filter(decisions__in=waiting)
        list(held.order_by("pk").values_list("pk", flat=True))
        for decision in waiting.select_related("enrolment").order_by("decided_at", "id"):
            decisions.setdefault(decision.enrolment.learner_id, decision)
        plain: list[_Line] = []
        others: list[_Line] = []
        assert self._signing is not None
        for line in lines:
            learner = learners.get(line.result.email)
            decision = decisions.get(learner.pk) if learner is not None else None
            if learner is None or decision is None or learner.pk in holders:
                others.append(line)
                continue
            value = decision_value(decision)
            if value.blueprint_digest != self._version.digest:
                others.append(line)
                continue
            decision.enrolment.offering = self._offering
            line.learner, line.name, line.email = learner.pk, learner.name, learner.email
            line.decision, line.enrolment = decision.pk, decision.enrolment_id
            try:
                line.frame, line.values = self._signing.document(value, evidence_of(decision.enrolment))
            except BrokenInput:
                others.append(line)
                continue
            plain.append(line)
        return plain, others

    # -- What is the same for many --

    def _mould(self, line: _Line, actor: Person) -> _Mould | None:
        """What rows with these levels have in common; None if they are no pass, or have to be looked at one by one."""
        result = line.result
        names = tuple(result.levels)
        if names not in self._names:
            self._names[names] = _Names.of(names)
        line.names = self._names[names]
        if line.names is None:
            return None
        key = (line.names.ranks, orjson.dumps([*result.levels.values()]))
        if key not in self._moulds:
            if len(self._moulds) >= _MOST_MOULDS:
                self._moulds.clear()
            assert self._signing is not None
            self._moulds[key] = _mould_of(result, line.names, self._blueprint, actor.username, self._signing)
        return self._moulds[key]

    def _evidence_of(self, assessed_on: date) -> list[dict[str, str]]:
        if assessed_on not in self._evidence:
            self._evidence[assessed_on] = evidence_from_outside(
                self._blueprint,
                str(self._provider),
                source=self._source,
                assessed_on=assessed_on,
                recorded_on=self._now.date(),
            )
        return self._evidence[assessed_on]

    # -- Writing --

    def _record(self, row: AwardList, lines: Sequence[_Line], actor: Person, *, brought: bool) -> None:
        """Everything that an award leaves behind, for each of these rows."""
        now, provider, n = self._now, self._provider, len(lines)
        assert self._signing is not None
        if brought:
            self._record_results(row, lines, actor)
        places = allocate_many(provider, n, self._entropy, now)
        lists_used = {status_list.pk: (list_url(status_list), reasons_url(status_list)) for status_list, _ in places}
        random = self._entropy(72 * n)
        secret = [random[at : at + 72] for at in range(0, 72 * n, 72)]
        salts, tokens, nonces = (
            [s[:16].hex() for s in secret],
            [s[16:40].hex() for s in secret],
            [s[40:] for s in secret],
        )
        awards = [self._new_id() for _ in lines]
        entries = [
            status_entry(lists_used[status_list.pk][0], index, lists_used[status_list.pk][1])
            for status_list, index in places
        ]
        for line, award, salt, entry in zip(lines, awards, salts, entries, strict=True):
            line.document = _signed(line, f"urn:uuid:{award}", salt, entry)
        insert_rows(
            Award,
            {
                "id": awards,
                "kind": Same("badge"),
                "credential_id": [f"urn:uuid:{award}" for award in awards],
                "learner_id": [line.learner for line in lines],
                "issuer_id": Same(provider.pk),
                "decision_id": [line.decision for line in lines],
                "title": Same(self._blueprint.title),
                "document": [line.document for line in lines],
                "salt": salts,
                "status_list_id": [status_list.pk for status_list, _ in places],
                "status_index": [index for _, index in places],
                "issued_at": Same(now),
                "valid_until": Same(self._same["valid_until"]),
                "awarded_by_id": Same(actor.pk),
                "claim_sha256": [hashlib.sha256(token.encode()).hexdigest() for token in tokens],
                "nonce": nonces,
            },
        )
        head = leaf_beginning(provider.did, self._signing.signer.key_id)
        insert_rows(
            LogEntry,
            {
                # A document in canonical form with one proof is what its digest is taken over.
                "leaf": [
                    head + commitment_line(hashlib.sha256(line.document).digest(), nonce)
                    for line, nonce in zip(lines, nonces, strict=True)
                ],
                "kind": Same(ISSUE),
                "issuer": Same(provider.did),
                "award_id": awards,
                "written_at": Same(now),
            },
        )
        enqueue("publish_checkpoint")
        self._write_mails(lines, tokens)
        self._note_events(lines, awards, actor, brought=brought)
        update_rows(
            AwardListRow,
            [line.pk for line in lines],
            {"state": Same(str(RowState.AWARDED)), "email": Same(""), "data": Same("{}"), "award_id": awards},
        )

    def _record_results(self, row: AwardList, lines: Sequence[_Line], actor: Person) -> None:
        now = self._now
        new = [line for line in lines if line.new_learner]
        insert_rows(
            Learner,
            {
                "id": [line.learner for line in new],
                "name": [line.name for line in new],
                "email": [line.email for line in new],
                "created_at": Same(now),
            },
        )
        new = [line for line in lines if line.new_enrolment]
        insert_rows(
            Enrolment,
            {
                "id": [line.enrolment for line in new],
                "offering_id": Same(self._offering.pk),
                "learner_id": [line.learner for line in new],
                "enrolled_at": Same(now),
            },
        )
        transfers, marks, documents, digests = [], [], [], []
        for line in lines:
            transfer, line.decision = self._new_id(), self._new_id()
            brought, document, digest = _fill(line, transfer, self._evidence_of(line.result.assessed_on))
            transfers.append(transfer)
            marks.append(brought)
            documents.append(document)
            digests.append(digest)
        insert_rows(
            TransferredResult,
            {
                "id": transfers,
                "enrolment_id": [line.enrolment for line in lines],
                "award_list_id": Same(row.pk),
                "row": [line.number for line in lines],
                "source": Same(self._source),
                "reference": [line.result.reference for line in lines],
                "assessed_on": [line.result.assessed_on for line in lines],
                "marks": marks,
                "recorded_by_id": Same(actor.pk),
                "recorded_at": Same(now),
            },
        )
        insert_rows(
            Decision,
            {
                "id": [line.decision for line in lines],
                "enrolment_id": [line.enrolment for line in lines],
                "document": documents,
                "passed": Same(True),
                "marks_sha256": digests,
                "decided_by_id": Same(actor.pk),
                "decided_at": Same(now),
            },
        )

    def _write_mails(self, lines: Sequence[_Line], tokens: Sequence[str]) -> None:
        """A mail with the claim link lies in the outbox for each, in the language of whoever reads it."""
        taught = str(self._version.document.get("language", "")).split("-")[0].lower()
        chosen = _languages([line.email for line in lines])
        mails: dict[str, tuple[str, str]] = {}
        about = {"issuer": self._provider.name, "title": self._blueprint.title}
        subjects, bodies = [], []
        for line, token in zip(lines, tokens, strict=True):
            language = first_known(chosen[line.email], taught) if line.email in chosen else first_known(taught)
            if language not in mails:
                with translation.override(language):
                    subject, body = claim_mail()
                mails[language] = (one_subject(subject % about), body)
            subject, body = mails[language]
            subjects.append(subject)
            bodies.append(body % {**about, "name": line.name, "link": claim_link(token)})
        insert_rows(
            OutboxMessage,
            {
                "to": [line.email for line in lines],
                "subject": subjects,
                "body": bodies,
                "created_at": Same(self._now),
                "due_at": Same(self._now),
            },
        )
        enqueue("deliver_mail")

    def _note_events(self, lines: Sequence[_Line], awards: Sequence[UUID], actor: Person, *, brought: bool) -> None:
        """The events that the verbs of each row would have noted, in their order; organisations are told of them."""
        enrolled = json.dumps({"offering": self._offering.title})
        verbs, subjects, facts, actors = [], [], [], []
        for line, award in zip(lines, awards, strict=True):
            if line.new_enrolment:
                verbs.append("enrol")
                subjects.append(str(line.enrolment))
                facts.append(enrolled)
                actors.append(None)
            if brought:
                verbs.append("record_result")
                subjects.append(str(line.enrolment))
                facts.append('{"passed": true}')
                actors.append(actor.pk)
            verbs.append("award_credential")
            subjects.append(f"urn:uuid:{award}")
            facts.append(f'{{"decision": "{line.decision}"}}')
            actors.append(actor.pk)
        told = listens(self._provider)
        ids = reserve_ids(Event, len(verbs)) if told else []
        insert_rows(
            Event,
            {
                **({"id": ids} if told else {}),
                "at": Same(self._now),
                "organisation_id": Same(self._provider.pk),
                "actor_id": actors,
                "verb": verbs,
                "subject": subjects,
                "facts": facts,
            },
        )
        if told:
            events = iter(
                Event(id=id, at=self._now, verb=verb, subject=subject)
                for id, verb, subject in zip(ids, verbs, subjects, strict=True)
                if verb != "enrol"
            )
            announce_many(self._told(events, lines, awards, brought=brought), organisation=self._provider)

    def _told(
        self, events: Iterator[Event], lines: Sequence[_Line], awards: Sequence[UUID], *, brought: bool
    ) -> Iterator[tuple[Event, Decision | Award]]:
        for line, award in zip(lines, awards, strict=True):
            enrolment = Enrolment(id=line.enrolment, offering=self._offering, learner_id=line.learner)
            decision = Decision(id=line.decision, enrolment=enrolment, passed=True)
            if brought:
                yield next(events), decision
            made = Award(id=award, kind="badge", credential_id=f"urn:uuid:{award}", decision=decision)
            made.issuer = self._provider
            yield next(events), made


@verb
def _award_chunk(awarder: BulkAwarder, *, runner: str, beat: datetime, most: int) -> int:
    row = hold(AwardList(pk=awarder.list_id))
    if row.state != State.RUNNING or row.runner != runner:
        return 0
    if row.started_by is None:
        raise NotAllowed("Nobody has started this list.")
    lists.published_version(row.offering)
    waiting = row.rows.filter(state=RowState.READY).order_by("number").annotate(said=Cast("data", TextField()))
    lines = [
        _Line(pk, number, ListedResult.from_json(orjson.loads(said)))
        for pk, number, said in waiting.values_list("pk", "number", "said")[:most]
    ]
    with each_once():
        if lines:
            awarder.settle(row, lines, row.started_by)
        lists.end_batch(row, beat=beat, now=awarder.now)
    return len(lines)


def _is_address(text: str) -> bool:
    """Whether a new learner may have this address, as `add_learner` would see it."""
    if _PLAIN_ADDRESS.fullmatch(text):
        return True
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


_PLAIN_ADDRESS = re.compile(r"[a-z0-9_+-]{1,60}(\.[a-z0-9_+-]{1,60}){0,3}@([a-z0-9]{1,40}\.){1,4}[a-z]{2,20}")
"""Addresses that Django's validator takes, in a twentieth of its time; it is asked about all others."""


def _languages(addresses: Sequence[str]) -> dict[str, str]:
    """Address -> the language that whoever reads mail there has chosen on the site, where somebody has."""
    people = Person.objects.filter(is_active=True).exclude(language="").annotate(low=Lower("email"))
    wanted = {address.lower(): address for address in addresses}
    chosen: dict[str, str] = {}
    for low, language in people.filter(low__in=[*wanted]).order_by("date_joined").values_list("low", "language"):
        chosen.setdefault(wanted[low], language)
    return chosen


# --- Documents of one pattern ---


def _stand_in(what: str) -> str:
    """What stands for a value of a row while a mould is made. Nothing that people write holds its first letter."""
    return f"\uf8e0a row's {what}\uf8e1"


_PLACE = re.compile("\uf8e0a row's ([a-z0-9 ]+)\uf8e1")
_PLACE_ASCII = re.compile(r"\\uf8e0a row's ([a-z0-9 ]+)\\uf8e1")
_DAY = date(1, 1, 1)
"""Stands for the day of a result."""


def _ascii(text: str) -> str:
    """The text inside a JSON string of ASCII letters, as columns of the database have it."""
    return json.dumps(text)[1:-1]


def _plain(text: str) -> str:
    """The text inside a JSON string in canonical form."""
    return jcs(text).decode()[1:-1]


@dataclass(frozen=True, slots=True)
class _Names:
    """The markers of a row. `ranks[n]` is the place of the n-th among them in alphabetical order; the names by that
    place, as they stand in the two forms of JSON.
    """

    ranks: tuple[int, ...]
    in_columns: Mapping[str, str]
    in_digests: Mapping[str, str]

    @classmethod
    def of(cls, names: Sequence[str]) -> _Names | None:
        """None where the names' order and that of their JSON differ: a mould cannot have both."""
        order = sorted(names)
        if sorted(names, key=jcs) != order:
            return None
        return cls(
            tuple(order.index(name) for name in names),
            {f"marker {rank}": _ascii(name) for rank, name in enumerate(order)},
            {f"marker {rank}": jcs(name).decode()[1:-1] for rank, name in enumerate(order)},
        )


class _Text:
    """A JSON text with places for a row's own values: `fill` has them by what they are."""

    __slots__ = ("_keys", "_pieces")

    def __init__(self, text: str, known: Mapping[str, str], *, ascii: bool) -> None:
        """`ascii`: with escapes, as JSON stands in columns; digests are over JSON without. `known` are further values
        that stand in the text for what they are the values of.
        """
        for value, what in known.items():
            text = text.replace(value, _ascii(_stand_in(what)) if ascii else _stand_in(what))
        found = (_PLACE_ASCII if ascii else _PLACE).split(text)
        self._keys = found[1::2]
        self._pieces = found

    def fill(self, values: Mapping[str, str]) -> str:
        pieces = self._pieces.copy()
        pieces[1::2] = [values[key] for key in self._keys]
        return "".join(pieces)


@dataclass(frozen=True, slots=True)
class _Mould:
    """What awards with the same levels have in common: texts with places for a row's own values, and the values of the
    credential that change from one to the next, `values`, for the places `frame.at`.
    """

    frame: _Frame
    values: list[Any]
    narrative: _Text
    marks_column: _Text
    marks_digested: _Text
    decision_column: _Text
    decision_digested: _Text


@dataclass(frozen=True, slots=True)
class _Frame:
    """Documents that differ in the values at some paths alone: how they are signed, and which value stands where."""

    batch: Batch
    at: Mapping[Path, int]
    evidence: tuple[int, ...]


class _Signing:
    """Everything that the documents of one moment and signer have in common."""

    def __init__(self, signer: Signer, same: Mapping[str, Any], now: datetime) -> None:
        self.signer, self.same, self.now = signer, same, now
        self._frames: dict[bytes, _Frame] = {}
        self._of_results: dict[bytes, tuple[_Frame, list[Any], str]] = {}

    def document(self, decision: DecisionValue, evidence: Sequence[Mapping[str, str]]) -> tuple[_Frame, list[Any]]:
        """The unsigned document for this decision, as its frame and its values; BrokenInput as for `award_document`."""
        document = award_document(
            **self.same,
            credential_id=f"urn:uuid:{UUID(int=0)}",
            decision=decision,
            recipient=Recipient(email="nobody@example.org", name="Nobody", salt="0" * 32),
            status_entry=status_entry(f"{settings.BASE_URL}/status/1", 0, f"{settings.BASE_URL}/status/1/reasons"),
            evidence=evidence,
        )
        paths = list(_changing(document))
        values = [_at(document, path) for path in paths]
        for path in paths:
            put(document, path, "")
        skeleton = hashlib.sha256(jcs(document)).digest()
        if skeleton not in self._frames:
            for path, value in zip(paths, values, strict=True):
                put(document, path, value)
            other = [_other(value) for value in values]
            batch = Batch(document, paths, self.signer, created=self.now, like=[values, other])
            at = {path: n for n, path in enumerate(paths)}
            places = [at[path] for path in paths if path[0] == "evidence" and path[2] == "description" and path[1]]
            self._frames[skeleton] = _Frame(batch, at, tuple(places))
        return self._frames[skeleton], values

    def of_results(
        self, decision: DecisionValue, evidence: Sequence[Mapping[str, str]], record_sha256: str
    ) -> tuple[_Frame, list[Any], str]:
        """As `document`, and the narrative, made once for all decisions with the same results: in the others only the
        two digests that the narrative names are their own.
        """
        results = [result.to_json() for result in decision.outcome_results]
        key = orjson.dumps([len(decision.marker_ids), decision.percent, results])
        if key not in self._of_results:
            frame, values = self.document(decision, evidence)
            text = values[frame.at["evidence", 0, "narrative"]]
            text = text.replace(record_sha256, _stand_in("record")).replace(decision.marks_sha256, _stand_in("marks"))
            self._of_results[key] = frame, values, text
        return self._of_results[key]


def _changing(document: Mapping[str, Any]) -> Iterator[Path]:
    """Where documents of one blueprint version differ from learner to learner. What is not here is compared."""
    yield ("id",)
    yield ("awardedDate",)
    subject = document["credentialSubject"]
    for n, _ in enumerate(subject["identifier"]):
        yield ("credentialSubject", "identifier", n, "identityHash")
        yield ("credentialSubject", "identifier", n, "salt")
    for n, result in enumerate(subject["result"]):
        yield from (("credentialSubject", "result", n, key) for key in ("value", "achievedLevel") if key in result)
    yield ("evidence", 0, "narrative")
    for n, evidence in enumerate(document["evidence"][1:], 1):
        yield from (("evidence", n, key) for key in ("name", "description") if key in evidence)
    for key in ("id", "statusListIndex", "statusListCredential", "statusReference"):
        yield ("credentialStatus", key)


def _at(document: Any, path: Path) -> Any:
    for step in path:
        document = document[step]
    return document


def _other(value: str) -> str:
    """Another value that begins as this one does, up to its last part: so it is seen how addresses begin."""
    return value[: max(value.rfind(sign) for sign in "/#:") + 1] + "~"


def _mould_of(
    result: ListedResult, names: _Names, blueprint: Blueprint, decided_by: str, signing: _Signing
) -> _Mould | None:
    """The mould of rows with these levels; None if they are no pass, or cannot be awarded for another reason."""
    levels = {
        _stand_in(f"marker {rank}"): found for rank, found in zip(names.ranks, result.levels.values(), strict=True)
    }
    marks = ListedResult(0, "", "", "", _DAY, levels).marks(f"urn:uuid:{_stand_in('work')}")
    evidence = evidence_from_outside(blueprint, "", source="", assessed_on=_DAY, recorded_on=_DAY)
    try:
        value = decide(
            blueprint,
            marks,
            decision_id=_stand_in("decision"),
            learner_id=_stand_in("learner"),
            decided_by=decided_by,
            now=signing.now,
        )
        if not value.passed:
            return None
        document, brought = value.to_json(), [mark.to_json() for mark in marks]
        digested = jcs(document)
        frame, values, narrative = signing.of_results(value, evidence, hashlib.sha256(digested).hexdigest())
    except BrokenInput:
        return None  # said of each row, where it is awarded one by one
    day, own = {f"{_DAY}T": "day"}, {value.marks_sha256: "marks"}
    return _Mould(
        frame,
        values,
        _Text(narrative, {}, ascii=False),
        _Text(json.dumps(brought), day, ascii=True),
        _Text(jcs(sorted(brought, key=jcs)).decode(), day, ascii=False),
        _Text(json.dumps(document), own, ascii=True),
        _Text(digested.decode(), own, ascii=False),
    )


def _fill(line: _Line, transfer: UUID, evidence: Sequence[Mapping[str, str]]) -> tuple[str, str, str]:
    """(the marks as their column has them, the decision as its column has it, the digest of the marks); and the row's
    own narrative and evidence are among its values.
    """
    mould, names = line.mould, line.names
    assert mould is not None
    assert names is not None
    own = {
        "work": str(transfer),
        "day": f"{line.result.assessed_on}T",
        "decision": str(line.decision),
        "learner": str(line.learner),
    }
    column, digested = {**own, **names.in_columns}, {**own, **names.in_digests}
    marks = hashlib.sha256(mould.marks_digested.fill(digested).encode()).hexdigest()
    column["marks"] = digested["marks"] = marks
    digested["record"] = hashlib.sha256(mould.decision_digested.fill(digested).encode()).hexdigest()
    line.frame, line.values = mould.frame, mould.values.copy()
    values = line.values
    values[mould.frame.at["evidence", 0, "narrative"]] = mould.narrative.fill(digested)
    for n, entry in zip(mould.frame.evidence, evidence, strict=True):
        values[n] = entry["description"]
    return mould.marks_column.fill(column), mould.decision_column.fill(column), marks


def _signed(line: _Line, id: str, salt: str, entry: Mapping[str, Any]) -> bytes:
    """The credential of a row in canonical form, signed."""
    assert line.frame is not None
    at, values = line.frame.at, line.values
    values[at["id",]] = id
    hashes = (identity_hash(plain_email(line.email), salt), identity_hash(plain_name(line.name), salt))
    for n, hashed in enumerate(hashes):
        values[at["credentialSubject", "identifier", n, "identityHash"]] = hashed
        values[at["credentialSubject", "identifier", n, "salt"]] = salt
    for key in ("id", "statusListIndex", "statusListCredential", "statusReference"):
        values[at["credentialStatus", key]] = entry[key]
    return line.frame.batch.sign(values)
