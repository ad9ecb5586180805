import bz2
import codecs
import gzip
import lzma

import pytest

from mtst.data.limits import Limits
from mtst.data.readers.source import read_bytes
from mtst.data.readers.text.encoding import LONGEST_ROW, find_encoding, text_lines
from mtst.errors import DataError

FRENCH = "Le café était fermé à midi, hélas. Où déjeuner après ça ? Même l'hôtel n'a rien.\n"
GERMAN = "Über die Straße läuft ein großer Hund; das Mädchen grüßt schön.\n"
CHINESE = "这部电影很好看。\n演员的表演也不错。\n"
POLISH = "Dziękuję bardzo, świetny film. Żółw był powolny, a książka nudna. Czy możesz mi pomóc?\n"
JAPANESE = "映画はとても良かったです。電車が遅れた理由はわかりません。\n"
RUSSIAN = "Фильм был очень хороший, и актёры играли прекрасно. Мне понравилось всё.\n"


def decoded(raw):
    return raw.decode(find_encoding(raw))


# --- packed and unpacked


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lambda raw: gzip.compress(raw[:3]) + gzip.compress(raw[3:])])
def test_a_file_is_read_packed_or_not_whatever_its_name(tmp_path, pack):
    path = tmp_path / "table"
    path.write_bytes(pack(b"text,mood\na,b\n"))
    assert read_bytes(path, Limits()) == b"text,mood\na,b\n"


def test_a_gzip_file_that_was_cut_off_or_changed_is_refused(tmp_path):
    whole = gzip.compress(b"text,mood\n" * 1000)
    for damaged in (whole[:-20], whole[:-8] + bytes(8), whole[:12] + b"\xff" * 9 + whole[21:], whole + b"more"):
        (tmp_path / "table.csv.gz").write_bytes(damaged)
        with pytest.raises(DataError, match=r"table\.csv\.gz is a damaged gzip file"):
            read_bytes(tmp_path / "table.csv.gz", Limits())


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_what_is_larger_than_the_limit_is_refused(tmp_path, pack):
    path = tmp_path / "table.csv"
    path.write_bytes(pack(b"a" * 300_000))
    assert len(read_bytes(path, Limits(megabytes=0.3))) == 300_000
    with pytest.raises(DataError, match=r"table\.csv (has|unpacks to) more than 0\.2 MB"):
        read_bytes(path, Limits(megabytes=0.2))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", r"\.xls"),
        (b"%PDF-1.7", "PDF"),
        (b"7z\xbc\xaf\x27\x1c", "archive"),
        (b"Rar!\x1a\x07\x01\0", "archive"),
        (bz2.compress(b"text,mood\n"), "bzip2"),
        (lzma.compress(b"text,mood\n"), "xz"),
    ],
)
def test_a_file_of_another_kind_is_named_with_what_to_do(tmp_path, content, words):
    (tmp_path / "my.csv").write_bytes(content)
    with pytest.raises(DataError, match=rf"my\.csv is .*{words}.*(Save|Unpack)"):
        read_bytes(tmp_path / "my.csv", Limits())


@pytest.mark.parametrize("start", ["PAR1,PAR2", "BZh,text", "Rar!,text", "PK,text"])
def test_a_table_may_begin_with_the_letters_of_another_kind(table_of, start):
    assert table_of(f"{start}\na,b\n").columns == tuple(start.split(","))


@pytest.mark.parametrize("place", ["missing.csv", "."])
def test_a_file_that_cannot_be_read_is_refused(tmp_path, place):
    with pytest.raises(DataError, match="cannot be read"):
        read_bytes(tmp_path / place, Limits())


# --- encodings


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"]
)
@pytest.mark.parametrize("text", [FRENCH, GERMAN, "café\n", FRENCH * 2000])
def test_the_encoding_of_a_western_text_is_detected(text, encoding):
    assert decoded(text.encode(encoding)) == text


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE])
@pytest.mark.parametrize("text", [FRENCH, CHINESE])
def test_a_mark_decides(text, mark):
    encoding = "utf-16-le" if mark == codecs.BOM_UTF16_LE else "utf-16-be"
    assert decoded(mark + text.encode(encoding)) == text


@pytest.mark.parametrize(
    ("text", "encoding"), [(RUSSIAN, "cp1251"), (CHINESE * 2, "gb18030"), (POLISH, "cp1250"), (JAPANESE, "cp932")]
)
def test_other_encodings_are_detected_where_the_text_is_long_enough(text, encoding):
    assert decoded(text.encode(encoding)) == text


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_labels_in_english_and_bare_delimiters_do_not_outweigh_a_few_words(delimiter):
    rows = [f"{word}{delimiter * 20}glad{delimiter}très" for word in ("good", "naïve", "Käse", "niño", "it’s")]
    text = "\n".join(rows * 9)
    assert decoded(text.encode("cp1252")) == text


def test_windows_quotes_and_dashes_are_read():
    assert decoded("“Très bien” – c’est tout…\n".encode("cp1252")) == "“Très bien” – c’est tout…\n"


def test_a_few_damaged_places_do_not_turn_utf8_into_something_else():
    assert find_encoding((FRENCH * 5).encode() + b"\xe9\n") == "utf-8"


def test_a_text_that_holds_the_sign_of_what_is_lost_stays_utf8(table_of):
    table = table_of("text,mood\nwhat\ufffds this,glad\n")
    assert table.column("text") == ["what\ufffds this"]
    assert table.undecodable == 1


def test_what_cannot_be_decoded_is_shown_and_counted(table_of):
    table = table_of((FRENCH + "text,mood\n" + "très bien,glad\n").encode() + b"oh l\xe0,sad\n")
    assert table.undecodable == 1
    assert "oh l\ufffd" in table.rows[-1][0]


# --- lines


def test_lines_end_as_every_system_ends_them_and_nowhere_else():
    text = "a\nb\r\nc\rd\u2028e\x0bf\x85g"
    assert list(text_lines("x", text.encode(), "utf-8")) == ["a\n", "b\r\n", "c\r", "d\u2028e\x0bf\x85g"]


def test_a_line_that_is_longer_than_a_row_can_be_is_refused_by_its_number():
    fits = b"a\n" + b"b" * (LONGEST_ROW - 1) + b"\n"
    assert len(list(text_lines("x.csv", fits, "utf-8"))) == 2
    with pytest.raises(DataError, match=r"Line 2 of x\.csv has more than 2,000,000 characters"):
        list(text_lines("x.csv", fits[:-1] + b"bb\n", "utf-8"))
