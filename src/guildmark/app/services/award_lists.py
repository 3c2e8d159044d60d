"""Awards by list: a file is uploaded, its columns are named, its rows are read, and a worker awards row by row.

What makes it safe to be interrupted, repeated and done by two at once: each row is a record with a state of its own,
settled in the transaction that makes its award; a batch holds the list while it works; and a row asks before it awards
whether the learner holds the micro-credential already. What makes it forgettable: the file goes when the list starts,
and what a row says of a person goes when the row is settled.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from guildmark.app.queries.design import blueprint_value
from guildmark.app.records import (
    Award,
    AwardList,
    AwardListRow,
    BlueprintVersion,
    Decision,
    Enrolment,
    Learner,
    Offering,
    Person,
    Submission,
)
from guildmark.app.services.assess import enrol
from guildmark.app.services.awards import Entropy, award_credential
from guildmark.app.services.events import note_event
from guildmark.app.services.follow_ups import each_once, enqueue, enqueue_once_at
from guildmark.app.services.people import add_learner, still_here
from guildmark.app.services.transfers import record_transferred_result
from guildmark.app.services.verbs import hold, verb
from guildmark.assess.result_list import (
    DateOrder,
    ListedResult,
    ReadRow,
    Table,
    brings_results,
    check_columns,
    columns_of,
    date_order,
    guess_columns,
    read_rows,
    read_table,
)
from guildmark.core.errors import BrokenInput, GuildmarkError, NotAllowed, OutsideFailure

LARGEST = 5_000_000
"""Bytes of a file; 20,000 rows with twelve levels each have about four million."""

BATCH = 100
"""Rows in one transaction at most, and no more begin after `SECONDS`: others wait for their turn to write meanwhile."""

SECONDS = 2.0

LOST = timedelta(seconds=60)
"""A list whose worker has not been heard of for so long is another worker's."""

KEPT = timedelta(days=30)
"""How long a file waits to be started, and a finished list keeps the sentences about its bad rows."""

NewId = Callable[[], UUID]

State, RowState = AwardList.State, AwardListRow.State


# --- Uploading and reading ---


@verb
def upload_list(
    *, id: UUID, offering: Offering, source: str, file_name: str, body: bytes, actor: Person, now: datetime
) -> AwardList:
    """The file waits for its columns to be named, with what its heading already tells.

    BrokenInput for a file that is no table or too large; NotAllowed unless the micro-credential is published.
    """
    published_version(offering)
    if len(body) > LARGEST:
        hint = "split it into several files"
        raise BrokenInput(f"is larger than {LARGEST // 1_000_000} MB", where=file_name[:100], hint=hint)
    table = read_table(body, where=file_name[:100])
    places = guess_columns(table.heading, columns_of(blueprint_value(offering.blueprint_version)))
    row = AwardList.objects.create(
        id=id,
        offering=offering,
        source=" ".join(source.split())[:200],
        file_name=file_name[-200:],
        file_sha256=hashlib.sha256(body).hexdigest(),
        body=body,
        columns=places,
        date_order=date_order(table, places),
        uploaded_by=actor,
        uploaded_at=now,
    )
    note_event(
        verb="upload_award_list",
        organisation=offering.blueprint_version.provider,
        subject=str(id),
        actor=actor,
        now=now,
        sha256=row.file_sha256,
        rows=len(table.rows),
    )
    return row


def published_version(offering: Offering) -> BlueprintVersion:
    """The version, as it is now; NotAllowed unless it is published."""
    version = BlueprintVersion.objects.select_related("provider").get(pk=offering.blueprint_version_id)
    if version.state != BlueprintVersion.State.PUBLISHED:
        raise NotAllowed(f"{version} is {version.state}: only a published micro-credential can be awarded.")
    return version


def table_of(row: AwardList) -> Table:
    """The file as a table; NotAllowed once it is deleted."""
    if not row.body:
        raise NotAllowed("The file of this list is deleted; upload it again.")
    return read_table(bytes(row.body), where=row.file_name)


@verb
def read_list(
    *, award_list: AwardList, columns: Mapping[str, int], order: DateOrder, actor: Person, now: datetime
) -> AwardList:
    """Every row is read with these columns: ready, awarded already, or bad with its reasons. Nothing is awarded yet.

    BrokenInput names the first column that is missing or chosen twice, or that dates can be read in two ways.
    """
    row = hold(award_list)
    if row.state not in (State.COLUMNS, State.READY):
        raise NotAllowed("This list was started already; its columns can no longer be changed.")
    version, table = published_version(row.offering), table_of(row)
    blueprint = blueprint_value(version)
    wanted = columns_of(blueprint)
    known = {column.key: column.label for column in wanted}
    columns = {key: place for key, place in columns.items() if key in known and 0 <= place < len(table.heading)}
    for problem in check_columns(wanted, columns):
        raise BrokenInput(problem.says, where=known.get(problem.field, problem.field))
    if brings_results(columns) and not order and not date_order(table, columns):
        hint = "say whether the day or the month comes first"
        raise BrokenInput("dates such as 03/04/2026 can be read in two ways", where="assessed on", hint=hint)
    if brings_results(columns) and not row.source:
        raise BrokenInput("say which system the results come from", where="source")
    found = list(read_rows(table, blueprint, columns, order=order or date_order(table, columns), now=now))
    row.rows.all().delete()
    record = on_record(row, actor, with_results=brings_results(columns))
    AwardListRow.objects.bulk_create((_line(row, read, *record.judge(read)) for read in found), batch_size=500)
    row.columns, row.date_order, row.state = columns, order, State.READY
    row.save(update_fields=["columns", "date_order", "state"])
    return row


def _line(award_list: AwardList, read: ReadRow, state: RowState, problems: list[list[str]]) -> AwardListRow:
    made = AwardListRow(award_list=award_list, number=read.number, state=state, problems=problems)
    if state == RowState.READY and read.result is not None:
        made.email, made.data = read.result.email, read.result.to_json()
    return made


@dataclass(frozen=True, slots=True)
class OnRecord:
    """What is on record about the learners of an offering, by address, and who is about to award them."""

    held: Set[str]
    waiting: Set[str]
    decided: Set[str]
    handed_in: Set[str]
    own: str
    with_results: bool

    def judge(self, read: ReadRow) -> tuple[RowState, list[list[str]]]:
        """What becomes of a row of the file, and the problems that are told of it as [field, what to mend]."""
        result = read.result
        if result is None:
            return RowState.BAD, [[p.field, p.says] for p in read.problems]
        email = result.email
        if email in self.held:
            return RowState.ALREADY, []
        if email == self.own:
            return RowState.BAD, [["email", "is your own; somebody else has to award you"]]
        if self.with_results and email in self.decided:
            says = "has a passed decision here already; award that one, in a list without results"
            return RowState.BAD, [["results", says]]
        if self.with_results and email in self.handed_in:
            says = "has work here, which is marked and decided here; take the row out"
            return RowState.BAD, [["results", says]]
        if not self.with_results and email not in self.waiting:
            says = "has no passed decision here that waits for its award; add the results, or take the row out"
            return RowState.BAD, [["email", says]]
        return RowState.READY, []


def on_record(award_list: AwardList, actor: Person, *, with_results: bool) -> OnRecord:
    """What the rows of this list are judged by, beyond what they say. Four statements."""
    offering = award_list.offering
    enrolments = Enrolment.objects.filter(offering=offering)
    decided = enrolments.filter(decisions__passed=True).exclude(decisions__award__state=Award.State.REVOKED)
    handed_in = enrolments.filter(Exists(Submission.objects.filter(enrolment=OuterRef("pk"))))
    return OnRecord(
        held=set(holders(offering.blueprint_version).values_list("learner__email", flat=True)),
        waiting=set(waiting_decisions(offering).values_list("enrolment__learner__email", flat=True)),
        decided=set(decided.values_list("learner__email", flat=True)),
        handed_in=set(handed_in.values_list("learner__email", flat=True)),
        own=actor.email.strip().lower(),
        with_results=with_results,
    )


def holders(version: BlueprintVersion) -> QuerySet[Award]:
    """Awards of this micro-credential, of any version of its blueprint, that are not revoked."""
    return Award.objects.filter(
        decision__enrolment__offering__blueprint_version__blueprint_id=version.blueprint_id,
        issuer_id=version.provider_id,
    ).exclude(state=Award.State.REVOKED)


def waiting_decisions(offering: Offering) -> QuerySet[Decision]:
    """Passed decisions in this offering that have no award yet."""
    return Decision.objects.filter(enrolment__offering=offering, passed=True, award=None)


# --- Starting, and going on ---


@verb
def start_list(*, award_list: AwardList, actor: Person, now: datetime) -> AwardList:
    """The list is in the worker's hands, and its file is deleted. Starting again changes nothing.

    `actor` is who awards: their name is in each decision and award.
    """
    row = hold(award_list)
    if row.state in (State.RUNNING, State.DONE):
        return row
    if row.state == State.COLUMNS:
        raise NotAllowed("Name the columns of this list first.")
    published_version(row.offering)
    if row.state == State.READY and not row.rows.filter(state=RowState.READY).exists():
        raise NotAllowed("No row of this list can be awarded; mend the file and upload it again.")
    row.state, row.problem, row.runner, row.beat_at = State.RUNNING, "", "", None
    row.started_by, row.started_at, row.body = actor, row.started_at or now, b""
    row.save(update_fields=["state", "problem", "runner", "beat_at", "started_by", "started_at", "body"])
    note_event(
        verb="start_award_list",
        organisation=row.offering.blueprint_version.provider,
        subject=str(row.id),
        actor=actor,
        now=now,
    )
    enqueue("run_award_lists")
    return row


@verb
def take_up(*, award_list: AwardList, actor: Person, now: datetime) -> AwardList:
    """A list that was stopped, or whose worker is lost, is to be gone on with; `actor` answers for the rest of it."""
    row = hold(award_list)
    if row.state == State.STOPPED:
        return start_list(award_list=row, actor=actor, now=now)
    if row.state == State.RUNNING:
        enqueue("run_award_lists")
        return row
    raise NotAllowed("This list is not interrupted.")


@verb
def discard_list(*, award_list: AwardList, actor: Person, now: datetime) -> None:
    """A list that was never started is gone, with its file and rows."""
    row = hold(award_list)
    if row.state not in (State.COLUMNS, State.READY):
        raise NotAllowed("This list was started; what it awarded stands, and so does the list.")
    note_event(
        verb="discard_award_list",
        organisation=row.offering.blueprint_version.provider,
        subject=str(row.id),
        actor=actor,
        now=now,
    )
    row.delete()


# --- Awarding ---


@verb
def claim_list(*, runner: str, now: datetime) -> AwardList | None:
    """A list that runs and has no worker, now this runner's; None if there is none."""
    free = Q(runner="") | Q(beat_at=None) | Q(beat_at__lt=now - LOST)
    for row in AwardList.objects.filter(free, state=State.RUNNING).order_by("started_at", "id"):
        same = AwardList.objects.filter(pk=row.pk, runner=row.runner, beat_at=row.beat_at, state=State.RUNNING)
        if same.update(runner=runner, beat_at=now):
            row.refresh_from_db()
            return row
    return None


@verb
def release_list(*, award_list: AwardList, runner: str) -> bool:
    """Whether there is more to do; the list is free for whoever comes next."""
    AwardList.objects.filter(pk=award_list.pk, runner=runner).update(runner="")
    return AwardList.objects.filter(pk=award_list.pk, state=State.RUNNING, runner="").exists()


def order_next(*, now: datetime) -> None:
    """Lists that run are some worker's task: at once if one is free, else when its worker could be known to be lost."""
    running = AwardList.objects.filter(state=State.RUNNING)
    if running.filter(runner="").exists():
        enqueue("run_award_lists")
    elif running.exists():
        enqueue_once_at("run_award_lists", now + LOST + timedelta(seconds=5))


@verb
def award_batch(
    *, award_list: AwardList, runner: str, entropy: Entropy, new_id: NewId, now: datetime, most: int = BATCH
) -> int:
    """The next rows are settled, each with its award or its reason; how many. 0: there is no more to do for us.

    One transaction, in which the list is held: another runner waits, and then finds these rows settled. A row that
    fails leaves nothing behind but its reason, and holds up no other.
    """
    row = hold(award_list)
    if row.state != State.RUNNING or row.runner != runner:
        return 0
    if row.started_by is None:
        raise NotAllowed("Nobody has started this list.")
    published_version(row.offering)
    done, begun = 0, time.monotonic()
    with each_once():
        for line in row.rows.filter(state=RowState.READY).order_by("number")[:most]:
            settle_row(row, line, row.started_by, entropy=entropy, new_id=new_id, now=now)
            done += 1
            if time.monotonic() - begun > SECONDS:
                break
        end_batch(row, beat=now, now=now)
    return done


def end_batch(row: AwardList, *, beat: datetime, now: datetime) -> None:
    """The list was heard of at `beat`, and is done if no row waits any more; call it while the list is held."""
    row.beat_at = beat
    if not row.rows.filter(state=RowState.READY).exists():
        row.state, row.runner, row.finished_at = State.DONE, "", now
        _note_done(row, now)
    row.save(update_fields=["beat_at", "state", "runner", "finished_at"])


def settle_row(
    award_list: AwardList, line: AwardListRow, actor: Person, *, entropy: Entropy, new_id: NewId, now: datetime
) -> None:
    """The row has its award, or says why not; who it was is in the award from now on, and no longer here."""
    result = ListedResult.from_json(line.data)
    try:
        line.award = _award_row(award_list, result, actor, entropy=entropy, new_id=new_id, now=now)
        line.state = RowState.AWARDED if line.award else RowState.ALREADY
    except OutsideFailure:
        raise  # of the whole batch, not of this row
    except GuildmarkError as problem:
        line.state, line.problems = RowState.BAD, [["", _without(str(problem), result)]]
    line.email, line.data = "", {}
    line.save(update_fields=["award", "state", "problems", "email", "data"])


def _without(says: str, result: ListedResult) -> str:
    """The sentence without the learner's name and address."""
    return says.replace(result.email, "the learner").replace(result.name, "the learner")


@verb
def _award_row(
    award_list: AwardList, result: ListedResult, actor: Person, *, entropy: Entropy, new_id: NewId, now: datetime
) -> Award | None:
    """The learner's award, or None if they hold this micro-credential already."""
    offering = award_list.offering
    learner = still_here(add_learner(id=new_id(), name=result.name, email=result.email, now=now))
    if holders(offering.blueprint_version).filter(learner=learner).exists():
        return None
    if not result.levels:
        decision = waiting_decisions(offering).filter(enrolment__learner=learner).order_by("decided_at", "id").first()
        if decision is None:
            raise NotAllowed("There is no passed decision that waits for its award any more.")
    else:
        decision = _decide_row(award_list, result, learner, actor, new_id=new_id, now=now)
    award, _ = award_credential(id=new_id(), decision=decision, entropy=entropy, actor=actor, now=now)
    return award


def _decide_row(
    award_list: AwardList, result: ListedResult, learner: Learner, actor: Person, *, new_id: NewId, now: datetime
) -> Decision:
    transfer = new_id()
    if result.assessed_on is None:
        raise BrokenInput("has results and no day", where="assessed on", hint="write the day of the result")
    decision, _ = record_transferred_result(
        id=transfer,
        decision_id=new_id(),
        enrolment=enrol(id=new_id(), offering=award_list.offering, learner=learner, now=now),
        marks=result.marks(f"urn:uuid:{transfer}"),
        assessed_on=result.assessed_on,
        reference=result.reference,
        award_list=award_list,
        row=result.number,
        actor=actor,
        now=now,
    )
    return decision


def _note_done(row: AwardList, now: datetime) -> None:
    note_event(
        verb="finish_award_list",
        organisation=row.offering.blueprint_version.provider,
        subject=str(row.id),
        actor=row.started_by,
        now=now,
        awarded=row.rows.filter(state=RowState.AWARDED).count(),
        already=row.rows.filter(state=RowState.ALREADY).count(),
        bad=row.rows.filter(state=RowState.BAD).count(),
    )


@verb
def stop_list(*, award_list: AwardList, problem: str, now: datetime) -> AwardList:
    """The list waits until somebody has mended what `problem` says; no row is lost."""
    row = hold(award_list)
    if row.state == State.RUNNING:
        row.state, row.problem, row.runner = State.STOPPED, problem[:500], ""
        row.save(update_fields=["state", "problem", "runner"])
    return row


# --- Forgetting ---


@verb
def forget_old_lists(*, now: datetime) -> int:
    """How many lists were too old: those never started are gone, finished ones keep their counts and no sentence."""
    old = now - KEPT
    unstarted = AwardList.objects.filter(state__in=[State.COLUMNS, State.READY], uploaded_at__lt=old)
    stale = AwardListRow.objects.filter(award_list__finished_at__lt=old, state=RowState.BAD).exclude(problems=[])
    gone = unstarted.count() + stale.values("award_list").distinct().count()
    unstarted.delete()
    stale.update(problems=[])
    return gone


def forget_learner_in_lists(learner: Learner) -> None:
    """No list names this learner any more; call it while they are held, before their address is gone."""
    rows = AwardListRow.objects.filter(email=learner.email)
    rows.update(
        state=RowState.BAD, email="", data={}, problems=[["", "The learner was erased before the row was awarded."]]
    )
    for row in AwardList.objects.exclude(body=b""):
        if _names(row, learner.email):
            row.body = b""
            row.save(update_fields=["body"])
    for enrolment in learner.enrolments.all():
        enrolment.transferred.update(reference="")


def _names(row: AwardList, email: str) -> bool:
    try:
        table = read_table(bytes(row.body))
    except BrokenInput:
        return True  # cannot be, since it was read before; a file that nobody can look into is better gone
    return any(email in cell.lower() for _, cells in table.rows for cell in cells)
