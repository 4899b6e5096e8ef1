#!/bin/sh
# Trains dense, columns and the paper's recipe on Linux source, same seed and data, and compares
# them: loss against tokens and wall clock.
#
#   Benchmarks/linux/prepare-linux.sh                    # once: fetches and prepares the text
#   Benchmarks/linux/compare-recipes.sh SHARDS RUNS [STEPS] [more --set section.key=value ...]
#
# 1500 steps (3 million tokens) take about ten minutes a recipe on two quiet cores.
set -eu
[ $# -ge 2 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 64; }
here=$(cd "$(dirname "$0")" && pwd)
krait=${KRAIT:-$here/../../.build/release/krait}
shards=$1
runs=$2
steps=${3:-1500}
[ $# -ge 3 ] && shift 3 || shift 2

train() {
  name=$1
  shift
  "$krait" train "$here/cpu.toml" --overwrite --set "data.train=$shards" --set "run.folder=$runs" \
    --set "run.name=$name" --set "schedule.steps=$steps" "$@"
}

train dense --set feedForward.mode=dense "$@"
train columns --set feedForward.mode=columns --set schedule.sparseFraction=0.8 "$@"
# V 64, 2:16, 2:4 U, half of the steps sparse: the paper's proportions.
train paper --set feedForward.mode=paper --set feedForward.blockTokens=64 \
  --set feedForward.venomN=2 --set feedForward.venomM=16 --set schedule.sparseFraction=0.5 "$@"
"$krait" compare "$runs/dense" "$runs/columns" "$runs/paper" \
  --title "Linux source on two CPU cores" --html "$runs/comparison.html"
