/*
 * What the faults of a server share: numbers that the test changes while the server runs, in a
 * file that both have mapped or open (FAULTS_CONTROL). tests/src/faults/control.rs knows the same
 * places. What is 0 is not broken, except where it says otherwise.
 */
#ifndef FAULTS_CONTROL_H
#define FAULTS_CONTROL_H

#include <stdatomic.h>
#include <stdint.h>

struct control {
    /* How much longer each sync takes. */
    _Atomic uint64_t sync_delay_us;
    /* By how many bytes files may still grow, plus 1; 0 = as they like. */
    _Atomic uint64_t space_plus_1;
    /* Syncs that succeed before the next one fails, and how many fail then. */
    _Atomic uint64_t syncs_to_pass;
    _Atomic uint64_t syncs_to_fail;
    /* What a failed sync does to what it was to write: 0 = the system goes on showing it, as if
     * it were on disk; 1 = the system forgets it. */
    _Atomic uint64_t failed_is_forgotten;
    /* Added to the wall clock; in two's complement. */
    _Atomic uint64_t clock_offset_ms;
    /* The send buffer of each accepted connection in bytes; 0 = the system's choice. */
    _Atomic uint64_t send_buffer_bytes;
    /* What has happened: writes refused or cut short for want of space, syncs that failed. */
    _Atomic uint64_t writes_refused;
    _Atomic uint64_t syncs_failed;
};

/* The control numbers, or NULL in a process that is to have no faults. */
struct control *faults_control(void);

#endif
