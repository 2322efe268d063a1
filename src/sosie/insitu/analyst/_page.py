"""An answer as one page to read, in French or English, with nothing fetched from anywhere."""

from __future__ import annotations

import base64
import html
import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from sosie.insitu.analyst._sentences import sentences_of, spelt_float

if TYPE_CHECKING:
    from sosie.insitu.analyst._answer import Answer

__all__ = ["page_of", "texts_of"]

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #23262d; background: #fcfbf8;
  max-width: 56rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem; margin-bottom: .2rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; margin: 1rem 0 }
td, th { padding: .25rem .8rem; text-align: right; border-bottom: 1px solid #e3e1da;
  font-variant-numeric: tabular-nums } th { color: #6b7079 }
td:first-child, th:first-child { text-align: left; padding-left: 0 } img { max-width: 100% }
.faint { color: #6b7079 } code { font-size: .85rem; word-break: break-all }
"""


def page_of(answer: Answer, lang: str) -> str:
    """Make the page of an answer.

    Parameters
    ----------
    answer : Answer
    lang : str
        ``en`` or ``fr``.

    Returns
    -------
    str
        HTML.
    """
    from sosie.insitu.analyst._picture import drawn

    words = texts_of(lang, answer.analysis)
    content = answer.content
    parts = [
        f"<h1>{_safe(words['names'].get(answer.analysis, answer.analysis))}</h1>",
        f"<p class=faint>{_safe(words['sites'].format(sites=', '.join(content['sites'])))}</p>",
    ]
    picture = drawn(answer)
    if picture is not None:
        spelt = base64.b64encode(picture).decode("ascii")
        parts.append(f'<img alt="" src="data:image/png;base64,{spelt}">')
    parts += [_table(name, answer, words) for name in answer.tables]
    if answer.single:
        rows = "".join(
            f"<tr><td>{_safe(words['columns'].get(k, k))}</td><td>{_spelt(v, words)}</td></tr>"
            for k, v in answer.single.items()
        )
        parts.append(f"<table>{rows}</table>")
    parts += [f"<p>{_safe(one)}</p>" for one in sentences_of(answer, words)]
    checks = ", ".join(words["checks"].get(one["check"], one["check"]) for one in content["gate"])
    parts += [
        f"<h2>{_safe(words['gate'])}</h2><p>{_safe(words['gate_said'])}</p><p>{_safe(checks)}.</p>",
        f"<h2>{_safe(words['certificate'])}</h2><p>{_safe(words['certificate_said'])}</p>",
        f"<p class=faint>{_safe(words['agreement'])} <code>{content['agreement']}</code></p>",
    ]
    head = f"<!doctype html><html lang={lang}><meta charset=utf-8><title>{_safe(answer.analysis)}"
    return f"{head}</title><style>{_STYLE}</style><body>{''.join(parts)}</body></html>\n"


def _table(name: str, answer: Answer, words: dict[str, Any]) -> str:
    rows = answer.content["result"][name]
    columns = list(dict.fromkeys(key for row in rows for key in row if key != "why_not"))
    head = "".join(f"<th>{_safe(words['columns'].get(c, c))}</th>" for c in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{_spelt(row.get(c), words)}</td>" for c in columns) + "</tr>"
        for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _spelt(value: Any, words: dict[str, Any]) -> str:
    if value is None:
        return "–"
    if isinstance(value, list):
        return "[" + " ; ".join(_spelt(one, words) for one in value) + "]"
    if isinstance(value, float):
        return spelt_float(value, words["decimal"])
    if isinstance(value, bool):
        return _safe(words["yes" if value else "no"])
    return _safe(words["words"].get(value, str(value)))


def texts_of(lang: str, analysis: str) -> dict[str, Any]:
    """Give the words of an answer, ``en`` or ``fr``.

    Verdicts and measures have words of their own; what other analyses tell are labels of the
    holders, which stay as they are.
    """
    content = (files("sosie.insitu.analyst") / f"{lang}.toml").read_text(encoding="utf-8")
    words = tomllib.loads(content)
    if analysis == "compare_ways":
        return words | {"words": words["ways"]}
    return words if analysis in words["told"] else words | {"words": {}}


def _safe(text: str) -> str:
    return html.escape(text)
