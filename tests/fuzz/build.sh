#!/bin/sh
# Builds a fuzzer with clang, whatever compiler the rest is built with: build.sh CLANG SOURCE_ROOT OUTPUT FILES...
set -eu
clang=$1 root=$2 output=$3
shift 3
# DPDK's headers do not meet our warnings: they are the system's
cflags=$(pkg-config --cflags libdpdk | sed 's/-I/-isystem /g')
# shellcheck disable=SC2046,SC2086
exec "$clang" -std=gnu11 -D_GNU_SOURCE -O1 -g -fno-omit-frame-pointer \
    -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
    -I"$root/core/include" -I"$root/net/include" $cflags "$@" -o "$output" $(pkg-config --libs libdpdk) -lpthread -lm
