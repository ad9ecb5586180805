from mtst.data.readers.notes import Oddity
from mtst.ui.components.oddities import SHOWN, oddity_list, oddity_note

CUT = Oddity("cut texts", 2, "2 texts are longer than <b>256</b> tokens.", 3, "so far")
UNKNOWN = Oddity("unknown tokens", 1, "5% of the tokens are unknown.", None, "你好")


def test_without_findings_nothing_is_shown():
    assert oddity_list([]) == oddity_note([]) == ""


def test_one_finding_is_a_paragraph_with_its_example():
    note = oddity_note([CUT])
    assert "2 texts are longer than &lt;b&gt;256&lt;/b&gt; tokens." in note
    assert 'line 3: <span dir="auto">so far</span>' in note
    assert "<details" not in note


def test_several_are_a_fold_that_names_their_kinds():
    note = oddity_note([CUT, UNKNOWN, UNKNOWN])
    assert "<summary>Worth a look: cut texts, unknown tokens</summary>" in note
    assert note.count("<li>") == 3
    assert "tick" not in note


def test_a_list_says_that_nothing_is_changed_and_ends_with_a_count():
    listed = oddity_list([CUT] * (SHOWN + 5))
    assert "nothing is changed unless you tick it" in listed
    assert "and 5 more findings" in listed
