#!/bin/sh
# A GPU that fails in the middle of a run, for real: a kernel that traps. The run must end with a
# sentence and its checkpoint, and after a resume with the very bits of a run that did not fail.
#
#   Scripts/gpu-failure.sh [krait]      default .build/release/krait; needs an NVIDIA GPU
set -u
cd "$(dirname "$0")/.."
krait=${1:-$PWD/.build/release/krait}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $1"; tail -3 "$work/log"; exit 1; }

# AdamW as it is, but its fifth call for matrices and for vectors, that of step 5, traps.
mkdir "$work/kernels"
awk '/^KERNEL/ && !seen { print "__device__ int calls;"; seen = 1 } { print }
  /^KERNEL/ { in_kernel = 1 }
  in_kernel && /{$/ {
    print "  if (thread_index() == 0 && atomicAdd(&calls, 1) == 4) asm volatile(\"trap;\");"
    in_kernel = 0
  }' Sources/KernelSources/kernels/AdamW.cu >"$work/kernels/AdamW.cu"

train() { # krait train, a small model that checkpoints every three of its nine steps
  "$krait" train "$@" --set run.folder="$work/runs" --set device.backend=cuda >"$work/log" 2>&1
}
settings="--set model.width=128 --set model.hiddenWidth=512 --set model.layers=2
  --set model.heads=2 --set model.keyValueHeads=2 --set model.headWidth=64
  --set feedForward.blockTokens=128 --set feedForward.clusters=8
  --set data.sequence=256 --set data.batch=4 --set data.microBatch=4
  --set schedule.warmup=2 --set schedule.denseWarmup=2 --set schedule.steps=9
  --set run.checkpointInterval=3 --set run.evaluateSequences=4 --set run.sampleTokens=4"

# shellcheck disable=SC2086
KRAIT_KERNELS=$work/kernels train $settings --set run.name=failed &&
  fail "the kernel that traps did not end the run"
grep -a '^Error' "$work/log"
grep -q 'the newest checkpoint is of step 3' "$work/log" || fail "no word about the checkpoint"
train --resume --set run.name=failed || fail "the resume"
# shellcheck disable=SC2086
train $settings --set run.name=whole || fail "the run that does not fail"
for file in parameters optimizer; do
  cmp "$work/runs/failed/checkpoints/step-00000009/$file.safetensors" \
    "$work/runs/whole/checkpoints/step-00000009/$file.safetensors" ||
    fail "$file differs from a run that did not fail"
done
echo "failed in step 5, went on from step 3; parameters and moments are those of a run that did not"
