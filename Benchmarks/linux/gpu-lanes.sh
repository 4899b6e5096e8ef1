# What prove-gpu.sh and branch-gpu.sh share; to be read by them (`.`), not run. It wants: here, shards, runs,
# and from the environment CONFIG, EXTRA, KRAIT, CUDA_VISIBLE_DEVICES, as they say.
krait=${KRAIT:-$here/../../.build/release/krait}
config=${CONFIG:-$here/gpu.toml}
EXTRA=${EXTRA:-}
# The GPUs to use, by number; on a machine without, one run at a time.
gpus=${CUDA_VISIBLE_DEVICES:-$(nvidia-smi -L 2>/dev/null | awk '{ print NR - 1 }' | paste -sd, -)}
lanes=$(echo "${gpus:-0}" | tr , '\n' | wc -l)
mkdir -p "$runs"
export krait config shards runs gpus EXTRA

# Runs a script with the words of every line that comes in, one on each GPU at a time.
on_all_gpus() { xargs -P "$lanes" --process-slot-var=SLOT -L 1 sh "$@"; }
