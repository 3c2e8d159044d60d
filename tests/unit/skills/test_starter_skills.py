"""The small framework and the few ads that come with guildmark: our own words, others' codes as facts."""

from __future__ import annotations

import csv
import io
import json
from importlib.resources import files

from tests.paths import data

from guildmark.skills.ads import OWN_SOURCE, builtin_ads
from guildmark.skills.demand import measure_demand
from guildmark.skills.extract import Extractor
from guildmark.skills.files import read_text
from guildmark.skills.load import builtin_framework, load_framework


def test_every_starter_skill_has_its_own_uri_label_and_description():
    text = (files("guildmark.skills") / "data" / "guildmark-skills.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    skills = builtin_framework().skills.values()
    assert len(rows) == len(skills) >= 150
    assert len({s.label.casefold() for s in skills}) == len(skills)
    assert all(s.description.endswith(".") and s.kind in {"skill", "knowledge", "tool", "language"} for s in skills)


def test_no_two_starter_skills_claim_the_same_words():
    owners = {}
    for skill in builtin_framework().skills.values():
        for label in (skill.label, *skill.alt_labels):
            assert owners.setdefault(label.casefold(), skill.label) == skill.label


def test_every_label_of_the_starter_skills_can_be_found():
    assert Extractor(builtin_framework()).unusable == ()


def test_every_esco_code_of_the_starter_skills_is_one_of_esco_and_a_knowledge_is_never_called_a_skill_there():
    esco = load_framework(data("esco-1.1.1")).framework
    for skill in builtin_framework().skills.values():
        assert skill.uri in esco.skills, skill.label
        assert skill.uri.endswith(skill.codes["esco"])
        if skill.kind == "knowledge":
            assert esco.skills[skill.uri].kind == "knowledge", skill.label


def test_the_descriptions_are_our_own_and_not_escos():
    esco = load_framework(data("esco-1.1.1")).framework
    assert not [s.label for s in builtin_framework().skills.values() if s.description == esco.skills[s.uri].description]


def test_every_onet_code_of_the_starter_skills_is_an_element_of_onets_content_model():
    text = read_text(data("onet-29.3") / "content_model_reference.csv.gz")
    known = {row["Element ID"] for row in csv.DictReader(io.StringIO(text))}
    codes = {s.label: s.codes["onet"] for s in builtin_framework().skills.values() if "onet" in s.codes}
    assert len(codes) > 40
    assert {label: code for label, code in codes.items() if code not in known} == {}


def test_what_the_sample_blueprints_teach_is_in_the_starter_framework():
    samples = files("guildmark.design") / "samples"
    uris = {
        alignment["uri"]
        for sample in samples.iterdir()
        if sample.name.endswith(".json")
        for outcome in json.loads(sample.read_text(encoding="utf-8"))["outcomes"]
        for alignment in outcome["alignments"]
    }
    assert uris
    assert uris <= builtin_framework().skills.keys()


def test_our_own_ads_say_that_they_are_ours():
    ads = builtin_ads()
    assert 24 <= len(ads) <= 40
    assert {ad.source for ad in ads} == {OWN_SOURCE}
    assert all(ad.employer.endswith("(invented)") for ad in ads)
    assert all(ad.title and ad.place and ad.posted for ad in ads)
    assert len({ad.id for ad in ads}) == len({ad.text for ad in ads}) == len(ads)


def test_our_own_ads_ask_for_what_the_demo_teaches_and_for_much_else():
    ads = [ad for ad in builtin_ads() if "data" in ad.text.lower()]
    extractor = Extractor(builtin_framework())
    lines = measure_demand(ads, [m for ad in ads for m in extractor.mentions(ad)])
    asked = {line.label: line.ads for line in lines}
    assert len(ads) >= 20
    assert min(asked[label] for label in ("SQL", "Python", "Data analysis", "Data visualisation", "GDPR")) >= 3
    assert len(asked) > 80
