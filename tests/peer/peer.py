#!/usr/bin/env python3
"""Weir's echo against the Linux kernel's TCP, over a TAP in a network namespace. Each test ends by stopping weir with
Ctrl-C, and fails unless every packet is back in its pool, nothing was complained of, and nothing was left behind.

WEIR_PEER_BYTES: bytes on each of the 256 connections (default 262144; 4194304 is the full size)."""
import contextlib
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

from world import CLIENT, KERNEL, STACK, Weir, check, client, main, run, serve_on_tap, skip, wait_for, weir_path

BYTES = int(os.environ.get("WEIR_PEER_BYTES", "262144"))


def connect():
    stream = socket.create_connection((STACK, 7), timeout=30)
    stream.sendall(b"hello")
    heard = b""
    while len(heard) < 5:
        heard += stream.recv(5)
    check(heard == b"hello", f"heard {heard}")
    return stream


def ping_answers():
    with serve_on_tap() as weir:
        print(run("ping", "-c", "20", "-i", "0.02", "-W", "5", STACK))
        run("ping", "-c", "3", "-i", "0.02", "-s", "1400", "-W", "5", STACK)
        weir.stop()


def every_byte_of_256_connections():
    with serve_on_tap() as weir:
        print(client("--connections", 256, "--bytes", BYTES, timeout=300))
        weir.stop()


def ten_thousand_connections_at_once():
    with serve_on_tap() as weir:
        said = client("--connections", 10000, "--bytes", 1000, "--mode", "hold", timeout=120)
        print(said)
        check("10000 open at once" in said, "not all were open at once")
        weir.stop()


def half_close_gets_all_bytes_back():
    with serve_on_tap() as weir:
        print(client("--connections", 32, "--bytes", 300000, "--mode", "half-close"))
        print(client("--connections", 4, "--bytes", 1, "--mode", "half-close"))
        weir.stop()


def client_killed_in_the_middle():
    with serve_on_tap() as weir:
        for _ in range(3):
            killed = subprocess.Popen([sys.executable, CLIENT, STACK, "7", "--connections", "64", "--bytes",
                                       str(1 << 30)])

            def received():
                link = json.loads(run("ip", "-json", "-statistics", "link", "show", "weir0"))[0]
                return link["stats64"]["rx"]["bytes"]

            begin = received()
            wait_for(lambda: received() > begin + 2000000, "a transfer under way")
            killed.kill()
            killed.wait()
        print(client("--connections", 8, "--bytes", 100000))
        weir.stop()


def loss_and_reordering():
    with serve_on_tap("--fault", "loss=0.1,reorder=0.1,seed=1") as weir:
        print(client("--connections", 16, "--bytes", 100000, timeout=240))
        weir.stop()


def every_fault_at_once():
    with serve_on_tap("--fault",
                      "loss=0.02,reorder=0.05,duplicate=0.05,corrupt=0.02,delay=2ms,jitter=1ms,seed=1") as weir:
        print(client("--connections", 16, "--bytes", 100000, timeout=240))
        weir.stop()


def datagrams_come_back():
    with serve_on_tap() as weir:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.settimeout(30)
            for size in (0, 1, 100, 1472):
                for number in range(20):
                    udp.sendto(bytes([number]) * size, (STACK, 7))
                    heard, sender = udp.recvfrom(2048)
                    check(heard == bytes([number]) * size and sender == (STACK, 7), f"{size} bytes: {sender} {heard}")
        weir.stop()


def closed_ports_refuse():
    with serve_on_tap() as weir:
        try:
            socket.create_connection((STACK, 8), timeout=30).close()
            check(False, "port 8 accepted")
        except ConnectionRefusedError:
            pass
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.settimeout(30)
            udp.connect((STACK, 8))
            udp.send(b"anybody?")
            try:
                udp.recv(10)
                check(False, "UDP port 8 answered")
            except ConnectionRefusedError:
                pass
        weir.stop()


def each_address_answers_for_itself():
    others = ["192.0.2.3", "198.51.100.2"]
    with serve_on_tap(*(word for address in [STACK, *others] for word in ("--address", f"{address}/24"))) as weir:
        run("ip", "address", "add", "198.51.100.1/24", "dev", "weir0")
        for address in [STACK, *others]:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(socket.AF_INET, kind) as asking:
                    asking.settimeout(30)
                    asking.connect((address, 7))  # hears from there alone
                    asking.sendall(b"hello")
                    check(asking.recv(5) == b"hello", f"{address} answered something else")
        weir.stop()


def route_leads_behind_the_kernel():
    behind = "203.0.113.9"
    run("ip", "address", "add", f"{behind}/32", "dev", "lo")
    with serve_on_tap("--route", f"203.0.113.0/24={KERNEL}") as weir:
        with socket.create_connection((STACK, 7), timeout=30, source_address=(behind, 0)) as stream:
            stream.sendall(b"hello")
            check(stream.recv(5) == b"hello", "something else came back")
        weir.stop()


def vlan_carries_its_tag_both_ways():
    """By hand: this kernel may have no VLAN devices. What it takes in it takes the tag off, and says so beside it."""
    auxdata, tci_valid = 8, 1 << 4  # PACKET_AUXDATA, TP_STATUS_VLAN_VALID
    us, asked = bytes.fromhex("020000000099"), socket.inet_aton(STACK)
    with serve_on_tap("--vlan", "7") as weir, socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as wire:
        wire.bind(("weir0", 3))
        wire.setsockopt(263, auxdata, 1)  # SOL_PACKET
        wire.settimeout(0.2)
        request = (b"\x00\x01\x08\x00\x06\x04\x00\x01" + us + socket.inet_aton(KERNEL) + bytes(6) + asked)

        def answered(tag):
            wire.send(b"\xff" * 6 + us + tag + b"\x08\x06" + request)
            deadline = time.monotonic() + 1
            while time.monotonic() < deadline:
                try:
                    frame, beside, _, _ = wire.recvmsg(2048, 256)
                except TimeoutError:
                    continue
                if frame[:6] != us:
                    continue
                status, *_, tci, _ = struct.unpack("IIIHHHH", beside[0][2][:20])
                check(status & tci_valid and tci & 0xfff == 7, f"an answer without our tag: {frame.hex()}")
                return True
            return False

        wait_for(lambda: answered(b"\x81\x00\x00\x07"), "an answer on our VLAN")
        check(not answered(b"\x81\x00\x00\x08"), "an answer to another VLAN")
        check(not answered(b""), "an answer to no VLAN")
        weir.stop()


def signal_closes_connections_in_good_order():
    for number in (signal.SIGINT, signal.SIGTERM):
        with serve_on_tap() as weir:
            streams = [connect() for _ in range(20)]
            weir.process.send_signal(number)
            for stream in streams:
                check(stream.recv(10) == b"", "the stream did not end")  # a reset would raise
                stream.close()
            weir.finish()


def signal_in_the_middle_of_a_transfer():
    with serve_on_tap() as weir:
        talking = subprocess.Popen([sys.executable, CLIENT, STACK, "7", "--connections", "16", "--bytes", str(1 << 30)],
                                   stderr=subprocess.PIPE)
        wait_for(lambda: "bytes_received" in run("ss", "-tin", "dst", STACK), "a transfer under way")
        weir.stop()
        talking.kill()
        talking.communicate()


def packets_on_a_slow_wire_outlive_the_stack():
    with serve_on_tap("--fault", "delay=400ms") as weir:
        streams = [connect() for _ in range(5)]
        weir.stop()
        for stream in streams:
            stream.close()


def check_idle(weir):
    def ticks():
        with open(f"/proc/{weir.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(") ", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    begin, start = ticks(), time.monotonic()
    wait_for(lambda: time.monotonic() - start >= 2, "two seconds")
    share = (ticks() - begin) / os.sysconf("SC_CLK_TCK") / (time.monotonic() - start)
    print(f"idle: {share:.1%} of a core")
    check(share < 0.2, f"{share:.1%} of a core for nothing")


def idle_does_not_burn_a_core():
    with serve_on_tap() as weir:
        stream = connect()
        check_idle(weir)
        stream.close()
        weir.stop()


def memif_without_a_peer_does_not_burn_a_core():
    with tempfile.TemporaryDirectory() as directory:
        with Weir("run", "echo", "--device", f"memif:{directory}/wire").wait_ready() as weir:
            check_idle(weir)  # what was to be sent waits for a peer
            weir.stop()


def statistics_and_duration():
    with serve_on_tap("--stats", "0.2", "--duration", "3") as weir:
        stream = connect()
        wait_for(lambda: "1 connections  in" in weir.said(), "a line of statistics")
        stream.close()
        weir.finish()


def capture_can_be_read():
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "echo.pcapng")
        with serve_on_tap("--pcap", path) as weir:
            client("--connections", 2, "--bytes", 5000)
            weir.stop()
        def shown(field, display_filter="frame"):
            done = subprocess.run(["tshark", "-r", path, "-o", "tcp.check_checksum:TRUE", "-Y", display_filter, "-T",
                                   "fields", "-e", field], capture_output=True, text=True, timeout=60, check=False)
            check(done.returncode == 0, done.stderr)
            return done.stdout.split()

        def count(display_filter):
            return len(shown("frame.number", display_filter))

        check(count("tcp.flags == 0x002 && frame.packet_flags_direction == 1") == 2, "no two SYNs came in")
        check(count("tcp.flags == 0x012 && frame.packet_flags_direction == 2") == 2, "no two went out")
        check(count("tcp.len > 0") >= 12, "data is missing")
        check(count("tcp.checksum.status == 0 && frame.packet_flags_direction == 1") == 0, "bytes differ")  # ours: the port's
        newest = float(shown("frame.time_epoch")[-1])
        check(abs(time.time() - newest) < 600, f"the last packet is from {newest}")


PAGES = "/proc/sys/vm/nr_hugepages"


@contextlib.contextmanager
def hugepages(count):
    """As many 2 MB pages, and a directory to have them from: other processes can see memory only that way."""
    with open(PAGES, encoding="ascii") as file:
        before = int(file.read())
    directory = tempfile.mkdtemp()
    try:
        with open(PAGES, "w", encoding="ascii") as file:
            file.write(str(before + count))
        run("mount", "-t", "hugetlbfs", "none", directory)
        yield directory
    finally:
        subprocess.run(["umount", directory], check=False)
        os.rmdir(directory)
        with open(PAGES, "w", encoding="ascii") as file:
            file.write(str(before))


def dumpcap_attaches_to_a_running_weir():
    prefix = f"weir-{os.getpid()}"
    with hugepages(100) as pages, tempfile.TemporaryDirectory() as directory:
        path = f"{directory}/dump.pcapng"
        with Weir("run", "echo", "-l", "0", "-m", "128", "--no-pci", "--huge-dir", pages, "--file-prefix", prefix, "--vdev",
                  "net_tap0,iface=weir0", "--", "--address", f"{STACK}/24", "--mbufs", "4095").wait_ready() as weir:
            run("ip", "address", "add", f"{KERNEL}/24", "dev", "weir0")
            dumpcap = subprocess.Popen(["dpdk-dumpcap", f"--file-prefix={prefix}", "-q", "-i", "net_tap0", "-w", path],
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            wait_for(lambda: os.path.exists(path) or dumpcap.poll() is not None, "dpdk-dumpcap")

            def captured():
                client("--connections", 1, "--bytes", 1000)
                shown = subprocess.run(["tshark", "-r", path, "-Y", "echo"], capture_output=True, text=True, timeout=60,
                                       check=False).stdout
                return "Request" in shown and "Response" in shown

            wait_for(lambda: dumpcap.poll() is not None or captured(), "both directions")
            check(dumpcap.poll() is None, "dpdk-dumpcap ended by itself")
            dumpcap.send_signal(signal.SIGINT)
            said, _ = dumpcap.communicate(timeout=60)
            check(dumpcap.returncode == 0, said)
            weir.stop()
        check(not os.path.exists(f"/var/run/dpdk/{prefix}"), "DPDK's files were left behind")


def dpdks_own_arguments():
    with Weir("run", "echo", "--no-huge", "--no-pci", "--vdev", "net_tap0,iface=weir0", "--", "--address",
              f"{STACK}/24").wait_ready() as weir:
        run("ip", "address", "add", f"{KERNEL}/24", "dev", "weir0")
        print(client("--connections", 8, "--bytes", 100000))
        weir.stop()


def on_a_veth(driver, stop):
    if shutil.which("ethtool") is None:
        skip("needs ethtool, to have a veth finish its checksums")
    run("ip", "link", "add", "wire0", "type", "veth", "peer", "name", "wire1")
    for end in ("wire0", "wire1"):
        run("ip", "link", "set", end, "up")
        # A veth hands over what its other end left to a NIC that is not there: checksums, and cutting into segments.
        run("ethtool", "-K", end, "tx", "off", "tso", "off", "gso", "off", "gro", "off")
    run("ip", "address", "add", f"{KERNEL}/24", "dev", "wire0")
    with Weir("run", "echo", "--device", f"{driver}:wire1").wait_ready() as weir:
        print(client("--connections", 8, "--bytes", 100000))
        stop(weir)


def af_packet_on_a_veth():
    on_a_veth("af_packet", Weir.stop)


def af_xdp_on_a_veth():
    def stop(weir):  # libxdp says things on stderr, and the driver keeps packets: neither is a failure
        weir.process.send_signal(signal.SIGINT)
        check(weir.process.wait(timeout=60) == 0, "weir's exit status is not 0")
        check("packets are back" in weir.said(), "packets did not come back")

    on_a_veth("af_xdp", stop)


# ---- looking at tasks ----

def tree_on_a_signal():
    with serve_on_tap() as weir:
        with socket.create_connection((STACK, 7)):
            weir.process.send_signal(signal.SIGUSR1)
            wait_for(lambda: "nursery in" in weir.complained(), "the tree")
            print(weir.complained())
        weir.process.send_signal(signal.SIGINT)
        check(weir.process.wait(timeout=60) == 0, "weir's exit status is not 0")
        check(re.search(r"^weir: the \d+ tasks of loop 0:\nmain: .*\n└─ ", weir.complained()), "no tree")
        check(re.search(r"^ESTAB +\d+ +\d+ +192\.0\.2\.2:7 +192\.0\.2\.1:\d+\n\t ts sack cubic wscale:\d+,\d+ rto:",
                        weir.complained(), re.MULTILINE), "no connection")
        check(re.search(r"^TcpPassiveOpens +1$", weir.complained(), re.MULTILINE), "no counters")


def ask(prefix, *questions):
    """Puts questions to DPDK's telemetry, by DPDK's own tool; returns the answers."""
    done = subprocess.run(["dpdk-telemetry.py", "-f", prefix], input="\n".join(questions) + "\n", capture_output=True,
                          text=True, timeout=60, check=False)
    check(done.returncode == 0, done.stderr)
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    check(len(answers) == len(questions), done.stdout)
    return [next(iter(answer.values())) for answer in answers]


def telemetry_tells_of_the_stack():
    with serve_on_tap("--telemetry", "--congestion", "reno") as weir:
        prefix = f"weir-{weir.process.pid}"
        with connect() as stream:
            stats, connections, none, nonsense = ask(prefix, "/weir/stats", "/weir/connections", "/weir/connection,4711",
                                                     "/weir/connections,x")
            check(stats["TcpCurrEstab"] == 1 and stats["TcpInSegs"] >= 3, f"{stats}")
            (number, connection), = connections.items()
            port = stream.getsockname()[1]
            check(connection == f"ESTAB {STACK}:7 {KERNEL}:{port}", connection)
            check(none is None and nonsense is None, f"{none} {nonsense}")
            told, = ask(prefix, f"/weir/connection,{number}")
            check(told["state"] == "ESTAB" and told["congestion"] == "reno" and told["remote"] == f"{KERNEL}:{port}",
                  f"{told}")
            check(told["bytes_received"] == 6 and told["segments_in"] >= 3, f"{told}")
            check(any(line.endswith("s ESTABLISHED") for line in told["events"]), f"{told}")
        asker = subprocess.Popen(["dpdk-telemetry.py", "-f", prefix], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        asker.stdin.write(b"/weir/stats\n" * 10000)  # while the connections come, and while the stack goes
        client("--connections", 64, "--bytes", 20000)
        weir.stop()
        asker.kill()
        asker.wait()


def counters_at_the_end():
    with serve_on_tap("--counters") as weir:
        client("--connections", 3, "--bytes", 5000)
        weir.stop()
        check(re.search(r"^TcpPassiveOpens +3$", weir.said(), re.MULTILINE), weir.said())
        check(re.search(r"^IpInReceives +\d+$", weir.said(), re.MULTILINE), weir.said())
        check("TcpRetransSegs" not in weir.said() or re.search(r"^TcpRetransSegs +[1-9]", weir.said(), re.MULTILINE),
              "zeros are printed")


def connection_that_dies_oddly_tells_its_story():
    with serve_on_tap(environment=dict(os.environ, WEIR_LOG="info")) as weir:
        stream = connect()
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        stream.close()  # a reset
        wait_for(lambda: "RST came" in weir.complained(), "its story")
        check(re.search(rf"^weir: connection {STACK}:7 to {KERNEL}:\d+ ended, Connection reset by peer: ESTAB",
                        weir.complained(), re.MULTILINE), weir.complained())
        check(weir.complained().count("RST came") == 1, "more than once")
        weir.process.send_signal(signal.SIGINT)
        check(weir.process.wait(timeout=60) == 0, "weir's exit status is not 0")


def options_of_tcp_reach_the_stack():
    with serve_on_tap("--telemetry", "--syn-cookies", "--ecn", "request", "--receive-buffer", "65k", "--nagle",
                      "--keepalive", "30s", "--user-timeout", "20s", "--backlog", "64", "--syn-queue", "64", "--orphans",
                      "64", "--time-wait", "1s", "--rto-min", "50ms", "--send-buffer", "1M", "--mss", "1000", "--delayed-ack", "40ms",
                      "--mtu-probing", "off") as weir:
        prefix = f"weir-{weir.process.pid}"
        with connect():
            stats, connection = ask(prefix, "/weir/stats", "/weir/connection,0")
        check(stats["TcpExtSyncookiesRecv"] == 1, f"{stats}")
        check(connection["mss"] <= 1000, f"{connection}")
        check(connection["receive_buffer"] == 65000 and connection["send_buffer"] == 1000000, f"{connection}")
        client("--connections", 8, "--bytes", 100000)
        weir.stop()


def trace_can_be_read():
    with tempfile.TemporaryDirectory() as directory:
        path = f"{directory}/trace.json"
        with serve_on_tap("--trace", path, "--watchdog", "60s") as weir:
            print(client("--connections", 4, "--bytes", 10000))
            weir.stop()
        with open(path, encoding="utf-8") as file:
            events = json.load(file)["traceEvents"]
        tracks = [event["args"]["name"] for event in events if event["name"] == "thread_name"]
        print(*tracks)
        check("loop" in tracks and "main" in tracks and len(tracks) >= 6, "tasks are missing")
        stepping = {event["tid"] for event in events if event["ph"] == "X" and event["cat"] == "step"}
        check(len(stepping) == len(tracks) - 1, "steps are missing")


# ---- two processes, no privilege ----

NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def unprivileged():
    """How to run weir as an ordinary user; as this one, if the build lies where others may not look."""
    allowed = subprocess.run([*NOBODY, weir_path(), "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             check=False)
    if allowed.returncode == 0:
        return NOBODY
    return ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]


def memif_pair(rounds):
    environment = {name: value for name, value in os.environ.items() if name != "XDG_RUNTIME_DIR"}
    user = unprivileged()
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o777)
        path = os.path.join(directory, "wire")
        with Weir("run", "echo", "--device", f"memif:{path}", command=user, environment=environment) as server:
            server.wait_ready()
            for _ in range(rounds):
                with Weir("run", "echo-client", "--device", f"memif-client:{path}", "--streams", "32", "--bytes",
                          "300000", command=user, environment=environment) as teller:
                    teller.finish()
                    print(teller.said())
                    check("all 9600000 bytes came back equal" in teller.said(), "no result")
            server.stop()
        check(os.listdir(directory) == [], "a socket was left behind")


def memif_pair_as_an_ordinary_user():
    memif_pair(1)


def memif_server_outlives_its_clients():
    memif_pair(8)


TESTS = {test.__name__: test for test in (
    ping_answers, every_byte_of_256_connections, ten_thousand_connections_at_once, half_close_gets_all_bytes_back,
    client_killed_in_the_middle, loss_and_reordering, every_fault_at_once, datagrams_come_back, closed_ports_refuse,
    each_address_answers_for_itself, route_leads_behind_the_kernel, vlan_carries_its_tag_both_ways,
    signal_closes_connections_in_good_order, signal_in_the_middle_of_a_transfer,
    packets_on_a_slow_wire_outlive_the_stack, idle_does_not_burn_a_core, memif_without_a_peer_does_not_burn_a_core,
    tree_on_a_signal, telemetry_tells_of_the_stack, counters_at_the_end, connection_that_dies_oddly_tells_its_story,
    options_of_tcp_reach_the_stack, trace_can_be_read, statistics_and_duration, capture_can_be_read,
    dumpcap_attaches_to_a_running_weir, dpdks_own_arguments,
    af_packet_on_a_veth, af_xdp_on_a_veth, memif_pair_as_an_ordinary_user, memif_server_outlives_its_clients)}

if __name__ == "__main__":
    main(TESTS)
