import gc

import pytest

from mtst.ui.server.process.paused_gc import paused_gc


def test_the_collector_is_enabled_again_whatever_happens():
    def load():
        assert not gc.isenabled()
        raise MemoryError

    with pytest.raises(MemoryError), paused_gc():
        load()
    assert gc.isenabled()
    gc.unfreeze()
