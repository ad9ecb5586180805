import gzip
import json

import pytest

from mtst.errors import DataError


def lines_of(*values):
    return "".join(json.dumps(value) + "\n" for value in values)


def test_the_keys_are_the_columns_in_order_of_appearance(table_of):
    table = table_of(lines_of({"text": "a", "mood": "glad"}, {"mood": "sad", "text": "b", "topic": "x"}), "my.jsonl")
    assert table.columns == ("text", "mood", "topic")
    assert table.rows == (("a", "glad", ""), ("b", "sad", "x"))
    assert table.lines == (1, 2)
    assert (table.format, table.header_line) == ("JSON Lines, UTF-8", 0)


def test_values_of_every_type_become_text(table_of):
    values = [None, True, 1, 1.0, 0.5, 10**20, "é\n", ["a", 1], {"b": None}]
    table = table_of(lines_of({str(place): value for place, value in enumerate(values)}))
    assert table.rows == (("", "true", "1", "1.0", "0.5", "1" + "0" * 20, "é\n", '["a", 1]', '{"b": null}'),)


MANY_DIGITS = '{"a": ' + "9" * 5000 + "}"


@pytest.mark.parametrize("line", ["[1]", "7", "{", '{"text": }', "{" * 9000, MANY_DIGITS, "text"])
def test_a_line_that_is_no_object_is_skipped_and_listed(table_of, line):
    table = table_of(lines_of({"text": "a"}) + line + "\n\n" + lines_of({"text": "b"}))
    assert table.column("text") == ["a", "b"]
    assert table.lines == (1, 4)
    assert [(skip.line, skip.reason) for skip in table.skipped] == [(2, "malformed: not a JSON object")]


@pytest.mark.parametrize("half", [r"\ud83d", r"\ude00", r"a \uD83D\ud83d b", r"\\\ud800", r"\ud83d\ude00\ud83d"])
@pytest.mark.parametrize("first", [True, False])
def test_a_line_with_half_of_a_character_is_skipped_with_the_reason(table_of, half, first):
    lines = ['{"text": "' + half + '"}\n', '{"text": "a \\ud83d\\ude00 \\\\ud800"}\n']
    table = table_of("".join(lines if first else reversed(lines)), "my.jsonl")
    assert table.format == "JSON Lines, UTF-8"
    assert table.rows == (("a \U0001f600 \\ud800",),)
    (skipped,) = table.skipped
    assert skipped.line == (1 if first else 2)
    assert "half of a character (a lone surrogate" in skipped.reason


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_other_encodings_and_gzip_are_read(table_of, encoding):
    content = '{"text": "très – bien", "mood": "ß"}\r\n'.encode(encoding)
    for packed in (content, gzip.compress(content)):
        assert table_of(packed).rows == (("très – bien", "ß"),)


def test_keys_beyond_the_limit_are_refused(table_of):
    with pytest.raises(DataError, match="more than 3 columns"):
        table_of(lines_of(*({str(n): 1} for n in range(4))), columns=3)


@pytest.mark.parametrize("content", ["{}\n", "{}\n{}\n", '{"": null}\n'])
def test_objects_without_anything_in_them_are_refused(table_of, content):
    with pytest.raises(DataError, match="no rows"):
        table_of(content)


def test_keys_that_are_blank_or_alike_get_names_of_their_own(table_of):
    assert table_of('{"": "a", " text": "b", "text": "c"}\n').columns == ("column 1", "text", "text (2)")
