"""The hash of a certificate as a QR code, for paper and screens."""

import io

from sosie.errors import TrustError

__all__ = ["hash_code"]


def hash_code(digest: str) -> bytes:
    """Draw a hash as a QR code: ``sha256:`` and its hexadecimal digits.

    Parameters
    ----------
    digest : str
        SHA-256 in hexadecimal.

    Returns
    -------
    bytes
        SVG.

    Raises
    ------
    TrustError
        If the library that draws it is not installed.

    Examples
    --------
    >>> hash_code("00" * 32)[:4]
    b'<svg'
    """
    try:
        import segno
    except ImportError as error:
        raise TrustError(
            "QR codes need one more library; install it: pip install 'sosie[trust]'."
        ) from error
    out = io.BytesIO()
    # Quartile correction: a quarter of the drawing may be lost under a stamp.
    segno.make(f"sha256:{digest}", error="q", micro=False).save(
        out, kind="svg", xmldecl=False, svgns=True, border=2, dark="#1c2430", omitsize=True
    )
    return out.getvalue()
