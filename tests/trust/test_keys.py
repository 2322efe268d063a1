"""Keys: files that only their owner reads, and that nobody else can change."""

import json
import stat
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sosie.errors import TrustError
from sosie.trust import Key, PublicKey, sha256


def test_to_files_and_back(tmp_path: Path) -> None:
    key = Key.new("CHU de Nîmes", days=30)
    private, public = key.write(tmp_path)
    assert (private.name, public.name) == ("CHU de Nîmes.key", "CHU de Nîmes.pub")
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert Key.read(private) == key
    assert PublicKey.read(public) == key.public
    assert PublicKey.read_folder(tmp_path) == {key.id: key.public}
    assert key.id == sha256(key.public.raw)
    assert key.expires == datetime.now(UTC).date() + timedelta(30)
    assert "private" not in public.read_text()
    assert repr(key.seed) not in repr(key)


def test_signs_as_the_standard_does() -> None:
    # RFC 8032, section 7.1, test 2
    seed = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    private = Ed25519PrivateKey.from_private_bytes(seed)
    key = Key._of(private, "test", date(2026, 1, 1), None)
    assert key.public.raw.hex().startswith("3d4017c3e843895a92b70aa74d1b7ebc")
    assert key.sign(b"\x72").hex().startswith("92a009a9f0d4cab8720e820b5f642540")


@pytest.mark.parametrize(
    "name", ["../x", "a/b", "a\\b", "-rf", ".hidden", "a:b", "", "CHU\u200b", "dе la"]
)
def test_names_that_are_no_files(name: str) -> None:
    with pytest.raises(TrustError):
        Key.new(name)


@pytest.mark.parametrize("days", [0, -1, 40_000])
def test_days_out_of_range(days: int) -> None:
    with pytest.raises(TrustError, match="days"):
        Key.new("a", days)


def test_a_key_is_never_replaced(tmp_path: Path) -> None:
    first = Key.new("a")
    first.write(tmp_path)
    with pytest.raises(TrustError, match="exists already"):
        Key.new("a").write(tmp_path)
    assert Key.read(tmp_path / "a.key") == first


def changed(value: Any) -> Any:
    if value is None:
        return "2099-01-01"
    return f"{value[:-2]}{'A' if value[-2] != 'A' else 'B'}{value[-1]}"


@pytest.mark.parametrize("suffix", ["key", "pub"])
def test_any_change_of_a_field_is_found(tmp_path: Path, suffix: str) -> None:
    Key.new("CHU de Nantes").write(tmp_path)
    path = tmp_path / f"CHU de Nantes.{suffix}"
    whole = json.loads(path.read_text())
    reader = Key if suffix == "key" else PublicKey
    reader.read(path)
    tried = 0
    for place in [whole, whole["key"]] if suffix == "key" else [whole]:
        for field in list(place):
            if isinstance(place[field], dict):
                continue
            former = place[field]
            for other in (changed(former), None if former is not None else 1, 3.5):
                place[field] = other
                path.write_text(json.dumps(whole))
                with pytest.raises(TrustError, match="not usable as a key"):
                    reader.read(path)
                tried += 1
            place[field] = former
        place["more"] = "field"
        path.write_text(json.dumps(whole))
        with pytest.raises(TrustError, match="not usable as a key"):
            reader.read(path)
        del place["more"]
    assert tried >= 18


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b"x" * 10**6, b"[" * 5000])
def test_junk(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.pub"
    path.write_bytes(content)
    with pytest.raises(TrustError, match="not usable as a key"):
        PublicKey.read(path)
    with pytest.raises(TrustError, match="not usable as a key"):
        Key.read(path)


def test_folders(tmp_path: Path) -> None:
    with pytest.raises(TrustError, match=r"no \.pub file"):
        PublicKey.read_folder(tmp_path)
    with pytest.raises(TrustError, match="not a folder"):
        PublicKey.read_folder(tmp_path / "absent")
    Key.new("Nîmes").write(tmp_path)
    Key.new("Nimes").write(tmp_path)
    with pytest.raises(TrustError, match="taken for one another"):
        PublicKey.read_folder(tmp_path)


def test_an_expired_key_does_not_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    key = Key.new("a", days=1)
    key.sign(b"")
    after = key.created + timedelta(2)
    assert not key.public.expired(key.expires)
    assert key.public.expired(after)
    monkeypatch.setattr("sosie.trust._keys._today", lambda: after)
    with pytest.raises(TrustError, match="expired on"):
        key.sign(b"")
