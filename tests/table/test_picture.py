"""Pictures as files of cameras, scanners and systems have them, against Pillow's own pixels."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sosie.errors import DataError
from sosie.table import pictures_of, read_picture

GREY = np.arange(96, dtype=np.uint8).reshape(8, 12)


def saved(path: Path, image: Image.Image, **how: object) -> Path:
    image.save(path, **how)
    return path


def test_grey_stays_grey_however_it_is_saved(tmp_path: Path) -> None:
    image = Image.fromarray(GREY)
    for mode in ("L", "LA", "RGB", "RGBA", "P"):
        found = read_picture(saved(tmp_path / f"{mode}.png", image.convert(mode)))
        np.testing.assert_array_equal(found, GREY, err_msg=mode)
    colour = np.stack([GREY, GREY, GREY[::-1]], axis=2)
    found = read_picture(saved(tmp_path / "colour.png", Image.fromarray(colour)))
    np.testing.assert_array_equal(found, colour)


@pytest.mark.parametrize(("turned", "back"), [(3, 2), (6, -1), (8, 1)])
def test_a_picture_is_upright(tmp_path: Path, turned: int, back: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turned
    path = saved(tmp_path / "held.png", Image.fromarray(GREY), exif=exif)
    np.testing.assert_array_equal(read_picture(path), np.rot90(GREY, back))


def test_what_would_lose_something_is_not_read(tmp_path: Path) -> None:
    deep = Image.fromarray((GREY * 500.0).astype(np.uint16))
    with pytest.raises(DataError, match="more than 256 shades"):
        read_picture(saved(tmp_path / "deep.png", deep))
    with pytest.raises(DataError, match="is of 12 x 8 pixels: resize"):
        read_picture(saved(tmp_path / "wide.png", Image.fromarray(GREY)), 10)
    page = Image.fromarray(GREY)
    several = saved(tmp_path / "several.tif", page, save_all=True, append_images=[page, page])
    with pytest.raises(DataError, match="holds 3 images: save each"):
        read_picture(several)
    np.testing.assert_array_equal(read_picture(saved(tmp_path / "one.tif", page)), GREY)
    (tmp_path / "no.png").write_bytes(b"\x89PNG")
    with pytest.raises(DataError, match="not an image that can be read"):
        read_picture(tmp_path / "no.png")


def test_what_systems_leave_in_a_folder_is_no_picture(tmp_path: Path) -> None:
    for name in ("a.png", "._a.png", ".DS_Store", "Thumbs.db", "B.PNG", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "c.png").mkdir()
    assert [one.name for one in pictures_of(tmp_path)] == ["B.PNG", "a.png"]
