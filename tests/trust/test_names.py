"""A name cannot be taken for another."""

import unicodedata

import pytest

from sosie.errors import TrustError
from sosie.trust._names import check_distinct, check_name


@pytest.mark.parametrize(
    "name",
    ["CHU de Montpellier", "Hôpital Saint-Éloi (2ᵉ étage)", "O'Neill", "東京大学 けん",
     "Ελλάδα", "Санкт-Петербург", "Équipe 3", "INSERM U1027", "Agence n° 4", "Straße"],
)  # fmt: skip
def test_names_of_people_pass(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "1 to 120"),
        (" a", "space"),
        ("a" * 121, "1 to 120"),
        (unicodedata.normalize("NFD", "Nîmes"), "NFC"),
        ("CHU\u200b", "U\\+200B"),
        ("CHU \u202enap", "U\\+202E"),
        ("CHU\nadmin", "U\\+000A"),
        ("a\u00adb", "U\\+00AD"),
        ("CHU dе Nantes", "CYRILLIC, LATIN"),
        ("Ηospital", "GREEK, LATIN"),
    ],
)
def test_names_that_mislead_are_refused(name: str, why: str) -> None:
    with pytest.raises(TrustError, match=why) as refused:
        check_name(name)
    assert str(refused.value).isprintable()  # what is not seen is told


def test_a_name_is_told_as_it_is_read() -> None:
    with pytest.raises(TrustError, match=r"The name 'é{120}' must have"):
        check_name("é" * 121)
    with pytest.raises(TrustError, match="The names 'Nîmes' and 'Nimes' could be taken"):
        check_distinct(["Nîmes", "Nimes"])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CHU Nimes", "CHU Nîmes"),
        ("CHU Nantes", "chu nantes"),
        ("Site 1", "Site l"),
        ("Site I", "Site l"),
        ("Clinique O", "Clinique 0"),
        ("Modern", "Modem"),
        ("cope", "соре"),
        ("CHU  Nantes", "CHU Nantes"),
        ("CHU-Nantes", "CHU Nantes"),
        ("INSERM", "INSERM"),
        ("a", "a"),
    ],
)
def test_pairs_that_look_alike_are_refused(one: str, other: str) -> None:
    with pytest.raises(TrustError, match="taken for one another"):
        check_distinct([one, "Elsewhere", other])


def test_different_names_pass() -> None:
    check_distinct(
        ["CHU de Nantes", "CHU de Nancy", "CHU de Nîmes", "Hôpital", "Hospice", "京", "都"]
    )


def test_a_letter_that_looks_like_another_is_told_by_its_code() -> None:
    with pytest.raises(TrustError, match=r"'Nantes' and 'N\\u0430ntes' could be taken"):
        check_distinct(["Nantes", "N\u0430ntes"])
