#!/bin/sh
# Recipes against each other from one dense checkpoint: a model is trained densely to the end, and every
# recipe goes on sparsely from one of its checkpoints. The steep fall of the loss, whose moment varies
# from run to run, lies before: what is left is what a recipe loses, with less noise, in half the time.
#
#   MEGABYTES=230 Benchmarks/linux/prepare-linux.sh SHARDS --tokenizer tokenizer.json   # once
#   Benchmarks/linux/branch-gpu.sh SHARDS RUNS [STEP] [STEPS]
#
# STEP is the checkpoint's (700), STEPS those of all runs (1400). CONFIG names the configuration:
# gpu.toml (124m, the default) or wide.toml; SEEDS the seeds (1 2); EXTRA more settings for all (--set …);
# RECIPES a file with a recipe a line, its name, then section.key=value …: those below when there is
# none. Recipes with the same settings are averaged as if they were seeds. The dense runs come first, then
# the branches, one run on each GPU at a time; a branch that fails is left out of the comparison.
set -eu
[ $# -ge 2 ] || { sed -n '2,15s/^# \{0,1\}//p' "$0"; exit 64; }
here=$(cd "$(dirname "$0")" && pwd)
krait=${KRAIT:-$here/../../.build/release/krait}
shards=$1
runs=$2
step=${3:-700}
steps=${4:-1400}
seeds=${SEEDS:-1 2}
config=${CONFIG:-$here/gpu.toml}
EXTRA=${EXTRA:-}
# The GPUs to use, by number: CUDA_VISIBLE_DEVICES, or all; on a machine without, one run at a time.
gpus=${CUDA_VISIBLE_DEVICES:-$(nvidia-smi -L 2>/dev/null | awk '{ print NR - 1 }' | paste -sd, -)}
lanes=$(echo "${gpus:-0}" | tr , '\n' | wc -l)
# Text as bytes has none.
tokenizer=
[ ! -e "$shards/tokenizer.json" ] || tokenizer="--set data.tokenizer=$shards/tokenizer.json"
mkdir -p "$runs"

if [ -n "${RECIPES:-}" ]; then
  [ -r "$RECIPES" ] || { echo "cannot read the recipes '$RECIPES'" >&2; exit 1; }
  if grep -q '^[[:blank:]]*dense' "$RECIPES"; then
    echo "'$RECIPES': names that begin with 'dense' are those of the runs branched from" >&2
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
  echo "apart feedForward.neighbourWeight=0"
  echo "still feedForward.centroidInterval=0"
  echo "slow feedForward.centroidInterval=100"
  echo "half feedForward.density=0.0625"
  echo "twice feedForward.density=0.25"
}

# $1: name, $2: seed, then settings. The mode is bound to a checkpoint, so a dense run is one of columns
# without a sparse step.
export krait config shards runs gpus steps step tokenizer EXTRA
cat >"$runs/train.sh" <<'TRAIN'
set -e
name=$1 seed=$2
shift 2
sets=
for pair; do sets="$sets --set $pair"; done
begin=--overwrite
case $name in dense-*) ;; *)
  begin=--resume
  from=$runs/dense-$seed/checkpoints/$(printf 'step-%08d' "$step")
  [ -d "$from" ] || { echo "$name: there is no '$from' to go on from"; exit 1; }
  rm -rf "${runs:?}/$name"
  mkdir -p "$runs/$name/checkpoints"
  cp "$runs/dense-$seed/config.toml" "$runs/$name"
  head -n "$(grep -n "\"kind\":\"step\",\"step\":$step," "$runs/dense-$seed/metrics.jsonl" | cut -d: -f1)" \
    "$runs/dense-$seed/metrics.jsonl" >"$runs/$name/metrics.jsonl"
  cp -r "$from" "$runs/$name/checkpoints"
  # All sparse from there on. Nothing in it may have a space.
  phases="[{mode=\"dense\",steps=$step},{mode=\"columns\",steps=$((steps - step))}]"
  sets="--set schedule.phases=$phases --set run.checkpointInterval=0$sets" ;;
esac
[ -z "$gpus" ] || export CUDA_VISIBLE_DEVICES="$(echo "$gpus" | cut -d, -f$((SLOT + 1)))"
# shellcheck disable=SC2086
"$krait" train "$config" "$begin" --set "data.train=$shards" \
  --set "run.folder=$runs" --set "run.name=$name" --set "run.seed=$seed" --set "schedule.steps=$steps" \
  --set feedForward.mode=columns --set schedule.sparseFraction=0 --set "run.checkpointInterval=$step" \
  --set "run.keepEvery=$step" \
  $tokenizer $EXTRA $sets >"$runs/$name.log" 2>&1 || { echo "$name failed:"; tail -n 3 "$runs/$name.log"; exit 1; }
echo "$name: $(grep "held-out text" "$runs/$name.log")"
case $name in dense-*) ;; *) rm -rf "$runs/$name/checkpoints" ;; esac
TRAIN

on_all() { xargs -P "$lanes" --process-slot-var=SLOT -L 1 sh "$runs/train.sh"; }
for seed in $seeds; do echo "dense-$seed $seed"; done | on_all
for seed in $seeds; do recipes | sed "s/^\([^ ]*\)/\1-$seed $seed/"; done | on_all || echo "not all branches were trained"

all=$(for seed in $seeds; do echo "$runs/dense-$seed"; done)
for branch in $(for seed in $seeds; do recipes | sed "s|^\([^ ]*\).*|\1-$seed|"; done); do
  grep -q "held-out text" "$runs/$branch.log" 2>/dev/null && all="$all $runs/$branch"
done
# shellcheck disable=SC2086
"$krait" compare $all --steps "$((steps - steps / 10))-$steps" \
  --title "From step $step, $(basename "$config" .toml)" --html "$runs/comparison.html" >"$runs/comparison.txt"
cat "$runs/comparison.txt"
