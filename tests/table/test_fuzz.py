"""Whatever the bytes, the outcome is a table or one sentence."""

import contextlib
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sosie.errors import SosieError
from sosie.table import Table

CELL = st.one_of(
    st.sampled_from(
        ["", "NA", "1", "1,5", "1.5", "-0", "1e5", "inf", "01", "2020-01-31", "31/01/2020", "a",
         "été", '"', '"a"', '"a""b"', '"x\ny"', " 7 ", "1 234", "true", "false", "'", "\u00a0",
         "2020-02-30", "12:30", "2020-01-31T10:00", "99999999999999999999", "1e400", "+", "\ufeff"]
    ),
    st.text(max_size=4),
)  # fmt: skip
TEXT = st.tuples(
    st.sampled_from([",", ";", "\t", "|", " "]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.lists(st.lists(CELL, min_size=1, max_size=4), max_size=8),
).map(lambda drawn: drawn[1].join(drawn[0].join(row) for row in drawn[2]))
BYTES = st.one_of(TEXT.map(lambda text: text.encode("utf-8", "ignore")), st.binary(max_size=80))


@settings(
    max_examples=100,
    deadline=None,
    # A machine that does other work besides is no fault of the files drawn.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=BYTES)
def test_any_bytes(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    table = None
    with contextlib.suppress(SosieError):
        table = Table.read(path)
    if table is not None:
        table.schema.write(tmp_path / "s.toml")
        assert Table.read(path, tmp_path / "s.toml").schema == table.schema
        table.write(tmp_path / "b.csv")
        assert (tmp_path / "b.csv").exists()
