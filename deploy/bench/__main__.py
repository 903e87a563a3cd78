"""Find the bench that the first argument names and run it."""

import importlib
import sys

BENCHES = {
    "ingest": "webhooks a second beside a no-op and two naive receivers, latency at half load, rows stored",
    "custody": "what a key of its own costs each field, and what letting people and messages go costs a node",
    "policy": "a decision and every decision there is, beside Cedar and a plain chain of ifs",
    "profile": "where the time of taking webhooks in is spent, function by function",
}


def main(arguments: list[str]) -> int:
    """Run a bench; give the exit status (2: called wrongly)."""
    if not arguments or arguments[0] not in BENCHES:
        asked = bool(arguments) and arguments[0] in {"-h", "--help"}
        print("usage: python3 deploy/dev.py bench NAME [--help]\n", file=sys.stdout if asked else sys.stderr)
        for name, what in BENCHES.items():
            print(f"  {name:<9} {what}", file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    name = {"profile": "cost"}.get(arguments[0], arguments[0])  # a module called profile would hide Python's own
    status: int = importlib.import_module(f"deploy.bench.{name}").main(arguments[1:])
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
