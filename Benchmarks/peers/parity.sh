#!/bin/sh
# The same training run by krait and by PyTorch on one NVIDIA GPU: losses step by step.
#   DATA=shards TOKENIZER=shards/tokenizer.json Benchmarks/peers/parity.sh [folder]
# Both start from the same weights and see the same samples in the same order. Three runs of PyTorch
# (compiled; compiled with the sequences of a batch in reverse; eager with flash attention) differ
# only in the order of sums: their distance is what krait's distance is measured by.
# STEPS, SEQUENCES, SEQUENCE, PRESET and DEVICE (cpu for a try; VARIANT, then, should be eager)
# change the run.
. "$(dirname "$0")/peers.sh"
: "${DATA:?the folder of token shards}" "${TOKENIZER:?their tokenizer.json}"
FOLDER=${1:-/tmp/krait-parity}
STEPS=${STEPS:-200} SEQUENCES=${SEQUENCES:-16} SEQUENCE=${SEQUENCE:-1024} PRESET=${PRESET:-124m}
VOCABULARY=${VOCABULARY:-16384} DEVICE=${DEVICE:-cuda} VARIANT=${VARIANT:-compiled}
OTHER=${OTHER:-eager+flash} WARMUP=$((STEPS / 10)) RATE=${RATE:-1e-3}
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

# curve NAME VARIANT option …: PyTorch.
curve() {
  name=$1 variant=$2
  shift 2
  "$PYTHON" torch_curve.py --weights "$FOLDER/initial-hf" --data "$DATA" --device "$DEVICE" \
    --variant "$variant" --sequence "$SEQUENCE" --sequences "$SEQUENCES" --steps "$STEPS" \
    --warmup "$WARMUP" --rate "$RATE" --floor 0 --out "$FOLDER/$name.csv" "$@"
}

# One step at a rate of 1e-30 changes no weight: what is saved are the initial weights.
train initial --set schedule.steps=1 --set schedule.warmup=0 --set schedule.learningRate=1e-30
rm -rf "$FOLDER/initial-hf"
"$KRAIT" export "$FOLDER/initial" "$FOLDER/initial-hf" --format hf --backend "$DEVICE" > /dev/null
# All at once: nothing is timed here.
running=
train krait & running="$running $!"
train krait-any-order --set device.reproducible=false & running="$running $!"
curve compiled "$VARIANT" & running="$running $!"
curve backwards "$VARIANT" --backwards & running="$running $!"
curve eager "$OTHER" & running="$running $!"
for job in $running; do wait "$job"; done
"$PYTHON" compare_curves.py --out "$FOLDER/parity" "krait=$FOLDER/krait/metrics.jsonl" \
  "PyTorch, $VARIANT=$FOLDER/compiled.csv" \
  "PyTorch, sequences reversed=$FOLDER/backwards.csv" "PyTorch, $OTHER=$FOLDER/eager.csv" \
  "krait, any order=$FOLDER/krait-any-order/metrics.jsonl"

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
  tiny tiny-cpu --set device.backend=cpu & running=$!
  tiny tiny-float32 --set device.backend=cuda --set device.precision=float32 & running="$running $!"
  tiny tiny-bfloat16 --set device.backend=cuda & running="$running $!"
  for job in $running; do wait "$job"; done
  "$PYTHON" compare_curves.py --out "$FOLDER/tiny" "CPU=$FOLDER/tiny-cpu/metrics.jsonl" \
    "GPU, float32=$FOLDER/tiny-float32/metrics.jsonl" \
    "GPU, bfloat16=$FOLDER/tiny-bfloat16/metrics.jsonl"
fi
