"""What fuzzing begins with: signed documents in every envelope, the demo's sample, images, lists, vectors of others."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from functools import cache

from guildmark.core.codecs import jcs
from guildmark.credential.badge_image import badge_svg
from guildmark.credential.bake import bake
from guildmark.credential.jose import VC_JOSE, sign_vc_jwt
from guildmark.credential.proof import add_proof, sign_document
from guildmark.credential.sd_jwt import present_sd_jwt, sign_sd_jwt
from tests.cli.hostile import FILES
from tests.paths import _VECTORS as VECTORS
from tests.paths import PROJECT
from tests.unit.credential import award_cast as cast
from tests.unit.credential import token_cast

SVG = badge_svg(title="Data", issuer_name="Harbour University", issuer_id=cast.HARBOUR.id).encode()
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def world() -> cast.Web:
    """What a verifier can reach: the keys of the cast, of every kind that signs tokens, and lists on which nothing is
    set but what `status` looks for.
    """
    return token_cast.web(*token_cast.KINDS)


@cache
def signed_award() -> bytes:
    """The credential whose list is fuzzed: its only genuine list says that it is revoked."""
    return jcs(cast.signed_award())


@cache
def documents() -> tuple[bytes, ...]:
    """Documents that were really signed, as JSON."""
    plain = token_cast.award(status_entry=None, endorsements=[], evidence=[])
    by = token_cast.signer()
    first = sign_document(plain, by, created=cast.NOW, id="urn:uuid:00000000-0000-4000-8000-000000000001")
    others = [
        sign_document(plain, by, created=cast.NOW),
        sign_document(plain, by, created=cast.NOW, cryptosuite="eddsa-jcs-2022"),
        sign_document(plain, token_cast.signer("P-256"), created=cast.NOW, cryptosuite="ecdsa-rdfc-2019"),
        sign_document(plain, token_cast.signer("P-384"), created=cast.NOW, cryptosuite="ecdsa-jcs-2019"),
        add_proof(first, by, created=cast.NOW, previous=str(first["proof"]["id"])),
        cast.signed_award("data-storytelling"),
        cast.signed_award(),
    ]
    sample = (PROJECT / "docs" / "sample" / "credential.json").read_bytes()
    return (*(jcs(document) for document in others), cast.signed_larger(), sample)


def randomness(size: int) -> bytes:
    return bytes(range(size))


@cache
def tokens() -> tuple[bytes, ...]:
    """Tokens that were really signed; RSA left out, since its key is another in each run."""
    plain = token_cast.award(status_entry=None, endorsements=[])
    made = [sign_vc_jwt(plain, token_cast.signer(kind)) for kind in ("Ed25519", "P-256")]
    made.append(sign_vc_jwt(plain, token_cast.signer(), form=VC_JOSE))
    whole = sign_sd_jwt(plain, token_cast.signer(), hide=["/name"], randomness=randomness, holder=token_cast.HOLDER)
    made += [whole, present_sd_jwt(whole, show=[])]
    return tuple(text.encode() for text in made)


@cache
def signed() -> tuple[bytes, ...]:
    """Everything that may pass."""
    return documents() + tokens()


def images() -> Iterator[bytes]:
    for body in (documents()[0], tokens()[0]):
        for image in (SVG, PNG):
            yield bake(image, body)
    yield from (SVG, PNG)
    yield b'<svg xmlns="http://www.w3.org/2000/svg"><a:assertion xmlns:a="http://openbadges.org" verify="a.b.c"/></svg>'
    yield from (body for name, body in FILES.items() if name.endswith((".png", ".svg")) and len(body) < 10_000)


def lists() -> Iterator[bytes]:
    for state in (("revoked", "misconduct"), ("suspended", "appeal")):
        made = cast.lists(cast.HARBOUR, {cast.INDEX: state})
        yield made[cast.LIST]
        yield json.loads(made[cast.LIST])["credentialSubject"]["encodedList"].encode()
    yield cast.lists(cast.RHEIN)[cast.RHEIN_LIST]
    yield b"u"


def of_others() -> Iterator[bytes]:
    """Small vectors of others, where they are."""
    for folder in ("1edtech-validator", "w3c-vcdm2-suite", "w3c-vc-di-eddsa", "dcc-fixtures", "openid"):
        for path in sorted((VECTORS / folder).rglob("*.json"))[:60]:
            if path.stat().st_size < 20_000:
                yield path.read_bytes()


def json_texts() -> Iterator[bytes]:
    yield from documents()
    yield from (body for body in FILES.values() if len(body) < 10_000)
    yield from (
        b'{"a":1e3,"b":[1.0,-0,0.1e-7,12345678901234567890],"\\u00e9":"\\ud83d\\ude00"}',
        b'"\\/"',
        b" 7 ",
        b"-0.0",
    )


def of(target: str) -> list[bytes]:
    """The first inputs of a target."""
    match target:
        case "unbake":
            return [*images()]
        case "status":
            return [*lists()]
        case "token":
            return [*tokens()]
        case "json":
            return [*json_texts(), *of_others()]
        case "canonical":
            return [*documents(), *of_others()]
    return [*signed(), *images(), *of_others()]
