"""What looks odd is said with a count, an example by its line and a treatment; nothing is changed."""

import json
import unicodedata

import pytest

from mtst.data.dataset import make_dataset
from mtst.data.oddities.finding import find_oddities, find_sentence_oddities
from mtst.data.oddities.treatments import Treatments, treat
from mtst.errors import DataError
from tests.support.sheets import PARTS, filled, zipped

ROWS = [(f"film {n}", "glad" if n % 2 else "sad") for n in range(12)]


def csv_of(rows=ROWS, first=(), last=()):
    return "text,mood\n" + "".join(f'"{text}",{label}\n' for text, label in [*first, *rows, *last])


def odd(table):
    return {oddity.kind: oddity for oddity in find_oddities(table, "text", ["mood"])}


def test_an_ordinary_table_has_nothing_odd(table_of):
    assert odd(table_of(csv_of())) == {}


@pytest.mark.parametrize("marker", ["NA", "NaN", "nan", "NULL", "None", "\\N", "#N/A", "-", "?", "n/a"])
def test_a_label_that_looks_missing_is_said_and_is_none_only_if_the_user_says_so(table_of, marker):
    table = table_of(csv_of(last=[("a", marker), ("b", marker)]))
    found = odd(table)["missing label"]
    assert (found.count, found.line, found.example) == (2, 14, marker)
    assert found.treatment.words == ("--missing", marker)
    assert "2 rows" in found.treatment.label
    assert len(make_dataset(table, "text", ["mood"]).tasks[0].labels) == 3
    treated = make_dataset(treat(table, Treatments(missing=(marker,))), "text", ["mood"])
    assert treated.tasks[0].labels == ("glad", "sad")
    assert [(skip.line, skip.reason) for skip in treated.skipped] == [(14, "no label"), (15, "no label")]
    assert treated.oddities == ()


def test_a_text_that_looks_missing_is_said(table_of):
    found = odd(table_of(csv_of(last=[("nan", "sad")])))["missing text"]
    assert (found.count, found.line, found.treatment.words) == (1, 14, ("--missing", "nan"))


def test_a_label_that_occurs_once_on_an_early_line_may_be_a_second_header(table_of):
    found = odd(table_of(csv_of(first=[("Open-ended response", "Response")])))["second header"]
    assert (found.line, found.example, found.treatment.words) == (2, "Response", ("--leave-out", "2"))
    assert "second header" not in odd(table_of(csv_of(last=[("a", "rare")])))


def test_a_row_of_totals_is_said(table_of):
    found = odd(table_of(csv_of(last=[("Total", "1,200".replace(",", ""))])))["total row"]
    assert (found.line, found.treatment.words) == (14, ("--leave-out", "14"))


def test_a_text_whose_lines_are_full_of_delimiters_is_said(table_of):
    swallowed = "So bad.\nneg, one, two\nwell, here, there\nfine, not, so"
    table = table_of("text,mood,more\n" + "".join(f'"{text}",{mood},x\n' for text, mood in [*ROWS, (swallowed, "sad")]))
    assert odd(table)["swallowed lines"].line == 14


def test_a_file_that_begins_with_html_is_still_a_table(table_of):
    assert table_of("<p>\n<b>Good</b>,pos\n<i>Bad</i>,neg\n").rows


def test_html_is_said_and_cleaned_on_demand(table_of):
    table = table_of(csv_of(last=[("cold<br /><br />food &amp; <b>rude</b> staff, 3 < 5 & 7", "sad")]))
    found = odd(table)["HTML"]
    assert (found.count, found.line, found.treatment.words) == (1, 14, ("--clean", "html"))
    cleaned = treat(table, Treatments(clean=("html",)))
    assert cleaned.rows[-1][0] == "cold food & rude staff, 3 < 5 & 7"
    assert odd(cleaned) == {}


def test_formulas_in_place_of_their_results_are_said(table_of):
    table = table_of("text,mood\n" + "".join(f'{text},"=IF(B{n}>1,1,0)"\n' for n, (text, _) in enumerate(ROWS)))
    assert (odd(table)["formula texts"].count, odd(table)["formula texts"].line) == (12, 2)


def test_lists_in_lists_are_said(table_of):
    rows = [json.dumps({"text": text, "mood": [[0, 3, "PER"]]}) for text, _ in ROWS]
    assert odd(table_of("\n".join(rows)))["nested values"].count == 12


@pytest.mark.parametrize("copy", ["ＡＢＣ ok", "ABC\u00a0ok"])
def test_a_copy_of_an_ascii_text_in_other_characters_is_said(table_of, copy):
    assert odd(table_of(csv_of(last=[("ABC ok", "sad"), (copy, "sad")])))["Unicode copies"].line == 15


@pytest.mark.parametrize("form", ["NFD", "NFKD"])
def test_copies_in_another_form_of_unicode_are_said_and_made_one(table_of, form):
    text = "Ｗhat a café"
    table = table_of(csv_of(last=[(text, "sad"), (unicodedata.normalize(form, text), "sad")]))
    found = odd(table)["Unicode copies"]
    assert (found.count, found.line, found.treatment.words) == (1, 15, ("--clean", "unicode"))
    assert odd(treat(table, Treatments(clean=("unicode",)))) == {}


def test_every_form_of_a_list_that_is_unwrapped_is_counted_and_nothing_else(table_of):
    cells = ["('glad',)", '{"choices": ["sad"]}', '[""]', "(sarcasm)", "[no list"]
    rows = "".join('a,"{}"\n'.format(cell.replace('"', '""')) for cell in cells)
    found = odd(table_of(f"text,mood\n{rows}"))["list labels"]
    assert (found.count, found.line) == (3, 2)
    assert "(1 row)" in found.sentence


def test_of_sentences_without_labels_only_what_concerns_them_is_said(table_of):
    last = [("NULL", "NA"), ("<b>bold</b>", "sad"), ("cafe\u0301", "sad"), ("caf\u00e9", "sad")]
    table = table_of(csv_of(last=last))
    assert {"missing label", "missing text", "HTML", "Unicode copies"} <= odd(table).keys()
    found = find_sentence_oddities(table, "text")
    assert [(oddity.kind, oddity.count, oddity.treatment) for oddity in found] == [
        ("missing text", 1, None), ("HTML", 1, None),
    ]  # fmt: skip


def test_what_the_reader_decided_comes_first_and_keeps_the_option_that_changes_it(table_of):
    table = table_of("sep=;\ntext;n\n<b>a</b>;1\nb;2\n")
    assert [oddity.kind for oddity in find_sentence_oddities(table, "text")] == ["separator line", "HTML"]


def test_lists_as_labels_are_unwrapped_and_said(table_of):
    table = table_of('{"text": "a", "mood": ["glad"]}\n{"text": "b", "mood": []}\n{"text": "c", "mood": ["sad"]}\n')
    found = odd(table)["list labels"]
    assert (found.count, found.line, found.example) == (3, 1, '["glad"]')
    assert make_dataset(table, "text", ["mood"]).tasks[0].labels == ("glad", "sad")


def test_json_objects_as_texts_or_labels_are_said(table_of):
    rows = ({"text": {"en": text}, "mood": [{"value": mood}], "id": str(n)} for n, (text, mood) in enumerate(ROWS))
    table = table_of("\n".join(map(json.dumps, rows)))
    found = [oddity for oddity in find_oddities(table, "text", ["mood"]) if oddity.kind == "nested values"]
    assert [(oddity.count, oddity.example) for oddity in found] == [
        (12, '{"en": "film 0"}'),
        (12, '[{"value": "sad"}]'),
    ]
    assert "a text exactly as written" in found[0].sentence
    assert "a label exactly as written" in found[1].sentence


def test_errors_of_a_spreadsheet_and_blank_columns_are_said(table_of):
    table = table_of("text,mood,sum,none\n" + "".join(f"{text},{mood},#REF!,\n" for text, mood in ROWS))
    found = odd(table)
    assert (found["error cells"].count, found["error cells"].line) == (12, 2)
    assert "“none”" in found["blank columns"].sentence


def test_formulas_without_results_and_hidden_rows_are_said(table_of):
    names = '<c r="A1" t="inlineStr"><is><t>text</t></is></c><c r="B1" t="inlineStr"><is><t>mood</t></is></c>'
    rows = f'<row r="1">{names}</row>'
    for number in range(2, 6):
        hidden = ' hidden="1"' if number == 3 else ""
        rows += (
            f'<row r="{number}"{hidden}><c r="A{number}" t="inlineStr"><is><t>film {number}</t></is></c>'
            f'<c r="B{number}"><f>IF(1,2)</f></c></row>'
        )
    found = odd(table_of(zipped(filled(PARTS, rows))))
    assert (found["formulas"].count, found["formulas"].line) == (4, 2)
    assert (found["hidden rows"].count, found["hidden rows"].line) == (1, 3)


def test_a_guessed_encoding_is_said_with_the_others(table_of):
    text = "Bu telefonu çok seviyorum, ekranı şahane, gönderi hızlıydı"
    table = table_of(csv_of(last=[(text, "sad")]).encode("cp1254"))
    found = odd(table)["guessed encoding"]
    assert "cp1254, Turkish" in found.sentence
    assert table.column("text")[-1] == text


def test_what_the_reader_decided_comes_first(table_of):
    found = find_oddities(table_of("A title\n\n" + csv_of(last=[("a", "NULL")])), "text", ["mood"])
    assert [oddity.kind for oddity in found] == ["title", "missing label"]
    assert found[0].treatment.words == ("--no-header",)


def test_what_cannot_be_cleaned_is_refused_with_what_can():
    with pytest.raises(DataError, match="html or unicode"):
        Treatments(clean=("dust",))
