"""What our credential room issues for judges that look at a clock of their own: in force since 2025, without an end."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from guildmark.credential.open_badge import IssuerProfile
from guildmark.credential.proof import sign_document
from guildmark.credential.status import (
    LEAST_BITS,
    reason_list_credential,
    reason_number,
    set_bit,
    status_list_credential,
)
from tests.unit.credential import award_cast as cast

SINCE = datetime(2025, 1, 1, 9, tzinfo=UTC)
INDEX = 94_567
REASONS = f"{cast.LIST}/reasons"


def signed(document: Mapping[str, Any], issuer: IssuerProfile = cast.HARBOUR) -> dict[str, Any]:
    return sign_document(document, cast.signer(issuer), created=SINCE)


def endorsement(name: str = "sql-python-operations") -> dict[str, Any]:
    """The industry partner's endorsement, signed by the partner."""
    document = {**cast.endorsement(name), "validFrom": "2025-01-01T09:00:00Z"}
    return signed(document, cast.NORTHWIND)


def credential(name: str = "sql-python-operations", *, endorsed: bool = True, **changes: Any) -> dict[str, Any]:
    """An award with everything that it can have, unsigned; `changes` replace members of the document."""
    endorsements = [endorsement(name)] if endorsed else []
    document = cast.award(name, valid_from=SINCE, valid_until=None, endorsements=endorsements)
    return {**document, **changes}


def issuer_of(document: Mapping[str, Any]) -> IssuerProfile:
    return next(found for found in (cast.HARBOUR, cast.RHEIN) if found.id == document["issuer"]["id"])


def award(name: str = "sql-python-operations", *, endorsed: bool = True, **changes: Any) -> dict[str, Any]:
    """The same, signed by its provider."""
    document = credential(name, endorsed=endorsed, **changes)
    return signed(document, issuer_of(document))


def certificate() -> dict[str, Any]:
    """A CLR of two awards of one provider, signed, with the awards inside."""
    parts = [award("sql-python-operations"), award("data-storytelling")]
    return signed(cast.larger(credentials=parts, valid_from=SINCE))


def lists(
    state: str = "valid", code: str = "", *, index: int = INDEX, issuer: IssuerProfile = cast.HARBOUR
) -> dict[str, dict[str, Any]]:
    """The signed status list and its list of reasons, in which the entry at `index` has this state."""
    bits, reasons = bytearray(LEAST_BITS // 8), bytearray(LEAST_BITS)
    set_bit(bits, index, state != "valid")
    if state != "valid":
        reasons[index] = reason_number(state, code)
    return {
        cast.LIST: signed(
            status_list_credential(url=cast.LIST, issuer=issuer.id, bits=bytes(bits), valid_from=SINCE), issuer
        ),
        REASONS: signed(
            reason_list_credential(url=REASONS, issuer=issuer.id, reasons=bytes(reasons), valid_from=SINCE), issuer
        ),
    }


def web(state: str = "valid", code: str = "", **options: Any) -> dict[str, Any]:
    """Everything that a verifier would fetch: the lists, and the keys of everybody in the cast."""
    return {**cast.did_documents(), **lists(state, code, **options)}


def changed(document: Mapping[str, Any], *path: str | int, to: Any) -> dict[str, Any]:
    """A copy with the value at `path` replaced, or taken out if `to` is None; the proof stays as it was."""
    result: dict[str, Any] = copy.deepcopy(dict(document))
    place: Any = result
    for step in path[:-1]:
        place = place[step]
    if to is None:
        del place[path[-1]]
    else:
        assert place.get(path[-1]) != to if isinstance(place, dict) else place[path[-1]] != to
        place[path[-1]] = to
    return result
