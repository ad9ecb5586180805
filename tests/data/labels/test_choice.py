import pytest

from mtst.data.columns import guess_columns
from mtst.data.labels.choice import (
    SAMPLE_CELLS,
    TABLE_CELLS,
    LabelChoice,
    guess_flags,
    guess_separator,
    may_hold_several,
    parse_label_columns,
    sampled_cells,
)
from mtst.data.labels.columns import LabelColumns
from mtst.data.table import Table
from mtst.errors import DataError


@pytest.mark.parametrize(
    ("cells", "separator"),
    [
        (["joy;anger", "joy", "anger", "fear;anger"], ";"),
        (["joy|anger", "fear|joy", "anger"], "|"),
        (["joy, anger", "fear, joy", "anger"], ","),
        (["flight#airfare", "flight", "airfare", "flight#time", "time"], "#"),
        (["3,27", "3", "27,5,1", "5,1"], ","),
        (["['a', 'b']", "['a']", "[]"], ","),
        (['["a", "b"]', "a", "b"], ","),  # a list of one may have been unwrapped
        (["joy", "anger", "joy"], None),
        (["joy\nanger", "fear\njoy", "anger"], "\n"),
        (["['a' 'b']", "['b']"], ","),
        (["joy/anger", "fear/joy", "anger"], None),  # only if it is chosen
        (["food, drinks", "arts, crafts", "food, drinks"], None),  # the parts never occur elsewhere
        (["food, drinks", "food, drinks", "sports"], None),
        (["USA, Boston", "USA, Austin", "UK, London", "UK, Leeds"], None),
        (["1,5", "2,5", "1,0", "2,0"], None),  # decimal commas
        (["['a']", "['b']"], None),  # one label each
        ([], None),
        ([""], None),
    ],
)
def test_several_labels_in_a_cell_are_recognised_by_how_they_recombine(cells, separator):
    assert guess_separator(cells) == separator


def test_a_column_that_could_be_split_is_offered_but_not_one_of_sentences():
    assert may_hold_several(["food, drinks", "arts, crafts"])
    assert not may_hold_several(["joy", "anger"])
    assert not may_hold_several([f"sentence {n}, with a comma and {n} words" for n in range(300)])


@pytest.mark.parametrize("columns", [2, 40, 1_000])
def test_a_guess_looks_at_few_cells_of_a_wide_table_from_its_beginning_to_its_end(columns):
    rows = tuple((f" {row} ",) * columns for row in range(3_000))
    names = tuple(f"c{number}" for number in range(columns))
    cells = sampled_cells(Table("wide.csv", names, rows, tuple(range(3_000))), "c1")
    assert len(cells) * columns <= min(TABLE_CELLS, SAMPLE_CELLS * columns)
    assert cells[0] == "0"
    assert int(cells[-1]) >= 2_900


@pytest.mark.parametrize("separator", [";", "/", " & ", " + "])
def test_a_column_that_is_chosen_to_hold_several_labels_is_split_at_what_recombines_them(table_of, separator):
    cells = [separator.join(labels) for labels in (("joy", "anger"), ("fear", "joy"), ("anger",), ("fear", "anger"))]
    table = table_of("text,tags\n" + "".join(f"text {n},{cell}\n" for n, cell in enumerate(cells)))
    assert may_hold_several(cells)
    assert parse_label_columns(table, "tags").read(table)[1] == ("fear", "joy")


def test_a_column_of_lists_of_label_numbers_is_guessed_beside_one_of_words(table_of):
    rows = ['some text,"[1, 3]",x', "more text,[3],y", "other text,[],x", 'last text,"[1, 2]",y']
    assert guess_columns(table_of("text,ids,place\n" + "\n".join(rows * 3))) == ("text", ("ids", "place"))


@pytest.fixture
def tagged(table_of):
    rows = ["some text,joy;anger,x", "more text,joy,y", "other text,anger;fear,x", "last text,fear,y"]
    return table_of("text,tags,place\n" + "\n".join(rows * 3))


def test_a_column_of_several_labels_is_guessed_to_hold_labels(tagged):
    assert guess_columns(tagged) == ("text", ("tags", "place"))


def test_a_guess_can_be_overruled_in_both_directions(tagged):
    guessed = LabelChoice.of(tagged, ["tags", "place"])
    assert guessed == LabelChoice(guessed=("tags", "place"))
    assert guessed.columns(tagged) == [LabelColumns("tags", ("tags",), ";"), "place"]
    overruled = LabelChoice.of(tagged, ["tags", "place"], several=["place"])
    assert overruled == LabelChoice(multi=("place",), single=("tags",))
    assert overruled.columns(tagged)[1] == "tags"


def test_three_columns_of_0_and_1_are_one_task_and_two_are_not(table_of):
    assert guess_flags(table_of("text,a,b\nx,0,1\ny,1,0\n")) is None
    table = table_of("text,a,b,c,n\nx,0,1,1,5\ny,1,0,0,7\n")
    flags = guess_flags(table)
    assert flags == LabelColumns("labels", ("a", "b", "c"))
    assert parse_label_columns(table, str(flags)) == flags


def test_columns_are_named_as_on_the_command_line(table_of):
    table = table_of('text,a,b,"x,y"\nt,0,1,p;q\nu,1,0,q\n')
    assert parse_label_columns(table, "kind=a,b") == LabelColumns("kind", ("a", "b"))
    assert parse_label_columns(table, "a, b") == LabelColumns("labels", ("a", "b"))
    assert parse_label_columns(table, "x,y") == LabelColumns("x,y", ("x,y",), ";")
    with pytest.raises(DataError, match="'c'"):
        parse_label_columns(table, "a,c")
