"""Issue and verify Open Badges 3.0: against libsodium's bare signature, and against implementations that are not ours.

One run, contenders in turn, rates by CPU time; a ratio is the median of the rounds' own ratios. "raw" is one Ed25519
signature or check of 64 bytes by PyNaCl, the physical limit in Python. openvc-core works in this process,
@digitalbazaar/vc in one of its own on the same badges, and that is given the better of its rate by CPU time (its
helper threads count there) and by the clock. Verifying is `verify_credentials` with every finding, a status list at
hand that was verified before. Of `jcs` the figures are for the proof itself (`check_proofs`), of VC-JWT for
`sign_vc_jwt` and `check_token`; whole reports about them are told beside, without a floor.

    python3 dev.py bench credentials [--quick]

With --quick, the rounds are few and short, and floors are at 70 %.
"""

from __future__ import annotations

import contextlib
import io
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import nacl.bindings
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from openvc.keys import Ed25519SigningKey
from openvc.proof.data_integrity import DataIntegrityProofSuite
from PIL import Image, PngImagePlugin
from pyld import jsonld
from tests.interop.peers import HERE as INTEROP

from bench._badges import CHANGING, CREATED, ISSUER, SEED, SIGNER, badge, row
from bench._run import QUICK, Figure, finish
from guildmark.core.codecs import jcs, parse_iso, parse_json
from guildmark.core.doors import Document
from guildmark.core.errors import OutsideFailure
from guildmark.core.report import Report, Verdict
from guildmark.credential.badge_image import badge_png, badge_svg
from guildmark.credential.bake import bake
from guildmark.credential.batch import Batch
from guildmark.credential.jose import check_token, read_token, sign_vc_jwt
from guildmark.credential.jsonld import OPEN_BADGES, context_sets, to_dataset
from guildmark.credential.keys import jwk_of
from guildmark.credential.proof import check_proofs, sign_document, sign_to_bytes
from guildmark.credential.rdfc import canonicalize
from guildmark.credential.resolve import find_key
from guildmark.credential.status import LEAST_BITS, status_list_credential
from guildmark.credential.verify import verify_credential, verify_credentials

NOW = parse_iso("2026-12-01T00:00:00Z")
SIGNED_AT = parse_iso(CREATED)
LIST = "https://badges.example.edu/status/0"


class Known:
    """A Fetcher that has the signed status list and nothing else."""

    def __init__(self) -> None:
        listing = status_list_credential(url=LIST, issuer=ISSUER, bits=bytes(LEAST_BITS // 8), valid_from=SIGNED_AT)
        self.body = jcs(sign_document(listing, SIGNER, created=SIGNED_AT))

    def fetch(self, url: str) -> Document:
        if url != LIST:
            raise OutsideFailure(f"{url} is not at hand")
        return Document(url, self.body)


class Peer:
    """@digitalbazaar/vc in a process of its own."""

    def __init__(self, badges: list[dict[str, Any]], folder: Path) -> None:
        work = folder / "work.json"
        work.write_text(json.dumps({"seed": SEED.hex(), "date": CREATED, "credentials": badges}))
        command = ["node", "bench_db.mjs", str(work)]
        self.process = subprocess.Popen(command, cwd=INTEROP, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.signed: dict[str, Any] = self.answer()["signed"]

    def answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            sys.exit("bench: @digitalbazaar/vc did not answer; run `npm ci` in tests/interop")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def rate(self, what: str, seconds: float) -> float:
        assert self.process.stdin is not None
        print(what, seconds, file=self.process.stdin, flush=True)
        found = self.answer()
        return float(found["count"] / min(found["cpu"], found["wall"]))

    def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=20)


def sliced(call: Callable[[Any], object], items: list[Any]) -> Callable[[float], float]:
    """Takes seconds and gives calls per CPU second, over the items in turn."""
    endless = cycle(items)

    def run(seconds: float) -> float:
        count, begin, cpu = 0, time.perf_counter(), time.process_time()
        while time.perf_counter() - begin < seconds:
            for _ in range(8):
                call(next(endless))
            count += 8
        return count / (time.process_time() - cpu)

    return run


def whole(documents: list[bytes], fetcher: Known) -> Callable[[float], float]:
    """Reports about documents per CPU second; each must pass."""

    def endless() -> Iterator[bytes]:
        yield from cycle(documents)

    reports = verify_credentials(endless(), now=NOW, fetcher=fetcher)

    def one(_: object) -> None:
        report = next(reports)
        assert isinstance(report, Report)
        assert report.verdict is Verdict.PASS, report

    return sliced(one, [None])


def by_pyld(document: dict[str, Any]) -> str:
    """The canonical form as PyLD makes it: its own expansion, RDF and canonicalization."""
    documents = context_sets()[0].documents

    def load(url: str, _: object) -> dict[str, Any]:
        return {"contextUrl": None, "documentUrl": url, "document": documents[url], "tag": "static"}

    options = {"algorithm": "URDNA2015", "format": "application/n-quads", "documentLoader": load}
    text: str = jsonld.normalize(document, options)
    return text


def by_us(document: dict[str, Any]) -> str:
    """The canonical form on the generic path, whatever shapes are known."""
    return canonicalize(to_dataset(document, context_sets()[0]).quads)


def openvc_signing_key() -> Ed25519SigningKey:
    return Ed25519SigningKey(Ed25519PrivateKey.from_private_bytes(SEED), kid=SIGNER.key_id)


def contenders(badges: list[dict[str, Any]], peer: Peer, fetcher: Known) -> dict[str, Callable[[float], float]]:
    rows = [row(document) for document in badges]
    batch = Batch(badges[0], CHANGING, SIGNER, created=SIGNED_AT, like=rows[:20])
    jcs_batch = Batch(badges[0], CHANGING, SIGNER, created=SIGNED_AT, like=rows[:20], cryptosuite="eddsa-jcs-2022")
    signed = [batch.sign(values) for values in rows]
    assert parse_json(signed[0]) == sign_document(badges[0], SIGNER, created=SIGNED_AT)
    proof, theirs = parse_json(signed[0])["proof"], peer.signed["proof"]
    assert proof["proofValue"] == theirs["proofValue"], "the peer signs other bytes"
    jcs_signed = [jcs_batch.sign(values) for values in rows]
    jcs_documents = [parse_json(data) for data in jcs_signed]
    tokens = [sign_vc_jwt(document, SIGNER).encode() for document in badges]
    found = find_key(SIGNER.key_id, purpose="assertionMethod", now=NOW, fetcher=fetcher)

    def check_jcs(document: dict[str, Any]) -> None:
        (check,) = check_proofs(document, lambda _: found, now=NOW)
        assert check.verdict is Verdict.PASS

    def check_jwt(token: bytes) -> None:
        assert check_token(read_token(token), ISSUER, lambda _: found, None).verdict is Verdict.PASS

    suite, openvc_key, jwk = DataIntegrityProofSuite(), openvc_signing_key(), jwk_of(SIGNER)
    extra = {OPEN_BADGES: context_sets()[0].documents[OPEN_BADGES]}
    options = {"signing_key": openvc_key, "verification_method": SIGNER.key_id, "extra_contexts": extra}
    openvc_signed = [suite.add_proof(document, **options) for document in badges[:20]]

    message = bytes(64)
    secret = SEED + SIGNER.public_key
    signature = nacl.bindings.crypto_sign(message, secret)
    return {
        "raw.sign": sliced(lambda _: nacl.bindings.crypto_sign(message, secret), [None]),
        "raw.verify": sliced(lambda _: nacl.bindings.crypto_sign_open(signature, SIGNER.public_key), [None]),
        "batch.issue": sliced(batch.sign, rows),
        "dict.issue": sliced(lambda d: sign_to_bytes(d, SIGNER, created=SIGNED_AT), badges),
        "verify": whole(signed, fetcher),
        "unseen.ours": sliced(by_us, badges),
        "unseen.pyld": sliced(by_pyld, badges),
        "jcs.issue": sliced(jcs_batch.sign, rows),
        "jcs.verify": sliced(check_jcs, jcs_documents),
        "jcs.report": whole(jcs_signed, fetcher),
        "jwt.issue": sliced(lambda d: sign_vc_jwt(d, SIGNER), badges),
        "jwt.verify": sliced(check_jwt, tokens),
        "jwt.report": whole(tokens, fetcher),
        "openvc.issue": sliced(lambda d: suite.add_proof(d, **options), badges),
        "openvc.verify": sliced(lambda d: suite.verify(d, public_key_jwk=jwk, extra_contexts=extra), openvc_signed),
        "digitalbazaar.issue": lambda seconds: peer.rate("issue", 2 * seconds),
        "digitalbazaar.verify": lambda seconds: peer.rate("verify", 2 * seconds),
    }


def poisoned(size: int) -> bytes:
    """A signed badge with `size` unnamed parts, each related to each other one: naming them takes a factorial."""
    document = badge(1)
    nodes = [
        {
            "id": f"_:n{n}",
            "type": ["Achievement"],
            "name": "x",
            "description": "x",
            "criteria": {"id": "https://a.example/x"},
            "related": [{"id": f"_:n{m}", "type": ["Related"]} for m in range(size) if m != n],
        }
        for n in range(size)
    ]
    document["credentialSubject"]["achievement"]["related"] = nodes
    proof = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-rdfc-2022",
        "created": CREATED,
        "verificationMethod": SIGNER.key_id,
        "proofPurpose": "assertionMethod",
        "proofValue": "z" + "1" * 88,
    }
    return jcs({**document, "proof": proof})


def hostile_seconds(fetcher: Known) -> float:
    """The longest that a hostile badge takes to be refused, in CPU seconds: graphs whose parts are all alike."""
    worst = 0.0
    for size in (7, 8, 12):
        data = poisoned(size)
        begin = time.process_time()
        report = verify_credential(data, now=NOW, fetcher=fetcher)
        worst = max(worst, time.process_time() - begin)
        assert report.verdict is not Verdict.PASS
    return worst


def baking_ratio(image: bytes, seconds: float) -> float:
    """How many times as many credentials are baked into an image as Pillow writes into it, per CPU second."""
    credential = jcs(sign_document(badge(1), SIGNER, created=SIGNED_AT))

    def by_pillow(_: object) -> None:
        texts = PngImagePlugin.PngInfo()
        texts.add_itxt("openbadgecredential", credential.decode())
        with Image.open(io.BytesIO(image)) as opened:
            opened.save(io.BytesIO(), "PNG", pnginfo=texts)

    ours = sliced(lambda _: bake(image, credential), [None])
    theirs = sliced(by_pillow, [None])
    return statistics.median(ours(seconds) / theirs(seconds) for _ in range(3))


def badge_picture() -> bytes:
    """The image that guildmark draws for a badge."""
    return badge_png(badge_svg(title="Data Science Foundations", issuer_name="Example University"))


def photograph() -> bytes:
    """A picture that hardly compresses, 400 KB of it: there the checksum is most of the work."""
    picture = io.BytesIO()
    Image.effect_noise((400, 400), 60).convert("RGB").save(picture, "PNG")
    return picture.getvalue()


def main() -> None:
    quick = "--quick" in sys.argv
    rounds, seconds = (3, 0.25) if quick else (9, 0.8)
    badges = [badge(n) for n in range(200)]
    fetcher = Known()
    seen: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        peer = Peer(badges, Path(folder))
        with contextlib.closing(type("Stop", (), {"close": staticmethod(peer.stop)})()):
            run = contenders(badges, peer, fetcher)
            for call in run.values():  # warm: shapes are learned, JavaScript is compiled
                call(0.4)
            for _ in range(rounds):
                for name, call in run.items():
                    seen.setdefault(name, []).append(call(seconds))

    def ratio(name: str, other: str) -> float:
        return statistics.median(a / b for a, b in zip(seen[name], seen[other], strict=True))

    def rate(name: str) -> Figure:
        return Figure(f"credentials.{name}.per_second", statistics.median(seen[name]), "per CPU second")

    def against(name: str, other: str, floor: float | None) -> Figure:
        return Figure(f"credentials.{name}.vs_{other}", ratio(name, other), "ratio", floor)

    finish(
        [
            *(rate(name) for name in seen),
            against("batch.issue", "raw.sign", 0.35),
            against("batch.issue", "digitalbazaar.issue", 100),
            against("dict.issue", "raw.sign", 0.25),
            against("dict.issue", "digitalbazaar.issue", 80),
            against("dict.issue", "openvc.issue", 80),
            against("verify", "raw.verify", 0.38),
            against("verify", "digitalbazaar.verify", 50),
            against("verify", "openvc.verify", 50),
            against("unseen.ours", "unseen.pyld", 5.0),
            against("jcs.issue", "raw.sign", 0.5),
            against("jcs.verify", "raw.verify", 0.6),
            against("jcs.report", "raw.verify", None),
            against("jwt.issue", "raw.sign", 0.35),
            against("jwt.verify", "raw.verify", 0.5),
            against("jwt.report", "raw.verify", None),
            Figure("credentials.hostile.refusals_per_second", 1 / hostile_seconds(fetcher), "per CPU second", 20),
            Figure("credentials.bake.vs_pillow", baking_ratio(badge_picture(), seconds), "ratio", 1000),
            Figure("credentials.bake.photograph.vs_pillow", baking_ratio(photograph(), seconds), "ratio"),
            Figure("credentials.memory", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "MiB at most"),
        ],
        share=QUICK if quick else 1.0,
    )


if __name__ == "__main__":
    main()
