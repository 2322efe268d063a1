"""Images and their labels from a folder or an .npz file, and back."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from sosie.errors import DataError, ParameterError
from sosie.table import folders_of, inside, pictures_of, read_picture, whole_file, whole_folder

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["check_label_names", "files_left", "read_images", "write_images"]

_NAMES = ("images", "train_images"), ("labels", "train_labels")
_MOST = 64
_NAMED = 3
"""Files of another size that are named, at most."""


def read_images(path: Path) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Read images, and their labels if they have some.

    Parameters
    ----------
    path : Path
        A folder of images (PNG, JPEG, BMP, TIFF, GIF), flat or with one sub-folder a label; or
        an .npz with ``images`` and maybe ``labels`` (or ``train_images`` and ``train_labels``).

    Returns
    -------
    images : ndarray of shape (n, h, w) or (n, h, w, 3)
    labels : ndarray of shape (n,), or None

    Raises
    ------
    DataError
        If there are none, one cannot be read, or they are of unequal sizes.
    """
    if path.is_dir():
        return _of_folder(path)
    if path.suffix.lower() == ".npz":
        return _of_arrays(path)
    if not path.exists():
        raise DataError(f"{path} does not exist; give a folder of images or an .npz file.")
    raise DataError(f"{path} is neither a folder of images nor an .npz file.")


def files_left(path: Path) -> int:
    """Count what a folder of images holds that is not read: other formats, deeper folders.

    Parameters
    ----------
    path : Path
        As for `read_images`; of an .npz nothing is left.
    """
    if not path.is_dir():
        return 0
    folders = folders_of(path)
    held = [one for place in (path, *folders) for one in inside(place)]
    read = [one for place in (path, *folders) for one in pictures_of(place)]
    return len(held) - len(read) - len(folders)


def check_label_names(path: Path, labels: NDArray[Any] | None) -> None:
    """Refuse labels of which no folder can be made, where images are to go to folders.

    Raises
    ------
    ParameterError
        If a label cannot be the name of a folder.
    """
    if labels is not None and path.suffix.lower() != ".npz":
        for label in np.unique(labels).tolist():
            _folder_name(label)


def write_images(path: Path, images: NDArray[Any], labels: NDArray[Any] | None) -> None:
    """Write images as an .npz file, or as a folder of PNG files; whole or absent.

    With labels a folder has one sub-folder a label.

    Raises
    ------
    DataError
        If it cannot be written.
    ParameterError
        If a label cannot be the name of a folder.
    """
    if path.suffix.lower() == ".npz":
        if labels is not None and labels.dtype == object:
            labels = labels.astype(str)  # dates, which else would have to be run to be read
        arrays: Any = {"images": images} if labels is None else {"images": images, "labels": labels}
        with whole_file(path) as out:
            np.savez_compressed(out, **arrays)
        return
    from PIL import Image

    shades = images if images.dtype == np.uint8 else np.rint(images * 255).astype(np.uint8)
    if shades.ndim == 4 and shades.shape[3] == 1:
        shades = shades[..., 0]
    names = [""] * len(images) if labels is None else [_folder_name(one) for one in labels.tolist()]
    digits = len(str(len(images)))
    with whole_folder(path) as draft:
        for name in set(names):
            (draft / name).mkdir(exist_ok=True)
        for i, (image, name) in enumerate(zip(shades, names, strict=True), 1):
            Image.fromarray(image).save(draft / name / f"{i:0{digits}d}.png")


def _folder_name(label: Any) -> str:
    name = str(label)
    if not name.strip(". ") or any(c in '/\\:*?"<>|' or not c.isprintable() for c in name):
        raise ParameterError(
            "A label cannot be the name of a folder: give --out a name that ends in .npz."
        )
    return name


def _of_folder(path: Path) -> tuple[NDArray[Any], NDArray[Any] | None]:
    flat, folders = pictures_of(path), folders_of(path)
    if flat and folders:
        raise DataError(f"{path} holds images and folders: put each image in that of its label.")
    files = flat or [one for folder in folders for one in pictures_of(folder)]
    if not files:
        raise DataError(f"{path} holds no image, nor folders of them.")
    images = [read_picture(file, _MOST) for file in files]
    if any(image.ndim == 3 for image in images):
        images = [
            image if image.ndim == 3 else np.repeat(image[..., None], 3, 2) for image in images
        ]
    _check_sizes(path, dict(zip(files, images, strict=True)))
    labels = None if flat else np.array([file.parent.name for file in files])
    return np.stack(images), labels


def _check_sizes(path: Path, images: dict[Path, NDArray[np.uint8]]) -> None:
    """Refuse images of unequal sizes, and name those that are not as most are."""
    sizes = {file: f"{image.shape[1]} x {image.shape[0]}" for file, image in images.items()}
    usual = Counter(sizes.values()).most_common(1)[0][0]
    odd = [
        f"{file.relative_to(path).as_posix()} ({size})"
        for file, size in sizes.items()
        if size != usual
    ]
    if odd:
        named = ", ".join(odd[:_NAMED])
        if len(odd) > _NAMED:
            named += f" and {len(odd) - _NAMED} more"
        raise DataError(
            f"{path}: images are of unequal sizes, most of them {usual}, but not {named}: resize "
            "them to one."
        )


def _of_arrays(path: Path) -> tuple[NDArray[Any], NDArray[Any] | None]:
    try:
        with np.load(path, allow_pickle=False) as given:
            found = [
                next((_held(path, given, name) for name in names if name in given.files), None)
                for names in _NAMES
            ]
    except DataError:
        raise
    except (OSError, ValueError, BadZipFile, EOFError) as error:
        raise DataError(f"{path} is not a file of arrays that can be read.") from error
    images, labels = found
    if images is None:
        raise DataError(f"{path} has no array called images, nor train_images.")
    return images, labels


def _held(path: Path, given: Any, name: str) -> NDArray[Any]:
    """Read an array, unless it holds objects of Python, which only running them would tell."""
    try:
        return given[name]
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise
        what = "text or whole numbers" if name in _NAMES[1] else "one array of numbers"
        raise DataError(
            f"{path}: its {name} are objects of Python, which are not read: save them as {what}."
        ) from error
