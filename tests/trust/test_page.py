"""The page of a certificate: green on a true one, red and the place named on a broken one."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sosie.report import wording
from sosie.trust import LANGUAGES, PAYLOAD_TYPE, Key, canonical, page, seal

from .browser import CHROMIUM, Browser
from .release import Release, make

WORDING = {lang: wording(lang) for lang in LANGUAGES}
chromium = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return make(tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as found:
        yield found


def shown(browser: Browser, tmp_path: Path, envelope: Any) -> dict[str, Any]:
    path = tmp_path / "page.html"
    path.write_bytes(page(envelope, WORDING))
    browser.open(path)
    return told(browser)


def told(browser: Browser) -> dict[str, Any]:
    """Give the state of the seal, its words, and each item with its mark."""
    found: dict[str, Any] = json.loads(
        browser.run(
            """JSON.stringify({
              state: document.getElementById('seal').dataset.state,
              said: document.querySelector('.said').innerText,
              items: Object.fromEntries([...document.querySelectorAll('#seal li')].map(
                (one, i) => [`${i} ${one.dataset.item}`, one.dataset.ok])),
              text: document.body.innerText})"""
        )
    )
    return found


def broken(found: dict[str, Any]) -> set[str]:
    return {name.split()[1] for name, ok in found["items"].items() if ok == "false"}


def test_a_page_fetches_nothing_and_runs_only_its_own(release: Release) -> None:
    text = page(release.envelope, WORDING).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy is not None
    allowed = dict(part.split(" ", 1) for part in policy[1].split("; "))
    assert allowed["default-src"] == "'none'"
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    styles = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    for content, rule in ((scripts, "script-src"), (styles, "style-src")):
        assert len(content) == 1
        digest = base64.b64encode(hashlib.sha256(content[0].encode()).digest()).decode()
        assert allowed[rule] == f"'sha256-{digest}'"
    assert not re.search(r'(src|href|action)="(?!data:)', text)
    assert len(text) < 300_000
    assert page(release.envelope, WORDING).decode() == text


def test_the_texts_are_in_both_languages() -> None:
    from sosie.trust._texts import texts

    def keys(value: Any, at: str = "") -> set[str]:
        if not isinstance(value, dict):
            return {at}
        return {key for name, part in value.items() for key in keys(part, f"{at}.{name}")}

    for name in ("page", "pia"):
        english, french = texts(name, "en"), texts(name, "fr")
        assert keys(english) == keys(french)
    for words in (texts("page", "en"), texts("page", "fr")):
        said = json.dumps(words, ensure_ascii=False)
        assert "GDPR certification" not in said
        assert "certification RGPD" not in said


@chromium
def test_green_on_a_true_certificate(release: Release, browser: Browser, tmp_path: Path) -> None:
    found = shown(browser, tmp_path, release.envelope)
    assert found["state"] == "good"
    assert set(found["items"].values()) == {"true"}
    assert len(found["items"]) == 6
    assert "compare the fingerprints" in found["said"]
    for said in ("Why nurses leave", "CHU de Nantes", "Région", "synthetic.csv", "Laboratoire"):
        assert said in found["text"]
    assert "[object" not in found["text"]
    assert "undefined" not in found["text"]
    assert not re.search(r"\{\w+\}", found["text"])
    assert [url for url in browser.requests if not url.startswith(("file:", "data:"))] == []


@chromium
def test_in_french(release: Release, browser: Browser, tmp_path: Path) -> None:
    shown(browser, tmp_path, release.envelope)
    browser.run("document.querySelector('button[lang=fr]').click()")
    found = told(browser)
    assert "Intact et signé" in found["said"]
    assert browser.run("document.documentElement.lang") == "fr"
    assert "Nurses of the hospital (autre donnée personnelle)" in found["text"]
    assert "PersonalData" not in found["text"]
    told_of = browser.run("['fail', 'pass, attention', '0.1'].map(inWords).join('/')")
    assert told_of.replace("\u00a0", " ") == "« échec »/« conforme » ou « attention »/0,1"
    assert not re.search(r"\{\w+\}|undefined|\[object", found["text"])


@chromium
def test_keys_that_were_compared(release: Release, browser: Browser, tmp_path: Path) -> None:
    shown(browser, tmp_path, release.envelope)
    browser.drop(*sorted(release.keys.glob("*.pub")))
    assert "you recognised their keys" in told(browser)["said"]
    # A key whose name was changed is no key.
    forged = json.loads((release.keys / "Région.pub").read_bytes()) | {"name": "Mallory"}
    lie = tmp_path / "Mallory.pub"
    lie.write_bytes(canonical(forged))
    browser.drop(lie)
    found = told(browser)
    assert found["state"] == "bad"
    assert broken(found) == {"given_key"}


@chromium
def test_files_dropped(release: Release, browser: Browser, tmp_path: Path) -> None:
    shown(browser, tmp_path, release.envelope)
    browser.drop(release.synthetic)
    found = told(browser)
    assert (found["state"], list(found["items"])[-1]) == ("good", "6 result")
    lie = tmp_path / "synthetic.csv"
    lie.write_text(release.synthetic.read_text("utf-8").replace("surgery", "Surgery", 1), "utf-8")
    browser.drop(lie)
    found = told(browser)
    assert found["state"] == "bad"
    assert broken(found) == {"result"}
    assert "File synthetic.csv" in found["said"]


@chromium
def test_another_certificate_dropped(release: Release, browser: Browser, tmp_path: Path) -> None:
    shown(browser, tmp_path, release.envelope)
    lie = tmp_path / "lie.json"
    lie.write_bytes(canonical(tampered(release, b'"k":10', b'"k":11')))
    browser.drop(lie)
    found = told(browser)
    assert found["state"] == "bad"
    assert "Signature of" in found["said"]


def tampered(release: Release, old: bytes, new: bytes) -> dict[str, Any]:
    payload = base64.b64decode(release.envelope["payload"])
    assert old in payload
    lie = base64.b64encode(payload.replace(old, new)).decode()
    return {**release.envelope, "payload": lie}


@chromium
def test_red_and_named_on_a_broken_one(release: Release, browser: Browser, tmp_path: Path) -> None:
    envelope, statement = release.envelope, release.statement
    first, second = envelope["signatures"]
    mallory = Key.new("Mallory")
    record = release.record
    spaced = seal(json.dumps(statement).encode(), PAYLOAD_TYPE, [release.holder, release.region])
    lies: list[tuple[Any, set[str]]] = [
        (tampered(release, b"Why nurses leave", b"Why nurses stay!"), {"signature", "signers"}),
        (tampered(release, b'"public":"', b'"public":"A'), {"document"}),
        (tampered(release, b'"signers":', b'"sinners":'), {"document"}),
        (tampered(release, b'"sosieContent1":"', b'"sosieContent1":"x'), {"document"}),
        ({**envelope, "signatures": [first]}, {"signers"}),
        ({**envelope, "signatures": [first, first, second]}, {"signature"}),
        ({**envelope, "signatures": []}, {"file"}),
        ({**envelope, "signatures": [{**first, "sig": second["sig"]}, second]},
         {"signature", "signers"}),
        ({**envelope, "payloadType": "application/json"}, {"file"}),
        ({**envelope, "more": 1}, {"file"}),
        (spaced, {"document"}),
        (release.sealed(statement, mallory), {"signers"}),
        (release.sealed({**statement, "predicateType": "x"}), {"document"}),
        (release.sealed(ended(statement, record["expires"])), {"dates"}),
    ]  # fmt: skip
    for envelope_, named in lies:
        found = shown_any(browser, tmp_path, envelope_)
        assert found["state"] == "bad", named
        assert broken(found) == named
    picture = tmp_path / "broken.png"
    browser.picture(picture)
    assert picture.stat().st_size > 20_000


def ended(statement: dict[str, Any], expires: str) -> Any:
    return json.loads(json.dumps(statement).replace(expires, "2020-01-01"))


def shown_any(browser: Browser, tmp_path: Path, envelope: Any) -> dict[str, Any]:
    """Show what `sosie show` would refuse to put into a page: someone else may."""
    from sosie.trust import _page

    genuine = tmp_path / "page.html"
    carried = _page._inert({"text": json.dumps(envelope), "code": ""})
    nothing = {"payload": "e30=", "payloadType": "x", "signatures": [{"keyid": "", "sig": ""}]}
    text = page(nothing, WORDING).decode()
    start = text.index(">", text.index('id="certificate"')) + 1
    end = text.index("</script>", start)
    genuine.write_text(text[:start] + carried + text[end:], "utf-8")
    browser.open(genuine)
    return told(browser)


@chromium
def test_hostile_texts_stay_texts(release: Release, browser: Browser, tmp_path: Path) -> None:
    """A title with a script in it is shown, not run."""
    evil = '<img src=x onerror="document.title=1"></script><script>alert(1)</script>'
    lie = json.loads(json.dumps(release.statement).replace("Why nurses leave", "T1TLE"))
    text = json.dumps(lie).replace("T1TLE", json.dumps(evil)[1:-1])
    found = shown(browser, tmp_path, release.sealed(json.loads(text)))
    assert found["state"] == "good"
    assert evil in found["text"]
    assert browser.run("document.querySelectorAll('main img[src=x], main script').length") == 0
