#!/bin/bash
# Runs `krait selftest` and two short trainings under compute-sanitizer on the first GPU.
#
# Usage: Scripts/sanitize.sh [krait [tool...]]
#   krait   the command; default .build/release/krait
#   tool    memcheck, initcheck, racecheck; default all three
# Environment: PARTS, how many processes share the cases of a tool (8); SECONDS_EACH, what stops one
# of them (1800); WHICH, numbers of the parts to run, from 0 (all); LOGS, where logs are kept (a
# temporary folder, removed).
#
# Most of the time goes into references on the CPU, so that a tool's cases run in several processes at
# once. Only Krait's own kernels are looked at: cuBLASLt and cuDNN are hidden behind libraries without
# symbols, so that products and attention take the plain kernels too.
#
# Racecheck reports hopper/weight_gradient.cu, sums that two warpgroups add to in turns, ordered by
# named barriers that 256 of 384 threads take (bar.sync, bar.arrive); results are the same bits in
# every run. Racecheck follows bar.sync and mbarriers, but not bar.arrive: a kernel of ten lines in
# which two warpgroups take turns that way is reported just so, and one with bar.sync alone is not.
# That kernel is left out under racecheck.
#
# Initcheck does not follow what the copy engine stores (cp.async.bulk from shared to global memory):
# see Benchmarks/Reports. Kernels that read such matrices in selftest are left out there, and so are the
# trainings, in which many do. So is counting_sort, which reads keys eight at a time, past the last one, and does not
# look at what lies there.
#
# Benchmarks/Reports/2026-11-25-gpu-checks.md lists what was run when, and results.
set -u
krait=${1:-.build/release/krait}
shift
[ $# -gt 0 ] || set -- memcheck initcheck racecheck
parts=${PARTS:-8}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
logs=${LOGS:-$work/logs}
mkdir -p "$logs"
# What an earlier call found is not this one's result.
rm -f "$logs"/*.result

command -v compute-sanitizer >/dev/null || {
  echo "compute-sanitizer is not on the path; it comes with the CUDA toolkit" >&2
  exit 1
}
echo 'int krait_hidden;' >"$work/hidden.c"
for name in libcublasLt.so.13 libcublasLt.so.12 libcudnn.so.9; do
  cc -shared -fPIC -o "$work/$name" "$work/hidden.c" || exit 1
done
KRAIT_CUDA_LIBRARIES=$work${KRAIT_CUDA_LIBRARIES:+:$KRAIT_CUDA_LIBRARIES}
export KRAIT_CUDA_LIBRARIES

# check NAME ARGUMENTS-OF-KRAIT...: in the background; a line of its result goes to NAME.result.
check() {
  local log=$logs/$tool.$1 code without=()
  local title="$tool, $1"
  shift
  case $tool in
  racecheck) without=(--kernel-name-exclude kernel_name=weight_gradient) ;;
  initcheck) without=(--kernel-name-exclude kernel_name=add_runs
    --kernel-name-exclude kernel_name=block_sums_8
    --kernel-name-exclude kernel_name=counting_sort) ;;
  esac
  {
    timeout "${SECONDS_EACH:-1800}" compute-sanitizer --max-connections 200 \
      --tool "$tool" "${without[@]}" \
      --error-exitcode 9 "$krait" "$@" >"$log.log" 2>&1
    code=$?
    {
      echo "$title: exit code $code, $(grep "ERROR SUMMARY\|RACECHECK SUMMARY" "$log.log" | tail -1)"
      [ "$code" = 124 ] && echo "  stopped at $(grep -v "^==" "$log.log" | tail -1)"
      [ "$code" = 0 ] ||
        grep -E "^=========|WRONG|^Error" "$log.log" | grep -v "Host Frame" | head -40
    } >"$log.result"
  } &
}

# selftest NAME COUNT ARGUMENTS...: all cases that the arguments choose, in parts.
selftest() {
  local name=$1 part count=$2
  shift 2
  for ((part = 0; part < count; part++)); do
    [ -z "${WHICH:-}" ] || case " $WHICH " in *" $part "*) ;; *) continue ;; esac
    check "$name-$part" selftest --backend cuda --verbose --every "$count" --first "$part" "$@"
  done
}

# train NAME SETTINGS...: a few steps of a small model.
train() {
  local name=$1 setting settings=()
  shift
  for setting in schedule.steps=8 schedule.warmup=2 run.evaluateInterval=4 run.evaluateSequences=2 \
    run.checkpointInterval=0 data.sequence=256 data.microBatch=2 data.batch=4 "$@"; do
    settings+=(--set "$setting")
  done
  check "train-$name" train --preset tiny --set run.folder="$work/runs" \
    --set run.name="$tool-$name" --set device.backend=cuda "${settings[@]}"
}

# Operations without tensor cores, whose float32 kernels are others than those for bfloat16.
plain=()
for name in BlockEnergies RMSNorm CrossEntropy Embedding Rotary Attention Route Squared SumOf; do
  plain+=(--only "$name")
done
for tool in "$@"; do
  case $tool in
  racecheck)
    # Small products of the plain kernel are one kernel three thousand times.
    selftest most "$parts" --except MatrixMultiply --except SampleTokens
    check products selftest --backend cuda --verbose --every 60 --only MatrixMultiply
    check tiles selftest --backend cuda --verbose --only "MatrixMultiply 129 x 136 x 64" \
      --only "MatrixMultiply 128 x 128 x 64" --only "MatrixMultiply 2049 x 136 x 72"
    ;;
  initcheck)
    selftest all "$parts"
    selftest float32 2 --precision float32 "${plain[@]}"
    ;;
  *)
    selftest all "$parts"
    selftest float32 2 --precision float32 "${plain[@]}"
    train dense feedForward.mode=dense
    train columns feedForward.mode=columns feedForward.blockTokens=128 feedForward.samples=8 \
      schedule.denseWarmup=2
    ;;
  esac
  check any-order selftest --backend cuda --verbose --no-reproducible \
    --only PackedWeightGradient --only AlignColumns
  wait
done
cat "$logs"/*.result
grep -qE "exit code [^0]" "$logs"/*.result && exit 1
exit 0
