/*
 * A wall clock that is wrong by as much as the test says, for LD_PRELOAD. Monotonic clocks stay
 * as they are: they never step.
 */
#define _GNU_SOURCE
#include "control.h"

#include <dlfcn.h>
#include <sys/time.h>
#include <time.h>

static int64_t offset_ms(void) {
    struct control *control = faults_control();
    return control == NULL ? 0 : (int64_t)atomic_load(&control->clock_offset_ms);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*_Atomic real)(clockid_t, struct timespec *);
    if (real == NULL) real = dlsym(RTLD_NEXT, "clock_gettime");
    int done = real(clock, now);
    if (done != 0 || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)) return done;
    int64_t ms = offset_ms();
    now->tv_sec += ms / 1000;
    now->tv_nsec += ms % 1000 * 1000000;
    if (now->tv_nsec < 0) now->tv_nsec += 1000000000, now->tv_sec--;
    if (now->tv_nsec >= 1000000000) now->tv_nsec -= 1000000000, now->tv_sec++;
    return done;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    (void)zone;
    struct timespec exact;
    int done = clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return done;
}

time_t time(time_t *also) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (also != NULL) *also = exact.tv_sec;
    return exact.tv_sec;
}
