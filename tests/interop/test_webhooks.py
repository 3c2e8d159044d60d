"""A receiver that is not ours, in another language, verifies what the site's worker sends: npm's standardwebhooks."""

from __future__ import annotations

import json
import secrets
from uuid import uuid4

import pytest
from django.utils import timezone

from guildmark.app.doors import webhook_poster
from guildmark.app.services import webhooks
from tests.app import cast as acts
from tests.app.receiver import listening
from tests.interop.peers import need_packages, node

pytestmark = pytest.mark.interop


@pytest.fixture(autouse=True)
def _installed() -> None:
    need_packages("standardwebhooks")


@pytest.mark.django_db
def test_npm_standardwebhooks_verifies_what_is_sent_and_refuses_what_was_changed(settings, tmp_path):
    settings.WEBHOOKS_INSIDE = True
    cast = acts.cast()
    with listening() as receiver:
        endpoint, old = webhooks.add_endpoint(
            id=uuid4(), organisation=cast.harbour, url=receiver.url, kinds=["award.made"],
            entropy=secrets.token_bytes(64), actor=cast.quinn, now=timezone.now(),
        )  # fmt: skip
        acts.awarded(cast)
        assert deliver() == (1, 0)
        _, new = webhooks.rotate_secret(
            endpoint=endpoint, entropy=secrets.token_bytes(64), actor=cast.quinn, now=timezone.now()
        )
        webhooks.send_test(id=uuid4(), endpoint=endpoint, actor=cast.quinn, now=timezone.now())
        assert deliver() == (1, 0)
    first, second = ({"headers": one.headers, "body": one.body.decode()} for one in receiver.received)
    messages = [
        {"secret": old, **first},
        {"secret": old, **second},
        {"secret": new, **second},
        {"secret": new, **first},
        {"secret": old, **first, "body": first["body"].replace("award.made", "award.revoked")},
        {"secret": old, **first, "headers": {**first["headers"], "webhook-id": str(uuid4())}},
    ]
    (tmp_path / "messages.json").write_text(json.dumps(messages))
    accepted, refused = (
        [{"type": "award.made"}, {"type": "test"}, {"type": "test"}],
        {"error": "No matching signature found"},
    )
    assert node("verify_webhook.mjs", tmp_path / "messages.json") == {
        "verdicts": [*accepted, refused, refused, refused]
    }


def deliver() -> tuple[int, int]:
    return webhooks.deliver_due(poster=webhook_poster(), clock=timezone.now, jitter=lambda: 0.0)
