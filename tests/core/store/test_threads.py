"""One thread, also for a library that is loaded after the first time."""

import threadpoolctl

from golden_core.store import threads
from golden_core.store.threads import one_thread


def counts():
    return [library["num_threads"] for library in threadpoolctl.threadpool_info()]


def test_every_library_has_one_thread_and_what_it_had_afterwards():
    with threadpoolctl.threadpool_limits(2):
        with one_thread():
            assert set(counts()) == {1}
        assert 2 in counts()


def test_libraries_are_looked_for_again_once_there_are_other_modules(monkeypatch):
    looked = []
    monkeypatch.setattr(
        threads, "ThreadpoolController", lambda: looked.append(1) or threadpoolctl.ThreadpoolController()
    )
    threads._libraries.cache_clear()
    for _ in range(3):
        with one_thread():
            pass
    assert len(looked) == 1
    monkeypatch.setitem(threads.sys.modules, "another_module", None)
    with one_thread():
        assert len(looked) == 2
    threads._libraries.cache_clear()
