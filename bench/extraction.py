"""Skills in the text of job ads: how many ads a second, and how much a lexical extractor finds at all.

Framework: ESCO 1.1.1, some 100,000 labels. Speed is measured on SkillSpan's training ads against the plain way, which
looks for each label in the text and checks that it stands between word boundaries; both run in the same process, in
turns. Quality is measured on the validation halves of the TECH and HOUSE sentences (ESCO 1.1.0 labels by hand): labels
found in a sentence against labels given to it, counted over all sentences. Spans that the annotators found no ESCO
label for count nowhere; what is found in a sentence without labels counts as wrong. Nothing was fitted to these
sentences, the floors say what was measured when this was written, and the test halves are not read.

    python3 dev.py bench extraction [--quick]
"""

from __future__ import annotations

import csv
import io
import os
import re
import sys
import time
from collections.abc import Callable, Collection
from pathlib import Path

from bench._run import Figure, finish, rates
from guildmark.skills.ads import JobAd, read_ads
from guildmark.skills.extract import Extractor
from guildmark.skills.files import read_text
from guildmark.skills.framework import Framework
from guildmark.skills.load import load_framework

_HERE = Path(__file__).resolve().parent.parent
_DATA = Path(os.environ.get("GUILDMARK_DATA", _HERE.parent / "shared" / "data"))
_FOLDERS = ("esco-1.1.1", "train-skillspan", "dev-skill-extraction")
_NO_LABEL = frozenset(["LABEL NOT PRESENT", "UNDERSPECIFIED"])


def main() -> None:
    quick = "--quick" in sys.argv
    absent = [name for name in _FOLDERS if not (_DATA / name).exists()]
    if absent:
        print(f"extraction: {absent[0]} is not in the data folder; set GUILDMARK_DATA.", file=sys.stderr)
        sys.exit(2)
    framework = load_framework(_DATA / "esco-1.1.1").framework
    began = time.process_time()
    extractor = Extractor(framework)
    figures = [Figure("build the extractor for ESCO, per CPU second", 1 / (time.process_time() - began), "1/s")]

    ads = read_ads(_DATA / "train-skillspan" / "train.json.gz").ads
    few = ads[:2] if quick else ads[:8]
    plain = _plain(framework)
    measured = rates(
        {
            "ours": lambda: [extractor.mentions(ad) for ad in few],
            "plain": lambda: [plain(ad.text) for ad in few],
        },
        rounds=3 if quick else 7,
        slice_seconds=0.5 if quick else 2,
    )
    began = time.process_time()
    for ad in ads:
        extractor.mentions(ad)
    spent = time.process_time() - began
    figures += [
        Figure("ads", len(ads) / spent, "ads/s"),
        Figure("text", sum(len(ad.text) for ad in ads) / spent / 1e6, "million characters/s"),
        Figure("speed over looking for each label", measured["ours"] / measured["plain"], "times", 50),
    ]

    def ours(text: str) -> set[str]:
        return {m.label for m in extractor.mentions(JobAd("", "", "", text))}

    floors = {"tech": FLOORS_TECH, "house": FLOORS_HOUSE}
    for name, (precision, recall) in floors.items():
        gold = _sentences(_DATA / "dev-skill-extraction" / f"{name}_validation_annotations.csv")
        for who, find, floor in (("ours", ours, (precision, recall)), ("plain search", plain, (None, None))):
            found, right, given = _count(find, gold)
            figures += [
                Figure(f"{name} {who}: precision", right / found, "of what is found", floor[0]),
                Figure(f"{name} {who}: recall", right / given, "of what is given", floor[1]),
                Figure(f"{name} {who}: F1", 2 * right / (found + given), ""),
            ]
    finish(figures)


FLOORS_TECH, FLOORS_HOUSE = (0.63, 0.28), (0.56, 0.24)
"""Precision and recall, rounded down from what was measured."""


def _plain(framework: Framework) -> Callable[[str], set[str]]:
    """Every label searched for on its own, without regard to case, between word boundaries."""
    labels = [
        (label.lower(), skill.label)
        for skill in framework.skills.values()
        for label in (skill.label, *skill.alt_labels)
    ]

    def find(text: str) -> set[str]:
        lowered = text.lower()
        return {
            preferred
            for label, preferred in labels
            if label in lowered and re.search(rf"(?<!\w){re.escape(label)}(?!\w)", lowered)
        }

    return find


def _sentences(path: Path) -> dict[str, set[str]]:
    """Each sentence with the labels that people gave to it."""
    gold: dict[str, set[str]] = {}
    for row in csv.DictReader(io.StringIO(read_text(path), newline="")):
        gold.setdefault(row["sentence"], set()).update({row["label"]} - _NO_LABEL)
    return gold


def _count(find: Callable[[str], Collection[str]], gold: dict[str, set[str]]) -> tuple[int, int, int]:
    found = right = given = 0
    for sentence, labels in gold.items():
        mine = set(find(sentence))
        found, right, given = found + len(mine), right + len(mine & labels), given + len(labels)
    return found, right, given


if __name__ == "__main__":
    main()
