/* Loaded in front of the C library (LD_PRELOAD): each sync of a file takes SLOW_SYNC_US microseconds more, as on a slower disk. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int sync_slowly(const char *name, int file) {
  const char *microseconds = getenv("SLOW_SYNC_US");
  int (*sync)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
  if (microseconds == NULL || sync == NULL) {
    fprintf(stderr, "slow-sync: %s, but SLOW_SYNC_US is not set or the C library has none\n", name);
    abort();
  }
  long long nanoseconds = atoll(microseconds) * 1000;
  struct timespec left = {nanoseconds / 1000000000, nanoseconds % 1000000000};
  while (nanosleep(&left, &left) == -1 && errno == EINTR) continue;
  return sync(file);
}

int fsync(int file) { return sync_slowly("fsync", file); }

int fdatasync(int file) { return sync_slowly("fdatasync", file); }
