/*
 * A disk that is slow and forgets what was not synced, for LD_PRELOAD.
 *
 * SIGKILL alone proves little about durability: what a process has written stays in the page
 * cache. So before a database file below FAULTY_DISK is changed, what was there is appended to
 * FAULTY_DISK_UNDO/<file>.undo, and a successful sync empties that. After a kill the test writes
 * back what is left, in reverse (tests/src/disk.rs): the disk as it is after a power cut that
 * lost every write since the last sync. Each sync takes FAULTY_DISK_SYNC_US longer than it would.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* What precedes the old bytes in an undo file; native byte order. */
struct record {
    uint64_t at;
    uint64_t old_len;
    uint64_t old_size;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int ends_with(const char *text, const char *end) {
    size_t text_len = strlen(text), end_len = strlen(end);
    return text_len >= end_len && strcmp(text + text_len - end_len, end) == 0;
}

/* Whether the file is a database's; if so, `undo` gets the path of its undo file. */
static int is_tracked(int fd, char *undo) {
    const char *disk = getenv("FAULTY_DISK"), *undo_dir = getenv("FAULTY_DISK_UNDO");
    char link[64], path[PATH_MAX];
    if (disk == NULL || undo_dir == NULL) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (len <= 0) return 0;
    path[len] = '\0';
    if (strncmp(path, disk, strlen(disk)) != 0) return 0;
    if (!ends_with(path, ".db") && !ends_with(path, ".db-wal")) return 0;
    int written = snprintf(undo, PATH_MAX, "%s%s.undo", undo_dir, strrchr(path, '/'));
    return written > 0 && written < PATH_MAX;
}

static void give_up(const char *what) {
    perror(what);
    abort();
}

/* Keeps the bytes from `at` on, `len` of them as far as there are any. */
static void remember(int fd, const char *undo, uint64_t at, uint64_t len) {
    struct stat64 before;
    if (fstat64(fd, &before) != 0) give_up("faulty disk: stat");
    uint64_t size = (uint64_t)before.st_size;
    uint64_t there = at < size ? size - at : 0;
    struct record record = {.at = at, .old_len = there < len ? there : len, .old_size = size};
    char *old = malloc(record.old_len + 1);
    if (old == NULL) give_up("faulty disk: memory");
    if (pread64(fd, old, record.old_len, (off64_t)at) != (ssize_t)record.old_len)
        give_up("faulty disk: read");
    struct iovec parts[2] = {
        {.iov_base = &record, .iov_len = sizeof record},
        {.iov_base = old, .iov_len = record.old_len},
    };
    int out = open64(undo, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ssize_t all = (ssize_t)(sizeof record + record.old_len);
    if (out < 0 || writev(out, parts, 2) != all) give_up("faulty disk: undo");
    close(out);
    free(old);
}

static ssize_t write_at(const char *name, int fd, const void *data, size_t len, off64_t at) {
    char undo[PATH_MAX];
    ssize_t (*real)(int, const void *, size_t, off64_t) = dlsym(RTLD_NEXT, name);
    if (!is_tracked(fd, undo)) return real(fd, data, len, at);
    pthread_mutex_lock(&lock);
    remember(fd, undo, (uint64_t)at, len);
    ssize_t written = real(fd, data, len, at);
    pthread_mutex_unlock(&lock);
    return written;
}

static int cut_to(const char *name, int fd, off64_t size) {
    char undo[PATH_MAX];
    int (*real)(int, off64_t) = dlsym(RTLD_NEXT, name);
    if (!is_tracked(fd, undo)) return real(fd, size);
    pthread_mutex_lock(&lock);
    remember(fd, undo, (uint64_t)size, UINT64_MAX);
    int done = real(fd, size);
    pthread_mutex_unlock(&lock);
    return done;
}

static int sync_file(const char *name, int fd) {
    char undo[PATH_MAX];
    int (*real)(int) = dlsym(RTLD_NEXT, name);
    if (!is_tracked(fd, undo)) return real(fd);
    const char *delay = getenv("FAULTY_DISK_SYNC_US");
    pthread_mutex_lock(&lock);
    if (delay != NULL) usleep((useconds_t)atoi(delay));
    int done = real(fd);
    if (done == 0 && truncate64(undo, 0) != 0 && access(undo, F_OK) == 0)
        give_up("faulty disk: forget");
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at) {
    return write_at("pwrite", fd, data, len, at);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at) {
    return write_at("pwrite64", fd, data, len, at);
}

int ftruncate(int fd, off_t size) {
    return cut_to("ftruncate", fd, size);
}

int ftruncate64(int fd, off64_t size) {
    return cut_to("ftruncate64", fd, size);
}

int fsync(int fd) {
    return sync_file("fsync", fd);
}

int fdatasync(int fd) {
    return sync_file("fdatasync", fd);
}
