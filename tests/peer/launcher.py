#!/usr/bin/env python3
"""What a user can get wrong: each is one line on stderr, that says what was wrong and what to do; a status that is not
zero; and nothing left behind."""
import os
import subprocess
import sys
import tempfile

from world import Weir, check, main, run, weir_path

USAGE, FAILURE = 64, 1


def wrong(status, expected, *arguments, command=(), environment=None):
    """Runs weir with a mistake in it."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="w") as temporary:
        os.chmod(temporary, 0o777)
        done = subprocess.run([*command, weir_path(), *arguments], capture_output=True, text=True, timeout=60, check=False,
                              env=dict(environment or os.environ, TMPDIR=temporary))
        told = f"weir {' '.join(arguments)}\n  status {done.returncode}\n  {done.stdout}{done.stderr}"
        print(told)
        check(done.returncode == status, f"{told}  expected status {status}")
        check(done.stderr.count("\n") == 1 and done.stderr.endswith("\n"), f"{told}  is not one line")
        check(expected in done.stderr, f"{told}  does not say '{expected}'")
        check(done.stdout == "", f"{told}  prints what is no result")
        check(os.listdir(temporary) == [], f"{told}  left {os.listdir(temporary)} behind")
    check("weir0" not in run("ip", "-o", "link"), f"{told}  left a TAP behind")


def command_line():
    for expected, arguments in (
            ("needs a command", []),
            ("no command 'bogus'", ["bogus"]),
            ("unrecognized option '--bogus'", ["--bogus"]),
            ("takes no 'x'", ["list", "x"]),
            ("needs the name of an app", ["run"]),
            ("`weir list`", ["run", "nosuchapp"]),
            ("`weir list`", ["run", "*"]),
            ("unrecognized option '--bogus'", ["run", "echo", "--bogus"]),
            ("unrecognized option '--bogus'", ["run", "echo", "--port", "7", "--bogus"]),
            ("'x' is not expected", ["run", "echo", "x"]),
            ("requires an argument", ["run", "echo", "--port"]),
            ("--port '70000' is no number from 1 to 65535", ["run", "echo", "--port", "70000"]),
            ("--port '0' is no number", ["run", "echo", "--port", "0"]),
            ("--port '7x' is no number", ["run", "echo", "--port", "7x"]),
            ("--port '-7' is no number", ["run", "echo", "--port", "-7"]),
            ("--address '1.2.3/24'", ["run", "echo", "--address", "1.2.3/24"]),
            ("--address '10.0.0.2'", ["run", "echo", "--address", "10.0.0.2"]),
            ("--address '10.0.0.2/33'", ["run", "echo", "--address", "10.0.0.2/33"]),
            ("--address '10.0.0.0/24'", ["run", "echo", "--address", "10.0.0.0/24"]),
            ("--address '10.0.0.255/24'", ["run", "echo", "--address", "10.0.0.255/24"]),
            ("--address '224.0.0.1/24'", ["run", "echo", "--address", "224.0.0.1/24"]),
            ("--address '127.0.0.1/8'", ["run", "echo", "--address", "127.0.0.1/8"]),
            ("--address '2001:db8::1/129'", ["run", "echo", "--address", "2001:db8::1/129"]),
            ("--address 'ff02::1/64'", ["run", "echo", "--address", "ff02::1/64"]),
            ("--address '2001:db8::1'", ["run", "echo", "--address", "2001:db8::1"]),
            ("--address '10.0.0.2/16' is given twice",
             ["run", "echo", "--address", "10.0.0.2/24", "--address", "10.0.0.2/16"]),
            ("--address '10.0.0.17/24' is one too many",
             ["run", "echo", *(word for i in range(1, 18) for word in ("--address", f"10.0.0.{i}/24"))]),
            ("so many of --address leave no room for a link-local one",
             ["run", "echo", *(word for i in range(1, 17) for word in ("--address", f"2001:db8::{i}/64"))]),
            ("'--slaac' doesn't allow an argument", ["run", "echo", "--slaac=1"]),
            ("--gateway 'x'", ["run", "echo", "--gateway", "x"]),
            ("network of --address", ["run", "echo", "--gateway", "10.1.1.1"]),
            ("gateway 192.0.2.2 is no other host", ["run", "echo", "--gateway", "192.0.2.2"]),
            ("gateway 2001:db8::1 is no other host", ["run", "echo", "--gateway", "2001:db8::1"]),
            ("--route '10.0.0.0=192.0.2.1'", ["run", "echo", "--route", "10.0.0.0=192.0.2.1"]),
            ("--route '10.0.0.0/8='", ["run", "echo", "--route", "10.0.0.0/8="]),
            ("--route '10.0.0.0/8=fe80::1'", ["run", "echo", "--route", "10.0.0.0/8=fe80::1"]),
            ("gateway 10.0.0.1 is no other host", ["run", "echo", "--route", "10.1.0.0/16=10.0.0.1"]),
            ("--vlan '0' is no number from 1 to 4094", ["run", "echo", "--vlan", "0"]),
            ("--vlan '4095'", ["run", "echo", "--vlan", "4095"]),
            ("--mac 'x'", ["run", "echo", "--mac", "x"]),
            ("--mac '01:00:5e:00:00:01'", ["run", "echo", "--mac", "01:00:5e:00:00:01"]),
            ("--idle 'x'", ["run", "echo", "--idle", "x"]),
            ("--mbufs '0'", ["run", "echo", "--mbufs", "0"]),
            ("--connections 'x'", ["run", "echo", "--connections", "x"]),
            ("--stats '0'", ["run", "echo", "--stats", "0"]),
            ("--congestion 'vegas' is none of cubic, reno", ["run", "echo", "--congestion", "vegas"]),
            ("--ecn 'on' is none of accept, request, off", ["run", "echo", "--ecn", "on"]),
            ("--keepalive '0.5' is no time of 1s or more", ["run", "echo", "--keepalive", "0.5"]),
            ("--user-timeout 'x' is no time", ["run", "echo", "--user-timeout", "x"]),
            ("--rto-min '0' is no time of 1ms or more", ["run", "echo", "--rto-min", "0"]),
            ("--time-wait '-1' is no time", ["run", "echo", "--time-wait=-1"]),
            ("--delayed-ack '1s' is no time from 1ms to 500ms", ["run", "echo", "--delayed-ack", "1s"]),
            ("--mss '80' is no number from 88", ["run", "echo", "--mss", "80"]),
            ("--mtu-probing 'on' is none of black-hole, always, off", ["run", "echo", "--mtu-probing", "on"]),
            ("--backlog '0' is no number from 1", ["run", "echo", "--backlog", "0"]),
            ("--syn-queue 'x' is no number", ["run", "echo", "--syn-queue", "x"]),
            ("--orphans '5000000' is no number", ["run", "echo", "--orphans", "5000000"]),
            ("--receive-buffer '10' is no amount", ["run", "echo", "--receive-buffer", "10"]),
            ("--send-buffer '2G' is no amount", ["run", "echo", "--send-buffer", "2G"]),
            ("'--nagle' doesn't allow an argument", ["run", "echo", "--nagle=1"]),
            ("--watchdog '0'", ["run", "echo", "--watchdog", "0"]),
            ("--watchdog 'x'", ["run", "echo", "--watchdog", "x"]),
            ("--duration '-1'", ["run", "echo", "--duration=-1"]),
            ("--fault knows no 'lose=0.1'", ["run", "echo", "--fault", "lose=0.1"]),
            ("loss=2 makes no sense", ["run", "echo", "--fault", "loss=2"]),
            ("delay= makes no sense", ["run", "echo", "--fault", "delay"]),
            ("'ether' is none of", ["run", "echo", "--device", "ether"]),
            ("needs the path of a socket", ["run", "echo", "--device", "memif"]),
            ("longer than 15", ["run", "echo", "--device", "tap:abcdefghijklmnop"]),
            ("must not contain", ["run", "echo", "--device", "tap:a,b"]),
            ("must not contain", ["run", "echo", "--device", "tap:a%d"]),
            ("does not go with EAL arguments", ["run", "echo", "--no-huge", "--", "--device", "tap"]),
            ("--connect '192.0.2.2'", ["run", "echo-client", "--connect", "192.0.2.2"]),
            ("--bytes '0'", ["run", "echo-client", "--bytes", "0"])):
        wrong(USAGE, expected, *arguments)


def devices():
    run("ip", "link", "add", "weirtest0", "type", "veth", "peer", "name", "weirtest1")
    for expected, device in (
            ("no interface 'nosuch0'", "af_packet:nosuch0"),
            ("no interface 'nosuch0'", "af_xdp:nosuch0"),
            ("no such PCI device", "0000:7f:1f.7"),
            ("there is such an interface already", "tap:weirtest0"),
            ("No such file or directory", "memif:/nosuchdirectory/socket"),
            ("start the server first", "memif-client:/tmp/weir-no-such-socket"),
            ("is no socket, and in the way", "memif:/etc/passwd")):
        wrong(FAILURE, expected, "run", "echo", "--device", device)


def memif_path_is_taken():
    with tempfile.TemporaryDirectory() as directory:
        path = f"{directory}/socket"
        with Weir("run", "echo", "--device", f"memif:{path}").wait_ready() as server:
            wrong(FAILURE, "another process serves it", "run", "echo", "--device", f"memif:{path}")
            server.process.kill()
            server.process.wait()
        check(os.path.exists(path), "a killed server leaves its socket")
        wrong(FAILURE, "Failed to connect", "run", "echo-client", "--device", f"memif-client:{path}")
        with Weir("run", "echo", "--device", f"memif:{path}").wait_ready() as server:  # and the next one clears it
            server.stop()


def privilege():
    powerless = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    wrong(FAILURE, "no privilege to make an interface", "run", "echo", command=powerless)
    run("ip", "link", "add", "weirtest0", "type", "veth", "peer", "name", "weirtest1")
    wrong(FAILURE, "run as root", "run", "echo", "--device", "af_packet:weirtest0", command=powerless)
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o555)
        os.chown(directory, 12345, 12345)
        wrong(FAILURE, "Permission denied", "run", "echo", "--device", f"memif:{directory}/socket", command=powerless)


def trace():
    wrong(FAILURE, "cannot write to /nosuchdirectory/trace: No such file or directory", "run", "echo", "--device",
          "tap", "--trace", "/nosuchdirectory/trace")


def memory():
    wrong(FAILURE, "lower --mbufs", "run", "echo", "--mbufs", "1000000000")
    if "libasan" not in run("ldd", weir_path()):  # which takes terabytes of addresses for itself
        wrong(FAILURE, "lower --mbufs", "run", "echo", "--mbufs", "1000000", "--device",
              "memif:/tmp/weir-no-such-socket", command=["prlimit", f"--as={1 << 30}"])
    wrong(FAILURE, "give the EAL more memory", "run", "echo", "--no-huge", "--no-shconf", "--no-pci", "-m", "64",
          "--vdev", "net_null0", "--", "--mbufs", "65535")


def eal_arguments():
    quiet = ["--no-huge", "--no-shconf", "--no-pci", "--no-telemetry", "--file-prefix", f"weir-{os.getpid()}"]
    with open("/proc/meminfo", encoding="ascii") as file:
        none_free = "HugePages_Free:        0" in file.read()
    if none_free:
        wrong(FAILURE, "hugepages", "run", "echo", "-l", "0", "--file-prefix", f"weir-{os.getpid()}", "--")
    wrong(FAILURE, "unrecognized option '--bogus'", "run", "echo", *quiet, "--bogus", "--")
    wrong(FAILURE, "lcore 777", "run", "echo", *quiet, "-l", "777", "--")
    wrong(FAILURE, "brought no port", "run", "echo", *quiet, "--")
    wrong(FAILURE, "net_nosuch0", "run", "echo", *quiet, "--vdev", "net_nosuch0", "--")


def plugin_named(name, source, directory):
    """Builds a module without any of weir's headers."""
    with open(f"{directory}/{name}.c", "w", encoding="ascii") as file:
        file.write(source)
    run("cc", "-shared", "-fPIC", "-o", f"{directory}/weir-app-{name}.so", f"{directory}/{name}.c")


def plugins():
    with tempfile.TemporaryDirectory() as directory:
        plugin_named("old", "const struct { unsigned abi; } weir_app = {0};", directory)
        plugin_named("empty", "int nothing;", directory)
        plugin_named("unlinked", "extern int nosuchsymbol(void); int call(void) { return nosuchsymbol(); }", directory)
        with open(f"{directory}/weir-app-text.so", "w", encoding="ascii") as file:
            file.write("not a module\n")
        environment = dict(os.environ, WEIR_PLUGIN_PATH=directory)
        for name, expected in (("old", "was built for version 0"), ("empty", "no WEIR_APP"),
                               ("unlinked", "nosuchsymbol"), ("text", "cannot be loaded")):
            wrong(FAILURE, expected, "run", name, environment=environment)
            wrong(FAILURE, expected, "run", f"{directory}/weir-app-{name}.so")
        listed = subprocess.run([weir_path(), "list"], capture_output=True, text=True, env=environment, check=False)
        check(listed.returncode == 0 and "echo-client" in listed.stdout, listed.stdout)
        check(listed.stderr.count("\n") == 4, listed.stderr)


def help_everywhere():
    for arguments in (["--help"], ["--usage"], ["--version"], ["list", "--help"], ["list", "--usage"], ["run", "--help"],
                      ["run", "--usage"], ["run", "echo", "--help"], ["run", "echo", "--usage"],
                      ["run", "echo-client", "--help"], ["list"]):
        done = subprocess.run([weir_path(), *arguments], capture_output=True, text=True, timeout=60, check=False)
        check(done.returncode == 0 and done.stdout != "" and done.stderr == "", f"weir {arguments}: {done}")
    said = run(weir_path(), "run", "echo", "--help")
    for option in ("--device", "--address", "--stats", "Options of echo:", "--port"):
        check(option in said, f"`weir run echo --help` does not speak of {option}")


TESTS = {test.__name__: test for test in (command_line, devices, memif_path_is_taken, privilege, trace, memory,
                                          eal_arguments, plugins, help_everywhere)}

if __name__ == "__main__":
    main(TESTS)
