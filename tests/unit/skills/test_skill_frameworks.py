"""Frameworks: ESCO and O*NET in their publishers' layouts and reshaped, bad rows listed, bad files in one sentence."""

from __future__ import annotations

import csv
import gzip
import io

import pytest
from tests.paths import data

from guildmark.core.errors import BrokenInput
from guildmark.core.problems import RowProblem
from guildmark.skills.load import ESCO_LICENCE, ONET_ELEMENT, ONET_LICENCE, ONET_TECHNOLOGY, load_framework

SKILL = "http://data.europa.eu/esco/skill/"
OCCUPATION = "http://data.europa.eu/esco/occupation/"
WEAVE = "00000000-0000-4000-8000-000000000001"
YARN = "00000000-0000-4000-8000-000000000002"
WEAVER = "00000000-0000-4000-8000-00000000000a"


def write_csv(path, heading, *rows, delimiter=",", bom="", newline="\r\n"):
    out = io.StringIO()
    if delimiter == "\t":
        out.write(newline.join("\t".join(row) for row in (heading, *rows)) + newline)
    else:
        csv.writer(out, delimiter=delimiter, lineterminator=newline).writerows([heading, *rows])
    path.write_bytes((bom + out.getvalue()).encode())


@pytest.fixture
def esco(tmp_path):
    """An invented framework of two skills and one occupation in the layout of ESCO's own CSV download."""
    folder = tmp_path / "ESCO dataset - v1.2.0 - classification - en - csv"
    folder.mkdir()
    first = "conceptType,conceptUri,skillType,reuseLevel,preferredLabel,altLabels,hiddenLabels,status,modifiedDate"
    last = "scopeNote,definition,inScheme,description"
    labels = "weaving cloth\nweave fabric\nweave cloth"
    kind, reuse, when = "KnowledgeSkillCompetence", "sector-specific", "2023-01-01T00:00:00Z"
    cloth = ["", "", "x", "Make cloth, on a loom."]
    write_csv(
        folder / "skills_en.csv",
        f"{first},{last}".split(","),
        [kind, SKILL + WEAVE, "skill/competence", reuse, "weave cloth", labels, "", "released", when, *cloth],
        [kind, SKILL + YARN, "knowledge", reuse, "yarns", "", "", "released", when, "", "", "x", "Threads."],
    )
    write_csv(
        folder / "occupations_en.csv",
        ["conceptType", "conceptUri", "iscoGroup", "preferredLabel", "altLabels", "status", "description", "code"],
        ["Occupation", OCCUPATION + WEAVER, "7318", "weaver", "cloth maker\nloom worker", "released", "", "7318.9"],
    )
    write_csv(
        folder / "occupationSkillRelations_en.csv",
        ["occupationUri", "relationType", "skillType", "skillUri"],
        [OCCUPATION + WEAVER, "essential", "skill/competence", SKILL + WEAVE],
        [OCCUPATION + WEAVER, "optional", "knowledge", SKILL + YARN],
    )
    return folder


@pytest.fixture
def onet(tmp_path):
    """An invented occupation in the layout of O*NET's own text files."""
    folder = tmp_path / "db_29_3_text"
    folder.mkdir()
    soc = "99-1234.00"
    write_csv(
        folder / "Occupation Data.txt",
        ["O*NET-SOC Code", "Title", "Description"],
        [soc, "Loom Whisperers", 'Talk to looms that say "clack".'],
        delimiter="\t",
    )
    rated = ["O*NET-SOC Code", "Element ID", "Element Name", "Scale ID", "Data Value", "N", "Recommend Suppress"]
    write_csv(
        folder / "Skills.txt",
        rated,
        [soc, "9.A.1", "Listening to Looms", "IM", "4.50", "8", "N"],
        [soc, "9.A.1", "Listening to Looms", "LV", "2.00", "8", "N"],
        [soc, "9.A.2", "Whistling", "IM", "2.99", "8", "N"],
        [soc, "9.A.3", "Guessing", "IM", "4.00", "3", "Y"],
        delimiter="\t",
    )
    write_csv(folder / "Knowledge.txt", rated, [soc, "9.C.1", "Cloth", "IM", "3.00", "8", "N"], delimiter="\t")
    write_csv(
        folder / "Technology Skills.txt",
        ["O*NET-SOC Code", "Example", "Commodity Code", "Commodity Title", "Hot Technology", "In Demand"],
        [soc, "C", "43232402", "Development environment software", "N", "N"],
        [soc, "C++", "43232402", "Development environment software", "Y", "N"],
        [soc, "C#", "43232402", "Development environment software", "Y", "N"],
        delimiter="\t",
    )
    write_csv(
        folder / "Content Model Reference.txt",
        ["Element ID", "Element Name", "Description"],
        ["9.A.1", "Listening to Looms", "Hearing what is wrong before it breaks."],
        delimiter="\t",
    )
    write_csv(
        folder / "Alternate Titles.txt",
        ["O*NET-SOC Code", "Alternate Title", "Short Title", "Source(s)"],
        [soc, "Loom Listener", "n/a", "01"],
        delimiter="\t",
    )
    return folder


def test_escos_own_download_is_read_with_its_labels_kinds_and_relations(esco):
    framework = load_framework(esco).framework
    assert (framework.id, framework.version, framework.licence) == ("esco", "1.2.0", ESCO_LICENCE)
    weave, yarn = framework.skills[SKILL + WEAVE], framework.skills[SKILL + YARN]
    assert (weave.label, weave.alt_labels, weave.kind) == ("weave cloth", ("weaving cloth", "weave fabric"), "skill")
    assert weave.description == "Make cloth, on a loom."
    assert weave.codes == {"esco": WEAVE}
    assert yarn.kind == "knowledge"
    weaver = framework.occupations[OCCUPATION + WEAVER]
    assert (weaver.label, weaver.isco, weaver.alt_labels) == ("weaver", "7318", ("cloth maker", "loom worker"))
    assert (weaver.essential, weaver.optional) == ((SKILL + WEAVE,), (SKILL + YARN,))


def test_escos_collection_of_languages_says_which_skills_are_languages(esco):
    write_csv(esco / "languageSkillsCollection_en.csv", ["conceptType", "conceptUri"], ["x", SKILL + YARN])
    assert load_framework(esco).framework.skills[SKILL + YARN].kind == "language"


def test_escos_download_in_another_language_is_read_and_two_languages_are_refused(esco):
    for path in list(esco.iterdir()):
        path.rename(path.with_name(path.name.replace("_en", "_de")))
    assert len(load_framework(esco).framework.skills) == 2
    (esco / "skills_fr.csv").write_text("conceptUri,preferredLabel\n", encoding="utf-8")
    with pytest.raises(BrokenInput, match="has ESCO in de, fr; keep the files of one language"):
        load_framework(esco)


def test_a_byte_order_mark_and_packed_files_change_nothing(esco):
    plain = load_framework(esco).framework
    skills = esco / "skills_en.csv"
    (esco / "skills_en.csv.gz").write_bytes(gzip.compress(b"\xef\xbb\xbf" + skills.read_bytes()))
    skills.unlink()
    assert load_framework(esco).framework == plain


def test_bad_rows_of_esco_are_listed_by_row_file_and_field_and_the_good_ones_are_read(esco):
    write_csv(
        esco / "skills_en.csv",
        ["conceptUri", "preferredLabel", "altLabels"],
        [SKILL + WEAVE, "weave cloth", ""],
        [SKILL + YARN, " ", ""],
        ["https://example.org/skill/3", "fly", ""],
        [SKILL + WEAVE, "weave again", ""],
        [SKILL + YARN, "yarns"],
    )
    loaded = load_framework(esco)
    assert [s.label for s in loaded.framework.skills.values()] == ["weave cloth"]
    assert {(p.row, p.field) for p in loaded.problems} == {
        (2, "skills_en.csv:preferredLabel"),
        (3, "skills_en.csv:conceptUri"),
        (4, "skills_en.csv:conceptUri"),
        (5, "skills_en.csv"),
        (2, "occupationSkillRelations_en.csv:skillUri"),  # its skill was a bad row
    }
    assert loaded.framework.occupations[OCCUPATION + WEAVER].optional == ()


def test_a_relation_that_is_neither_essential_nor_optional_is_listed(esco):
    path = esco / "occupationSkillRelations_en.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("optional", "useful"), encoding="utf-8")
    (problem,) = load_framework(esco).problems
    assert problem == RowProblem(2, "occupationSkillRelations_en.csv:relationType", "is neither essential nor optional")


def test_onets_own_text_files_are_read_and_importance_decides_what_is_essential(onet):
    loaded = load_framework(onet)
    framework = loaded.framework
    assert loaded.problems == ()
    assert (framework.id, framework.version, framework.licence) == ("onet", "29.3", ONET_LICENCE)
    listening = framework.skills[ONET_ELEMENT + "9.A.1"]
    assert (listening.label, listening.kind, listening.codes) == ("Listening to Looms", "skill", {"onet": "9.A.1"})
    assert listening.description == "Hearing what is wrong before it breaks."
    (occupation,) = framework.occupations.values()
    assert occupation.alt_labels == ("Loom Listener",)
    # 2.99 is below importance 3, and O*NET itself recommends to suppress the figure of 9.A.3.
    assert occupation.essential == (ONET_ELEMENT + "9.A.1", ONET_ELEMENT + "9.C.1")


def test_c_and_its_relatives_among_onets_technologies_stay_three_skills(onet):
    framework = load_framework(onet).framework
    tools = {s.uri: s.label for s in framework.skills.values() if s.kind == "tool"}
    assert tools == {ONET_TECHNOLOGY + "C": "C", ONET_TECHNOLOGY + "C%2B%2B": "C++", ONET_TECHNOLOGY + "C%23": "C#"}
    assert framework.skills[ONET_TECHNOLOGY + "C"].codes == {"unspsc": "43232402"}


def test_a_value_of_onet_that_is_no_number_is_listed(onet):
    path = onet / "Skills.txt"
    path.write_text(path.read_text(encoding="utf-8").replace("4.50", "high"), encoding="utf-8")
    (problem,) = load_framework(onet).problems
    assert str(problem) == "row 1, Skills.txt:Data Value: 'high' is no number"


def test_a_row_of_onet_that_was_cut_off_is_listed(onet):
    path = onet / "Technology Skills.txt"
    path.write_bytes(path.read_bytes()[:-20])
    (problem,) = load_framework(onet).problems
    assert (problem.row, problem.field) == (3, "Technology Skills.txt")


@pytest.mark.parametrize("name", ["occupations_en.csv", "occupationSkillRelations_en.csv"])
def test_a_missing_file_is_named(esco, name):
    (esco / name).unlink()
    with pytest.raises(BrokenInput, match=f"{name}: is missing; copy the whole framework"):
        load_framework(esco)


def test_a_missing_column_is_named(esco):
    write_csv(esco / "skills_en.csv", ["conceptUri", "label"], [SKILL + WEAVE, "weave"])
    with pytest.raises(BrokenInput, match=r"skills_en.csv: has no column 'preferredLabel'; it needs conceptUri"):
        load_framework(esco)


def test_a_packed_file_that_was_cut_off_is_one_sentence(esco):
    whole = gzip.compress((esco / "skills_en.csv").read_bytes())
    (esco / "skills_en.csv").unlink()
    (esco / "skills_en.csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BrokenInput, match=r"skills_en.csv.gz: cannot be read \(.*\); check the path, or copy it again"):
        load_framework(esco)


def test_a_file_that_is_no_text_is_one_sentence(esco):
    (esco / "skills_en.csv").write_bytes(b"conceptUri,preferredLabel\r\n\xff\xfe\x00")
    with pytest.raises(BrokenInput, match="byte 27 is not UTF-8; save the file as UTF-8"):
        load_framework(esco)


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("auto", "holds no skill framework that is known; ESCO has a skills_en.csv, O*NET an Occupation Data.txt."),
        ("onet", "holds no onet framework that is known"),
        ("lightcast", "framework kind 'lightcast' is not known; use auto, esco or onet."),
    ],
)
def test_a_folder_without_a_framework_is_one_sentence(tmp_path, kind, says):
    with pytest.raises(BrokenInput) as caught:
        load_framework(tmp_path, kind=kind)
    assert says in str(caught.value)


def test_a_file_instead_of_a_folder_is_one_sentence(esco):
    with pytest.raises(BrokenInput, match="is not a folder"):
        load_framework(esco / "skills_en.csv")


def test_the_reshaped_esco_of_the_shared_data_is_whole():
    loaded = load_framework(data("esco-1.1.1"))
    framework = loaded.framework
    assert loaded.problems == ()
    assert (framework.version, len(framework.skills), len(framework.occupations)) == ("1.1.1", 13_896, 3_007)
    # The counts are those of the folder's README.
    assert sum(len(o.essential) for o in framework.occupations.values()) == 64_891
    assert sum(len(o.optional) for o in framework.occupations.values()) == 58_897
    english = next(s for s in framework.skills.values() if s.label == "English")
    assert english.kind == "language"


def test_the_reshaped_onet_of_the_shared_data_is_whole():
    loaded = load_framework(data("onet-29.3"))
    framework = loaded.framework
    assert loaded.problems == ()
    kinds = [s.kind for s in framework.skills.values()]
    assert (framework.version, len(framework.occupations)) == ("29.3", 1_016)
    assert (kinds.count("skill"), kinds.count("knowledge"), kinds.count("tool")) == (35, 33, 8_775)
    programmers = framework.occupations["https://www.onetonline.org/link/summary/15-1251.00"]
    assert programmers.label == "Computer Programmers"
    assert ONET_ELEMENT + "2.B.3.e" in programmers.essential
