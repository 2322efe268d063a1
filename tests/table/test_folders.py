"""A folder is whole or absent."""

from pathlib import Path

import pytest

from sosie.errors import DataError
from sosie.table import check_folder, whole_folder


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "kept"
    with whole_folder(target) as draft:
        (draft / "a").write_text("first")
    with pytest.raises(ZeroDivisionError), whole_folder(target) as draft:  # noqa: PT012
        (draft / "a").write_text("second")
        raise ZeroDivisionError
    assert (target / "a").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert target.stat().st_mode & 0o077 == 0


def test_no_room_is_told(tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    check_folder(full)
    (full / "a").touch()
    (tmp_path / "file").touch()
    for path in (full, tmp_path / "file"):
        with pytest.raises(DataError, match="is there already"):
            check_folder(path)
    with pytest.raises(DataError, match="does not exist"):
        check_folder(tmp_path / "none" / "new")
    with pytest.raises(DataError, match="does not exist"), whole_folder(tmp_path / "none" / "new"):
        pass
