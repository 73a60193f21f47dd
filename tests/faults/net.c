/*
 * Connections with small send buffers, for LD_PRELOAD. On loopback the system gives each
 * connection room for megabytes, so that a peer that does not read is noticed late.
 */
#define _GNU_SOURCE
#include "control.h"

#include <dlfcn.h>
#include <stddef.h>
#include <sys/socket.h>

int accept4(int listener, struct sockaddr *restrict peer, socklen_t *restrict len, int flags) {
    static int (*_Atomic real)(int, struct sockaddr *, socklen_t *, int);
    if (real == NULL) real = dlsym(RTLD_NEXT, "accept4");
    int fd = real(listener, peer, len, flags);
    struct control *control = faults_control();
    int bytes = control == NULL ? 0 : (int)atomic_load(&control->send_buffer_bytes);
    if (fd >= 0 && bytes > 0) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    return fd;
}
