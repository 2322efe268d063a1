"""A certificate as one web page that explains it and verifies it, without a network."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from sosie.trust._canonical import canonical, sha256
from sosie.trust._code import hash_code
from sosie.trust._envelope import payload_of
from sosie.trust._keys import encoded
from sosie.trust._texts import LANGUAGES, meanings, text_file, texts

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["page"]

_SCRIPTS = ("verifier.js", "page.js", "sections.js")


def page(envelope: Mapping[str, Any], wording: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Make the page of a certificate.

    The page holds the certificate as it is and draws everything out of it in the browser, once
    it has verified it: there is no text beside the signed one that could say something else.
    Only the script whose hash the page states may run, and nothing may be fetched.

    Parameters
    ----------
    envelope : dict
        The signed certificate.
    wording : dict
        For each of the languages, the names of measures, criteria and verdicts.

    Returns
    -------
    bytes
        HTML, in UTF-8; the same envelope gives the same page.

    Raises
    ------
    TrustError
        If it is no envelope.
    """
    carried = {
        "text": canonical(dict(envelope)).decode(),
        "code": _address(hash_code(sha256(payload_of(envelope)))),
    }
    words = {
        lang: {**texts("page", lang), "wording": wording[lang], "terms": meanings(lang)}
        for lang in LANGUAGES
    }
    # The parts of a page are of one file's making: functions of one are called in the next.
    script = "\n".join(text_file(name) for name in _SCRIPTS)
    style = text_file("page.css")
    parts = {
        "SCRIPT_HASH": _allowed(script),
        "STYLE_HASH": _allowed(style),
        "STYLE": style,
        "CERTIFICATE": _inert(carried),
        "TEXTS": _inert(words),
        "SCRIPT": script,
    }
    return re.sub("@([A-Z_]+)@", lambda found: parts[found[1]], text_file("page.html")).encode()


def _inert(value: Any) -> str:
    """Spell JSON so that no text in it can end the element it stands in."""
    spelt = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        spelt = spelt.replace(sign, f"\\u{ord(sign):04x}")
    return spelt


def _allowed(text: str) -> str:
    return f"sha256-{encoded(hashlib.sha256(text.encode()).digest())}"


def _address(svg: bytes) -> str:
    return f"data:image/svg+xml;base64,{encoded(svg)}"
