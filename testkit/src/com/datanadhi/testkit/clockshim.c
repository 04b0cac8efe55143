/*
 * clockshim: shifts the wall clock of a program while it runs (LD_PRELOAD). Monotonic clocks are not changed.
 *
 * cc -shared -fPIC -O2 -o libclockshim.so clockshim.c -ldl -lpthread
 *
 * CLOCKSHIM_OFFSET  a file of 8 bytes: the seconds to add, in the machine's byte order. The file is mapped, so that a write to
 *                   it makes the clock jump at once, in every process with the shim. If unset, the shim does nothing.
 *
 * A jump does not wake a thread that waits in the kernel or the C library for a time of the wall clock.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *offset;

static void die(const char *what) {
  dprintf(2, "clockshim: %s: %s\n", what, strerror(errno));
  abort();
}

__attribute__((constructor)) static void start(void) {
  const char *path = getenv("CLOCKSHIM_OFFSET");
  if (!path) return;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) die(path);
  void *mapped = mmap(NULL, sizeof *offset, PROT_READ, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) die(path);
  close(fd);
  offset = mapped;
}

/* Uses system calls: dlsym cannot find the C library's functions of these names while the program is being loaded. */
int clock_gettime(clockid_t clock, struct timespec *now) {
  int result = syscall(SYS_clock_gettime, clock, now);
  if (result == 0 && offset && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += *offset;
  return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  int result = syscall(SYS_gettimeofday, now, zone);
  if (result == 0 && offset) now->tv_sec += *offset;
  return result;
}

time_t time(time_t *where) {
  struct timespec now;
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
  if (where) *where = now.tv_sec;
  return now.tv_sec;
}
