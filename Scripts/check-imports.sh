#!/bin/sh
# Fails when a module imports another that ARCHITECTURE.md does not let it import: SwiftPM accepts
# any module that some dependency pulled in.
set -u
cd "$(dirname "$0")/.."

ours="Compute CPUKernels ComputeCPU CUDAInterface KernelSources ComputeCUDA OperationCases FeedForward Transformer Corpus Interchange Training"
status=0

# allow MODULE IMPORT...
allow() {
  module=$1
  shift
  [ -d "Sources/$module" ] || return 0
  for other in $ours; do
    case " $* " in *" $other "*) continue ;; esac
    [ "$other" = "$module" ] && continue
    found=$(grep -rnE "^ *(public |package |internal |private |@[a-zA-Z]+ )*import $other\$" \
      "Sources/$module" 2>/dev/null)
    if [ -n "$found" ]; then
      echo "$module must not import $other:"
      echo "$found"
      status=1
    fi
  done
}

allow Compute
allow ComputeCPU Compute CPUKernels
allow ComputeCUDA Compute CUDAInterface KernelSources
allow OperationCases Compute
allow FeedForward Compute
allow Transformer FeedForward Compute
allow Corpus
allow Interchange
allow Training Transformer FeedForward Compute Corpus Interchange
allow krait Training Transformer FeedForward Compute ComputeCPU ComputeCUDA OperationCases \
  Corpus Interchange

# Only the command names a concrete backend.
if [ "$status" -eq 0 ]; then echo "imports: as the architecture says"; fi
exit "$status"
