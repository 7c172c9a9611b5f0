"""A QR code as part of a page: black on white in both themes, for cameras."""

from typing import Final

import segno
from markupsafe import Markup

_SCALE: Final = 4
"""Pixels of a module."""


def qr(text: str, title: str) -> Markup:
    """An `svg` element without style or script."""
    code = segno.make(text, error="m", micro=False)
    return Markup(code.svg_inline(scale=_SCALE, border=4, dark="#000", light="#fff", title=title, svgclass="qr"))
