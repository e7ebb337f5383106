"""What the engine of a cluster does beyond the contract: nodes come and go, and a run makes the same set anywhere."""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from workers import alive, begun, wait_for

from longtake.engines import Item, connect
from longtake.errors import UsageError
from longtake.running import run
from longtake.schemas import SCHEMAS
from longtake.store import Store

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="no ray"),
    pytest.mark.filterwarnings("ignore:lance is not fork-safe"),  # what is forked for is another program at once
]

SETTINGS = ["select.keep=['duration_s >= 10', 'motion.mean >= 0.05']", "files.preset='ultrafast'"]
NOISE = ("raylet", "ray::", "Ray ", "(pid=", "gcs")


def test_a_node_that_joins_gets_work_and_one_that_is_lost_costs_what_it_had(cluster, log) -> None:
    """Its raylet is killed with SIGKILL in the middle of items, as a machine that loses its power."""
    added, lost, given = [], [], []

    def items():
        while not lost and len(given) < 300:
            given.append(len(given))
            yield Item(str(given[-1]), {"n": given[-1], "log": log, "seconds": 1.5, "array": np.full(1, given[-1])})

    def change(_) -> None:
        if not added and len(begun(log)) >= 4:
            added.append(cluster.add_node(num_cpus=2, object_store_memory=100 * 2**20))
        if added and not lost:
            on_it = [who for who in begun(log) if who[1] == added[0].node_id]
            if len(on_it) >= 3:
                lost.append(added[0])
                cluster.remove_node(added[0], allow_graceful=False)

    try:
        with connect("ray", address=cluster.address) as engine:
            assert engine.workers == 4
            outcomes = list(engine.run_items("engine_tasks:work", items(), on_progress=change))
    finally:
        for node in added:
            if node not in lost:
                cluster.remove_node(node)
    assert lost
    assert sorted(int(o.result[0]) - 1 for o in outcomes) == given
    assert 0 <= len(begun(log)) - len(given) <= 2  # a worker whose raylet is gone may yet end its item


def test_items_that_use_a_gpu_go_where_one_is(cluster) -> None:
    """No GPU is needed for this: Ray believes what a node says that it has."""
    node = cluster.add_node(num_cpus=2, num_gpus=1, object_store_memory=100 * 2**20)
    items = [Item(str(n), {"names": ["CUDA_VISIBLE_DEVICES"]}) for n in range(3)]
    try:
        with connect("ray", address=cluster.address) as engine:
            wait_for(lambda: engine.words == "Ray, 3 nodes, 6 CPUs, 1 GPU")  # once a lost one is known to be
            seen = [o.result[0] for o in engine.run_items("engine_tasks:surroundings", items, gpu=True)]
            assert seen == [{"CUDA_VISIBLE_DEVICES": "0"}] * 3
            [plain] = engine.run_items("engine_tasks:surroundings", items[:1])
            assert not plain.result[0]["CUDA_VISIBLE_DEVICES"]
    finally:
        cluster.remove_node(node)


def test_nodes_that_do_not_see_the_files_are_named_before_anything_is_done(cluster, tmp_path) -> None:
    (tmp_path / "here.mp4").write_bytes(b"x")
    with connect("ray", address=cluster.address) as engine:
        engine.check([tmp_path, tmp_path / "here.mp4"])
        with pytest.raises(UsageError, match=r"node .* doesn't see .*gone.mp4"):
            engine.check([tmp_path, tmp_path / "gone.mp4"])


def test_items_left_when_the_engine_is_closed_start_nothing_anew(cluster, log) -> None:
    import ray

    with connect("ray", address=cluster.address) as engine:
        left = engine.run_items("engine_tasks:moody", [Item(do, {"do": do, "log": log}) for do in ("fine", "hang")])
        assert next(left).result == "fine"
    left.close()
    assert not ray.is_initialized()
    wait_for(lambda: not any(alive(int(pid)) for pid, *_ in begun(log)))


def test_a_cluster_that_is_not_there() -> None:
    told = "the Ray cluster at 127.0.0.1:1 can't be used"
    with pytest.raises(UsageError, match=told), connect("ray", address="127.0.0.1:1"):
        pass


def test_workers_go_when_the_engine_is_killed(tmp_path: Path, log) -> None:
    """Also after kill -9, in the middle of their items; Ray itself goes too, and has said nothing before."""
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import sys, time
            sys.path.insert(0, {str(Path(__file__).parent)!r})
            from longtake.engines import Item, connect
            with connect("ray", workers=2) as engine:
                [outcome] = engine.run_items("engine_tasks:moody", [Item("a", {{"do": "crash", "log": {str(log)!r}}})])
                print(outcome.failure[0], flush=True)
                items = [Item(str(n), {{"n": n, "log": {str(log)!r}}}) for n in range(2)]
                list(engine.run_items("engine_tasks:sleep", items))
            """
        )
    )
    process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        wait_for(lambda: begun(log, "0") and begun(log, "1"))
        pids = [int(begun(log, item)[0][0]) for item in "01"]
        # The raylet is what started the workers.
        pids += [int(Path(f"/proc/{pids[0]}/stat").read_text().rpartition(")")[2].split()[1])]
        assert all(alive(pid) for pid in pids)
    finally:
        process.send_signal(signal.SIGKILL)
    said = process.communicate()[0]
    assert said == b"crash\n"
    wait_for(lambda: not any(alive(pid) for pid in pids))


@pytest.fixture(scope="module")
def films(media, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    for name in ("long_takes", "cut", "text"):
        shutil.copy(media[name], folder)
    return folder


def tables(folder: Path) -> dict[str, list[str]]:
    """All rows of all tables as sorted text, but for those that hold times of day."""
    store = Store(folder)
    return {
        table: sorted(json.dumps(row, sort_keys=True, default=str) for row in store.read(table).to_pylist())
        for table in set(SCHEMAS) - {"runs"}
    }


def test_a_run_on_a_cluster_makes_the_same_set(cluster, films: Path, tmp_path: Path) -> None:
    """As typed: nothing of Ray shows but in the plan."""
    run("lvd2m", [films], tmp_path / "here", settings=SETTINGS)
    given = [word for setting in SETTINGS for word in ("-s", setting)]
    place = ["--engine", "ray", "--address", cluster.address]
    longtake = str(Path(sys.executable).with_name("longtake"))
    command = [longtake, "run", "lvd2m", str(films), "--to", str(tmp_path / "there"), *given]
    done = subprocess.run([*command, *place], capture_output=True, text=True, env={**os.environ, "COLUMNS": "200"})
    assert done.returncode == 3, done.stderr  # one of the files is no video
    assert tables(tmp_path / "there") == tables(tmp_path / "here")
    for path in (tmp_path / "here" / "clips").rglob("*.mp4"):
        assert path.read_bytes() == (tmp_path / "there" / path.relative_to(tmp_path / "here")).read_bytes()
    assert "engine   Ray, 2 nodes, 4 CPUs" in done.stderr
    for word in NOISE:
        assert word not in (done.stdout + done.stderr).replace("engine   Ray, 2 nodes, 4 CPUs", "")


def test_a_worker_that_takes_too_much_memory_fails_its_item_and_no_other(log) -> None:
    """Its share is made small; what it says makes the engine end it."""
    script = textwrap.dedent(
        f"""
        import pickle, sys
        from longtake.engines import actor
        actor.share_bytes = lambda workers: workers * 2**20
        worker = actor.Actor([{str(Path(__file__).parent)!r}], lambda: 3)
        print(pickle.loads(worker.attempt("engine_tasks:sleep", pickle.dumps({{"n": 1, "log": {str(log)!r}}}))))
        """
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert said.startswith("('spent', ('too_large', ") and "its worker's share" in said
