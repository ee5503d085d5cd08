#!/usr/bin/env python3
"""Prints run_arguments_golden.json: what the Docker SDK for Python makes of a table of arguments.

Needs python3-docker (Debian). No engine: the SDK builds the body without one.
    python3 src/engine/make_run_arguments_golden.py > src/engine/run_arguments_golden.json
"""
import json

from docker.models.containers import _create_container_args
from docker.types import ContainerConfig, Mount

TABLE = [
    {},
    {"runtime": "nvidia"},
    {"shm_size": "1g"}, {"shm_size": 67108864}, {"shm_size": "64MB"},
    {"mem_limit": "512m", "memswap_limit": -1}, {"mem_limit": 1000000}, {"mem_limit": "1.5g", "mem_reservation": "10kb"},
    {"memswap_limit": "2G", "mem_swappiness": 0},
    {"ipc_mode": "host", "pid_mode": "host"},
    {"network": "mine"}, {"network_mode": "host"}, {"network_mode": "none"}, {"network_disabled": True},
    {"environment": {"A": "b", "F": 1.5, "N": 3, "T": True, "UNSET": None}}, {"environment": ["A=b", "C"]},
    {"volumes": {"/h": {"bind": "/c", "mode": "ro"}, "named": {"bind": "/d"}}}, {"volumes": ["/h:/c", "/x:/y:ro"]},
    {"mounts": [{"target": "/c", "source": "/h", "type": "bind", "read_only": True, "propagation": "rslave"}]},
    {"mounts": [{"target": "/v", "source": "vol", "no_copy": True, "labels": {"a": "b"}}]},
    {"mounts": [{"target": "/t", "source": None, "type": "tmpfs", "tmpfs_size": "10m", "tmpfs_mode": 448}]},
    {"device_requests": [{"count": -1, "capabilities": [["gpu"]]}]},
    {"device_requests": [{"driver": "nvidia", "device_ids": ["0", "GPU-1"], "capabilities": [["gpu", "utility"]], "options": {"a": "b"}}]},
    {"device_requests": [{"Driver": "nvidia", "Count": 2}]},
    {"devices": ["/dev/fuse", "/dev/a:/dev/b", "/dev/c:/dev/d:r"]},
    {"nano_cpus": 1500000000, "cpuset_cpus": "0-1", "cpuset_mems": "0", "cpu_shares": 512},
    {"cpu_quota": 50000, "cpu_period": 100000, "cpu_rt_period": 1000, "cpu_rt_runtime": 100, "cpu_count": 1, "cpu_percent": 50},
    {"cap_add": ["SYS_PTRACE"], "cap_drop": ["ALL"]},
    {"privileged": True, "security_opt": ["seccomp=unconfined", "no-new-privileges"]},
    {"ulimits": [{"name": "nofile", "soft": 1024, "hard": 2048}, {"Name": "core", "Soft": 0}]},
    {"sysctls": {"net.core.somaxconn": 1024, "kernel.msgmax": "65536"}},
    {"user": "1000:1000"}, {"user": 1000}, {"user": "daemon", "group_add": ["audio", 27]},
    {"working_dir": "/w", "entrypoint": ["/e", "x y"]}, {"entrypoint": "/bin/sh -c 'echo \"a b\"' \"c\\\"d\" e\\ f ''"},
    {"hostname": "h", "domainname": "d", "mac_address": "02:42:ac:11:00:02"},
    {"extra_hosts": {"b": "10.0.0.2", "a": "10.0.0.1"}}, {"extra_hosts": ["a:10.0.0.1"]},
    {"dns": ["8.8.8.8"], "dns_opt": ["ndots:1"], "dns_search": ["example.org"]},
    {"tmpfs": {"/t": "size=3G,uid=1000"}}, {"tmpfs": ["/a", "/b:size=1m"]},
    {"read_only": True}, {"read_only": False},
    {"labels": {"a": "b"}}, {"labels": ["a", "c"]},
    {"init": True}, {"init": False},
    {"stop_signal": "SIGINT"},
    {"oom_kill_disable": True, "oom_score_adj": 500, "pids_limit": 100},
    {"blkio_weight": 300, "blkio_weight_device": [{"Path": "/dev/sda", "Weight": 10}]},
    {"device_read_bps": [{"Path": "/dev/sda", "Rate": 1}], "device_write_bps": [{"Path": "/dev/sda", "Rate": 2}],
     "device_read_iops": [{"Path": "/dev/sda", "Rate": 3}], "device_write_iops": [{"Path": "/dev/sda", "Rate": 4}]},
    {"cgroup_parent": "/p", "storage_opt": {"size": "10G"}, "userns_mode": "host", "uts_mode": "host"},
    {"log_config": {"type": "json-file", "config": {"max-size": "1m"}}}, {"log_config": {"Type": "none"}},
    {"healthcheck": {"test": "curl x", "interval": 1000000000, "retries": 3}}, {"healthcheck": {"test": ["CMD", "true"]}},
    {"ports": {"80/tcp": 8080, "53/udp": None, "9000": [9001, 9002]}, "publish_all_ports": True},
    {"links": {"db": "database", "cache": None}}, {"links": [["b", "x"], ["a", "y"]]},
    {"volumes_from": "a,b"}, {"volumes_from": ["c:ro"], "volume_driver": "local"},
    {"device_cgroup_rules": ["c 1:3 rwm"], "kernel_memory": "50m"},
]

# What the SDK always says, and what comes of being given volumes twice, is the caller's matter.
OMITTED = ("Image", "Cmd", "Tty", "OpenStdin", "StdinOnce", "AttachStdin", "AttachStdout", "AttachStderr", "Volumes",
           "NetworkingConfig")


def without_nulls(value):
    return {k: v for k, v in value.items() if v is not None}


def body_of(arguments):
    kwargs = json.loads(json.dumps(arguments))
    if "mounts" in kwargs:
        kwargs["mounts"] = [Mount(**m) for m in kwargs["mounts"]]
    if "links" in kwargs and isinstance(kwargs["links"], list):
        kwargs["links"] = [tuple(pair) for pair in kwargs["links"]]
    kwargs.update(image="i", command=None, version="1.41")
    create = _create_container_args(kwargs)
    create.pop("networking_config", None)
    body = without_nulls(ContainerConfig("1.41", create.pop("image"), create.pop("command"), **create))
    for key in OMITTED:
        body.pop(key, None)
    if not body.get("NetworkDisabled"):
        body.pop("NetworkDisabled", None)
    host = body["HostConfig"]
    if host["NetworkMode"] == "default":
        del host["NetworkMode"]
    if "Mounts" in host:
        host["Mounts"] = [without_nulls(m) for m in host["Mounts"]]
    if not host:
        del body["HostConfig"]
    return body


print(json.dumps([{"arguments": a, "body": body_of(a)} for a in TABLE], indent=1))
