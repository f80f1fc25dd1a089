"""A picture's header is enough to judge it, and no file can do harm."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest
from PIL import Image

from newsletter.checking import picture_files


def drawn(form: str, width: int = 40, height: int = 30) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "navy").save(out, form)
    return out.getvalue()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF"])
def test_size_and_kind_of_a_good_picture_are_read(tmp_path: Path, form: str) -> None:
    data = drawn(form)
    (tmp_path / "a").write_bytes(data)
    facts = picture_files.read(tmp_path / "a")
    assert (facts.format, facts.width, facts.height, facts.size) == (form.lower(), 40, 30, len(data))
    assert (facts.problem, facts.animated) == ("", False)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF"])
def test_a_picture_cut_short_is_told(tmp_path: Path, form: str) -> None:
    (tmp_path / "a").write_bytes(drawn(form)[:-12])
    assert picture_files.read(tmp_path / "a").problem == "is cut short"
    (tmp_path / "b").write_bytes(drawn(form)[:9])
    assert picture_files.read(tmp_path / "b").problem


def test_an_animation_is_told_from_a_still(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("red", "blue", "green")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=100)
    assert picture_files.read(tmp_path / "a.gif").animated


@pytest.mark.parametrize(
    ("head", "form"),
    [
        (b"RIFF\x10\0\0\0WEBPVP8 ", "webp"),
        (b"\0\0\0\x20ftypavif\0\0\0\0", "avif"),
        (b"\0\0\0\x20ftypheic\0\0\0\0", "heic"),
        (b"<?xml version='1.0'?>\n<!-- drawn -->\n<svg xmlns='http://www.w3.org/2000/svg'/>", "svg"),
        (b"BM\0\0\0\0", "bmp"),
        (b"II*\0", "tiff"),
        (b"%PDF-1.7", "pdf"),
    ],
)
def test_kinds_that_mail_programs_do_not_show_are_recognised(tmp_path: Path, head: bytes, form: str) -> None:
    (tmp_path / "a").write_bytes(head)
    assert picture_files.read(tmp_path / "a").format == form


def test_a_picture_of_40_megapixels_is_measured_without_being_decoded(tmp_path: Path) -> None:
    data = bytearray(drawn("PNG"))
    data[16:24] = struct.pack(">II", 8_000, 5_000)
    (tmp_path / "a").write_bytes(bytes(data))
    assert picture_files.read(tmp_path / "a").width == 8_000


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"\xff\xd8\xff", b"\xff\xd8\xff" + b"\xff" * 50, b"GIF89a", b"RIFF"]
)
def test_what_is_no_picture_comes_back_with_its_problem(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a").write_bytes(data)
    assert picture_files.read(tmp_path / "a").problem


def test_a_missing_file_and_a_folder_are_problems_too(tmp_path: Path) -> None:
    assert picture_files.read(tmp_path / "none").problem == "there is no such file"
    assert picture_files.read(tmp_path).problem


def test_the_loader_knows_files_beside_the_issue_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(drawn("PNG"))
    load = picture_files.loader(tmp_path)
    facts = load("a.png")
    assert facts is not None
    assert facts.width == 40
    assert load("https://a.example.org/a.png") is None
    assert load("") is None
