/*
 * A disk that forgets, fills up and fails, for LD_PRELOAD.
 *
 * SIGKILL alone proves little about durability: what a process has written stays in the page
 * cache. So what the disk really has of each file in the folder FAULTS_DATA is kept apart, in
 * FAULTS_PLATTER, named by inode: a successful sync brings there what was written since the last
 * one, page by page. After a kill the test puts together what a power cut would have left
 * (tests/src/faults/platter.rs): what is on the platter, and of the rest whatever it likes.
 *
 * Names are durable when the folder is synced: FAULTS_PLATTER/names lists them as of then. A file
 * whose name goes away before that is held by a second link.
 *
 * A sync that fails leaves its pages clean all the same, as Linux does: a later one does not write
 * them. They are shown until then as if they were on disk, or forgotten at once: both occur.
 *
 * What is dirty stands in files (FAULTS_PLATTER/<inode>.dirty), as it outlives the process.
 */
#define _GNU_SOURCE
#include "control.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096
/* 2 GiB per file. */
#define PAGES 524288
#define FILES 32

enum kind {
    OTHER,   /* none of ours */
    PAGED,   /* a database or its log: tracked by the page */
    WHOLE,   /* any other file: synced as a whole */
    SCRATCH, /* shared memory: it needs space, and does not survive */
    FOLDER   /* the folder itself */
};

struct tracked {
    ino_t inode;
    unsigned char *dirty;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct tracked tracked[FILES];

static void give_up(const char *what) {
    perror(what);
    abort();
}

static void *real(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL) give_up(name);
    return found;
}

static ssize_t real_pwrite(int fd, const void *data, size_t len, off64_t at) {
    static ssize_t (*_Atomic next)(int, const void *, size_t, off64_t);
    if (next == NULL) next = real("pwrite64");
    return next(fd, data, len, at);
}

static int real_truncate(int fd, off64_t size) {
    static int (*_Atomic next)(int, off64_t);
    if (next == NULL) next = real("ftruncate64");
    return next(fd, size);
}

static int ends_with(const char *text, const char *end) {
    size_t text_len = strlen(text), end_len = strlen(end);
    return text_len >= end_len && strcmp(text + text_len - end_len, end) == 0;
}

static enum kind kind_of_path(const char *path) {
    const char *data = getenv("FAULTS_DATA");
    size_t len = data == NULL ? 0 : strlen(data);
    if (len == 0 || strncmp(path, data, len) != 0) return OTHER;
    if (path[len] == '\0') return FOLDER;
    if (path[len] != '/' || strchr(path + len + 1, '/') != NULL) return OTHER;
    if (ends_with(path, ".lock") || ends_with(path, " (deleted)")) return OTHER;
    if (ends_with(path, "-shm")) return SCRATCH;
    return strstr(path + len, ".db") != NULL ? PAGED : WHOLE;
}

static enum kind kind_of(int fd) {
    if (faults_control() == NULL) return OTHER;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (len <= 0) return OTHER;
    path[len] = '\0';
    return kind_of_path(path);
}

static struct stat64 stat_of(int fd) {
    struct stat64 found;
    if (fstat64(fd, &found) != 0) give_up("faults: stat");
    return found;
}

static int open_on_platter(const char *kind, ino_t inode) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s%llu", getenv("FAULTS_PLATTER"), kind,
             (unsigned long long)inode);
    int fd = open64(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) give_up("faults: platter");
    return fd;
}

/* Which pages of a file are dirty: a byte for each. */
static unsigned char *dirty_pages(ino_t inode) {
    int at = 0;
    while (at < FILES && tracked[at].dirty != NULL && tracked[at].inode != inode) at++;
    if (at == FILES) give_up("faults: too many files");
    if (tracked[at].dirty == NULL) {
        int fd = open_on_platter("dirty-", inode);
        if (real_truncate(fd, PAGES) != 0) give_up("faults: dirty pages");
        void *mapped = mmap(NULL, PAGES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (mapped == MAP_FAILED) give_up("faults: dirty pages");
        close(fd);
        tracked[at].inode = inode;
        tracked[at].dirty = mapped;
    }
    return tracked[at].dirty;
}

static void mark_dirty(ino_t inode, uint64_t at, uint64_t len) {
    if (len == 0) return;
    uint64_t first = at / PAGE, last = (at + len - 1) / PAGE;
    if (last >= PAGES) give_up("faults: a file is too large");
    memset(dirty_pages(inode) + first, 1, last - first + 1);
}

/* Copies a page, as far as there is one. */
static void copy_page(int from, int to, uint64_t page) {
    char bytes[PAGE];
    ssize_t len = pread64(from, bytes, PAGE, (off64_t)(page * PAGE));
    if (len < 0) give_up("faults: read");
    if (len > 0 && real_pwrite(to, bytes, (size_t)len, (off64_t)(page * PAGE)) != len)
        give_up("faults: write");
}

/* Takes each dirty page to the platter, or back from there, and calls it clean. */
static void settle_pages(int fd, int platter, int is_kept) {
    struct stat64 file = stat_of(fd);
    unsigned char *dirty = dirty_pages(file.st_ino), *next = dirty;
    if (is_kept && real_truncate(platter, file.st_size) != 0) give_up("faults: platter");
    while ((next = memchr(next, 1, (size_t)(dirty + PAGES - next))) != NULL) {
        uint64_t page = (uint64_t)(next - dirty);
        if (is_kept) copy_page(fd, platter, page);
        else copy_page(platter, fd, page);
        *next++ = 0;
        if (next == dirty + PAGES) return;
    }
}

/* Takes a file as it is to the platter. It may be open for writing only. */
static void settle_whole(int fd, int platter) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    int from = open64(link, O_RDONLY | O_CLOEXEC);
    if (from < 0) give_up("faults: read");
    uint64_t size = (uint64_t)stat_of(fd).st_size;
    for (uint64_t page = 0; page * PAGE < size; page++) copy_page(from, platter, page);
    if (real_truncate(platter, (off64_t)size) != 0) give_up("faults: platter");
    close(from);
}

/* Writes down which names the folder has now. */
static void settle_names(void) {
    char draft[PATH_MAX], names[PATH_MAX], path[PATH_MAX];
    const char *platter = getenv("FAULTS_PLATTER"), *data = getenv("FAULTS_DATA");
    snprintf(draft, sizeof draft, "%s/draft", platter);
    snprintf(names, sizeof names, "%s/names", platter);
    FILE *out = fopen(draft, "we");
    DIR *folder = opendir(data);
    if (out == NULL || folder == NULL) give_up("faults: names");
    for (struct dirent64 *entry; (entry = readdir64(folder)) != NULL;) {
        if (snprintf(path, sizeof path, "%s/%s", data, entry->d_name) >= PATH_MAX) continue;
        enum kind kind = kind_of_path(path);
        if (entry->d_type == DT_REG && (kind == PAGED || kind == WHOLE))
            fprintf(out, "%llu %s\n", (unsigned long long)entry->d_ino, entry->d_name);
    }
    closedir(folder);
    if (fclose(out) != 0 || rename(draft, names) != 0) give_up("faults: names");
}

/* Whether this sync is one of those that are to fail. */
static int is_to_fail(struct control *control) {
    if (atomic_load(&control->syncs_to_fail) == 0) return 0;
    if (atomic_load(&control->syncs_to_pass) > 0) {
        atomic_fetch_sub(&control->syncs_to_pass, 1);
        return 0;
    }
    atomic_fetch_sub(&control->syncs_to_fail, 1);
    atomic_fetch_add(&control->syncs_failed, 1);
    return 1;
}

static int sync_file(const char *name, int fd) {
    enum kind kind = kind_of(fd);
    if (kind == OTHER || kind == SCRATCH) {
        int (*next)(int) = real(name);
        return next(fd);
    }
    struct control *control = faults_control();
    pthread_mutex_lock(&lock);
    usleep((useconds_t)atomic_load(&control->sync_delay_us));
    int fails = kind == PAGED && is_to_fail(control);
    if (kind == FOLDER) {
        settle_names();
    } else if (!fails || atomic_load(&control->failed_is_forgotten)) {
        int platter = open_on_platter("", stat_of(fd).st_ino);
        if (kind == WHOLE) settle_whole(fd, platter);
        else settle_pages(fd, platter, !fails);
        close(platter);
    } else {
        memset(dirty_pages(stat_of(fd).st_ino), 0, PAGES);
    }
    pthread_mutex_unlock(&lock);
    if (fails) errno = EIO;
    return fails ? -1 : 0;
}

/* How many of these bytes there is room for; their growth is taken from what is left. */
static size_t room_for(struct control *control, uint64_t size, uint64_t at, size_t len) {
    uint64_t limit = atomic_load(&control->space_plus_1);
    uint64_t growth = at + len > size ? at + len - size : 0;
    if (limit == 0 || growth == 0) return len;
    uint64_t left = limit - 1, lacks = growth > left ? growth - left : 0;
    atomic_store(&control->space_plus_1, left - (growth - lacks) + 1);
    if (lacks > 0) atomic_fetch_add(&control->writes_refused, 1);
    return lacks < len ? len - (size_t)lacks : 0;
}

static ssize_t write_at(int fd, const void *data, size_t len, off64_t at) {
    enum kind kind = kind_of(fd);
    if (kind != PAGED && kind != SCRATCH) return real_pwrite(fd, data, len, at);
    pthread_mutex_lock(&lock);
    struct stat64 file = stat_of(fd);
    size_t room = room_for(faults_control(), (uint64_t)file.st_size, (uint64_t)at, len);
    ssize_t written = room == 0 && len > 0 ? -1 : real_pwrite(fd, data, room, at);
    if (written > 0 && kind == PAGED) mark_dirty(file.st_ino, (uint64_t)at, (uint64_t)written);
    pthread_mutex_unlock(&lock);
    if (room == 0 && len > 0) errno = ENOSPC;
    return written;
}

static int cut_to(int fd, off64_t size) {
    if (kind_of(fd) != PAGED) return real_truncate(fd, size);
    pthread_mutex_lock(&lock);
    struct stat64 file = stat_of(fd);
    int done = real_truncate(fd, size);
    uint64_t pages = ((uint64_t)size + PAGE - 1) / PAGE;
    if (done == 0 && pages < PAGES) memset(dirty_pages(file.st_ino) + pages, 0, PAGES - pages);
    if (done == 0 && size % PAGE != 0) mark_dirty(file.st_ino, (uint64_t)size, 1);
    pthread_mutex_unlock(&lock);
    return done;
}

/* Sees to it that a file outlives its name: the disk may still have that. */
static void hold(const char *path) {
    char held[PATH_MAX];
    struct stat64 file;
    if (faults_control() == NULL) return;
    enum kind kind = kind_of_path(path);
    if ((kind != PAGED && kind != WHOLE) || stat64(path, &file) != 0) return;
    snprintf(held, sizeof held, "%s/held-%llu", getenv("FAULTS_PLATTER"),
             (unsigned long long)file.st_ino);
    if (link(path, held) != 0 && errno != EEXIST) give_up("faults: hold");
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at) {
    return write_at(fd, data, len, at);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at) {
    return write_at(fd, data, len, at);
}

int ftruncate(int fd, off_t size) {
    return cut_to(fd, size);
}

int ftruncate64(int fd, off64_t size) {
    return cut_to(fd, size);
}

int fsync(int fd) {
    return sync_file("fsync", fd);
}

int fdatasync(int fd) {
    return sync_file("fdatasync", fd);
}

int unlink(const char *path) {
    static int (*_Atomic next)(const char *);
    if (next == NULL) next = real("unlink");
    hold(path);
    return next(path);
}

int rename(const char *from, const char *to) {
    static int (*_Atomic next)(const char *, const char *);
    if (next == NULL) next = real("rename");
    hold(to);
    return next(from, to);
}
