"""The report says what the evidence says, in two languages and two formats."""

import base64
import copy
import re
import tempfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from sosie.errors import ParameterError
from sosie.report import render, rendered
from sosie.report._document import document
from sosie.report._findings import Desk
from sosie.report._format import Form, shown_name
from sosie.report._html import html
from sosie.report._names import AVATARS, GROUPS, KEPT, LEAKS, QUALITIES, REFERENCE
from sosie.report._pdf import compiled, pdf
from sosie.report._texts import Texts, catalogue
from sosie.report._utility import _columns, _missing

from .sample import NAMES, attack, evidence, finding

VOID = {"meta", "link", "br", "img", "col", "hr", "input"}
HOSTILE = [
    'a<script>alert("x")</script>', "b & c", "$\\frac{1}{0}$ $", "#let x = panic()", "naïve 🦄",
    "two\nlines\tand\x00tabs", "]}) '\"", "x" * 200, "\u202egnp.exe", "", "@page *bold* _it_",
    "{{ 7*7 }} {format}",
]  # fmt: skip


DIFFERS = {"value": 0.79, "ci": [0.74, 0.84], "alike": False}


class Reader(HTMLParser):
    """Reads a page as a browser does: what is open, what is said, what is loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.said: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.loads: list[str] = []
        self.tags: list[str] = []
        self.headless = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.tags.append(tag)
        self.loads += [told[k] or "" for k in ("src", "href", "data", "action") if k in told]
        if tag == "img":
            self.images.append(told)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.said.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.said).split(" "))


def read(page: bytes) -> Reader:
    reader = Reader()
    reader.feed(page.decode("utf-8"))
    reader.close()
    assert reader.open == []
    return reader


def said(pages: dict[str, Any]) -> str:
    """Give every text of a document, drawings and what they show included."""
    parts: list[str] = []

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            for part in value.values():
                walk(part)
        elif isinstance(value, list):
            for part in value:
                walk(part)
        elif isinstance(value, str):
            parts.append(value)

    walk(pages)
    return "\n".join(parts)


@pytest.fixture(scope="module")
def pages() -> dict[str, dict[str, Any]]:
    return {lang: document(evidence(), lang) for lang in ("en", "fr")}


@pytest.fixture(scope="module")
def made(pages: dict[str, dict[str, Any]]) -> dict[str, bytes]:
    return {lang: html(pages[lang]) for lang in ("en", "fr")}


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the figures out, where only the words matter."""
    for room in ("_figures", "_multiples"):
        monkeypatch.setattr(f"sosie.report.{room}.drawn", lambda *_, **__: "<svg/>")


def test_both_languages_have_the_same_keys_and_the_same_places_for_values() -> None:
    english, french = catalogue("en"), catalogue("fr")
    assert list(english) == list(french)
    for key, text in english.items():
        assert set(re.findall(r"{(\w+)}", text)) == set(re.findall(r"{(\w+)}", french[key])), key
        assert text
        assert french[key]


def test_all_that_evidence_may_name_has_words() -> None:
    texts = catalogue("fr")
    attacks = {*(n for names in GROUPS.values() for n in names), *AVATARS, *REFERENCE, *LEAKS}
    for name in attacks:
        assert f"privacy.{name}" in texts
        assert f"knows.{name}" in texts
    for name in {*QUALITIES, *KEPT}:
        assert f"utility.{name}" in texts
        assert f"means.{name}" in texts
    for why in ("no_control", "no_target", "no_linked", "no_number", "no_label", "too_few",
                "no_generator", "effort"):  # fmt: skip
        assert f"why_not.{why}" in texts


def test_french_sets_no_breakable_space_before_high_punctuation() -> None:
    for key, text in catalogue("fr").items():
        assert not re.search(r" [:;!?%»]|« ", text), key
        assert "..." not in text
        assert "'" not in text, key


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_html_is_whole_small_accessible_and_loads_nothing(
    made: dict[str, bytes], lang: str
) -> None:
    page = made[lang]
    reader = read(page)
    assert len(page) < 2_000_000
    assert f'<html lang="{lang}">' in page.decode()
    assert "script" not in reader.tags
    assert "link" not in reader.tags
    assert all(load.startswith(("data:image/svg+xml;base64,", "#")) for load in reader.loads)
    assert not re.search(r"url\(|@import|https?:", page.decode())
    assert all("alt" in image for image in reader.images)
    assert reader.tags.count("table") == reader.tags.count("caption") == reader.tags.count("thead")
    for image in reader.images:
        svg = base64.b64decode((image["src"] or "").partition(",")[2]).decode()
        assert not re.search(r"""(href|src)=["'](?!#)|url\((?!#)|<image|<script""", svg)


def test_both_formats_say_the_same_because_both_draw_the_same_blocks(
    pages: dict[str, dict[str, Any]], made: dict[str, bytes]
) -> None:
    text = read(made["fr"]).text
    for block in pages["fr"]["blocks"]:
        for key in ("text", "caption"):
            assert block.get(key, "") in text


def test_pdf_has_its_pages(pages: dict[str, dict[str, Any]]) -> None:
    content = pdf(pages["fr"])
    assert content.startswith(b"%PDF")
    assert b"pdfuaid" in content  # tagged for those who hear it
    assert len(compiled(pages["fr"], format="png", ppi=20)) >= 10


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_first_two_pages_are_two(lang: str, bare: bool) -> None:
    told = evidence(verdict="fail", bare=bare)
    if not bare:
        told["utility"]["detector_auc"]["detail"]["of_control"] = DIFFERS
    pages = document(told, lang)
    ends = [i for i, b in enumerate(pages["blocks"]) if b["type"] == "heading" and b["level"] == 1]
    front = {**pages, "blocks": pages["blocks"][: ends[1]]}
    assert len(compiled(front, format="png", ppi=20)) == 2


def test_a_name_cannot_act_and_is_read_as_written() -> None:
    told = evidence(HOSTILE)
    told["inputs"]["synthetic"]["name"] = '</title><img src="http://e.vil/x">.csv'
    told["inputs"]["left_out"] = {'<b onload="f()">': "text"}
    pages = document(told, "en")
    reader = read(html(pages))
    assert "script" not in reader.tags
    assert "b onload" not in " ".join(reader.tags)
    assert all(load.startswith(("data:image/svg+xml;base64,", "#")) for load in reader.loads)
    for name in ('a<script>alert("x")</script>', "b & c", "$\\frac{1}{0}$ $", "#let x = panic()",
                 "naïve 🦄", "two lines and tabs", "{{ 7*7 }} {format}"):  # fmt: skip
        assert name in reader.text
    drawn = "".join(
        base64.b64decode((i["src"] or "").partition(",")[2]).decode() for i in reader.images
    )
    assert "<script" not in drawn
    assert "$\\frac{1}{0}$ $" in drawn
    assert "b &amp; c" in drawn
    assert pdf(pages).startswith(b"%PDF")


def test_numbers_are_written_as_the_language_does(pages: dict[str, dict[str, Any]]) -> None:
    english, french = said(pages["en"]), said(pages["fr"])
    assert "9,412 rows, 25 columns" in english
    assert "9\u202f412 lignes, 25 colonnes" in french
    assert "+4.3\u00a0pt" in english
    assert "+4,3\u00a0pt" in french
    assert "1.3 to 7.3\u00a0pt" in english
    assert "1,3 à 7,3\u00a0pt" in french
    assert "21 November 2027" in english.replace("\u00a0", " ")
    assert "21 novembre 2027" in french.replace("\u00a0", " ")
    assert "94.1%" in english
    assert "94,1\u202f%" in french
    # also where numbers stand in drawings, to their last digit
    assert "median 0.757" in english
    assert "médiane 0,757" in french


def test_form_agrees_with_known_writings() -> None:
    french = Form("fr")
    assert french.number(-1234567.891, 1) == "\u22121\u202f234\u202f567,9"
    assert french.number(-0.0001, 1) == "0,0"
    assert french.date("2026-03-01") == "1er\u00a0mars\u00a02026"
    assert Form("en").moment(18_262, "days") == "2020-01"
    assert french.moment(18_262 * 86_400 * 10**6, "microseconds") == "01/2020"
    assert Form("en").target(0.05, "rate", "lower", gap=True) == "<\u00a05\u00a0pt"
    assert Form("en").target(90.0, "percent", "higher") == ">\u00a090%"
    assert Form("en").target(0.714, "score", "higher") == ">\u00a00.714"


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_a_count_of_few_persons_is_never_shown(n: int) -> None:
    for lang in ("en", "fr"):
        form = Form(lang)
        assert str(n) not in form.count(n)
        assert form.share(n / 1000, 1000) == "<\u00a0" + form.rate(0.005, 2)
        assert form.share(1 - n / 1000, 1000) == ">\u00a0" + form.rate(0.995, 2)
    told = evidence(NAMES[:4])
    few = attack(n / 2000, 0.0, 0.0017, "singling_out")
    told["privacy"] = {"unique_copies": few, "exact_copies": few}
    told["inputs"]["control"]["rows"] = n
    text = said(document(told, "en"))
    assert f"\n{n} rows" not in text
    # neither as a share, nor as a difference, whose control is known to be none
    for decimals in (1, 2):
        assert f"+{n / 20:.{decimals}f}\u00a0pt" not in text
    assert "\nfewer than 5 persons\n" in text
    told["privacy"] = {"exact_copies": attack(5 / 2000, 0.0, 0.0017, "singling_out")}
    text = said(document(told, "en"))
    assert "\nfewer than 5 persons\n" not in text
    assert "0.2%" in text


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("control", [0.0, 0.01, 0.1])
@pytest.mark.parametrize("persons", [0.5, 1, 4, 296])
def test_no_attack_tells_of_1_to_4_persons(persons: int, control: float, lang: str) -> None:
    told = evidence(NAMES[:4])
    share, form, text = persons / 300, Form(lang), Texts(lang)
    few = attack(share, control, 0.01, "linkability", n=300, n_control=300)
    split = {"left": ["age"], "right": ["sex"], "value": share, "control": control, "naive": 0.05}
    told["privacy"] = {
        **dict.fromkeys(("near_copies", "linkability_nearest", "membership_tpr_at_1"), few),
        "row_direct_match_protection": finding(100 * share, verdict="information", n=300),
        "regeneration_linkage": {**few, "detail": {"sets": 30, "times_chance": 300 * share}},
        "singling_out_multivariate": {
            **few, "naive": share,
            "detail": {"by_size": {"2": {"value": share, "control": control, "n": 300}}},
        },
        "linkability": {**few, "detail": {"by_split": [split]}},
        "attribute_inference_max": {**few, "detail": {"by_secret": [
            {**few, "column": "age", "population": share},
            {**attack(0.4, 0.3, 0.01, "inference", n=300, n_control=300), "column": "sex"},
        ]}},
        "membership_auc": {
            **attack(0.5, 0.5, 0.01, "membership", n=300, n_control=300),
            "detail": {"attacks": {"nearest": {"auc": 0.5, "tpr_at_1": share}}},
        },
    }  # fmt: skip
    shown = said(document({**told, "utility": {}}, lang))
    gap = form.gap(share - control, "rate")
    for betrayed in (form.rate(share), gap, gap[1:], form.interval(few["ci"], "rate")):
        assert not re.search(rf"(?<![\d.,]){re.escape(betrayed)}", shown), betrayed
    assert text("attacks.regeneration").split("{")[0] not in shown.split("\n")
    if persons < 5:
        assert form.share(share, 300) == "<\u00a0" + form.rate(5 / 300, 2)
        assert form.share(share, 300) in shown
        between = form.interval((-0.1, 5 / 300 - 0.1), "rate", gap=True)
        assert (between if control == 0.1 else text("table.hidden_small")) in shown
    assert text("caption.few") in shown


@pytest.mark.usefixtures("undrawn")
def test_what_is_shared_by_many_is_not_called_few() -> None:
    told = evidence(NAMES[:4])
    told["privacy"] = {"exact_copies": attack(1.0, 2 / 300, 0.01, "copies", n=300, n_control=300)}
    shown = said(document(told, "en"))
    assert "\nfewer than 5 persons\n" not in shown
    assert "98.3 to 100.0\u00a0pt" in shown


@pytest.mark.usefixtures("undrawn")
def test_few_control_persons_hide_nothing_of_what_has_no_difference() -> None:
    told = evidence(NAMES[:4])
    rate = finding(95.3, ci=[91.2, 97.9], control=98.7, n=150, n_control=150, target=90.0)
    told["privacy"] = {"closest_rate": {**rate, "better": "higher"}}
    assert "91.2 to 97.9%" in said(document(told, "en"))
    told["privacy"]["closest_rate"]["value"] = 98.7
    shown = said(document(told, "en"))
    assert ">\u00a096.67%" in shown
    assert "91.2 to 97.9%" not in shown


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_who_chose_the_threshold(lang: str) -> None:
    told, text = evidence(NAMES[:4]), Texts(lang)
    for chosen, other in (("", "_default"), ("_default", "")):
        told["settings"]["threshold_is"] = "default" if chosen else "set"
        shown = said(document(told, lang))
        for key in ("front.sign_note", "limit.threshold_text"):
            words = {"threshold": "5\u00a0pt"}
            assert text(key + chosen, **words) in shown
            assert text(key + other, **words) not in shown


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_control_persons_of_another_population_are_told(lang: str) -> None:
    told, text = evidence(NAMES[:4]), Texts(lang)
    for surely in (False, True):
        found = DIFFERS | {"alike": not surely}
        told["utility"]["detector_auc"]["detail"]["of_control"] = found
        shown = said(document(told, lang))
        auc = "0,790" if lang == "fr" else "0.790"
        assert (text("meaning.other_population", auc=auc) in shown) is surely
        assert text("controls.alike") in shown


@pytest.mark.usefixtures("undrawn")
def test_a_french_report_names_rules_and_effort_in_french() -> None:
    told = evidence(NAMES[:4])
    told["settings"]["effort"] = "quick"
    shown = said(document(told, "fr"))
    assert "EDPB" not in shown
    assert "CEPD 28/2024\u202f; règles de sosie 2026-11" in shown
    assert "\nrapide\n" in shown
    assert "EDPB 28/2024" in said(document(told, "en"))


def test_a_share_missing_of_few_persons_is_not_drawn() -> None:
    told = evidence(NAMES[:4])
    detail = {"columns": [{"name": "age", "original": 0.0034, "synthetic": 0.0066}]}
    for rows, shown in ((1000, False), (2000, True)):  # 3 persons, 7 persons
        told["inputs"]["original"]["rows"] = rows
        (drawing,) = _missing(Desk(told, "en"), detail)
        assert ("age: 0.3%, 0.7%" in drawing["alt"]) is shown
        assert ("age: –, 0.7%" in drawing["alt"]) is not shown


@pytest.mark.usefixtures("undrawn")
def test_a_verdict_changes_word_shape_and_colour() -> None:
    shown = {}
    for verdict in ("pass", "attention", "fail"):
        blocks = document(evidence(verdict=verdict), "en")["blocks"]
        block = next(b for b in blocks if b["type"] == "verdict")
        shown[verdict] = (block["mark"]["word"], block["mark"]["svg"], block["mark"]["colour"])
        assert Texts("en")(f"front.{verdict}") == block["text"]
    for part in range(3):
        assert len({seen[part] for seen in shown.values()}) == 3


@pytest.mark.usefixtures("undrawn")
def test_a_finding_is_read_from_its_own_place() -> None:
    told = evidence()
    plain = document(told, "en")
    changed = copy.deepcopy(told)
    changed["privacy"]["linkability"].update(
        attack(0.4321, 0.0309, 0.011, "linkability"),
        detail=told["privacy"]["linkability"]["detail"],
    )
    text = said(document(changed, "en"))
    assert "+40.1\u00a0pt" in text
    assert "43.2%" in text
    assert "39.0 to 41.2\u00a0pt" in text
    assert "+40.1\u00a0pt" not in said(plain)


@pytest.mark.usefixtures("undrawn")
def test_what_is_not_measured_says_why_in_a_sentence(tmp_path: Path) -> None:
    page = rendered(evidence(bare=True), ".html", "en")
    text = read(page).text
    for why in ("no_control", "no_linked", "no_target"):
        assert Texts("en")(f"why_not.{why}") in text
    assert Texts("en")("controls.absent") in text
    assert Texts("en")("utility_annex.replication_none") in text
    empty = {"format": "sosie-evidence/1"}
    assert read(rendered(empty, ".html", "fr")).tags.count("h1") == 1
    render(empty, tmp_path / "r.pdf", "en")


@pytest.mark.usefixtures("undrawn")
def test_a_generator_that_was_judged_has_no_file_of_its_own() -> None:
    told = evidence(NAMES[:4])
    told["judged"] = "generator"
    told["inputs"].update(synthetic=None, control=None)
    told["inputs"]["original"]["name"] = ""
    told["privacy"]["shadow_membership"] = attack(0.61, 0.5, 0.05, "membership")
    told["privacy"]["shadow_membership"]["detail"] = {"persons": 20, "epsilon_at_least": 0.4321}
    pages = document(told, "fr")
    text = said(pages)
    assert pages["title"] == Texts("fr")("front.kind")
    assert text.count(Texts("fr")("front.remade")) == 2
    assert Texts("fr")("limit.generator") in text
    assert Texts("fr")("limit.table") not in text
    assert "au moins 0,43" in text


@pytest.mark.usefixtures("undrawn")
def test_what_is_newer_than_the_report_is_shown_under_its_own_name() -> None:
    told = evidence()
    told["privacy"]["quantum_attack"] = attack(0.5, 0.1, 0.01, "membership")
    told["utility"]["taste"] = finding(0.25, why_not=None)
    told["criteria"]["inference"]["advice"].append("pray_for_rain")
    told["privacy"]["linkability"] = finding(why_not="full_moon")
    text = said(document(told, "en"))
    assert "quantum attack" in text
    assert "taste" in text
    assert "pray for rain." in text
    assert Texts("en")("why_not.absent") in text


def test_at_most_24_small_charts_the_worst_first() -> None:
    names = [f"column_{i:02d}" for i in range(40)]
    told = evidence(names)
    detail = told["utility"]["hellinger_mean"]["detail"]
    ranked = [c["name"] for c in sorted(detail["columns"], key=lambda c: -c["hellinger"])]
    blocks = _columns(Desk(told, "en"), detail)
    chart = next(b["svg"] for b in blocks if b["type"] == "figure")
    assert re.findall(r">(column_\d\d)<", chart) == ranked[:24]
    assert "16 more columns" in said({"blocks": blocks})
    assert [row[0]["text"] for row in blocks[-1]["rows"]] == ranked
    assert len(chart) < 200_000


def test_the_same_evidence_is_drawn_the_same(pages: dict[str, dict[str, Any]]) -> None:
    assert document(evidence(), "fr") == pages["fr"]
    assert html(pages["fr"]) == html(pages["fr"])
    assert pdf(pages["fr"]) == pdf(pages["fr"])


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("suffix", [".html", ".pdf"])
def test_nothing_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    private = tmp_path / "private"
    private.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(private))
    monkeypatch.setenv("TMPDIR", str(private))
    told = evidence(NAMES[:6])
    kept = copy.deepcopy(told)
    render(told, tmp_path / f"a{suffix}", "fr")
    assert (tmp_path / f"a{suffix}").read_bytes() == rendered(told, suffix, "fr")
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"a{suffix}", "private"]
    assert list(private.iterdir()) == []
    assert told == kept


@pytest.mark.parametrize(
    ("name", "lang", "told"),
    [
        ("r.docx", "en", {"format": "sosie-evidence/1"}),
        ("r", "en", {"format": "sosie-evidence/1"}),
        ("r.pdf", "de", {"format": "sosie-evidence/1"}),
        ("r.pdf", "en", {"format": "other/2"}),
    ],
)
def test_what_cannot_be_is_one_sentence_and_no_file(
    tmp_path: Path, name: str, lang: str, told: dict[str, Any]
) -> None:
    with pytest.raises(ParameterError, match=r"^[^\n]+\.$"):
        render(told, tmp_path / name, lang)
    assert list(tmp_path.iterdir()) == []


def test_names_of_others_are_made_inert() -> None:
    assert shown_name("\u202egnp.exe") == "gnp.exe"
    assert shown_name("a\x00b\x1bc\ud800") == "a b c"
    assert shown_name("👩\u200d⚕️") == "👩\u200d⚕️"
