"""Each rule of the data models accepts what it should and names what it refuses."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.paths import counted, vectors
from tests.unit.credential.award_cast import (
    HARBOUR,
    LIST,
    NAMES,
    NORTHWIND,
    award,
    endorsement,
    larger,
    signed,
    signed_award,
    verified,
    web,
)
from tests.unit.credential.whole import badge, transcript
from tests.unit.credential.whole import endorsement as whole_endorsement

from guildmark.core.report import Verdict
from guildmark.credential.jsonld import CREDENTIALS_V1, CREDENTIALS_V2, OPEN_BADGES
from guildmark.credential.model import CLASSES, EXTENSIBLE, VOCABULARIES
from guildmark.credential.structure import kind_of, structure_finding, structure_problems, structure_warnings


def changed(document: dict[str, Any], path: str, value: Any = ...) -> dict[str, Any]:
    """The document with one thing replaced, or removed if no value is given."""
    made = copy.deepcopy(document)
    holder: Any = made
    *way, last = [int(step) if step.isdigit() else step for step in path.split("/")]
    for step in way:
        holder = holder[step]
    if value is ...:
        del holder[last]
    else:
        holder[last] = value
    return made


def problems(document: dict[str, Any]) -> list[str]:
    return [str(problem) for problem in structure_problems(document)]


# --- What we make ---


@pytest.mark.parametrize("name", NAMES)
def test_our_awards_have_everything(name: str) -> None:
    assert problems(award(name)) == problems(signed_award(name)) == []


def test_our_endorsements_transcripts_and_status_lists_have_everything() -> None:
    assert problems(signed(endorsement(), NORTHWIND)) == []
    assert problems(signed(larger())) == []
    assert problems(json.loads(web().documents[LIST])) == []


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (award(), "It has everything that an Open Badge needs."),
        (endorsement(), "It has everything that an endorsement needs."),
        (larger(), "It has everything that a transcript needs."),
    ],
)
def test_the_finding_names_the_kind_with_its_article(document: dict[str, Any], says: str) -> None:
    assert structure_finding(document).says == says


# --- What is refused ---

_ALIGNMENT = "credentialSubject/achievement/alignment/0"
BADGE = [
    ("@context", OPEN_BADGES, "@context"),
    ("@context", [], "@context"),
    ("@context", [OPEN_BADGES, CREDENTIALS_V2], "@context"),
    ("@context", [CREDENTIALS_V2, "https://attacker.example"], "@context"),
    ("@context", [CREDENTIALS_V2, OPEN_BADGES, 7], "@context"),
    ("@context", [CREDENTIALS_V2, OPEN_BADGES, "https ://no"], "@context"),
    ("type", ["OpenBadgeCredential"], "type"),
    ("type", "OpenBadgeCredential", "type"),
    ("id", ..., "id"),
    ("id", "3527", "id"),
    ("id", ["urn:uuid:1"], "id"),
    ("name", 7, "name"),
    ("name", None, "name"),
    ("name", {"@value": "x", "url": "y"}, "name"),
    ("issuer", ..., "issuer"),
    ("issuer", "Harbour University", "issuer"),
    ("issuer/id", None, "issuer.id"),
    ("issuer/type", ["Organization"], "issuer.type"),
    ("issuer/name", [], "issuer.name"),
    ("validFrom", ..., "validFrom"),
    ("awardedDate", "yesterday", "awardedDate"),
    ("awardedDate", "2026-01-01T00:00:00", "awardedDate"),
    ("evidence/0/type", ..., "evidence[0].type"),
    ("evidence/0/type", ["Proof"], "evidence[0].type"),
    ("evidence/0/id", "page 3", "evidence[0].id"),
    ("evidence", "https://a.example", "evidence[0]"),
    ("credentialSchema", {"id": "https://a.example"}, "credentialSchema[0].type"),
    ("credentialSchema", {"type": "JsonSchema"}, "credentialSchema[0].id"),
    ("termsOfUse", [{"id": "https://a.example"}], "termsOfUse[0].type"),
    ("refreshService", {"type": "x", "id": "no"}, "refreshService[0].id"),
    ("credentialStatus/type", ..., "credentialStatus[0].type"),
    ("credentialStatus/id", "no", "credentialStatus[0].id"),
    ("credentialStatus/statusPurpose", ..., "credentialStatus[0].statusPurpose"),
    ("credentialStatus/statusListIndex", "-1", "credentialStatus[0].statusListIndex"),
    ("credentialStatus/statusListIndex", "٣", "credentialStatus[0].statusListIndex"),
    ("credentialStatus/statusListCredential", "list", "credentialStatus[0].statusListCredential"),
    ("relatedResource/0/digestSRI", ..., "relatedResource[0]"),
    ("relatedResource/0/id", "here", "relatedResource[0]"),
    ("credentialSubject", ..., "credentialSubject"),
    ("credentialSubject", [], "credentialSubject"),
    ("credentialSubject", "did:example:zoe", "credentialSubject"),
    ("credentialSubject/type", ["Person"], "credentialSubject.type"),
    ("credentialSubject/identifier", ..., "credentialSubject"),
    ("credentialSubject/id", "zoe", "credentialSubject.id"),
    ("credentialSubject/identifier/0/type", ["IdentityObject"], "credentialSubject.identifier[0].type"),
    ("credentialSubject/identifier/0/hashed", "true", "credentialSubject.identifier[0].hashed"),
    ("credentialSubject/identifier/0/identityHash", "sha1$00", "credentialSubject.identifier[0].identityHash"),
    ("credentialSubject/identifier/0/identityHash", ..., "credentialSubject.identifier[0].identityHash"),
    ("credentialSubject/identifier/0/identityType", "shoeSize", "credentialSubject.identifier[0].identityType"),
    ("credentialSubject/identifier/0/note", "x", "credentialSubject.identifier[0].note"),
    ("credentialSubject/creditsEarned", "3", "credentialSubject.creditsEarned"),
    ("credentialSubject/creditsEarned", True, "credentialSubject.creditsEarned"),
    ("credentialSubject/creditsEarned", -1, "credentialSubject.creditsEarned"),
    ("credentialSubject/achievement", ..., "credentialSubject.achievement"),
    ("credentialSubject/achievement", [{}], "credentialSubject.achievement"),
    ("credentialSubject/achievement/id", ..., "credentialSubject.achievement.id"),
    ("credentialSubject/achievement/type", [], "credentialSubject.achievement.type"),
    ("credentialSubject/achievement/name", " ", "credentialSubject.achievement.name"),
    ("credentialSubject/achievement/description", ..., "credentialSubject.achievement.description"),
    ("credentialSubject/achievement/criteria", ..., "credentialSubject.achievement.criteria"),
    ("credentialSubject/achievement/criteria", "https://a.example", "credentialSubject.achievement.criteria"),
    ("credentialSubject/achievement/criteria", {"id": "page"}, "credentialSubject.achievement.criteria.id"),
    ("credentialSubject/achievement/achievementType", "Nanodegree", "credentialSubject.achievement.achievementType"),
    ("credentialSubject/achievement/achievementType", ["Badge"], "credentialSubject.achievement.achievementType"),
    ("credentialSubject/achievement/creator/id", "x", "credentialSubject.achievement.creator.id"),
    ("credentialSubject/achievement/creator", "did:web:x.example", "credentialSubject.achievement.creator"),
    (
        "credentialSubject/achievement/alignment/0/targetUrl",
        "x",
        "credentialSubject.achievement.alignment[0].targetUrl",
    ),
    (
        "credentialSubject/achievement/alignment/0/targetName",
        ...,
        "credentialSubject.achievement.alignment[0].targetName",
    ),
    (
        "credentialSubject/achievement/alignment/0/targetType",
        "ceterms:Skill",
        "credentialSubject.achievement.alignment[0].targetType",
    ),
    (
        "credentialSubject/achievement/resultDescription/0/resultType",
        "Applause",
        "credentialSubject.achievement.resultDescription[0].resultType",
    ),
    ("credentialSubject/result/0/resultDescription", "urn:x:1", "credentialSubject.result[0].resultDescription"),
    ("credentialSubject/result/0/value", "101", "credentialSubject.result[0].value"),
    ("credentialSubject/result/0/value", "-1", "credentialSubject.result[0].value"),
    ("credentialSubject/result/0/value", "much", "credentialSubject.result[0].value"),
    ("credentialSubject/result/0/value", 50, "credentialSubject.result[0].value"),
    ("credentialSubject/result/0/status", "Brilliant", "credentialSubject.result[0].status"),
    ("credentialSubject/result/0/status", {"a": []}, "credentialSubject.result[0].status"),
    ("credentialSubject/result/0/type", ["Mark"], "credentialSubject.result[0].type"),
    ("credentialSubject/result", [], "credentialSubject.result"),
]


@pytest.mark.parametrize(("path", "value", "where"), BADGE)
def test_a_badge_with_one_thing_wrong_is_refused_and_the_place_is_named(path: str, value: Any, where: str) -> None:
    document = changed(award(), path, value)
    assert where in [problem.path for problem in structure_problems(document)]
    finding = structure_finding(document)
    assert finding.verdict is Verdict.FAIL
    assert finding.says.startswith("It is not made the way ")


def test_an_achieved_level_belongs_to_the_rubric_that_it_points_to() -> None:
    document = award()
    results = document["credentialSubject"]["result"]
    number = next(n for n, result in enumerate(results) if "achievedLevel" in result)
    other = changed(document, f"credentialSubject/result/{number}/achievedLevel", "urn:x:another-level")
    assert problems(other) == [
        f"“credentialSubject.result[{number}].achievedLevel” is none of the levels of its rubric"
    ]


def test_a_required_level_is_one_of_its_rubric_and_descriptions_stand_once() -> None:
    document = award()
    described = document["credentialSubject"]["achievement"]["resultDescription"]
    number = next(n for n, entry in enumerate(described) if "requiredLevel" in entry)
    path = f"credentialSubject/achievement/resultDescription/{number}"
    assert len(problems(changed(document, f"{path}/requiredLevel", "urn:x"))) == 1
    assert any("stands twice" in p for p in problems(changed(document, f"{path}/id", described[0]["id"])))


def test_a_result_that_is_a_status_says_which() -> None:
    document = changed(award(), "credentialSubject/achievement/resultDescription/0/resultType", "Status")
    assert "“credentialSubject.result[0].status” is missing, though the result is a status" in problems(document)


def test_allowed_values_are_the_only_ones() -> None:
    document = changed(award(), "credentialSubject/achievement/resultDescription/0/allowedValue", ["A", "B"])
    assert any("which is not allowed" in problem for problem in problems(document))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("type", ["VerifiableCredential", "AchievementCredential"]),
        ("issuer", HARBOUR.id),
        ("name", {"@value": "Daten", "@language": "de", "@direction": "ltr"}),
        ("name", [{"@value": "Daten", "@language": "de"}, {"@value": "Data", "@language": "en"}]),
        ("credentialSubject/achievement/achievementType", "ext:Nanodegree"),
        ("credentialSubject/achievement/criteria", {"id": "https://a.example/criteria"}),
        ("credentialSubject/achievement/alignment/0/targetType", "ext:Skill"),
        ("credentialSubject/id", "did:example:zoe"),
        ("credentialSubject/creditsEarned", 2.5),
        ("credentialStatus/statusListIndex", 7),
        ("credentialStatus", [award()["credentialStatus"]]),
        ("evidence", {"type": "Evidence", "id": "data:text/plain,x"}),
        ("@context", [CREDENTIALS_V2, "https://purl.imsglobal.org/spec/ob/v3p0/context.json"]),
        ("@context", [CREDENTIALS_V2, "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json"]),
        ("@context", [CREDENTIALS_V2, OPEN_BADGES, {"x": "https://a.example/x"}]),
    ],
)
def test_what_the_standard_allows_is_accepted(path: str, value: Any) -> None:
    assert problems(changed(award(), path, value)) == []


def test_a_badge_of_data_model_1_has_its_own_names_for_dates() -> None:
    document = award()
    document["@context"] = [CREDENTIALS_V1, OPEN_BADGES]
    assert [p.path for p in structure_problems(document)] == ["issuanceDate"]
    document["issuanceDate"] = document.pop("validFrom")
    assert problems(document) == []


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        ("name", ..., "name"),
        ("credentialSubject/id", ..., "credentialSubject.id"),
        ("credentialSubject/type", "AchievementSubject", "credentialSubject.type"),
        ("credentialSubject", None, "credentialSubject"),
    ],
)
def test_an_endorsement_has_a_name_and_says_what_it_endorses(path: str, value: Any, where: str) -> None:
    assert where in [p.path for p in structure_problems(changed(endorsement(), path, value))]


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        ("name", ..., "name"),
        ("@context", [CREDENTIALS_V2, OPEN_BADGES], "@context"),
        ("credentialSubject/verifiableCredential", ..., "credentialSubject.verifiableCredential"),
        ("credentialSubject/verifiableCredential", [], "credentialSubject.verifiableCredential"),
        ("credentialSubject/type", ["AchievementSubject"], "credentialSubject.type"),
        ("credentialSubject/identifier", ..., "credentialSubject"),
        ("credentialSubject/association/0/type", ["Association"], "credentialSubject.association[0].type"),
        ("credentialSubject/association/0/associationType", "eats", "credentialSubject.association[0].associationType"),
        ("credentialSubject/association/0/associationType", [], "credentialSubject.association[0].associationType"),
        ("credentialSubject/association/0/sourceId", "x", "credentialSubject.association[0].sourceId"),
        ("credentialSubject/association/0/note", "x", "credentialSubject.association[0].note"),
        ("credentialSubject/achievement/0/criteria", ..., "credentialSubject.achievement[0].criteria"),
    ],
)
def test_a_transcript_with_one_thing_wrong_is_refused(path: str, value: Any, where: str) -> None:
    assert where in [p.path for p in structure_problems(changed(larger(), path, value))]


def test_an_association_joins_something_that_is_in_the_transcript() -> None:
    document = changed(larger(), "credentialSubject/association/0/sourceId", "urn:x:1")
    assert problems(document) == []  # the other end is here
    document = changed(document, "credentialSubject/association/0/targetId", "urn:x:2")
    assert problems(document) == ["“credentialSubject.association[0]” joins nothing that is in this record"]


def test_problems_are_counted_and_the_first_is_told() -> None:
    finding = structure_finding(changed(changed(award(), "id", "x"), "issuer", "y"))
    assert finding.says == (
        "It is not made the way an Open Badge must be: “issuer” does not say who issued it, by an absolute URL "
        "or a DID (and 1 more)."
    )
    assert len(finding.because["problems"]) == 2


def test_a_document_of_thousands_of_faults_is_not_listed_whole() -> None:
    document = {**award(), "evidence": [7] * 10_000}
    assert len(structure_problems(document)) == 200
    assert len(json.dumps(structure_finding(document).to_json())) < 20_000


@pytest.mark.parametrize(
    ("types", "kind"),
    [
        (["VerifiableCredential", "OpenBadgeCredential"], "OpenBadgeCredential"),
        (["AchievementCredential"], "OpenBadgeCredential"),
        ("ClrCredential", "ClrCredential"),
        (["VerifiableCredential"], ""),
        ([{"a": 1}, None, 3], ""),
        (None, ""),
    ],
)
def test_the_kind_is_read_from_the_type(types: Any, kind: str) -> None:
    assert kind_of({"type": types}) == kind


# --- Every member of every class ---

BAD = {
    "text": 7,
    "url": "not an address",
    "moment": "2026-01-01T00:00:00",
    "time": "yesterday",
    "day": "14.3.1998",
    "yes or no": "true",
    "number": "3",
    "degrees": "south",
    "language": "in English",
    "email": 7,
    "country": 61,
    "jws": "a.b",
    "signed": "eyJ.a.b",
    "salt": 7,
}
"""A value that no member of that shape may have."""


def things(value: Any, kind: str, path: tuple[Any, ...] = ()) -> Iterator[tuple[str, tuple[Any, ...], Any]]:
    """(class, path, thing) of each thing of the model below one, not entering what is signed on its own."""
    yield kind, path, value
    for name, member in CLASSES[kind].members.items():
        if name in value and member.shape in CLASSES:
            for n, part in enumerate(value[name] if member.many else [value[name]]):
                yield from things(part, member.shape, (*path, name, n) if member.many else (*path, name))


MADE: dict[tuple[str, str], tuple[tuple[Any, ...], dict[str, Any]]] = {}
"""(class, member) -> the first thing that has it: its path, and the document in which it stands."""

for _kind, _document in (
    ("OpenBadgeCredential", badge()),
    ("ClrCredential", transcript()),
    ("EndorsementCredential", whole_endorsement()),
):
    for _class, _path, _thing in (
        *things(_document, _kind),
        *things(_document["issuer"], "Profile", ("issuer",)),
    ):
        for _name in (*_thing, "type", "x"):
            MADE.setdefault((_class, _name), (_path, _document))
MEMBERS = [(kind, name) for kind in CLASSES for name in CLASSES[kind].members]


def there(kind: str, name: str) -> Any:
    """The value of the member, in the first thing that has it."""
    path, value = MADE[kind, name]
    for step in (*path, name):
        value = value[step]
    return value


def with_member(kind: str, name: str, value: Any = ...) -> dict[str, Any]:
    path, document = MADE[kind, name]
    return changed(document, "/".join(str(step) for step in (*path, name)), value)


def grave(document: dict[str, Any]) -> list[str]:
    return [problem.path for problem in structure_problems(document)]


def place(kind: str, name: str) -> str:
    """Where the member is, as a problem says it."""
    said = ""
    for step in (*MADE[kind, name][0], name):
        said += f"[{step}]" if isinstance(step, int) else f".{step}" if said else step
    return said


def test_every_member_of_the_model_stands_in_them() -> None:
    assert [pair for pair in MEMBERS if pair not in MADE] == []


def test_documents_with_every_member_are_as_the_standard_says() -> None:
    for document in (badge(), transcript(), whole_endorsement()):
        assert structure_problems(document, "strict") == ()
        assert structure_warnings(document) == ()


@pytest.mark.parametrize(("kind", "name"), [(k, n) for k, n in MEMBERS if CLASSES[k].members[n].needed])
def test_a_member_that_is_needed_is_missed(kind: str, name: str) -> None:
    assert place(kind, name) in grave(with_member(kind, name))


@pytest.mark.parametrize(("kind", "name"), MEMBERS)
def test_a_member_of_another_shape_is_refused(kind: str, name: str) -> None:
    member = CLASSES[kind].members[name]
    bad = BAD.get(member.shape, 7)  # 7 is no thing of a class, and no word
    where = place(kind, name)
    assert any(p.startswith(where) for p in grave(with_member(kind, name, [bad] if member.many else bad)))


@pytest.mark.parametrize(("kind", "name"), [(k, n) for k, n in MEMBERS if CLASSES[k].members[n].many])
def test_a_set_of_one_without_its_list_is_a_warning_and_strictly_a_fault(kind: str, name: str) -> None:
    alone = with_member(kind, name, there(kind, name)[0])
    assert place(kind, name) in [problem.path for problem in structure_warnings(alone)]
    assert place(kind, name) not in grave(alone)
    assert structure_finding(alone, "strict").verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("kind", "name"),
    [(k, n) for k, n in MEMBERS if not CLASSES[k].members[n].many and CLASSES[k].members[n].shape != "text"],
)
def test_a_list_where_one_value_belongs_is_refused(kind: str, name: str) -> None:
    assert place(kind, name) in grave(with_member(kind, name, [there(kind, name)] * 2))


@pytest.mark.parametrize("kind", [kind for kind in CLASSES if CLASSES[kind].typed])
def test_a_thing_says_its_type(kind: str) -> None:
    assert place(kind, "type") in grave(with_member(kind, "type", "Other"))
    assert place(kind, "type") in grave(with_member(kind, "type"))


@pytest.mark.parametrize("kind", [kind for kind in CLASSES if CLASSES[kind].closed])
def test_a_closed_class_has_no_other_members(kind: str) -> None:
    assert place(kind, "x") in grave(with_member(kind, "x", "own"))


@pytest.mark.parametrize("kind", [kind for kind in CLASSES if not CLASSES[kind].closed])
def test_an_open_class_may_have_members_that_no_rule_knows(kind: str) -> None:
    assert grave(with_member(kind, "x", {"own": [1]})) == []


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_only_some_vocabularies_may_be_added_to(vocabulary: str) -> None:
    kind, name = next((k, n) for k, n in MEMBERS if CLASSES[k].members[n].shape == f"[{vocabulary}]")
    assert (grave(with_member(kind, name, "ext:Own")) == []) is (vocabulary in EXTENSIBLE)
    assert place(kind, name) in grave(with_member(kind, name, "Own"))
    assert place(kind, name) in grave(with_member(kind, name, "ext:"))


# --- What fits together ---

_RESULTS = "credentialSubject/achievement/resultDescription"


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (f"{_RESULTS}/0/valueMin", "200", "is more than “valueMax”"),
        (f"{_RESULTS}/0/requiredValue", "101", "is outside what may be reached"),
        (f"{_RESULTS}/1/requiredValue", "A", "is none of the allowed values"),
        (f"{_RESULTS}/1/allowedValue", ["F", "P", "P", "D"], "names a value twice"),
        (f"{_RESULTS}/2/requiredLevel", "https://college.example/levels/9", "is none of the levels of this rubric"),
        (f"{_RESULTS}/2/rubricCriterionLevel/1/id", "https://college.example/levels/0", "stands twice"),
        (f"{_RESULTS}/1/id", "https://college.example/results/percent", "stands twice"),
        ("credentialSubject/result/1/value", "A", "which is not allowed"),
        ("credentialSubject/result/2/resultDescription", ..., "belongs to no description of a result"),
        ("credentialSubject/result/3/status", ..., "is missing, though the result is a status"),
        ("credentialSubject/activityEndDate", "2026-06-30T00:00:00Z", "is before “activityStartDate”"),
        ("validUntil", "2026-11-24T08:59:59Z", "is before “validFrom”"),
        ("validFrom", "2026-11-24", "cannot be read"),
        ("issuer/address/geo/latitude", 91, "is not between -90 and 90"),
        ("endorsementJwt", ["eyJ.e30.a", "no"], "is not a JSON Web Signature in compact form"),
    ],
)
def test_what_does_not_fit_together_is_refused(path: str, value: Any, says: str) -> None:
    assert any(says in problem for problem in problems(changed(badge(), path, value)))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("credentialSubject/achievement/criteria", {"note": "x"}),
        ("credentialSubject/achievement/image", "https://college.example/badge.png"),
        ("credentialSubject/achievement/image/type", ["Image"]),
        ("credentialSubject/achievement/otherIdentifier/0/type", ["IdentifierEntry"]),
        ("credentialSubject/achievement/inLanguage", "en-us"),
        ("credentialSubject/achievement/name", {"en": "Data", "de-AT": "Daten"}),
        (f"{_RESULTS}/1/allowedValue", ["3", "P", "D"]),
        (f"{_RESULTS}/2/rubricCriterionLevel/0/points", "9"),
        ("credentialSubject/result/4/value", ...),
        ("credentialSubject/activityStartDate", "2026-07-01T00:00:00"),
        ("issuer/address/addressCountryCode", "aus"),
        ("issuer/email", "the office"),
        ("awardedDate", "2026-11-24T09:00Z"),
        ("credentialStatus", [{"id": "https://a.example/1", "type": "1EdTechRevocationList"}]),
        ("credentialStatus/id", ...),
        ("refreshService/id", ...),
    ],
)
def test_what_cannot_be_misread_is_a_warning_and_strictly_a_fault(path: str, value: Any) -> None:
    document = changed(badge(), path, value)
    if path == f"{_RESULTS}/1/allowedValue":
        document = changed(document, f"{_RESULTS}/1/allowedValue", ["3", "2"])
        document = changed(document, f"{_RESULTS}/1/requiredValue", "2")
        document = changed(document, "credentialSubject/result/1/value", "2")
    finding = structure_finding(document)
    assert finding.verdict is Verdict.PASS, finding.says
    assert "though not quite as the standard writes it" in finding.says
    assert finding.because["warnings"][0]["rule"]
    assert structure_finding(document, "strict").verdict is Verdict.FAIL


def test_details_name_the_rule_and_the_place() -> None:
    finding = structure_finding(changed(badge(), "credentialSubject/result/1/value", "A"))
    assert finding.because["details"] == [
        {
            "rule": "results",
            "path": "credentialSubject.result[1].value",
            "says": "is “A”, which is not allowed",
        }
    ]


def test_many_warnings_do_not_hide_a_fault() -> None:
    document = changed(badge(), "credentialSubject/achievement/related", [{**RELATED, "inLanguage": "en-us"}] * 1000)
    assert structure_finding(document).verdict is Verdict.PASS
    document["credentialSubject"]["achievement"]["version"] = 7
    assert structure_finding(document).verdict is Verdict.FAIL


RELATED = {"id": "https://a.example/1", "type": ["Related"]}


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda v: st.lists(v) | st.dictionaries(st.text(), v),
        max_leaves=8,
    ),
    st.data(),
)
@settings(max_examples=150, deadline=None)
def test_nothing_that_stands_in_a_document_makes_it_raise(value: Any, data: st.DataObject) -> None:
    kind, name = data.draw(st.sampled_from(sorted(MADE)))
    for profile in ("strict", "tolerant"):
        assert structure_finding(with_member(kind, name, value), profile).verdict in (Verdict.PASS, Verdict.FAIL)


def test_a_document_of_too_many_values_is_not_looked_at() -> None:
    document = {**award(), "x": [{"a": n} for n in range(60_000)]}
    finding = structure_finding(document)
    assert finding.verdict is Verdict.UNKNOWN
    assert "more than 60,000 values" in finding.says


def test_organisations_above_one_another_have_an_end() -> None:
    profile: dict[str, Any] = {"id": "urn:x:1", "type": ["Profile"]}
    for _ in range(95):
        profile = {"id": "urn:x:1", "type": ["Profile"], "parentOrg": profile}
    assert any("more than 20 things deep" in p for p in problems({**award(), "issuer": profile}))


def test_a_transcript_names_achievements_that_are_in_it() -> None:
    document = changed(transcript(), "credentialSubject/association/0/targetId", "urn:x:elsewhere")
    assert structure_finding(document).verdict is Verdict.PASS
    assert structure_finding(document, "strict").verdict is Verdict.FAIL
    document = changed(document, "credentialSubject/association/0/sourceId", "urn:x:too")
    assert structure_finding(document).verdict is Verdict.FAIL


# --- Presentations ---

PRESENTATION = {
    "@context": [CREDENTIALS_V2],
    "type": ["VerifiablePresentation"],
    "holder": {"id": "did:example:zoe"},
    "verifiableCredential": [
        {"@context": CREDENTIALS_V2, "type": "EnvelopedVerifiableCredential", "id": "data:application/vc+jwt,a.b.c"}
    ],
}


def test_a_presentation_is_whole() -> None:
    assert structure_finding(PRESENTATION).says == "It has everything that a presentation needs."


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        ("verifiableCredential/0", "eyJ.a.b", "verifiableCredential[0]"),
        ("verifiableCredential/0/id", "https://a.example", "verifiableCredential[0].id"),
        ("verifiableCredential/0/type", "Other", "verifiableCredential[0].type"),
        ("holder", "zoe", "holder"),
        ("holder/id", "zoe", "holder"),
        ("id", "3", "id"),
        ("@context", [OPEN_BADGES], "@context"),
    ],
)
def test_a_presentation_with_one_thing_wrong_is_refused(path: str, value: Any, where: str) -> None:
    assert where in grave(changed(PRESENTATION, path, value))


# --- Others' documents ---

_TERMS = {
    "credential-redef-type-fail.json",
    "credential-redef-type2-fail.json",
    "credential-type-mapped-nonurl-fail.json",
    "credential-type-unmapped-fail.json",
}
"""Refused for what their contexts make of the terms: another finding."""


def _inputs(kind: str) -> list[tuple[str, str, dict[str, Any]]]:
    """(name, expected, document as the suite's issuer would have it) of the W3C VC Data Model 2.0 test suite."""
    rows = json.loads((vectors("w3c-vcdm2-suite") / "inputs.json").read_text())
    found = []
    for row in rows:
        name, document = row["file"], row["document"]
        if name.startswith("presentation-") is not (kind == "presentation") or row["expected"] == "see-suite":
            continue
        if kind == "credential" and name != "credential-no-issuer-fail.json":  # the suite's issuer fills in its own id
            issuer = document.get("issuer", {"id": HARBOUR.id})
            if isinstance(issuer, dict) and "id" not in issuer:
                issuer = {**issuer, "id": HARBOUR.id}
            document = {**document, "issuer": issuer}
        if name == "credential-validUntil-validFrom-ok.json":  # “PAST DATE” and “FUTURE DATE”
            document = {**document, "validFrom": "2020-01-01T00:00:00Z", "validUntil": "2040-01-01T00:00:00Z"}
        found.append((name, row["expected"], document))
    return found


@pytest.mark.parametrize(("kind", "count"), [("credential", 57), ("presentation", 13)])
def test_the_w3c_suites_documents_are_told_apart(kind: str, count: int) -> None:
    """What is to be accepted has no fault; what is to be refused (“fail”, “fail-or-inject”) has one."""
    inputs = _inputs(kind)
    for name, expected, document in inputs:
        found = structure_finding(document)
        if expected == "ok":
            sound = Verdict.UNKNOWN if kind == "credential" else Verdict.PASS  # a credential, but no Open Badge
            assert found.verdict is sound, (name, found.says)
        elif name in _TERMS:
            assert verified(document)["document.context"].verdict is not Verdict.PASS, name
        else:
            assert found.verdict is Verdict.FAIL, name
    assert len(inputs) == count
    counted("w3c-vcdm2-suite", [name for name, _, _ in inputs])
