#!/usr/bin/env python3
"""A disk that loses power: a FUSE file system that keeps in memory what was not synced, and forgets it when told to.

    lossy_disk.py IMAGE MOUNT

Programs work below MOUNT and see their own writes at once. IMAGE is an ordinary folder that holds what a disk would still
hold had the power failed just now: a file's content as of its last fsync, under the names of the folder's last fsync.

Writing `FOLDER SEED SURVIVAL` to `MOUNT/.cut` fails the power for that folder: of its unsynced changes each 512-byte
sector, each length and each name reaches the image with the probability SURVIVAL (0 is the plain case; in between, writes
are torn and out of order, as a disk may leave them). After that the folder is gone from MOUNT and stays in IMAGE.

A new folder directly below MOUNT is durable at once: it is the stage that a test sets up, not what is being tested.
"""

import errno
import os
import random
import shutil
import stat
import sys
import time

try:
    from fusepy import FUSE, FuseOSError, Operations  # Debian's python3-fusepy
except ImportError:
    from fuse import FUSE, FuseOSError, Operations  # PyPI's fusepy

SECTOR = 512
CUT = "/.cut"


class File:
    """A file: what programs see, what the disk holds, and the changes between the two, in order."""

    def __init__(self, mode):
        self.mode = stat.S_IFREG | (mode & 0o7777)
        self.seen = bytearray()
        self.held = bytearray()
        self.pending = []

    def write(self, offset, data):
        self.pending.append((offset, bytes(data)))
        put(self.seen, offset, data)

    def truncate(self, length):
        self.pending.append((length, None))
        resize(self.seen, length)

    def sync(self):
        self.held = bytearray(self.seen)
        self.pending = []

    def tear(self, chance, survival):
        """Lets each part of the unsynced changes reach the disk or not."""
        for offset, data in self.pending:
            if data is None:
                if chance.random() < survival:
                    resize(self.held, offset)
                continue
            at = 0
            while at < len(data):
                end = at + SECTOR - (offset + at) % SECTOR
                if chance.random() < survival:
                    put(self.held, offset + at, data[at:end])
                at = end


def put(content, offset, data):
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


def resize(content, length):
    if len(content) > length:
        del content[length:]
    else:
        content.extend(bytes(length - len(content)))


def parent(path):
    return os.path.dirname(path)


class LossyDisk(Operations):
    """Names and files as programs see them; `named` are the names that the disk holds."""

    def __init__(self, image):
        self.image = image
        self.files = {}
        self.folders = {"/": 0o700}
        self.named = {}
        self.started = time.time()

    def find(self, path):
        if path not in self.files:
            raise FuseOSError(errno.ENOENT)
        return self.files[path]

    # what a disk does ------------------------------------------------------------------------------------------------

    def store(self, path):
        """Puts a file as the disk holds it into the image."""
        with open(self.image + path, "wb") as out:
            out.write(self.named[path].held)

    def sync_name(self, path):
        """Makes the disk agree about one name."""
        if path in self.folders:
            os.makedirs(self.image + path, exist_ok=True)
        elif path in self.files:
            self.named[path] = self.files[path]
            self.store(path)
        elif self.named.pop(path, None) is not None:
            os.unlink(self.image + path)

    def cut(self, folder, seed, survival):
        """The power fails for one folder."""
        below = "/" + folder.strip("/")
        chance = random.Random(seed)
        inside = lambda path: path.startswith(below + "/")
        for path in sorted(filter(inside, self.folders)):
            if chance.random() < survival and os.path.isdir(self.image + parent(path)):
                self.sync_name(path)
        for path in sorted(filter(inside, set(self.files) | set(self.named))):
            if chance.random() < survival and os.path.isdir(self.image + parent(path)):
                self.sync_name(path)
        for path in sorted(filter(inside, self.named)):
            self.named[path].tear(chance, survival)
            self.store(path)
        for names in (self.files, self.named, self.folders):
            for path in [path for path in names if inside(path)]:
                del names[path]
        self.folders.pop(below, None)

    # what programs ask for -------------------------------------------------------------------------------------------

    def getattr(self, path, fh=None):
        shared = {"st_uid": os.getuid(), "st_gid": os.getgid(), "st_nlink": 1}
        shared.update({time: self.started for time in ("st_atime", "st_mtime", "st_ctime")})
        if path in self.folders:
            return {**shared, "st_mode": stat.S_IFDIR | self.folders[path], "st_nlink": 2, "st_size": 4096}
        if path == CUT:
            return {**shared, "st_mode": stat.S_IFREG | 0o600, "st_size": 0}
        found = self.find(path)
        return {**shared, "st_mode": found.mode, "st_size": len(found.seen)}

    def readdir(self, path, fh):
        inside = [name for name in list(self.files) + list(self.folders) if name != "/" and parent(name) == path]
        return [".", ".."] + [os.path.basename(name) for name in inside]

    def mkdir(self, path, mode):
        if path in self.folders or path in self.files:
            raise FuseOSError(errno.EEXIST)
        self.folders[path] = mode & 0o7777
        if parent(path) == "/":
            self.sync_name(path)

    def create(self, path, mode, fi=None):
        self.files[path] = File(mode)
        return 0

    def open(self, path, flags):
        if path != CUT:
            self.find(path)
        return 0

    def read(self, path, size, offset, fh):
        return bytes(self.find(path).seen[offset : offset + size])

    def write(self, path, data, offset, fh):
        if path == CUT:
            folder, seed, survival = data.decode().split()
            self.cut(folder, int(seed), float(survival))
        else:
            self.find(path).write(offset, data)
        return len(data)

    def truncate(self, path, length, fh=None):
        if path != CUT:
            self.find(path).truncate(length)

    def unlink(self, path):
        self.find(path)
        del self.files[path]

    def fsync(self, path, datasync, fh):
        found = self.find(path)
        found.sync()
        if self.named.get(path) is found:
            self.store(path)
        return 0

    def fsyncdir(self, path, datasync, fh):
        for name in set(self.files) | set(self.named) | set(self.folders):
            if name != "/" and parent(name) == path:
                self.sync_name(name)
        return 0

    def chmod(self, path, mode):
        return 0

    def chown(self, path, uid, gid):
        return 0

    def utimens(self, path, times=None):
        return 0

    def statfs(self, path):
        return {"f_bsize": 4096, "f_frsize": 4096, "f_blocks": 1 << 20, "f_bfree": 1 << 19, "f_bavail": 1 << 19, "f_namemax": 255}


if __name__ == "__main__":
    image, mount = sys.argv[1:]
    shutil.rmtree(image, ignore_errors=True)
    os.makedirs(image)
    # No kernel-side memory of names and sizes: what a program sees is what is written here.
    FUSE(LossyDisk(image), mount, foreground=True, nothreads=True, attr_timeout=0, entry_timeout=0, negative_timeout=0)
