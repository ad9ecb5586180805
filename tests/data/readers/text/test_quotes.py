import pytest

from mtst.data.readers.text.dialect import Dialect
from mtst.data.readers.text.quotes import find_quotes

TEXTS = ("so far, so good", "it went well", "isn't it, though", "well, well", "never again")


def quoted(quote_sign, escape=None, separator=","):
    def cell(text):
        return quote_sign + text.replace(quote_sign, (escape or quote_sign) + quote_sign) + quote_sign

    rows = [("text", "mood"), *((text, "glad") for text in TEXTS)]
    return "".join(separator.join(map(cell, row)) + "\n" for row in rows)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("escape", [None, "\\"])
def test_single_quotes_around_cells_are_quotes_and_that_is_said(table_of, separator, escape):
    table = table_of(quoted("'", escape, separator))
    assert table.columns == ("text", "mood")
    assert table.column("text") == list(TEXTS)
    assert [each.kind for each in table.decisions] == ["single quotes"]


def test_single_quotes_around_texts_alone_are_quotes_if_the_texts_hold_the_delimiter(table_of):
    text = "id,text,mood\n" + "".join(f"{n},'so far, so {n}',{n % 2}\n" for n in range(9))
    assert table_of(text).column("text") == [f"so far, so {n}" for n in range(9)]


def test_single_quotes_around_the_cells_that_need_them_alone(table_of):
    rows = [f"'so far, so {n}',glad\n" if n % 3 == 0 else f"it went well {n},sad\n" for n in range(12)]
    assert table_of("text,mood\n" + "".join(rows)).column("text")[0] == "so far, so 0"


def test_apostrophes_and_quoted_speech_are_text(table_of):
    texts = [f"'Come in {n}'" if n % 2 else f"'tis the season {n}" for n in range(9)]
    table = table_of("text,mood\n" + "".join(f"{text},glad\n" for text in texts))
    assert table.column("text") == texts
    assert not table.decisions


def test_blanks_may_stand_between_a_delimiter_and_a_quote(table_of):
    table = table_of("mood, text\n" + "".join(f'glad, "{text}"\n' for text in TEXTS))
    assert table.column("text") == list(TEXTS)


def test_a_file_without_delimiters_keeps_its_quotes():
    dialect = Dialect("\x1f")
    assert find_quotes("'a'\n'b'\n", dialect) == dialect
