#!/bin/bash
# One part of the videos, on one machine. Its number is the array's; how many there are is told, not counted, so that a
# single part can be run again: sbatch --array=3 shard.sh RECIPE VIDEOS SET 16
#SBATCH --job-name=longtake
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=16
#SBATCH --mem-per-cpu=2G
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
set -euo pipefail
recipe=$1 videos=$2 set=$3 shards=$4
status=0
longtake run "$recipe" "$videos" --to "$set.parts/$SLURM_ARRAY_TASK_ID" \
  --shard "$SLURM_ARRAY_TASK_ID/$shards" --workers "${SLURM_CPUS_PER_TASK:-1}" || status=$?
# 3: some videos failed. They are in the table of failures, and no reason to stop the rest.
if [ "$status" -ne 0 ] && [ "$status" -ne 3 ]; then exit "$status"; fi
