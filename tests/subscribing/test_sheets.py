"""Files of people are read whatever wrote them, and refused when they are an attack."""

from __future__ import annotations

import tracemalloc
import zipfile
from pathlib import Path

import pytest

from newsletter.domain import errors
from newsletter.subscribing import sheets

TABLE = "email,name\nada@example.org,Ada Müller\n"
JAPANESE = "email,name\ntaro@example.jp,山田太郎\nhanako@example.jp,佐藤はなこ\n"


def read(path: Path, **options: str) -> list[list[str]]:
    return [cells for sheet in sheets.open_sheets(path, **options) for _, cells in sheet.rows()]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (TABLE, "utf-8"),
        (TABLE, "utf-8-sig"),
        (TABLE, "utf-16"),
        (TABLE, "utf-16-le"),
        (TABLE, "utf-16-be"),
        (TABLE, "utf-32"),
        (TABLE, "windows-1252"),
        (JAPANESE, "utf-8"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "cp932"),
        ("email,name\nx@example.jp,田中\n", "shift_jis"),
        ("email,name\nh@example.fr,Héritier Prénom Ørsted “Æ”\n", "windows-1252"),
    ],
)
def test_every_encoding_that_exports_use_is_found_out(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(text.encode(encoding))
    assert read(path) == [line.split(",") for line in text.strip().split("\n")]


def test_an_encoding_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes("email,name\na@example.org,Łukasz\n".encode("iso-8859-2"))
    assert read(path, encoding="iso-8859-2")[1][1] == "Łukasz"
    with pytest.raises(errors.ImportFileError, match="no encoding that we know"):
        read(path, encoding="klingon")


def test_a_character_cut_in_two_at_a_block_s_end_is_still_utf8(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(b"email,name\n" + b"x" * ((1 << 20) - 12) + "é".encode() + b"@example.org,n\n")
    assert [sheet.encoding for sheet in sheets.open_sheets(path)] == ["utf-8"]


@pytest.mark.parametrize(
    "text",
    [
        "email,name\na@example.org,Ada\n",
        "email;name\na@example.org;Ada\n",
        "email\tname\na@example.org\tAda\n",
        "email|name\na@example.org|Ada\n",
        "sep=;\nemail;name\na@example.org;Ada\n",
        "\n\nemail,name\r\na@example.org,Ada\r\n\r\n",
        '"email","name"\r"a@example.org","Ada"\r',
    ],
)
def test_every_separator_and_line_end_is_found_out(tmp_path: Path, text: str) -> None:
    path = tmp_path / "people.csv"
    path.write_text(text, newline="")
    assert read(path) == [["email", "name"], ["a@example.org", "Ada"]]


def test_a_line_break_in_quotation_marks_belongs_to_its_cell(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text('email,note\na@example.org,"two\nlines; and, more"\nb@example.org,x\n')
    (sheet,) = sheets.open_sheets(path)
    assert list(sheet.rows()) == [
        (1, ["email", "note"]),
        (2, ["a@example.org", "two\nlines; and, more"]),
        (4, ["b@example.org", "x"]),
    ]


def test_a_thousand_columns_are_no_trouble(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text(",".join(f"c{n}" for n in range(999)) + ",email\n" + "," * 999 + "a@example.org\n")
    assert read(path)[1][-1] == "a@example.org"


def test_a_quotation_that_never_ends_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text('email,name\na@example.org,"Ada\n' + "b@example.org,Bob\n" * 100_000)
    with pytest.raises(errors.ImportFileError, match=r"people\.csv:2: .* cannot be read") as caught:
        read(path)
    assert "quotation mark" in caught.value.hint


def test_an_encoding_that_breaks_off_is_named(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(b"email,name\n" + b"a@example.org,x\n" * 50_000 + b"b@example.org,\x81\x8d\n")
    with pytest.raises(errors.ImportFileError, match="not readable as") as caught:
        read(path)
    assert "--encoding" in caught.value.hint


def test_a_file_that_is_missing_empty_or_no_table_says_so(tmp_path: Path) -> None:
    with pytest.raises(errors.ImportFileError, match="cannot be read"):
        sheets.open_sheets(tmp_path / "nothing.csv")
    (tmp_path / "empty.csv").write_text("\n \n")
    with pytest.raises(errors.ImportFileError, match="is empty"):
        sheets.open_sheets(tmp_path / "empty.csv")
    with pytest.raises(errors.ImportFileError, match="cannot be read"):
        sheets.open_sheets(tmp_path)


def test_packed_tables_are_read_one_after_the_other_and_share_no_line(tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a.csv", "email\na@example.org\n")
        packed.writestr("folder/b.csv", "email\nb@example.org\n")
        packed.writestr("empty.csv", "")
        packed.writestr("readme.md", "hello")
        packed.writestr("__MACOSX/._a.csv", b"\0\0")
    found = sheets.open_sheets(path)
    assert [sheet.name for sheet in found] == ["all.zip/a.csv", "all.zip/folder/b.csv"]
    lines = [sheet.offset + line for sheet in found for line, _ in sheet.rows()]
    assert len(set(lines)) == len(lines) == 4


def test_a_packed_file_without_a_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("photo.png", b"\x89PNG")
    with pytest.raises(errors.ImportFileError, match=r"holds no \.csv"):
        sheets.open_sheets(path)


def test_a_damaged_packed_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    path.write_bytes(b"PK\x03\x04 and then nothing of the kind")
    with pytest.raises(errors.ImportFileError, match="is damaged"):
        sheets.open_sheets(path)


def test_a_packed_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed, packed.open("a.csv", "w") as member:
        for _ in range(64):
            member.write(b"0" * (1 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(errors.ImportFileError, match="would unpack"):
            sheets.open_sheets(path)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_a_packed_file_that_lies_about_its_size_is_not_unpacked_further(tmp_path: Path) -> None:
    path = tmp_path / "liar.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a.csv", "email\n" + "a@example.org\n" * 1000)
    data = bytearray(path.read_bytes())
    # The size in the central directory, 24 bytes behind its signature.
    place = data.index(b"PK\x01\x02") + 24
    data[place : place + 4] = (30).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(errors.ImportFileError, match="is damaged"):
        read(path)
