from mtst.data.table import Table
from mtst.ui.map.source import FILE, select_sentences


class CountingTable(Table):
    """A table that notes which columns are read."""

    def column(self, name: str) -> list[str]:
        READ.append(name)
        return super().column(name)


READ: list[str] = []


def test_a_file_is_read_by_columns_and_not_once_for_each_row() -> None:
    rows = tuple((f"sentence {number}" if number % 10 else " ", "ab"[number % 2], "same") for number in range(200))
    table = CountingTable("mine.csv", ("text", "mood", "one"), rows, tuple(range(2, 202)))
    READ.clear()
    sentences = select_sentences(FILE, "", table, "text")
    assert (len(sentences.texts), sentences.lines[:2], [*sentences.values]) == (180, [3, 4], ["mood"])
    assert sorted(READ) == ["mood", "one", "text", "text"]
