#!/bin/sh
# Compiles for fuzzing with clang, whatever compiler the rest is built with: build.sh CLANG SOURCE_ROOT OUTPUT FILES...
# An OUTPUT that ends in .a is an archive of the files' objects, anything else a fuzzer.
set -eu
clang=$1 root=$2 output=$3
shift 3
# DPDK's headers do not meet our warnings: they are the system's
dpdk=$(pkg-config --cflags libdpdk | sed 's/-I/-isystem /g')
command -v ccache >/dev/null && clang="ccache $clang"
flags="-std=gnu11 -Wall -Wextra -Werror -Wno-unused-parameter -Wno-missing-field-initializers -D_GNU_SOURCE -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all"
flags="$flags -I$root/core/include -I$root/net/include $dpdk -MMD -MT $output"

# shellcheck disable=SC2046,SC2086  # words are meant
case $output in
    *.a)
        rm -rf "$output" "$output.objects"
        mkdir "$output.objects"
        for file in "$@"; do
            echo "$clang $flags -fsanitize=fuzzer-no-link -c $file -o $output.objects/$(echo "$file" | tr -d . | tr / _).o"
        done | xargs -P 2 -I '{}' sh -c '{}'
        ar rcs "$output" "$output.objects"/*.o
        cat "$output.objects"/*.d >"$output.d"
        ;;
    *)
        $clang $flags -MF "$output.d" -fsanitize=fuzzer "$@" -o "$output" $(pkg-config --libs libdpdk) -lpthread -lm
        ;;
esac
