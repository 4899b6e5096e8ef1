#!/bin/sh
# Recipes against each other from one checkpoint: a model is trained to the end, densely or, with
# FROM=columns, as the configuration says, and every recipe goes on sparsely from one of its checkpoints.
# The steep fall of the loss, whose moment varies from run to run, lies before: training losses of one
# recipe run twice differed by 0.0002 then and held-out ones by 0.0009, where whole runs differ by 0.004.
# They tell what a recipe loses soon. With FROM=columns the first recipe is what the others are compared with.
#
#   MEGABYTES=230 Benchmarks/linux/prepare-linux.sh SHARDS --tokenizer tokenizer.json   # once
#   Benchmarks/linux/branch-gpu.sh SHARDS RUNS [STEP] [STEPS]
#
# STEP is the checkpoint's (900), STEPS those of all runs (1300). CONFIG names the configuration:
# gpu.toml (124m, the default) or wide.toml; SEEDS the seeds (1 2); EXTRA more settings for all (--set …);
# RECIPES a file with a recipe a line, its name, then section.key=value …: those below when there is
# none. Recipes with the same settings are averaged as if they were seeds. The runs branched from come
# first, then the branches, one run on each GPU at a time; a branch that fails is left out of the comparison.
set -eu
[ $# -ge 2 ] || { sed -n '2,17s/^# \{0,1\}//p' "$0"; exit 64; }
here=$(cd "$(dirname "$0")" && pwd)
shards=$1
runs=$2
step=${3:-900}
steps=${4:-1300}
seeds=${SEEDS:-1 2}
from=${FROM:-dense}
case $from in
  dense | columns) ;;
  *) echo "FROM is '$from'; it must be dense or columns" >&2; exit 64 ;;
esac
. "$here/gpu-lanes.sh"

if [ -n "${RECIPES:-}" ]; then
  [ -r "$RECIPES" ] || { echo "cannot read the recipes '$RECIPES'" >&2; exit 1; }
  if grep -q "^[[:blank:]]*$from" "$RECIPES"; then
    echo "'$RECIPES': names that begin with '$from' are those of the runs branched from" >&2
    exit 1
  fi
fi

recipes() {
  if [ -n "${RECIPES:-}" ]; then
    # xargs takes a trailing blank for a line that goes on.
    sed 's/#.*//; s/[[:blank:]]*$//; /^$/d' "$RECIPES"
    return
  fi
  echo "default"
  echo "ends feedForward.profile=ends"
  echo "uniform feedForward.profile=uniform"
  echo "exact feedForward.selection=exact"
  echo "activations feedForward.chooseBy=activations"
  echo "samples8 feedForward.samples=8"
  echo "samples32 feedForward.samples=32"
  echo "forgetful feedForward.memoryRate=0"
  echo "neighbours feedForward.memoryRate=0 feedForward.neighbourWeight=0.5"
  echo "still feedForward.centroidInterval=0"
  echo "slow feedForward.centroidInterval=100"
  echo "half feedForward.density=0.0625"
  echo "twice feedForward.density=0.25"
}

# The mode is bound to a checkpoint, so a dense run is one of columns without a sparse step. EXTRA comes before
# the settings of a recipe.
FIRST="--set feedForward.mode=columns --set run.checkpointInterval=$step --set run.keepEvery=$step"
[ "$from" = columns ] || FIRST="$FIRST --set schedule.sparseFraction=0"
FIRST="$FIRST $EXTRA"
# Text as bytes has none.
[ ! -e "$shards/tokenizer.json" ] || FIRST="--set data.tokenizer=$shards/tokenizer.json $FIRST"
EXTRA=
export FIRST from here step steps
for seed in $seeds; do echo "$from-$seed $seed $steps"; done | on_all_gpus "$here/train-run.sh"

# A branch: that run's folder with that checkpoint alone, resumed with other settings.
cat >"$runs/branch.sh" <<'BRANCH'
set -eu
name=$1 seed=$2
shift 2
begun=$runs/$from-$seed
checkpoint=$begun/checkpoints/$(printf 'step-%08d' "$step")
[ -d "$checkpoint" ] || { echo "$name: there is no '$checkpoint' to go on from"; exit 1; }
rm -rf "${runs:?}/$name"
mkdir -p "$runs/$name/checkpoints"
cp "$begun/config.toml" "$begun/metrics.jsonl" "$runs/$name"
cp -r "$checkpoint" "$runs/$name/checkpoints"
# All sparse from there on. Nothing in it may have a space.
phases="[{mode=\"dense\",steps=$step},{mode=\"columns\",steps=$((steps - step))}]"
BEGIN=--resume sh "$here/train-run.sh" "$name" "$seed" "$steps" "schedule.phases=$phases" run.checkpointInterval=0 "$@"
rm -rf "$runs/$name/checkpoints"
BRANCH
for seed in $seeds; do recipes | sed "s/^\([^ ]*\)/\1-$seed $seed/"; done | on_all_gpus "$runs/branch.sh" ||
  echo "not all branches were trained"

all=
[ "$from" = columns ] || all=$(for seed in $seeds; do echo "$runs/$from-$seed"; done)
for branch in $(for seed in $seeds; do recipes | sed "s|^\([^ ]*\).*|\1-$seed|"; done); do
  grep -q "held-out text" "$runs/$branch.log" 2>/dev/null && all="$all $runs/$branch"
done
# shellcheck disable=SC2086
"$krait" compare $all --steps "$((steps - steps / 10))-$steps" \
  --title "From step $step, $(basename "$config" .toml)" --html "$runs/comparison.html" >"$runs/comparison.txt"
cat "$runs/comparison.txt"
