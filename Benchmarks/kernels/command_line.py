"""The command line of scripts that check and time kernels which are cut by groups of tiles."""
import argparse, torch
from nvrtc_driver import Module
from sparse_products import SMS


def run(description, files, check, time_all):
    """Compiles `files` and does what was asked for with them: `check(*modules)` returns whether anything is wrong,
    `time_all(*modules, groups)` prints times."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true"); parser.add_argument("--time", action="store_true")
    parser.add_argument("--variants", action="store_true", help="times other groups of tiles")
    a = parser.parse_args()
    print(torch.cuda.get_device_name(0), "torch", torch.__version__, "SMs", SMS, flush=True)
    modules = [Module(f"hopper/{name}.cu") for name in files]
    if a.check and check(*modules): raise SystemExit(1)
    if a.time: time_all(*modules, (4, 8, 16) if a.variants else (8,))
