"""The job scripts for Slurm, run with bash in place of sbatch: shards, then one set, whatever was stopped."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from media import pan, write_video

from longtake.store import Store

SCRIPTS = Path(__file__).resolve().parents[1] / "examples" / "slurm"
SBATCH = """#!/bin/bash
# Runs a job at once, its array one after the other.
array="" ; after=""
while [[ $1 == --* ]]; do
  case $1 in
    --array=*) array=${1#--array=} ;;
    --dependency=*) after=${1#--dependency=} ;;
  esac
  shift
done
if [[ $after && $after != afterok:4711 ]]; then exit 9; fi
export SLURM_CPUS_PER_TASK=1
if [[ $array ]]; then
  for number in $(seq ${array%-*} ${array#*-}); do
    SLURM_ARRAY_TASK_ID=$number bash "$@" >> "$JOBS_LOG" 2>&1 || exit 8
  done
else
  bash "$@" >> "$JOBS_LOG" 2>&1 || exit 7
fi
echo "4711;cluster"
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine whose sbatch is bash."""
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "sbatch").write_text(SBATCH)
    (bin_ / "longtake").write_text(
        f'#!/bin/bash\nexec "{sys.executable}" -c "from longtake.cli import main; main()" "$@"\n'
    )
    for file in bin_.iterdir():
        file.chmod(0o755)
    return os.environ | {"PATH": f"{bin_}:{os.environ['PATH']}", "JOBS_LOG": str(tmp_path / "log")}


def test_shards_run_and_are_joined_and_again_nothing_is_done(environment, tmp_path):
    films = tmp_path / "my films"
    films.mkdir()
    for seed in (1, 2, 3):
        write_video(films / f"{seed}.mp4", pan(36, seed=seed, speed=0.3, size=(160, 90)))
    (films / "broken.mp4").write_text("no video")
    (tmp_path / "recipe.toml").write_text('name = "parts"\n[shots]\nstep = "content"\n')
    made = tmp_path / "my set"
    submit = [str(SCRIPTS / "submit.sh"), str(tmp_path / "recipe.toml"), str(films), str(made), "2", "--partition=big"]
    subprocess.run(submit, env=environment, check=True, stdout=subprocess.DEVNULL)
    rows = Store(made).read("clips", ["id"]).num_rows
    assert (Store(made).count("videos"), Store(made).count("failures"), rows) == (3, 1, 3)
    write_video(films / "4.mp4", pan(36, seed=4, speed=0.3, size=(160, 90)))
    subprocess.run(submit, env=environment, check=True, stdout=subprocess.DEVNULL)
    assert Store(made).count("videos") == 4 and Store(made).read("clips", ["id"]).num_rows == 4
