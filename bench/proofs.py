"""Issue and verify Open Badges 3.0 with eddsa-rdfc-2022: ours against openvc-core, and against the bare signature.

Both sign and check the same award document, contexts from memory, no network. openvc-core is an independent
implementation in Python; "raw" is one Ed25519 operation on 64 bytes, the physical limit. Compiled shapes are not built
yet: these figures say where we start.

    python3 dev.py bench proofs [--quick]
"""

from __future__ import annotations

import base64
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.unit.credential import award_cast as cast

from bench._run import Figure, finish, rates
from guildmark.core.report import Verdict
from guildmark.credential.jsonld import OPEN_BADGES, context_sets
from guildmark.credential.keys import PublicKey
from guildmark.credential.proof import check_proofs, sign_document
from guildmark.credential.resolve import FoundKey


def main() -> None:
    quick = "--quick" in sys.argv
    from openvc.keys import Ed25519SigningKey
    from openvc.proof.data_integrity import DataIntegrityProofSuite

    signer = cast.signer(cast.HARBOUR)
    # openvc-core refuses a credential that carries another one inside, so this award has no endorsement.
    document = cast.award(endorsements=())
    signed = sign_document(document, signer, created=cast.NOW)
    key = PublicKey(signer.key_id, "Ed25519", signer.public_key)
    found = FoundKey(key, cast.HARBOUR.id, Verdict.PASS, "")
    sets = context_sets()

    raw = Ed25519PrivateKey.generate()
    message = bytes(64)
    signature, raw_public = raw.sign(message), raw.public_key()

    suite = DataIntegrityProofSuite()
    peer_key = Ed25519SigningKey(raw, kid=signer.key_id)
    extra = {OPEN_BADGES: sets[0].documents[OPEN_BADGES]}
    jwk = {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": base64.urlsafe_b64encode(raw_public.public_bytes_raw()).rstrip(b"=").decode(),
    }
    options = {"signing_key": peer_key, "verification_method": signer.key_id, "extra_contexts": extra}
    peer_signed = suite.add_proof(document, **options)

    def ours_verify() -> None:
        (check,) = check_proofs(signed, lambda _: found, now=cast.NOW, sets=sets)
        assert check.verdict is Verdict.PASS

    measured = rates(
        {
            "ours issue": lambda: sign_document(document, signer, created=cast.NOW),
            "peer issue": lambda: suite.add_proof(document, **options),
            "ours verify": ours_verify,
            "peer verify": lambda: suite.verify(peer_signed, public_key_jwk=jwk, extra_contexts=extra),
            "raw sign": lambda: raw.sign(message),
            "raw verify": lambda: raw_public.verify(signature, message),
        },
        rounds=3 if quick else 9,
        slice_seconds=0.6 if quick else 1.5,
    )
    finish(
        [
            Figure("proofs.issue.per_second", measured["ours issue"], "credentials per CPU second"),
            Figure("proofs.verify.per_second", measured["ours verify"], "credentials per CPU second"),
            Figure("proofs.issue.vs_openvc", measured["ours issue"] / measured["peer issue"], "ratio", 1.0),
            Figure("proofs.verify.vs_openvc", measured["ours verify"] / measured["peer verify"], "ratio", 1.0),
            Figure("proofs.issue.vs_raw", measured["ours issue"] / measured["raw sign"], "ratio"),
            Figure("proofs.verify.vs_raw", measured["ours verify"] / measured["raw verify"], "ratio"),
        ]
    )


if __name__ == "__main__":
    main()
