"""Keys that never leave a module: SoftHSM makes them and signs, and what it signed holds by its public half."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from guildmark.adapters.pkcs11 import Pkcs11Signer
from guildmark.core.codecs import jcs
from guildmark.core.errors import BrokenInput, OutsideFailure
from guildmark.core.report import Verdict
from guildmark.credential.did import did_document
from guildmark.credential.keys import signature_holds
from guildmark.credential.proof import sign_document
from guildmark.credential.verify import verify_credential
from tests.interop.peers import absent
from tests.unit.credential.award_cast import BASE, HARBOUR, NOW, award, web
from tests.unit.credential.award_cast import signer as software_signer

LIBRARIES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)
TOKEN, PIN = "issuer", "271828"
KINDS = ("Ed25519", "P-256", "P-384", "RSA")
DID_DOCUMENT = f"{BASE}/{HARBOUR.id.removeprefix('did:web:demo.guildmark.example:').replace(':', '/')}/did.json"


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> str:
    """SoftHSM with a token of its own, in which a pair of each kind lies under the name of its kind."""
    found = next((path for path in LIBRARIES if Path(path).exists()), None)
    if found is None or shutil.which("softhsm2-util") is None:
        absent("SoftHSM is not installed: apt install softhsm2")
    if importlib.util.find_spec("pkcs11") is None:
        absent("python-pkcs11 is not installed")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    command = ["softhsm2-util", "--init-token", "--free", "--label", TOKEN, "--pin", PIN, "--so-pin", "314159"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    # The library reads its configuration once in a process, so the keys are made in another one.
    subprocess.run([sys.executable, "-c", _MAKE, found, TOKEN, PIN], check=True, capture_output=True, timeout=120)
    yield found
    if before is None:
        del os.environ["SOFTHSM2_CONF"]
    else:
        os.environ["SOFTHSM2_CONF"] = before


_MAKE = """
import sys, pkcs11
from pkcs11.util.ec import encode_named_curve_parameters
library, token, pin = sys.argv[1:]
with pkcs11.lib(library).get_token(token_label=token).open(rw=True, user_pin=pin) as session:
    curves = {
        "Ed25519": (pkcs11.KeyType.EC_EDWARDS, b"\\x13\\x0cedwards25519"),
        "P-256": (pkcs11.KeyType.EC, encode_named_curve_parameters("secp256r1")),
        "P-384": (pkcs11.KeyType.EC, encode_named_curve_parameters("secp384r1")),
        "other": (pkcs11.KeyType.EC, encode_named_curve_parameters("secp521r1")),
    }
    for label, (kind, parameters) in curves.items():
        made = session.create_domain_parameters(kind, {pkcs11.Attribute.EC_PARAMS: parameters}, local=True)
        mechanism = pkcs11.Mechanism.EC_EDWARDS_KEY_PAIR_GEN if kind == pkcs11.KeyType.EC_EDWARDS else None
        made.generate_keypair(store=True, label=label, mechanism=mechanism)
    session.generate_keypair(pkcs11.KeyType.RSA, 2048, store=True, label="RSA")
"""


def held(library, label, key_id=f"{HARBOUR.id}#key-1", **changes):
    return Pkcs11Signer(library, **{"token": TOKEN, "label": label, "pin": PIN, "key_id": key_id, **changes})


@pytest.mark.parametrize("kind", KINDS)
def test_a_signature_made_in_the_module_holds_by_its_public_key(library, kind):
    with held(library, kind) as signer:
        assert signer.algorithm == kind
        for message in (b"", b"message", bytes(100_000)):
            signature = signer.sign(message)
            assert signature_holds(signer, message, signature)
            assert not signature_holds(signer, message + b"x", signature)


@pytest.mark.parametrize(
    ("kind", "suite"), [("Ed25519", "eddsa-rdfc-2022"), ("P-256", "ecdsa-rdfc-2019"), ("P-384", "ecdsa-rdfc-2019")]
)
def test_a_credential_signed_in_the_module_verifies_under_the_document_of_its_issuer(library, kind, suite):
    with held(library, kind, f"{HARBOUR.id}#in-the-module") as signer:
        document = sign_document(award(), signer, created=NOW, cryptosuite=suite)
        place = web()
        place.documents[DID_DOCUMENT] = jcs(did_document(HARBOUR.id, [signer, software_signer(HARBOUR)]))
        report = verify_credential(jcs(document), now=NOW, fetcher=place)
    assert document["proof"]["verificationMethod"].endswith("#in-the-module")
    assert report.verdict is Verdict.PASS, report.failed() or report.unknown()


def test_the_private_key_does_not_come_out(library):
    import pkcs11

    with held(library, "Ed25519") as signer:
        assert signer._private[pkcs11.Attribute.SENSITIVE] is True
        with pytest.raises(pkcs11.PKCS11Error):
            signer._private[pkcs11.Attribute.VALUE]


@pytest.mark.parametrize(
    ("changes", "kind", "says"),
    [
        ({"pin": "000000"}, OutsideFailure, "does not take this PIN; check GUILDMARK_PKCS11_PIN"),
        ({"pin": ""}, BrokenInput, "the PIN is empty; set GUILDMARK_PKCS11_PIN"),
        ({"token": "nobody"}, BrokenInput, "has no token named 'nobody'"),
        ({"label": "nothing"}, BrokenInput, "has no key pair named 'nothing'"),
        ({"label": "other"}, BrokenInput, "of a kind that is not known here"),
        ({"key_id": "key-1"}, BrokenInput, "is not an absolute URL"),
    ],
)
def test_what_is_not_in_the_module_is_one_sentence(library, changes, kind, says):
    with pytest.raises(kind, match=says) as refused:
        held(library, **{"label": "Ed25519", **changes})
    assert "\n" not in str(refused.value)
    assert PIN not in str(refused.value)


def test_a_file_that_is_no_module_is_one_sentence(library, tmp_path):
    (tmp_path / "x.so").write_bytes(b"x")
    for path in (tmp_path / "x.so", tmp_path / "none.so"):
        with pytest.raises(BrokenInput, match=r"cannot be used as a PKCS #11 module"):
            held(str(path), "Ed25519")


def test_a_signer_does_not_show_its_pin(library):
    with held(library, "P-256") as signer:
        assert PIN not in repr(signer)
