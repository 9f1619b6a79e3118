"""``python -m fuzz`` in tests/: many calls, and their outcomes by kind.

python -m fuzz [--singles 90] [--pairs 20] [--seed 0] [--only TEXT] [--skip TEXT,…] [--json FILE] [--strict]

By default all odd values of each argument. An odd value that is accepted without a reason in fuzz/reasons.py is listed.
With --strict a call that is listed makes the exit status 1.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import resource
import sys
import tempfile
import time

from fuzz.accepted import reviewed
from fuzz.recipe import Finding, tried
from fuzz.run import calls
from fuzz.table import RECIPES

MEMORY = 8 * 2**30  # bytes of address space


def main() -> None:
    """Make the calls and print what is wrong."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--singles", type=int, default=1000)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="")
    parser.add_argument("--skip", default="?")
    parser.add_argument("--json")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--strict", action="store_true")
    given = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    output = os.path.abspath(given.json) if given.json else None
    found, times = [], {}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for name, recipe in RECIPES.items():
            if given.only not in name or name.startswith(tuple(given.skip.split(","))):
                continue
            start = time.process_time()
            if given.verbose:
                print(name, file=sys.stderr, flush=True)
            valid = tried(name, recipe, {})
            if valid.outcome.kind != "result":
                print("INVALID", name, valid.outcome, flush=True)
            found += [tried(name, recipe, odd) for odd in calls(name, recipe, given.singles, given.pairs, given.seed)]
            times[name] = time.process_time() - start
        os.chdir("/")
    counts = collections.Counter(finding.outcome.kind for finding in found)
    print(len(found), "calls", dict(counts), f"{sum(times.values()):.0f} s")
    print("slowest:", sorted(((round(t, 1), n) for n, t in times.items()), reverse=True)[:12])
    if output:
        with open(output, "w") as file:
            json.dump([[f.recipe, f.odd, *f.outcome, f.seconds] for f in found], file)
    listed = [finding for finding in found if _is_wrong(finding)]
    for finding in listed if not output else ():
        print(finding.title, *finding.outcome, sep=" | ")
    if given.strict and listed:
        sys.exit(1)


def _is_wrong(finding: Finding) -> bool:
    """Return whether a call raised what it must not, or accepted an odd value without a reason."""
    (argument, label), *others = finding.odd.items()
    accepted = finding.outcome.kind == "result" and not others
    unreviewed = accepted and not reviewed(finding.recipe, argument, label)
    return unreviewed or finding.outcome.kind in ("raw", "slow", "unnamed")


main()
