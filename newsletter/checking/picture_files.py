"""Facts of a picture from the first bytes of its file; nothing is decoded, so nothing can blow up."""

from __future__ import annotations

import re
import struct
from pathlib import Path

from newsletter.checking import subjects

_MOST_READ = 400_000
_BRANDS = {
    b"avif": "avif",
    b"avis": "avif",
    b"heic": "heic",
    b"heix": "heic",
    b"mif1": "heic",
    b"msf1": "heic",
}
_STARTS = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg", b"GIF87a": "gif", b"GIF89a": "gif"}
_STARTS |= {b"BM": "bmp", b"II*\0": "tiff", b"MM\0*": "tiff", b"%PDF": "pdf", b"\0\0\1\0": "ico"}
_STARTS |= {b"\xff\x0a": "jxl"}
_SVG = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*|<!DOCTYPE[^>]*>\s*)*<svg\b", re.DOTALL
)


def loader(folder: Path) -> subjects.ImageLoader:
    """Return what finds the facts of pictures that lie beside an issue; those on web servers stay unknown."""

    def load(src: str) -> subjects.ImageFacts | None:
        if not src or "://" in src or src.startswith(("data:", "cid:")):
            return None
        return read(folder / src)

    return load


def read(path: Path) -> subjects.ImageFacts:
    """Return what a file's header says; a file that is no picture comes back with its problem."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(_MOST_READ)
            file.seek(max(size - 64, 0))
            tail = file.read()
    except FileNotFoundError:
        return subjects.ImageFacts(format="", size=0, problem="there is no such file")
    except OSError as error:
        return subjects.ImageFacts(format="", size=0, problem=error.strerror or "cannot be read")
    return _facts(head, tail, size)


def _facts(head: bytes, tail: bytes, size: int) -> subjects.ImageFacts:
    form = _format(head)
    if not form:
        return subjects.ImageFacts(format="", size=size, problem="is not a picture that mail programs show")
    try:
        width, height = _dimensions(form, head)
    except struct.error:
        return subjects.ImageFacts(format=form, size=size, problem="is cut short")
    problem = ""
    if form in {"png", "jpeg", "gif"} and not (width and height):
        problem = "does not say how large it is"
    elif _is_cut(form, tail):
        problem = "is cut short"
    animated = form == "gif" and head.count(b"\x21\xf9\x04") > 1
    return subjects.ImageFacts(
        format=form, size=size, width=width, height=height, animated=animated, problem=problem
    )


def _format(head: bytes) -> str:
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "")
    if head.startswith(b"RIFF"):
        return "webp" if head[8:12] == b"WEBP" else ""
    if _SVG.match(head):
        return "svg"
    return next((form for start, form in _STARTS.items() if head.startswith(start)), "")


def _dimensions(form: str, head: bytes) -> tuple[int, int]:
    if form == "png":
        width, height = struct.unpack(">II", head[16:24])
        return int(width), int(height)
    if form == "gif":
        width, height = struct.unpack("<HH", head[6:10])
        return int(width), int(height)
    return _jpeg_dimensions(head) if form == "jpeg" else (0, 0)


def _jpeg_dimensions(head: bytes) -> tuple[int, int]:
    """Walk the segments to the start of frame, ITU T.81 B.2.2."""
    at = 2
    while at + 9 <= len(head):
        if head[at] != 0xFF:
            break
        marker = head[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            height, width = struct.unpack(">HH", head[at + 5 : at + 9])
            return int(width), int(height)
        at += 2 + int(struct.unpack(">H", head[at + 2 : at + 4])[0])
    return 0, 0


def _is_cut(form: str, tail: bytes) -> bool:
    """Say whether the mark that ends a file of this kind is missing."""
    if form == "png":
        return b"IEND" not in tail
    if form == "jpeg":
        return b"\xff\xd9" not in tail
    return form == "gif" and not tail.rstrip(b"\0").endswith(b"\x3b")
