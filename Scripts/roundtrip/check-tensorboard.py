"""Trains, kills, resumes, and checks what TensorBoard shows, with its own readers.

    python3 -m venv v && v/bin/pip install tensorboard==2.21.0 "setuptools<81"
    v/bin/python Scripts/roundtrip/check-tensorboard.py .build/release/krait

A run of 60 steps with a checkpoint every 8 is killed with SIGKILL once it has logged step 10 or
later and has a checkpoint, so that the resume logs some steps a second time. Then every tag must show each step once,
with the values of metrics.jsonl, in the Python reader (EventAccumulator), and in the pages that the
server gives out with its Rust reader (--load_fast=true) and its Python reader (--load_fast=false).
"""

import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

STEPS = 60


def steps_logged(path):
    try:
        with open(path) as file:
            lines = [json.loads(line) for line in file if line.endswith("}\n")]
    except FileNotFoundError:
        return []
    return [line for line in lines if line["kind"] == "step"]


def train(krait, folder):
    """Returns the last step that the killed run logged, and the one it was resumed after."""
    command = [krait, "train", "--set", f"run.folder={folder}", "--set", "run.name=r"]
    for setting in (
        f"schedule.steps={STEPS}", "run.checkpointInterval=8", "run.evaluateInterval=10",
        "run.evaluateSequences=4", "run.statisticsInterval=5", "model.width=64",
        "model.hiddenWidth=256", "model.layers=2", "model.headWidth=16", "data.sequence=64",
        "data.batch=4", "data.microBatch=4", "schedule.denseWarmup=4", "run.sampleTokens=0",
    ):
        command += ["--set", setting]
    metrics = os.path.join(folder, "r", "metrics.jsonl")
    checkpoint = os.path.join(folder, "r", "checkpoints", "step-00000008")
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        logged = steps_logged(metrics)
        if logged and logged[-1]["step"] >= 10 and os.path.exists(checkpoint):
            process.send_signal(signal.SIGKILL)
        time.sleep(0.002)
    assert process.returncode == -signal.SIGKILL, "the run ended before it could be killed"
    last = steps_logged(metrics)[-1]["step"]
    time.sleep(1.1)
    resumed = subprocess.run(
        command + ["--resume"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ).stderr.decode()
    return last, int(re.search(r"resuming after step (\d+)", resumed).group(1))


def float32(value):
    return struct.unpack("f", struct.pack("f", float(value)))[0]


def expected(metrics):
    """Steps and values of every tag, from metrics.jsonl."""
    tags = {}
    with open(metrics) as file:
        for text in file:
            line = json.loads(text)
            add = lambda tag, key: tags.setdefault(tag, []).append(
                (line["step"], float32(line[key]))
            )
            if line["kind"] == "step":
                add("train/loss", "loss")
                add("train/gradient_norm", "norm")
                add("train/learning_rate", "rate")
            elif line["kind"] == "evaluation":
                add("evaluation/loss", "loss")
            elif line["kind"] == "layer":
                add(f"layers/{line['layer']}/energy_kept", "energyKept")
    return tags


def compare(name, tags, shown):
    for tag, points in tags.items():
        assert tag in shown, f"{name} does not show {tag}"
        assert [step for step, _ in shown[tag]] == [step for step, _ in points], (
            name, tag, shown[tag], points)
        for (_, theirs), (step, ours) in zip(shown[tag], points):
            assert float32(theirs) == ours, (name, tag, step, theirs, ours)
    print(f"{name}: {len(tags)} tags, each step once, values equal to metrics.jsonl")


def accumulator(folder):
    reader = EventAccumulator(folder, size_guidance={"scalars": 0})
    reader.Reload()
    return {
        tag: [(event.step, event.value) for event in reader.Scalars(tag)]
        for tag in reader.Tags()["scalars"]
    }


def server(folder, fast, tags):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "tensorboard.main", "--logdir", folder, "--port", str(port),
         "--bind_all", f"--load_fast={fast}", "--samples_per_plugin", "scalars=1000"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    try:
        def get(path):
            url = f"http://127.0.0.1:{port}/data/plugin/scalars/{path}"
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url) as reply:
                return json.load(reply)

        shown = {}
        deadline = time.time() + 60
        while time.time() < deadline:
            time.sleep(0.5)
            try:
                runs = get("tags")
                run = next((run for run, found in runs.items() if set(tags) <= set(found)), None)
                if run is None:
                    continue
                for tag in tags:
                    query = urllib.parse.urlencode({"run": run, "tag": tag})
                    shown[tag] = [(step, value) for _, step, value in get(f"scalars?{query}")]
                if shown["train/loss"] and shown["train/loss"][-1][0] == STEPS:
                    return shown
            except OSError:
                pass
        raise AssertionError(f"the server did not show step {STEPS}: {shown}")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def main():
    krait = os.path.abspath(sys.argv[1])
    folder = tempfile.mkdtemp()
    try:
        last, first = train(krait, folder)
        assert last > first, "nothing was logged twice; run the check again"
        events = os.path.join(folder, "r", "events")
        files = [name for name in os.listdir(events) if "tfevents" in name]
        assert len(files) == 2, files
        tags = expected(os.path.join(folder, "r", "metrics.jsonl"))
        assert [step for step, _ in tags["train/loss"]] == list(range(1, STEPS + 1))
        print(f"logged up to step {last}, killed, resumed after step {first}")
        compare("EventAccumulator", tags, accumulator(events))
        compare("server, Rust reader", tags, server(events, "true", tags))
        compare("server, Python reader", tags, server(events, "false", tags))
    finally:
        shutil.rmtree(folder)


main()
