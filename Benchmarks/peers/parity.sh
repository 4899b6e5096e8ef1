#!/bin/sh
# The same training runs by krait and by PyTorch on one NVIDIA GPU: losses step by step.
#   DATA=shards TOKENIZER=shards/tokenizer.json Benchmarks/peers/parity.sh [folder]
# All start from the same weights and see the same samples in the same batches. Runs of PyTorch differ
# only in the order of sums: sequences as they come, reversed, shuffled; compiled blocks, two kinds of
# attention. krait runs with gradients in its storage type and in float32, three times each. Distances
# within PyTorch are what krait's distance to PyTorch is measured by.
# STEPS, SEQUENCES, SEQUENCE, PRESET and DEVICE (cpu for a try; VARIANT and OTHERS, then, should be
# eager+float32) change the runs. Twelve runs at once take some 60 GiB of GPU memory; JOBS limits them.
. "$(dirname "$0")/peers.sh"
: "${DATA:?the folder of token shards}" "${TOKENIZER:?their tokenizer.json}"
FOLDER=${1:-/tmp/krait-parity}
STEPS=${STEPS:-200} SEQUENCES=${SEQUENCES:-16} SEQUENCE=${SEQUENCE:-1024} PRESET=${PRESET:-124m}
VOCABULARY=${VOCABULARY:-16384} DEVICE=${DEVICE:-cuda} VARIANT=${VARIANT:-blocks} JOBS=${JOBS:-3}
OTHERS=${OTHERS:-eager+efficient eager+flash} WARMUP=$((STEPS / 10)) RATE=${RATE:-1e-3}
mkdir -p "$FOLDER"

# train NAME option …: krait, dense; the last of two equal options counts.
train() {
  name=$1
  shift
  "$KRAIT" train --preset "$PRESET" --overwrite --set run.folder="$FOLDER" --set run.name="$name" \
    --set model.vocabulary="$VOCABULARY" --set data.train="$DATA" \
    --set data.tokenizer="$TOKENIZER" --set data.sequence="$SEQUENCE" \
    --set data.batch="$SEQUENCES" --set data.microBatch="$SEQUENCES" \
    --set feedForward.mode=dense --set schedule.shape=wsd --set schedule.steps="$STEPS" \
    --set schedule.warmup="$WARMUP" --set schedule.learningRate="$RATE" \
    --set schedule.decayFraction=0.25 --set schedule.minimumRatio=0 \
    --set run.evaluateInterval=0 --set run.evaluateSequences=16 --set run.checkpointInterval=0 \
    --set run.sampleInterval=0 --set device.backend="$DEVICE" "$@" > "$FOLDER/$name.log" 2>&1 ||
    { tail -5 "$FOLDER/$name.log"; exit 1; }
}

# curve NAME VARIANT ORDERS: PyTorch; NAME-ORDER.csv of every order.
curve() {
  "$PYTHON" torch_curve.py --weights "$FOLDER/initial-hf" --data "$DATA" --device "$DEVICE" \
    --variant "$2" --sequence "$SEQUENCE" --sequences "$SEQUENCES" --steps "$STEPS" \
    --warmup "$WARMUP" --rate "$RATE" --floor 0 --orders "$3" --out "$FOLDER/$1.csv"
}

running=
# limit: waits for the oldest of the runs in the background when there are JOBS of them.
limit() {
  running="$running $!"
  # shellcheck disable=SC2086
  set -- $running
  if [ $# -ge "$JOBS" ]; then
    wait "$1"
    shift
    running=$*
  fi
}
finish() {
  for job in $running; do wait "$job"; done
  running=
}

# One step at a rate of 1e-30 changes no weight: what is saved are the initial weights.
train initial --set schedule.steps=1 --set schedule.warmup=0 --set schedule.learningRate=1e-30
rm -rf "$FOLDER/initial-hf"
"$KRAIT" export "$FOLDER/initial" "$FOLDER/initial-hf" --format hf --backend "$DEVICE" > /dev/null
# Side by side: nothing is timed here.
set --
for gradients in auto float32; do
  group="krait"
  [ $gradients = auto ] || group="krait $gradients"
  for order in fixed any-1 any-2; do
    reproducible=false
    [ $order = fixed ] && reproducible=true
    name=krait-$gradients-$order
    train "$name" --set device.gradients=$gradients --set device.reproducible=$reproducible &
    limit
    set -- "$@" "$group, $order=$FOLDER/$name/metrics.jsonl"
  done
done
curve torch "$VARIANT" forwards,backwards,1 &
limit
for order in forwards backwards 1; do
  set -- "$@" "PyTorch, $VARIANT $order=$FOLDER/torch-$order.csv"
done
seed=2
for other in $OTHERS; do
  curve "torch-$seed" "$other" "forwards,$seed" &
  limit
  for order in forwards $seed; do
    set -- "$@" "PyTorch, $other $order=$FOLDER/torch-$seed-$order.csv"
  done
  seed=$((seed + 1))
done
finish
"$PYTHON" compare_curves.py --out "$FOLDER/parity" "$@"

if [ "$DEVICE" = cuda ]; then
  # krait's tiny preset on the built-in corpus: CPU and GPU, float32 and bfloat16.
  echo
  tiny() {
    name=$1
    shift
    "$KRAIT" train --preset tiny --overwrite --set run.folder="$FOLDER" --set run.name="$name" \
      --set feedForward.mode=dense --set schedule.steps="${TINY_STEPS:-100}" \
      --set run.evaluateInterval=0 --set run.checkpointInterval=0 "$@" > "$FOLDER/$name.log" 2>&1
  }
  JOBS=9
  tiny tiny-cpu --set device.backend=cpu & limit
  tiny tiny-float32 --set device.backend=cuda --set device.precision=float32 & limit
  tiny tiny-bfloat16 --set device.backend=cuda & limit
  finish
  "$PYTHON" compare_curves.py --out "$FOLDER/tiny" "CPU=$FOLDER/tiny-cpu/metrics.jsonl" \
    "GPU, float32=$FOLDER/tiny-float32/metrics.jsonl" \
    "GPU, bfloat16=$FOLDER/tiny-bfloat16/metrics.jsonl"
fi
