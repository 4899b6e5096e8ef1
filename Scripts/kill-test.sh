#!/bin/sh
# Kills a run with SIGKILL at random moments and resumes it, again and again: a resume must always
# work, must lose no more than the steps since the last checkpoint, and the run must end with the
# very bits of a run that nobody killed.
#
#   Scripts/kill-test.sh [times]      default 50; needs .build/release/krait (make build)
# Environment: CLUSTERS, what becomes of clusters in sparse steps: move (centroids move to the tokens,
# the default) or again (neurons are clustered again).
set -u
cd "$(dirname "$0")/.."
times=${1:-50}
krait=${KRAIT:-$PWD/.build/release/krait}
[ -x "$krait" ] || { echo "'$krait' is missing; run 'make build' first"; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
interval=5
case ${CLUSTERS:-move} in
move) clusters="--set feedForward.reclusterInterval=0 --set feedForward.centroidInterval=3" ;;
again) clusters="--set feedForward.reclusterInterval=7 --set feedForward.centroidInterval=0" ;;
*) echo "CLUSTERS is '$CLUSTERS'; it must be move or again" >&2; exit 64 ;;
esac

settings="--set run.folder=runs --set model.width=32 --set model.hiddenWidth=64
  --set model.layers=2 --set model.heads=2 --set model.keyValueHeads=1 --set model.headWidth=16
  --set feedForward.blockTokens=16 --set feedForward.samples=4 --set feedForward.keptMultiple=8
  --set feedForward.clusters=4 $clusters
  --set data.sequence=32 --set data.batch=4 --set data.microBatch=2
  --set schedule.warmup=10 --set schedule.denseWarmup=20
  --set run.checkpointInterval=$interval --set run.evaluateInterval=9 --set run.evaluateSequences=4
  --set run.logInterval=1 --set run.statisticsInterval=11 --set run.sampleTokens=4
  --set device.threads=1 --set device.blas=own"

fail() { echo "FAILED: $1"; [ -f log ] && tail -5 log; exit 1; }
# The number in the newest complete line that matches: what a run said it had done.
reached() { grep -a '^step ' log | sed -n 's/^step \([0-9]*\)\/.*/\1/p' | tail -1; }
saved() { ls "runs/$1/checkpoints" 2>/dev/null | sed -n 's/^step-0*\([0-9][0-9]*\)$/\1/p' | sort -n | tail -1; }

# Long enough for all kills: one comes every 0.4 s on average, and start-up takes some of that.
pilot=200
begin=$(date +%s%N)
# shellcheck disable=SC2086
"$krait" train $settings --set schedule.steps=$pilot --set run.name=pilot >log 2>&1 || fail "the pilot run"
steps=$((pilot * times * 400000000 / ($(date +%s%N) - begin)))
[ "$steps" -ge $((times * 14)) ] || steps=$((times * 14))
settings="$settings --set schedule.steps=$steps"

# shellcheck disable=SC2086
"$krait" train $settings --set run.name=whole >log 2>&1 || fail "the run that nobody kills"

kills=0
early=0
most=0
before=0
while [ "$kills" -lt "$times" ]; do
  # shellcheck disable=SC2086
  "$krait" train --resume $settings --set run.name=killed >log 2>&1 &
  process=$!
  # Between 0 and 0.8 s: start-up, first steps, checkpoints and evaluations all lie within.
  sleep "0.$(awk "BEGIN { srand($$ + $kills); printf \"%02d\", rand() * 80 }")"
  if ! kill -9 "$process" 2>/dev/null; then
    wait "$process"
    status=$?
    [ "$status" -eq 0 ] || fail "a resume ended with exit code $status after $kills kills"
    # Finished before the kill: nothing is left to kill.
    early=1
    break
  fi
  wait "$process" 2>/dev/null
  grep -aiq 'error\|fatal' log && fail "a resume said an error after $kills kills"
  kills=$((kills + 1))
  done=$(reached)
  kept=$(saved killed)
  done=${done:-$before}
  kept=${kept:-0}
  lost=$((done - kept))
  # A checkpoint is written behind the next steps: one more interval can be under way.
  [ "$lost" -le $((2 * interval)) ] || fail "kill $kills lost $lost steps: step $done, saved $kept"
  [ "$lost" -gt "$most" ] && most=$lost
  before=$kept
done

# shellcheck disable=SC2086
"$krait" train --resume $settings --set run.name=killed >log 2>&1 || fail "the last resume"
last=$(saved whole)
[ "$(saved killed)" = "$last" ] || fail "the killed run ended at step $(saved killed), not $last"
name=$(printf 'step-%08d' "$last")
for file in parameters.safetensors optimizer.safetensors; do
  cmp "runs/whole/checkpoints/$name/$file" "runs/killed/checkpoints/$name/$file" \
    || fail "$file differs from the run that nobody killed"
done
timeless() { sed 's/,"seconds":[^,}]*//; s/,"tokensPerSecond":[^,}]*//' "runs/$1/metrics.jsonl"; }
timeless whole >whole.metrics
timeless killed >killed.metrics
cmp whole.metrics killed.metrics || fail "metrics differ from the run that nobody killed"
left=$(find runs/killed -name '.writing-*' -o -name '.removing-*' -o -name '*.tmp')
[ -z "$left" ] || fail "left over: $left"
[ "$early" -eq 1 ] && echo "the run finished before kill $((kills + 1))"
[ $((2 * kills)) -ge "$times" ] || fail "only $kills of $times kills came in time: the run is too short here"
echo "killed $kills times: every resume worked, at most $most steps were lost (a checkpoint every" \
  "$interval), parameters, moments and metrics equal the run that nobody killed"
