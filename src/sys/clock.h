/*
 * sys/clock.h: time. Everything that decides by the time of day asks clock_now_ms, so that a test can set it.
 *
 * LEAT_CLOCK=FILE names a file with the virtual time (RFC 3339), read anew when its stat changes. Waiting and
 * measuring use clock_mono_*, which no one sets.
 */
#ifndef LEAT_SYS_CLOCK_H
#define LEAT_SYS_CLOCK_H

#include <sys/types.h>

#include "base/err.h"

/* Milliseconds since 1970 in UTC, of the wall or of the virtual clock. */
int64_t clock_now_ms(void);
bool clock_is_virtual(void);
/* Whether LEAT_CLOCK, if set, can be read: call once at start. Later an unreadable file leaves the last time. */
must_check int clock_check(struct err *e);
/* From now on it stands still in this process, as a virtual clock does, whatever LEAT_CLOCK says; below 0: ends. */
void clock_stop_at(int64_t ms);
int64_t clock_mono_ms(void);
int64_t clock_mono_ns(void);
int64_t clock_cpu_ns(void);      /* processor time of the calling thread: what waits for others costs none */
void clock_sleep_ms(int64_t ms); /* real time */

/* Who a process is, so that a pid used again is not taken for it (leases). */
#define CLOCK_BOOT_ID 40
const char *clock_boot_id(void) __attribute__((returns_nonnull)); /* cached; "" where the kernel has none */
/* Start time of a process in clock ticks since boot; 0 = no such process (or a zombie). */
uint64_t clock_proc_start(pid_t pid);

#endif
