"""The OpenAPI file is true: it is valid, and no request is answered with anything that it does not name."""

from __future__ import annotations

import jsonschema_rs
import schemathesis
from django.conf import settings as django_settings
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from guildmark.app.api.address import openapi
from tests.api.conftest import application, program, role
from tests.api.test_operations import match_run
from tests.app import cast as world

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    allow_header_conformance,
    negative_data_rejection,
    ignored_auth,
]
EXAMPLES = 10
"""Requests to each operation, of each kind: ids that nobody has, ids that are there; with sense and without."""

MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


def test_the_file_is_valid_openapi_3_1(db, client_of_web):
    document = client_of_web.get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1.")
    schemathesis.openapi.from_dict(document).validate()
    for schema in document["components"]["schemas"].values():
        jsonschema_rs.Draft202012Validator({**schema, "components": document["components"]})


def test_every_operation_names_its_problems_as_problems():
    for path, methods in openapi()["paths"].items():
        for method, operation in methods.items():
            refusals = {s: a for s, a in operation["responses"].items() if s >= "400"}
            assert {"405", "422", "500", "503"} <= set(refusals), (method, path)
            assert {"400", "413", "415"} <= set(refusals) or method == "get", (method, path)
            assert {"401"} <= set(refusals), (method, path)
            assert all(list(a["content"]) == ["application/problem+json"] for a in refusals.values())


def test_no_request_ends_in_a_5xx_or_in_an_answer_that_the_file_does_not_name(cast, monkeypatch):
    role(cast.quinn, cast.harbour, "awarder", "partner")
    key = program(cast.quinn, cast.harbour)
    version = world.publish(cast)
    decision = world.decide(cast, version)
    row, _ = world.award(cast, world.decide(cast, version, who=world.learner("zoe@example.org", "Zoe")))
    world.stack_rule(cast)
    ranking = match_run(cast, employer=cast.harbour)
    there = {
        "/api/v1/blueprints/{id}": {"id": str(version.id)},
        "/api/v1/stacks/{id}": {"id": "small-certificate"},
        "/api/v1/stacks/{id}/learners/{learner}": {"id": "small-certificate", "learner": str(cast.mei.id)},
        "/api/v1/matches/{id}": {"id": str(ranking.id)},
    }
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)
    said, wrong = set(), []
    for found in schema.get_all_operations():
        operation = found.ok()
        places = [None]
        if "{" in operation.path:
            places.append(there.get(operation.path, {"id": str(row.id)}))
        for place in places:
            for mode in MODES:
                wrong += _tried(operation, mode, place, str(decision.id), key.headers["HTTP_AUTHORIZATION"], said)
    assert not wrong, "\n\n".join(wrong)
    # Not all were refused: that the file is true of what succeeds was tried as well.
    reads = {path for path, status in said if status == 200}
    assert {*there, *(f"/api/v1/awards/{{id}}{of}" for of in ("", "/credential", "/token")), "/api/v1/me"} <= reads
    assert ("/api/v1/awards", 201) in said
    assert django_settings.DEBUG is False


def _tried(operation, mode, place, decision, bearer, said) -> list[str]:
    """What was wrong with the answers to generated requests, each in words."""
    wrong = []
    strategy = operation.as_strategy(generation_mode=mode, **({"path_parameters": place} if place else {}))

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def try_one(case):
        if mode is GenerationMode.POSITIVE and isinstance(case.body, dict) and "decision" in case.body:
            case.body["decision"] = decision
        headers = {"Authorization": bearer}
        response = case.call(headers=headers)
        said.add((operation.path, response.status_code))
        try:
            case.validate_response(response, CHECKS, headers=headers)
        except Exception as problem:  # each check has an exception of its own
            wrong.append(f"{operation.label} ({mode.value}): {problem}")

    try:
        try_one()
    except Exception as problem:  # nothing can be generated: an operation without anything to get wrong
        if type(problem).__name__ not in ("Unsatisfiable", "SkipTest"):
            wrong.append(f"{operation.label} ({mode.value}): {type(problem).__name__} {problem}")
    return wrong[:3]
