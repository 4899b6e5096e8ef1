#!/bin/sh
# One run of prove-gpu.sh or branch-gpu.sh, on the GPU of its lane, with what gpu-lanes.sh exports.
#
#   train-run.sh NAME SEED STEPS [section.key=value ...]
#
# Also from the environment: FIRST, arguments that these settings override, as EXTRA overrides them; and
# BEGIN, how the run begins (--overwrite).
set -eu
name=$1 seed=$2 steps=$3
shift 3
sets=
for pair; do sets="$sets --set $pair"; done
[ -z "$gpus" ] || export CUDA_VISIBLE_DEVICES="$(echo "$gpus" | cut -d, -f$((SLOT + 1)))"
# shellcheck disable=SC2086
"$krait" train "$config" "${BEGIN:---overwrite}" --set "data.train=$shards" --set "run.folder=$runs" \
  --set "run.name=$name" --set "run.seed=$seed" --set "schedule.steps=$steps" ${FIRST:-} $sets $EXTRA \
  >"$runs/$name.log" 2>&1 || { echo "$name failed:"; tail -n 3 "$runs/$name.log"; exit 1; }
echo "$name: $(grep "held-out text" "$runs/$name.log")"
