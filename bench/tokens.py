"""Issue and verify tokens: ours against the libraries from PyPI, and against the bare signature.

All sign and check the same award of 4 to 5 KB with keys from memory. Ours makes the claims and compares each with the
credential; the peers sign and check what they are given (openvc-core: under `vc`, as it wants it). "raw" is one
operation of the same key on 64 bytes, the physical limit; over 6 KB Ed25519 signs at less than half that rate.

    python3 dev.py bench tokens [--quick]
"""

from __future__ import annotations

import copy
import sys
import warnings
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric import ed25519
from tests.unit.credential import token_cast as cast

from bench._run import QUICK, Figure, finish, rates
from guildmark.core.report import Verdict
from guildmark.credential.jose import check_token, claims_of, content_of, read_token, sign_vc_jwt, time_problem
from guildmark.credential.keys import jwk_of, signature_holds
from guildmark.credential.sd_jwt import TYPES, content_of_sd_jwt, read_sd_jwt, sign_sd_jwt

HIDE = ("/name", "/evidence", "/awardedDate")


def document() -> dict[str, Any]:
    """An award with one result and without endorsements, some 4.5 KB."""
    made = copy.deepcopy(cast.award(endorsements=[]))
    subject = made["credentialSubject"]
    for holder, name in ((subject, "result"), (subject["achievement"], "resultDescription")):
        holder[name] = holder[name][:1]
    subject["achievement"]["alignment"] = subject["achievement"]["alignment"][:2]
    subject["achievement"]["criteria"]["narrative"] = subject["achievement"]["criteria"]["narrative"][:400]
    return made


def main() -> None:
    quick = "--quick" in sys.argv
    warnings.simplefilter("ignore")  # joserfc would rather have the name of RFC 9864
    import jwt as pyjwt
    from joserfc import jwk as joserfc_jwk
    from joserfc import jwt as joserfc_jwt
    from openvc.keys import Ed25519SigningKey
    from openvc.proof.sd_jwt import SdJwtVcProofSuite
    from openvc.proof.vc_jwt import VcJwtProofSuite

    award, signer, rsa = document(), cast.signer("Ed25519"), cast.signer("RSA")
    assert 4000 < len(orjson.dumps(award)) < 5000
    found, message = cast.found(signer), bytes(64)
    signature = signer.sign(message)
    key = ed25519.Ed25519PrivateKey.from_private_bytes(signer.private_key)
    header = {"alg": "EdDSA", "kid": signer.key_id, "typ": "JWT"}
    payload = {**award, **claims_of(award)}
    ours = sign_vc_jwt(award, signer)

    def verify() -> None:
        token = read_token(ours)
        content = content_of(token, strict=True)
        assert not content.wrong
        assert not time_problem(content, token.claims, cast.LATER)
        check = check_token(token, cast.HARBOUR.id, lambda _: found)
        assert check.verdict is Verdict.PASS

    joserfc_key = joserfc_jwk.import_key(jwk_of(signer))
    openvc_key = Ed25519SigningKey(key, kid=signer.key_id)
    openvc, openvc_sd = VcJwtProofSuite(), SdJwtVcProofSuite()
    openvc_token = openvc.sign(award, signing_key=openvc_key)
    claims = {**award, "iss": cast.HARBOUR.id}
    names = [place[1:] for place in HIDE]
    fixed = bytes(32)
    sd = sign_sd_jwt(award, signer, hide=HIDE, randomness=lambda n: fixed[:n], vct="https://a.example/badge")

    def issue_sd() -> str:
        return sign_sd_jwt(award, signer, hide=HIDE, randomness=lambda n: fixed[:n], vct="https://a.example/badge")

    def verify_sd() -> None:
        got = read_sd_jwt(sd)
        assert not got.trouble
        assert not content_of_sd_jwt(got).wrong
        assert check_token(got.token, cast.HARBOUR.id, lambda _: found, types=TYPES).verdict is Verdict.PASS

    measured = rates(
        {
            "issue": lambda: sign_vc_jwt(award, signer),
            "verify": verify,
            "PyJWT issue": lambda: pyjwt.encode(payload, key, algorithm="EdDSA", headers=header),
            "joserfc verify": lambda: joserfc_jwt.decode(ours, joserfc_key, algorithms=["EdDSA"]),
            "PyJWT verify": lambda: pyjwt.decode(ours, key.public_key(), algorithms=["EdDSA"]),
            "openvc verify": lambda: openvc.verify(openvc_token, public_key_jwk=jwk_of(signer), check_temporal=False),
            "sd issue": issue_sd,
            "sd verify": verify_sd,
            "openvc sd issue": lambda: openvc_sd.issue(
                claims, signing_key=openvc_key, disclosable=names, vct="https://a.example/badge"
            ),
            "rsa issue": lambda: sign_vc_jwt(award, rsa),
            "raw sign": lambda: signer.sign(message),
            "raw verify": lambda: signature_holds(signer, message, signature),
            "raw rsa": lambda: rsa.sign(message),
        },
        rounds=3 if quick else 9,
        slice_seconds=0.4 if quick else 1.0,
    )
    best_verify = max(measured["joserfc verify"], measured["PyJWT verify"], measured["openvc verify"])
    finish(
        [
            Figure("tokens.vc_jwt.issue.per_second", measured["issue"], "credentials per CPU second"),
            Figure("tokens.vc_jwt.verify.per_second", measured["verify"], "credentials per CPU second"),
            Figure("tokens.vc_jwt.issue.vs_raw", measured["issue"] / measured["raw sign"], "ratio", 0.35),
            Figure("tokens.vc_jwt.verify.vs_raw", measured["verify"] / measured["raw verify"], "ratio", 0.5),
            Figure("tokens.vc_jwt.issue.vs_pyjwt", measured["issue"] / measured["PyJWT issue"], "ratio", 1.4),
            Figure("tokens.vc_jwt.verify.vs_best_peer", measured["verify"] / best_verify, "ratio", 1.4),
            Figure("tokens.vc_jwt.rs256_issue.vs_raw", measured["rsa issue"] / measured["raw rsa"], "ratio", 0.9),
            Figure("tokens.sd_jwt.issue.vs_raw", measured["sd issue"] / measured["raw sign"], "ratio"),
            Figure("tokens.sd_jwt.issue.vs_openvc", measured["sd issue"] / measured["openvc sd issue"], "ratio", 1.8),
            Figure("tokens.sd_jwt.verify.vs_raw", measured["sd verify"] / measured["raw verify"], "ratio"),
        ],
        share=QUICK if quick else 1.0,
    )


if __name__ == "__main__":
    main()
