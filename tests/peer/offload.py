#!/usr/bin/env python3
"""Two stacks, each in a process of its own, over wires whose ports do much by themselves, or carry large packets.
virtio-user with vhost needs no hugepages: with --no-huge, memory is a file too, which the two share."""
import os
import signal
import tempfile

from world import Weir, check, main, wait_for

EAL = ["--no-huge", "--no-shconf", "--no-pci", "--no-telemetry", "-m", "256", "--log-level=error",
       "--log-level=lib.vhost*:emergency"]


def lengths_of_packets(path):
    """Of what came in, and of what went out. Source: the pcapng draft, section 4.3."""
    with open(path, "rb") as file:
        data = file.read()
    at, lengths = 0, {"in": [], "out": []}
    while at < len(data):
        size = int.from_bytes(data[at + 4:at + 8], "little")
        if data[at:at + 4] == b"\x06\0\0\0":
            captured, original = (int.from_bytes(data[at + k:at + k + 4], "little") for k in (20, 24))
            flags = data[at + 28 + (captured + 3) // 4 * 4 + 4]
            lengths["out" if flags & 3 == 2 else "in"].append(original)
        at += size
    return lengths


def talk(server, client, directory):
    """Has a client tell a server 16 MB, and the server tell it back. Returns the lengths of the server's packets."""
    path = os.path.join(directory, "wire.pcapng")
    with Weir("run", "echo", *server, "--pcap", path).wait_ready() as echo:
        with Weir("run", "echo-client", *client, "--streams", "8", "--bytes", "2000000") as teller:
            wait_for(lambda: teller.process.poll() is not None, "all bytes")
            print(teller.said())
            check("came back equal" in teller.said() and teller.process.returncode == 0, teller.complained())
            check("packets are back" in teller.said(), "packets did not come back")
        echo.process.send_signal(signal.SIGINT)
        check(echo.process.wait(60) == 0 and "packets are back" in echo.said(), echo.complained())
    return lengths_of_packets(path)


def virtio_and_vhost(*client_options):
    with tempfile.TemporaryDirectory() as directory:
        socket = os.path.join(directory, "s")
        return talk([*EAL, "--file-prefix", f"vhost-{os.getpid()}", "--vdev", f"net_vhost0,iface={socket},tso=1", "--"],
                    [*EAL, "--file-prefix", f"virtio-{os.getpid()}", "--vdev",
                     f"net_virtio_user0,path={socket},mrg_rxbuf=1", "--", "--address", "192.0.2.1/24", *client_options],
                    directory)


def large_packets_between_virtio_and_vhost():
    lengths = virtio_and_vhost()
    print(f"the longest to come: {max(lengths['in'])}, to go: {max(lengths['out'])}")
    check(max(lengths["in"]) > 8000, "virtio has cut nothing")
    check(max(lengths["out"]) <= 1514, "vhost cannot cut")


def segments_when_the_wire_is_said_to_be_bad():
    # What befalls a wire befalls packets as they are on it: then the ports are to do nothing.
    lengths = virtio_and_vhost("--fault", "loss=0.001,corrupt=0.001,seed=1")
    check(max(lengths["in"]) == 1514, f"{max(lengths['in'])} bytes came in one packet")


def jumbo_frames_on_a_memif():
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "wire")
        lengths = talk(["--device", f"memif:{path}", "--mtu", "9000"],
                       ["--device", f"memif-client:{path}", "--mtu", "9000"], directory)
    check(max(lengths["in"]) == 9014 and max(lengths["out"]) == 9014,
          f"{max(lengths['in'])} bytes came at most, and {max(lengths['out'])} went")


def segments_joined_in_software_on_a_memif():
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "wire")
        lengths = talk(["--device", f"memif:{path}", "--gro"], ["--device", f"memif-client:{path}"], directory)
    check(max(lengths["in"]) > 1514, "nothing was joined")
    check(max(lengths["out"]) == 1514, f"{max(lengths['out'])} bytes went in one packet")


TESTS = {test.__name__: test for test in (
    large_packets_between_virtio_and_vhost, segments_when_the_wire_is_said_to_be_bad, jumbo_frames_on_a_memif,
    segments_joined_in_software_on_a_memif)}

if __name__ == "__main__":
    main(TESTS)
