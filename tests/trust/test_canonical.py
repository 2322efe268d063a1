"""One spelling of a document; what two programs could read in two ways is refused."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sosie.errors import TrustError
from sosie.trust import canonical, sha256, strict_json

LARGEST = 2**53 - 1
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-LARGEST, LARGEST),
        st.floats(allow_nan=False, allow_infinity=False, width=32),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=12,
)


def test_the_example_of_the_standard() -> None:
    # RFC 8785, section 3.2.2 to 3.2.4.
    source = (
        r'{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],'
        r'"string":"\u20ac$\u000F\u000aA'
        r"'"
        r'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}'
    )
    expected = (
        "7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c226e756d62657273223a"
        "5b3333333333333333332e333333333333332c31652b33302c342e352c302e3030322c31652d3237"
        "5d2c22737472696e67223a22e282ac245c75303030665c6e4127425c225c5c5c5c5c222f227d"
    )
    assert canonical(strict_json(source.encode())).hex() == expected


@given(VALUES)
def test_any_value_comes_back(value: object) -> None:
    try:
        spelt = canonical(value)
    except TrustError:  # a lone surrogate as a key
        return
    assert strict_json(spelt) == json.loads(spelt, parse_int=float)  # as JavaScript reads it
    assert canonical(strict_json(spelt)) == spelt
    assert strict_json(json.dumps(value, indent=3).encode()) == strict_json(spelt)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b'{"a":1,"a":1}', "given twice"),
        (b'[{"b":{"\\u0061":1,"a":2}}]', "given twice"),
        (b"[NaN]", "NaN"),
        (b"[-Infinity]", "Infinity"),
        (b"[1e999]", "too large"),
        (b"[9007199254740993]", "double"),
        (b"[" + b"9" * 5000 + b"]", "too large"),
        (b'"\\ud800"', "half a character"),
        (b'{"\\udfff":1}', "half a character"),
        (b'"\xff"', "UTF-8"),
        (b'\xef\xbb\xbf{"a":1}', "BOM|UTF-8|Expecting|Unexpected"),
        (b"[1,]", "line 1"),
        (b"{} {}", "line 1"),
        (b"", "line 1"),
        (b"'a'", "line 1"),
        (b'"\n"', "line 1"),
        (b"[" * 65 + b"]" * 65, "64 deep"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "64 deep"),
        (b"[" * 1_000_000, "64 deep|line 1"),
        (b'{"a":' * 1_000_000, "64 deep|line 1"),
    ],
)
def test_refused(data: bytes, why: str) -> None:
    with pytest.raises(TrustError, match=why):
        strict_json(data)


def test_just_deep_enough() -> None:
    assert strict_json(b"[" * 64 + b"]" * 64)


def test_large_numbers_are_those_that_a_double_holds() -> None:
    assert strict_json(b"[9007199254740991,-9007199254740991]")[0] == LARGEST
    assert canonical(strict_json(canonical(1e17))) == b"100000000000000000"


def test_junk_is_refused_at_once() -> None:
    junk = bytes(100 << 20)
    started = time.perf_counter()
    with pytest.raises(TrustError, match="104,857,600 bytes"):
        strict_json(junk)
    assert time.perf_counter() - started < 0.1


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, {1: 2}, b"a", "\ud800"])
def test_no_json(value: object) -> None:
    with pytest.raises(TrustError):
        canonical(value)


def test_sha256_of_the_standard() -> None:
    # FIPS 180-2, appendix B.1
    assert sha256(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
