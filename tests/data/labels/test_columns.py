import pytest

from mtst.data.labels.columns import LabelColumns, parse_list, split_labels
from mtst.errors import DataError


@pytest.mark.parametrize(
    ("cell", "labels"),
    [
        ("a;b", ("a", "b")),
        (" a ; b ; a ", ("a", "b")),
        ("a", ("a",)),
        ("", None),
        ("  ", None),
        ("[]", ()),
        ('["a", "b"]', ("a", "b")),
        ("['a', 'b']", ("a", "b")),
        ("('a',)", ("a",)),
        ("[1, 3]", ("1", "3")),
        ("['a' 'b']", ("a", "b")),
        ("['so so' \"isn't\"\n 'b']", ("so so", "isn't", "b")),
        ("[1 13]", ("1", "13")),
        ("[ 1 13 ]", ("1", "13")),
        ('{"choices": ["price", "room"]}', ("price", "room")),
        ("[unclosed", ("[unclosed",)),
        ("(so; so)", ("(so", "so)")),
    ],
)
def test_the_labels_of_a_cell(cell, labels):
    assert split_labels(cell, ";") == labels


@pytest.mark.parametrize(
    "text", ["[" * 5000 + "]" * 5000, '[{"a": 1}]', "[a, b]", "[" + "1," * 20_000 + "1]", "{'a': 1}"]
)
def test_what_is_no_list_of_labels_is_none(text):
    assert parse_list(text) is None


def test_columns_of_0_and_1_are_the_labels_of_one_task(table_of):
    table = table_of("text,rude,spam,long\na,1,0,1\nb,0,0,0\nc,,,\nd,true,False,\n")
    columns = LabelColumns("kind", ("rude", "spam", "long"))
    assert columns.read(table) == [("rude", "long"), (), None, ("rude",)]


def test_a_column_of_other_values_is_refused_with_what_it_holds(table_of):
    with pytest.raises(DataError, match=r"'spam' of table.csv holds '2'"):
        LabelColumns("kind", ("rude", "spam")).read(table_of("text,rude,spam\na,1,2\nb,0,0\n"))


@pytest.mark.parametrize("columns", [(), ("a", "a")])
def test_a_task_needs_columns_each_once(columns):
    with pytest.raises(DataError, match="needs columns"):
        LabelColumns("kind", columns)
