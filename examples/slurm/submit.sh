#!/bin/bash
# Shards on many machines, then one set:
#   examples/slurm/submit.sh RECIPE VIDEOS SET 16 [PARTITION OPTIONS OF sbatch ...]
# VIDEOS and SET are on a disk that all machines share, or on an object store. The same line again goes on with
# whatever was stopped: what is done is not done again.
set -euo pipefail
recipe=$1 videos=$2 set=$3 shards=$4
here=$(cd "$(dirname "$0")" && pwd)
job=$(sbatch --parsable --array="1-$shards" "${@:5}" "$here/shard.sh" "$recipe" "$videos" "$set" "$shards")
sbatch --dependency="afterok:${job%%;*}" "${@:5}" "$here/merge.sh" "$set" "$shards"
