"""What was changed is found, whatever it is, and named."""

import base64
import copy
import datetime as dt
import json
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from sosie.errors import TrustError
from sosie.trust import (
    PAYLOAD_TYPE,
    Key,
    PublicKey,
    Verification,
    add_signature,
    canonical,
    opened,
    seal,
    verify,
)

from .release import TODAY, Release, make

Path_ = tuple[str | int, ...]


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return make(tmp_path_factory.mktemp("release"))


def everything(release: Release, path: Path | None = None, **changed: Any) -> Verification:
    given = {
        "synthetic": release.synthetic,
        "original": release.original,
        "agreement": release.agreement,
        **changed,
    }
    return verify(path or release.certificate, release.known, **given)


def broken(found: Verification) -> list[str]:
    assert not found.verified
    return [item.kind for item in found.items if item.ok is False]


def written(path: Path, envelope: Any) -> Path:
    path.write_bytes(json.dumps(envelope).encode())
    return path


def places(value: Any, at: Path_ = ()) -> Iterator[Path_]:
    yield at
    steps: Any = ()
    if isinstance(value, dict):
        steps = value.items()
    elif isinstance(value, list):
        steps = enumerate(value)
    for step, part in steps:
        yield from places(part, (*at, step))


def other(value: Any) -> Any:
    """Give another value that could stand in the same place."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return value[:-1] + ("0" if value[-1:] != "0" else "1") if value else "x"
    if value is None:
        return "x"
    if isinstance(value, dict):
        return {**value, "x": 1}
    return [*value, "x"]


@contextmanager
def changed(content: Any, place: Path_, how: str = "other") -> Iterator[Any]:
    """Change one place, or take it away, for a while."""
    if not place:
        yield other(content)
        return
    *steps, last = place
    part = content
    for step in steps:
        part = part[step]
    kept = copy.copy(part)
    if how == "other":
        part[last] = other(part[last])
    else:
        del part[last]
    yield content
    if isinstance(part, list):
        part[:] = kept
    else:
        part.clear()
        part.update(kept)


def test_a_true_release_is_verified(release: Release) -> None:
    found = everything(release)
    assert found.verified
    assert [item.ok for item in found.items] == [True] * 10
    alone = verify(release.certificate, release.known)
    assert alone.verified
    assert {i.kind for i in alone.items if i.ok is None} == {"agreement", "synthetic", "original"}


@pytest.mark.parametrize("how", ["other", "gone"])
def test_every_place_of_the_envelope(release: Release, tmp_path: Path, how: str) -> None:
    envelope = release.envelope
    for place in list(places(envelope))[1:]:
        with changed(envelope, place, how) as lie:
            found = verify(written(tmp_path / "c.json", lie), release.known)
        named = {"signatures": {"signature", "signers", "file"}, "payload": {"file", "signature"}}
        assert named.get(str(place[0]), {"file"}) & set(broken(found)), place


def test_every_place_of_what_is_signed(release: Release, tmp_path: Path) -> None:
    """Whatever is changed or taken away, no signature is of it any more, and each is named."""
    statement, envelope = release.statement, release.envelope
    tried = 0
    for number, place in enumerate(list(places(statement))):
        for how in ("other",) if number % 4 else ("other", "gone")[: 1 + bool(place)]:
            with changed(statement, place, how) as lie:
                payload = json.dumps(lie, ensure_ascii=False, sort_keys=True).encode()
            envelope["payload"] = base64.b64encode(payload).decode()
            found = opened(envelope, release.known, PAYLOAD_TYPE)
            assert not found.signers
            assert [problem.name for problem in found.problems] == ["wrong signature"] * 2
            tried += 1
            if tried % 20 == 0:  # the whole way, from a file
                found_ = verify(written(tmp_path / "c.json", envelope), release.known)
                assert broken(found_).count("signature") == 2
    assert tried > 500


SIGNED_ANEW = {"agreement": "agreement", "article_30": "agreement", "opinion": "findings"}


@pytest.mark.parametrize("part", SIGNED_ANEW)
def test_what_all_signers_change_together(release: Release, tmp_path: Path, part: str) -> None:
    """The signers can lie of what nobody else has, but not of the agreement or the findings."""
    record = release.record
    for place in [place for place in places(record) if place[:1] == (part,)]:
        with changed(record, place) as lie:
            assert named_in(release, tmp_path, lie) & {SIGNED_ANEW[part], "document"}, place


def test_what_all_signers_say_otherwise(release: Release, tmp_path: Path) -> None:
    record = release.record
    results, computation, evidence = (
        record[part] for part in ("results", "computation", "evidence")
    )
    for part, value, item in (
        ("expires", (TODAY + dt.timedelta(9999)).isoformat(), "dates"),
        ("expires", (TODAY - dt.timedelta(1)).isoformat(), "dates"),
        ("made_at", "2020-01-01T00:00:00Z", "dates"),
        ("made_at", "2199-01-01T00:00:00Z", "dates"),
        ("signers", [{**one, "required": False} for one in record["signers"]], "signers"),
        ("signers", record["signers"][:1], "agreement"),
        ("original", {**record["original"], "commitment": "0" * 64}, "original"),
        ("results", [{**results[0], "sha256": "0" * 64, "content_sha256": "0" * 64}], "synthetic"),
        ("results", [{**results[0], "columns": ["salary"]}], "agreement"),
        ("computation", {**computation, "parameters": {"k": 2}}, "agreement"),
        ("computation", {**computation, "generator": "published"}, "agreement"),
        ("evidence", {**evidence, "threshold": 0.5}, "agreement"),
        ("evidence", {**evidence, "effort": "quick"}, "agreement"),
        ("evidence", {**evidence, "verdict": "fail"}, "findings"),
    ):
        assert item in named_in(release, tmp_path, {**record, part: value}), (part, value)


def named_in(release: Release, tmp_path: Path, record: dict[str, Any]) -> set[str]:
    from sosie.trust import Certificate, statement_of

    try:
        statement = statement_of(Certificate.of(record))
    except TrustError:  # not even a record: signed all the same
        statement = release.statement
        graph = statement["predicate"]["@graph"]
        next(e for e in graph if e["@id"] == "#record")["record"]["@value"] = record
    path = written(tmp_path / "lie.json", release.sealed(statement))
    return set(broken(everything(release, path)))


def test_a_crate_that_says_something_else(release: Release, tmp_path: Path) -> None:
    statement = release.statement
    told = [place for place in places(statement) if place and "record" not in place]
    for place in told[::5]:
        with changed(statement, place) as lie:
            path = written(tmp_path / "c.json", release.sealed(lie))
        assert broken(verify(path, release.known)) == ["document"], place
    assert len(told) > 200


@pytest.mark.parametrize("role", ["synthetic", "original"])
def test_one_cell_one_name_one_order(release: Release, tmp_path: Path, role: str) -> None:
    frame = pl.read_csv(getattr(release, role))
    lies = {
        "cell": frame.with_columns(age=pl.when(pl.int_range(300) == 7).then(66).otherwise("age")),
        "name": frame.rename({"age": "Age"}),
        "order": frame.reverse(),
        "row": frame[:-1],
        "column": frame.select("sex", "age", "ward"),
    }
    for name, lie in lies.items():
        path = tmp_path / f"{name}.csv"
        lie.write_csv(path)
        assert broken(everything(release, **{role: path})) == [role], name
    frame.write_parquet(tmp_path / "same.parquet")
    assert everything(release, **{role: tmp_path / "same.parquet"}).verified
    (tmp_path / "no_table.parquet").write_bytes(b"no table")
    assert broken(everything(release, **{role: tmp_path / "no_table.parquet"})) == [role]


def test_the_original_is_not_compared_without_its_opening(release: Release, tmp_path: Path) -> None:
    lonely = tmp_path / "c.json"
    lonely.write_bytes(release.certificate.read_bytes())
    moved = tmp_path / "original.csv"
    moved.write_bytes(release.original.read_bytes())
    assert broken(everything(release, lonely, original=moved)) == ["original"]
    # Beside the original is where a holder keeps it.
    assert everything(release, lonely).verified


def test_keys(release: Release, tmp_path: Path) -> None:
    mallory = Key.new("Mallory")
    assert not verify(release.certificate, {}).verified
    assert not verify(release.certificate, {mallory.id: mallory.public}).verified
    one = {release.holder.id: release.holder.public}
    assert broken(verify(release.certificate, one)) == ["signers"]
    forged = written(tmp_path / "f.json", seal(payload(release), PAYLOAD_TYPE, [mallory]))
    known = {**release.known, mallory.id: mallory.public}
    assert broken(verify(forged, known)) == ["signers"]
    # The key of the holder under another name here than in the certificate.
    renamed = PublicKey("CHU d'Angers", release.holder.public.raw, TODAY, None, b"")
    found = verify(release.certificate, {**release.known, renamed.id: renamed})
    assert broken(found) == ["signature"]


def payload(release: Release) -> bytes:
    return base64.b64decode(release.envelope["payload"])


def test_an_expired_key_and_a_certificate_that_ended(release: Release, tmp_path: Path) -> None:
    short = Key.new("CHU de Nantes", days=1)
    statement = json.loads(payload(release).decode().replace(release.holder.id, short.id))
    old, new = release.holder.public.raw, short.public.raw
    text = json.dumps(statement).replace(
        base64.b64encode(old).decode(), base64.b64encode(new).decode()
    )
    path = tmp_path / "short.json"
    path.write_bytes(canonical(release.sealed(json.loads(text), short, release.region)))
    known = {**release.known, short.id: short.public}
    assert verify(path, known).verified
    later = TODAY + dt.timedelta(2)
    assert broken(verify(path, known, on=later)) == ["signature", "signers"]
    assert broken(verify(release.certificate, release.known, on=TODAY + dt.timedelta(301))) == [
        "dates"
    ]


def test_signatures_missing_doubled_or_swapped(release: Release, tmp_path: Path) -> None:
    def with_signatures(signatures: Any) -> list[str]:
        envelope = {**release.envelope, "signatures": signatures}
        return broken(verify(written(tmp_path / "s.json", envelope), release.known))

    first, second = release.envelope["signatures"]
    assert with_signatures([first]) == ["signers"]
    assert with_signatures([]) == ["file"]
    assert with_signatures([first, first]) == ["signature", "signers"]
    assert with_signatures([first, second, first]) == ["signature"]
    swapped = [{**first, "keyid": second["keyid"]}, {**second, "keyid": first["keyid"]}]
    assert with_signatures(swapped).count("signature") == 2
    beside = {**first, "public": release.holder.public.content()}
    assert with_signatures([beside, second]) == ["file"]
    with pytest.raises(TrustError, match="has signed this already"):
        add_signature(release.envelope, release.holder)


def test_another_kind_of_document(release: Release, tmp_path: Path) -> None:
    for kind in ("application/json", "application/vnd.sosie.agreement+json", ""):
        envelope = {**release.envelope, "payloadType": kind}
        assert broken(verify(written(tmp_path / "k.json", envelope), release.known)) == ["file"]
        sealed = seal(payload(release), kind, [release.holder, release.region])
        assert broken(verify(written(tmp_path / "k.json", sealed), release.known)) == ["file"]
    assert broken(verify(release.agreement, release.known)) == ["file"]
    for statement in ({}, [], "x", None, {**release.statement, "predicateType": "another"}):
        path = written(tmp_path / "k.json", release.sealed(statement))
        assert broken(verify(path, release.known)) == ["document"]


def test_what_is_no_certificate(release: Release, tmp_path: Path) -> None:
    whole = release.certificate.read_bytes()
    text = whole.decode()
    hostile = {
        "empty": b"",
        "cut": whole[: len(whole) // 2],
        "cut at the end": whole.rstrip()[:-1],
        "deep": b"[" * 100_000 + b"]" * 100_000,
        "deep in it": text.replace('"signatures":', '"x":' + "[" * 70 + "]" * 70 + ',"signatures":')
        .encode(),
        "not a number": text.replace('"payload":', '"x":NaN,"payload":').encode(),
        "infinite": text.replace('"payload":', '"x":1e999,"payload":').encode(),
        "twice": text.replace('"payload":', '"payload":"e30=","payload":').encode(),
        "binary": bytes(range(256)) * 10,
        "marked": b"\xef\xbb\xbf" + whole,
        "utf-16": text.encode("utf-16"),
    }  # fmt: skip
    for name, content in hostile.items():
        path = tmp_path / "hostile.json"
        path.write_bytes(content)
        assert broken(verify(path, release.known)) == ["file"], name
    huge = tmp_path / "huge.json"
    with huge.open("wb") as file:
        file.seek(100 << 20)
        file.write(b"}")
    began = time.perf_counter()
    assert broken(verify(huge, release.known)) == ["file"]
    assert time.perf_counter() - began < 1


def test_what_is_signed_is_spelt_in_one_way(release: Release, tmp_path: Path) -> None:
    content = payload(release)
    spellings = {
        "spaced": json.dumps(json.loads(content), ensure_ascii=False).encode(),
        "escaped": json.dumps(json.loads(content), sort_keys=True, separators=(",", ":")).encode(),
        "twice": content.replace(b'{"@context"', b'{"@context":1,"@context"'),
        "number": content.replace(b'"threshold":0.05', b'"threshold":5e-2'),
        "followed": content + b" ",
    }
    for name, other_ in spellings.items():
        assert other_ != content, name
        sealed = seal(other_, PAYLOAD_TYPE, [release.holder, release.region])
        assert broken(verify(written(tmp_path / "s.json", sealed), release.known)) == ["document"]


@pytest.mark.parametrize("name", ["СHU de Nantes", "CHU de Nantes\u200b", "chu de nantes", "ＣHU"])
def test_look_alike_names(release: Release, tmp_path: Path, name: str) -> None:
    record = release.record
    signers = [*record["signers"], {**record["signers"][0], "name": name, "required": False}]
    named = named_in(release, tmp_path, {**record, "signers": signers})
    assert named & {"findings", "document"}


def test_another_agreement(release: Release, tmp_path: Path) -> None:
    from sosie.trust import sign_agreement

    from .release import agreement

    another, other_ = tmp_path / "agreement.json", agreement()
    for key in (release.holder, release.region):
        sign_agreement(other_, key, another)
    assert broken(everything(release, agreement=another)) == ["agreement"]
    envelope = json.loads(release.agreement.read_bytes())
    envelope["signatures"] = envelope["signatures"][1:]
    assert broken(everything(release, agreement=written(tmp_path / "a.json", envelope))) == [
        "agreement"
    ]


def test_verifying_is_quick(release: Release) -> None:
    """Two signatures and a verification take less than 50 ms, the files apart."""
    statement = canonical(release.statement)
    taken = []
    for _ in range(9):
        began = time.perf_counter()
        seal(statement, PAYLOAD_TYPE, [release.holder, release.region])
        assert verify(release.certificate, release.known).verified
        taken.append(time.perf_counter() - began)
    assert statistics.median(taken) < 0.05
