import gc
import subprocess
import sys

import pytest

from longtake.importing import imported_for_good

START = "import os; from longtake import cli; print(os.environ['OPENBLAS_THREAD_TIMEOUT'])"


def test_what_is_imported_is_never_gone_through_again() -> None:
    with imported_for_good():
        assert not gc.isenabled()
        made = [[]]
    assert gc.isenabled()
    assert not any(one is made for one in gc.get_objects())
    gc.unfreeze()
    assert any(one is made for one in gc.get_objects())


def test_garbage_is_looked_for_again_where_an_import_fails() -> None:
    with pytest.raises(ImportError), imported_for_good():
        raise ImportError
    assert gc.isenabled()
    gc.unfreeze()


@pytest.mark.parametrize(("given", "used"), [(None, "4"), ("20", "20")])
def test_threads_of_numpy_sleep_at_once_unless_told_otherwise(
    given: str | None, used: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if given:
        monkeypatch.setenv("OPENBLAS_THREAD_TIMEOUT", given)
    else:
        monkeypatch.delenv("OPENBLAS_THREAD_TIMEOUT", raising=False)
    said = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, check=True).stdout
    assert said.strip() == used
