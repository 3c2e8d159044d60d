"""An app of somebody else's as a learner meets it: it asks to be let in, and brings a credential.

It lives nowhere: its own address is answered by the browser that is sent back to it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from guildmark.credential.did import did_key
from guildmark.credential.keys import SoftwareSigner
from guildmark.credential.open_badge import credential, make
from guildmark.credential.proof import sign_document
from tests.browser.site import Site

HOST = "https://backpack.example"
_SCOPE = "https://purl.imsglobal.org/spec/ob/v3p0/scope/"
_SCOPES = [f"{_SCOPE}{name}" for name in ("credential.readonly", "credential.upsert", "profile.readonly")]
_SCOPES += [f"{_SCOPE}profile.update", "offline_access"]
_VERIFIER = "a-verifier-of-more-than-forty-three-characters-0123456789"


class App:
    """Registered at the site, and let in by nobody yet."""

    def __init__(self, site: Site, name: str = "Backpack for sailors") -> None:
        self.site = site
        facts = {
            "client_name": name,
            "client_uri": f"{HOST}/",
            "logo_uri": f"{HOST}/logo.png",
            "software_id": "c88b6ed8-269e-448e-99be-7e2ff47167d1",
            "software_version": "1.0",
            "tos_uri": f"{HOST}/terms",
            "policy_uri": f"{HOST}/privacy",
            "redirect_uris": [f"{HOST}/back"],
            "token_endpoint_auth_method": "client_secret_basic",
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "scope": " ".join(_SCOPES),
        }
        said = httpx.post(f"{site.url}/oauth/register", json=facts).raise_for_status().json()
        self.basic = (said["client_id"], said["client_secret"])

    @property
    def asks(self) -> str:
        """The path of the page on which a learner lets the app in, or not."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(_VERIFIER.encode()).digest()).rstrip(b"=").decode()
        given = {
            "response_type": "code",
            "client_id": self.basic[0],
            "redirect_uri": f"{HOST}/back",
            "scope": " ".join(_SCOPES),
            "state": "s",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"/oauth/authorize?{urlencode(given)}"

    def enter(self, page: Any) -> None:
        """The learner whose page this is lets the app in; it brings a credential and writes a profile."""
        page.route(f"{HOST}/**", lambda route: route.fulfill(body="<title>Backpack</title>", content_type="text/html"))
        page.goto(self.site.url + self.asks)
        page.locator("main button[value=yes]").click()
        page.wait_for_url(f"{HOST}/back**")
        code = parse_qs(urlsplit(page.url).query)["code"][0]
        trade = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": f"{HOST}/back",
            "code_verifier": _VERIFIER,
        }
        tokens = httpx.post(f"{self.site.url}/oauth/token", data=trade, auth=self.basic).raise_for_status().json()
        with httpx.Client(
            base_url=f"{self.site.url}/ims/ob/v3p0/", headers={"Authorization": f"Bearer {tokens['access_token']}"}
        ) as outside:
            outside.post("credentials", json=_badge()).raise_for_status()
            profile = outside.get("profile").raise_for_status().json()
            outside.put("profile", json={**profile, "name": "A sailor"}).raise_for_status()


def _badge() -> dict[str, Any]:
    """A signed badge of a sailing school that nobody here knows."""
    unnamed = SoftwareSigner(bytes(range(32)), "did:key:unnamed")
    issuer, began = did_key(unnamed.public_key), datetime(2026, 3, 1, tzinfo=UTC)
    key = SoftwareSigner(bytes(range(32)), f"{issuer}#{issuer.removeprefix('did:key:')}")
    achievement = make(
        "Achievement",
        id="https://sail.example/achievements/knots",
        name="Knots and splices for deck hands on traditional ships",
        description="Ties the ten knots of a sailor.",
        criteria=make("Criteria", narrative="Ties each of the ten knots within a minute."),
    )
    document = credential(
        "OpenBadgeCredential",
        id="https://sail.example/badges/1",
        issuer={"id": issuer, "type": ["Profile"], "name": "A sailing school"},
        valid_from=began,
        subject=make("AchievementSubject", id="did:example:somebody", achievement=achievement),
        name="Knots and splices for deck hands on traditional ships",
    )
    signed: dict[str, Any] = json.loads(json.dumps(sign_document(document, key, created=began)))
    return signed
