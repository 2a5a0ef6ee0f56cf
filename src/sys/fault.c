#include "sys/fault.h"

/* In builds without faults the file is empty but for this. */
typedef int fault_not_empty;

#ifdef LEAT_FAULTS

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct fault_point points[] = {
#define F(name, where) {name, where},
#include "defs/faults.def"
#undef F
};

/* Something that happens once, when a point is reached for the at-th time. */
struct wanted {
	const char *name; /* of the point, not terminated */
	size_t len;
	unsigned long at; /* from 1 */
	atomic_ulong seen;
};

static struct {
	struct wanted crash, stop;
	int error;               /* errno, or FAULT_TORN; 0 = none */
	unsigned long error_at;
	atomic_ulong ops;
	const char *count_file;
} state;

static void write_count(void)
{
	char line[64];
	int n = snprintf(line, sizeof(line), "%lu %d\n", atomic_load(&state.ops), (int)getpid());
	int fd = open(state.count_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (fd < 0)
		return;
	if (write(fd, line, (size_t)n) != n)
		fprintf(stderr, "leat: LEAT_FAULT_COUNT: cannot write %s\n", state.count_file);
	close(fd);
}

static void read_fault(const char *s)
{
	static const struct {
		const char *word;
		int error;
	} kinds[] = {{"enospc@", ENOSPC}, {"eio@", EIO}, {"torn@", FAULT_TORN}};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		size_t n = strlen(kinds[i].word);

		if (strncmp(s, kinds[i].word, n))
			continue;
		state.error = kinds[i].error;
		state.error_at = strtoul(s + n, NULL, 10);
		return;
	}
	BUG("LEAT_FAULT=%s is none of enospc@N, eio@N, torn@N", s);
}

static void read_wanted(struct wanted *w, const char *s)
{
	const char *colon = s ? strrchr(s, ':') : NULL;

	if (!s || !*s)
		return;
	w->name = s;
	w->len = colon ? (size_t)(colon - s) : strlen(s);
	w->at = colon ? strtoul(colon + 1, NULL, 10) : 1;
}

static bool is_wanted(struct wanted *w, const char *name)
{
	return w->name && strlen(name) == w->len && !strncmp(name, w->name, w->len) &&
	       atomic_fetch_add(&w->seen, 1) + 1 == w->at;
}

/* Before main, so that no thread meets it half read. */
__attribute__((constructor)) static void fault_init(void)
{
	const char *s = getenv("LEAT_FAULT");

	read_wanted(&state.crash, getenv("LEAT_CRASH_AT"));
	read_wanted(&state.stop, getenv("LEAT_STOP_AT"));
	if (s && *s)
		read_fault(s);
	state.count_file = getenv("LEAT_FAULT_COUNT");
	if (state.count_file && *state.count_file)
		atexit(write_count);
}

void fault_die(void)
{
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

static void check_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(points); i++)
		if (!strcmp(points[i].name, name))
			return;
	BUG("fault point %s is not in defs/faults.def", name);
}

static const struct fault_weave *weave;

void fault_weave_set(const struct fault_weave *w)
{
	weave = w;
}

const struct fault_weave *fault_weave(void)
{
	return weave;
}

void fault_step(const char *what)
{
	if (weave)
		(void)weave->step(what);
}

void fault_crash(const char *name)
{
	check_name(name);
	fault_step(name);
	if (is_wanted(&state.stop, name))
		raise(SIGSTOP);
	if (is_wanted(&state.crash, name))
		fault_die();
}

int fault_io(const char *op, const char *path)
{
	int error = weave ? weave->step(op) : 0;

	return error ? error : fault_io_within(op, path);
}

int fault_io_within(const char *op, const char *path)
{
	unsigned long n = atomic_fetch_add(&state.ops, 1) + 1;

	(void)path;
	if (!state.error || n != state.error_at)
		return 0;
	if (state.error != FAULT_TORN)
		return state.error;
	if (strcmp(op, "write"))
		fault_die();
	return FAULT_TORN;
}

bool fault_armed(void)
{
	return weave || state.crash.name || state.stop.name || state.error || (state.count_file && *state.count_file);
}

unsigned long fault_count(void)
{
	return atomic_load(&state.ops);
}

const struct fault_point *fault_names(size_t *n)
{
	*n = ARRAY_LEN(points);
	return points;
}

#endif
