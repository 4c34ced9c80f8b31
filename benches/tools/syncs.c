/* Preloaded into the program that is measured: another disk without another disk, and without tracing, which would slow
 * down every system call and not only this one.
 *
 *     BENCH_SYNC=plain    each fsync and fdatasync as it is
 *     BENCH_SYNC=skip     none at all: what durability costs is the difference
 *     BENCH_SYNC=5000     each takes so many microseconds longer, in the thread that asked for it
 *
 * BENCH_SYNC_COUNT names a file that receives how many there were, which proves that the program came by here. */
#define _GNU_SOURCE
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static atomic_long syncs;

static int sync_by(long call, int file) {
    atomic_fetch_add(&syncs, 1);
    const char *how = getenv("BENCH_SYNC");
    if (how && strcmp(how, "skip") == 0) return 0;
    long microseconds = how ? atol(how) : 0;
    if (microseconds > 0) {
        struct timespec delay = {microseconds / 1000000, microseconds % 1000000 * 1000};
        nanosleep(&delay, NULL);
    }
    return (int)syscall(call, file);
}

int fsync(int file) { return sync_by(SYS_fsync, file); }

int fdatasync(int file) { return sync_by(SYS_fdatasync, file); }

__attribute__((destructor)) static void tell(void) {
    const char *path = getenv("BENCH_SYNC_COUNT");
    FILE *out = path && atomic_load(&syncs) > 0 ? fopen(path, "w") : NULL;
    if (!out) return;
    fprintf(out, "%ld\n", atomic_load(&syncs));
    fclose(out);
}
