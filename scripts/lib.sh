# What the scripts beside it share: the packages, and how to build. Source it; it only defines.
# shellcheck shell=bash

weir_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Debian 12's names. To build and run; to test and measure besides.
weir_packages_run=(gcc libc6-dev meson ninja-build pkg-config libdpdk-dev iproute2)
# shellcheck disable=SC2034
weir_packages_test=("${weir_packages_run[@]}" libcriterion-dev dpdk-dev clang-14 libclang-rt-14-dev clang-format-14
    iputils-ping netcat-openbsd ethtool python3 python3-trio tshark
    valgrind gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user)
# What scripts/bench core measures beside ours.
# shellcheck disable=SC2034
weir_packages_peers=(g++ libboost-context-dev libboost-fiber-dev libst-dev golang-go python3-trio)

weir_say() {
    printf '%s\n' "$*" >&2
}

weir_fail() {
    weir_say "$*"
    exit 1
}

# Prints those of the packages named that are not installed.
weir_missing() {
    local package
    for package in "$@"; do
        [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || printf '%s\n' "$package"
    done
}

# Installs those of the packages named that are missing, if we may; else says what to do, and exits.
weir_install() {
    local missing log
    command -v dpkg-query >/dev/null || return 0 # not Debian: Meson will say what it cannot find
    mapfile -t missing < <(weir_missing "$@")
    ((${#missing[@]})) || return 0
    if ((EUID != 0)); then
        weir_fail "Missing: ${missing[*]}. Install with: sudo apt-get install --no-install-recommends ${missing[*]}"
    fi
    weir_say "Installing ${missing[*]}"
    log=$(mktemp)
    if ! weir_apt "${missing[@]}" >"$log" 2>&1; then
        # The lists may be old, or were never fetched.
        apt-get update >>"$log" 2>&1
        if ! weir_apt "${missing[@]}" >>"$log" 2>&1; then
            tail -n 30 "$log" >&2
            rm -f "$log"
            weir_fail "Could not install ${missing[*]}"
        fi
    fi
    rm -f "$log"
}

weir_apt() {
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
}

# weir_build DIR [MESON OPTIONS]: configures if need be, and compiles weir_targets (unset: all). Output is shown only when
# something fails.
# shellcheck disable=SC2086  # the targets are words
weir_build() {
    local dir=$1 log status=0 lock
    mkdir -p "$dir"
    exec {lock}<"$dir"
    flock "$lock" # Meson and Ninja do not wait for one another: two of us at once would fail
    log=$(mktemp)
    if ! weir_configure "$@" >"$log" 2>&1; then
        cat "$log" >&2
        status=1
    elif ! ninja -C "$dir" ${weir_targets-} >"$log" 2>&1; then
        # Neither the progress nor the command lines.
        grep -v -E '^(\[[0-9]+/[0-9]+\]|ninja: Entering|[^ ]*(gcc|clang-14|cc) )' "$log" | tail -n 80 >&2
        weir_say "$dir did not build; to see all: ninja -C $dir"
        status=1
    fi
    rm -f "$log"
    exec {lock}<&-
    return $status
}

# What Meson did not finish is begun anew.
weir_configure() {
    local dir=$1
    shift
    if [[ -e $dir/build.ninja ]]; then
        if [[ ${1-} == --cross-file ]]; then shift 2; fi # once and for all
        # An option that is newer than the directory is unknown there until it is set up anew.
        meson configure "$dir" "$@" || meson setup --reconfigure "$dir" "$weir_root" "$@"
    else
        rm -rf "$dir/meson-private" "$dir/meson-info"
        meson setup "$dir" "$weir_root" "$@"
    fi
}
