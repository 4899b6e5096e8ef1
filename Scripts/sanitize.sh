#!/bin/sh
# Runs `krait selftest` under compute-sanitizer on the first GPU: memcheck, initcheck and racecheck.
#
# Usage: Scripts/sanitize.sh [krait]      the command; default .build/release/krait
#
# Only Krait's own kernels are looked at: cuBLASLt and cuDNN are hidden behind libraries without
# symbols, so that products and attention take the plain kernels too. Racecheck is slow: it gets
# every fortieth case of an operation, and all small tiles of the Hopper kernels.
#
# An earlier form on an H100, 2026-11-25, compute-sanitizer 2025.3.1: memcheck and initcheck find
# nothing. Racecheck reports hopper/weight_gradient.cu alone, sums that two warpgroups add to in
# turns, ordered by named barriers that 256 of 384 threads take (bar.sync, bar.arrive); results were
# the same bits in every run. Racecheck follows bar.sync and mbarriers, but not bar.arrive: a kernel
# of ten lines in which two warpgroups take turns that way is reported just so, and one with bar.sync
# alone is not.
#
# Parts of this form on an H200, 2026-11-26, main of 0030c46, by hand: initcheck (--every 12, and
# any-order weight gradients and aligned lists), memcheck of the latter, and racecheck of routing,
# sampling, selection, block sums, the any-order weight gradient and dense tiles report 0 errors.
# Memcheck of all operations (--every 8) did not end within 8 s; racecheck of sparse products and of
# the in-order weight gradient was not run. Selftest itself found a case of BlockEnergies outside
# what it allowed, on the path without Hopper kernels: mended in 7d8305e, not rerun on a GPU.
# Benchmarks/Reports/2026-11-25-gpu-checks.md lists commands and results.
set -u
krait=${1:-.build/release/krait}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

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

status=0
# check TOOL ARGUMENTS-OF-SELFTEST...
check() {
  tool=$1
  shift
  if compute-sanitizer --tool "$tool" --error-exitcode 9 "$krait" selftest "$@" >"$work/log" 2>&1
  then echo "$tool, selftest $*: no finding"
  else
    status=1
    echo "$tool, selftest $*:"
    grep -E "^=========|WRONG|^Error" "$work/log" | grep -v "Host Frame" | head -60
  fi
}
only="--only PackedWeightGradient --only AlignColumns"
check memcheck --every 4
# shellcheck disable=SC2086
check memcheck --no-reproducible $only
check initcheck --every 8
# shellcheck disable=SC2086
check initcheck --no-reproducible $only
check racecheck --every 40
check racecheck --every 8 --only SampleTokens --only AlignColumns --only SelectColumns \
  --only BlockSums --only RouteTokens --only SoftThreshold
check racecheck --only "KeptProduct T 128, V 128" --only "PackedProduct T 128, V 128" \
  --only "KeptProduct T 300, V 128, f 192" --only "PackedProduct T 300, V 128, f 192"
check racecheck --only "MatrixMultiply 129 x 136 x 64" --only "MatrixMultiply 128 x 128 x 64" \
  --only "MatrixMultiply 2049 x 136 x 72"
check racecheck --no-reproducible --only "PackedWeightGradient T 128, V 128" \
  --only "PackedWeightGradient T 1000, V 128"
exit "$status"
