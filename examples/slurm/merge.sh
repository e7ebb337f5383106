#!/bin/bash
# All parts into one set, once each is done.
#SBATCH --job-name=longtake-merge
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=4
#SBATCH --mem-per-cpu=8G
#SBATCH --time=12:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
set -euo pipefail
set=$1 shards=$2
parts=()
for number in $(seq "$shards"); do parts+=("$set.parts/$number"); done
longtake merge "${parts[@]}" --to "$set"
