import asyncio

from mtst.ui.server.fairness.unread_messages import UnreadMessages


def test_those_of_a_session_may_be_dropped_twice() -> None:
    messages = UnreadMessages(2)
    messages["mine"] = messages["theirs"] = asyncio.Queue()
    for _ in range(2):
        del messages["mine"]
    assert [*messages] == ["theirs"]
    messages["a"] = messages["b"] = asyncio.Queue()
    assert [*messages] == ["a", "b"]
