"""What the site says, collected from its source, and the .po files that say it in other languages.

`python3 dev.py messages` brings the .po files up to date and prints what is missing. It needs no gettext: templates are
read by Django's `templatize`, Python by Babel. `tests/test_languages.py` fails while anything is missing.

Besides marked strings it collects, under the context "sentence", what rooms and services say in English: the text of
errors, hints and findings, with a numbered gap for each value (see `web/sentences.py`), and what the pages and e-mails
of allauth say, which our catalogs say in our words: in English too, where `en` holds only what differs.
"""

from __future__ import annotations

import ast
import importlib.resources
import io
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from guildmark.credential.status import REASONS
from tests.paths import PROJECT as ROOT

APP = ROOT / "src" / "guildmark" / "app"
LOCALE = APP / "locale"
LANGUAGES = ("de", "es")
ENGLISH = "en"
"""The source; its catalog holds only what allauth says in other words than ours."""
CONTEXT = "sentence"
KEYWORDS = {
    "_": None,
    "say": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}

SPEAKERS = (
    "app/access.py", "app/work_files.py", "app/services", "app/queries", "app/web",
    "adapters/fetch.py", "adapters/qr.py", "credential/verify.py", "credential/signed.py", "credential/read_status.py",
    "credential/proof.py", "credential/envelope.py", "credential/jose.py", "credential/sd_jwt.py",
    "credential/open_badge_2.py", "credential/schema.py", "credential/integrity.py", "credential/resolve.py",
    "credential/refresh.py", "credential/replacement.py", "credential/bake.py",
)  # fmt: skip
"""Whose sentences a person reads on a page and finds translated. The others' stay English, and say so."""

SILENT = (
    "app/services/recovery.py", "app/services/ledger.py", "app/services/erasure.py", "app/services/publish.py",
    "app/services/apps.py", "app/services/backpack.py", "app/services/vc_issuer.py", "app/services/bulk_rows.py",
)  # fmt: skip
"""Services of the command line and of programs alone, which speak English."""

UNHEARD = {
    "credential/bake.py": {"bake", "_bake_svg", "_already"},
    "credential/envelope.py": {"same_content", "_same"},
    "credential/jose.py": {"write_json", "sign_vc_jwt", "claims_of", "sign_jws"},
    "credential/open_badge_2.py": {"upgrade", "_original"},
    "credential/proof.py": {"add_proof", "proof_options"},
    "credential/replacement.py": {"replacement_evidence"},
    "credential/resolve.py": {"place_of"},
    "credential/schema.py": {"shipped_schemas"},
    "credential/sd_jwt.py": {"sign_sd_jwt", "present_sd_jwt", "_refuse_reserved", "_path", "_place"},
}
"""File -> functions in it that only programs call, to sign and to bake: they speak English too."""

JOINED = (
    "{0}: it holds.",
    "It has everything that {0} needs.",
    "It is not made the way {0} must be: {1}.",
    "It is not made the way {0} must be: {1} (and {2} more).",
    "It has everything that {0} needs, though not quite as the standard writes it: {1}.",
    "It has everything that {0} needs, though not quite as the standard writes it: {1} (and {2} more).",
    "It is neither an Open Badge nor a transcript; whether it is complete cannot be told here.",
    "It is not made the way an Open Badge of version 2 must be: {0}.",
    "It is not made the way an Open Badge of version 2 must be: {0} (and {1} more).",
    "It is a readable document.",
    "It is a readable document, taken out of a PNG image.",
    "It is a readable document, taken out of an SVG image.",
    "It is a readable token.",
    "It is a readable token, taken out of a PNG image.",
    "It is a readable token, taken out of an SVG image.",
    "The document at {0} is the one that was signed.",
    "The document at {0} was changed after this was signed.",
    "The document it holds itself is the one that was signed.",
    "The document it holds itself was changed after this was signed.",
    "The document that it holds itself cannot be read: {0}.",
    "A document that it links to is out of reach. {0}",
    "It links to a document without a digest that can be checked here.",
    "The evidence at {0} is the one that was signed.",
    "The evidence at {0} was changed after this was signed.",
    "The evidence it holds itself is the one that was signed.",
    "The evidence it holds itself was changed after this was signed.",
    "The evidence that it holds itself cannot be read: {0}.",
    "Evidence that it links to is out of reach. {0}",
    "It links to evidence without a digest that can be checked here.",
    "Valid from {0} until {1}.",
    "Valid until {0}.",
    "Valid from {0}, without an end.",
    "Valid, without an end.",
    "Expired on {0}.",
    "The key belongs to {0}, not to the issuer, {1}.",
    "The signature holds, but the key belongs to {0}, not to the issuer, {1}.",
    "The key is not known to belong to the issuer, {0}. {1}",
    "The signature holds, but the key is not known to belong to the issuer, {0}. {1}",
    "The key is the issuer's, {0}: it is listed at {1}.",
    "The key is the issuer's, {0}, which calls itself {1}: it is listed at {2}.",
    "The key is the issuer's, {0}; who holds that key, it does not say.",
    "The key is the issuer's, {0}, which calls itself {1}; who holds that key, it does not say.",
    "The credential itself (Open Badges 3.0, JSON)",
    "Part of it is not covered by the signature: {0}.",
    "Part of it is not covered by any signature: {0}.",
    "Neither revoked nor suspended, says the list of {0}.",
    "Not revoked, says the list of {0}.",
    "Not suspended, says the list of {0}.",
    "Neither revoked nor suspended, says the list of {0} of {1}.",
    "Not suspended, says the list of {0} of {1}.",
    "Suspended, says the list of {0}.",
    "Suspended, says the list of {0} of {1}.",
    "Revoked: {0} So says the list of {1} of {2}.",
    "Suspended: {0} So says the list of {1} of {2}.",
    "Revoked: {0} So says the list of {1}.",
    "Suspended: {0} So says the list of {1}.",
    "an Open Badge",
    "an endorsement",
    "a transcript",
    "the achievement",
    "this credential",
    "its issuer",
    "Marks are missing: {0}.",
    "{0} has {1} mark, {2} are needed",
    "marks for {0} are {1} points apart, the rule allows {2}",
    "marks for {0} are evenly split over the pass level {1}",
    "and {0} more",
    "Nothing was marked by two markers, so there is no agreement to speak of.",
    "{0} has {1} marks, {2} are needed",
    "{0} criterion marked by at least {1} markers each.",
    "{0} criteria marked by at least {1} markers each.",
    "Another marker is needed, who has not seen these marks: {0}.",
    "Where two or more have marked, they agree within what the rule allows.",
    "Nothing has been marked often enough to compare.",
    "Nobody has marked yet.",
    "Nobody marked or decided on their own work.",
    "The learner has marked or decided on their own work.",
    "Achieved: {0}",
    "Not achieved: {0}",
    "Not achieved, which the rule allows: {0}",
    "Not decided until all marks are settled: {0}",
    "Cannot tell, no criterion shows it: {0}",
    "So far {0} % of the weighted points, {1} % are needed; not decided until all marks are settled.",
    "{0} % of the weighted points, {1} % are needed.",
)
"""Sentences that rooms put together from pieces, as they come out, and what stands in their gaps."""


@dataclass(frozen=True)
class Said:
    """One text to translate."""

    id: str | tuple[str, str]
    context: str | None
    where: str
    line: int


TEMPLATES = APP / "web" / "templates"


def _templates() -> Iterator[Path]:
    yield from sorted(p for p in TEMPLATES.rglob("*") if p.suffix in (".html", ".txt"))


def _sources() -> Iterator[Path]:
    yield from sorted(p for p in APP.rglob("*.py") if not {"migrations", "formats"} & set(p.parts))


def _from_python(code: str, where: str) -> Iterator[Said]:
    for line, function, messages, _comments in extract_python(
        io.BytesIO(code.encode()), tuple(KEYWORDS), [], {"encoding": "utf-8"}
    ):
        context, texts = None, messages if isinstance(messages, tuple) else (messages,)
        if function.lstrip("n").startswith("pgettext"):
            context, *texts = texts
        wanted = 2 if "ngettext" in function or "npgettext" in function else 1
        texts = tuple(texts)[:wanted]
        if all(isinstance(t, str) and t for t in texts):
            yield Said(texts if wanted == 2 else texts[0], context, where, line)


def _from_template(text: str, where: str) -> Iterator[Said]:
    """A page is indented as its elements stand, which to Babel would be a mistake."""
    yield from _from_python(re.sub(r"(?m)^[ \t]+", "", templatize(text, origin=where)), where)


def marked() -> Iterator[Said]:
    """Every string that our templates and Python files mark as shown to a reader."""
    for path in _templates():
        where = str(path.relative_to(ROOT))
        yield from _from_template(path.read_text("utf-8"), where)
    for path in _sources():
        yield from _from_python(path.read_text("utf-8"), str(path.relative_to(ROOT)))


ALLAUTH = (
    "account/adapter.py", "account/fields.py", "account/forms.py",
    "mfa/adapter.py", "mfa/base/forms.py", "mfa/totp/forms.py", "mfa/webauthn/forms.py", "socialaccount/adapter.py",
    "templates/account", "templates/mfa", "templates/socialaccount",
)  # fmt: skip
"""Where allauth says what a person reads here."""

NOT_ASKED_FOR = re.compile(r"phone|username", re.IGNORECASE)
NOT_SHOWN = (
    "account/email_change.html", "account/phone_change.html", "account/verified_email_required.html", "mfa/trust.html",
)  # fmt: skip
"""What allauth can say but this site never lets it: accounts here have no telephone number and no user name."""


def borrowed() -> Iterator[Said]:
    """What allauth says on its pages and in its e-mails, as far as this site shows them."""
    root = Path(str(importlib.resources.files("allauth")))
    for name in ALLAUTH:
        for path in sorted((root / name).rglob("*")) if (root / name).is_dir() else [root / name]:
            ours = str(path.relative_to(root)).removeprefix("templates/")
            if path.suffix not in (".html", ".txt", ".py") or ours in NOT_SHOWN or (TEMPLATES / ours).exists():
                continue
            read = _from_python if path.suffix == ".py" else _from_template
            for said in read(path.read_text("utf-8"), f"allauth/{ours}"):
                if not NOT_ASKED_FOR.search(str(said.id)):
                    yield said


def reasons() -> Iterator[Said]:
    """Why a status was changed: said in e-mails and on pages, and in the sentence about a credential's status."""
    for of_state in REASONS.values():
        for says in of_state.values():
            for context in (None, CONTEXT):
                yield Said(says, context, "src/guildmark/credential/status.py", 0)


def sentence_of(node: ast.AST) -> str | None:
    """A string, or an f-string with `{0}`, `{1}` ... for its values; the same value has the same number."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        seen: dict[str, int] = {}
        parts = []
        for value in node.values:
            if isinstance(value, ast.Constant):
                parts.append(str(value.value))
            else:
                parts.append(f"{{{seen.setdefault(ast.unparse(value), len(seen))}}}")
        return "".join(parts)
    return None


_GAPS = re.compile(r"\{\d+\}")
_NEVER = ("source", "help_text", "related_name", "media_type", "content_type", "regex", "attrs", "verb")


def _reads_like_a_sentence(text: str) -> bool:
    """At least three words with spaces between, and nothing of a program: no header, no pattern, no standard's name."""
    words = [w for w in _GAPS.sub("", text).split() if re.fullmatch(r"[(“]?[A-Za-z’'-]+[,.;:?!)”]*", w)]
    return len(words) >= 3 and text.isprintable() and not _PROGRAM.search(text)


_PROGRAM = re.compile(
    r"[\\^|=<>]|\{[a-z]|://|; charset|-src |^[A-Z]{2,} |^'| [0-9]\.[0-9](\.[0-9])?( [A-Z][^.]*|, [^.]*)?$"
)


def spoken() -> Iterator[Said]:
    """Every sentence of an error, its hint or a finding, in the files that speak to a person."""
    yield from (Said(text, CONTEXT, "src/guildmark/credential", 0) for text in JOINED)
    for name in SPEAKERS:
        folder = ROOT / "src" / "guildmark" / name
        for path in sorted(folder.rglob("*.py")) if folder.is_dir() else [folder]:
            where = str(path.relative_to(ROOT))
            if where.removeprefix("src/guildmark/") in SILENT or "formats" in path.parts:
                continue
            tree = ast.parse(path.read_text("utf-8"))
            unheard = UNHEARD.get(where.removeprefix("src/guildmark/"), set())
            functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
            assert unheard <= set(functions), where
            tree.body = [node for node in tree.body if getattr(node, "name", "") not in unheard]
            yield from (Said(t, CONTEXT, where, line) for t, line in _sentences(tree))


def _sentences(tree: ast.AST) -> Iterator[tuple[str, int]]:
    unsaid: set[int] = set()

    def hide(node: ast.AST) -> None:
        unsaid.update(id(inner) for inner in ast.walk(node))

    errors: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            hide(node)  # a docstring
        elif isinstance(node, ast.keyword) and node.arg in _NEVER:
            hide(node)
        elif isinstance(node, ast.JoinedStr):
            for part in node.values:
                hide(part)
        elif isinstance(node, ast.Assert | ast.Subscript | ast.Compare | ast.Set) or (
            isinstance(node, ast.Call)
            and (
                getattr(node.func, "id", "") in (*KEYWORDS, "_n")
                or ast.unparse(node.func).startswith(
                    ("re.", "forms.", "models.", "cursor.", "AssertionError", "ValueError")
                )
            )
        ):
            hide(node)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in _ERRORS:
            errors.update(id(inner) for inner in [*node.args, *(k.value for k in node.keywords)])
    for node in ast.walk(tree):
        if id(node) in unsaid or (text := sentence_of(node)) is None:
            continue
        if _reads_like_a_sentence(text) or (id(node) in errors and re.search(r"[a-z]{2} [a-z{]", text)):
            yield text, node.lineno


_ERRORS = ("BrokenInput", "NotAllowed", "OutsideFailure", "Finding", "PermissionDenied", "Http404")


# --- The catalogs ---

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def wanted() -> Catalog:
    """Everything there is to translate, each with the files that say it."""
    catalog = Catalog(project="guildmark", charset="utf-8", fuzzy=False)
    for said in [*marked(), *borrowed(), *reasons(), *spoken()]:
        flags = {"python-format"} if "%(" in str(said.id) or re.search(r"%[sd]", str(said.id)) else set()
        catalog.add(said.id, locations=[(said.where, None)], context=said.context, flags=flags)
    return catalog


def file_of(language: str, kind: str = "po") -> Path:
    return LOCALE / language / "LC_MESSAGES" / f"django.{kind}"


def held(language: str) -> Catalog:
    """What is translated so far."""
    path = file_of(language)
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def compiled(catalog: Catalog) -> bytes:
    """The .mo file of a catalog; what is fuzzy or empty is left out."""
    catalog.creation_date = catalog.revision_date = EPOCH  # the same file from the same words, whenever it is made
    out = io.BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def _key(message: Message) -> tuple[str, str]:
    text = message.id if isinstance(message.id, str) else message.id[0]
    return (message.context or "", text)


def _is_plural(text: object) -> bool:
    return isinstance(text, list | tuple)


def is_there(message: Message | None) -> bool:
    """Whether the message is translated in every form that the language has."""
    if message is None or message.fuzzy:
        return False
    forms = message.string if isinstance(message.string, list | tuple) else [message.string]
    return all(forms)


def gaps(language: str) -> list[Message]:
    """What has no translation in the language, or one that nobody has confirmed."""
    have = {_key(m): m for m in held(language) if m.id}
    return [m for m in wanted() if m.id and not is_there(have.get(_key(m)))]


def update(language: str) -> Catalog:
    """The .po and .mo files hold exactly what is said now; translations of what is said no more are dropped."""
    have = {_key(m): m for m in held(language) if m.id}
    new = Catalog(
        locale=language, project="guildmark", charset="utf-8", fuzzy=False, creation_date=EPOCH, revision_date=EPOCH
    )
    for message in sorted((m for m in wanted() if m.id), key=_key):
        old = have.get(_key(message))
        if language == ENGLISH and not is_there(old):
            continue  # said as it stands in the source
        string = old.string if old is not None and _is_plural(old.id) == _is_plural(message.id) else None
        places = sorted({place for place, _line in message.locations})
        new.add(message.id, string, locations=[(p, None) for p in places], flags=message.flags, context=message.context)
    out = io.BytesIO()
    write_po(out, new, width=0, include_lineno=False)
    path = file_of(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Said once by the header of the folder, and not by a date that differs with each run.
    text = "\n".join(line for line in out.getvalue().decode().split("\n") if not line.startswith(_DATED))
    path.write_text(text, "utf-8")
    file_of(language, "mo").write_bytes(compiled(held(language)))
    return new


_DATED = (
    "# FIRST AUTHOR",
    '"POT-Creation-Date',
    '"PO-Revision-Date',
    '"Last-Translator',
    '"Generated-By',
    '"Report-Msg',
)


def main() -> int:
    """Brings the files up to date and prints what each language still lacks."""
    missing = 0
    update(ENGLISH)
    for language in LANGUAGES:
        update(language)
        lacks = gaps(language)
        missing += len(lacks)
        print(f"{language}: {len(lacks)} missing")
        for message in lacks:
            where = ", ".join(sorted({place for place, _ in message.locations}))
            context = f" ({message.context})" if message.context else ""
            print(f"  {message.id!r}{context}  {where}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
