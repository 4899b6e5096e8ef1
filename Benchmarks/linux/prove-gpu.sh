#!/bin/sh
# The proof: a model on Linux source, densely and sparsely, same tokens and seeds, on every GPU that
# is there (one run on each at a time), then one comparison a seed and one of all runs.
#
#   MEGABYTES=230 Benchmarks/linux/prepare-linux.sh SHARDS --tokenizer tokenizer.json   # once
#   Benchmarks/linux/prove-gpu.sh SHARDS RUNS [STEPS]
#
# CONFIG names the configuration: gpu.toml (124m, the default) or wide.toml; ONLY is a pattern of the
# recipes to run, EXTRA more settings for all (--set …), SPARSE more for all that are not dense, in place
# of a recipe's own (section.key=value …; no value may have a space or a quote), LONGER the percentage of
# steps that "longer" runs have more (8).
# SHARDS holds linux_train_*.bin, linux_val_*.bin and their tokenizer.json. 1400 steps are 69 million
# tokens, one and a half (124m) or three minutes (wide) a dense run on an H200. Fewer than about 1000
# tell nothing: the loss falls steeply somewhere in steps 300 to 500, and when differs from run to
# run. "longer" runs buy back with steps what sparse steps lose: their time to the dense run's final
# loss is the claim.
set -eu
[ $# -ge 2 ] || { sed -n '2,18s/^# \{0,1\}//p' "$0"; exit 64; }
here=$(cd "$(dirname "$0")" && pwd)
shards=$1
runs=$2
steps=${3:-1400}
longer=$((steps + (steps * ${LONGER:-8} + 99) / 100))
. "$here/gpu-lanes.sh"

# One line a run: name, seed, steps, settings.
recipes() {
  for seed in 1 2 3; do
    echo "dense-$seed $seed $steps feedForward.mode=dense"
    echo "columns-$seed $seed $steps feedForward.mode=columns schedule.sparseFraction=0.98"
    echo "columns-longer-$seed $seed $longer feedForward.mode=columns schedule.sparseFraction=0.98"
    echo "activations-$seed $seed $steps feedForward.mode=columns feedForward.chooseBy=activations schedule.sparseFraction=0.95"
  done
  echo "ends-1 1 $steps feedForward.mode=columns feedForward.profile=ends feedForward.samples=32 schedule.sparseFraction=0.95"
  echo "columns80-1 1 $steps feedForward.mode=columns schedule.sparseFraction=0.8"
  echo "uniform-1 1 $steps feedForward.mode=columns feedForward.profile=uniform schedule.sparseFraction=0.95"
  echo "sampled16-1 1 $steps feedForward.mode=columns feedForward.profile=uniform feedForward.samples=16 feedForward.eightBitChoice=false schedule.sparseFraction=0.9"
  echo "exact-1 1 $steps feedForward.mode=columns feedForward.selection=exact schedule.sparseFraction=0.95"
  echo "columns-24-1 1 $steps feedForward.mode=columns feedForward.sparseWeights=up schedule.sparseFraction=0.8"
  # The paper's proportions; V 128 instead of 64, so that the fast kernels take it.
  echo "paper50-1 1 $steps feedForward.mode=paper feedForward.venomN=2 feedForward.venomM=16 schedule.sparseFraction=0.5"
}

export FIRST="--set data.tokenizer=$shards/tokenizer.json"
export SPARSE="${SPARSE:-}"
# xargs takes a trailing blank for a line that goes on.
add_sparse='{ if (ENVIRON["SPARSE"] == "" || /^dense/) print; else print $0 " " ENVIRON["SPARSE"] }'
recipes | grep -E "${ONLY:-.}" | awk "$add_sparse" | on_all_gpus "$here/train-run.sh" ||
  echo "not all runs were trained"

for seed in 1 2 3; do
  for recipe in columns columns-longer; do
    [ -d "$runs/dense-$seed" ] && [ -d "$runs/$recipe-$seed" ] || continue
    "$krait" compare "$runs/dense-$seed" "$runs/$recipe-$seed"
  done
done
all=$(recipes | grep -E "${ONLY:-.}" | cut -d' ' -f1 | sed "s|^|$runs/|")
# shellcheck disable=SC2086
"$krait" compare $all --title "Linux source, $(basename "$config" .toml), one GPU a run" --html "$runs/comparison.html" \
  --svg "$runs/plots"
