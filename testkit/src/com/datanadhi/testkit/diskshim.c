/*
 * diskshim: intercepts a program's calls for the files below one directory (LD_PRELOAD), in order to
 *
 * - journal its changes: every successful write, truncation, creation, rename, link and removal, and every sync, is appended to
 *   a file, so that the test can rebuild what the disk could contain after a power loss at any of these points;
 * - inject faults: a read, write or sync returns EIO, at the n-th call or from the n-th call on; or a sync does not return.
 *
 * cc -shared -fPIC -O2 -o libdiskshim.so diskshim.c -ldl -lpthread
 *
 * DISKSHIM_DIRECTORY  the directory: an absolute path without symbolic links; if unset, the shim does nothing
 * DISKSHIM_JOURNAL    the journal, outside of the directory; if unset, nothing is journaled
 * DISKSHIM_FAULTS     a file that is read on each call, so that faults can change while the program runs. One line:
 *                     `read|write|sync NAME N once|always|hang`, where NAME is a pattern for the file's name; empty for no
 *                     fault. Each injected fault appends a line to the file with this path and the suffix `.log`.
 *
 * A journal entry is a header (struct entry, in the machine's byte order), the path relative to the directory, then the data.
 * It is appended before the call returns, so that the journal contains a sync before the program can act on it. One lock is
 * held during a call and the append of its entry, so that both have the same order. A sync runs without the lock; its entry
 * contains the length of the journal at its start, and the sync covers the entries up to there.
 *
 * With a journal, syncs are not passed on to the kernel: the content of the disk is rebuilt from the journal, and the program
 * runs faster.
 *
 * Files are identified by inode. Memory maps are not intercepted: SQLite maps only its -shm file, which it rebuilds after a
 * crash.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

struct entry {
  char kind;            /* the letter in the macros below */
  char failed;          /* only for a sync */
  uint16_t path_length;
  uint32_t data_length;
  uint64_t inode;
  uint64_t number;      /* offset of a write, new length of a file, or length of the journal at the start of a sync */
};

#define MAX_FD 4096
static struct { uint64_t inode; char *path; } watched[MAX_FD];

static const char *root, *faults;
static size_t root_length;
static int journal = -1;
static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;

/* The C library's function of this name. */
#define REAL(name) ({ \
  static __typeof__(&name) real_; \
  if (!real_) real_ = (__typeof__(&name)) dlsym(RTLD_NEXT, #name); \
  real_; })

static void die(const char *what) {
  dprintf(2, "diskshim: %s: %s\n", what, strerror(errno));
  abort();
}

__attribute__((constructor)) static void start(void) {
  const char *journal_path = getenv("DISKSHIM_JOURNAL");
  faults = getenv("DISKSHIM_FAULTS");
  root = getenv("DISKSHIM_DIRECTORY");
  if (!root) return;
  root_length = strlen(root);
  if (journal_path) {
    journal = REAL(open)(journal_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (journal < 0) die(journal_path);
    /* A high number: shell scripts use low descriptors by number. */
    int high = fcntl(journal, F_DUPFD_CLOEXEC, 200);
    if (high < 0) die("dup");
    REAL(close)(journal);
    journal = high;
  }
}

/* The path relative to the directory ("" for the directory), or null if it is not below it. The caller frees it. */
static char *relative_path(int at, const char *path) {
  char whole[PATH_MAX * 2];
  if (!root || !path) return NULL;
  if (path[0] == '/') {
    snprintf(whole, sizeof whole, "%s", path);
  } else if (at != AT_FDCWD) {
    if (at < 0 || at >= MAX_FD || !watched[at].path) return NULL;
    snprintf(whole, sizeof whole, "%s/%s%s%s", root, watched[at].path, watched[at].path[0] ? "/" : "", path);
  } else {
    char here[PATH_MAX];
    if (!getcwd(here, sizeof here)) return NULL;
    snprintf(whole, sizeof whole, "%s/%s", here, path);
  }
  if (strncmp(whole, root, root_length) != 0) return NULL;
  if (whole[root_length] == 0) return strdup("");
  if (whole[root_length] != '/') return NULL;
  return strdup(whole + root_length + 1);
}

static int is_watched(int fd) { return fd >= 0 && fd < MAX_FD && watched[fd].path; }

static void append_entry(char kind, int failed, const char *path, uint64_t inode, uint64_t number, const void *data, size_t length) {
  if (journal < 0) return;
  struct entry entry = {kind, failed != 0, strlen(path), length, inode, number};
  struct iovec parts[] = {{&entry, sizeof entry}, {(void *) path, entry.path_length}, {(void *) data, length}};
  int saved = errno;
  if (REAL(writev)(journal, parts, 3) != (ssize_t) (sizeof entry + entry.path_length + length)) die("journal");
  errno = saved;
}

static uint64_t journal_length(void) {
  struct stat now;
  return journal >= 0 && fstat(journal, &now) == 0 ? (uint64_t) now.st_size : 0;
}

/* Whether to fail this call: then errno is EIO. Does not return for a hang. */
static int inject_fault(const char *call, const char *path) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  static char current[256];
  static long calls;
  char line[256] = "", kind[16], pattern[128], times[16];
  long nth;
  if (!faults) return 0;
  int fd = REAL(open)(faults, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t got = REAL(read)(fd, line, sizeof line - 1);
  REAL(close)(fd);
  if (got <= 0 || sscanf(line, "%15s %127s %ld %15s", kind, pattern, &nth, times) != 4) return 0;
  const char *name = strrchr(path, '/');
  if (strcmp(kind, call) != 0 || fnmatch(pattern, name ? name + 1 : path, 0) != 0) return 0;
  pthread_mutex_lock(&lock);
  if (strcmp(current, line) != 0) {
    strcpy(current, line);
    calls = 0;
  }
  calls++;
  int failing = calls == nth || (calls > nth && strcmp(times, "always") == 0);
  pthread_mutex_unlock(&lock);
  if (failing) {
    char log[PATH_MAX];
    snprintf(log, sizeof log, "%s.log", faults);
    int out = REAL(open)(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (out < 0 || dprintf(out, "%s %s\n", call, path) < 0) die(log);
    REAL(close)(out);
    while (strcmp(times, "hang") == 0) pause();
    errno = EIO;
  }
  return failing;
}

/* --- opening and closing files --- */

/* Watches a new descriptor if it is of a file or a directory. Takes over `path`. */
static int watch(int fd, char *path, int flags, int existed) {
  struct stat is;
  if (fd < 0 || fd >= MAX_FD || fstat(fd, &is) != 0 || !(S_ISREG(is.st_mode) || S_ISDIR(is.st_mode))) {
    free(path);
    return fd;
  }
  free(watched[fd].path);
  watched[fd].inode = is.st_ino;
  watched[fd].path = path;
  if (!existed) {
    append_entry('c', 0, path, is.st_ino, 0, "", 0);
  } else if (flags & O_TRUNC) {
    append_entry('t', 0, path, is.st_ino, 0, "", 0);
  }
  return fd;
}

#define OPEN(name, arguments, at, call) \
  int name arguments { \
    mode_t mode = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { va_list more; va_start(more, flags); mode = va_arg(more, mode_t); va_end(more); } \
    char *below_path = relative_path(at, path); \
    if (!below_path) return REAL(name) call; \
    pthread_mutex_lock(&order); \
    int existed = !(flags & O_CREAT) || faccessat(at, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0; \
    int fd = watch(REAL(name) call, below_path, flags, existed); \
    pthread_mutex_unlock(&order); \
    return fd; \
  }
OPEN(open, (const char *path, int flags, ...), AT_FDCWD, (path, flags, mode))
OPEN(open64, (const char *path, int flags, ...), AT_FDCWD, (path, flags, mode))
OPEN(openat, (int at, const char *path, int flags, ...), at, (at, path, flags, mode))
OPEN(openat64, (int at, const char *path, int flags, ...), at, (at, path, flags, mode))

int creat(const char *path, mode_t mode) { return open(path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return creat(path, mode); }

static void unwatch(int fd) {
  if (!is_watched(fd)) return;
  pthread_mutex_lock(&order);
  free(watched[fd].path);
  watched[fd].path = NULL;
  pthread_mutex_unlock(&order);
}

#define CLOSE(name, arguments, fd, call) int name arguments { unwatch(fd); return REAL(name) call; }
CLOSE(close, (int fd), fd, (fd))
CLOSE(closedir, (DIR *stream), dirfd(stream), (stream))
CLOSE(fclose, (FILE *stream), fileno(stream), (stream))
CLOSE(dup2, (int from, int to), to, (from, to))

/* --- file contents --- */

static void append_write_entries(int fd, uint64_t offset, const struct iovec *parts, int count, size_t written) {
  for (int i = 0; i < count && written > 0; i++) {
    size_t length = parts[i].iov_len < written ? parts[i].iov_len : written;
    if (length > 0) append_entry('w', 0, watched[fd].path, watched[fd].inode, offset, parts[i].iov_base, length);
    offset += length;
    written -= length;
  }
}

/* Writes at `offset`, or at the file position if it is negative. A failed write has written half of its first part. */
static ssize_t write_parts(int fd, const struct iovec *parts, int count, off_t offset) {
  pthread_mutex_lock(&order);
  struct iovec half;
  int failing = inject_fault("write", watched[fd].path);
  if (failing) {
    half = (struct iovec) {parts[0].iov_base, parts[0].iov_len / 2};
    parts = &half;
    count = 1;
  }
  ssize_t written = offset < 0 ? REAL(writev)(fd, parts, count) : REAL(pwritev)(fd, parts, count, offset);
  int error = errno;
  if (written > 0) append_write_entries(fd, offset < 0 ? lseek(fd, 0, SEEK_CUR) - written : offset, parts, count, written);
  pthread_mutex_unlock(&order);
  errno = failing ? EIO : error;
  return failing ? -1 : written;
}

#define ONE(data, length) &(struct iovec) {(void *) (data), length}, 1
#define WRITE(name, arguments, parts, offset, call) \
  ssize_t name arguments { return is_watched(fd) ? write_parts(fd, parts, offset) : REAL(name) call; }
#define COMMA ,
WRITE(write, (int fd, const void *data, size_t length), ONE(data, length), -1, (fd, data, length))
WRITE(writev, (int fd, const struct iovec *parts, int count), parts COMMA count, -1, (fd, parts, count))
WRITE(pwrite, (int fd, const void *data, size_t length, off_t at), ONE(data, length), at, (fd, data, length, at))
WRITE(pwrite64, (int fd, const void *data, size_t length, off64_t at), ONE(data, length), at, (fd, data, length, at))
WRITE(pwritev, (int fd, const struct iovec *parts, int count, off_t at), parts COMMA count, at, (fd, parts, count, at))
WRITE(pwritev64, (int fd, const struct iovec *parts, int count, off64_t at), parts COMMA count, at, (fd, parts, count, at))

#define READ(name, arguments, call) \
  ssize_t name arguments { \
    if (is_watched(fd) && inject_fault("read", watched[fd].path)) return -1; \
    return REAL(name) call; \
  }
READ(read, (int fd, void *data, size_t length), (fd, data, length))
READ(readv, (int fd, const struct iovec *parts, int count), (fd, parts, count))
READ(pread, (int fd, void *data, size_t length, off_t at), (fd, data, length, at))
READ(pread64, (int fd, void *data, size_t length, off64_t at), (fd, data, length, at))

/* A call that may change the length of a file. */
#define RESIZE(name, arguments, call) \
  int name arguments { \
    if (!is_watched(fd)) return REAL(name) call; \
    struct stat is; \
    pthread_mutex_lock(&order); \
    int result = REAL(name) call; \
    if (result == 0 && fstat(fd, &is) == 0) append_entry('t', 0, watched[fd].path, watched[fd].inode, is.st_size, "", 0); \
    pthread_mutex_unlock(&order); \
    return result; \
  }
RESIZE(ftruncate, (int fd, off_t length), (fd, length))
RESIZE(ftruncate64, (int fd, off64_t length), (fd, length))
RESIZE(fallocate, (int fd, int mode, off_t at, off_t length), (fd, mode, at, length))
RESIZE(fallocate64, (int fd, int mode, off64_t at, off64_t length), (fd, mode, at, length))
RESIZE(posix_fallocate, (int fd, off_t at, off_t length), (fd, at, length))
RESIZE(posix_fallocate64, (int fd, off64_t at, off64_t length), (fd, at, length))

#define SYNC(name) \
  int name(int fd) { \
    if (!is_watched(fd)) return REAL(name)(fd); \
    uint64_t covered = journal_length(); \
    int result = inject_fault("sync", watched[fd].path) ? -1 : journal < 0 ? REAL(name)(fd) : 0; \
    int error = errno; \
    pthread_mutex_lock(&order); \
    append_entry('s', result, watched[fd].path, watched[fd].inode, covered, "", 0); \
    pthread_mutex_unlock(&order); \
    errno = error; \
    return result; \
  }
SYNC(fsync)
SYNC(fdatasync)

/* --- names: the data of a rename or link is the new path --- */

static uint64_t inode_of(int at, const char *path) {
  struct stat is;
  return fstatat(at, path, &is, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISSOCK(is.st_mode) ? is.st_ino : 0;
}

#define MOVE(name, kind, arguments, from_at, from, to_at, to, call) \
  int name arguments { \
    char *old = relative_path(from_at, from), *new = relative_path(to_at, to); \
    pthread_mutex_lock(&order); \
    uint64_t inode = old && new ? inode_of(from_at, from) : 0; \
    int result = REAL(name) call; \
    if (result == 0 && inode) append_entry(kind, 0, old, inode, 0, new, strlen(new)); \
    pthread_mutex_unlock(&order); \
    free(old); \
    free(new); \
    return result; \
  }
MOVE(rename, 'r', (const char *a, const char *b), AT_FDCWD, a, AT_FDCWD, b, (a, b))
MOVE(renameat, 'r', (int x, const char *a, int y, const char *b), x, a, y, b, (x, a, y, b))
MOVE(link, 'l', (const char *a, const char *b), AT_FDCWD, a, AT_FDCWD, b, (a, b))
MOVE(linkat, 'l', (int x, const char *a, int y, const char *b, int flags), x, a, y, b, (x, a, y, b, flags))

#define NAME(name, kind, arguments, at, path, before, after, call) \
  int name arguments { \
    char *below_path = relative_path(at, path); \
    if (!below_path) return REAL(name) call; \
    pthread_mutex_lock(&order); \
    uint64_t inode = before; \
    int result = REAL(name) call; \
    if (result == 0) inode = after; \
    if (result == 0 && inode) append_entry(kind, 0, below_path, inode, 0, "", 0); \
    pthread_mutex_unlock(&order); \
    free(below_path); \
    return result; \
  }
NAME(unlink, 'u', (const char *path), AT_FDCWD, path, inode_of(AT_FDCWD, path), inode, (path))
NAME(unlinkat, 'u', (int at, const char *path, int flags), at, path, inode_of(at, path), inode, (at, path, flags))
NAME(remove, 'u', (const char *path), AT_FDCWD, path, inode_of(AT_FDCWD, path), inode, (path))
NAME(rmdir, 'u', (const char *path), AT_FDCWD, path, inode_of(AT_FDCWD, path), inode, (path))
NAME(mkdir, 'm', (const char *path, mode_t mode), AT_FDCWD, path, 0, inode_of(AT_FDCWD, path), (path, mode))
NAME(mkdirat, 'm', (int at, const char *path, mode_t mode), at, path, 0, inode_of(at, path), (at, path, mode))
