"""The system calls that a program may not make, as a filter for the kernel (seccomp, classic BPF).

Namespaces already hide the host; the filter is a second wall. It allows threads and no further process, which makes
fork bombs and daemons impossible, and refuses what lets one process look into another, what reaches the network or the
kernel's own machinery, memory that no limit counts, and whatever changes the guard, which the next child is a copy of.
"""

import platform
import struct
from functools import cache

_EPERM, _EAGAIN, _ENOSYS, _EOPNOTSUPP = 1, 11, 38, 95
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_CLONE_THREAD = 0x00010000
_X32 = 0x40000000  # numbers of another calling convention of x86_64, which would slip by

# Refused: name, its number on x86_64, its number on aarch64.
_REFUSED = """
socket 41 198, connect 42 203, bind 49 200, listen 50 201, accept 43 202, accept4 288 242, sendto 44 206, shmget 29
194, shmat 30 196, semget 64 190, msgget 68 186, mq_open 240 180, execve 59 221, execveat 322 281, ptrace 101 117,
process_vm_readv 310 270, process_vm_writev 311 271, process_madvise 440 440, kcmp 312 272, pidfd_open 434 434,
pidfd_getfd 438 438, pidfd_send_signal 424 424, prlimit64 302 261, memfd_create 319 279, memfd_secret 447 447, mount
165 40, umount2 166 39, pivot_root 155 41, chroot 161 51, move_mount 429 429, open_tree 428 428, fsopen 430 430,
fsmount 432 432, fspick 433 433, mount_setattr 442 442, unshare 272 97, setns 308 268, bpf 321 280, perf_event_open
298 241, userfaultfd 323 282, io_uring_setup 425 425, io_uring_enter 426 426, io_uring_register 427 427, keyctl 250
219, add_key 248 217, request_key 249 218, open_by_handle_at 304 265, name_to_handle_at 303 264, init_module 175
105, finit_module 313 273, delete_module 176 106, kexec_load 246 104, kexec_file_load 320 294, reboot 169 142,
swapon 167 224, swapoff 168 225, acct 163 89, quotactl 179 60, syslog 103 116, personality 135 92, mknod 133 -,
mknodat 259 33, setxattr 188 5, lsetxattr 189 6, fsetxattr 190 7, setxattrat 463 463, removexattr 197 14,
lremovexattr 198 15, fremovexattr 199 16, removexattrat 466 466, file_setattr 469 469, openat2 437 437, setpriority
141 140, sched_setscheduler 144 119, sched_setparam 142 118, sched_setaffinity 203 122, sched_setattr 314 274,
ioprio_set 251 30, inotify_init1 294 26, fanotify_init 300 262, vmsplice 278 75
"""
# Answered with 0 and not done. Modes, owners and times of files, as on a file system that has none: where root runs
# this, /dev/null is the program's own. The process id, which would say how many children the guard has had.
_IDLE = """
getpid 39 172, gettid 186 178, set_tid_address 218 96,
chmod 90 -, fchmod 91 52, fchmodat 268 53, fchmodat2 452 452, chown 92 -, lchown 94 -, fchown 93 55, fchownat 260 54,
utime 132 -, utimes 235 -, futimesat 261 -, utimensat 280 88
"""
# What opens a file, and the place of its flags: a file without a name leaves no trace in its folder but a number used.
_OPEN = "open 2 -, openat 257 56"
_FLAGS = {"open": 24, "openat": 32}  # in `struct seccomp_data`
_UNNAMED = 0x400000  # __O_TMPFILE
# Architecture: (AUDIT_ARCH, number of clone, numbers of fork and vfork, column of the table above).
_ARCHITECTURES = {"x86_64": (0xC000003E, 56, (57, 58), 1), "aarch64": (0xC00000B7, 220, (), 2)}
_CLONE3 = 435


@cache
def build_filter() -> bytes:
    """The filter for this machine, an array of `struct sock_filter`. Raises ValueError for another architecture."""
    machine = platform.machine()
    if machine not in _ARCHITECTURES:
        raise ValueError(f"machine={machine!r} has no table of system calls; known are {', '.join(_ARCHITECTURES)}")
    architecture, clone, new_process, column = _ARCHITECTURES[machine]
    program = [
        _step(_LOAD, 4),  # the architecture of the call
        _step(_EQUAL, architecture, 1, 0),
        _step(_RETURN, _KILL),
        _step(_LOAD, 0),  # the number of the call
        _step(_AT_LEAST, _X32, 0, 1),
        _step(_RETURN, _KILL),
    ]
    for table, answer in ((_REFUSED, _ERRNO | _EPERM), (_IDLE, _ERRNO)):
        for number in sorted(_numbers(table, column).values()):
            program += [_step(_EQUAL, number, 0, 1), _step(_RETURN, answer)]
    for number in new_process:
        program += [_step(_EQUAL, number, 0, 1), _step(_RETURN, _ERRNO | _EAGAIN)]
    for name, number in _numbers(_OPEN, column).items():
        program += [
            _step(_EQUAL, number, 0, 4),
            _step(_LOAD, _FLAGS[name]),
            _step(_ANY_BIT, _UNNAMED, 0, 1),
            _step(_RETURN, _ERRNO | _EOPNOTSUPP),
            _step(_RETURN, _ALLOW),
        ]
    # The flags of clone3 lie in memory, where a filter cannot read; without it the C library falls back on clone.
    program += [_step(_EQUAL, _CLONE3, 0, 1), _step(_RETURN, _ERRNO | _ENOSYS)]
    program += [
        _step(_EQUAL, clone, 0, 3),
        _step(_LOAD, 16),  # the flags: low half of the first argument
        _step(_ANY_BIT, _CLONE_THREAD, 1, 0),
        _step(_RETURN, _ERRNO | _EAGAIN),
        _step(_RETURN, _ALLOW),
    ]
    return b"".join(program)


def _numbers(table: str, column: int) -> dict[str, int]:
    """The system calls of a table and their numbers, without those that an architecture does not have."""
    rows = [row.split() for row in table.replace("\n", " ").split(",")]
    return {row[0]: int(row[column]) for row in rows if row[column] != "-"}


def _step(code: int, operand: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, operand)
