#!/bin/sh
# A short, fixed round over a kept corpus: run.sh FUZZER CORPUS [RUNS]. What it finds is not kept, but a crash is left in
# the working directory. For a long one run the fuzzer itself, on a copy of the corpus.
set -u
found=$(mktemp -d) || exit 1
trap 'rm -rf "$found"' EXIT
# DPDK keeps memory until the process ends: leaks of ours show as packets missing from the pool
"$1" -runs="${3:-20000}" -seed=1 -detect_leaks=0 -max_len=4096 -print_final_stats=1 "$found" "$2"
